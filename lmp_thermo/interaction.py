"""What makes atoms interact in LAMMPS: its commands, the files they read, what is bonded to what.

A LAMMPS force-field reference and an exported potential both present themselves so; decks and
sampling runs know nothing else of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lmp_thermo.errors import StudyError

PAIR_COMMANDS = ("pair_style", "pair_coeff", "pair_modify")
BONDED_COMMANDS = (
    *(
        f"{own}_{what}"
        for own in ("bond", "angle", "dihedral", "improper")
        for what in ("style", "coeff")
    ),
    "special_bonds",
)

BONDED = {"Bonds": 2, "Angles": 3, "Dihedrals": 4, "Impropers": 4}
"""Sections of a LAMMPS data file for bonded terms, and how many atoms each of them joins."""


@dataclass(frozen=True)
class BondedMolecule:
    """One molecule as a force field with bonded terms sees it.

    Args:
        name: what messages call it.
        symbols: (n_atoms,) chemical symbols.
        types: (n_atoms,) LAMMPS atom types, from 1.
        charges: (n_atoms,) elementary charges.
        terms: for each section of `BONDED` that the molecule has, the terms' types, from 1, and
            their atoms, from 0.
    """

    name: str
    symbols: tuple[str, ...]
    types: tuple[int, ...]
    charges: tuple[float, ...]
    terms: dict[str, tuple[tuple[int, tuple[int, ...]], ...]]


@dataclass(frozen=True)
class Topology:
    """Bonded terms of a fluid.

    Args:
        molecules: the kinds that there are.
        lines: complete ``bond_...``, ``angle_...``, ``dihedral_...``, ``improper_...`` and
            ``special_bonds`` lines.
    """

    molecules: tuple[BondedMolecule, ...]
    lines: tuple[str, ...]

    def kinds_of(self, symbols: Sequence[str]) -> list[BondedMolecule]:
        """Which molecules atoms are, one after another.

        Args:
            symbols: (n_atoms,) of whole molecules in any order.

        Raises:
            StudyError: they are no sequence of these molecules.
        """
        n_atoms = len(symbols)
        given = tuple(symbols)
        # from the end: the first kind with which the atoms from here on can be completed
        first: list[BondedMolecule | None] = [None] * n_atoms
        for start in reversed(range(n_atoms)):
            for kind in self.molecules:
                end = start + len(kind.symbols)
                if given[start:end] == kind.symbols and (
                    end == n_atoms or (end < n_atoms and first[end] is not None)
                ):
                    first[start] = kind
                    break
        found: list[BondedMolecule] = []
        place = 0
        while place < n_atoms:
            kind_here = first[place]
            if kind_here is None:
                known = "; ".join(
                    f"{kind.name}: {' '.join(kind.symbols)}" for kind in self.molecules
                )
                raise StudyError(
                    f"reference.lammps.molecules: atoms {' '.join(given[:12])}"
                    f"{' ...' if n_atoms > 12 else ''}, expected molecules one after another, with "
                    f"their atoms in this order: {known}; reorder the geometry or the file"
                )
            found.append(kind_here)
            place += len(kind_here.symbols)
        return found


@dataclass(frozen=True)
class Interaction:
    """A force field or a potential for a deck.

    Args:
        name: what the deck's header calls it.
        species: chemical symbols in the order of LAMMPS's atom types; each once, but where a
            topology has several types of one element.
        masses_g_mol: a mass for each species.
        pair_lines: complete ``pair_style``, ``pair_coeff``, ``pair_modify`` lines; files are
            named without folders, since they are copied into the deck.
        files: the files that the lines name.
        ghost_cutoff_A: how far the pair commands reach.
        topology: charges and bonded terms; None where atoms have neither.
    """

    name: str
    species: tuple[str, ...]
    masses_g_mol: tuple[float, ...]
    pair_lines: tuple[str, ...]
    files: tuple[Path, ...]
    ghost_cutoff_A: float
    topology: Topology | None = None

    @property
    def atom_style(self) -> str:
        """LAMMPS's name for what its atoms carry."""
        return "atomic" if self.topology is None else "full"

    @property
    def lines(self) -> tuple[str, ...]:
        """All commands, bonded ones first."""
        return (() if self.topology is None else self.topology.lines) + self.pair_lines
