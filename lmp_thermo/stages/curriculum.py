"""Curriculum: an adaptive arm spends its budget in rounds, where its committee is worst.

No label is spent on a test set. What the members of a committee disagree about is scaled to the
errors that they were seen to make on labels just before they were trained on them.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.comparison import Arm, Curriculum
from lmp_thermo.errors import WorkspaceError
from lmp_thermo.frames import Frame
from lmp_thermo.potential.card import MODEL
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.potential.intermolecular import (
    Quantities,
    labelled_quantities,
    predicted_quantities,
)
from lmp_thermo.products import Product, read_json, write_json
from lmp_thermo.sampling.curriculum import CellOutlook, allocate, calibration, first_labels
from lmp_thermo.sampling.designs import cells_of, pool_order
from lmp_thermo.stages import label, side_by_side
from lmp_thermo.stages.context import Context, remembered
from lmp_thermo.stages.pool import Selection, comparison_of, costs, frames_of, pool
from lmp_thermo.states import StatePoint
from lmp_thermo.units import ideal_gas_pressure_bar
from lmp_thermo.validation import judge_cell
from lmp_thermo.validation.coverage import score

SELECTION = "selection.json"
CANDIDATES = 6
"""Frames of each cell on which the committee's disagreement is looked at."""

GATED = ("net_force", "interaction_energy_per_atom", "molecular_pressure_bar")
"""Quantities that the gates are about, in the order in which they are kept."""


def adaptive_arms(context: Context) -> list[Arm]:
    """Those of the comparison's adaptive arms that buy; the others take what these bought."""
    comparison = comparison_of(context)
    own = [arm for arm in comparison.arms if arm.design == "adaptive"]
    return list(dict.fromkeys(comparison.buyer(arm) for arm in own))


@remembered
def product(context: Context, arm: Arm, round_number: int) -> Product:
    """What an adaptive arm has bought after a round; round 0 is the start."""
    sources: dict[str, Any] = {
        "stage": "curriculum/3",
        "labels": label.product(context, context.last_round).content,
        "curriculum": _settings(context).model_dump(),
        "budget": [arm.budget, comparison_of(context).budget_unit],
        "gates": context.study.validation.gates.model_dump(),
        "loss": arm.loss,
        "seed": [context.study.seed, arm.seed],
    }
    if round_number:
        sources["before"] = product(context, arm, round_number - 1).content
        sources.update(side_by_side.plan_sources(context))
    return Product(context.workspace.curriculum(arm.name, round_number), sources)


def selection(context: Context, arm: Arm) -> Selection:
    """What an adaptive arm bought in all.

    Raises:
        WorkspaceError: its curriculum is not complete.
    """
    made = product(context, arm, _settings(context).rounds)
    if made.state != "current":
        raise WorkspaceError(f"{made.folder}: {made.state}; run `lmp-thermo curriculum` first")
    return _read(context, made.folder)


@remembered
def products(context: Context) -> list[Product]:
    """Every round of every adaptive arm, up to the first that is not there yet."""
    found = []
    for arm in adaptive_arms(context):
        for number in range(_settings(context).rounds + 1):
            found.append(product(context, arm, number))
            if found[-1].state != "current":
                break
    return found


def make(context: Context) -> None:
    """Carry out the rounds of all adaptive arms side by side."""
    settings = _settings(context)
    arms = adaptive_arms(context)
    for arm in arms:
        product(context, arm, 0).make(lambda folder, arm=arm: _start(context, arm, folder))  # type: ignore[misc]
    for number in range(1, settings.rounds + 1):
        context.memory.clear()  # a round's key derives from the round before it
        todo = [arm for arm in arms if product(context, arm, number).state != "current"]
        side_by_side.carry_out(
            context,
            f"curriculum round {number}: committees",
            [one for arm in todo for one in _committee(context, arm, number)],
        )
        for arm in todo:
            product(context, arm, number).make(
                lambda folder, arm=arm, number=number: _next(context, arm, number, folder)  # type: ignore[misc]
            )


def _settings(context: Context) -> Curriculum:
    settings = comparison_of(context).curriculum
    assert settings is not None  # the study file is checked
    return settings


