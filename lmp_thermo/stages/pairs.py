"""Pairs: designs compared seed by seed, over groups of cells."""

import itertools
import math
from collections.abc import Callable
from typing import Any

from lmp_thermo.comparison import Arm
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.pool import comparison_of
from lmp_thermo.states import StatePoint
from lmp_thermo.validation.coverage import paired_test

Cell = dict[str, Any]
"""Errors and verdict of one arm on one cell."""


def _typical(name: str) -> Callable[[list[Cell]], float]:
    """Geometric mean over cells: errors span decades from gas to liquid, every cell counts."""

    def value(cells: list[Cell]) -> float:
        return math.exp(sum(math.log(cell["rmse"][name]) for cell in cells) / len(cells))

    return value


TESTED: dict[str, Callable[[list[Cell]], float]] = {
    "interaction energy, RMSE": _typical("interaction_energy"),
    "net force on molecules, RMSE": _typical("net_force"),
    "force on atoms, RMSE": _typical("force"),
    "worst cell's score": lambda cells: max(cell["score"] for cell in cells),
    "largest pressure bias": lambda cells: max(abs(cell["pressure_bias_bar"]) for cell in cells),
}
"""Quantities in which designs are compared seed by seed, over groups of cells."""

ON_ATOMS = "force on atoms, RMSE"


def paired_tests(
    context: Context,
    groups: dict[str, list[Arm]],
    by_arm: dict[str, Any],
    states: list[StatePoint],
) -> list[dict[str, Any]]:
    """Pairs of groups, every quantity, over every group of cells; smaller is better.

    Pairs differ in one thing: what they spend, what the training minimises, or whose labels it
    learns from. What an atom feels is what its molecule feels where that is a single atom.

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
        if sum(x != y for x, y in zip(_kind(groups[a][0]), _kind(groups[b][0]), strict=True)) == 1
    ]
    molecular = max(context.composition(context.study.sampling.molecules).molecule_sizes) > 1
    for where, cells in _cell_groups(context, states).items():
        for quantity, of in TESTED.items():
            if not cells or (quantity == ON_ATOMS and not molecular):
                continue
            values = {
                name: {arm.seed: of([by_arm[arm.name][c] for c in cells]) for arm in own}
                for name, own in groups.items()
            }
            if not all(v > 0 for own in values.values() for v in own.values()):
                continue  # as the pressure's without a stress in the labels
            for a, b in pairs:
                test = paired_test(quantity, values[a], values[b], (a, b))
                if test is not None:
                    found.append({"cells": where, **test.to_dict()})
    return found


def _kind(arm: Arm) -> tuple[Any, ...]:
    return (arm.design, arm.budget), arm.loss, arm.recipe


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
