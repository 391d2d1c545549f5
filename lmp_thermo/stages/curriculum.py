"""Curriculum: an adaptive design spends its budget in rounds, on what is new and expected wrong.

No label is spent on a test set. What the members of a committee disagree about is scaled to the
errors that they were seen to make on labels just before they were trained on them.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lmp_thermo.comparison import Arm
from lmp_thermo.errors import WorkspaceError
from lmp_thermo.potential.card import MODEL
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.products import Product, read_json, write_json
from lmp_thermo.sampling.curriculum import TINY, Offer, purchase
from lmp_thermo.sampling.designs import pool_order
from lmp_thermo.sampling.pair_sums import PairSums
from lmp_thermo.stages import label, side_by_side
from lmp_thermo.stages.candidates import (
    Candidates,
    buy,
    buyers,
    candidates,
    labelled,
    settings,
    sources_of_candidates,
)
from lmp_thermo.stages.committee import GATED, Opinions, calibrated, gated_of
from lmp_thermo.stages.context import Context, remembered
from lmp_thermo.stages.pool import Selection
from lmp_thermo.stages.train import architecture
from lmp_thermo.states import StatePoint

SELECTION = "selection.json"
LOOKED_AT = 6
"""Frames of each cell whose disagreement tells of the cell's error."""

UNSEEN = 1.0
"""Error over disagreement that is taken for a quantity until labels have told."""

CHOSEN_FROM = 20
"""Frames of each cell from which a choice is made, or as many as it may get if that is more."""


@remembered
def product(context: Context, arm: Arm, round_number: int) -> Product:
    """What an adaptive arm has bought after a round; round 0 is the start."""
    comparison = context.study.comparison
    sources: dict[str, Any] = {
        "stage": "curriculum/7",
        "candidates": sources_of_candidates(context),
        "curriculum": settings(context).model_dump(),
        "budget": [arm.budget, "frames" if comparison is None else comparison.budget_unit],
        "cutoffs_A": architecture(context.study.training).cutoffs(context.species),
        "loss": arm.loss,
        "seed": [context.study.seed, arm.seed],
    }
    if context.adaptive:  # labels are made here
        sources["max_force_eV_A"] = context.study.reference.max_force_eV_A
    if round_number:
        sources["before"] = product(context, arm, round_number - 1).content
        sources["gates"] = context.study.validation.gates.model_dump()
        sources.update(side_by_side.plan_sources(context, settings(context).updates))
    return Product(context.workspace.curriculum(arm.name, round_number), sources)


def selection(context: Context, arm: Arm) -> Selection:
    """What an adaptive arm bought in all.

    Raises:
        WorkspaceError: its curriculum is not complete.
    """
    made = product(context, arm, settings(context).rounds)
    if made.state != "current":
        raise WorkspaceError(f"{made.folder}: {made.state}; run `lmp-thermo curriculum` first")
    return _read(context, made.folder)


def own_product(context: Context) -> Product:
    """What a study whose own design is adaptive has bought in all."""
    return product(context, buyers(context)[0], settings(context).rounds)


def own_selection(context: Context) -> Selection:
    """The same, as indices into the candidates of its last round."""
    return selection(context, buyers(context)[0])


@remembered
def products(context: Context) -> list[Product]:
    """Every round of every adaptive arm, up to the first that is not there yet."""
    found = []
    for arm in buyers(context):
        for number in range(settings(context).rounds + 1):
            found.append(product(context, arm, number))
            if found[-1].state != "current":
                break
    return found


def rounds(context: Context, arm: Arm) -> list[dict[str, Any]]:
    """What an adaptive arm bought and expected round by round, until it stopped, and why."""
    found: list[dict[str, Any]] = []
    for number in range(settings(context).rounds + 1):
        record = read_json(product(context, arm, number).folder / SELECTION)
        found.append(
            {
                "bought": record["bought"].get(str(number), {}),  # the file tells of all before
                "scores": record.get("scores", {}),
                "calibration": record.get("calibration", {}),
                "stopped": record["stopped"],
            }
        )
        if record["stopped"]:
            break
    return found


