"""The adaptive design: which frames the next labels go to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lmp_thermo.sampling.pair_sums import Array, FarthestFirst
from lmp_thermo.states import StatePoint

TINY = 1e-9
"""Of a budget: what round-off leaves of it."""


@dataclass(frozen=True)
class Offer:
    """A frame that may be bought.

    Args:
        state: the cell that it is of.
        price: of its label, in the unit of the budget.
        point: (size,) what it looks like, see `pair_sums.PairSums`.
    """

    state: StatePoint
    price: float
    point: Array


def purchase(
    offers: Sequence[Offer],
    labelled: Sequence[Array],
    scores: Mapping[StatePoint, float],
    share: float,
    left: float,
    room: Mapping[StatePoint, int],
    gas_floor: float,
) -> list[int]:
    """Choose frames one after another, each the farthest from all that have a label before it.

    A distance counts as many times as its cell's expected score: labels go to what is new where the
    model is expected to be wrong, and neither to a cell that is wrong although nothing in it is new
    nor to what is new where the model is right.

    Args:
        offers: frames to choose from.
        labelled: points of frames that have a label.
        scores: expected error of each cell relative to its limit; empty where nothing is known yet.
        share: of the budget, to be spent now. The choice ends where the next frame costs more than
            is left of it; the first one may cost more.
        left: of the budget; what costs more is not looked at.
        room: labels that each cell may still get.
        gas_floor: to be spent at the lowest density before anything else; above 0, a label at the
            least.

    Returns:
        Places of `offers` in the order of the choice.
    """
    choice = FarthestFirst([*(offer.point for offer in offers), *labelled])
    for place in range(len(offers), len(offers) + len(labelled)):
        choice.take(place)
    lowest = min((offer.state.density_g_cm3 for offer in offers), default=0.0)
    room = dict(room)
    chosen: list[int] = []
    while True:
        found = [
            k
            for k, offer in enumerate(offers)
            if k not in chosen and offer.price <= left + TINY and room[offer.state] > 0
        ]
        gas = [k for k in found if offers[k].state.density_g_cm3 == lowest]
        if gas_floor > TINY and gas:
            found = gas
        if not found:
            return chosen
        best = choice.best(found, [scores[offers[k].state] for k in found] if scores else None)
        offer = offers[best]
        if chosen and offer.price > share + TINY:
            return chosen
        choice.take(best)
        chosen.append(best)
        share -= offer.price
        left -= offer.price
        room[offer.state] -= 1
        if offer.state.density_g_cm3 == lowest:
            gas_floor -= offer.price
