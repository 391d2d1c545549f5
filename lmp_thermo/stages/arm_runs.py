"""What the runs with the arms' potentials showed, beside the reference's own runs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from lmp_thermo.products import Product
from lmp_thermo.stages import analyze, deck, validate
from lmp_thermo.stages.context import Context
from lmp_thermo.states import StatePoint
from lmp_thermo.validation.verdict import RUN_PRESSURE

DRAWS = 400
"""Of chance's distances; their mean is then known to some 4 %."""


def products(context: Context) -> list[Product]:
    """Validations of all potentials that ran."""
    return [validate.product(own) for own in context.potentials]


def runs(context: Context) -> dict[str, Any]:
    """By arm and state point: stability, verdict on relabelled frames, distance to the reference.

    Whether a run that came to its end was too short for the gate on its pressure is said, too.

    The distance of g(r) is its mean absolute difference from the reference's, over all distances
    that both runs have; that of coordination is Wasserstein-1, in neighbours, of pairs that both
    runs counted with one cutoff. Both are None where there is nothing to compare: where the
    reference has no run of its own, or each run was counted with a cutoff of its own. Beside each
    stands what two runs with one potential would show, from the standard errors of both.
    """
    found: dict[str, Any] = {}
    for own in context.potentials:
        cells = validate.read(own)
        found[own.arm] = {
            state.name: _row(own, state, cells[state.name]) for state in own.run_states
        }
    return found


def _row(context: Context, state: StatePoint, cell: dict[str, Any]) -> dict[str, Any]:
    pressure = next((row for row in cell["comparison"] if row["name"] == "pressure"), None)
    return {
        "status": cell["run"]["status"],
        "cause": cell["run"]["cause"],
        "passed": cell["verdict"]["passed"],
        "failures": cell["verdict"]["failures"],
        "pressure_not_judged": cell["run"]["status"] == "finished"
        and any(
            check["name"] == RUN_PRESSURE and check["passed"] is None
            for check in cell["verdict"]["checks"]
        ),
        "pressure": pressure,
        **_named("rdf", _rdf_distances(context, state)),
        **_named("coordination", _coordination_distances(context, state)),
    }


def _named(kind: str, distances: list[tuple[float, float]]) -> dict[str, float | None]:
    """Means over pairs of sites."""
    if not distances:
        return {f"{kind}_distance": None, f"{kind}_by_chance": None}
    found, by_chance = np.mean(distances, axis=0)
    return {
        f"{kind}_distance": round(float(found), 5),
        f"{kind}_by_chance": round(float(by_chance), 5),
    }


def _pairs(
    context: Context, state: StatePoint, kind: str
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Curves of the arm and of the reference, of the pairs that both have."""
    if not context.study.validation.reference_runs:
        return {}
    mine = analyze.curves(context, context.arm, state, kind)
    truth = analyze.curves(context, deck.REFERENCE_ARM, state, kind)
    return {pair: (mine[pair], truth[pair]) for pair in mine if pair in truth}


def _rdf_distances(context: Context, state: StatePoint) -> list[tuple[float, float]]:
    """Of each pair of sites, and by chance: the mean of |x| of a normal x is sqrt(2/pi) sigma."""
    distances = []
    for mine, truth in _pairs(context, state, "rdf").values():
        n = min(len(mine), len(truth))
        found = np.abs(mine[:n, 1] - truth[:n, 1])
        by_chance = np.sqrt(2 / np.pi) * np.hypot(mine[:n, 2], truth[:n, 2])
        distances.append((float(found.mean()), float(by_chance.mean())))
    return distances


def _coordination_distances(context: Context, state: StatePoint) -> list[tuple[float, float]]:
    """Of each pair of sites, and by chance."""
    curves = _pairs(context, state, "coordination")
    cutoffs = analyze.common_cutoffs(context) if curves else {}
    return [
        (
            float(wasserstein_distance(mine[:, 0], truth[:, 0], mine[:, 1], truth[:, 1])),
            float(np.mean(distances_by_chance(mine, truth))),
        )
        for pair, (mine, truth) in curves.items()
        if pair in cutoffs and mine[:, 1].sum() > 0 and truth[:, 1].sum() > 0
    ]


def distances_by_chance(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Wasserstein-1 distances that two samples of one distribution may have.

    Errors of shares are drawn as normal, and so that shares still add up to one.

    Args:
        one, other: columns value, share, standard error of the share, ...

    Returns:
        (DRAWS,) in the unit of the values.
    """
    values = np.union1d(one[:, 0], other[:, 0])
    random = np.random.default_rng(0)
    difference = np.zeros((DRAWS, len(values)))
    for sign, curve in ((1.0, one), (-1.0, other)):
        errors = np.zeros(len(values))
        errors[np.searchsorted(values, curve[:, 0])] = curve[:, 2]
        variance = np.square(errors)
        if variance.sum() > 0:
            drawn = random.normal(scale=errors, size=difference.shape)
            drawn -= drawn.sum(axis=1, keepdims=True) * variance / variance.sum()
            difference += sign * drawn
    beyond = np.abs(np.cumsum(difference, axis=1))[:, :-1]
    return np.asarray(beyond @ np.diff(values))
