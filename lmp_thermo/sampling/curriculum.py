"""The adaptive design: where the next labels go, given what is known of each cell's error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.states import StatePoint

ALONG_DENSITY = 0.5
"""What a label is worth one density of the grid further on."""

COOLER, HOTTER = 0.8, 0.35
"""What a label is worth one temperature of the grid below its own, and above it.

Hot configurations hold much of what cold ones hold, and not the other way round: close contacts.
"""

TINY = 1e-9
"""Of a budget: what round-off leaves of it."""

SHARPNESS = 4.0
"""Power of the mean by which expected scores are summed up: near to the largest, and smooth."""

ALIKE = 1e-3
"""Disagreement over error below which members agree for another reason than being right: in gas so
thin that nobody has a neighbour within the cutoff, all of them say zero."""


@dataclass(frozen=True)
class CellOutlook:
    """What is known of a cell before labels are bought.

    Args:
        score: estimated error relative to its limit.
        labels: known there so far.
        left: candidates that are not bought yet.
        price: of a label there, in the unit of the budget.
    """

    score: float
    labels: int
    left: int
    price: float = 1.0


def calibration(cells: Sequence[tuple[float, float]]) -> float | None:
    """How large errors are for one of disagreement.

    Every cell counts the same, whatever the size of its forces: logarithms are averaged. Cells in
    which all members are `ALIKE` say nothing of it.

    Args:
        cells: root mean square error and disagreement of each, in any unit.

    Returns:
        Error over disagreement; None where no cell tells.
    """
    logs = [
        math.log(error / disagreement)
        for error, disagreement in cells
        if disagreement > ALIKE * error > 0
    ]
    return math.exp(sum(logs) / len(logs)) if logs else None


def worth(states: Sequence[StatePoint]) -> NDArray[np.float64]:
    """(n, n) worth of a label at one cell (row) for the error at another (column); 1 at its own."""
    axes = [[getattr(s, name) for s in states] for name in ("density_g_cm3", "temperature_K")]
    density, temperature = (np.unique(axis, return_inverse=True)[1].astype(float) for axis in axes)
    warmer = temperature[:, None] - temperature[None, :]
    return np.asarray(
        ALONG_DENSITY ** np.abs(density[:, None] - density[None, :])
        * COOLER ** np.maximum(warmer, 0.0)
        * HOTTER ** np.maximum(-warmer, 0.0)
    )


def allocate(
    cells: Mapping[StatePoint, CellOutlook], budget: float, most: int, gas_floor: float
) -> dict[StatePoint, int]:
    """Spread labels so that the worst cell's expected error becomes as small as possible.

    The error of a cell is taken to fall as the inverse root of the labels that count for it: its
    own, and those of other cells at less worth (`worth`). One label after another goes where it
    lowers the mean of the expected scores most for its price, a mean of high power (`SHARPNESS`).

    Args:
        cells: outlook of every cell on which the design may spend.
        budget: to spend, in the unit of the prices.
        most: labels that one cell may have in all.
        gas_floor: of `budget`, what goes to cells at the lowest density first; above 0, a label at
            the least.

    Returns:
        Labels for each cell; they cost less than the budget where candidates or `most` allow no
        more.
    """
    states = sorted(cells)
    helps = worth(states)
    known = np.array([cells[s].labels for s in states], dtype=float)
    price = np.array([cells[s].price for s in states])
    given = np.zeros(len(states), dtype=int)
    score = np.array([cells[s].score for s in states])
    share = score / score.max() if score.max() > 0 else np.ones(len(states))
    before = known @ helps + 1.0
    lowest = min(s.density_g_cm3 for s in states)
    gas = np.array([s.density_g_cm3 == lowest for s in states])
    left = budget
    while True:
        room = np.array(
            [given[k] < cells[s].left and known[k] + given[k] < most for k, s in enumerate(states)]
        )
        room &= price <= left + TINY
        if budget - left < gas_floor - TINY and (room & gas).any():
            room &= gas
        if not room.any():
            return {s: int(count) for s, count in zip(states, given, strict=True) if count}
        counts = before + given @ helps  # of each cell
        now = np.mean((share * np.sqrt(before / counts)) ** SHARPNESS)
        after = np.mean((share * np.sqrt(before / (counts + helps))) ** SHARPNESS, axis=1)
        chosen = int(np.argmax(np.where(room, (now - after) / price, -math.inf)))
        given[chosen] += 1
        left -= price[chosen]
