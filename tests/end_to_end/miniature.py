"""An argon study in miniature: every stage, real, in about a minute."""

from pathlib import Path

STUDY = """
name: miniature
seed: 3
fluid:
  molecules:
    - {name: argon, formula: Ar}
grid:
  - {densities_g_cm3: [0.1, 1.2], temperatures_K: [240.0]}
reference:
  name: lj-argon
  lammps:
    pair_commands:
      - pair_style lj/cut 5.0
      - pair_coeff 1 1 0.010323 3.405
      - pair_modify shift yes
    cutoff_A: 5.0
sampling:
  design: density
  temperature_K: 240.0
  budget_frames: 24
  held_out_per_cell: 2
  molecules: 32
  dynamics: {timestep_fs: 5.0, equilibration_ps: 5.0, production_ps: 20.0}
training:
  r_max_A: 5.0
  layers: 1
  l_max: 1
  features: 8
  updates: [500]
  batch_size: 2
  learning_rate: 0.01
production:
  molecules: 32
  timestep_fs: 2.5
  equilibration_ps: 0.25
  production_ps: 1.0
  nve_ps: 0.25
  trajectory_every_fs: 50.0
  thermo_every_fs: 10.0
  segment_ps: 0.25
  gas_below_g_cm3: 0.2
validation:
  frames_per_cell: 3
  reference_runs: true
  gates: {liquid_above_g_cm3: 0.5}
"""


def write_study(folder: Path) -> Path:
    """The study file, in a folder of its own."""
    path = folder / "miniature.yaml"
    path.write_text(STUDY)
    return path
