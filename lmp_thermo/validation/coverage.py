"""What the errors of many arms on many cells say: regions, scores, intervals, paired tests."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lmp_thermo.states import StatePoint
from lmp_thermo.validation.verdict import Verdict

Region = Literal["in", "interpolated", "extrapolated"]

CONFIDENCE = 0.95


def region(state: StatePoint, trained: Sequence[StatePoint]) -> Region:
    """Where a cell lies as seen from the cells that an arm was trained on.

    ``in``: one of them. ``interpolated``: density and temperature both lie within the ranges of
    the trained cells. ``extrapolated``: one of them does not, or no cell was trained on.
    """
    if not trained:
        return "extrapolated"
    if state in trained:
        return "in"
    for name in ("density_g_cm3", "temperature_K"):
        values = [getattr(own, name) for own in trained]
        if not min(values) <= getattr(state, name) <= max(values):
            return "extrapolated"
    return "interpolated"


def score(verdict: Verdict) -> float:
    """The largest error of a cell relative to its limit: at most 1 where every gate is passed."""
    ratios = [
        check.value / check.limit
        for check in verdict.checks
        if check.value is not None and check.limit
    ]
    return max(ratios, default=0.0)


def binding(verdict: Verdict) -> str:
    """Name of the gate whose error is the largest relative to its limit."""
    found = [
        (check.value / check.limit, check.name)
        for check in verdict.checks
        if check.value is not None and check.limit
    ]
    return max(found, default=(0.0, ""))[1]


def root_mean_square(values: Sequence[float]) -> float:
    """Root mean square."""
    return math.sqrt(sum(value * value for value in values) / len(values))


def interval(samples: NDArray[np.float64]) -> list[float]:
    """Percentile interval of bootstrap samples at `CONFIDENCE`."""
    low, high = np.quantile(samples, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return [float(low), float(high)]


@dataclass(frozen=True)
class PairedTest:
    """Two groups of arms compared seed by seed, on the logarithm of a positive quantity.

    Args:
        quantity: what is compared.
        first, second: names of the groups.
        ratios: second / first of each seed, in the order of the seeds.
        ratio: their geometric mean: above 1 the first is better.
        interval: of the ratio at `CONFIDENCE`, from Student's t of the logarithms.
        p_value: two-sided, exact: share of all 2^n exchanges of the pairs with a mean logarithm
            at least as far from zero.
        wins: seeds in which the first is better.
        n: pairs.
    """

    quantity: str
    first: str
    second: str
    ratios: list[float]
    ratio: float
    interval: list[float]
    p_value: float
    wins: int
    n: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def paired_test(
    quantity: str,
    first: Mapping[int, float],
    second: Mapping[int, float],
    names: tuple[str, str],
) -> PairedTest | None:
    """Compare two groups of arms over the seeds that both have.

    Args:
        quantity: name of what is compared.
        first, second: positive values by seed.
        names: of the groups.

    Returns:
        None with fewer than two pairs.
    """
    seeds = sorted(set(first) & set(second))
    if len(seeds) < 2:
        return None
    logs = np.array([math.log(second[seed] / first[seed]) for seed in seeds])
    n = len(logs)
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * n)).reshape(n, -1)
    means = np.abs(logs @ signs) / n
    tolerance = 1e-12 * max(1.0, float(means.max()))
    margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * logs.std(ddof=1) / math.sqrt(n))
    centre = float(logs.mean())
    return PairedTest(
        quantity,
        *names,
        ratios=[float(ratio) for ratio in np.exp(logs)],
        ratio=math.exp(centre),
        interval=[math.exp(centre - margin), math.exp(centre + margin)],
        p_value=float(np.mean(means >= abs(centre) - tolerance)),
        wins=int((logs > 0).sum()),
        n=n,
    )
