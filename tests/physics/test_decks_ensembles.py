"""The ensembles that decks sample, against theory."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from lmp_thermo.analysis.statistics import statistical_inefficiency
from lmp_thermo.analysis.thermo import read_run_thermo
from lmp_thermo.decks.protocol import THERMOSTATS, Thermostat
from lmp_thermo.errors import RunError
from lmp_thermo.launch import Lammps, find_lmp, run_decks
from lmp_thermo.states import StatePoint
from lmp_thermo.units import BOLTZMANN_EV_K
from tests import tolerances
from tests.unit.decks.argon import argon_deck

pytestmark = pytest.mark.physics


@pytest.fixture(scope="module")
def lammps() -> Lammps:
    """The LAMMPS of this environment, or skip."""
    try:
        return find_lmp()
    except RunError as error:
        pytest.skip(str(error))


def phase(folder: Path, name: str) -> tuple[int, int]:
    """First and last step of a phase."""
    phases = json.loads((folder / "deck.json").read_text())["phases"]
    return next((p["first_step"], p["last_step"]) for p in phases if p["name"] == name)


@pytest.mark.parametrize(
    ("thermostat", "density"),
    [*((thermostat, 1.2) for thermostat in THERMOSTATS), ("langevin", 0.03), ("csvr", 0.03)],
)
def test_kinetic_energy_is_canonical(
    tmp_path: Path, lammps: Lammps, thermostat: Thermostat, density: float
) -> None:
    """Mean and variance of the kinetic energy K with f = 3N - 3 degrees of freedom.

    <K> = f kT / 2 and <(K - <K>)^2> = f (kT)^2 / 2 in the canonical ensemble. Velocity Verlet
    shifts the mean by order (omega dt)^2 / 8, below 1e-3 for argon's omega of 8 /ps at 4 fs,
    which is inside the error of the mean here.
    """
    folder = argon_deck(
        tmp_path,
        per_edge=3,
        state=StatePoint(density, 300.0),
        thermostat=thermostat,
        equilibration_ps=4.0,
        production_ps=200.0,
        nve_ps=0.0,
        segment_ps=50.0,
        thermo_every_fs=20.0,
    )
    assert run_decks([folder], lammps)[0].status == "finished"
    kinetic = read_run_thermo(folder).between(*phase(folder, "production"))["KinEng"]
    freedom = 3 * 27 - 3
    thermal = BOLTZMANN_EV_K * 300.0
    expected_mean, expected_variance = freedom * thermal / 2, freedom * thermal**2 / 2
    squares = (kinetic - expected_mean) ** 2
    for values, expected in ((kinetic, expected_mean), (squares, expected_variance)):
        independent = len(values) / statistical_inefficiency(values)
        error = values.std() / math.sqrt(independent)
        assert independent > 50
        assert abs(values.mean() - expected) < tolerances.K_SIGMA * error


def test_momentum_stays_zero(tmp_path: Path, lammps: Lammps) -> None:
    """No thermostat may set the fluid as a whole in motion: the centre of mass stays put."""
    from MDAnalysis.lib.formats.libdcd import DCDFile

    for thermostat in THERMOSTATS:
        folder = argon_deck(tmp_path / thermostat, thermostat=thermostat, production_ps=20.0)
        assert run_decks([folder], lammps)[0].status == "finished"
        centres = []
        for path in folder.glob("traj.*.dcd"):
            with DCDFile(str(path)) as dcd:
                centres += [np.array(frame.xyz, dtype=float).mean(axis=0) for frame in dcd]
        assert np.ptp(centres, axis=0).max() < tolerances.FLOAT32_LENGTH_A


def test_nve_conserves_energy_to_second_order(tmp_path: Path, lammps: Lammps) -> None:
    """Without a thermostat the scatter of the total energy goes as the timestep squared."""
    scatter = {}
    for timestep_fs in (4.0, 8.0):
        folder = argon_deck(
            tmp_path / f"{timestep_fs:g} fs",
            per_edge=4,
            timestep_fs=timestep_fs,
            equilibration_ps=8.0,
            production_ps=1.6,
            nve_ps=40.0,
            segment_ps=10.0,
            thermostat="langevin",
        )
        assert run_decks([folder], lammps)[0].status == "finished"
        thermo = read_run_thermo(folder)
        total = thermo.between(*phase(folder, "nve"))["TotEng"]
        scatter[timestep_fs] = total.std()
        assert total.std() < 0.1 * thermo.between(*phase(folder, "production"))["TotEng"].std()
    low, high = tolerances.VERLET_ORDER_RATIO
    assert low < scatter[8.0] / scatter[4.0] < high


def test_same_deck_same_run(tmp_path: Path, lammps: Lammps) -> None:
    """Seeds come from the protocol: another seed gives another run, the same one the same."""
    energies = {}
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        folder = argon_deck(tmp_path / name, thermostat="langevin", production_ps=0.8, seed=seed)
        assert run_decks([folder], lammps)[0].status == "finished"
        energies[name] = read_run_thermo(folder)["PotEng"]
    assert np.array_equal(energies["a"], energies["b"])
    assert not np.array_equal(energies["a"], energies["c"])


def test_segments_have_their_own_random_numbers(tmp_path: Path, lammps: Lammps) -> None:
    """Langevin noise must not repeat: fix langevin begins anew in every segment.

    Without forces between atoms and with the same noise in each segment, velocities at equal
    places of different segments would be correlated.
    """
    folder = argon_deck(
        tmp_path,
        per_edge=4,
        state=StatePoint(0.003, 300.0),
        thermostat="langevin",
        thermostat_damping_ps=0.05,
        equilibration_ps=0.0,
        production_ps=32.0,
        nve_ps=0.0,
        segment_ps=1.6,
    )
    assert run_decks([folder], lammps)[0].status == "finished"
    temperature = read_run_thermo(folder)["Temp"][1:].reshape(20, -1)
    departures = temperature - 300.0
    correlation = np.corrcoef(departures)[np.triu_indices(20, 1)]
    # 100 rows a segment, correlated over some 3: a correlation of +-0.18 by chance, 190 of them
    assert abs(correlation.mean()) < tolerances.K_SIGMA * 0.18 / math.sqrt(190)
