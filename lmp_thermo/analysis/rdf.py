"""Radial distribution functions, between atoms or between centres of molecules."""

import numpy as np
from MDAnalysis.analysis.base import AnalysisBase
from MDAnalysis.lib.distances import minimize_vectors
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lmp_thermo.analysis.neighbours import DistanceHistogram, box_heights, neighbour_pairs
from lmp_thermo.analysis.sites import Sites
from lmp_thermo.analysis.statistics import Observable, column_means
from lmp_thermo.analysis.trajectory import Trajectory, run_analysis
from lmp_thermo.errors import AnalysisError

SMOOTHING_A = 0.15
"""Standard deviation of the Gaussian through which features are looked for, Å."""

SIGNIFICANT = 3.0
"""Standard errors by which the next maximum must rise above a minimum."""

MOST_BINS = 300
"""Of a histogram by freud: making one takes time with the cube of its bins, 0.1 s for 300 and
3 s for 800; above, listing pairs is faster for all but very large systems."""


class RadialDistribution(AnalysisBase):  # type: ignore[misc]  # MDAnalysis has no types
    r"""Density of sites B around sites A over its mean, by distance.

    .. math:: g(r) = V n(r) / (N_{pairs} \, 4\pi (r_+^3 - r_-^3)/3)

    with n(r) the ordered pairs between the edges r- and r+ of a bin, and V the volume, in each
    frame (Allen & Tildesley, DOI 10.1093/oso/9780198803195.001.0001, chapter 8). N_pairs counts
    the pairs that are admitted: N(N - 1) within one set of N sites, fewer where pairs of one
    molecule are left out. So an ideal gas at fixed number has g = 1 exactly, and a liquid tends
    to 1 + O(1/N).

    Fails for r beyond half the smallest box height, where images repeat: the range is cut just
    below it. Means over frames; standard errors as in `column_means`, bin by bin.

    Args:
        sites_a: centres.
        sites_b: what is counted around them.
        r_max: end of the last bin, Å.
        bin_width: Å; the last bin ends at or below `r_max`.
        exclude_same_molecule: leave out pairs of one molecule.

    Attributes of ``results`` after ``run``:
        edges, r (bin centres), g, standard_error, n_independent, counts (ordered pairs per
        frame), r_max, and reduced (whether the box was too small for the range asked for).
    """

    def __init__(
        self,
        sites_a: Sites,
        sites_b: Sites,
        *,
        r_max: float = 12.0,
        bin_width: float = 0.05,
        exclude_same_molecule: bool = True,
    ) -> None:
        if not 0.0 < bin_width < r_max:
            raise AnalysisError(
                f"bin width = {bin_width} Å, expected above 0 and below r_max = {r_max} Å"
            )
        super().__init__(sites_a.universe.trajectory)
        self._a, self._b = sites_a, sites_b
        self._asked, self._width = r_max, bin_width
        self._exclude = exclude_same_molecule
        self._n_pairs = admitted_pairs(sites_a, sites_b, exclude_same_molecule)
        molecules = np.concatenate([sites_a.molecules, sites_b.molecules])
        _, first, molecule = np.unique(molecules, return_index=True, return_inverse=True)
        self._first_site = first[molecule]

    @property
    def label(self) -> str:
        """``A-B``."""
        return f"{self._a.label}-{self._b.label}"

    def _prepare(self) -> None:
        half, reach = np.inf, 0.0
        for ts in self._sliced_trajectory:
            half = min(half, 0.5 * float(box_heights(ts.triclinic_dimensions).min()))
            reach = max(reach, self._reach(ts.dimensions)) if self._exclude else 0.0
        n_bins = int(min(self._asked, half * (1.0 - 1e-6)) / self._width + 1e-9)
        if n_bins < 1:
            raise AnalysisError(
                f"bin width = {self._width} Å, expected below half the smallest box height "
                f"({half:.6g} Å); reduce it"
            )
        edges = self._width * np.arange(n_bins + 1, dtype=np.float64)
        self.results.edges = edges
        self.results.r = 0.5 * (edges[:-1] + edges[1:])
        self.results.r_max = float(edges[-1])
        self.results.reduced = bool(half < self._asked)
        self._counts = np.zeros((self.n_frames, n_bins))
        self._volumes = np.zeros(self.n_frames)
        # Pairs are listed only as far as some may have to be left out; counted beyond.
        self._n_listed = min(n_bins, int(reach / self._width) + 1)
        if n_bins - self._n_listed > MOST_BINS:
            self._n_listed = n_bins
        self._beyond = (
            DistanceHistogram(edges[self._n_listed :]) if self._n_listed < n_bins else None
        )

    def _single_frame(self) -> None:
        matrix = self._ts.triclinic_dimensions
        n_listed = self._n_listed
        positions_a = self._a.positions()
        positions_b = positions_a if self._b is self._a else self._b.positions()
        counts = self._counts[self._frame_index]
        for i, j, distance in neighbour_pairs(
            positions_a, positions_b, matrix, self.results.edges[n_listed]
        ):
            kept = distance[~excluded(self._a, self._b, i, j, self._exclude)]
            bins = (kept * (1.0 / self._width)).astype(np.int64)
            counts[:n_listed] += np.bincount(bins, minlength=n_listed)[:n_listed]
        if self._beyond is not None:
            counts[n_listed:] = self._beyond.count(positions_a, positions_b, matrix)
        self._volumes[self._frame_index] = abs(np.linalg.det(matrix.astype(np.float64)))

    def _reach(self, dimensions: NDArray[np.float32]) -> float:
        """Upper bound on the distance of two sites of one molecule in the current frame, Å.

        Twice the largest distance from a molecule's first site: the triangle inequality holds
        for nearest-image distances too.
        """
        both = np.concatenate([self._a.positions(), self._b.positions()])
        from_first = minimize_vectors(both - both[self._first_site], dimensions)
        return 2.0 * float(np.sqrt(np.max(np.sum(from_first**2, axis=1))))

    def _conclude(self) -> None:
        shells = 4.0 / 3.0 * np.pi * np.diff(self.results.edges**3)
        samples = self._counts * (self._volumes[:, None] / (self._n_pairs * shells))
        self.results.g, self.results.standard_error, self.results.n_independent = column_means(
            samples
        )
        self.results.counts = self._counts.mean(axis=0)

    def first_peak(self) -> tuple[Observable, float]:
        """Height of the first peak as an observable, and its position in Å.

        The bin of the highest g; the maximum over noisy bins is biased upward by about their
        standard error.
        """
        peak = int(np.argmax(self.results.g))
        position = float(self.results.r[peak])
        height = Observable(
            name=f"rdf_peak.{self.label}",
            value=float(self.results.g[peak]),
            unit="1",
            standard_error=float(self.results.standard_error[peak]),
            n_independent=int(self.results.n_independent[peak]),
            origin=f"highest bin of g(r) at {position:.3f} Å, {self.n_frames} frames",
        )
        return height, position

    def first_minimum(self) -> float | None:
        """Position of the first minimum beyond the highest peak, Å; None where there is none.

        g is smoothed by a Gaussian of `SMOOTHING_A`; the minimum is its first one beyond the
        peak from which g rises again by more than `SIGNIFICANT` standard errors of one bin
        (smoothing makes that test strict). A gas has none.
        """
        g = gaussian_filter1d(self.results.g, SMOOTHING_A / self._width, mode="nearest")
        lowest = int(np.argmax(g))
        for k in range(lowest, len(g)):
            if g[k] < g[lowest]:
                lowest = k
            noise = np.hypot(self.results.standard_error[k], self.results.standard_error[lowest])
            if g[k] - g[lowest] > SIGNIFICANT * noise and g[k] > g[lowest]:
                return float(self.results.r[lowest])
        return None


