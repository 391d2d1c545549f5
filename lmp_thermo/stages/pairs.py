"""Paired tests: designs of a comparison compared seed by seed, over groups of cells."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lmp_thermo.comparison import Arm
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.matrix import NOTHING, Cell
from lmp_thermo.stages.pool import comparison_of
from lmp_thermo.states import StatePoint
from lmp_thermo.validation.coverage import paired_test

Judged = Mapping[str, Mapping[str, Cell]]
"""Errors and verdicts by arm and cell."""

TYPICAL = {
    "interaction energy, RMSE": "interaction_energy",
    "net force on molecules, RMSE": "net_force",
    "force on atoms, RMSE": "force",
}
"""Compared by their geometric mean over cells: errors span decades from gas to liquid, and every
cell counts."""

WORST: dict[str, Callable[[Cell], float]] = {
    "worst cell's intermolecular error": lambda cell: float(cell["intermolecular_score"]),
    "worst cell's score": lambda cell: float(cell["score"]),
    "largest pressure bias": lambda cell: abs(float(cell["pressure_bias_bar"])),
}
"""Compared by their largest value over cells."""

ON_ATOMS = "force on atoms, RMSE"

DENSITY, PLAIN, ADAPTIVE = "density", "plain", "adaptive"
"""The design that the package asks about, the loss without intermolecular terms, and the design
that is to do with fewer labels."""


def without_error(by_arm: Judged) -> dict[str, list[str]]:
    """Cells in which an arm makes no error at all, by quantity.

    As in a gas so thin that no molecules of its frames meet. No geometric mean can hold them, and
    means over different cells cannot be compared, so they are left out for every arm.
    """
    found = {
        quantity: sorted(
            {c for own in by_arm.values() for c in own if own[c]["rmse"][name] < NOTHING}
        )
        for quantity, name in TYPICAL.items()
    }
    return {quantity: cells for quantity, cells in found.items() if cells}


def paired_tests(
    context: Context,
    groups: dict[str, list[Arm]],
    by_arm: Judged,
    states: list[StatePoint],
) -> list[dict[str, Any]]:
    """Pairs of groups, every quantity, over every group of cells; smaller is better.

    Pairs differ in one thing: what they spend, what the training minimises, or whose labels it
    learns from. Designs of different budgets are compared where one of them is adaptive.

    Args:
        context: of the study.
        groups: arms by group.
        by_arm: errors and verdicts by arm and cell.
        states: cells on which all were judged.

    Returns:
        For JSON; empty with a single seed.
    """
    found = []
    pairs = [
        (a, b)
        for a, b in itertools.combinations(groups, 2)
        if _comparable(groups[a][0], groups[b][0])
    ]
    for where, quantity, values in _values(context, groups, by_arm, states):
        for a, b in pairs:
            test = paired_test(quantity, values[a], values[b], (a, b))
            if test is not None:
                found.append({"cells": where, **test.to_dict()})
    return found


def loss_interactions(
    context: Context,
    groups: dict[str, list[Arm]],
    by_arm: Judged,
    states: list[StatePoint],
) -> list[dict[str, Any]]:
    """Does the effect of density diversity stand without the intermolecular loss?

    For each design, its pairs with the density design are compared between the losses: by seed,
    (density-plain / design-plain) / (density / design). Below 1 the density design gains on the
    other one where the intermolecular terms are missing.

    Args:
        context: of the study.
        groups: arms by group.
        by_arm: errors and verdicts by arm and cell.
        states: cells on which all were judged.

    Returns:
        For JSON; empty with a single seed, a single loss, or no density design.
    """
    by_kind = {_kind(own[0]): name for name, own in groups.items()}
    fours: list[tuple[str, ...]] = []
    for (spent, loss, recipe), design in by_kind.items():
        density = (DENSITY, spent[1])
        others = (density, loss, recipe), (spent, PLAIN, recipe), (density, PLAIN, recipe)
        if spent != density and loss != PLAIN and all(kind in by_kind for kind in others):
            fours.append((design, *(by_kind[kind] for kind in others)))
    found = []
    for where, quantity, values in _values(context, groups, by_arm, states):
        for names in fours:
            below, above, plain_below, plain_above = (values[name] for name in names)
            own, control = (
                {seed: upper[seed] / lower[seed] for seed in upper.keys() & lower.keys()}
                for upper, lower in ((above, below), (plain_above, plain_below))
            )
            test = paired_test(quantity, own, control, (names[0], names[1]))
            if test is not None:
                found.append({"cells": where, **test.to_dict()})
    return found


def _values(
    context: Context, groups: dict[str, list[Arm]], by_arm: Judged, states: list[StatePoint]
) -> Iterator[tuple[str, str, dict[str, dict[int, float]]]]:
    """Group of cells, quantity, and the quantity's values by group of arms and seed.

    What an atom feels is what its molecule feels where that is a single atom.
    """
    molecular = max(context.composition(context.study.sampling.molecules).molecule_sizes) > 1
    exact = without_error(by_arm)
    for where, cells in _cell_groups(context, states).items():
        for quantity in (*TYPICAL, *WORST):
            own = [c for c in cells if c not in exact.get(quantity, [])]
            if not own or (quantity == ON_ATOMS and not molecular):
                continue
            values = {
                name: {arm.seed: _over(quantity, [by_arm[arm.name][c] for c in own]) for arm in a}
                for name, a in groups.items()
            }
            if all(v > 0 for of_group in values.values() for v in of_group.values()):
                yield where, quantity, values  # 0: the pressure's without a stress in the labels


def _over(quantity: str, cells: Sequence[Cell]) -> float:
    if quantity in WORST:
        return max(map(WORST[quantity], cells))
    name = TYPICAL[quantity]
    return math.exp(sum(math.log(cell["rmse"][name]) for cell in cells) / len(cells))


def _kind(arm: Arm) -> tuple[Any, ...]:
    return (arm.design, arm.budget), arm.loss, arm.recipe


def _comparable(a: Arm, b: Arm) -> bool:
    if sum(x != y for x, y in zip(_kind(a), _kind(b), strict=True)) != 1:
        return False
    return a.design == b.design or a.budget == b.budget or ADAPTIVE in (a.design, b.design)


def _cell_groups(context: Context, states: list[StatePoint]) -> dict[str, list[str]]:
    comparison = comparison_of(context)
    home = comparison.home.state
    same_density = [s for s in states if s.density_g_cm3 == home.density_g_cm3]
    spendable = [s.name for s in states if comparison.may_spend(s)]
    return {
        "all cells": [s.name for s in states],
        "cells to spend on": spendable if len(spendable) < len(states) else [],
        "other densities": [s.name for s in states if s not in same_density],
        "home density, other temperatures": [s.name for s in same_density if s != home],
        "other densities and temperatures": [
            s.name
            for s in states
            if s not in same_density and s.temperature_K != home.temperature_K
        ],
    }
