"""Molecules of a force field with bonded terms, from LAMMPS data files of one molecule each."""

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.data import atomic_masses, atomic_numbers

from lmp_thermo.errors import StudyError
from lmp_thermo.fluid.molecules import bonds_of
from lmp_thermo.interaction import BONDED, BondedMolecule, Topology

MASS_TOLERANCE_G_MOL = 0.1
"""Masses of force fields are rounded to a digit or two; elements are further apart."""

CHARGE_TOLERANCE = 1e-4
"""Elementary charges: what rounding leaves of a molecule's sum."""

MOST_TYPES = 10_000
"""Of bonded terms: LAMMPS keeps coefficients up to the largest number."""

COLUMNS = (7, 10)
"""Of a line of atoms of ``atom_style full``, without and with the numbers of its image."""


def read_topology(
    files: Sequence[Path], lines: tuple[str, ...], elements: Sequence[str]
) -> tuple[Topology, tuple[str, ...]]:
    """Charges and bonded terms of a fluid.

    Args:
        files: data files of ``atom_style full``, one molecule each; their types are numbered
            together, and what they say of boxes, positions and coefficients is not looked at.
        lines: the commands that say what the types of bonded terms are.
        elements: chemical symbols of the fluid, by which masses are recognised.

    Returns:
        The topology, and the chemical symbol of each atom type.

    Raises:
        StudyError: a file cannot be read, a mass is that of none of the elements, two molecules
            have the same atoms, an atom type has no atom, or two elements, or nothing says what a
            kind of bonded terms is.
    """
    molecules = tuple(_read(path, elements) for path in files)
    by_symbols: dict[tuple[str, ...], str] = {}
    symbol_of: dict[int, str] = {}
    for molecule in molecules:
        other = by_symbols.setdefault(molecule.symbols, molecule.name)
        if other != molecule.name:
            raise StudyError(
                f"reference.lammps.molecules: {other} and {molecule.name} have the same atoms, "
                f"{' '.join(molecule.symbols)}, by which molecules are told apart; put those of "
                "one of them into another order"
            )
        for number, symbol in zip(molecule.types, molecule.symbols, strict=True):
            if symbol_of.setdefault(number, symbol) != symbol:
                raise StudyError(
                    f"reference.lammps.molecules: {molecule.name}: atom type {number} is "
                    f"{symbol} here and {symbol_of[number]} elsewhere, expected one element; "
                    "number the types of all files together"
                )
        for section in molecule.terms:
            style = f"{section.lower().removesuffix('s')}_style"
            if not any(line.split()[0] == style for line in lines):
                raise StudyError(
                    f"reference.lammps.bonded_commands: no {style}, expected one for the "
                    f"{section.lower()} of {molecule.name}: LAMMPS would go on without them"
                )
    missing = next((t for t in range(1, len(symbol_of) + 1) if t not in symbol_of), None)
    if missing is not None:
        raise StudyError(
            f"reference.lammps.molecules: no atom is of type {missing}, expected types from 1 to "
            f"{len(symbol_of)}; number them without gaps"
        )
    return Topology(molecules, lines), tuple(symbol_of[number] for number in sorted(symbol_of))


def check_molecules(topology: Topology, kinds: Sequence[Atoms], counts: Sequence[int]) -> None:
    """Compare a force field with the molecules of the fluid: their atoms, bonds, charges.

    Atoms in another order than the file's would be given the terms, and the charges, of others.

    Args:
        topology: of the force field.
        kinds: geometries.
        counts: how many of each a box holds.

    Raises:
        StudyError: a molecule is none of the force field's, other atoms of it are near than are
            bonded, or a box is charged.
    """
    charge = 0.0
    for kind, count in zip(kinds, counts, strict=True):
        (molecule,) = topology.kinds_of(list(kind.symbols), [len(kind)])
        charge += count * sum(molecule.charges)
        bonded = {tuple(sorted(atoms)) for _, atoms in molecule.terms.get("Bonds", ())}
        near = {(i, j) for i, j, _ in bonds_of(kind)}
        if bonded != near:
            i, j = min(bonded ^ near)
            raise StudyError(
                f"reference.lammps.molecules: {molecule.name}: atoms {i + 1} and {j + 1} of "
                f"{kind.symbols} are bonded in {'the file' if (i, j) in bonded else 'space'} "
                "only, expected the same bonds; put the atoms into the same order, or mend the "
                "geometry"
            )
    if abs(charge) > CHARGE_TOLERANCE * sum(counts):
        raise StudyError(
            f"reference.lammps.molecules: {sum(counts)} molecules have a charge of {charge:g} e, "
            "expected none; look at the files' charges"
        )


