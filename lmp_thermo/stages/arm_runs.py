"""What the runs with the arms' potentials showed, beside the reference's own runs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from lmp_thermo.products import Product
from lmp_thermo.stages import analyze, deck, validate
from lmp_thermo.stages.context import Context
from lmp_thermo.states import StatePoint


def products(context: Context) -> list[Product]:
    """Validations of all potentials that ran."""
    return [validate.product(own) for own in context.potentials]


def runs(context: Context) -> dict[str, Any]:
    """By arm and state point: stability, verdict on relabelled frames, distance to the reference.

    The distance of g(r) is its mean absolute difference from the reference's, over all distances
    that both runs have; that of coordination is Wasserstein-1, in neighbours, of pairs that both
    runs counted with one cutoff. Both are None where there is nothing to compare: where the
    reference has no run of its own, or each run was counted with a cutoff of its own.
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
        "pressure": pressure,
        "rdf_distance": _rdf_distance(context, state),
        "coordination_distance": _coordination_distance(context, state),
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


def _rdf_distance(context: Context, state: StatePoint) -> float | None:
    distances = []
    for mine, truth in _pairs(context, state, "rdf").values():
        n = min(len(mine), len(truth))
        distances.append(float(np.mean(np.abs(mine[:n, 1] - truth[:n, 1]))))
    return round(float(np.mean(distances)), 5) if distances else None


def _coordination_distance(context: Context, state: StatePoint) -> float | None:
    curves = _pairs(context, state, "coordination")
    cutoffs = analyze.common_cutoffs(context) if curves else {}
    distances = [
        float(wasserstein_distance(mine[:, 0], truth[:, 0], mine[:, 1], truth[:, 1]))
        for pair, (mine, truth) in curves.items()
        if pair in cutoffs and mine[:, 1].sum() > 0 and truth[:, 1].sum() > 0
    ]
    return round(float(np.mean(distances)), 5) if distances else None
