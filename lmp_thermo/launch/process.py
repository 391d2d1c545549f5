"""One deck in a process of its own: its start, its end, and what it leaves behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from lmp_thermo.errors import RunError
from lmp_thermo.launch.events import RunResult
from lmp_thermo.launch.lammps import Lammps
from lmp_thermo.launch.machine import free_bytes
from lmp_thermo.launch.run_folder import (
    DONE,
    OUTPUT,
    Failure,
    current_step,
    failure_in_logs,
    is_locked,
    locked,
    missing_piece,
    write_failure,
)

TERMINATE_S = 5.0
"""How long a process has after SIGTERM before SIGKILL."""

GONE_S = 5.0
"""How long processes that were killed have to let go of their folder."""

SMALLEST_FREE_BYTES = 50e6
"""Below this the runs are stopped: on a full disk LAMMPS goes on and loses what it writes."""

CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")
"""Signals that come from the program itself; others come from outside and interrupt it."""

RANK_SIGNAL = re.compile(r"EXIT STRING: .*\(signal (\d+)\)")
RESTARTS = ("restart.last", "restart.previous")


@dataclass
class RunningDeck:
    """A process that runs a deck.

    Args:
        folder: of the deck.
        deck: its facts.
        process: LAMMPS, or the mpiexec above it; the leader of its process group.
        started: on the monotonic clock.
        started_clock: on the clock of files.
        first_step: where the run stood.
    """

    folder: Path
    deck: dict[str, Any]
    process: "subprocess.Popen[bytes]"
    started: float
    started_clock: float
    first_step: int

    def ns_per_day(self, step: int) -> float | None:
        """Speed from the start of the process, its setting up included, to `step`."""
        seconds = time.monotonic() - self.started
        done = step - self.first_step
        if done <= 0 or seconds <= 0:
            return None
        return float(done * self.deck["timestep_fs"] * 1e-6 / seconds * 86400)


def start_deck(folder: Path, deck: dict[str, Any], lammps: Lammps, ranks: int) -> RunningDeck:
    """Start LAMMPS in a deck's folder, which it holds locked as long as any of it lives.

    Raises:
        RunError: the folder is in use, or LAMMPS cannot be started.
    """
    child = [sys.executable, "-I", "-S", str(Path(__file__).with_name("child.py"))]
    command = [str(lammps.binary), "-in", "in.lmp", "-screen", "none", "-nocite"]
    if ranks > 1:
        if lammps.mpiexec is None:
            raise RunError(
                f"simulate: {ranks} ranks asked for, but no mpiexec found beside {lammps.binary}; "
                "install the MPI that it was built with, or use one rank"
            )
        command = [str(lammps.mpiexec), "-n", str(ranks), *child, "0", *command]
    command = [*child, str(os.getpid()), *command]
    first_step = current_step(folder)
    try:
        with locked(folder) as descriptor, fresh(folder / OUTPUT) as output:
            started_clock = os.fstat(output.fileno()).st_mtime
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(lammps.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(descriptor,),
                start_new_session=True,
            )
    except OSError as error:
        raise RunError(f"{folder}: LAMMPS cannot be started there ({error})") from error
    return RunningDeck(folder, deck, process, time.monotonic(), started_clock, first_step)


@contextlib.contextmanager
def fresh(path: Path) -> Iterator[BinaryIO]:
    """A new file, whose time is that of the file system's clock now."""
    path.unlink(missing_ok=True)
    with path.open("wb") as stream:
        yield stream


def result_of(run: RunningDeck) -> RunResult | None:
    """What a process that ended has left behind; None where it is to be started again."""
    code = run.process.returncode
    kill_group(run.process.pid, signal.SIGKILL)  # ranks that outlived their mpiexec
    seconds = time.monotonic() - run.started
    step = current_step(run.folder)
    speed = run.ns_per_day(step)
    failure: Failure | None
    if code == 0 and (run.folder / DONE).is_file():
        missing = missing_piece(run.folder, run.deck)
        if missing is None:
            return RunResult(run.folder, "finished", "", seconds, speed, run.deck["last_step"])
        failure = Failure("incomplete", f"LAMMPS ended, but {missing}; is the disk full?", step)
    else:
        failure = failure_in_logs(run.folder, run.started_clock)
        if failure is None:
            failure = failure_of_exit(run.folder, code, step)
    if failure is not None and failure.kind == "restart" and fall_back(run.folder):
        return None
    if failure is not None and failure.kind != "guard":
        free = free_bytes(run.folder)
        if free < SMALLEST_FREE_BYTES:
            cause = f"{free / 1e6:.0f} MB free on the disk; {failure.cause}"
            return RunResult(run.folder, "interrupted", cause, seconds, speed, step)
    if failure is None:
        cause = f"killed by {ending_signal(run.folder, code)}"
        return RunResult(run.folder, "interrupted", cause, seconds, speed, step)
    write_failure(run.folder, failure)
    return RunResult(run.folder, "failed", failure.cause, seconds, speed, failure.step)


def fall_back(folder: Path) -> bool:
    """Put a damaged restart file aside; False where there is none left to put aside."""
    for name in RESTARTS:
        if (folder / name).is_file():
            (folder / name).replace(folder / "restart.damaged")
            return True
    return False


def ending_signal(folder: Path, code: int) -> str | None:
    """The signal that ended a process, or one of the ranks that mpiexec tells of."""
    if code < 0:
        return signal.Signals(-code).name
    told = RANK_SIGNAL.findall((folder / OUTPUT).read_text(encoding="utf-8", errors="replace"))
    numbers = [int(number) for number in told if 0 < int(number) < signal.NSIG]
    return signal.Signals(numbers[-1]).name if numbers else None


def failure_of_exit(folder: Path, code: int, step: int) -> Failure | None:
    """A failure without a message of LAMMPS; None for a signal from outside."""
    killer = ending_signal(folder, code)
    if killer is not None:
        return Failure("signal", f"crashed by {killer}", step) if killer in CRASHES else None
    said = (folder / OUTPUT).read_text(encoding="utf-8", errors="replace").strip()
    last_line = said.splitlines()[-1].strip()[:200] if said else "no message"
    return Failure("error", f"ended before its last step, exit code {code}: {last_line}", step)


def end_all(running: Sequence[RunningDeck]) -> None:
    """End processes: SIGTERM, then SIGKILL."""
    for run in running:
        kill_group(run.process.pid, signal.SIGTERM)
    deadline = time.monotonic() + TERMINATE_S
    for run in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.process.wait(max(0.0, deadline - time.monotonic()))
        kill_group(run.process.pid, signal.SIGKILL)
        run.process.wait()
    # ranks that are no children of ours take a moment to be gone, and hold their folders until then
    deadline = time.monotonic() + GONE_S
    while any(is_locked(run.folder) for run in running) and time.monotonic() < deadline:
        time.sleep(0.01)


def kill_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group, which may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