def _read(path: Path, elements: Sequence[str]) -> BondedMolecule:
    try:
        return _molecule(path, elements)
    except (OSError, ValueError) as error:
        raise StudyError(
            f"reference.lammps.molecules: {path.name}: {error}; expected a LAMMPS data file of "
            "atom_style full with one molecule"
        ) from error


def _molecule(path: Path, elements: Sequence[str]) -> BondedMolecule:
    header, sections = _sections(path.read_text(encoding="utf-8", errors="replace"))
    for name in ("Masses", "Atoms"):
        if not sections.get(name):
            raise ValueError(f"it has no {name}")
    masses = {int(row[0]): float(row[1]) for row in sections["Masses"]}
    for row in sections["Atoms"]:
        if len(row) not in COLUMNS:
            raise ValueError(f"atom line '{' '.join(row)}' has {len(row)} columns, not 7 or 10")
    atoms = sorted(sections["Atoms"], key=lambda row: int(row[0]))
    n_atoms = len(atoms)
    if [int(row[0]) for row in atoms] != list(range(1, n_atoms + 1)):
        raise ValueError(f"its atoms are not numbered from 1 to {n_atoms}")
    types = tuple(int(row[2]) for row in atoms)
    terms = {}
    for name, size in BONDED.items():
        rows = sections.get(name, [])
        for row in rows:
            kind, *members = [int(own) for own in row[1:]]
            if len(members) != size or not all(1 <= own <= n_atoms for own in members):
                raise ValueError(f"{name.lower()} line '{' '.join(row)}' is none of {size} atoms")
            if not 1 <= kind <= MOST_TYPES:
                raise ValueError(f"{name.lower()} line '{' '.join(row)}' has type {kind}")
        if rows:
            terms[name] = tuple(
                (int(row[1]), tuple(int(own) - 1 for own in row[2:])) for row in rows
            )
    for name in ("Atoms", *BONDED):
        told, found = header.get(name.lower(), 0), len(sections.get(name, []))
        if told != found:
            raise ValueError(f"its header says {told} {name.lower()}, and {found} are there")
    return BondedMolecule(
        name=path.name,
        symbols=tuple(
            _symbol(number, masses.get(own), elements) for number, own in enumerate(types, 1)
        ),
        types=types,
        charges=tuple(float(row[3]) for row in atoms),
        terms=terms,
    )


def _sections(text: str) -> tuple[dict[str, int], dict[str, list[list[str]]]]:
    """Counts of the header, and the rows of each section, of a data file."""
    header: dict[str, int] = {}
    sections: dict[str, list[list[str]]] = {}
    rows: list[list[str]] | None = None
    for line in text.splitlines()[1:]:  # the first one is a title
        content, _, comment = line.partition("#")
        words = content.split()
        if not words:
            continue
        if words[0][0].isalpha():
            name = " ".join(words)
            if name == "Atoms" and comment.strip() not in ("", "full"):
                raise ValueError(f"its atoms are of style {comment.strip()}")
            rows = sections.setdefault(name, [])
        elif rows is not None:
            rows.append(words)
        elif len(words) == 2:
            header[words[1]] = int(words[0])
    return header, sections


def _symbol(number: int, mass: float | None, elements: Sequence[str]) -> str:
    """The element of an atom, by its mass."""
    near = [
        symbol
        for symbol in elements
        if mass is not None
        and abs(atomic_masses[atomic_numbers[symbol]] - mass) < MASS_TOLERANCE_G_MOL
    ]
    if len(near) != 1:
        raise ValueError(
            f"atom {number} has a mass of {mass if mass is None else f'{mass:g}'} g/mol, which is "
            f"that of none of the fluid's elements, {' '.join(elements)}"
        )
    return near[0]
