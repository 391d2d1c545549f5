"""Running decks with a program that behaves as the test says."""

import os
import time
from pathlib import Path

import pytest

from lmp_thermo.errors import RunError, WorkspaceError
from lmp_thermo.launch import Lammps, RunEvent, read_failure, run_decks, run_state
from lmp_thermo.launch.run_folder import locked
from tests.unit.launch.conftest import MakeRun
from tests.unit.launch.test_run_folder import fake_dcd

FINISH = """
echo '  - [0, 1.0, ]' > log.0.lammps
echo '  - [40, 1.0, ]' >> log.0.lammps
cp ../whole.dcd traj.0.dcd
echo done > run.done
"""


@pytest.fixture(autouse=True)
def whole_trajectory(tmp_path: Path) -> None:
    """What a run that finishes leaves."""
    fake_dcd(tmp_path / "whole.dcd", 27, 2)


def test_finished_runs_are_left_alone(lammps: Lammps, make_run: MakeRun) -> None:
    run = make_run(FINISH + "echo x >> starts")
    events: list[RunEvent] = []
    first = run_decks([run], lammps, on_event=events.append)[0]
    assert (first.folder, first.status, first.cause, first.steps) == (run, "finished", "", 40)
    assert first.ns_per_day is not None
    assert first.ns_per_day > 0
    again = run_decks([run], lammps)[0]
    assert (again.status, again.seconds, again.ns_per_day) == ("finished", 0.0, None)
    assert (run / "starts").read_text() == "x\n"
    assert [event.kind for event in events] == ["started", "ended"]
    assert events[-1].result == first


@pytest.mark.parametrize(
    ("behaviour", "status", "cause"),
    [
        ("kill -KILL $$", "interrupted", "killed by SIGKILL"),
        ("kill -TERM $$", "interrupted", "killed by SIGTERM"),
        ("kill -SEGV $$", "failed", "crashed by SIGSEGV"),
        ("echo no such library; exit 127", "failed", "exit code 127: no such library"),
        ("exit 0", "failed", "ended before its last step, exit code 0: no message"),
        (
            "echo '=   EXIT STRING: Killed (signal 9)'; exit 9",
            "interrupted",
            "killed by SIGKILL",
        ),
        (
            "echo 'YOUR APPLICATION TERMINATED WITH THE EXIT STRING: Aborted (signal 6)'; exit 6",
            "failed",
            "crashed by SIGABRT",
        ),
        (FINISH + "rm traj.0.dcd", "failed", "traj.0.dcd has 0 frames, expected 2; is the disk"),
    ],
)
def test_ends(lammps: Lammps, make_run: MakeRun, behaviour: str, status: str, cause: str) -> None:
    run = make_run(behaviour)
    result = run_decks([run], lammps)[0]
    assert result.status == status
    assert cause in result.cause
    failure = read_failure(run)
    assert (failure is not None) is (status == "failed")


GUARD = "ERROR: Fix halt condition for fix-id guard_distance met on step 20 with value 1.2"


def test_a_guard_is_a_result(lammps: Lammps, make_run: MakeRun) -> None:
    run = make_run(f"echo x >> starts; echo '{GUARD}' > log.0.lammps; exit 1")
    for expected_starts, retry in ((1, False), (1, False), (2, True)):
        result = run_decks([run], lammps, retry_failed=retry)[0]
        assert (result.status, result.steps) == ("failed", 20)
        assert result.cause.startswith("guard_distance: shortest distance 1.200 Å")
        assert run_state(run) == "failed"
        assert (run / "starts").read_text() == expected_starts * "x\n"


def test_what_lies_outside_the_deck_is_tried_again(lammps: Lammps, make_run: MakeRun) -> None:
    """A missing plugin, for example, that has been installed meanwhile."""
    refusal = "ERROR: Unrecognized pair style\\nLast input line: pair_style nequip"
    run = make_run(f"printf '{refusal}' > log.lammps; exit 1")
    assert run_decks([run], lammps)[0].status == "failed"
    assert run_state(run) == "interrupted"
    (run / "behave.sh").write_text(FINISH)
    assert run_decks([run], lammps)[0].status == "finished"
    assert run_state(run) == "finished"


def test_an_incomplete_run_begins_anew(lammps: Lammps, make_run: MakeRun) -> None:
    run = make_run(FINISH + "touch restart.last energy.production.lmp; rm traj.0.dcd")
    assert run_decks([run], lammps)[0].status == "failed"
    (run / "behave.sh").write_text("ls > seen\n" + FINISH)
    assert run_decks([run], lammps)[0].status == "finished"
    seen = (run / "seen").read_text().split()
    assert not {"restart.last", "run.done", "log.0.lammps", "energy.production.lmp"} & set(seen)
    assert {"in.lmp", "data.lmp", "deck.json"} <= set(seen)


def test_damaged_restarts_are_put_aside(lammps: Lammps, make_run: MakeRun) -> None:
    run = make_run(
        "if test -f restart.last; then name=restart.last; else name=restart.previous; fi\n"
        "if test -f $name; then\n"
        'printf "ERROR: Invalid\\nLast input line: read_restart $name" > log.lammps; exit 1; fi\n'
        + FINISH
    )
    for name in ("restart.last", "restart.previous"):
        (run / name).write_text(name)
    events: list[RunEvent] = []
    assert run_decks([run], lammps, on_event=events.append)[0].status == "finished"
    kinds = [event.kind for event in events]
    assert kinds == ["started", "fallback", "started", "fallback", "started", "ended"]
    assert (run / "restart.damaged").read_text() == "restart.previous"


