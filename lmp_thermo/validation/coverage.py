"""What the errors of many arms on many cells say: scores, intervals, paired tests."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lmp_thermo.validation.verdict import INTERACTION_ENERGY, NET_FORCE, Verdict

CONFIDENCE = 0.95

INTERMOLECULAR = (NET_FORCE, INTERACTION_ENERGY)
"""Gates of what acts between molecules. A bias of the pressure is a mean over a few frames, whose
chance may hide everything else."""

EXACT_UP_TO = 20
"""Pairs of which all exchanges are looked at: 2^20 means, 8 MB."""

EXCHANGES = 100_000
"""Drawn of more pairs: p is then known to a tenth of itself at 0.001."""


def score(verdict: Verdict, gates: Collection[str] | None = None) -> float:
    """The largest error of a cell relative to its limit: at most 1 where every gate is passed.

    Args:
        verdict: on the cell.
        gates: names of those that count; all of them by default.
    """
    ratios = [
        check.value / check.limit
        for check in verdict.checks
        if check.value is not None and check.limit and (gates is None or check.name in gates)
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


def resampled(n: int, n_resamples: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Bootstrap of n independent samples: n - 1 of them with replacement.

    As many as n would give means a variance that is low by the factor 1 - 1/n, which few frames
    and fewer seeds feel; n - 1 give the unbiased one (Rao and Wu,
    DOI 10.1080/01621459.1988.10478591). What is left: percentiles know nothing of Student's t, so
    that intervals of three Gaussian samples hold their mean in 76 % of cases, of eight in 90 %.

    Returns:
        (n_resamples, n - 1) indices; of a single sample, that one.
    """
    return random.integers(0, n, (n_resamples, max(n - 1, 1)))


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
        p_value: two-sided: share of all 2^n exchanges of the pairs with a mean logarithm at least
            as far from zero.
        wins: seeds in which the first is better.
        n: pairs.
        estimated: whether `p_value` is that of `EXCHANGES` exchanges drawn at random (always the
            same), beside the one that was found: of more than `EXACT_UP_TO` pairs.
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
    estimated: bool

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
    margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * logs.std(ddof=1) / math.sqrt(n))
    centre = float(logs.mean())
    return PairedTest(
        quantity,
        *names,
        ratios=[float(ratio) for ratio in np.exp(logs)],
        ratio=math.exp(centre),
        interval=[math.exp(centre - margin), math.exp(centre + margin)],
        p_value=_sign_flip(logs),
        wins=int((logs > 0).sum()),
        n=n,
        estimated=n > EXACT_UP_TO,
    )


def _sign_flip(logs: NDArray[np.float64]) -> float:
    """Share of sums with signs of either kind that are as far from zero as the given one's.

    Args:
        logs: (n,) differences that are as often of one sign as of the other, were there nothing
            to find.
    """
    exact = len(logs) <= EXACT_UP_TO
    random = np.random.default_rng(len(logs))
    sums = np.zeros(1 if exact else EXCHANGES)
    for log in logs:
        if exact:
            sums = np.concatenate([sums - log, sums + log])
        else:
            sums += log * random.choice([-1.0, 1.0], EXCHANGES)
    tolerance = 1e-12 * max(1.0, float(np.abs(logs).sum()))
    as_far = int((np.abs(sums) >= abs(float(logs.sum())) - tolerance).sum())
    return as_far / len(sums) if exact else (as_far + 1) / (len(sums) + 1)
