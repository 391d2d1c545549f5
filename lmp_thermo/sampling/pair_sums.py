"""A frame in a few numbers: sums of splines over its pairs of sites of different molecules.

What a potential between molecules can learn from a frame lies in its pairs: how many there are at
which distance. Frames are alike where these sums are, whatever their density and temperature.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matscipy.neighbours import neighbour_list
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from lmp_thermo.frames import Frame

Array = NDArray[np.float64]

SPLINES = 12
"""Knots for each pair of species."""

NEAREST = 0.25
"""Of the cutoff: where the splines begin; no pairs of different molecules are as near."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of one pair of species in a frame, each once.

    Args:
        part: of the sums that they make.
        spline: (n,) values at a distance between `NEAREST` and the cutoff.
        first, second: (pairs,) indices of the atoms.
        vector: (pairs, 3) from the first to the second, Å.
        distance: (pairs,), Å; `inside` are the same where the splines are defined.
        inside: see there.
    """

    part: slice
    spline: BSpline
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    vector: Array
    distance: Array
    inside: Array


class PairSums:
    """Cubic splines of the distance for each pair of species, zero with their slope at the cutoff.

    Args:
        cutoffs: of each pair of species both ways, Å.
    """

    def __init__(self, cutoffs: Mapping[str, Mapping[str, float]]) -> None:
        self.pairs = {
            pair: cutoffs[pair[0]][pair[1]]
            for pair in itertools.combinations_with_replacement(sorted(cutoffs), 2)
        }
        self._splines = []
        for end in self.pairs.values():
            inner = np.linspace(NEAREST * end, end, SPLINES)
            knots = np.concatenate([np.full(3, inner[0]), inner, np.full(3, end)])
            n = len(knots) - 4
            self._splines.append(BSpline(knots, np.eye(n)[:, : n - 2], 3, extrapolate=False))
        self._each = self._splines[0].c.shape[1]
        self.size = self._each * len(self.pairs)

    def in_frame(self, frame: Frame) -> Iterator[Pairs]:
        """Pairs of different molecules within their cutoffs, by pair of species."""
        atoms, molecule = frame.atoms, frame.molecule
        first, second, vector, distance = neighbour_list(
            "ijDd",
            positions=atoms.positions,
            cell=np.asarray(atoms.cell.complete()),  # a frame in open space has none
            pbc=atoms.pbc,
            cutoff=max(self.pairs.values()),
        )
        once = (molecule[first] != molecule[second]) & (first < second)
        first, second, vector, distance = (x[once] for x in (first, second, vector, distance))
        kinds = np.sort(np.array(atoms.get_chemical_symbols())[np.array([first, second])], axis=0)
        for place, ((a, b), end) in enumerate(self.pairs.items()):
            own = (kinds[0] == a) & (kinds[1] == b) & (distance < end)
            yield Pairs(
                slice(place * self._each, (place + 1) * self._each),
                self._splines[place],
                first[own],
                second[own],
                vector[own],
                distance[own],
                np.clip(distance[own], NEAREST * end, end * (1 - 1e-12)),
            )

    def of(self, frame: Frame) -> Array:
        """(size,) sums of a frame, per atom."""
        found = np.zeros(self.size)
        for pairs in self.in_frame(frame):
            found[pairs.part] = pairs.spline(pairs.inside).sum(0)
        return found / len(frame.atoms)


class FarthestFirst:
    """Points chosen one after another, each as far as possible from all that were chosen before.

    Args:
        points: (n, size) of all frames; components are scaled to zero mean and unit variance.
    """

    def __init__(self, points: Sequence[Array]) -> None:
        values = np.array(points, dtype=float)
        spread = values.std(0)
        self._points = (values - values.mean(0)) / np.where(spread > 0, spread, 1.0)
        self._nearest = np.full(len(values), np.inf)

    def take(self, place: int) -> None:
        """A point is chosen, or was there before."""
        squares = ((self._points - self._points[place]) ** 2).sum(1)
        self._nearest = np.minimum(self._nearest, squares)

    def best(self, places: Sequence[int], weights: Sequence[float] | None = None) -> int:
        """Of some places the one farthest from all taken ones; from the mean where none is.

        Args:
            places: to choose from.
            weights: of these places, by which their distances are multiplied; of equal products the
                larger distance wins.
        """
        nothing = np.isinf(self._nearest).all()
        far = np.sqrt((self._points**2).sum(1) if nothing else self._nearest)[list(places)]
        weighted = far if weights is None else far * np.asarray(weights)
        return places[max(range(len(places)), key=lambda k: (weighted[k], far[k]))]
