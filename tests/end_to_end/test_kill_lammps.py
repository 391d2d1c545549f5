"""Decks whose LAMMPS, or whose launcher, is killed at any moment."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lmp_thermo.decks.protocol import THERMOSTATS, Thermostat
from lmp_thermo.errors import RunError
from lmp_thermo.launch import Lammps, RunEvent, find_lmp, run_decks, run_state
from lmp_thermo.launch.run_folder import ROW, current_step
from tests.unit.decks.argon import argon_deck

pytestmark = pytest.mark.end_to_end

PATIENCE_S = 60.0
NOISE = random.Random(7).randbytes(100_000)


@pytest.fixture(scope="module")
def lammps() -> Lammps:
    """The LAMMPS of this environment, or skip."""
    try:
        return find_lmp()
    except RunError as error:
        pytest.skip(str(error))


def contents(folder: Path) -> dict[str, list[bytes]]:
    """Rows of every log and bytes of every trajectory, without the date in its header."""
    found = {}
    for log in folder.glob("log.*.lammps"):
        found[log.name] = [line for line in log.read_bytes().splitlines() if ROW.match(line)]
    for trajectory in folder.glob("traj.*.dcd"):
        found[trajectory.name] = [trajectory.read_bytes()[276:]]
    return found


def launcher(folder: Path, ranks: int) -> "subprocess.Popen[bytes]":
    """Another Python process that runs one deck."""
    code = (
        # a shell may have started the tests in the background, where Ctrl-C is ignored
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys; from pathlib import Path; from lmp_thermo.launch import find_lmp, run_decks\n"
        f"run_decks([Path(sys.argv[1])], find_lmp(), 1, ranks={ranks})"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(folder)])


def wait_for_rows(folder: Path, log: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a segment is under way."""
    deadline = time.monotonic() + PATIENCE_S
    while not ((folder / log).is_file() and ROW.search((folder / log).read_bytes())):
        assert process.poll() is None, "the launcher has ended"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def processes_in(folder: Path) -> Iterator[int]:
    """Processes whose working folder is `folder`."""
    for place in Path("/proc").iterdir():
        if not place.name.isdecimal():
            continue
        try:
            if Path(os.readlink(place / "cwd")) == folder:
                yield int(place.name)
        except OSError:
            continue


def ranks_in(folder: Path, lammps: Lammps) -> list[int]:
    """Processes of LAMMPS itself in a folder, without what started them."""
    binary = str(lammps.binary.resolve())
    return [n for n in processes_in(folder) if os.readlink(f"/proc/{n}/exe") == binary]


def wait_until_free(folder: Path) -> None:
    """Wait until no process holds the folder."""
    deadline = time.monotonic() + PATIENCE_S
    while run_state(folder) == "running" or any(processes_in(folder)):
        assert time.monotonic() < deadline, "an orphan goes on writing"
        time.sleep(0.01)


@pytest.mark.parametrize("thermostat", THERMOSTATS)
def test_killed_runs_end_with_the_same_result(
    tmp_path: Path, lammps: Lammps, thermostat: Thermostat
) -> None:
    """SIGKILL of lmp at random steps: every row and frame is that of an undisturbed run."""
    whole = argon_deck(tmp_path / "whole", per_edge=5, thermostat=thermostat, production_ps=12.0)
    assert run_decks([whole], lammps)[0].status == "finished"
    last = current_step(whole)
    killed = argon_deck(tmp_path / "killed", per_edge=5, thermostat=thermostat, production_ps=12.0)
    chance = random.Random(thermostat)
    kills = 0
    for _ in range(5):
        done = current_step(killed)
        process = subprocess.Popen(
            [str(lammps.binary), "-in", "in.lmp", "-screen", "none"],
            cwd=killed,
            env=dict(lammps.environment),
        )
        step = done + chance.uniform(0.1, 0.4) * (last - done)
        while process.poll() is None and current_step(killed) < step:
            time.sleep(0.002)
        if process.poll() is None:
            process.kill()
            kills += 1
        process.wait()
    assert kills >= 1
    assert run_decks([killed], lammps)[0].status == "finished"
    assert contents(killed) == contents(whole)


