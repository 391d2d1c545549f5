"""The adaptive design: where the next labels go, given what is known of each cell's error."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.states import StatePoint

NEIGHBOUR = 0.5
"""What a label in a cell is worth to the next cell of the grid, at most."""


@dataclass(frozen=True)
class CellOutlook:
    """What is known of a cell before labels are bought.

    Args:
        score: estimated error relative to its limit.
        labels: bought there so far.
        left: frames of the pool that are not labelled yet.
    """

    score: float
    labels: int
    left: int


def nearness(states: Sequence[StatePoint]) -> NDArray[np.float64]:
    """(n, n) worth of a label at one cell for the error at another: 1 at the cell itself.

    It falls by `NEIGHBOUR` for each step of the grid along density, and along temperature.
    """
    axes = [[getattr(s, name) for s in states] for name in ("density_g_cm3", "temperature_K")]
    places = np.array([np.unique(axis, return_inverse=True)[1] for axis in axes], dtype=float).T
    steps = np.abs(places[:, None, :] - places[None, :, :]).sum(axis=-1)
    return np.asarray(NEIGHBOUR**steps)


def allocate(
    cells: Mapping[StatePoint, CellOutlook], labels: int, most: int, gas_floor: int
) -> dict[StatePoint, int]:
    """Spread labels so that the worst cell's expected error becomes as small as possible.

    The error of a cell is taken to fall as the inverse root of the labels that count for it: its
    own, and those of its neighbours at less worth (`nearness`). One label after another goes to
    the cell that is the worst by then.

    Args:
        cells: outlook of every cell on which the design may spend.
        labels: to spread.
        most: labels that one cell may have in all.
        gas_floor: of `labels`, how many go to cells at the lowest density first.

    Returns:
        Labels for each cell; fewer than asked in all where the pool or `most` allows no more.
    """
    states = sorted(cells)
    worth = nearness(states)
    bought = np.array([cells[s].labels for s in states], dtype=float)
    given = np.zeros(len(states), dtype=int)
    score = np.array([cells[s].score for s in states])
    before = worth @ bought + 1.0
    lowest = min(s.density_g_cm3 for s in states)
    gas = np.array([s.density_g_cm3 == lowest for s in states])
    for number in range(labels):
        room = np.array(
            [given[k] < cells[s].left and bought[k] + given[k] < most for k, s in enumerate(states)]
        )
        if number < gas_floor and (room & gas).any():
            room &= gas
        if not room.any():
            break
        expected = score * np.sqrt(before / (before + worth @ given))
        given[int(np.argmax(np.where(room, expected, -math.inf)))] += 1
    return {state: int(count) for state, count in zip(states, given, strict=True) if count}


def first_labels(states: Sequence[StatePoint], labels: int) -> dict[StatePoint, int]:
    """Spread the first labels evenly; where there are fewer than cells, far from one another.

    Corners come first: each next cell is the one that is farthest from those chosen so far.
    """
    ordered = sorted(states)
    small, rest = divmod(labels, len(ordered))
    counts = dict.fromkeys(ordered, small)
    distance = -np.log(nearness(ordered)) / -math.log(NEIGHBOUR)
    outlying = 1e-6 * distance.sum(axis=1)  # decides between cells that are equally far
    chosen: list[int] = []
    for _ in range(rest):
        far = outlying + (distance[:, chosen].min(axis=1) if chosen else 0.0)
        far[chosen] = -1.0
        chosen.append(int(np.argmax(far)))
    for place in chosen:
        counts[ordered[place]] += 1
    return {state: count for state, count in counts.items() if count}
