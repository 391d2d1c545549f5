"""Coordination numbers: how many sites stand within a cutoff of a site."""

import numpy as np
from MDAnalysis.analysis.base import AnalysisBase
from numpy.typing import NDArray

from lmp_thermo.analysis.neighbours import neighbour_pairs
from lmp_thermo.analysis.rdf import admitted_pairs, excluded
from lmp_thermo.analysis.sites import Sites
from lmp_thermo.analysis.statistics import Observable, column_means, estimate
from lmp_thermo.errors import AnalysisError


class CoordinationNumber(AnalysisBase):  # type: ignore[misc]  # MDAnalysis has no types
    r"""Sites B within a cutoff of each site A, counted hard and smooth.

    Hard: the number with r < r_c. Smooth: the sum of

    .. math:: s(r) = \tfrac12 [1 + \cos(\pi (r - r_c + w) / 2w)]

    between r_c - w and r_c + w, 1 below, 0 above: it changes continuously as sites cross the
    cutoff, and hardly depends on a cutoff that lies in a flat minimum of g(r). In a gas, where
    there is no shell, both are the mean density in the sphere and nothing more.

    Args:
        sites_a: centres.
        sites_b: what is counted around them.
        cutoff: r_c, Å.
        half_width: w, Å.
        exclude_same_molecule: leave out pairs of one molecule.

    Attributes of ``results`` after ``run``:
        hard, smooth: (n_frames,) mean over sites A in each frame; numbers: (k,) 0, 1, 2, ...;
        probability, standard_error, n_independent: (k,) of finding that hard number around a site.
    """

    def __init__(
        self,
        sites_a: Sites,
        sites_b: Sites,
        *,
        cutoff: float,
        half_width: float = 0.25,
        exclude_same_molecule: bool = True,
    ) -> None:
        if not 0.0 < half_width < cutoff:
            raise AnalysisError(
                f"half width = {half_width} Å, expected above 0 and below the cutoff, {cutoff} Å"
            )
        admitted_pairs(sites_a, sites_b, exclude_same_molecule)
        super().__init__(sites_a.universe.trajectory)
        self._a, self._b = sites_a, sites_b
        self._cutoff, self._half_width = cutoff, half_width
        self._exclude = exclude_same_molecule

    @property
    def label(self) -> str:
        """``A-B``."""
        return f"{self._a.label}-{self._b.label}"

    def _prepare(self) -> None:
        self.results.hard = np.zeros(self.n_frames)
        self.results.smooth = np.zeros(self.n_frames)
        self._histograms: list[NDArray[np.int64]] = []

    def _single_frame(self) -> None:
        n = len(self._a.identities)
        numbers = np.zeros(n, dtype=np.int64)
        smooth = 0.0
        reach = self._cutoff + self._half_width
        for i, j, distance in neighbour_pairs(
            self._a.positions(), self._b.positions(), self._ts.triclinic_dimensions, reach
        ):
            keep = ~excluded(self._a, self._b, i, j, self._exclude)
            numbers += np.bincount(i[keep & (distance < self._cutoff)], minlength=n)
            smooth += float(switched(distance[keep], self._cutoff, self._half_width).sum())
        self.results.hard[self._frame_index] = numbers.mean()
        self.results.smooth[self._frame_index] = smooth / n
        self._histograms.append(np.bincount(numbers))

    def _conclude(self) -> None:
        longest = max(len(histogram) for histogram in self._histograms)
        samples = np.zeros((self.n_frames, longest))
        for row, histogram in zip(samples, self._histograms, strict=True):
            row[: len(histogram)] = histogram / histogram.sum()
        self.results.numbers = np.arange(longest)
        (
            self.results.probability,
            self.results.standard_error,
            self.results.n_independent,
        ) = column_means(samples)

    def hard(self) -> Observable:
        """Mean hard coordination number; estimator as in `statistics.estimate`."""
        return self._estimate("coordination", self.results.hard, "")

    def smooth(self) -> Observable:
        """Mean smooth coordination number; estimator as in `statistics.estimate`."""
        text = f", switched over ±{self._half_width:g} Å"
        return self._estimate("coordination_smooth", self.results.smooth, text)

    def _estimate(self, name: str, series: NDArray[np.float64], how: str) -> Observable:
        return estimate(
            series,
            name=f"{name}.{self.label}",
            unit="1",
            origin=f"{self.n_frames} frames, cutoff {self._cutoff:.3f} Å{how}",
            detect_equilibration=False,
        )


def switched(
    distance: NDArray[np.floating], cutoff: float, half_width: float
) -> NDArray[np.float64]:
    """1 below cutoff - half_width, 0 above cutoff + half_width, half a cosine between."""
    phase = np.clip((distance - cutoff + half_width) / (2.0 * half_width), 0.0, 1.0)
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * phase)), dtype=np.float64)
