"""Frames as sums over pairs, and choices of frames that are as unlike as possible."""

import numpy as np
import pytest
from ase import Atoms

from lmp_thermo.frames import Frame, Tags, molecule_index
from lmp_thermo.sampling.pair_sums import FarthestFirst, PairSums
from tests.tolerances import ROUND_OFF

CUTOFFS = {"Ar": {"Ar": 6.0, "Ne": 5.0}, "Ne": {"Ar": 5.0, "Ne": 4.0}}


def frame(atoms: Atoms, sizes: list[int]) -> Frame:
    """As molecules of so many atoms."""
    atoms.set_array("molecule", molecule_index(sizes))
    return Frame(atoms, Tags(0.1, 300.0, "packed", 0, 1, 0))


def test_only_pairs_of_different_molecules_within_their_cutoff_count() -> None:
    sums = PairSums(CUTOFFS)
    far = Atoms("ArAr", [[0, 0, 0], [6.01, 0, 0]])
    assert not sums.of(frame(far, [1, 1])).any()
    near = Atoms("ArAr", [[0, 0, 0], [4.0, 0, 0]])
    assert sums.of(frame(near, [1, 1])).sum() > 0
    assert not sums.of(frame(near, [2])).any()
    mixed = sums.of(frame(Atoms("ArNe", [[0, 0, 0], [4.9, 0, 0]]), [1, 1]))
    each = sums.size // 3
    assert mixed[each : 2 * each].any()  # Ar-Ar, Ar-Ne, Ne-Ne
    assert not mixed[:each].any()
    assert not mixed[2 * each :].any()


def test_sums_are_per_atom_and_know_images() -> None:
    sums = PairSums(CUTOFFS)
    box = Atoms(
        "Ar3", [[0.2, 0.1, 0.3], [3.9, 0.4, 7.0], [8.8, 5.1, 2.0]], cell=[9, 8, 10], pbc=True
    )
    once = sums.of(frame(box, [1, 1, 1]))
    doubled = sums.of(frame(box.repeat((2, 1, 1)), [1] * 6))
    assert doubled == pytest.approx(once, rel=ROUND_OFF)
    moved = box.copy()
    moved.positions += [4.7, -3.3, 12.9]
    assert sums.of(frame(moved, [1, 1, 1])) == pytest.approx(once, rel=1e-9)  # of distances


def test_farthest_first() -> None:
    """On a line with an outlier; a component without variance says nothing."""
    points = [np.array([x, 7.0]) for x in (0.0, 1.0, 2.0, 3.0, 10.0)]
    choice = FarthestFirst(points)
    order = []
    left = list(range(5))
    for _ in range(4):
        order.append(choice.best(left))
        choice.take(order[-1])
        left.remove(order[-1])
    assert order == [4, 0, 3, 1]  # the outlier, the far end, then 3 units off, then 1 (a tie)


def test_what_is_known_is_kept_away_from() -> None:
    choice = FarthestFirst([np.array([x]) for x in (0.0, 4.0, 9.0)])
    choice.take(2)
    assert choice.best([0, 1]) == 0
    choice.take(0)
    assert choice.best([1]) == 1
