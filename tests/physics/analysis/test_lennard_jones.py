"""A run of the installed LAMMPS, analysed and compared with LAMMPS's own numbers."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from lmp_thermo.analysis.coordination import CoordinationNumber
from lmp_thermo.analysis.rdf import RadialDistribution
from lmp_thermo.analysis.run import RunAnalysis, analyze_run, open_deck_trajectory
from lmp_thermo.analysis.sites import named_sites
from lmp_thermo.analysis.thermo import read_run_thermo
from lmp_thermo.analysis.trajectory import run_analysis
from lmp_thermo.units import BOLTZMANN_EV_K
from tests.tolerances import (
    K_SIGMA,
    LAMMPS_CONSTANTS,
    PAIR_ENERGY_BINS,
    REBINNED_PAIRS,
    ROUND_OFF,
)

pytestmark = [
    pytest.mark.physics,
    pytest.mark.skipif(shutil.which("lmp") is None, reason="no lmp on the PATH"),
]

N_ATOMS = 256
TEMPERATURE_K = 120.0
EQUILIBRATION, PRODUCTION, NVE = 2000, 10000, 12000

INPUT = f"""
units metal
atom_style atomic
lattice fcc 5.75
region box prism 0 4 0 4 0 4 0.6 -0.4 0.3
create_box 1 box
create_atoms 1 box
mass 1 39.948
pair_style lj/cut 8.0
pair_modify shift yes
pair_coeff 1 1 0.010323 3.405
write_data data.lmp nocoeff nofix
velocity all create {2 * TEMPERATURE_K} 4711
timestep 0.004
neigh_modify every 5 delay 0 check yes
thermo 10
thermo_style custom step time temp pe ke etotal press vol density pxx pyy pzz pxy pxz pyz
thermo_modify line yaml
compute cn all coord/atom cutoff 5.2
compute mean all reduce ave c_cn
compute g all rdf 100 cutoff 7.0
fix integrate all nve
fix bath all langevin {TEMPERATURE_K} {TEMPERATURE_K} 0.1 99
log log.0.lammps
run {EQUILIBRATION}
fix cn all ave/time 20 1 20 c_mean file coordination.dat
fix g all ave/time 20 400 10000 c_g[*] mode vector file rdf.dat
comm_modify cutoff 9.5
dump frames all dcd 20 traj.0.dcd
dump_modify frames unwrap yes
run {(PRODUCTION - EQUILIBRATION) // 2}
undump frames
dump frames all dcd 20 traj.1.dcd
dump_modify frames unwrap yes
log log.1.lammps
run {(PRODUCTION - EQUILIBRATION) // 2}
undump frames
unfix bath
run {NVE - PRODUCTION}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of 256 argon atoms, liquid, in a triclinic box."""
    folder = tmp_path_factory.mktemp("argon")
    (folder / "in.lmp").write_text(INPUT)
    subprocess.run(["lmp", "-in", "in.lmp", "-screen", "none"], cwd=folder, check=True, timeout=300)
    steps = (("equilibration", 0, EQUILIBRATION), ("production", EQUILIBRATION, PRODUCTION))
    facts = {
        "n_atoms": N_ATOMS,
        "molecule_sizes": [1] * N_ATOMS,
        "species": ["Ar"],
        "temperature_K": TEMPERATURE_K,
        "density_g_cm3": 1.396,
        "timestep_fs": 4.0,
        "phases": [
            {"name": name, "first_step": first, "last_step": last}
            for name, first, last in (*steps, ("nve", PRODUCTION, NVE))
        ],
    }
    (folder / "deck.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture(scope="module")
def result(folder: Path) -> RunAnalysis:
    return analyze_run(folder, r_max=9.0)


def test_thermostat_is_met(result: RunAnalysis) -> None:
    temperature = result.observables["temperature"]
    assert temperature.converged
    # LAMMPS counts 3N - 3 degrees of freedom, a Langevin bath moves all 3N.
    expected = TEMPERATURE_K * N_ATOMS / (N_ATOMS - 1)
    assert abs(temperature.value - expected) < K_SIGMA * temperature.standard_error


def test_temperature_fluctuates_as_in_the_canonical_ensemble(
    folder: Path, result: RunAnalysis
) -> None:
    rows = read_run_thermo(folder).between(EQUILIBRATION, PRODUCTION)
    relative = np.var(rows["Temp"]) / TEMPERATURE_K**2
    n = result.observables["temperature"].n_independent
    # The variance of a Gaussian is known to sqrt(2/n).
    assert relative == pytest.approx(2.0 / (3 * N_ATOMS), rel=K_SIGMA * np.sqrt(2.0 / n))


def test_energy_from_the_rdf(folder: Path, result: RunAnalysis) -> None:
    """Energy from g(r): U/N = 2 pi rho int u(r) g(r) r^2 dr, for the shifted pair energy."""
    trajectory = open_deck_trajectory(folder)
    sites = named_sites(trajectory, "Ar")
    rdf = RadialDistribution(sites, sites, r_max=8.0, bin_width=0.01)
    found = run_analysis(rdf, trajectory, trajectory.between(EQUILIBRATION + 1, PRODUCTION)).results

    def pair_energy(r: np.ndarray) -> np.ndarray:
        x = (3.405 / r) ** 6
        return 4 * 0.010323 * (x**2 - x)

    r = found.r
    shift = pair_energy(np.array(8.0))
    per_atom = 0.5 * np.sum(found.counts * (pair_energy(r) - shift)) / N_ATOMS
    steps = trajectory.steps[trajectory.steps > EQUILIBRATION]
    rows = read_run_thermo(folder)
    exact = rows["PotEng"][np.isin(rows.steps, steps)].mean() / N_ATOMS
    assert per_atom == pytest.approx(exact, rel=PAIR_ENERGY_BINS)
    energy = result.observables["potential_energy"]
    assert abs(energy.value - exact) < 2 * K_SIGMA * energy.standard_error


def test_rdf_and_coordination_as_lammps_counts_them(folder: Path) -> None:
    trajectory = open_deck_trajectory(folder)
    sites = named_sites(trajectory, "Ar")
    frames = trajectory.between(EQUILIBRATION + 1, PRODUCTION)
    assert len(frames) == 400
    lammps = np.loadtxt(folder / "rdf.dat", skiprows=4)
    found = run_analysis(
        RadialDistribution(sites, sites, r_max=7.0, bin_width=0.07), trajectory, frames
    ).results
    assert found.r == pytest.approx(lammps[:, 1], rel=1e-5)
    difference = np.abs(found.g - lammps[:, 2]) * found.r**2
    # LAMMPS takes N^2 pairs less N too; six printed digits.
    assert difference.sum() < REBINNED_PAIRS * (lammps[:, 2] * found.r**2).sum()
    rows = np.loadtxt(folder / "coordination.dat")
    expected = rows[(rows[:, 0] > EQUILIBRATION) & (rows[:, 0] <= PRODUCTION), 1]
    count = run_analysis(CoordinationNumber(sites, sites, cutoff=5.2), trajectory, frames)
    # Six printed digits, and one pair at the edge of the cutoff in float32.
    assert count.results.hard == pytest.approx(expected, abs=2.0 / N_ATOMS + 1e-4)
    assert count.results.hard.mean() == pytest.approx(expected.mean(), rel=REBINNED_PAIRS)


def test_liquid_structure(result: RunAnalysis) -> None:
    peak = result.observables["rdf_peak.Ar-Ar"]
    assert peak.converged
    assert 2.0 < peak.value < 3.5
    number = result.observables["coordination.Ar-Ar"]
    assert 11.0 < number.value < 14.0
    assert "first minimum of g(r)" in result.curves["coordination.Ar-Ar"].origin
    rdf = result.curves["rdf.Ar-Ar"]
    second = (rdf.x > 5.5) & (rdf.x < 9.0)
    # Of a dense simple liquid, second shell at 1.9 to 2 times the distance of the first.
    ratio = rdf.x[second][np.argmax(rdf.y[second])] / rdf.x[np.argmax(rdf.y)]
    assert 1.8 < ratio < 2.05


def test_energy_is_conserved_without_a_thermostat(folder: Path, result: RunAnalysis) -> None:
    drift = result.observables["energy_drift"]
    thermal = 1.5 * BOLTZMANN_EV_K * TEMPERATURE_K
    assert abs(drift.value) < 1e-3 * thermal
    assert result.observables["energy_fluctuation"].value < 1e-2 * thermal
    rows = read_run_thermo(folder).between(PRODUCTION, NVE)
    slope = np.polyfit(rows.times_ps, rows["TotEng"] / N_ATOMS, 1)[0]
    assert drift.value == pytest.approx(slope, rel=1e-6, abs=ROUND_OFF)


def test_density_is_that_of_lammps(folder: Path, result: RunAnalysis) -> None:
    density = result.observables["density"]
    assert density.imposed
    mass, volume = N_ATOMS * 39.948, (4 * 5.75) ** 3
    assert density.value == pytest.approx(mass / volume / 0.602214076, rel=LAMMPS_CONSTANTS)