def make(context: Context) -> None:
    """Carry out the rounds of all who buy side by side."""
    arms = buyers(context)
    if context.adaptive:  # labels are made here
        label.check_repeatable(context, context.last_round)
    for arm in arms:
        product(context, arm, 0).make(lambda folder, arm=arm: _start(context, arm, folder))  # type: ignore[misc]
    for number in range(1, settings(context).rounds + 1):
        context.memory.clear()  # a round's key derives from the round before it
        todo = [arm for arm in arms if product(context, arm, number).state != "current"]
        side_by_side.carry_out(
            context,
            f"curriculum round {number}: committees",
            [one for arm in todo for one in _trainings(context, arm, number)],
        )
        for arm in todo:
            product(context, arm, number).make(
                lambda folder, arm=arm, number=number: _next(context, arm, number, folder)  # type: ignore[misc]
            )


def _read(context: Context, folder: Path) -> Selection:
    values = read_json(folder / SELECTION)["selection"]
    return {context.study.states.named(name): own for name, own in values.items()}


def _order(context: Context, arm: Arm, state: StatePoint) -> list[int]:
    """A cell's candidates in the order in which arms of a seed take them."""
    count = len(candidates(context).frames[state])
    return pool_order(context.study.seed, arm.seed, state, count)


def _start(context: Context, arm: Arm, folder: Path) -> None:
    """Buy before anything is known."""
    share = max(settings(context).start_share * arm.budget, 2 * candidates(context).mean_cost)
    bought = _purchase(context, arm, {}, {}, share)
    buy(context, bought)
    _write(folder, {}, bought, {}, {"stopped": _stopped(context, arm, bought)})


def _purchase(
    context: Context,
    arm: Arm,
    chosen: Selection,
    scores: Mapping[StatePoint, float],
    share: float,
) -> Selection:
    """Frames for a share of the budget, given what is expected of each cell."""
    found = candidates(context)
    sums = PairSums(architecture(context.study.training).cutoffs(context.species))
    places = _for_sale(context, arm, chosen)
    lowest = min(state.density_g_cm3 for state in found.frames)
    gas = {state: own for state, own in chosen.items() if state.density_g_cm3 == lowest}
    bought: Selection = {}
    for place in purchase(
        [Offer(s, found.costs[s][i], sums.of(found.frames[s][i])) for s, i in places],
        [sums.of(frame) for frame in [*found.known, *labelled(context, chosen)]],
        scores,
        share,
        arm.budget - _spent(found, chosen),
        _room(context, arm, chosen),
        settings(context).gas_floor_share * arm.budget - _spent(found, gas),
    ):
        state, index = places[place]
        bought.setdefault(state, []).append(index)
    return bought


def _for_sale(context: Context, arm: Arm, chosen: Selection) -> list[tuple[StatePoint, int]]:
    """Frames that may still be bought, and that what is left of the budget pays for."""
    found = candidates(context)
    left = arm.budget - _spent(found, chosen) + TINY
    looked_at = max(CHOSEN_FROM, _most(context, arm))
    return [
        (state, index)
        for state, room in _room(context, arm, chosen).items()
        if room > 0
        for index in _order(context, arm, state)[:looked_at]
        if index not in chosen.get(state, []) and found.costs[state][index] <= left
    ]


def _room(context: Context, arm: Arm, chosen: Selection) -> dict[StatePoint, int]:
    """Labels that each cell may still get."""
    found, most = candidates(context), _most(context, arm)
    return {s: most - found.known_at(s) - len(chosen.get(s, [])) for s in sorted(found.frames)}


def _most(context: Context, arm: Arm) -> int:
    """Labels that one cell may have, those included that are there without buying."""
    found = candidates(context)
    known = sum(found.known_at(state) for state in found.frames)
    share = settings(context).most_of(len(found.frames))
    return math.ceil(share * (arm.budget / found.mean_cost + known))


def _stopped(context: Context, arm: Arm, chosen: Selection) -> str | None:
    """Why an arm buys no more; None where it can."""
    if _for_sale(context, arm, chosen):
        return None
    found = candidates(context)
    left = arm.budget - _spent(found, chosen)
    if left < min(min(costs) for costs in found.costs.values()) - TINY:
        return "the budget is gone"
    return f"{left:.3g} of the budget is left, for no cell may have more labels for it"


def _spent(found: Candidates, chosen: Selection) -> float:
    """Cost of a selection."""
    return sum(found.costs[state][index] for state, own in chosen.items() for index in own)


