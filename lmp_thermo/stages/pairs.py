"""Pairs: designs compared seed by seed, over groups of cells."""

import itertools
from typing import Any

from lmp_thermo.comparison import Arm
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.pool import comparison_of
from lmp_thermo.states import StatePoint
from lmp_thermo.validation.coverage import paired_test, root_mean_square

TESTED = {
    "interaction_energy": "interaction energy, RMSE",
    "net_force": "net force on molecules, RMSE",
    "force": "force on atoms, RMSE",
    "score": "worst cell's score",
}
"""Quantities in which designs are compared seed by seed, over groups of cells."""


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
        for quantity, label_ in TESTED.items():
            if not cells or (quantity == "force" and not molecular):
                continue
            values = {
                name: {
                    arm.seed: max(by_arm[arm.name][c]["score"] for c in cells)
                    if quantity == "score"
                    else root_mean_square([by_arm[arm.name][c]["rmse"][quantity] for c in cells])
                    for arm in own
                }
                for name, own in groups.items()
            }
            for a, b in pairs:
                test = paired_test(label_, values[a], values[b], (a, b))
                if test is not None:
                    found.append({"cells": where, **test.to_dict()})
    return found


def _kind(arm: Arm) -> tuple[Any, ...]:
    return (arm.design, arm.budget), arm.loss, arm.recipe


def _cell_groups(context: Context, states: list[StatePoint]) -> dict[str, list[str]]:
    home = comparison_of(context).home.state
    same_density = [s for s in states if s.density_g_cm3 == home.density_g_cm3]
    return {
        "all cells": [s.name for s in states],
        "other densities": [s.name for s in states if s not in same_density],
        "home density, other temperatures": [s.name for s in same_density if s != home],
        "other densities and temperatures": [
            s.name
            for s in states
            if s not in same_density and s.temperature_K != home.temperature_K
        ],
    }
