"""Molecules apart: labels of the molecules alone, no pair within reach."""

import numpy as np
import pytest

from lmp_thermo.potential.intermolecular import labelled_quantities
from lmp_thermo.training.apart import apart, with_molecules_apart
from tests.tolerances import ROUND_OFF
from tests.unit.potential.fluid_frames import known_fluid


def test_molecules_keep_their_shape_and_lose_each_other() -> None:
    frame = known_fluid(1).frame
    moved = apart(frame, reach_A=5.0)
    molecule = frame.molecule
    before = frame.atoms.positions[:, None] - frame.atoms.positions[None]
    after = moved.atoms.positions[:, None] - moved.atoms.positions[None]
    same = molecule[:, None] == molecule[None]
    assert after[same] == pytest.approx(before[same], abs=100 * ROUND_OFF)
    assert np.linalg.norm(after[~same], axis=1).min() > 5.0
    assert not moved.atoms.pbc.any()


def test_labels_are_those_of_the_molecules_alone() -> None:
    frame = known_fluid(2).frame
    moved = apart(frame, reach_A=5.0)
    assert moved.energy == frame.alone_energy
    assert moved.forces == pytest.approx(frame.alone_forces)
    assert moved.stress is None
    assert labelled_quantities(moved).interaction_energy_per_atom == 0.0


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.5, 2), (1.0, 4)])
def test_share_of_frames_is_repeated(share: float, count: int) -> None:
    frames = [known_fluid(seed).frame for seed in range(4)]
    every = with_molecules_apart(frames, share, reach_A=5.0)
    assert every[:4] == frames
    assert [f.tags.origin for f in every[4:]] == ["molecule"] * count
    assert len({f.tags.seed for f in every[4:]}) == count


def test_single_molecules_are_not_repeated() -> None:
    single = apart(known_fluid(1).frame, reach_A=5.0)
    single.atoms.arrays["molecule"][:] = 0
    assert with_molecules_apart([single], 1.0, reach_A=5.0) == [single]
