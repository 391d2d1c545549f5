"""Force fields with charges and bonded terms: against formulas, and what is refused."""

import re
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
from lmp_thermo.interaction import BondedMolecule, Topology
from lmp_thermo.launch import find_lmp
from lmp_thermo.reference.lammps_force_field import LammpsReference
from lmp_thermo.reference.molecule_files import check_molecules, read_topology
from tests.physics.test_reference import check_derivatives
from tests.tolerances import ROUND_OFF

pytestmark = pytest.mark.physics

# Hydrogen peroxide, which has a dihedral, and carbon dioxide, whose oxygen is of another type.
PEROXIDE = """hydrogen peroxide

4 atoms
3 bonds
2 angles
1 dihedrals
2 atom types
2 bond types
1 angle types
1 dihedral types

0 9 xlo xhi
0 9 ylo yhi
0 9 zlo zhi

Masses

1 1.008
2 15.999

Atoms # full

1 1 1 0.4 0 0 0
2 1 2 -0.4 0 0 0
3 1 2 -0.4 0 0 0
4 1 1 0.4 0 0 0

Bonds

1 1 1 2
2 2 2 3
3 1 3 4

Angles

1 1 1 2 3
2 1 2 3 4

Dihedrals

1 1 1 2 3 4
"""
DIOXIDE = """carbon dioxide

3 atoms
2 bonds
1 angles

4 atom types
3 bond types
2 angle types

0 9 xlo xhi
0 9 ylo yhi
0 9 zlo zhi

Masses

3 16.0
4 12.01

Atoms

1 1 3 -0.3 0 0 0
2 1 4 0.6 0 0 0
3 1 3 -0.3 0 0 0

Bonds

1 3 1 2
2 3 2 3

Angles

1 2 1 2 3
"""
EPSILON = {1: 0.001, 2: 0.006, 3: 0.007, 4: 0.0025}
SIGMA = {1: 1.5, 2: 3.1, 3: 3.0, 4: 2.8}
CUTOFF_A = 8.0
PAIRS = (
    f"pair_style lj/cut/coul/cut {CUTOFF_A}",
    *(f"pair_coeff {t} {t} {EPSILON[t]} {SIGMA[t]}" for t in EPSILON),
    "pair_modify mix geometric",
)
BONDED = (
    "bond_style harmonic",
    "bond_coeff 1 20.0 0.97",
    "bond_coeff 2 12.0 1.45",
    "bond_coeff 3 50.0 1.15",
    "angle_style hybrid harmonic cosine",
    "angle_coeff 1 harmonic 2.0 101.0",
    "angle_coeff 2 cosine 12.0",
    "dihedral_style harmonic",
    "dihedral_coeff 1 0.05 1 2",
    "special_bonds lj/coul 0.0 0.0 0.5",
)
COULOMB_EV_A = 14.3996454
"""e^2/(4 pi epsilon_0), CODATA 2018; LAMMPS's metal units have 14.399645, so 3e-8 apart."""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    found = (tmp_path / "peroxide.data", tmp_path / "dioxide.data")
    for path, text in zip(found, (PEROXIDE, DIOXIDE), strict=True):
        path.write_text(text)
    return found


@pytest.fixture
def reference(files: tuple[Path, Path]) -> LammpsReference:
    return LammpsReference("bonded", PAIRS, CUTOFF_A, ("H", "O", "C"), (), BONDED, files)


def peroxide() -> Atoms:
    return Atoms("HOOH", [[0.1, 0.9, 0.3], [0, 0, 0], [1.4, 0.1, 0], [1.7, -0.5, 0.7]])


def dioxide() -> Atoms:
    return Atoms("OCO", [[-1.1, 0.1, 0], [0, 0, 0.05], [1.15, 0.2, -0.1]])


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
    ("old", "new", "message"),
    [
        ("4 12.01", "4 14.01", "atom 2 has a mass of 14.01 g/mol, which is that of none of"),
        ("3 16.0", "3 1.008", "expected molecules one after another"),
        ("1 1 3 -0.3", "1 1 5 -0.3", "atom 1 has a mass of None g/mol"),
        ("1 1 3 -0.3 0 0 0", "1 3 0 0 0", "atom line '1 3 0 0 0' has 5 columns, not 7 or 10"),
        ("Atoms", "Atoms  # molecular", "its atoms are of style molecular"),
        ("2 1 4 0.6", "7 1 4 0.6", "its atoms are not numbered from 1 to 3"),
        ("2 3 2 3", "2 3 1 3", "atoms 1 and 3 of OCO are bonded in the file only"),
        ("1 2 1 2 3", "1 2 1 2 4", "angles line '1 2 1 2 4' is none of 3 atoms"),
        ("1 2 1 2 3", "1 2 1 2", "angles line '1 2 1 2' is none of 3 atoms"),
        ("1 2 1 2 3", "1 0 1 2 3", "angles line '1 0 1 2 3' has type 0"),
        ("2 3 2 3\n", "", "its header says 2 bonds, and 1 are there"),
        ("2 1 4 0.6", "2 1 4 six", "could not convert string to float"),
        ("2 1 4 0.6", "2 1 4 0.7", "2 molecules have a charge of 0.1 e"),
        (DIOXIDE, "", "it has no Masses"),
    ],
)
def test_files_that_are_none(files: tuple[Path, Path], old: str, new: str, message: str) -> None:
    files[1].write_text(DIOXIDE.replace(old, new, 1))

    def read_and_check() -> None:
        topology, _ = read_topology(files, BONDED, ("H", "O", "C"))
        check_molecules(topology, [peroxide(), dioxide()], [1, 1])

    with pytest.raises(StudyError, match=re.escape(message)):
        read_and_check()


