"""Simulate: the decks carried out on this machine."""

from lmp_thermo.products import Product
from lmp_thermo.stages import deck
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.runs import RunProduct, carry_out_decks


def products(context: Context) -> list[Product]:
    """The runs, each complete when LAMMPS said so."""
    made = deck.products(context)
    for one in made:
        _ = one.content  # a deck that is missing or stale has no run
    return [RunProduct(one.folder, one.sources) for one in made]


def make(context: Context, retry_failed: bool = False) -> None:
    """Carry out the decks that have not been finished; a run that failed only if asked for."""
    for arm in reversed(deck.arms(context)):
        carry_out_decks(
            context,
            f"simulate {arm}",
            [deck.product(context, arm, state).folder for state in context.run_states],
            retry_failed,
        )
