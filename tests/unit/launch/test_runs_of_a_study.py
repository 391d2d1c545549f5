"""Runs of a study: what stops it, what is tried again, and what is a result."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lmp_thermo.errors import RunError
from lmp_thermo.launch import Lammps
from lmp_thermo.progress import Progress
from lmp_thermo.stages.runs import RunProduct, carry_out_decks
from tests.unit.launch.conftest import MakeRun
from tests.unit.launch.test_run_decks import FINISH
from tests.unit.launch.test_run_folder import fake_dcd

COUNT = "echo x >> starts\n"
AT_STEP_16 = "echo '  - [16, 1.0, ]' > log.0.lammps\n"
LOST = (
    f"{COUNT}{AT_STEP_16}echo 'ERROR: Lost atoms: original 27 current 26' >> log.0.lammps\n"
    "echo 'Last input line: run 40' >> log.0.lammps\nexit 1"
)
GUARDED = (
    f"{COUNT}echo 'ERROR: Fix halt condition for fix-id guard_distance met on step 24 with value "
    "1.1 (src/fix_halt.cpp:310)' > log.0.lammps\necho 'Last input line: run 40' >> log.0.lammps\n"
    "exit 1"
)
CRASHED = f"{COUNT}{AT_STEP_16}kill -SEGV $$"
NO_LIBRARY = f"{COUNT}echo no such library\nexit 127"
UNKNOWN_STYLE = (
    f"{COUNT}echo 'ERROR: Unrecognized pair style' > log.0.lammps\n"
    "echo 'Last input line: pair_style nequip' >> log.0.lammps\nexit 1"
)


@pytest.fixture
def told() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def context(lammps: Lammps, tmp_path: Path, told: io.StringIO) -> Any:
    fake_dcd(tmp_path / "whole.dcd", 27, 2)
    return SimpleNamespace(lammps=lammps, cores=2, progress=Progress(told))


def starts(run: Path) -> int:
    return (run / "starts").read_text().count("x")


def state(run: Path) -> str:
    return RunProduct(run, {}).state


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (LOST, "LAMMPS: ERROR: Lost atoms: original 27 current 26 at `run 40` (log.0.lammps)"),
        (CRASHED, "crashed by SIGSEGV"),
    ],
)
def test_a_run_that_dies_twice_is_a_result(
    context: Any, told: io.StringIO, make_run: MakeRun, behaviour: str, cause: str
) -> None:
    dead, good = make_run(behaviour, "dead"), make_run(COUNT + FINISH, "good")
    results = carry_out_decks(context, "simulate", [dead, good])
    assert results == {dead: cause, good: None}
    assert (starts(dead), starts(good)) == (2, 1)
    assert state(dead) == state(good) == "current"
    assert f"dead: {cause}; once more" in told.getvalue()
    assert carry_out_decks(context, "simulate", [dead, good]) == results
    assert starts(dead) == 2  # it stands
    assert carry_out_decks(context, "simulate", [dead], retry_failed=True) == {dead: cause}
    assert starts(dead) == 3


def test_a_death_that_passes_is_none(context: Any, make_run: MakeRun) -> None:
    run = make_run(f"if [ ! -e starts ]; then\n{LOST}\nfi\n{COUNT}{FINISH}")
    assert carry_out_decks(context, "simulate", [run]) == {run: None}
    assert (starts(run), state(run)) == (2, "current")


def test_a_run_that_died_when_its_study_was_ended_is_tried_again(
    context: Any, make_run: MakeRun
) -> None:
    run = make_run(LOST)
    assert carry_out_decks(context, "simulate", [run])[run]
    (run / "died-again.json").unlink()
    assert state(run) == "missing"
    assert carry_out_decks(context, "simulate", [run])[run]
    assert (starts(run), state(run)) == (3, "current")


def test_what_a_guard_stops_is_a_result_at_once(context: Any, make_run: MakeRun) -> None:
    run = make_run(GUARDED)
    cause = carry_out_decks(context, "simulate", [run])[run]
    assert cause is not None
    assert cause.startswith("guard_distance: shortest distance 1.100 Å")
    assert (starts(run), state(run)) == (1, "current")


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (NO_LIBRARY, r"simulate: a run: ended before its last step, exit code 127: no such librar"),
        (f"{COUNT}kill -SEGV $$", r"simulate: a run: crashed by SIGSEGV; see .*, mend its cause"),
        (UNKNOWN_STYLE, r"simulate: a run: LAMMPS: ERROR: Unrecognized pair style at `pair_"),
    ],
)
def test_what_ends_before_it_runs_stops_the_study_and_is_tried_by_the_next_command(
    context: Any, make_run: MakeRun, behaviour: str, message: str
) -> None:
    run = make_run(behaviour)
    for count in (1, 2):
        with pytest.raises(RunError, match=message):
            carry_out_decks(context, "simulate", [run])
        assert (starts(run), state(run)) == (count, "missing")
