"""Pairs in a triclinic box against a sum over all images."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from lmp_thermo.analysis import neighbours
from lmp_thermo.analysis.neighbours import DistanceHistogram, box_heights, neighbour_pairs
from lmp_thermo.errors import AnalysisError
from tests.tolerances import FLOAT32_LENGTH_A, ROUND_OFF

R_MAX = 7.9


def all_distances(
    a: NDArray[np.float64], b: NDArray[np.float64], vectors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, m) nearest-image distances: the shortest of the 27 images around the wrapped one."""
    fractional = (b[None, :] - a[:, None]) @ np.linalg.inv(vectors)
    wrapped = fractional - np.round(fractional)
    images = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
    return np.asarray(
        np.min([np.linalg.norm((wrapped + n) @ vectors, axis=-1) for n in images], axis=0)
    )


@pytest.mark.parametrize("portion", [100, 10_000_000])
def test_pairs_are_those_of_all_images(
    triclinic: tuple[NDArray[np.float64], NDArray[np.float64]],
    monkeypatch: pytest.MonkeyPatch,
    portion: int,
) -> None:
    monkeypatch.setattr(neighbours, "PAIRS_AT_ONCE", portion)
    vectors, _ = triclinic
    rng = np.random.default_rng(0)
    a = (rng.uniform(-1.0, 2.0, (60, 3)) @ vectors).astype(np.float32)
    b = (rng.uniform(-1.0, 2.0, (80, 3)) @ vectors).astype(np.float32)
    expected = all_distances(a.astype(float), b.astype(float), vectors)
    found = np.full(expected.shape, np.inf)
    for i, j, distance in neighbour_pairs(a, b, vectors, R_MAX):
        assert np.all(np.isinf(found[i, j]))
        found[i, j] = distance
    # A pair on the very edge may fall on either side; none is there with this seed.
    assert np.array_equal(np.isfinite(found), expected < R_MAX)
    inside = expected < R_MAX
    assert found[inside] == pytest.approx(expected[inside], abs=FLOAT32_LENGTH_A)


def test_histogram_is_that_of_the_pairs(
    triclinic: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    vectors, _ = triclinic
    rng = np.random.default_rng(1)
    points = (rng.uniform(0.0, 1.0, (120, 3)) @ vectors).astype(np.float32)
    edges = np.linspace(2.0, R_MAX, 12)
    distances = all_distances(points.astype(float), points.astype(float), vectors)
    expected, _ = np.histogram(distances[~np.eye(120, dtype=bool)], bins=edges)
    assert np.array_equal(DistanceHistogram(edges).count(points, points, vectors), expected)


def test_heights_of_a_box(triclinic: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    vectors, _ = triclinic
    volume = np.linalg.det(vectors)
    faces = [np.linalg.norm(np.cross(vectors[i - 2], vectors[i - 1])) for i in range(3)]
    assert box_heights(vectors) == pytest.approx([volume / f for f in faces], rel=ROUND_OFF)


def test_unusable_points_and_ranges() -> None:
    points = np.zeros((2, 3), dtype=np.float32)
    box = 10.0 * np.eye(3)
    with pytest.raises(AnalysisError, match=r"distance 5 Å, expected less than half .*\(5 Å\)"):
        list(neighbour_pairs(points, points, box, 5.0))
    with pytest.raises(AnalysisError, match="a coordinate is not finite, expected numbers in Å"):
        list(neighbour_pairs(points * np.nan, points, box, 3.0))
    with pytest.raises(AnalysisError, match="a coordinate is not finite"):
        DistanceHistogram(np.array([1.0, 2.0])).count(points, points - np.inf, box)
