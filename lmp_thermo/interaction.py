"""What makes atoms interact in LAMMPS: its commands, the files they read, what is bonded to what.

A LAMMPS force-field reference and an exported potential both present themselves so; decks and
sampling runs know nothing else of them.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
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

HARMLESS_LINE = re.compile(r"[A-Za-z0-9_.+*/:=,() \t-]+")
"""Nothing that LAMMPS or a shell would take for more than a command on one line."""

BONDED = {"Bonds": 2, "Angles": 3, "Dihedrals": 4, "Impropers": 4}
"""Sections of a LAMMPS data file for bonded terms, and how many atoms each of them joins."""


def first_unknown(lines: Iterable[str], known: Sequence[str]) -> str | None:
    """The first line that is none of the `known` commands, or more than a command."""
    for line in lines:
        if not HARMLESS_LINE.fullmatch(line) or line.split()[:1] not in [[own] for own in known]:
            return line
    return None


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

    def kinds_of(
        self, symbols: Sequence[str], sizes: Sequence[int] | None = None
    ) -> list[BondedMolecule]:
        """Which molecules atoms are, one after another.

        Args:
            symbols: (n_atoms,) of whole molecules in any order.
            sizes: atoms of each molecule; None where they are not known.

        Raises:
            StudyError: they are no sequence of these molecules.
        """
        if sizes is None:
            found = self._split(tuple(symbols))
        else:
            by_symbols = {kind.symbols: kind for kind in self.molecules}
            ends = list(itertools.accumulate(sizes))
            found = [
                by_symbols.get(tuple(symbols[end - size : end]))
                for size, end in zip(sizes, ends, strict=True)
            ]
        known = [kind for kind in found if kind is not None]
        if len(known) < len(found):
            start = sum(len(kind.symbols) for kind in found[: found.index(None)] if kind)
            expected = "; ".join(f"{own.name}: {' '.join(own.symbols)}" for own in self.molecules)
            raise StudyError(
                f"reference.lammps.molecules: atoms {' '.join(symbols[start : start + 12])}"
                f"{' ...' if len(symbols) > start + 12 else ''}, expected molecules one after "
                f"another, with their atoms in this order: {expected}; reorder the geometry or the "
                "file"
            )
        return known

    def _split(self, symbols: tuple[str, ...]) -> list[BondedMolecule | None]:
        """The molecules, with None at the end where what is left is none."""
        n_atoms = len(symbols)
        # from the end: the first kind with which the atoms from here on can be completed
        first: list[BondedMolecule | None] = [None] * n_atoms
        for start in reversed(range(n_atoms)):
            for kind in self.molecules:
                end = start + len(kind.symbols)
                if symbols[start:end] == kind.symbols and (
                    end == n_atoms or (end < n_atoms and first[end] is not None)
                ):
                    first[start] = kind
                    break
        found: list[BondedMolecule | None] = []
        place = 0
        while place < n_atoms:
            kind_here = first[place]
            found.append(kind_here)
            if kind_here is None:
                break
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
