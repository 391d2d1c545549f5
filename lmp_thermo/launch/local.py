"""Running decks on this machine, as many at a time as fit."""

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lmp_thermo.errors import RunError
from lmp_thermo.launch.events import OnEvent, RunEvent, RunResult
from lmp_thermo.launch.lammps import Lammps
from lmp_thermo.launch.machine import free_bytes, require_free_space, usable_cores
from lmp_thermo.launch.process import (
    SMALLEST_FREE_BYTES,
    RunningDeck,
    end_all,
    result_of,
    start_deck,
)
from lmp_thermo.launch.run_folder import (
    DONE,
    FAILED,
    PASSING,
    current_step,
    locked,
    read_deck,
    read_failure,
)

POLL_S = 0.05
LOOK_S = 1.0
"""Between looks at logs and disk."""

FRESH_START = ("restart.*", "log*lammps", "traj.*.dcd", "energy.*.lmp", DONE)


def run_decks(
    folders: Sequence[Path],
    lammps: Lammps,
    n_parallel: int | None = None,
    *,
    ranks: int = 1,
    on_event: OnEvent | None = None,
    retry_failed: bool = False,
) -> list[RunResult]:
    """Run decks, go on with interrupted ones, leave finished ones alone.

    Processes die with this one, however it dies. On an exception (Ctrl-C) they are ended
    first; the same call then goes on.

    Args:
        folders: decks.
        lammps: what to run them with.
        n_parallel: decks at a time; by default as many as cores allow.
        ranks: of MPI for each deck.
        on_event: told of starts, steps and ends.
        retry_failed: run failed decks again from their last restart; those whose failure lay
            outside the deck (`PASSING`) are run again in any case.

    Returns:
        A result for each folder, in their order; a failed run is a result, no exception.

    Raises:
        RunError: a folder is no deck, is in use, or LAMMPS cannot be started.
        WorkspaceError: the disk is too small for what is left to do.
    """
    if ranks < 1 or (n_parallel is not None and n_parallel < 1):
        raise RunError(
            f"simulate: {ranks} ranks, {n_parallel} decks at a time; expected at least 1 of each"
        )
    folders = [Path(folder).absolute() for folder in folders]
    if len(set(folders)) != len(folders):
        raise RunError("simulate: a folder is given twice; expected each once")
    crew = _Crew(lammps, ranks, on_event or _nobody)
    for folder in folders:
        crew.take(folder, retry_failed)
    crew.work(n_parallel or max(1, usable_cores() // ranks))
    return [crew.results[folder] for folder in folders]


def _nobody(event: RunEvent) -> None:
    """Told of events where no one wants to know."""


class _Crew:
    """Decks that wait, run, and have ended."""

    def __init__(self, lammps: Lammps, ranks: int, tell: OnEvent) -> None:
        self._lammps, self._ranks, self._tell = lammps, ranks, tell
        self._waiting: deque[tuple[Path, dict[str, Any]]] = deque()
        self._running: list[RunningDeck] = []
        self.results: dict[Path, RunResult] = {}

    def take(self, folder: Path, retry_failed: bool) -> None:
        """Add a deck, or its result where it is not to be run."""
        deck = read_deck(folder)
        settled = _settled(folder, deck, retry_failed)
        if settled is None:
            self._waiting.append((folder, deck))
        else:
            self._settle(settled, deck)

    def work(self, slots: int) -> None:
        """Run what waits, `slots` at a time; end what runs if anything goes wrong."""
        if self._waiting:
            needed = sum(expected_bytes(deck) for _, deck in self._waiting) + SMALLEST_FREE_BYTES
            purpose = f"simulating {len(self._waiting)} decks"
            require_free_space(self._waiting[0][0], needed, purpose)
        looked = time.monotonic()
        try:
            while self._waiting or self._running:
                while self._waiting and len(self._running) < slots:
                    self._start(*self._waiting.popleft())
                time.sleep(POLL_S)
                for run in [run for run in self._running if run.process.poll() is not None]:
                    self._collect(run)
                if time.monotonic() - looked >= LOOK_S:
                    looked = time.monotonic()
                    for run in self._running:
                        self._look(run)
        finally:
            end_all(self._running)

    def _settle(self, result: RunResult, deck: dict[str, Any]) -> None:
        self.results[result.folder] = result
        last, speed = deck["last_step"], result.ns_per_day
        self._tell(RunEvent(result.folder, "ended", result.steps, last, speed, result))

    def _start(self, folder: Path, deck: dict[str, Any]) -> None:
        run = start_deck(folder, deck, self._lammps, self._ranks)
        self._running.append(run)
        self._tell(RunEvent(folder, "started", run.first_step, deck["last_step"]))

    def _collect(self, run: RunningDeck) -> None:
        self._running.remove(run)
        result = result_of(run)
        if result is None:
            self._waiting.appendleft((run.folder, run.deck))
            self._tell(RunEvent(run.folder, "fallback", 0, run.deck["last_step"]))
        else:
            self._settle(result, run.deck)

    def _look(self, run: RunningDeck) -> None:
        if free_bytes(run.folder) < SMALLEST_FREE_BYTES:
            raise RunError(
                f"{run.folder}: less than {SMALLEST_FREE_BYTES / 1e6:.0f} MB free; the runs were "
                "stopped and nothing is lost; free some space and run the same command again"
            )
        step = current_step(run.folder)
        speed = run.ns_per_day(step)
        self._tell(RunEvent(run.folder, "step", step, run.deck["last_step"], speed))


def expected_bytes(deck: dict[str, Any]) -> float:
    """Disk space that the run of a deck takes: trajectory, logs, restarts."""
    n_atoms, last = deck["n_atoms"], deck["last_step"]
    frames = last / deck["trajectory_every_steps"]
    rows = last / deck["thermo_every_steps"]
    return float(frames * (80 + 12 * n_atoms) + rows * 300 + 3 * 100 * n_atoms)


def _settled(folder: Path, deck: dict[str, Any], retry_failed: bool) -> RunResult | None:
    """The result of a deck that is not to be run; clears the way for one that is."""
    with locked(folder):
        failure = read_failure(folder)
        if failure is None and (folder / DONE).is_file():
            return RunResult(folder, "finished", "", 0.0, None, deck["last_step"])
        if failure is not None and failure.kind not in PASSING and not retry_failed:
            return RunResult(folder, "failed", failure.cause, 0.0, None, failure.step)
        if failure is not None:
            if failure.kind == "incomplete":
                for pattern in FRESH_START:
                    for path in folder.glob(pattern):
                        path.unlink()
            (folder / FAILED).unlink()
    return None
