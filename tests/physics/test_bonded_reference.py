"""Force fields with charges and bonded terms: against formulas, and commands that are refused."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from numpy.typing import NDArray

from lmp_thermo.analysis import trajectory
from lmp_thermo.decks.single_point import read_single_point, write_single_point
from lmp_thermo.errors import AnalysisError, LabelError, LmpThermoError, StudyError
from lmp_thermo.launch import find_lmp
from lmp_thermo.reference.lammps_force_field import LammpsReference
from tests.physics.test_reference import check_derivatives
from tests.tolerances import ROUND_OFF
from tests.unit.bonded import BONDED, DIOXIDE, dioxide, molecule_files, peroxide

pytestmark = pytest.mark.physics

EPSILON = {1: 0.001, 2: 0.006, 3: 0.007, 4: 0.0025}
SIGMA = {1: 1.5, 2: 3.1, 3: 3.0, 4: 2.8}
CUTOFF_A = 8.0
PAIRS = (
    f"pair_style lj/cut/coul/cut {CUTOFF_A}",
    *(f"pair_coeff {t} {t} {EPSILON[t]} {SIGMA[t]}" for t in EPSILON),
    "pair_modify mix geometric",
)
COULOMB_EV_A = 14.3996454
"""e^2/(4 pi epsilon_0), CODATA 2018; LAMMPS's metal units have 14.399645, so 3e-8 apart."""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return molecule_files(tmp_path)


@pytest.fixture
def reference(files: tuple[Path, Path]) -> LammpsReference:
    return LammpsReference("bonded", PAIRS, CUTOFF_A, ("H", "O", "C"), (), BONDED, files)


def box() -> Atoms:
    """Two of the one and one of the other, near each other in a triclinic box."""
    pieces = [dioxide(), peroxide(), dioxide()]
    pieces[1].positions += [0.3, 3.2, 0.4]
    pieces[2].rotate(70, (1, 2, 3))
    pieces[2].positions += [0.5, 0.8, 3.4]
    atoms = pieces[0] + pieces[1] + pieces[2]
    atoms.set_cell([[9.0, 0.4, -0.3], [0.8, 9.5, 0.2], [-0.5, 0.6, 9.2]])
    atoms.pbc = True
    return atoms


TYPES = {"HOOH": [1, 2, 2, 1], "OCO": [3, 4, 3]}
CHARGES = {"HOOH": [0.4, -0.4, -0.4, 0.4], "OCO": [-0.3, 0.6, -0.3]}


def name_of(molecule: Atoms) -> str:
    return "".join(molecule.symbols)


def angle(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    u, v = a - b, c - b
    return float(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))


def bonded_energy(atoms: Atoms) -> float:
    """The formulas of LAMMPS's manual for the styles above, and the halved pair 1-4."""
    x = atoms.positions
    if name_of(atoms) == "OCO":
        stretch = sum(50.0 * (np.linalg.norm(x[i] - x[1]) - 1.15) ** 2 for i in (0, 2))
        return float(stretch + 12.0 * (1 + np.cos(angle(*x))))
    stretch = sum(
        k * (np.linalg.norm(x[i] - x[i + 1]) - r) ** 2
        for i, (k, r) in enumerate([(20.0, 0.97), (12.0, 1.45), (20.0, 0.97)])
    )
    bend = sum(2.0 * (angle(*x[i : i + 3]) - np.radians(101.0)) ** 2 for i in (0, 1))
    twist = np.radians(atoms.get_dihedral(0, 1, 2, 3))
    return float(
        stretch + bend + 0.05 * (1 + np.cos(2 * twist)) + 0.5 * pair_energy(1, 1, 0.16, x[3] - x[0])
    )


def pair_energy(i: int, j: int, charges: float, vector: NDArray[np.float64]) -> float:
    r = float(np.linalg.norm(vector))
    if r >= CUTOFF_A:
        return 0.0
    sixth = (np.sqrt(SIGMA[i] * SIGMA[j]) / r) ** 6
    lj = 4 * np.sqrt(EPSILON[i] * EPSILON[j]) * (sixth**2 - sixth)
    return float(lj + COULOMB_EV_A * charges / r)


def energy_by_formula(molecules: list[Atoms], cell: NDArray[np.float64] | None = None) -> float:
    """Every pair of atoms of different molecules or images, beside each molecule's own terms."""
    total = sum(bonded_energy(own) for own in molecules)
    shifts = [np.zeros(3)]
    if cell is not None:
        shifts = [np.array(s) @ cell for s in np.ndindex(5, 5, 5)]
        shifts = [s - 2 * cell.sum(0) for s in shifts]
    sites = [
        (m, t, q, x)
        for m, own in enumerate(molecules)
        for t, q, x in zip(TYPES[name_of(own)], CHARGES[name_of(own)], own.positions, strict=True)
    ]
    for shift in shifts:
        at_home = not shift.any()
        for m, t, q, x in sites:
            for m2, t2, q2, x2 in sites:
                if not at_home or m != m2:
                    total += 0.5 * pair_energy(t, t2, q * q2, x2 + shift - x)
    return total


RELATIVE = 1e-6
"""LAMMPS's constant of Coulomb energies has eight digits, and its energies cancel tenfold."""