def _cells(context: Context) -> list[StatePoint]:
    known = pool(context)
    return [
        s for s in cells_of("adaptive", comparison_of(context), context.study.states) if s in known
    ]


def _read(context: Context, folder: Path) -> Selection:
    values = read_json(folder / SELECTION)["selection"]
    return {context.study.states.named(name): own for name, own in values.items()}


def _take(
    context: Context, arm: Arm, chosen: Selection, wanted: Mapping[StatePoint, int], limit: float
) -> Selection:
    """Frames of the wanted cells in the order of the arm's seed, until they would cost `limit`."""
    price = costs(context)
    bought: Selection = {}
    for state in sorted(wanted):
        order = pool_order(context.study.seed, arm.seed, state, len(price[state]))
        known = set(chosen.get(state, []))
        for index in [i for i in order if i not in known][: wanted[state]]:
            if price[state][index] > limit:
                return bought
            limit -= price[state][index]
            bought.setdefault(state, []).append(index)
    return bought


def _mean_price(context: Context) -> float:
    prices = [p for state in _cells(context) for p in costs(context)[state]]
    return sum(prices) / len(prices)


def _most(context: Context, arm: Arm) -> int:
    """Labels that one cell may have."""
    return math.ceil(_settings(context).most_share * arm.budget / _mean_price(context))


def _spent(context: Context, chosen: Selection) -> float:
    price = costs(context)
    return sum(price[state][index] for state, own in chosen.items() for index in own)


def _start(context: Context, arm: Arm, folder: Path) -> None:
    settings, price = _settings(context), costs(context)
    share = arm.budget * settings.start_share
    labels = max(2, round(share / _mean_price(context)))
    wanted = first_labels(
        {s: len(price[s]) for s in _cells(context)},
        labels,
        _most(context, arm),
        math.ceil(settings.gas_floor_share * labels),
    )
    bought = _take(context, arm, {}, wanted, arm.budget)
    stopped = "the budget is gone" if settings.start_share == 1 else None
    _write(folder, {}, bought, {}, {"stopped": stopped})


def _committee(context: Context, arm: Arm, number: int) -> list[side_by_side.Training]:
    """Members trained on what was bought before a round; none where the arm has stopped."""
    before = product(context, arm, number - 1)
    if read_json(before.folder / SELECTION)["stopped"]:
        return []
    frames = frames_of(context, _read(context, before.folder))
    settings = _settings(context)
    found = []
    for member in range(settings.committee):
        plan = side_by_side.arm_plan(context, arm, settings.updates, member)
        made = Product(
            context.workspace.committee(arm.name, number, member),
            {
                "stage": "committee/1",
                "frames": before.content,
                "updates": settings.updates,
                "member": member,
                "loss": arm.loss,
                "seed": [context.study.seed, arm.seed],
                **side_by_side.plan_sources(context),
            },
        )
        found.append(
            side_by_side.Training(f"{arm.name} round {number} member {member}", made, frames, plan)
        )
    return found


def _next(context: Context, arm: Arm, number: int, folder: Path) -> None:
    """Estimate every cell's error, and buy the round's labels."""
    before = product(context, arm, number - 1).folder
    state_before = read_json(before / SELECTION)
    chosen = _read(context, before)
    if state_before["stopped"]:
        write_json(folder / SELECTION, state_before)
        return
    settings, cells = _settings(context), _cells(context)
    members = [Evaluator(one.product.folder / MODEL) for one in _committee(context, arm, number)]
    factors = state_before.get("calibration") or dict.fromkeys(GATED, calibration([]))
    scores = {s: _outlook(context, arm, s, chosen, members, factors) for s in cells}
    record: dict[str, Any] = {
        "scores": {s.name: round(value, 5) for s, value in scores.items()},
        "calibration": factors,
        "stopped": None,
    }
    if max(scores.values()) < settings.target and number > 1:
        record["stopped"] = f"every cell is expected below {settings.target:g} of its limit"
        _write(folder, chosen, {}, state_before["bought"], record)
        return
    left = arm.budget - _spent(context, chosen)
    share = left / (settings.rounds - number + 1)
    labels = math.floor(share / _mean_price(context) + 1e-9)
    price = costs(context)
    outlook = {
        s: CellOutlook(scores[s], len(chosen.get(s, [])), len(price[s]) - len(chosen.get(s, [])))
        for s in cells
    }
    wanted = allocate(
        outlook, labels, _most(context, arm), math.ceil(settings.gas_floor_share * labels)
    )
    bought = _take(context, arm, chosen, wanted, left)
    if number == settings.rounds:
        record["stopped"] = "the budget is gone"
    record["calibration"] = _calibration(context, bought, members)
    _write(folder, chosen, bought, state_before["bought"], record)
    context.progress.note(
        f"curriculum: {arm.name} round {number}: worst cell expected at "
        f"{max(scores.values()):.2f} of its limit; bought "
        + ", ".join(f"{len(own)} at {state}" for state, own in sorted(bought.items()))
    )


