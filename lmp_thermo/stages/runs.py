"""Decks carried out on this machine, with progress and the causes of failures."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import NDArray

from lmp_thermo.analysis.trajectory import Trajectory, open_run_trajectory, reading
from lmp_thermo.errors import RunError
from lmp_thermo.fluid.molecules import Composition
from lmp_thermo.fluid.packing import box_length
from lmp_thermo.frames import Frame, Tags
from lmp_thermo.launch import RunEvent, RunResult, run_decks, run_state
from lmp_thermo.launch.run_folder import read_failure
from lmp_thermo.products import Product, hash_of, hash_of_file, read_json, write_json
from lmp_thermo.sampling.drawn import bond_between_molecules, frames_from
from lmp_thermo.stages.context import Context
from lmp_thermo.states import StatePoint

SPEED = "speed.json"

DIED_AGAIN = "died-again.json"
"""In a run's folder: that it died, was tried once more, and died again."""


class RunProduct(Product):
    """The run in a deck's folder; complete when it ended, by itself, by a guard, or by dying twice.

    A run that a guard stopped, or that died twice while it ran, is a result: it says that the
    potential does not hold there.
    """

    @property
    def state(self) -> str:
        """``current`` or ``missing``; a stale deck has taken its run with it."""
        ended = run_state(self.folder) == "finished" or _is_result(self.folder)
        return "current" if ended else "missing"

    @property
    def content(self) -> str:
        """Hash of the deck and of the last log."""
        deck = super().content
        logs = sorted(self.folder.glob("log.*.lammps"), key=lambda path: path.stat().st_mtime_ns)
        return hash_of([deck, *[hash_of_file(log) for log in logs[-1:]]])


def carry_out_decks(
    context: Context, title: str, folders: Sequence[Path], retry_failed: bool = False
) -> dict[Path, str | None]:
    """Run decks, as many at a time as there are cores; those that ended are not run again.

    A run that dies is tried once more, from its last restart. What dies again is a result, as
    what a guard stops, and stands until it is asked for again.

    Args:
        context: of the study.
        title: for the progress bar.
        folders: decks.
        retry_failed: whether runs that failed are carried out again.

    Returns:
        For each folder, which guard stopped its run or of what it died, None where it finished.

    Raises:
        RunError: LAMMPS cannot be found or started, ended before it ran, or a run was interrupted.
    """
    total = sum(read_json(folder / "deck.json")["last_step"] for folder in folders)
    steps: dict[Path, int] = {}
    speeds: dict[Path, float] = {}
    with context.progress.task(title, total) as task:

        def tell(event: RunEvent) -> None:
            if event.kind == "fallback":
                context.progress.note(
                    f"{event.folder.name}: damaged restart; the one before is used"
                )
                return
            steps[event.folder] = event.step
            speeds.pop(event.folder, None)
            if event.ns_per_day is not None and event.kind != "ended":
                speeds[event.folder] = event.ns_per_day
            task.reach(sum(steps.values()), f"{sum(speeds.values()):.2f} ns/day")

        def run(group: Sequence[Path], retry: bool) -> dict[Path, RunResult]:
            done = run_decks(
                group, context.lammps, context.cores, on_event=tell, retry_failed=retry
            )
            return dict(zip(group, done, strict=True))

        # A result stands until it is asked for again; anything else may have been mended.
        again = [f for f in folders if retry_failed or (read_failure(f) and not _is_result(f))]
        first = [f for f in folders if f not in again]
        results = {**run(first, False), **run(again, True)}
        dead = [f for f in first if _died(f) and not _is_result(f)]
        for folder in dead:
            context.progress.note(f"{title}: {folder.name}: {results[folder].cause}; once more")
        results |= run(dead, True)
        for folder in filter(_died, folders):
            write_json(folder / DIED_AGAIN, {"cause": results[folder].cause})
    ordered = [results[folder] for folder in folders]
    interrupted = [result for result in ordered if result.status == "interrupted"]
    if interrupted:
        raise RunError(
            f"{title}: {len(interrupted)} runs were interrupted ({interrupted[0].folder.name}: "
            f"{interrupted[0].cause}); run the same command again: they go on"
        )
    for result in ordered:
        if result.ns_per_day is not None:
            write_json(result.folder / SPEED, {"ns_per_day": round(result.ns_per_day, 3)})
        if result.status == "failed":
            if not _is_result(result.folder):
                raise RunError(
                    f"{title}: {result.folder.name}: {result.cause}; see {result.folder}, mend its "
                    "cause and run the same command again"
                )
            context.progress.note(f"{title}: {result.folder.name}: {result.cause}")
    return {folder: result.cause or None for folder, result in zip(folders, ordered, strict=True)}


def _died(folder: Path) -> bool:
    """Whether a run ended by an error or a crash while it ran, and not before its first step.

    LAMMPS says an error such as lost atoms at once; what ends without a word before any step is
    likely no fault of the potential.
    """
    failure = read_failure(folder)
    if failure is None or failure.kind not in ("error", "signal"):
        return False
    return failure.step > 0 or failure.cause.startswith("LAMMPS: ")


def _is_result(folder: Path) -> bool:
    """Whether a failed run says that the potential does not hold: a guard's, or one dead twice."""
    failure = read_failure(folder)
    if failure is None:
        return False
    return failure.kind == "guard" or (_died(folder) and (folder / DIED_AGAIN).is_file())


def trajectory_of(folder: Path) -> Trajectory:
    """The trajectory of a deck's run.

    Raises:
        AnalysisError: there is none, or it cannot be read.
    """
    facts = read_json(folder / "deck.json")
    return open_run_trajectory(
        folder,
        timestep_fs=facts["timestep_fs"],
        molecule_sizes=facts["molecule_sizes"],
        species=facts["species"],
    )


def until_molecules_react(
    trajectory: Trajectory, composition: Composition, state: StatePoint
) -> tuple[Trajectory, str | None]:
    """The part of a run at constant volume before atoms of different molecules are bonded.

    Returns:
        The trajectory, cut where they are, and which atoms; None where none are.
    """
    numbers, sizes = composition.numbers, composition.molecule_sizes
    edge = box_length(composition, state)
    with reading(trajectory.origin):
        for place, index in enumerate(trajectory.frames):
            now = trajectory.universe.trajectory[index]
            pair = bond_between_molecules(np.array(now.positions, float), edge, numbers, sizes)
            if pair is not None:
                *atoms, distance = pair
                both = " and ".join(chemical_symbols[numbers[atom]] for atom in atoms)
                cause = (
                    f"molecules react at step {trajectory.steps[place]}: {both} of two of them are "
                    f"{distance:.2f} Å apart"
                )
                early = replace(
                    trajectory, frames=trajectory.frames[:place], steps=trajectory.steps[:place]
                )
                return early, cause
    return trajectory, None


def drawn_frames(
    trajectory: Trajectory, chosen: NDArray[np.int64], composition: Composition, tags: Tags
) -> list[Frame]:
    """Frames of a run at constant volume, in the exact box of its state point.

    Args:
        trajectory: of the run.
        chosen: which of its frames, counted over those that count.
        composition: of the box.
        tags: of the frames; the index is counted up.
    """
    positions = []
    with reading(trajectory.origin):
        for index in trajectory.frames[chosen]:
            trajectory.universe.trajectory[index]
            positions.append(np.array(trajectory.molecules.whole(), dtype=float))
    edge = box_length(composition, tags.state)
    cells = np.broadcast_to(np.eye(3) * edge, (len(positions), 3, 3))
    return frames_from(
        np.array(positions), cells, composition.numbers, composition.molecule_sizes, tags
    )
