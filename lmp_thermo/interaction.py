"""What makes atoms interact in LAMMPS: pair commands and the files they read.

A LAMMPS force-field reference and an exported potential both present themselves so; decks and
sampling runs know nothing else of them.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Interaction:
    """Pair commands for a deck.

    Args:
        name: what the deck's header calls it.
        species: chemical symbols in the order of LAMMPS's atom types.
        masses_g_mol: a mass for each species.
        pair_lines: complete ``pair_style``, ``pair_coeff``, ``pair_modify`` lines; files are
            named without folders, since they are copied into the deck.
        files: the files that the lines name.
        ghost_cutoff_A: how far the pair commands reach.
    """

    name: str
    species: tuple[str, ...]
    masses_g_mol: tuple[float, ...]
    pair_lines: tuple[str, ...]
    files: tuple[Path, ...]
    ghost_cutoff_A: float
