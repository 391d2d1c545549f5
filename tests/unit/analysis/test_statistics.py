"""Standard errors against series whose statistics are known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from pymbar import timeseries
from scipy.signal import lfilter

from lmp_thermo.analysis.statistics import (
    LONGEST_SERIES,
    Observable,
    block_standard_error,
    column_inefficiency,
    column_means,
    estimate,
    format_value,
    statistical_inefficiency,
)
from lmp_thermo.errors import AnalysisError
from tests.tolerances import ERROR_BAR_RATIO, K_SIGMA, ROUND_OFF


def autoregressive(
    rng: np.random.Generator, n: int, memory: float, n_series: int = 1
) -> NDArray[np.float64]:
    """x_t = memory x_(t-1) + noise, stationary: g = (1 + memory)/(1 - memory), mean 0."""
    noise = rng.normal(size=(n_series, n + 500))
    return np.asarray(lfilter([1.0], [1.0, -memory], noise))[:, 500:]


def mean_of(series: NDArray[np.float64], **options: bool) -> Observable:
    return estimate(series, name="x", unit="K", origin="test", **options)


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_standard_error_is_the_scatter_of_means(memory: float) -> None:
    rng = np.random.default_rng(11)
    n = int(100 * (1 + memory) / (1 - memory))
    found = [mean_of(x) for x in autoregressive(rng, n, memory, n_series=150)]
    deviations = np.array([o.value / o.standard_error for o in found])
    assert deviations.std() == pytest.approx(1.0, abs=ERROR_BAR_RATIO)
    assert abs(deviations.mean()) < K_SIGMA / math.sqrt(len(found))
    assert np.median([o.n_independent for o in found]) == pytest.approx(100, rel=0.15)


def test_inefficiency_of_an_autoregressive_series() -> None:
    series = autoregressive(np.random.default_rng(2), 20_000, 0.9)[0]
    # The sum over lags to the first zero has a relative error of sqrt(2(2W + 1)/N), W = 2g = 38.
    relative = math.sqrt(2 * 77 / 20_000)
    assert statistical_inefficiency(series) == pytest.approx(19.0, rel=K_SIGMA * relative)


def test_slow_decay_behind_a_fast_oscillation_is_seen() -> None:
    rng = np.random.default_rng(5)
    n = 20_000
    slow = autoregressive(rng, n, 0.99, n_series=60) * math.sqrt(1 - 0.99**2)
    phase = rng.uniform(0.0, 2.0 * np.pi, size=(60, 1))
    series = slow + 3.0 * np.cos(2.0 * np.pi * np.arange(n) / 6.3 + phase)
    found = [mean_of(x, detect_equilibration=False) for x in series]
    ours = np.std([o.value / o.standard_error for o in found])
    g = [timeseries.statistical_inefficiency(x) for x in series]
    pymbar_alone = np.std(series.mean(axis=1) / np.sqrt(series.var(axis=1) * g / n))
    assert ours < 1.0 + 2.0 * ERROR_BAR_RATIO
    assert pymbar_alone > 3.0


def test_start_that_is_not_stationary_is_left_out() -> None:
    series = autoregressive(np.random.default_rng(7), 2000, 0.5)[0]
    series[:400] += 20.0 * np.exp(-np.arange(400) / 80.0)
    found = mean_of(series)
    assert 200 <= found.equilibration_skipped <= 800
    assert abs(found.value) < K_SIGMA * found.standard_error
    assert mean_of(series, detect_equilibration=False).equilibration_skipped == 0


def test_never_more_than_half_is_left_out() -> None:
    for series in autoregressive(np.random.default_rng(8), 1000, 0.999, n_series=20):
        found = mean_of(series)
        assert found.equilibration_skipped <= 500
        assert not found.converged


def test_long_series_keep_mean_and_error() -> None:
    n = 5 * LONGEST_SERIES + 3
    series = autoregressive(np.random.default_rng(9), n, 0.5)[0]
    found = mean_of(series, detect_equilibration=False)
    expected = math.sqrt(series.var() * 3.0 / n)
    assert found.standard_error == pytest.approx(expected, rel=ERROR_BAR_RATIO)
    assert found.value == pytest.approx(series[found.equilibration_skipped :].mean(), rel=ROUND_OFF)
    assert found.n_independent <= LONGEST_SERIES


def test_constant_series_is_one_sample() -> None:
    found = mean_of(np.full(500, 0.1 + 0.2))
    assert (found.standard_error, found.n_independent, found.converged) == (0.0, 1, False)


def test_two_samples_are_not_converged() -> None:
    found = mean_of(np.array([1.0, 3.0]))
    assert found.value == 2.0
    assert found.standard_error > 0.0
    assert not found.converged


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ([], r"x: series of shape \(0,\), expected one dimension and at least 2"),
        ([1.0], r"x: series of shape \(1,\)"),
        ([[1.0, 2.0]], r"x: series of shape \(1, 2\)"),
        ([1.0, math.nan, 2.0], r"x: sample 1 of 3 is nan .*see its log"),
        ([1.0, 2.0, -math.inf], r"x: sample 2 of 3 is -inf"),
    ],
)
def test_unusable_series(series: list[float], message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        mean_of(np.array(series))


def test_block_error_of_independent_samples() -> None:
    series = np.random.default_rng(3).normal(size=4001)
    # Twenty blocks know a standard error to 1/sqrt(38) = 16 %.
    assert block_standard_error(series) == pytest.approx(4001**-0.5, rel=K_SIGMA * 0.16)
    assert block_standard_error([1.0, 2.0, 4.0], n_blocks=3) == pytest.approx(
        np.std([1.0, 2.0, 4.0], ddof=1) / math.sqrt(3), rel=ROUND_OFF
    )
    with pytest.raises(AnalysisError, match="20 blocks of 3 samples, expected at least 2 blocks"):
        block_standard_error([1.0, 2.0, 4.0])


def test_columns_like_pymbar_one_by_one() -> None:
    rng = np.random.default_rng(4)
    columns = [autoregressive(rng, 400, memory)[0] for memory in (0.0, 0.3, 0.8, 0.95)]
    samples = np.column_stack([*columns, np.full(400, 2.0)])
    g = column_inefficiency(samples)
    for column, ours in zip(columns, g, strict=False):
        reference = timeseries.statistical_inefficiency(column)
        corrected = reference * (1.0 + 4.0 * reference / 400) if reference > 1.0 else reference
        assert ours == pytest.approx(corrected, rel=ROUND_OFF)
    assert g[4] == 400.0
    means, errors, n_independent = column_means(samples)
    assert means[4] == 2.0
    assert errors[4] == 0.0
    assert n_independent[4] == 1.0


def test_columns_need_two_samples() -> None:
    with pytest.raises(AnalysisError, match=r"1 frame\(s\), expected at least 2"):
        column_means(np.ones((1, 3)))


@pytest.mark.parametrize(
    ("value", "standard_error", "text"),
    [
        (1.23456, 0.0123, "1.235(12)"),
        (-1.23456, 0.00996, "-1.235(10)"),
        (34127.0, 1234.0, "34100(1200)"),
        (34127.0, 99.7, "34130(100)"),
        (152.3, 2.34, "152.3(2.3)"),
        (150.0, 12.0, "150(12)"),
        (3.2e-7, 4.5e-8, "3.20(45)e-07"),
        (1e-9, 2.3e-6, "0.0(2.3)e-06"),
        (5.4321e9, 1.2e6, "5.4321(12)e+09"),
        (0.1 + 0.2, 0.0, "0.3"),
        (0.0, 0.5, "0.00(50)"),
    ],
)
def test_value_with_uncertainty(value: float, standard_error: float, text: str) -> None:
    assert format_value(value, standard_error) == text


def test_observable_in_words() -> None:
    pressure = Observable("pressure", -120.0, "bar", 34.0, 25, "test")
    assert str(pressure) == "-120(34) bar"
    few = Observable("pressure", -120.0, "bar", 34.0, 19, "test")
    assert str(few) == "-120(34) bar, not converged (19 independent samples)"
    one = Observable("rdf_peak", 2.5, "1", 0.5, 1, "test")
    assert str(one) == "2.50(50), not converged (1 independent sample)"
    fixed = Observable("density", 0.42, "g/cm3", 0.0, 1, "test", imposed=True)
    assert str(fixed) == "0.42 g/cm3 (imposed)"
    assert fixed.converged


def test_observable_as_dictionary_and_back() -> None:
    observable = Observable("x", 1.5, "eV", 0.25, 20, "log", equilibration_skipped=3)
    fields = observable.to_dict()
    assert fields["converged"] is True
    assert Observable.from_dict(fields) == observable
    with pytest.raises(AnalysisError, match=r"fields \['name'\]: expected those of to_dict"):
        Observable.from_dict({"name": "x"})


@pytest.mark.parametrize(
    ("value", "standard_error", "message"),
    [
        (math.nan, 1.0, "x: value = nan, expected a finite number"),
        (1.0, math.inf, "x: standard error = inf, expected a finite number that is not negative"),
        (1.0, -0.5, "x: standard error = -0.5"),
    ],
)
def test_observable_refuses_what_is_no_number(
    value: float, standard_error: float, message: str
) -> None:
    with pytest.raises(AnalysisError, match=message):
        Observable("x", value, "eV", standard_error, 1, "test")
