"""Molecules cut by the box are made whole."""

import numpy as np
import pytest

from lmp_thermo.analysis.bonds import BondStretch
from lmp_thermo.analysis.molecules import covalent_radius
from lmp_thermo.analysis.trajectory import run_analysis
from lmp_thermo.errors import AnalysisError
from tests.tolerances import FLOAT32_LENGTH_A

METHANE = (
    1.09
    / np.sqrt(3.0)
    * np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=float)
)


def wrapped(positions, vectors):
    """Each atom brought into the box on its own."""
    return (positions @ np.linalg.inv(vectors) % 1.0) @ vectors


def test_centres_do_not_depend_on_wrapping(make_trajectory, triclinic) -> None:
    vectors, dimensions = triclinic
    rng = np.random.default_rng(0)
    centres = rng.uniform(0.0, 1.0, (2, 20, 3)) @ vectors
    whole = (centres[:, :, None, :] + METHANE).reshape(2, 100, 3)
    trajectory = make_trajectory(wrapped(whole, vectors), dimensions, list("CHHHH") * 20, [5] * 20)
    molecules = trajectory.molecules
    assert len(molecules.bonds) == 80
    for frame, expected in zip(trajectory.universe.trajectory, centres, strict=True):
        assert frame.n_atoms == 100
        assert wrapped(molecules.centres(), vectors) == pytest.approx(
            wrapped(expected, vectors), abs=FLOAT32_LENGTH_A
        )


def test_centre_is_that_of_mass(make_trajectory) -> None:
    bent = np.array([[[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]]])
    trajectory = make_trajectory(bent, [20, 20, 20, 90, 90, 90], list("OHH"), [3])
    expected = (1.008 * (bent[0, 1] + bent[0, 2])) / (15.999 + 2 * 1.008)
    assert trajectory.molecules.centres()[0] == pytest.approx(expected, abs=FLOAT32_LENGTH_A)


def test_molecule_longer_than_half_the_box(make_trajectory) -> None:
    chain = np.zeros((1, 12, 3))
    chain[0, :, 0] = 1.5 * np.arange(12)
    chain[0, ::2, 1] = 0.4
    shuffled = np.array([5, 0, 11, 3, 4, 1, 2, 8, 7, 6, 10, 9])
    box = [20.0, 20.0, 20.0, 90.0, 90.0, 90.0]
    positions = (chain[:, shuffled] + [17.0, 3.0, 3.0]) % 20.0
    whole = make_trajectory(positions, box, ["C"] * 12, [12]).molecules.whole()
    along = whole[:, 0] - whole[0, 0]
    assert along == pytest.approx(1.5 * (shuffled - 5), abs=FLOAT32_LENGTH_A)


def test_molecule_in_pieces_is_refused(make_trajectory) -> None:
    positions = np.concatenate([METHANE, METHANE + 6.0])[None]
    positions[0, 7] += 2.0
    with pytest.raises(AnalysisError, match=r"molecule 2 of 2 is in pieces .*\(3 pieces in all\)"):
        make_trajectory(positions, [20, 20, 20, 90, 90, 90], list("CHHHH") * 2, [5, 5])


def test_species_must_be_elements(make_trajectory) -> None:
    with pytest.raises(
        AnalysisError, match="species '1' is no chemical element, expected a symbol"
    ):
        covalent_radius("1")


def test_bond_that_breaks_is_found(make_trajectory) -> None:
    frames = np.repeat(np.concatenate([METHANE, METHANE + 6.0])[None], 4, axis=0)
    frames[:, 5:] += 10.0
    frames[2, 8] += 0.6 * METHANE[3]
    frames %= 20.0
    trajectory = make_trajectory(frames, [20, 20, 20, 90, 90, 90], list("CHHHH") * 2, [5, 5])
    whole = run_analysis(BondStretch(trajectory.molecules), trajectory, np.array([0, 1, 3]))
    assert whole.intact
    assert whole.max_stretch == pytest.approx(1.0, abs=FLOAT32_LENGTH_A)
    broken = run_analysis(BondStretch(trajectory.molecules), trajectory, trajectory.frames)
    assert not broken.intact
    assert broken.max_stretch == pytest.approx(1.6, abs=FLOAT32_LENGTH_A)
    assert broken.worst() == "C6-H9 at 1.600 times its reference length at 0.2 ps"
    (length,) = broken.lengths()
    assert (length.name, length.unit) == ("bond_length.C-H", "Å")
    assert length.value == pytest.approx(1.09 * (1 + 0.6 / 32), abs=FLOAT32_LENGTH_A)


def test_atoms_have_no_bonds_to_break(make_trajectory) -> None:
    frames = np.random.default_rng(0).uniform(0.0, 20.0, (3, 4, 3))
    trajectory = make_trajectory(frames, [20, 20, 20, 90, 90, 90])
    bonds = run_analysis(BondStretch(trajectory.molecules), trajectory, trajectory.frames)
    assert bonds.intact
    assert bonds.worst() == "no bonds"
    assert bonds.lengths() == []