def _write(
    folder: Path,
    chosen: Selection,
    bought: Selection,
    history: dict[str, Any],
    record: dict[str, Any],
) -> None:
    everything = {s: [*chosen.get(s, []), *bought.get(s, [])] for s in {*chosen, *bought}}
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


def _predicted(members: list[Evaluator], frames: list[Frame]) -> list[list[Quantities]]:
    """Predictions of each member for each frame."""
    return [
        [predicted_quantities(f, p) for f, p in zip(frames, member.evaluate(frames), strict=True)]
        for member in members
    ]


def _stacked(predictions: list[list[Quantities]], name: str) -> NDArray[np.float64]:
    """(members, frames, components) of one quantity."""
    return np.array([[np.ravel(getattr(q, name)) for q in own] for own in predictions], dtype=float)


def _disagreement(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(frames, components) standard deviation over the members."""
    return np.asarray(values.std(axis=0, ddof=1))


def _outlook(
    context: Context,
    arm: Arm,
    state: StatePoint,
    chosen: Selection,
    members: list[Evaluator],
    factors: Mapping[str, float],
) -> float:
    """Estimated error of a cell relative to its limit, from frames without using their labels."""
    found = pool(context)[state]
    order = pool_order(context.study.seed, arm.seed, state, len(found))
    known = set(chosen.get(state, []))
    frames = [found[i] for i in order if i not in known][:CANDIDATES] or [
        found[i] for i in order[:CANDIDATES]
    ]
    predictions = _predicted(members, frames)
    has_stress = predictions[0][0].molecular_pressure_bar is not None
    errors: dict[str, Any] = {"molecular_pressure": None}
    for name, key in (
        ("net_force", "net_force"),
        ("interaction_energy_per_atom", "interaction_energy"),
    ):
        values = _stacked(predictions, name)
        errors[key] = {
            "rmse": factors[name] * float(np.sqrt(np.mean(_disagreement(values) ** 2))),
            "rms": float(np.sqrt(np.mean(values.mean(axis=0) ** 2))),
        }
    if has_stress:
        pressure = _stacked(predictions, "molecular_pressure_bar")[:, :, 0]
        errors["molecular_pressure"] = {
            "mean": factors["molecular_pressure_bar"] * float(pressure.mean(axis=1).std(ddof=1)),
            "reference": float(pressure.mean()),
        }
    volume = float(frames[0].atoms.get_volume())
    ideal = ideal_gas_pressure_bar(frames[0].n_molecules, state.temperature_K, volume)
    return score(judge_cell(state, errors, ideal, context.study.validation.gates))


def _calibration(context: Context, bought: Selection, members: list[Evaluator]) -> dict[str, float]:
    """Root mean square error of the members over their disagreement, on labels just bought."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in GATED}
    for state, own in bought.items():
        frames = [pool(context)[state][index] for index in own]
        predictions = _predicted(members, frames)
        labels = [labelled_quantities(frame) for frame in frames]
        for name in GATED:
            if getattr(labels[0], name) is None:
                continue
            truth = np.array([np.ravel(getattr(q, name)) for q in labels], dtype=float)
            values = _stacked(predictions, name)
            if name == "molecular_pressure_bar":  # its bias is what counts
                values, truth = values.mean(axis=1, keepdims=True), truth.mean(0, keepdims=True)
            error = math.sqrt(np.mean((values - truth[None]) ** 2))
            seen[name].append((error, math.sqrt(np.mean(_disagreement(values) ** 2))))
    return {name: round(calibration(own), 5) for name, own in seen.items()}
