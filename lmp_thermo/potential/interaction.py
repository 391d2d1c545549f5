"""An exported potential as LAMMPS sees it."""

from pathlib import Path

from lmp_thermo.interaction import Interaction
from lmp_thermo.potential.card import MODEL, read_card


def lammps_interaction(folder: Path, model: str = MODEL) -> Interaction:
    """Pair commands and file of the potential in `folder`.

    Args:
        folder: an exported potential.
        model: name of one of its model files.

    Raises:
        PotentialError: the card or the model is missing or corrupt.
    """
    card = read_card(folder)
    return Interaction(
        name=card.name,
        species=tuple(card.species),
        masses_g_mol=tuple(card.masses_g_mol),
        pair_lines=("pair_style nequip", f"pair_coeff * * {model} {' '.join(card.species)}"),
        files=(folder / model,),
        ghost_cutoff_A=card.r_max_A,
    )
