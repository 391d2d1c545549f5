"""Elemental references from the energies of frames."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from lmp_thermo.errors import TrainingError
from lmp_thermo.frames import MOLECULE, Frame, Tags
from lmp_thermo.training.references import ElementalReferences
from tests.tolerances import ROUND_OFF

ENERGIES = {"C": -37.3, "H": -0.7}


def _frame(n_c: int, n_h: int, density: float, index: int, shift: float = 0.0) -> Frame:
    atoms = Atoms(f"C{n_c}H{n_h}", positions=np.arange(3.0 * (n_c + n_h)).reshape(-1, 3))
    atoms.set_array(MOLECULE, np.zeros(n_c + n_h, dtype=int))
    energy = n_c * ENERGIES["C"] + n_h * ENERGIES["H"] + shift
    zero = np.zeros((n_c + n_h, 3))
    frame = Frame(atoms, Tags(density, 300.0, "packed", 0, 1, index))
    return frame.labelled("exact", energy, zero, None, energy, zero)


def _pool() -> list[Frame]:
    return [_frame(1 + i % 3, 4, density, i) for density in (0.1, 0.4) for i in range(10)]


def test_references_are_recovered_from_mixtures(tmp_path: Path) -> None:
    references = ElementalReferences.fit(_pool(), ["C", "H"])
    for name, energy in ENERGIES.items():
        assert references.energies[name] == pytest.approx(energy, rel=ROUND_OFF)
    assert references.residual(_pool()[4]) == pytest.approx(0.0, abs=1e3 * ROUND_OFF)
    references.write(tmp_path / "references.json")
    assert ElementalReferences.read(tmp_path / "references.json") == references


def test_one_composition_leaves_the_given_difference_of_elements() -> None:
    frames = [_frame(1, 4, 0.1, i, shift=-2.5) for i in range(3)]
    references = ElementalReferences.fit(frames, ["C", "H"], towards=ENERGIES)
    assert references.of(frames[0]) == pytest.approx(frames[0].energy, rel=ROUND_OFF)
    # smallest change that does it: along the composition (1, 4)
    change = np.array([references.energies[s] - ENERGIES[s] for s in ("C", "H")])
    assert change == pytest.approx(-2.5 / 17 * np.array([1.0, 4.0]), rel=1e-9)


def test_frames_of_two_fidelities_are_refused() -> None:
    other = _frame(1, 4, 0.1, 0)
    other = other.labelled("crude", -1.0, other.forces, None, -1.0, other.forces)
    with pytest.raises(TrainingError, match="2 fidelities"):
        ElementalReferences.fit([_frame(1, 4, 0.1, 0), other], ["C", "H"])


def test_unknown_elements_are_refused() -> None:
    with pytest.raises(TrainingError, match="has element C, expected one of H"):
        ElementalReferences.fit(_pool(), ["H"])
    with pytest.raises(TrainingError, match="got none for C"):
        ElementalReferences({"H": 0.0}, "given").of(_pool()[0])


def test_corrupt_references_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text('{"unit": "Ha", "energies": {}}')
    with pytest.raises(TrainingError, match="unit Ha"):
        ElementalReferences.read(tmp_path / "r.json")
