"""Means of correlated series: standard errors, independent samples, equilibration.

A series of N correlated samples knows its mean no better than N/g independent ones would,
with the statistical inefficiency g = 1 + 2 sum_t (1 - t/N) C(t), C(t) being the normalised
autocorrelation function (Chodera et al., DOI 10.1021/ct0502864).
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmp_thermo.errors import AnalysisError

# pymbar writes a general caution and an advertisement for jax to these loggers when imported.
for _name in ("pymbar.timeseries", "pymbar.mbar_solvers"):
    logging.getLogger(_name).setLevel(logging.ERROR)
from pymbar import timeseries  # noqa: E402 (the loggers must be set before)

INDEPENDENT_SAMPLES_NEEDED = 20
"""With fewer independent samples the standard error itself is a guess (over 16 % off)."""

LONGEST_SERIES = 20_000
"""Longer series are averaged over short runs of samples first, to bound the cost."""

EQUILIBRATION_CANDIDATES = 25
"""Starts tried, evenly over the first half of a series."""

BLOCK_EXCESS = 1.5
"""Three standard deviations (16 % each) of a standard error made from 20 blocks."""


@dataclass(frozen=True)
class Observable:
    """A number that leaves the package.

    Args:
        name: what it is.
        value: the estimate, in `unit`.
        unit: of value and standard error.
        standard_error: one standard deviation of the estimate.
        n_independent: number of independent samples behind it, rounded down.
        origin: where it comes from: data, selection, estimator.
        equilibration_skipped: samples left out at the start of the series.
        imposed: the value was prescribed (density in a fixed box), not sampled.
    """

    name: str
    value: float
    unit: str
    standard_error: float
    n_independent: int
    origin: str
    equilibration_skipped: int = 0
    imposed: bool = False

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise AnalysisError(f"{self.name}: value = {self.value}, expected a finite number")
        if not (math.isfinite(self.standard_error) and self.standard_error >= 0.0):
            raise AnalysisError(
                f"{self.name}: standard error = {self.standard_error}, expected a finite "
                "number that is not negative"
            )

    @property
    def converged(self) -> bool:
        """Whether the number can be quoted: enough independent samples, or prescribed."""
        return self.imposed or self.n_independent >= INDEPENDENT_SAMPLES_NEEDED

    def __str__(self) -> str:
        return format_observable(self)

    def to_dict(self) -> dict[str, Any]:
        """The fields and `converged`, ready for JSON."""
        return {**asdict(self), "converged": self.converged}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "Observable":
        """Read what `to_dict` wrote.

        Raises:
            AnalysisError: a field is missing or unknown.
        """
        try:
            return cls(**{key: value for key, value in fields.items() if key != "converged"})
        except TypeError as error:
            raise AnalysisError(
                f"observable with fields {sorted(fields)}: expected those of to_dict ({error})"
            ) from error


def format_observable(observable: Observable) -> str:
    """Text with unit and uncertainty: ``-1.234(56) eV``, marked where it is not converged."""
    number = format_value(observable.value, observable.standard_error)
    text = f"{number} {observable.unit}" if observable.unit != "1" else number
    if observable.imposed:
        return f"{text} (imposed)"
    if not observable.converged:
        plural = "" if observable.n_independent == 1 else "s"
        return f"{text}, not converged ({observable.n_independent} independent sample{plural})"
    return text


def format_value(value: float, standard_error: float) -> str:
    """``value(uncertainty)``: the standard error with two digits, in units of the last place."""
    if standard_error == 0.0:
        return f"{value:.6g}"
    place = math.floor(math.log10(standard_error)) - 1
    digits = round(standard_error / 10.0**place)
    if digits == 100:
        place, digits = place + 1, 10
    if 0 <= place <= 3:
        return f"{round(value / 10**place) * 10**place}({digits * 10**place})"
    size = math.floor(math.log10(max(abs(value), standard_error)))
    shift = size if place > 3 or size < -3 else 0
    decimals = shift - place
    uncertainty = digits / 10.0**decimals
    in_last_place = f"{uncertainty:.{decimals}f}" if uncertainty >= 1.0 else f"{digits}"
    exponent = f"e{shift:+03d}" if shift else ""
    return f"{value / 10.0**shift:.{decimals}f}({in_last_place}){exponent}"


def checked_series(series: ArrayLike, name: str) -> NDArray[np.float64]:
    """The series as float64.

    Raises:
        AnalysisError: not one-dimensional, fewer than two samples, or not finite.
    """
    values = np.asarray(series, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise AnalysisError(
            f"{name}: series of shape {values.shape}, expected one dimension and at least 2 "
            "samples; run longer or write more often"
        )
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise AnalysisError(
            f"{name}: sample {bad[0]} of {len(values)} is {values[bad[0]]} ({len(bad)} not "
            "finite), expected finite numbers; the run has probably blown up: see its log"
        )
    return values


def is_constant(values: NDArray[np.float64]) -> bool:
    """Whether a series varies by no more than round-off of its own size."""
    return bool(np.ptp(values) <= 1e-13 * np.max(np.abs(values)))


def equilibration_start(values: NDArray[np.float64]) -> int:
    """Start that keeps the most independent samples, at most half the series.

    Chodera's criterion (DOI 10.1021/acs.jctc.5b00784): maximise (N - t)/g(t) over the start
    t. The maximum over noisy g prefers starts where g is too low by chance, in the extreme a
    short and seemingly uncorrelated tail of a slow series; hence no start beyond the half.

    Args:
        values: (n,) at most `LONGEST_SERIES` samples.
    """
    n = len(values)
    if n < 2 * INDEPENDENT_SAMPLES_NEEDED:
        return 0
    starts = np.unique(np.linspace(0, n // 2, EQUILIBRATION_CANDIDATES).astype(int))
    kept = [
        0.0
        if is_constant(values[t:])
        else (n - t) / timeseries.statistical_inefficiency(values[t:], fast=True)
        for t in starts
    ]
    return int(starts[int(np.argmax(kept))])


def block_standard_error(series: ArrayLike, n_blocks: int = INDEPENDENT_SAMPLES_NEEDED) -> float:
    """Standard error of the mean from the scatter of block means.

    Unbiased variance of the block means over their number. Right when a block is much longer
    than the correlation time, too low otherwise; knows nothing of the shape of C(t).

    Args:
        series: (n,) samples; the first n modulo n_blocks are left out.
        n_blocks: number of blocks.

    Raises:
        AnalysisError: fewer than two blocks, or fewer samples than blocks.
    """
    values = checked_series(series, "block average")
    length = len(values) // n_blocks
    if n_blocks < 2 or length < 1:
        raise AnalysisError(
            f"block average: {n_blocks} blocks of {len(values)} samples, expected at least 2 "
            "blocks and a sample in each"
        )
    means = values[len(values) - n_blocks * length :].reshape(n_blocks, length).mean(axis=1)
    return float(np.std(means, ddof=1) / math.sqrt(n_blocks))


def statistical_inefficiency(values: NDArray[np.float64]) -> float:
    """Samples per independent sample, g >= 1.

    pymbar's estimator: mean removed, the sum over lags ends at the first negative C(t) beyond
    three lags. Removing the sample's own mean lowers every C(t) by about g/N; the sum over W
    lags is raised by 2W/N for that (Wolff, DOI 10.1016/S0010-4655(03)00467-3), with
    W = 2g, where an exponential C(t) drowns in its noise. A fast oscillation (bond vibrations
    in a pressure) ends that sum before a slow decay is seen; so where 20 blocks give a standard
    error more than `BLOCK_EXCESS` times higher, g is raised to theirs.
    """
    if is_constant(values):
        return float(len(values))
    n = len(values)
    g = float(timeseries.statistical_inefficiency(values))
    g *= 1.0 + (4.0 * g / n if g > 1.0 else 0.0)
    if n >= 2 * INDEPENDENT_SAMPLES_NEEDED:
        variance = float(np.var(values))
        blocks = block_standard_error(values) ** 2 * n / variance
        if blocks > BLOCK_EXCESS**2 * g:
            g = blocks
    return min(max(g, 1.0), float(n))


def estimate(
    series: ArrayLike,
    *,
    name: str,
    unit: str,
    origin: str,
    detect_equilibration: bool = True,
) -> Observable:
    """Mean of a correlated, stationary series and its standard error.

    The plain mean (unbiased) of the samples after `equilibration_start`. With n = N/g
    independent samples among the N kept, the variance about the sample mean s^2 (divided by N)
    is low by the factor 1 - 1/n, so the squared standard error is s^2/(n - 1). Below n = 2
    the standard error is s, a lower bound. A series that never changes gives standard error 0
    from one sample: it is either prescribed or stuck, and counts as not converged.

    Args:
        series: (n_samples,) equally spaced.
        name: name of the observable.
        unit: unit of the samples.
        origin: where the samples come from.
        detect_equilibration: leave out a start that is not stationary.

    Raises:
        AnalysisError: fewer than two samples, or one that is not finite.
    """
    values = checked_series(series, name)
    stride = -(-len(values) // LONGEST_SERIES)
    # Means over short runs keep the mean and its error, where thinning would lose samples.
    skipped = len(values) % stride
    values = values[skipped:].reshape(-1, stride).mean(axis=1)
    start = equilibration_start(values) if detect_equilibration else 0
    values = values[start:]
    g = statistical_inefficiency(values)
    n = len(values) / g
    spread = 0.0 if is_constant(values) else float(np.std(values))
    return Observable(
        name=name,
        value=float(np.mean(values)),
        unit=unit,
        standard_error=spread / math.sqrt(max(n - 1.0, 1.0)),
        n_independent=int(n),
        origin=origin,
        equilibration_skipped=start * stride + skipped,
    )


def column_inefficiency(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Statistical inefficiency of each column, all columns at once.

    pymbar's estimator, corrected for the removed mean as in `statistical_inefficiency`; no
    second opinion from blocks.

    Args:
        samples: (n_samples, n_columns)

    Returns:
        (n_columns,) between 1 and n_samples; n_samples for a column that never changes.
    """
    n = len(samples)
    deviation = samples - samples.mean(axis=0)
    variance = np.mean(deviation**2, axis=0)
    g = np.where(variance > 0.0, 1.0, float(n))
    open_columns = np.flatnonzero(variance > 0.0)
    lag = 1
    while lag < n - 1 and len(open_columns):
        product = deviation[: n - lag, open_columns] * deviation[lag:, open_columns]
        correlation = product.sum(axis=0) / ((n - lag) * variance[open_columns])
        going_on = (correlation > 0.0) | (lag <= 3)
        open_columns, correlation = open_columns[going_on], correlation[going_on]
        g[open_columns] += 2.0 * correlation * (1.0 - lag / n)
        lag += 1
    g = np.clip(g, 1.0, float(n))
    raised = np.where(g > 1.0, g * (1.0 + 4.0 * g / n), g)
    return np.asarray(np.minimum(raised, float(n)))


def column_means(
    samples: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Means of many correlated series at once, estimator as in `estimate`.

    Args:
        samples: (n_samples, n_columns), stationary.

    Returns:
        means, standard errors, numbers of independent samples, each (n_columns,).

    Raises:
        AnalysisError: fewer than two samples.
    """
    if len(samples) < 2:
        raise AnalysisError(
            f"{len(samples)} frame(s), expected at least 2 for a standard error; "
            "select more frames or run longer"
        )
    n_independent = len(samples) / column_inefficiency(samples)
    spread = np.std(samples, axis=0)
    errors = spread / np.sqrt(np.maximum(n_independent - 1.0, 1.0))
    return samples.mean(axis=0), errors, n_independent