def _committee(context: Context, arm: Arm, number: int) -> list[Product]:
    """The models that are asked before a round's purchase; none where the arm has stopped."""
    before = product(context, arm, number - 1)
    if read_json(before.folder / SELECTION)["stopped"]:
        return []
    asked = settings(context)
    return [
        Product(
            context.workspace.committee(arm.name, number, member),
            {
                "stage": "committee/3",
                "candidates": sources_of_candidates(context),  # a purchase tells their places only
                "frames": before.content,
                "member": member,
                "loss": arm.loss,
                "seed": [context.study.seed, arm.seed],
                **side_by_side.plan_sources(context, asked.updates),
            },
        )
        for member in range(asked.committee)
    ]


def _trainings(context: Context, arm: Arm, number: int) -> list[side_by_side.Training]:
    """Of a committee, on what was bought before a round and what is known without buying."""
    committee = _committee(context, arm, number)
    if not committee:
        return []
    bought = _read(context, product(context, arm, number - 1).folder)
    frames = [*candidates(context).known, *labelled(context, bought)]
    return [
        side_by_side.Training(
            f"{arm.name} round {number} member {member}",
            made,
            frames,
            side_by_side.arm_plan(context, arm, settings(context).updates, member),
        )
        for member, made in enumerate(committee)
    ]


def _next(context: Context, arm: Arm, number: int, folder: Path) -> None:
    """Estimate every cell's error, and buy the round's labels."""
    before = product(context, arm, number - 1).folder
    state_before = read_json(before / SELECTION)
    chosen = _read(context, before)
    if state_before["stopped"]:
        write_json(folder / SELECTION, state_before)
        return
    found, asked = candidates(context), settings(context)
    committee = _committee(context, arm, number)
    members = [Evaluator(made.folder / MODEL, threads=1) for made in committee]
    gated = gated_of([*found.known, *labelled(context, chosen)])
    seen: dict[str, float] = state_before.get("calibration", {})
    factors = {**dict.fromkeys(GATED, UNSEEN), **seen}
    scores = {}
    gates = context.study.validation.gates
    for state, frames in found.frames.items():
        order = _order(context, arm, state)
        open_ones = [index for index in order if index not in chosen.get(state, [])]
        looked_at = [frames[index] for index in (open_ones or order)[:LOOKED_AT]]
        scores[state] = Opinions.of(members, state, looked_at, gated).outlook(factors, gates)
    record: dict[str, Any] = {
        "scores": {s.name: round(value, 5) for s, value in scores.items()},
        "calibration": seen,
        "stopped": None,
    }
    if seen and max(scores.values()) < asked.target:
        record["stopped"] = f"every cell is expected below {asked.target:g} of its limit"
        _write(folder, chosen, {}, state_before["bought"], record)
        return
    left = arm.budget - _spent(found, chosen)
    share = left / (asked.rounds - number + 1)
    bought = _purchase(context, arm, chosen, scores, share)
    buy(context, bought)
    record["stopped"] = _stopped(context, arm, _joined(chosen, bought))
    record["calibration"] = {
        **seen,
        **calibrated(
            [
                Opinions.of(members, state, own, gated)
                for state in bought
                if (own := labelled(context, {state: bought[state]}))
            ]
        ),
    }
    _write(folder, chosen, bought, state_before["bought"], record)
    context.progress.note(
        f"curriculum: {arm.name} round {number}: worst cell expected at "
        f"{max(scores.values()):.2f} of its limit; bought "
        + ", ".join(f"{len(own)} at {state}" for state, own in sorted(bought.items()))
    )


def _joined(chosen: Selection, bought: Selection) -> Selection:
    return {s: [*chosen.get(s, []), *bought.get(s, [])] for s in {*chosen, *bought}}


def _write(
    folder: Path,
    chosen: Selection,
    bought: Selection,
    history: dict[str, Any],
    record: dict[str, Any],
) -> None:
    everything = _joined(chosen, bought)
    write_json(
        folder / SELECTION,
        {
            "selection": {s.name: own for s, own in sorted(everything.items())},
            "bought": {
                **history,
                str(len(history)): {s.name: len(own) for s, own in sorted(bought.items())},
            },
            **record,
        },
    )