def minimum_of_rdf(
    sites_a: Sites,
    sites_b: Sites,
    trajectory: Trajectory,
    frames: NDArray[np.int64],
    *,
    exclude_same_molecule: bool = True,
) -> float:
    """Position of the first minimum of g(r) over frames of a trajectory, Å.

    Raises:
        AnalysisError: there is none.
    """
    rdf = RadialDistribution(sites_a, sites_b, exclude_same_molecule=exclude_same_molecule)
    minimum = run_analysis(rdf, trajectory, frames).first_minimum()
    if minimum is None:
        raise AnalysisError(
            f"{rdf.label}: g(r) has no first minimum up to {rdf.results.r_max:.2f} Å (a gas, or "
            "too few frames), expected one; give a cutoff"
        )
    return minimum


def admitted_pairs(a: Sites, b: Sites, exclude_same_molecule: bool) -> int:
    """Number of ordered pairs of two sets of sites that a count may find.

    Raises:
        AnalysisError: there is none.
    """
    of_a, of_b = (
        (a.molecules, b.molecules) if exclude_same_molecule else (a.identities, b.identities)
    )
    size = int(max(of_a.max(), of_b.max())) + 1
    same = int(np.bincount(of_a, minlength=size) @ np.bincount(of_b, minlength=size))
    pairs = len(of_a) * len(of_b) - same
    if pairs < 1:
        raise AnalysisError(
            f"{a.label}-{b.label}: no pair of different sites, expected at least one; "
            "select more sites or count pairs of one molecule too"
        )
    return pairs


def excluded(
    a: Sites,
    b: Sites,
    i: NDArray[np.uint32],
    j: NDArray[np.uint32],
    exclude_same_molecule: bool,
) -> NDArray[np.bool_]:
    """Which of the pairs (i of a, j of b) are not to be counted."""
    if exclude_same_molecule:
        return np.asarray(a.molecules[i] == b.molecules[j])
    return np.asarray(a.identities[i] == b.identities[j])
