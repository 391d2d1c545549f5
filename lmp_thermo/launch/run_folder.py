"""What the files of a run say: how far it is, how it ended, and why."""

import fcntl
import os
import re
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lmp_thermo.errors import RunError, WorkspaceError
from lmp_thermo.products import read_json, write_json

State = Literal["new", "running", "interrupted", "failed", "finished"]
Kind = Literal["guard", "error", "signal", "incomplete", "setup", "restart"]

PASSING = ("incomplete", "setup", "restart")
"""Kinds whose cause lies outside the deck: such a run goes on when it is started again."""

DONE = "run.done"
FAILED = "failed.json"
LOCK = ".run.lock"
OUTPUT = "lmp.out"

LOCK_ATTEMPTS = 5
LOCK_PAUSE_S = 0.05
"""Someone who asks for the state of a run holds its lock for an instant."""

TAIL_BYTES = 16384

LAST_INPUT = "Last input line:"
HALT = re.compile(r"Fix halt condition for fix-id (guard_\w+) met on step (\d+) with value (\S+)")
ROW = re.compile(rb"^  - \[(\d+),", re.MULTILINE)


@dataclass(frozen=True)
class Failure:
    """Why a run failed.

    Args:
        kind: a ``guard`` stopped it, LAMMPS reported an ``error`` while it ran, it crashed by
            a ``signal``, it ended and is ``incomplete``, LAMMPS refused something in its
            ``setup`` (a pair style it does not know), or a ``restart`` file.
        cause: one line.
        step: where, as far as known.
    """

    kind: Kind
    cause: str
    step: int


def read_deck(folder: Path) -> dict[str, Any]:
    """The facts of a deck.

    Raises:
        RunError: it is no deck.
    """
    if not (folder / "in.lmp").is_file() or not (folder / "deck.json").is_file():
        raise RunError(f"{folder}: no in.lmp and deck.json; expected a deck; write it first")
    facts = read_json(folder / "deck.json")
    if not isinstance(facts, dict) or "segments" not in facts:
        raise RunError(f"{folder}/deck.json: not the facts of a deck; write the deck again")
    return facts


def run_state(folder: Path) -> State:
    """``new``, ``running``, ``interrupted``, ``failed`` or ``finished``."""
    if is_locked(folder):
        return "running"
    failure = read_failure(folder)
    if failure is not None:
        return "interrupted" if failure.kind in PASSING else "failed"
    if (folder / DONE).is_file():
        return "finished"
    if (folder / "log.lammps").is_file() or (folder / OUTPUT).is_file():
        return "interrupted"
    return "new"


def read_failure(folder: Path) -> Failure | None:
    """Why the run in `folder` failed; None where it did not.

    Raises:
        RunError: ``failed.json`` is corrupt.
    """
    path = folder / FAILED
    if not path.is_file():
        return None
    try:
        said = read_json(path)
        return Failure(said["kind"], str(said["cause"]), int(said["step"]))
    except (WorkspaceError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}: corrupt; remove it to run the deck again") from error


def write_failure(folder: Path, failure: Failure) -> None:
    """Keep why a run failed, atomically.

    Raises:
        RunError: it cannot be written.
    """
    try:
        write_json(folder / FAILED, asdict(failure))
    except OSError as error:
        raise RunError(
            f"{folder}: failed ({failure.cause}), and that cannot be written down "
            f"({error.strerror}); free some space and run the same command again"
        ) from error


def is_locked(folder: Path) -> bool:
    """Whether a process that writes in `folder` is alive."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold a run folder; gives the descriptor, with which a child process holds it too.

    The folder is free when the last process that has the descriptor is gone.

    Raises:
        RunError: another run holds it, or it cannot be written.
    """
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        for attempt in range(LOCK_ATTEMPTS):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt + 1 == LOCK_ATTEMPTS:
                    raise RunError(
                        f"{folder}: another LAMMPS is running there; wait for it or stop it"
                    ) from None
                time.sleep(LOCK_PAUSE_S)
        yield descriptor
    finally:
        os.close(descriptor)


