"""LAMMPS data files: box, masses, positions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lmp_thermo.errors import DeckError
from lmp_thermo.frames import MOLECULE
from lmp_thermo.interaction import BONDED, BondedMolecule, Interaction

TILT_ROUND_OFF = 1e-12
"""Tilts below this fraction of an edge are round-off of a rotation."""


@dataclass(frozen=True)
class Box:
    """A cell as LAMMPS wants it: a along x, b in the xy plane.

    Args:
        lengths: (3,) lx, ly, lz in Å.
        tilts: (3,) xy, xz, yz in Å.
        positions: (n_atoms, 3) in that frame, Å.
    """

    lengths: NDArray[np.float64]
    tilts: NDArray[np.float64]
    positions: NDArray[np.float64]

    @property
    def is_triclinic(self) -> bool:
        """Whether any tilt is not zero."""
        return bool(np.any(self.tilts != 0))

    @property
    def is_strongly_tilted(self) -> bool:
        """Whether LAMMPS needs ``box tilt large``."""
        xy, xz, yz = np.abs(self.tilts)
        lx, ly, _ = self.lengths
        return bool(xy > 0.5 * lx or xz > 0.5 * lx or yz > 0.5 * ly)

    @classmethod
    def of(cls, atoms: Atoms) -> "Box":
        """The box of `atoms`, turned into LAMMPS's frame where it is not in it already.

        Raises:
            DeckError: not periodic in three directions, or left-handed.
        """
        cell = np.asarray(atoms.cell, dtype=float)
        if not atoms.pbc.all() or not np.linalg.det(cell) > 0:
            raise DeckError(
                f"deck: box with periodic boundaries {atoms.pbc.tolist()} and signed volume "
                f"{np.linalg.det(cell):.6g} Å^3; expected a right-handed box, periodic in x, y, z"
            )
        positions = np.asarray(atoms.positions, dtype=float)
        if np.any(cell[np.triu_indices(3, 1)] != 0) or np.any(np.diag(cell) <= 0):
            standard, rotation = atoms.cell.standard_form()
            cell, positions = np.asarray(standard, dtype=float), positions @ rotation.T
        tilts = np.array([cell[1, 0], cell[2, 0], cell[2, 1]])
        tilts[np.abs(tilts) < TILT_ROUND_OFF * np.diag(cell).max()] = 0.0
        return cls(np.diag(cell).copy(), tilts, positions)


def data_text(title: str, atoms: Atoms, box: Box, interaction: Interaction) -> str:
    """A data file in the interaction's atom style; numbers with all their digits.

    Molecules are written whole, wherever they stick out of the box: LAMMPS wraps the atoms
    and remembers how, so that unwrapped output is whole again.

    Raises:
        StudyError: the interaction has a topology, and the atoms are none of its molecules.
    """
    kinds: list[BondedMolecule] = []
    if interaction.topology is not None:
        sizes = None
        if MOLECULE in atoms.arrays:
            sizes = np.unique(atoms.arrays[MOLECULE], return_counts=True)[1].tolist()
        kinds = interaction.topology.kinds_of(list(atoms.symbols), sizes)
    terms = bonded_terms(kinds)
    lines = [
        title,
        "",
        f"{len(atoms)} atoms",
        *(f"{len(own)} {name.lower()}" for name, own in terms.items()),
        f"{len(interaction.species)} atom types",
        *type_counts(interaction),
        "",
        *(
            f"0.0 {float(length)!r} {axis}lo {axis}hi"
            for axis, length in zip("xyz", box.lengths, strict=True)
        ),
    ]
    if box.is_triclinic:
        lines.append(" ".join(repr(float(tilt)) for tilt in box.tilts) + " xy xz yz")
    lines += ["", "Masses", ""]
    for number, (symbol, mass) in enumerate(
        zip(interaction.species, interaction.masses_g_mol, strict=True), 1
    ):
        lines.append(f"{number} {float(mass)!r}  # {symbol}")
    lines += ["", f"Atoms  # {interaction.atom_style}", ""]
    described = described_atoms(atoms, interaction, kinds)
    for identity, (own, position) in enumerate(
        zip(described, box.positions.tolist(), strict=True), 1
    ):
        lines.append(f"{identity} {own} " + " ".join(map(repr, position)))
    for name, joined in terms.items():
        lines += ["", name, ""]
        for identity, (kind_of_term, members) in enumerate(joined, 1):
            lines.append(f"{identity} {kind_of_term} " + " ".join(map(str, members)))
    return "\n".join(lines) + "\n"


def described_atoms(
    atoms: Atoms, interaction: Interaction, kinds: Sequence[BondedMolecule]
) -> list[str]:
    """What stands before each position: the atom's type, or its molecule, type and charge."""
    if interaction.topology is None:
        number_of = {symbol: number for number, symbol in enumerate(interaction.species, 1)}
        return [str(number_of[symbol]) for symbol in atoms.symbols]
    return [
        f"{molecule} {own} {charge!r}"
        for molecule, kind in enumerate(kinds, 1)
        for own, charge in zip(kind.types, kind.charges, strict=True)
    ]


def type_counts(interaction: Interaction) -> list[str]:
    """How many types of bonded terms the commands speak of, whether a box holds them or not."""
    known = [] if interaction.topology is None else interaction.topology.molecules
    types = {name: [t for kind in known for t, _ in kind.terms.get(name, ())] for name in BONDED}
    return [
        f"{max(own)} {name.lower().removesuffix('s')} types" for name, own in types.items() if own
    ]


def bonded_terms(
    kinds: Sequence[BondedMolecule],
) -> dict[str, list[tuple[int, tuple[int, ...]]]]:
    """Bonded terms of a box by section, without empty ones: types and atoms, from 1."""
    found: dict[str, list[tuple[int, tuple[int, ...]]]] = {name: [] for name in BONDED}
    start = 1
    for kind in kinds:
        for name, own in kind.terms.items():
            found[name] += [(t, tuple(start + atom for atom in members)) for t, members in own]
        start += len(kind.symbols)
    return {name: own for name, own in found.items() if own}
