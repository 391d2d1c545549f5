"""Decks through the real LAMMPS: every step once, frames where they belong, guards that stop."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from MDAnalysis.lib.formats.libdcd import DCDFile
from numpy.typing import NDArray

from lmp_thermo.analysis.thermo import read_blocks, read_run_thermo
from lmp_thermo.decks.protocol import THERMOSTATS, Thermostat
from lmp_thermo.errors import RunError
from lmp_thermo.launch import Lammps, diagnose, find_lmp, run_decks, run_state
from tests import tolerances
from tests.unit.decks.argon import (
    ARGON,
    CUTOFF_A,
    EPSILON_EV,
    GUARDS,
    SIGMA_A,
    argon_box,
    argon_deck,
)

pytestmark = pytest.mark.physics


@pytest.fixture(scope="module")
def lammps() -> Lammps:
    """The LAMMPS of this environment, or skip."""
    try:
        return find_lmp()
    except RunError as error:
        pytest.skip(str(error))


def finished(folder: Path, lammps: Lammps) -> Path:
    """Run a deck to its end."""
    result = run_decks([folder], lammps)[0]
    assert (result.status, result.cause) == ("finished", "")
    return folder


def shifted_lennard_jones(positions: NDArray[np.float64], cell: NDArray[np.float64]) -> float:
    """Energy in eV by brute force over the 343 nearest images of every pair."""
    images = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), -1).reshape(-1, 3) @ cell
    # positions are unwrapped: bring each pair to a cell near the origin first
    pairs = positions[None, :, :] - positions[:, None, :]
    pairs -= np.round(pairs @ np.linalg.inv(cell)) @ cell
    distances = np.linalg.norm(pairs[:, :, None, :] + images, axis=-1)
    reached = distances[(distances > 0.1) & (distances < CUTOFF_A)]

    def energy(r: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(4 * EPSILON_EV * ((SIGMA_A / r) ** 12 - (SIGMA_A / r) ** 6))

    return float(np.sum(energy(reached) - energy(CUTOFF_A)) / 2)


@pytest.mark.parametrize("tilt", [0.0, 0.3], ids=["orthogonal", "triclinic"])
@pytest.mark.parametrize("thermostat", THERMOSTATS)
def test_frames_and_rows_stand_where_they_should(
    tmp_path: Path, lammps: Lammps, thermostat: Thermostat, tilt: float
) -> None:
    """Each row and frame once; the energy of each frame, by brute force, is that of its row."""
    folder = finished(argon_deck(tmp_path, per_edge=4, tilt=tilt, thermostat=thermostat), lammps)
    deck = json.loads((folder / "deck.json").read_text())
    thermo = read_run_thermo(folder)
    assert thermo.steps.tolist() == list(range(0, 1301, 4))
    assert thermo.times_ps == pytest.approx(0.004 * thermo.steps, rel=tolerances.ROUND_OFF)
    energies = dict(zip(thermo.steps.tolist(), thermo["PotEng"], strict=True))
    cell = np.asarray(argon_box(4, tilt=tilt).cell)
    steps: list[int] = []
    for segment in deck["segments"]:
        blocks = read_blocks(folder / f"log.{segment['index']}.lammps")
        assert len(blocks) == 1
        assert blocks[0]["Step"][[0, -1]].tolist() == [segment["first_step"], segment["last_step"]]
        trajectory = folder / f"traj.{segment['index']}.dcd"
        assert trajectory.is_file() is (segment["phase"] == "production")
        if not trajectory.is_file():
            continue
        with DCDFile(str(trajectory)) as dcd:
            first, every = dcd.header["istart"], dcd.header["nsavc"]
            for index, frame in enumerate(dcd):
                steps.append(first + index * every)
                if index % 4 == 0:
                    expected = shifted_lennard_jones(np.array(frame.xyz, dtype=float), cell)
                    assert energies[steps[-1]] == pytest.approx(
                        expected, abs=tolerances.DCD_ENERGY_EV
                    )
    assert steps == list(range(220, 1201, 20))


def test_molecules_stay_whole_and_atoms_in_order(tmp_path: Path, lammps: Lammps) -> None:
    """Unwrapped positions: no atom jumps by half a box between frames 80 fs apart."""
    folder = finished(argon_deck(tmp_path, per_edge=4, production_ps=16.0), lammps)
    edge = argon_box(4).cell.lengths()[0]
    frames = []
    for path in sorted(folder.glob("traj.*.dcd"), key=lambda path: int(path.name.split(".")[1])):
        with DCDFile(str(path)) as dcd:
            frames += [np.array(frame.xyz) for frame in dcd]
    moves = np.abs(np.diff(frames, axis=0))
    assert len(frames) == 200
    assert moves.max() < edge / 4
    assert np.ptp(frames, axis=0).max() > edge / 2  # atoms did cross the boundary


@pytest.mark.parametrize(
    ("arguments", "ranks"),
    [((), 1), (("-var", "newton", "off"), 1), ((), 2)],
    ids=["as it is", "newton off", "two ranks"],
)
def test_runs_without_this_package(
    tmp_path: Path, lammps: Lammps, arguments: tuple[str, ...], ranks: int
) -> None:
    """Plain commands, in a folder with spaces in its name."""
    folder = argon_deck(tmp_path / "a folder, with spaces", production_ps=1.6)
    command = [str(lammps.binary), "-in", "in.lmp", *arguments]
    if ranks > 1:
        command = [str(lammps.mpiexec), "-n", str(ranks), *command]
    environment = {k: v for k, v in lammps.environment.items() if k != "LAMMPS_PLUGIN_PATH"}
    for _ in range(2):
        answer = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert answer.returncode == 0, answer.stdout[-2000:]
    assert "This run is finished" in answer.stdout  # the second time
    assert run_state(folder) == "finished"
    assert read_run_thermo(folder).steps.tolist() == list(range(0, 701, 4))


@pytest.mark.parametrize(
    ("limits", "cause", "every"),
    [
        ({"max_temperature_K": 301.0}, "guard_temperature: temperature 3", 10),
        ({"min_distance_A": 3.35}, "guard_distance: shortest distance 3.", 10),
        ({"max_energy_rise_eV_atom": 1e-3}, "guard_energy: potential energy 0.0", 4),
    ],
)
def test_guards_stop_a_run(
    tmp_path: Path, lammps: Lammps, limits: dict[str, float], cause: str, every: int
) -> None:
    """The cause is read from the log, and the run is not repeated."""
    folder = argon_deck(tmp_path, guards=replace(GUARDS, **limits))
    result = run_decks([folder], lammps)[0]
    assert result.status == "failed"
    assert result.cause.startswith(cause)
    assert result.steps > 0
    assert result.steps % every == 0
    assert run_state(folder) == "failed"
    assert not (folder / "run.done").exists()
    written = (folder / "log.lammps").stat().st_mtime_ns
    assert run_decks([folder], lammps)[0].cause == result.cause
    assert (folder / "log.lammps").stat().st_mtime_ns == written


def test_a_guard_keeps_the_last_restart(tmp_path: Path, lammps: Lammps) -> None:
    """A run that is heated beyond its limit in production can be looked at from there."""
    folder = argon_deck(tmp_path)
    deck = (folder / "in.lmp").read_text()
    ramp = 'if "${segment} == 2" then "fix ramp all heat 1 200.0"\nrun ${last} upto'
    assert "run ${last} upto" in deck
    (folder / "in.lmp").write_text(deck.replace("run ${last} upto", ramp))
    result = run_decks([folder], lammps)[0]
    assert result.status == "failed"
    assert result.cause.startswith(("guard_temperature", "guard_energy"))
    assert 460 < result.steps <= 720
    assert (folder / "restart.last").is_file()
    restored = subprocess.run(
        [str(lammps.binary), "-restart2info", "restart.last"],
        cwd=folder,
        env=dict(lammps.environment),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Current timestep number = 460" in restored
    with DCDFile(str(folder / "traj.1.dcd")) as dcd:
        assert len(dcd) == 13  # what was written before stays


def test_atoms_on_one_another_end_with_a_cause(tmp_path: Path, lammps: Lammps) -> None:
    """Forces that are not numbers: an error, not an endless run."""
    folder = argon_deck(tmp_path, minimize=False)
    lines = (folder / "data.lmp").read_text().splitlines()
    lines[-1] = "27 1 " + lines[-2].split(" ", 2)[2]
    (folder / "data.lmp").write_text("\n".join(lines) + "\n")
    result = run_decks([folder], lammps)[0]
    assert result.status == "failed"
    assert "ERROR" in result.cause or "guard_" in result.cause


def test_a_pair_style_that_is_not_there(tmp_path: Path, lammps: Lammps) -> None:
    folder = argon_deck(
        tmp_path, interaction=replace(ARGON, pair_lines=("pair_style none_such 6.5",))
    )
    result = run_decks([folder], lammps)[0]
    assert result.status == "failed"
    assert "Unrecognized pair style 'none_such'" in result.cause
    assert run_state(folder) == "interrupted"


def test_doctor_of_this_environment(lammps: Lammps) -> None:
    findings = {finding.what: finding for finding in diagnose()}
    assert findings["lammps"].found == f"{lammps.version}, {lammps.binary}"
    assert findings["mpi"].ok
    assert findings["mpi"].found.startswith("2 ranks through")
    plugin = findings["pair_style nequip"]
    assert plugin.ok or plugin.remedy


def test_inside_a_rank_of_mpi(tmp_path: Path, lammps: Lammps) -> None:
    """LAMMPS that sees the variables of a rank takes itself for one and dies."""
    folder = argon_deck(tmp_path / "a run", production_ps=0.8)
    code = (
        "import sys; from pathlib import Path; from lmp_thermo.launch import find_lmp, run_decks\n"
        "print(run_decks([Path(sys.argv[1])], find_lmp())[0].status)"
    )
    answer = subprocess.run(
        [str(lammps.mpiexec), "-n", "1", sys.executable, "-c", code, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert answer.stdout.strip() == "finished", answer.stderr[-2000:]