def logs_by_age(folder: Path) -> list[Path]:
    """Logs of a run, the one written last first."""
    return sorted(folder.glob("log*lammps"), key=lambda log: log.stat().st_mtime, reverse=True)


def tail(path: Path) -> bytes:
    """The end of a file."""
    with path.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - TAIL_BYTES))
        return stream.read()


def last_row(log: Path) -> int | None:
    """Step of the last row in a log's tail."""
    rows = ROW.findall(tail(log))
    return int(rows[-1]) if rows else None


def current_step(folder: Path) -> int:
    """How far a run is, from the segment's log written last; 0 before the first row.

    Rows between segments do not count: they are of a minimisation, or of the start of a phase.
    """
    for log in logs_by_age(folder):
        step = None if log.name == "log.lammps" else last_row(log)
        if step is not None:
            return step
    return 0


def failure_in_logs(folder: Path, since: float) -> Failure | None:
    """The error that LAMMPS reported, if it did.

    Args:
        folder: of the run.
        since: modification time before which a log belongs to an earlier run.
    """
    sources = [log for log in logs_by_age(folder) if log.stat().st_mtime >= since]
    if (folder / OUTPUT).is_file():
        sources.append(folder / OUTPUT)
    for source in sources:
        lines = tail(source).decode(errors="replace").splitlines()
        for number, line in enumerate(lines):
            if line.startswith("ERROR"):
                command = next((c for c in lines[number:] if c.startswith(LAST_INPUT)), "")
                command = command.removeprefix(LAST_INPUT).strip()
                return as_failure(line.strip(), command, source, current_step(folder))
    return None


def as_failure(line: str, command: str, source: Path, step: int) -> Failure:
    """A failure from LAMMPS's error line.

    Args:
        line: that begins with ERROR.
        command: the line of input at which it happened.
        source: where it was said.
        step: where the run stands.
    """
    halt = HALT.search(line)
    if halt is None:
        kind: Kind = "setup"
        if command.startswith("read_restart"):
            kind = "restart"
        elif not command or command.startswith(("run ", "minimize ")):
            kind = "error"
        where = f" at `{command}`" if command else ""
        return Failure(kind, f"LAMMPS: {line}{where} ({source.name})", step)
    guard, at, value = halt.group(1), int(halt.group(2)), float(halt.group(3))
    limits = read_deck(source.parent)["protocol"]["guards"]
    what = {
        "guard_temperature": f"temperature {value:.0f} K, limit {limits['max_temperature_K']:g} K",
        "guard_distance": (
            f"shortest distance {value:.3f} Å, limit {limits['min_distance_A']:g} Å"
        ),
        "guard_energy": (
            f"potential energy {value:.3g} eV/atom above the start of the phase, "
            f"limit {limits['max_energy_rise_eV_atom']:g}"
        ),
    }
    return Failure("guard", f"{guard}: {what[guard]}, at step {at} ({source.name})", at)


def dcd_frames(path: Path, n_atoms: int) -> int:
    """Whole frames in a trajectory, from its size; 0 where its header is not whole."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(96)
    if len(head) < 96:
        return 0
    remarks = int(struct.unpack("i", head[92:96])[0])
    header = 92 + 8 + remarks + 12
    frame = 8 + 48 + 3 * (8 + 4 * n_atoms)
    return max(0, int((size - header) // frame))


def missing_piece(folder: Path, deck: dict[str, Any]) -> str | None:
    """What a run that says it is finished lacks: one line, None where it is whole.

    LAMMPS does not notice every write that fails, for example on a full disk.
    """
    every = deck["trajectory_every_steps"]
    for segment in deck["segments"]:
        log = folder / f"log.{segment['index']}.lammps"
        if not log.is_file() or last_row(log) != segment["last_step"]:
            return f"{log.name} does not reach step {segment['last_step']}"
        if segment["phase"] == "production":
            trajectory = folder / f"traj.{segment['index']}.dcd"
            expected = (segment["last_step"] - segment["first_step"]) // every
            found = dcd_frames(trajectory, deck["n_atoms"]) if trajectory.is_file() else 0
            if found != expected:
                return f"{trajectory.name} has {found} frames, expected {expected}"
    return None