def test_a_molecule_alone_is_that_of_the_formulas(reference: LammpsReference) -> None:
    for own in (peroxide(), dioxide()):
        assert reference.label_alone(own).energy == pytest.approx(bonded_energy(own), rel=RELATIVE)


def test_molecules_interact_by_the_formulas(reference: LammpsReference) -> None:
    both = [peroxide(), dioxide()]
    both[1].positions += [0.4, 1.1, 3.3]
    found = reference.label_alone(both[0] + both[1]).energy
    assert found == pytest.approx(energy_by_formula(both), rel=RELATIVE)


def test_a_box_is_that_of_the_formulas(reference: LammpsReference) -> None:
    atoms = box()
    molecules = [atoms[:3], atoms[3:7], atoms[7:]]
    expected = energy_by_formula(molecules, np.asarray(atoms.cell))
    label = reference.label(atoms)
    assert label.energy == pytest.approx(expected, rel=RELATIVE)
    assert np.abs(label.forces.sum(0)).max() < ROUND_OFF * 1e3


def test_labels_are_derivatives(files: tuple[Path, Path]) -> None:
    """Coulomb energies jump at a cutoff; damped and shifted ones do not."""
    pairs = tuple(line.replace("coul/cut", "coul/dsf 0.2") for line in PAIRS)
    pairs = (*pairs[:-1], "pair_modify mix geometric shift yes")
    own = LammpsReference("bonded", pairs, CUTOFF_A, ("H", "O", "C"), (), BONDED, files)
    check_derivatives(own, box(), step=1e-4)


def test_a_deck_has_the_energy_of_a_label(reference: LammpsReference, tmp_path: Path) -> None:
    """Molecules in any order, one of them across a boundary of the box."""
    atoms = box()
    atoms.positions -= 0.7
    label = reference.label(atoms)
    folder = tmp_path / "deck"
    write_single_point(folder, atoms, reference.interaction)
    lammps = find_lmp(None)
    subprocess.run(
        [str(lammps.binary), "-in", "in.lmp"],
        cwd=folder,
        env=dict(lammps.environment),
        check=True,
        capture_output=True,
    )
    energy, forces, stress = read_single_point(folder, atoms)
    assert energy == pytest.approx(label.energy, rel=1e-12)
    assert forces == pytest.approx(label.forces, abs=1e-10)
    assert stress[0, 1] == pytest.approx(label.stress[5], abs=1e-10)  # type: ignore[index]


def test_an_analysis_reads_the_data_file(reference: LammpsReference, tmp_path: Path) -> None:
    atoms = box()
    write_single_point(tmp_path / "deck", atoms, reference.interaction)
    path = tmp_path / "deck/data.lmp"
    found = trajectory.read_topology(path, [3, 4, 3], reference.interaction.species)
    assert list(found.atoms.elements) == list(atoms.symbols)
    assert found.atoms.masses == pytest.approx(atoms.get_masses(), rel=1e-3)
    assert found.atoms[0].position == pytest.approx(
        (atoms.positions @ atoms.cell.standard_form()[1].T)[0], abs=1e-5
    )
    path.write_text(path.read_text().replace("  # full", ""))  # seven columns tell
    found = trajectory.read_topology(path, [3, 4, 3], reference.interaction.species)
    assert list(found.atoms.elements) == list(atoms.symbols)
    path.write_text(path.read_text().replace("Atoms", "Atoms # sphere"))
    with pytest.raises(AnalysisError, match="atom_style sphere, expected atomic or full"):
        trajectory.read_topology(path, [3, 4, 3], reference.interaction.species)


def test_species_are_those_of_the_types(reference: LammpsReference) -> None:
    own = reference.interaction
    assert own.species == ("H", "O", "O", "C")
    assert own.masses_g_mol == pytest.approx((1.008, 15.999, 15.999, 12.011))


def test_the_files_belong_to_the_identity(
    reference: LammpsReference, files: tuple[Path, Path]
) -> None:
    before = reference.identity
    files[1].write_text(DIOXIDE.replace("0.6", "0.62"))
    assert reference.identity != before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bonded_commands": ("bond_style harmonic", "shell rm x")}, "bonded_commands: got 'shell"),
        (
            {"bonded_commands": ("bond_coeff 1 $(x) 1",)},
            "bonded_commands: got .*without quotes, [$], &",
        ),
        ({"bonded_commands": BONDED[:3] + BONDED[4:]}, "LAMMPS: ERROR: (All|Bond) bond|Bond coeff"),
        ({"bonded_commands": ("bond_coeff 1 52.27 1.149 # C-O",)}, "without quotes, [$], & and #"),
        ({"pair_commands": ("pair_style lj/cut/coul/long 8.0", *PAIRS[1:])}, "LAMMPS: ERROR"),
    ],
)
def test_commands_that_are_refused(
    files: tuple[Path, Path], changes: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {"pair_commands": PAIRS, "bonded_commands": BONDED, **changes}
    with pytest.raises((StudyError, LabelError), match=message):
        LammpsReference(
            "x", cutoff_A=CUTOFF_A, species=("H", "O", "C"), molecules=files, **given
        ).label_alone(dioxide())


def test_other_molecules_are_refused(reference: LammpsReference) -> None:
    with pytest.raises(LmpThermoError, match="expected molecules one after another"):
        reference.label_alone(Atoms("CO", [[0, 0, 0], [1.1, 0, 0]]))
