"""The coverage matrix: errors of every arm on every cell, and over the seeds of a group."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.potential.frame_errors import FrameErrors
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.pool import held_out
from lmp_thermo.states import StatePoint
from lmp_thermo.units import BAR_PER_EV_A3, ideal_gas_pressure_bar
from lmp_thermo.validation import Verdict, judge_cell
from lmp_thermo.validation.coverage import (
    INTERMOLECULAR,
    binding,
    interval,
    resampled,
    root_mean_square,
    score,
)
from lmp_thermo.validation.verdict import BIAS

Cell = dict[str, Any]
"""Errors and verdict of one arm on one cell."""

BOOTSTRAP = 400
"""Resamplings of the frames, and of the seeds, behind an interval."""

MATRIX = {
    "energy": ("meV/atom", 1000.0),
    "force": ("meV/Å", 1000.0),
    "stress": ("bar", BAR_PER_EV_A3),
    "net_force": ("meV/Å", 1000.0),
    "torque": ("meV", 1000.0),
    "interaction_energy": ("meV/atom", 1000.0),
}
"""Quantities of the matrix, with unit and factor from eV and Å."""

BIAS_OF = "molecular_pressure"
"""Whose bias is judged."""

OFF_OVER_IN = ("energy", "force", "net_force", "interaction_energy")

NOTHING = 1e-9
"""meV, Å: what is smaller in every label, such as the torque on an atom, is no quantity."""

RESOLVED = 0.5
"""Standard error over limit up to which a bias of the pressure can be judged: at two standard
errors a potential without any bias is at its limit."""


def judged_cell(context: Context, state: StatePoint, errors: FrameErrors) -> Cell:
    """Errors and verdict of one arm on one cell."""
    found = errors.errors()
    verdict = _judge(context, state, found)
    bias = found[BIAS_OF]
    error = None if bias is None else bias["standard_error"]
    return {
        "rmse": {
            name: factor * found[name]["rmse"]
            for name, (_, factor) in MATRIX.items()
            if found[name] is not None
        },
        "pressure_bias_bar": 0.0 if bias is None else bias["mean"],
        "pressure_bias_error_bar": error if error is None or math.isfinite(error) else None,
        "pressure_noise": None if error is None else error / _limit(verdict),
        "passed": verdict.passed,
        "failures": verdict.failures,
        "score": score(verdict),
        "intermolecular_score": score(verdict, INTERMOLECULAR),
        "binding": binding(verdict),
    }


def _judge(context: Context, state: StatePoint, errors: dict[str, Any]) -> Verdict:
    frame = held_out(context)[state][0]
    volume = float(frame.atoms.get_volume())
    ideal = ideal_gas_pressure_bar(frame.n_molecules, state.temperature_K, volume)
    return judge_cell(state, errors, ideal, context.study.validation.gates)


def _limit(verdict: Verdict) -> float:
    """Of the bias of the pressure, bar."""
    return next(c.limit for c in verdict.checks if c.name == BIAS and c.limit)


def pressure_open(by_arm: dict[str, dict[str, Cell]]) -> dict[str, float | None]:
    """Cells whose bias of the pressure no arm knows well enough to be judged.

    Its standard error over frames, as a share of the limit, by cell: the smallest of all arms;
    None where a single frame says nothing of it.
    """
    found: dict[str, float] = {}
    for cells in by_arm.values():
        for name, cell in cells.items():
            if cell["pressure_noise"] is not None:
                found[name] = min(found.get(name, math.inf), cell["pressure_noise"])
    return {
        name: noise if math.isfinite(noise) else None
        for name, noise in found.items()
        if noise > RESOLVED
    }


def off_over_in(
    cells: dict[str, Cell], trained: Sequence[StatePoint], states: Sequence[StatePoint]
) -> dict[str, float | None]:
    """Error off the cells that an arm was trained on over its error on them, by quantity.

    Root mean square of the RMSE over cells, above and below the stroke.

    Args:
        cells: of one arm, by name.
        trained: cells on which this very arm's labels were spent.
        states: cells on which it was judged.

    Returns:
        None where there is no cell of one kind, or no error at all on those trained on.
    """

    def typical(name: str, own: list[str]) -> float:
        return root_mean_square([cells[c]["rmse"][name] for c in own]) if own else 0.0

    within = [s.name for s in states if s in trained]
    off = [s.name for s in states if s not in trained]
    below = {name: typical(name, within) for name in OFF_OVER_IN}
    return {
        name: typical(name, off) / below[name] if off and below[name] > 0 else None
        for name in OFF_OVER_IN
    }


def over_seeds(errors: Sequence[FrameErrors]) -> dict[str, Any]:
    """RMSE, MAE and reference of each quantity: mean over seeds, their spread, an interval.

    The interval resamples frames, the same for all seeds, and independently of them the seeds.
    """
    draws, picks = _resamplings(errors)
    found: dict[str, Any] = {}
    for name, (_, factor) in MATRIX.items():
        if any(name not in own.sums for own in errors):
            continue
        sums = np.array([own.sums[name] for own in errors])  # (seeds, frames, 4)
        total = sums.sum(axis=1)
        rms = factor * np.sqrt(total[:, 2] / total[:, 3]).mean()
        if rms < NOTHING:
            continue
        rmse = factor * np.sqrt(total[:, 0] / total[:, 3])
        drawn = sums[:, draws, :].sum(axis=2)  # (seeds, draws, 4)
        samples = factor * np.sqrt(drawn[..., 0] / drawn[..., 3])
        over = np.take_along_axis(samples.T, picks, axis=1).mean(axis=1)
        found[name] = {
            "rmse": float(rmse.mean()),
            "spread": float(rmse.std(ddof=1)) if len(rmse) > 1 else None,
            "interval": interval(over),
            "mae": float(factor * (total[:, 1] / total[:, 3]).mean()),
            "rms": float(rms),
        }
    return found


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean over seeds and their standard deviation; None of a single one."""
    return {
        "mean": float(np.mean(values)),
        "spread": float(np.std(values, ddof=1)) if len(values) > 1 else None,
    }


def bias_over_seeds(errors: Sequence[FrameErrors]) -> dict[str, Any]:
    """Bias of the molecular virial's pressure, bar: mean over seeds, their spread, standard error.

    Resampled as the errors of `over_seeds`. Without stresses the bias is 0, without an error.
    """
    if any(BIAS_OF not in own.pressures for own in errors):
        return {**spread([0.0] * len(errors)), "standard_error": None}
    off = np.array([own.pressures[BIAS_OF] @ (1.0, -1.0) for own in errors])  # (seeds, frames)
    draws, picks = _resamplings(errors)
    samples = off[:, draws].mean(axis=2)  # (seeds, draws)
    over = np.take_along_axis(samples.T, picks, axis=1).mean(axis=1)
    alone = errors[0].n_frames == 1  # says nothing of its error
    return {
        **spread(list(off.mean(axis=1))),
        "standard_error": None if alone else float(over.std(ddof=1)),
    }


def _resamplings(
    errors: Sequence[FrameErrors],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames of each resampling, the same for all seeds, and its seeds."""
    random = np.random.default_rng([errors[0].n_frames, len(errors)])
    draws = resampled(errors[0].n_frames, BOOTSTRAP, random)
    return draws, resampled(len(errors), BOOTSTRAP, random)
