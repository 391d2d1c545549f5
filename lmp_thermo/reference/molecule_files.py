"""Molecules of a force field with bonded terms, from LAMMPS data files of one molecule each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers

from lmp_thermo.errors import StudyError
from lmp_thermo.fluid.molecules import bonds_of
from lmp_thermo.interaction import BONDED, BondedMolecule, Topology

MASS_TOLERANCE_G_MOL = 0.1
"""Masses of force fields are rounded to a digit or two; elements are further apart."""


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
        StudyError: a file cannot be read, a mass is that of none of the elements, an atom type
            has no atom, or two elements.
    """
    molecules = tuple(_read(path, elements) for path in files)
    symbol_of: dict[int, str] = {}
    for molecule in molecules:
        for number, symbol in zip(molecule.types, molecule.symbols, strict=True):
            if symbol_of.setdefault(number, symbol) != symbol:
                raise StudyError(
                    f"reference.lammps.molecules: {molecule.name}: atom type {number} is "
                    f"{symbol} here and {symbol_of[number]} elsewhere, expected one element; "
                    "number the types of all files together"
                )
    missing = sorted(set(range(1, max(symbol_of) + 1)) - set(symbol_of))
    if missing:
        raise StudyError(
            f"reference.lammps.molecules: no atom is of type {missing[0]}, expected one of each "
            f"from 1 to {max(symbol_of)}; number the types without gaps"
        )
    return Topology(molecules, lines), tuple(symbol_of[number] for number in sorted(symbol_of))


def check_bonds(topology: Topology, kinds: Sequence[Atoms]) -> None:
    """Compare the bonds of a force field with the geometries of the fluid's molecules.

    Atoms in another order than the file's would be given the terms, and the charges, of others.

    Args:
        topology: of the force field.
        kinds: geometries.

    Raises:
        StudyError: a molecule is none of the force field's, or other atoms of it are near.
    """
    for kind in kinds:
        for molecule in topology.kinds_of(list(kind.symbols)):
            bonded = {tuple(sorted(atoms)) for _, atoms in molecule.terms.get("Bonds", ())}
            near = {(i, j) for i, j, _ in bonds_of(kind)}
            if bonded != near:
                i, j = min(bonded ^ near)
                raise StudyError(
                    f"reference.lammps.molecules: {molecule.name}: atoms {i + 1} and {j + 1} of "
                    f"{kind.symbols} are bonded in {'the file' if (i, j) in bonded else 'space'} "
                    "only, expected the same bonds; put the atoms into the same order"
                )


def _read(path: Path, elements: Sequence[str]) -> BondedMolecule:
    import MDAnalysis  # here, since it takes a second

    try:
        atoms = MDAnalysis.Universe(
            str(path),
            topology_format="DATA",
            format="DATA",
            atom_style="id resid type charge x y z",
            to_guess=(),
        ).atoms
        types = [int(own) for own in atoms.types]
        ids, masses, charges = atoms.ids, atoms.masses, atoms.charges
        terms = {
            name: tuple(
                (int(term.type), tuple(int(i) for i in term.indices))
                for term in getattr(atoms, name.lower())
            )
            for name in BONDED
        }
    except Exception as error:  # readers raise whatever a broken file provokes
        raise StudyError(
            f"reference.lammps.molecules: {path.name}: no LAMMPS data file of atom_style full "
            f"with masses and numbered types ({' '.join(str(error).split())[:200]})"
        ) from error
    if not np.array_equal(ids, np.arange(1, len(ids) + 1)):
        raise StudyError(
            f"reference.lammps.molecules: {path.name}: atoms {list(ids)[:6]}, expected them in "
            "the order of their numbers, from 1; sort them"
        )
    symbols = []
    for number, mass in enumerate(masses, 1):
        near = [
            symbol
            for symbol in elements
            if abs(atomic_masses[atomic_numbers[symbol]] - mass) < MASS_TOLERANCE_G_MOL
        ]
        if len(near) != 1:
            raise StudyError(
                f"reference.lammps.molecules: {path.name}: atom {number} has a mass of {mass:g} "
                f"g/mol, expected that of one of the fluid's elements, {' '.join(elements)}"
            )
        symbols.append(near[0])
    return BondedMolecule(
        name=path.name,
        symbols=tuple(symbols),
        types=tuple(types),
        charges=tuple(float(charge) for charge in charges),
        terms={name: own for name, own in terms.items() if own},
    )
