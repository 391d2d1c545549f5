"""Environments: coordination over the grid, and how much of it each arm's frames have seen."""

from typing import Any

from lmp_thermo.analysis.diversity import coverage, diversity
from lmp_thermo.analysis.environments import (
    Coordination,
    Cutoff,
    coordination_by_cell,
    coordination_of,
)
from lmp_thermo.analysis.first_shell import first_shell, reference_liquid
from lmp_thermo.analysis.response import response
from lmp_thermo.analysis.wasserstein import FEWEST_FRAMES
from lmp_thermo.errors import AnalysisError
from lmp_thermo.frames import Frame
from lmp_thermo.stages import arms
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.pool import comparison_of, held_out, pool
from lmp_thermo.states import StatePoint
from lmp_thermo.study import seed_for


def environments(context: Context) -> dict[str, Any]:
    """Coordination of all labelled frames, and diversity and coverage of every arm's own.

    A cell that lost all its held-out frames, or has none in the pool, counts with what it has;
    one with too few frames has no part in the response.

    Args:
        context: of the study.

    Returns:
        For JSON; ``missing`` says why where there is no cutoff.
    """
    bought, judging = pool(context), held_out(context)
    frames = {
        state: [*bought.get(state, []), *judging.get(state, [])]
        for state in sorted(bought.keys() | judging.keys())
    }
    try:
        return _environments(context, frames)
    except AnalysisError as error:
        context.progress.note(f"compare: no coordination numbers: {error}")
        return {"missing": str(error)}


def _environments(context: Context, frames: dict[StatePoint, list[Frame]]) -> dict[str, Any]:
    cutoff = _cutoff(context, frames)
    with context.progress.task("compare: coordination", len(frames)) as task:
        cells = []
        for state, own in frames.items():
            cells.append(coordination_of(state, own, cutoff))
            task.advance()
    by_state = {cell.state: cell for cell in cells}
    by_arm = {}
    for arm in comparison_of(context).arms:
        seen = arms.seen(context, arm)
        training = [_part(by_state[s], own) for s, own in seen.pool.items() if own]
        training += coordination_by_cell(arms.database_frames(context, arm, seen), cutoff)
        covered = coverage(training, cells).to_dict()
        covered["cells"] = list(covered["cells"].values())  # in the order of "cells" below
        by_arm[arm.name] = {"diversity": diversity(training).to_dict(), "coverage": covered}
    seed = seed_for(context.study.seed, "coordination")
    enough = [cell for cell in cells if cell.n_frames >= FEWEST_FRAMES]
    found: dict[str, Any] = _plain(
        {
            "cutoff": cutoff.to_dict(),
            "cells": [cell.to_dict() for cell in cells],
            "response": response(enough, seed=seed).to_dict(),
            "response_smooth": response(enough, "smooth", seed=seed).to_dict(),
            "arms": by_arm,
        }
    )
    return found


def _cutoff(context: Context, frames: dict[StatePoint, list[Frame]]) -> Cutoff:
    comparison = comparison_of(context)
    sites, prescribed = comparison.coordination_sites, comparison.coordination_cutoff_A
    if prescribed is not None:
        return Cutoff(sites, prescribed)
    return first_shell(reference_liquid(f for own in frames.values() for f in own), sites)


def _part(cell: Coordination, indices: list[int]) -> Coordination:
    """The same of some frames; the pool's come first."""
    return Coordination(
        cell.state,
        cell.cutoff,
        tuple(cell.hard[i] for i in indices),
        tuple(cell.smooth[i] for i in indices),
    )


def _plain(value: Any) -> Any:
    """State points as pairs, numbers to six digits."""
    if isinstance(value, dict):
        if set(value) == {"density_g_cm3", "temperature_K"}:
            return [value["density_g_cm3"], value["temperature_K"]]
        return {key: _plain(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(own) for own in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