@pytest.mark.parametrize("ranks", [1, 2])
def test_no_orphan_outlives_its_launcher(tmp_path: Path, lammps: Lammps, ranks: int) -> None:
    """SIGKILL of the launcher: LAMMPS dies too, frees its folder, and the run goes on."""
    # ranks that share cores wait for each other, so that a step can take them milliseconds
    changes = {"production_ps": 12.0 / ranks, "thermo_every_fs": 4.0}
    folder = argon_deck(tmp_path / "a run", per_edge=5, **changes)
    process = launcher(folder, ranks)
    try:
        wait_for_rows(folder, "log.0.lammps", process)
        for number in ranks_in(folder, lammps):  # the run must not end while it is looked at
            os.kill(number, signal.SIGSTOP)
        assert run_state(folder) == "running"
        with pytest.raises(RunError, match="another LAMMPS is running there"):
            run_decks([folder], lammps)
    finally:
        process.kill()
        process.wait()
    wait_until_free(folder)
    assert run_state(folder) == "interrupted"
    result = run_decks([folder], lammps, ranks=ranks)[0]
    assert result.status == "finished"
    whole = argon_deck(tmp_path / "whole", per_edge=5, **changes)
    assert run_decks([whole], lammps, ranks=ranks)[0].status == "finished"
    assert contents(folder) == contents(whole)


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_killed_lammps_is_an_interruption(tmp_path: Path, lammps: Lammps, ranks: int) -> None:
    """SIGKILL of one rank: told as such, and the same call goes on."""
    folder = argon_deck(tmp_path / "a run", per_edge=6, production_ps=400.0)

    def kill(event: RunEvent) -> None:
        if event.kind == "step" and event.step > 0:
            os.kill(ranks_in(folder, lammps)[-1], signal.SIGKILL)

    result = run_decks([folder], lammps, ranks=ranks, on_event=kill)[0]
    assert (result.status, result.cause) == ("interrupted", "killed by SIGKILL")
    assert run_state(folder) == "interrupted"
    wait_until_free(folder)


def test_ctrl_c_ends_all(tmp_path: Path) -> None:
    """SIGINT of the launcher: it ends its LAMMPS and says so by its exit."""
    folder = argon_deck(tmp_path / "a run", per_edge=6, production_ps=400.0)
    process = launcher(folder, 1)
    wait_for_rows(folder, "log.0.lammps", process)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) != 0
    assert run_state(folder) == "interrupted"
    assert not any(processes_in(folder))


@pytest.mark.parametrize("has_previous", [True, False])
@pytest.mark.parametrize("damage", ["empty", "half", "noise"])
def test_a_damaged_restart_costs_one_segment(
    tmp_path: Path, lammps: Lammps, damage: str, has_previous: bool
) -> None:
    """The restart before takes the place of one that is damaged; without one, all begins anew."""
    whole = argon_deck(tmp_path / "whole", thermostat="langevin")
    folder = argon_deck(tmp_path / "damaged", thermostat="langevin")
    for one in (whole, folder):
        assert run_decks([one], lammps)[0].status == "finished"
    (folder / "run.done").unlink()
    content = (folder / "restart.last").read_bytes()
    damaged = {"empty": b"", "half": content[: len(content) // 2], "noise": NOISE[: len(content)]}
    (folder / "restart.last").write_bytes(damaged[damage])
    if not has_previous:
        (folder / "restart.previous").unlink()
    first_log = (folder / "log.0.lammps").stat().st_mtime_ns
    (folder / "log.5.lammps").unlink()
    events: list[RunEvent] = []
    result = run_decks([folder], lammps, on_event=events.append)[0]
    kinds = [event.kind for event in events if event.kind != "step"]
    assert kinds == ["started", "fallback", "started", "ended"]
    assert result.status == "finished"
    assert (folder / "restart.damaged").read_bytes() == damaged[damage]
    assert ((folder / "log.0.lammps").stat().st_mtime_ns == first_log) is has_previous
    assert contents(folder) == contents(whole)
