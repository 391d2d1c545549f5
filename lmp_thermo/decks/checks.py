"""What must hold before a deck is written."""

import re
from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from lmp_thermo.errors import DeckError
from lmp_thermo.interaction import BONDED_COMMANDS, PAIR_COMMANDS, Interaction, first_unknown
from lmp_thermo.states import StatePoint
from lmp_thermo.units import density_in_volume

MASS_TOLERANCE = 1e-3
DENSITY_TOLERANCE = 1e-3
"""Relative; a box is packed at its density to far better, a wrong unit or species is far off."""

NEAREST_IMAGE_TOLERANCE_A = 1e-6

HARMLESS_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


def check_names(interaction: Interaction) -> None:
    """Refuse names that LAMMPS, a shell or a file system would take for something else.

    Raises:
        DeckError: a species, file or pair command is not harmless, or files share a name.
    """
    names = [path.name for path in interaction.files]
    named = [*(("species", s) for s in interaction.species), *(("file", n) for n in names)]
    for what, name in named:
        if not HARMLESS_NAME.fullmatch(name):
            raise DeckError(
                f"interaction '{interaction.name}': {what} name {name!r}; expected letters, "
                "digits and _ . + - only; rename it"
            )
    if len(set(names)) != len(names):
        raise DeckError(
            f"interaction '{interaction.name}': files {', '.join(names)}; expected each name once"
        )
    bonded = () if interaction.topology is None else interaction.topology.lines
    for what, lines, known in (
        ("bonded", bonded, BONDED_COMMANDS),
        ("pair", interaction.pair_lines, PAIR_COMMANDS),
    ):
        line = first_unknown(lines, known)
        if line is not None:
            raise DeckError(
                f"interaction '{interaction.name}': {what} command {line!r}; expected "
                f"{', '.join(known[:-1])} or {known[-1]} on one line without quotes, $, & and #"
            )
    if any(ord(letter) < ord(" ") or letter in "$&\"'" for letter in interaction.name):
        raise DeckError(f"interaction {interaction.name!r}: expected a name without $, &, quotes")


def check_species(atoms: Atoms, interaction: Interaction) -> None:
    """Compare species and masses of `atoms` with those of the interaction.

    Raises:
        DeckError: they disagree.
    """
    if len(interaction.species) != len(interaction.masses_g_mol):
        raise DeckError(
            f"interaction '{interaction.name}': {len(interaction.species)} species and "
            f"{len(interaction.masses_g_mol)} masses; expected a mass for each"
        )
    if interaction.topology is None and len(set(interaction.species)) != len(interaction.species):
        raise DeckError(
            f"interaction '{interaction.name}': species {' '.join(interaction.species)}; "
            "expected each once"
        )
    unknown = sorted(set(atoms.symbols) - set(interaction.species))
    if unknown:
        raise DeckError(
            f"interaction '{interaction.name}': the box holds {' '.join(unknown)}, but the "
            f"interaction knows {' '.join(interaction.species)} only"
        )
    masses = dict(zip(interaction.species, interaction.masses_g_mol, strict=True))
    for symbol, mass in zip(atoms.symbols, atoms.get_masses(), strict=True):
        if abs(mass - masses[symbol]) > MASS_TOLERANCE * masses[symbol]:
            raise DeckError(
                f"interaction '{interaction.name}': mass of {symbol} is {masses[symbol]:g} g/mol, "
                f"but {mass:g} g/mol in the box; expected the same"
            )


def check_density(atoms: Atoms, interaction: Interaction, state: StatePoint) -> None:
    """Compare the density of the box with that of the state point.

    Raises:
        DeckError: they differ by more than a thousandth.
    """
    masses = dict(zip(interaction.species, interaction.masses_g_mol, strict=True))
    density = density_in_volume(sum(masses[s] for s in atoms.symbols), atoms.get_volume())
    if abs(density - state.density_g_cm3) > DENSITY_TOLERANCE * state.density_g_cm3:
        raise DeckError(
            f"deck at {state}: the box has {density:.6g} g/cm3; expected the state point's "
            f"{state.density_g_cm3:g}; pack the box at that density"
        )


def check_molecules(atoms: Atoms, molecule_sizes: Sequence[int]) -> None:
    """Refuse positions that are not numbers and molecules that a boundary cuts.

    A molecule is whole where its atoms hang together by pairs whose distance as written is
    that of their nearest images.

    Raises:
        DeckError: sizes do not add up, or a molecule is cut.
    """
    if any(size < 1 for size in molecule_sizes) or sum(molecule_sizes) != len(atoms):
        raise DeckError(
            f"deck: molecules of {sum(molecule_sizes)} atoms in all in a box of {len(atoms)}; "
            "expected sizes of at least 1 that add up"
        )
    if not np.isfinite(atoms.positions).all():
        raise DeckError("deck: a position in the box is not a number")
    start = 0
    for number, size in enumerate(molecule_sizes):
        if size > 1 and not is_whole(atoms.positions[start : start + size], atoms):
            raise DeckError(
                f"deck: molecule {number} is cut by a boundary of the box; expected whole "
                "molecules; unwrap the positions"
            )
        start += size


def is_whole(positions: NDArray[np.float64], atoms: Atoms) -> bool:
    """Whether one molecule hangs together by nearest images.

    Args:
        positions: (size, 3) of the molecule, Å.
        atoms: whose box it is.
    """
    size = len(positions)
    vectors = (positions[None, :, :] - positions[:, None, :]).reshape(-1, 3)
    _, nearest = find_mic(vectors, atoms.cell, pbc=True)
    direct = np.linalg.norm(vectors, axis=1)
    near = (direct <= nearest + NEAREST_IMAGE_TOLERANCE_A).reshape(size, size)
    return int(connected_components(near, directed=False)[0]) == 1
