"""Pairs of points within a distance, in any periodic box, by freud's bounding-volume trees."""

from collections.abc import Iterator

import freud
import numpy as np
from numpy.typing import NDArray

from lmp_thermo.errors import AnalysisError

PAIRS_AT_ONCE = 200_000
"""Pairs held in memory at a time (about 40 bytes each)."""

Pairs = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float32]]


def box_heights(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distances between opposite faces of a box, (3,) Å.

    Args:
        matrix: (3, 3) box vectors as rows, Å.
    """
    m = np.asarray(matrix, dtype=np.float64)
    return np.asarray(1.0 / np.linalg.norm(np.linalg.inv(m), axis=0))


def freud_box(matrix: NDArray[np.floating]) -> freud.box.Box:
    """The box with lower triangular `matrix` (LAMMPS and MDAnalysis convention).

    freud's tilts are ratios: xy = b_x/b_y, xz = c_x/c_z, yz = c_y/c_z.
    """
    (ax, _, _), (bx, by, _), (cx, cy, cz) = np.asarray(matrix, dtype=np.float64)
    return freud.box.Box(ax, by, cz, bx / by, cx / cz, cy / cz)


def checked_box(
    points: NDArray[np.float32],
    neighbours: NDArray[np.float32],
    matrix: NDArray[np.floating],
    r_max: float,
) -> freud.box.Box:
    """The box, once points and range are found fit for it.

    Raises:
        AnalysisError: a coordinate is not finite, or `r_max` is too large for the box.
    """
    if not (np.isfinite(points).all() and np.isfinite(neighbours).all()):
        raise AnalysisError(
            "a coordinate is not finite, expected numbers in Å; "
            "the run has blown up or the trajectory is corrupt"
        )
    half = 0.5 * float(box_heights(matrix).min())
    if not r_max < half:
        raise AnalysisError(
            f"distance {r_max:.6g} Å, expected less than half the smallest box height "
            f"({half:.6g} Å); reduce it"
        )
    return freud_box(matrix)


def neighbour_pairs(
    points: NDArray[np.float32],
    neighbours: NDArray[np.float32],
    matrix: NDArray[np.floating],
    r_max: float,
) -> Iterator[Pairs]:
    """Ordered pairs closer than `r_max`, in portions of about `PAIRS_AT_ONCE`.

    Every periodic image counts as the one nearest; a point is its own neighbour where it
    stands in both lists.

    Args:
        points: (n, 3) Å.
        neighbours: (m, 3) Å.
        matrix: (3, 3) box vectors as rows, Å.
        r_max: Å, below half the smallest box height.

    Yields:
        Index into points, index into neighbours, distance in Å.

    Raises:
        AnalysisError: a coordinate is not finite, or `r_max` is too large for the box.
    """
    box = checked_box(points, neighbours, matrix, r_max)
    query = freud.locality.AABBQuery(box, box.wrap(neighbours))
    points = box.wrap(points)
    per_point = 4.0 / 3.0 * np.pi * r_max**3 * len(neighbours) / box.volume
    portion = max(1, int(PAIRS_AT_ONCE / max(per_point, 1.0)))
    for start in range(0, len(points), portion):
        found = query.query(
            points[start : start + portion], {"r_max": r_max, "exclude_ii": False}
        ).toNeighborList()
        yield found.query_point_indices + np.uint32(start), found.point_indices, found.distances


class DistanceHistogram:
    """Number of ordered pairs by distance, faster than listing them: freud counts as it finds.

    Args:
        edges: (n_bins + 1,) equally spaced, Å; the first above 0, so that no site is its own
            neighbour, the last below half the smallest box height.
    """

    def __init__(self, edges: NDArray[np.float64]) -> None:
        self._r_max = float(edges[-1])
        self._rdf = freud.density.RDF(len(edges) - 1, self._r_max, float(edges[0]))

    def count(
        self,
        points: NDArray[np.float32],
        neighbours: NDArray[np.float32],
        matrix: NDArray[np.floating],
    ) -> NDArray[np.float64]:
        """Counts in one frame, (n_bins,).

        Args:
            points: (n, 3) Å.
            neighbours: (m, 3) Å.
            matrix: (3, 3) box vectors as rows, Å.

        Raises:
            AnalysisError: a coordinate is not finite, or the range is too large for the box.
        """
        box = checked_box(points, neighbours, matrix, self._r_max)
        query = freud.locality.AABBQuery(box, box.wrap(neighbours))
        found = self._rdf.compute(
            query, box.wrap(points), {"r_max": self._r_max, "exclude_ii": False}
        )
        return np.asarray(found.bin_counts, dtype=np.float64)