def test_terms_keep_their_order_and_number(files: tuple[Path, Path]) -> None:
    """An improper names its middle atom first; torsions of several terms are on the same atoms."""
    more = "1 1 1 2 3 4\n2 2 1 2 3 4\n\nImpropers\n\n1 1 4 1 2 3\n"
    text = PEROXIDE.replace("1 dihedrals", "2 dihedrals\n1 impropers")
    files[0].write_text(text.replace("1 1 1 2 3 4\n", more))
    lines = (*BONDED, "improper_style harmonic")
    topology, _ = read_topology(files, lines, ("H", "O", "C"))
    (own, _) = topology.molecules
    assert own.terms["Dihedrals"] == ((1, (0, 1, 2, 3)), (2, (0, 1, 2, 3)))
    assert own.terms["Impropers"] == ((1, (3, 0, 1, 2)),)
    assert own.charges == (0.4, -0.4, -0.4, 0.4)


def test_atoms_may_stand_in_any_order_in_the_file(files: tuple[Path, Path]) -> None:
    before, _ = read_topology(files, BONDED, ("H", "O", "C"))
    first, second = "1 1 3 -0.3 0 0 0", "2 1 4 0.6 0 0 0  # the carbon"
    text = DIOXIDE.replace(first, "x").replace("2 1 4 0.6 0 0 0", first).replace("x", second)
    files[1].write_text(text)
    assert read_topology(files, BONDED, ("H", "O", "C"))[0] == before


@pytest.mark.parametrize("style", ["bond", "angle", "dihedral"])
def test_terms_without_a_style_are_refused(files: tuple[Path, Path], style: str) -> None:
    """LAMMPS would only warn, and leave them out."""
    lines = tuple(line for line in BONDED if not line.startswith(style))
    with pytest.raises(StudyError, match=f"bonded_commands: no {style}_style, expected one"):
        read_topology(files, lines, ("H", "O", "C"))


def test_a_type_is_of_one_element(files: tuple[Path, Path]) -> None:
    text = DIOXIDE.replace("1 1 3 -0.3", "1 1 1 -0.3").replace("3 16.0", "1 16.0\n3 16.0")
    files[1].write_text(text)
    with pytest.raises(StudyError, match="atom type 1 is O here and H elsewhere"):
        read_topology(files, BONDED, ("H", "O", "C"))
    with pytest.raises(StudyError, match="no atom is of type 2"):
        read_topology(files[1:], BONDED, ("O", "C"))


def test_two_files_of_the_same_atoms_are_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.data"
    other.write_text(DIOXIDE)
    with pytest.raises(StudyError, match=r"dioxide\.data and other\.data have the same atoms"):
        read_topology((*files, other), BONDED, ("H", "O", "C"))


def test_atoms_in_another_order_are_refused(files: tuple[Path, Path]) -> None:
    """By their symbols, or where these are alike by their bonds."""
    topology, _ = read_topology(files, BONDED, ("H", "O", "C"))
    check_molecules(topology, [peroxide(), dioxide()], [2, 3])
    with pytest.raises(StudyError, match="atoms C O O, expected molecules one after another"):
        check_molecules(topology, [dioxide()[[1, 0, 2]]], [1])
    crossed = peroxide()
    crossed.positions[[0, 3]] = crossed.positions[[3, 0]]
    with pytest.raises(StudyError, match=r"atoms 1 and 2 of HO2H are bonded in the file only"):
        check_molecules(topology, [crossed], [1])


def test_molecules_that_begin_like_others_are_told_apart() -> None:
    def kind(name: str, symbols: str) -> BondedMolecule:
        n = len(symbols)
        return BondedMolecule(name, tuple(symbols), (1,) * n, (0.0,) * n, {})

    topology = Topology((kind("short", "CO"), kind("long", "COO")), ())
    found = topology.kinds_of(list("COOCOCOO"))
    assert [own.name for own in found] == ["long", "short", "long"]
    assert topology.kinds_of([]) == []
    found = topology.kinds_of(list("COOCO"), [3, 2])
    assert [own.name for own in found] == ["long", "short"]
    for symbols, sizes in (("COC", None), ("COO", [2, 1]), ("COCOC", [2, 3])):
        with pytest.raises(StudyError, match="short: C O; long: C O O"):
            topology.kinds_of(list(symbols), sizes)


def test_molecules_of_one_element_are_told_apart_by_their_sizes() -> None:
    """Oxygen and ozone: six atoms are three of the one, or two of the other."""

    def kind(name: str, n: int) -> BondedMolecule:
        return BondedMolecule(name, ("O",) * n, (1,) * n, (0.0,) * n, {})

    topology = Topology((kind("oxygen", 2), kind("ozone", 3)), ())
    names = [own.name for own in topology.kinds_of(["O"] * 8, [3, 2, 3])]
    assert names == ["ozone", "oxygen", "ozone"]


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
