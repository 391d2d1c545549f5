"""Data files of molecules with bonded terms: what is read of them, and what is refused."""

import re
from pathlib import Path

import pytest

from lmp_thermo.errors import StudyError
from lmp_thermo.interaction import BondedMolecule, Topology
from lmp_thermo.reference.molecule_files import check_molecules, read_topology
from tests.unit.bonded import BONDED, DIOXIDE, PEROXIDE, dioxide, molecule_files, peroxide


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return molecule_files(tmp_path)


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
