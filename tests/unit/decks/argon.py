"""Argon decks in small."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from lmp_thermo.decks import Guards, Protocol, write_deck
from lmp_thermo.interaction import Interaction
from lmp_thermo.states import StatePoint
from lmp_thermo.units import volume_at_density

MASS = 39.948
EPSILON_EV = 0.0104
SIGMA_A = 3.4
CUTOFF_A = 6.5

ARGON = Interaction(
    name="argon lj/cut",
    species=("Ar",),
    masses_g_mol=(MASS,),
    pair_lines=(
        f"pair_style lj/cut {CUTOFF_A}",
        f"pair_coeff * * {EPSILON_EV} {SIGMA_A}",
        "pair_modify shift yes",
    ),
    files=(),
    ghost_cutoff_A=CUTOFF_A,
)
STATE = StatePoint(1.2, 300.0)
GUARDS = Guards(
    max_temperature_K=3000, min_distance_A=1.5, max_energy_rise_eV_atom=1.0, check_every_steps=10
)
PROTOCOL = Protocol(
    timestep_fs=4.0,
    equilibration_ps=0.8,
    production_ps=4.0,
    nve_ps=0.4,
    trajectory_every_fs=80.0,
    thermo_every_fs=16.0,
    segment_ps=1.0,
    thermostat="csvr",
    thermostat_damping_ps=0.1,
    seed=5,
    minimize=True,
    guards=GUARDS,
)


def argon_box(per_edge: int = 3, state: StatePoint = STATE, tilt: float = 0.0) -> Atoms:
    """A slightly disordered lattice; with a tilt, a box with three different angles."""
    count = per_edge**3
    edge = volume_at_density(MASS * count, state.density_g_cm3) ** (1 / 3)
    cell = edge * np.array([[1, 0, 0], [tilt, 1, 0], [-0.7 * tilt, 0.4 * tilt, 1]])
    places = (np.array(list(itertools.product(range(per_edge), repeat=3))) + 0.5) / per_edge
    places += np.random.default_rng(0).normal(0, 0.03 / per_edge, places.shape)
    atoms = Atoms(f"Ar{count}", positions=places @ cell, cell=cell, pbc=True)
    atoms.set_masses([MASS] * count)
    return atoms


def argon_deck(
    folder: Path,
    per_edge: int = 3,
    state: StatePoint = STATE,
    tilt: float = 0.0,
    interaction: Interaction = ARGON,
    **changes: Any,
) -> Path:
    """Write an argon deck; `changes` are those of the protocol."""
    write_deck(
        folder,
        argon_box(per_edge, state, tilt),
        [1] * per_edge**3,
        state,
        interaction,
        replace(PROTOCOL, **changes),
    )
    return folder