def test_as_many_at_a_time_as_asked(lammps: Lammps, make_run: MakeRun) -> None:
    runs = [make_run("date +%s.%N > begin; sleep 0.3; date +%s.%N > end; exit 1", n) for n in "abc"]
    results = run_decks(runs, lammps, 2)
    assert [result.folder for result in results] == runs
    times = sorted(
        [(float((run / "begin").read_text()), 1) for run in runs]
        + [(float((run / "end").read_text()), -1) for run in runs]
    )
    at_a_time = 0
    most = 0
    for _, change in times:
        at_a_time += change
        most = max(most, at_a_time)
    assert most == 2


def test_ctrl_c_ends_the_processes(lammps: Lammps, make_run: MakeRun) -> None:
    """SIGTERM first; a process that does not heed it, and its children, are killed."""
    run = make_run("trap '' TERM; echo $$ > pid; sleep 600 & echo $! > child; wait; sleep 600")

    def interrupt(event: RunEvent) -> None:
        deadline = time.monotonic() + 10
        while not (run / "child").is_file() and time.monotonic() < deadline:
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lmp_thermo.launch.process.TERMINATE_S", 0.2)
        with pytest.raises(KeyboardInterrupt):
            run_decks([run], lammps, on_event=interrupt)
    for name in ("pid", "child"):
        assert dies(int((run / name).read_text()))
    assert run_state(run) == "interrupted"


def dies(process: int) -> bool:
    """Whether a process is gone within a time that no loaded machine takes to end a killed one."""
    deadline = time.monotonic() + 10
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_alive(process)


def is_alive(process: int) -> bool:
    """Whether a process runs; one that is dead and not yet waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_folder_in_use_is_refused(lammps: Lammps, make_run: MakeRun) -> None:
    run = make_run(FINISH)
    with locked(run), pytest.raises(RunError, match="another LAMMPS is running there"):
        run_decks([run], lammps)


def test_the_process_holds_its_folder(lammps: Lammps, make_run: MakeRun) -> None:
    run = make_run("sleep 0.5; exit 1")
    states: list[str] = []
    run_decks([run], lammps, on_event=lambda event: states.append(run_state(run)))
    assert states == ["running", "failed"]


def test_refusals(lammps: Lammps, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(FINISH)
    with pytest.raises(RunError, match="0 ranks, None decks at a time; expected at least 1"):
        run_decks([run], lammps, ranks=0)
    with pytest.raises(RunError, match="a folder is given twice"):
        run_decks([run, run], lammps)
    with pytest.raises(RunError, match="2 ranks asked for, but no mpiexec found beside"):
        run_decks([run], lammps, ranks=2)
    with pytest.raises(RunError, match=r"no in.lmp and deck.json"):
        run_decks([tmp_path], lammps)


def test_a_program_that_cannot_be_started(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(FINISH)
    gone = Lammps(tmp_path / "gone", "none", dict(os.environ), None)
    result = run_decks([run], gone)[0]
    assert result.status == "failed"
    assert "gone: cannot be started (No such file or directory)" in result.cause


def test_a_small_disk_is_refused_before_the_work(
    lammps: Lammps, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lmp_thermo.launch.machine.free_bytes", lambda folder: 1e6)
    run = make_run("touch started")
    with pytest.raises(WorkspaceError, match=r"1 MB free, simulating 1 decks needs 50 MB"):
        run_decks([run], lammps)
    assert not (run / "started").exists()


def test_a_disk_that_fills_up_stops_the_runs(
    lammps: Lammps, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lmp_thermo.launch.local.LOOK_S", 0.0)
    monkeypatch.setattr("lmp_thermo.launch.local.free_bytes", lambda folder: 1e6)
    run = make_run("sleep 600")
    with pytest.raises(RunError, match=r"less than 50 MB free; the runs were stopped"):
        run_decks([run], lammps)
    assert run_state(run) == "interrupted"


def test_an_error_on_a_full_disk_is_an_interruption(
    lammps: Lammps, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lmp_thermo.launch.process.free_bytes", lambda folder: 1e6)
    run = make_run("echo 'ERROR: Cannot open restart file restart.new' > log.lammps; exit 1")
    result = run_decks([run], lammps)[0]
    assert result.status == "interrupted"
    assert result.cause.startswith("1 MB free on the disk; LAMMPS: ERROR: Cannot open restart")
    assert run_state(run) == "interrupted"


def test_progress(lammps: Lammps, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lmp_thermo.launch.local.LOOK_S", 0.1)
    run = make_run("echo '  - [24, 1.0, ]' > log.0.lammps; sleep 0.5" + FINISH)
    events: list[RunEvent] = []
    run_decks([run], lammps, on_event=events.append)
    steps = [event for event in events if event.kind == "step"]
    assert steps[-1].step == 24
    assert steps[-1].last_step == 40
    assert steps[-1].ns_per_day is not None
    # 24 steps of 4 fs in some 0.5 s
    assert 1e-3 < steps[-1].ns_per_day < 24 * 4e-6 / 0.1 * 86400
