"""An exported potential as LAMMPS sees it."""

from pathlib import Path

from lmp_thermo.interaction import Interaction
from lmp_thermo.potential.card import MODEL, read_card


def lammps_interaction(folder: Path) -> Interaction:
    """Pair commands and file of the potential in `folder`.

    Raises:
        PotentialError: the card or the model is missing or corrupt.
    """
    card = read_card(folder)
    return Interaction(
        name=card.name,
        species=tuple(card.species),
        masses_g_mol=tuple(card.masses_g_mol),
        pair_lines=("pair_style nequip", f"pair_coeff * * {MODEL} {' '.join(card.species)}"),
        files=(folder / MODEL,),
        ghost_cutoff_A=card.r_max_A,
    )
