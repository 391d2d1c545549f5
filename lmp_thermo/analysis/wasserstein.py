r"""Distances between the coordination numbers of cells, with confidence intervals.

Wasserstein-1 of two distribution functions F and G,

.. math:: W_1 = \int |F(x) - G(x)| \, dx,

is the number of neighbours that an average site has to gain or lose to turn one into the other.
It is at least the difference of the means, and equal to it where all quantiles move the same way.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from lmp_thermo.analysis.environments import Coordination, Count
from lmp_thermo.errors import AnalysisError
from lmp_thermo.states import StatePoint

Array = NDArray[np.float64]

STEP: dict[Count, float] = {"hard": 1.0, "smooth": 0.02}
"""Neighbours between the points at which distribution functions are resampled: exact for hard
counts, to within that step for smooth ones."""

FEWEST_FRAMES = 4
"""In a cell: two halves of two."""

SPLITS = 20
"""Random halvings of each cell."""


@dataclass(frozen=True)
class Interval:
    """A number with its confidence interval.

    Args:
        value: less the bias that the bootstrap shows; None for a ratio to nothing.
        low: lower end.
        high: upper end; None where there is none.
        plain: as measured, bias included.
    """

    value: float | None
    low: float
    high: float | None
    plain: float | None


def wasserstein(first: Coordination, second: Coordination, count: Count = "hard") -> float:
    """W_1 between two cells, neighbours; every frame of a cell weighs the same."""
    a, b = first.samples(count), second.samples(count)
    return float(
        wasserstein_distance(
            np.concatenate(a), np.concatenate(b), _frame_weights(a), _frame_weights(b)
        )
    )


def _frame_weights(samples: Sequence[NDArray[Any]]) -> Array:
    return np.concatenate([np.full(len(own), 1.0 / len(own)) for own in samples])


@dataclass(frozen=True)
class Sampled:
    """A distance, and what resampling makes of it and of the difference of the means.

    W_1 of finite samples is too large where cells are close to each other, and resampling does not
    undo that. So an interval takes its ends from two sides: from below the difference of the means,
    which W_1 cannot be less than and which has no bias; from above the resampled W_1, whose bias is
    twice that of the measured one. Both ends meet where cells are far apart.

    Args:
        plain: as measured.
        resampled: (n_resamples,)
        mean_difference: (n_resamples,) resampled, end less start.
    """

    plain: float
    resampled: Array
    mean_difference: Array

    def over(self, divisor: float) -> "Sampled":
        """Divided by a number."""
        return Sampled(
            self.plain / divisor, self.resampled / divisor, self.mean_difference / divisor
        )

    @property
    def value(self) -> float:
        """Less the bias that the bootstrap shows; where all is noise, half of it remains."""
        return max(2.0 * self.plain - float(self.resampled.mean()), 0.0)

    @property
    def directed(self) -> Array:
        """(n_resamples,) difference of the means, above 0 where it has its usual sign."""
        return np.asarray(self.mean_difference * np.sign(self.mean_difference.mean()))

    def interval(self, confidence: float) -> Interval:
        """Interval of the distance, see the class."""
        tail = 0.5 * (1.0 - confidence)
        low = max(float(np.quantile(self.directed, tail)), 0.0)
        high = float(np.quantile(self.resampled, 1.0 - tail))
        return Interval(min(max(self.value, low), high), low, high, self.plain)


def total(terms: Sequence[Sampled]) -> Sampled:
    """Sum of distances that were resampled together.

    Differences of means of unlike sign cancel: a lower bound all the same.
    """
    return Sampled(
        sum(term.plain for term in terms),
        np.sum([term.resampled for term in terms], axis=0),
        np.sum([term.mean_difference for term in terms], axis=0),
    )


def ratio(above: Sampled, below: Sampled, confidence: float) -> Interval:
    """Ratio of two distances, its ends made like those of `Sampled.interval`.

    It has no upper end where the means of `below` are not known to differ.
    """
    tail = 0.5 * (1.0 - confidence)
    least = _divide(np.maximum(above.directed, 0.0), below.resampled)
    most = _divide(above.resampled, below.directed)
    low = float(np.quantile(least, tail, method="lower"))
    high = float(np.quantile(most, 1.0 - tail, method="higher"))
    return Interval(
        value=above.value / below.value if below.value > 0.0 else None,
        low=low if math.isfinite(low) else 0.0,
        high=high if math.isfinite(high) else None,
        plain=above.plain / below.plain if below.plain > 0.0 else None,
    )


def _divide(above: Array, below: Array) -> Array:
    endless = np.full(len(above), np.inf)
    return np.asarray(np.divide(above, below, out=endless, where=below > 0.0))


class Distances:
    """Distances between any two of some cells, all resampled together.

    Bootstrap over frames: n - 1 of n frames with replacement, which gives means their unbiased
    variance (Rao and Wu, DOI 10.1080/01621459.1988.10478591). Frames of a cell count as
    independent.

    Args:
        cells: counted with one cutoff, at least `FEWEST_FRAMES` frames each.
        count: hard or smooth.
        n_resamples: of the bootstrap.
        seed: of the resampling.

    Attributes:
        halves: by cell, mean W_1 between random halves of its frames: what W_1 shows where there
            is nothing to show. Two whole cells have about 1/sqrt(2) of it.

    Raises:
        AnalysisError: a cell has too few frames, or cutoffs differ.
    """

    def __init__(
        self, cells: Sequence[Coordination], count: Count, n_resamples: int, seed: int
    ) -> None:
        _check(cells)
        random = np.random.default_rng(seed)
        curves = _distribution_functions(cells, count)
        self._step = STEP[count]
        self._count = count
        self._cells = {cell.state: cell for cell in cells}
        self.halves = {state: self._half_distance(curve, random) for state, curve in curves.items()}
        self._resampled = {}
        for state, curve in curves.items():
            n = len(curve)
            weights = random.multinomial(n - 1, np.full(n, 1.0 / n), size=n_resamples) / (n - 1)
            self._resampled[state] = weights @ curve

    def between(self, start: StatePoint, end: StatePoint) -> Sampled:
        """W_1 between two cells."""
        plain = wasserstein(self._cells[start], self._cells[end], self._count)
        gaps = self._step * (self._resampled[start] - self._resampled[end])
        return Sampled(plain, np.abs(gaps).sum(axis=1), gaps.sum(axis=1))

    def _half_distance(self, curve: Array, random: np.random.Generator) -> float:
        half = len(curve) // 2
        found = []
        for _ in range(SPLITS):
            order = random.permutation(len(curve))
            a, b = curve[order[:half]].mean(axis=0), curve[order[half : 2 * half]].mean(axis=0)
            found.append(self._step * float(np.abs(a - b).sum()))
        return float(np.mean(found))


def _check(cells: Sequence[Coordination]) -> None:
    if len({cell.cutoff for cell in cells}) > 1:
        raise AnalysisError(
            "distances of coordination: cells counted with different cutoffs, expected one; count "
            "them again with one cutoff"
        )
    for cell in cells:
        if cell.n_frames < FEWEST_FRAMES:
            raise AnalysisError(
                f"distances of coordination: {cell.state} has {cell.n_frames} frame(s), expected "
                f"at least {FEWEST_FRAMES}; label more, or leave the cell out"
            )


def _distribution_functions(cells: Sequence[Coordination], count: Count) -> dict[StatePoint, Array]:
    """Share of each frame's sites below 1/2, 3/2, ... steps: (n_frames, k), one k for all cells."""
    step = STEP[count]
    top = max(float(values.max()) for cell in cells for values in cell.samples(count))
    edges = step * (np.arange(int(top / step) + 1) + 0.5)
    return {
        cell.state: np.stack(
            [np.searchsorted(np.sort(own), edges) / len(own) for own in cell.samples(count)]
        )
        for cell in cells
    }
