"""Distances of coordination along the axes of a grid, diversity and coverage: known answers."""

import itertools
import json
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, wasserstein_distance

from lmp_thermo.analysis.diversity import coverage, diversity
from lmp_thermo.analysis.environments import Cutoff
from lmp_thermo.analysis.response import response
from lmp_thermo.analysis.wasserstein import STEP, Distances, wasserstein
from lmp_thermo.errors import AnalysisError
from lmp_thermo.states import StatePoint
from tests.tolerances import K_SIGMA, ROUND_OFF
from tests.unit.analysis.frames import cell_of

COLD, HOT = StatePoint(0.2, 100.0), StatePoint(0.2, 300.0)
DENSE = StatePoint(0.6, 100.0)


def normal_samples(rng, n_frames: int, n_sites: int, mean: float) -> list[np.ndarray]:
    """Counts around `mean` with deviation 1; half of their variance is common to a frame."""
    common = rng.normal(scale=math.sqrt(0.5), size=(n_frames, 1))
    return list(mean + common + rng.normal(scale=math.sqrt(0.5), size=(n_frames, n_sites)))


def test_a_shifted_distribution_is_as_far_as_its_shift() -> None:
    rng = np.random.default_rng(1)
    samples = [rng.uniform(3.0, 9.0, size=n) for n in (30, 20, 25, 30, 40)]
    cell = cell_of(COLD, samples)
    shifted = cell_of(HOT, [s + 3.0 for s in samples])
    assert wasserstein(cell, shifted, "hard") == pytest.approx(3.0, rel=100 * ROUND_OFF)
    assert wasserstein(cell, shifted, "smooth") == pytest.approx(3.0, rel=100 * ROUND_OFF)
    assert wasserstein(cell, cell) == 0.0


def test_frames_weigh_the_same_whatever_their_size() -> None:
    one = cell_of(COLD, [np.array([2.0]), np.array([4.0, 4.0, 4.0])])
    other = cell_of(HOT, [np.array([3.0]), np.array([3.0])])
    assert wasserstein(one, other) == pytest.approx(1.0, rel=10 * ROUND_OFF)
    assert one.mean() == 3.0


@pytest.mark.parametrize("count", ["hard", "smooth"])
def test_resampled_distances_are_the_measured_ones_where_frames_are_alike(count) -> None:
    rng = np.random.default_rng(2)
    samples = [rng.uniform(3.0, 9.0, size=30)] * 5
    others = [rng.uniform(1.0, 12.0, size=30)] * 4
    found = Distances([cell_of(COLD, samples), cell_of(HOT, others)], count, 10, 0)
    between = found.between(COLD, HOT)
    assert between.resampled == pytest.approx(between.plain, abs=STEP["smooth"])
    difference = np.mean(others[0]) - np.mean(samples[0])
    if count == "hard":
        assert between.resampled == pytest.approx(between.plain, rel=100 * ROUND_OFF)
        difference = np.mean(np.rint(others[0])) - np.mean(np.rint(samples[0]))
    assert between.mean_difference == pytest.approx(difference, abs=STEP["smooth"])
    assert set(found.halves.values()) == {0.0}


@pytest.mark.parametrize("shift", [0.0, 0.4, 2.5])  # nothing, about the noise, far apart
def test_intervals_hold_the_truth_as_often_as_they_say(shift: float) -> None:
    # One Poisson distribution lies below another everywhere: W_1 is the distance of their means.
    rng = np.random.default_rng(3)
    repetitions, held, values = 300, 0, []
    for repetition in range(repetitions):
        cells = [
            cell_of(state, list(rng.poisson(mean, size=(12, 16))))
            for state, mean in ((COLD, 10.0), (HOT, 10.0 + shift))
        ]
        between = Distances(cells, "hard", 200, repetition).between(COLD, HOT)
        interval = between.interval(0.95)
        assert interval.low <= interval.value <= interval.high
        held += interval.low <= shift <= interval.high
        values.append(interval.value)
    # Normal in place of Student's quantiles costs 0.95 - 0.937 with 22 degrees of freedom.
    noise = math.sqrt(0.937 * 0.063 / repetitions)
    assert held / repetitions == pytest.approx(0.937, abs=K_SIGMA * noise)
    if shift > 1.0:
        error = np.std(values, ddof=1) / math.sqrt(repetitions)
        assert np.mean(values) == pytest.approx(shift, abs=K_SIGMA * error)


def test_intervals_of_shapes_that_differ_at_one_mean() -> None:
    # Normal distributions of deviation 1 and 2: W_1 is the mean size of a normal variable.
    rng = np.random.default_rng(7)
    truth = math.sqrt(2.0 / math.pi)
    cells = [
        cell_of(state, list(rng.normal(10.0, deviation, size=(20, 60))))
        for state, deviation in ((COLD, 1.0), (HOT, 2.0))
    ]
    interval = Distances(cells, "smooth", 200, 0).between(COLD, HOT).interval(0.95)
    assert interval.low < 0.2
    assert truth < interval.high
    # 1200 counts know a mean deviation to sqrt(1 - 2 / pi) * 2 / sqrt(1200) = 0.035.
    assert interval.value == pytest.approx(truth, abs=K_SIGMA * 0.035)


def test_halves_show_what_finite_samples_of_one_distribution_do() -> None:
    rng = np.random.default_rng(4)
    n_frames, n_sites, n_cells = 8, 50, 120
    states = [StatePoint(0.1, 100.0 + k) for k in range(n_cells)]
    cells = [cell_of(s, list(rng.normal(10.0, 1.0, (n_frames, n_sites)))) for s in states]
    found = list(Distances(cells, "smooth", 2, 0).halves.values())
    # |F - G| at a point is a normal variable's size, of variance 2 F (1 - F) / n.
    n = n_frames // 2 * n_sites
    integral = quad(lambda x: math.sqrt(norm.cdf(x) * norm.sf(x)), -8.0, 8.0)[0]
    expected = math.sqrt(2.0 / math.pi) * math.sqrt(2.0 / n) * integral
    error = np.std(found, ddof=1) / math.sqrt(n_cells)
    assert error < 0.05 * expected
    assert np.mean(found) == pytest.approx(expected, abs=K_SIGMA * error)


def test_response_of_counts_that_follow_logarithms() -> None:
    def cells():
        for density, temperature in itertools.product((0.1, 0.2, 0.5, 0.8), (100.0, 150.0, 300.0)):
            if (density, temperature) != (0.1, 100.0):  # a two-phase cell that the grid leaves out
                mean = 20.0 + 4.0 * math.log(density) - 0.5 * math.log(temperature)
                yield cell_of(StatePoint(density, temperature), [np.full(6, mean)] * 4)

    found = response(list(cells()), "smooth")
    step = STEP["smooth"]
    for axis, slope, widest in ((found.density, 4.0, 8.0), (found.temperature, 0.5, 3.0)):
        assert axis.per_log.plain == pytest.approx(slope, rel=1e3 * ROUND_OFF)
        assert axis.span.plain == pytest.approx(slope * math.log(widest), rel=1e3 * ROUND_OFF)
        assert axis.span.value == pytest.approx(axis.span.plain, abs=step)
        for shift in (*axis.spans, *axis.steps):
            assert shift.per_log.plain == pytest.approx(slope, rel=1e3 * ROUND_OFF)
            assert shift.log_ratio * slope == pytest.approx(abs(shift.mean_difference))
    assert len(found.density.spans) == 3
    assert len(found.density.steps) == 2 + 3 + 3
    assert len(found.temperature.steps) == 1 + 2 + 2 + 2
    assert found.density.spans[0].start == StatePoint(0.2, 100.0)
    assert found.ratio_per_log.plain == pytest.approx(8.0, rel=1e3 * ROUND_OFF)
    assert found.ratio_span.plain == pytest.approx(8.0 * math.log(8.0) / math.log(3.0))
    assert found.halves == 0.0
    written = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert written["density"]["steps"][0]["along"] == "density"


def test_a_temperature_that_does_nothing_leaves_the_ratio_without_an_end() -> None:
    rng = np.random.default_rng(5)
    cells = [
        cell_of(StatePoint(d, t), normal_samples(rng, 6, 20, 5.0 + 10.0 * d))
        for d, t in itertools.product((0.1, 0.9), (100.0, 200.0))
    ]
    found = response(cells, "smooth")
    assert found.ratio_span.high is None
    assert found.ratio_span.low > 3.0
    # 8 neighbours apart, each mean known to sqrt((0.5 + 0.5 / 20) / 6) = 0.3.
    assert found.density.span.value == pytest.approx(8.0, abs=K_SIGMA * 0.3)
    assert found.temperature.span.low == 0.0


def test_an_axis_without_rows_is_missing() -> None:
    samples = [np.full(5, 3.0)] * 4
    found = response([cell_of(COLD, samples), cell_of(HOT, samples)])
    assert found.density is None
    assert found.ratio_span is None
    assert found.temperature.span.value == 0.0
    with pytest.raises(AnalysisError, match="no two cells share a density or a temperature"):
        response([cell_of(HOT, samples), cell_of(DENSE, samples)])


def test_diversity_is_the_mean_distance_between_frames() -> None:
    rng = np.random.default_rng(6)
    frames = [rng.poisson(mean, size=n) for mean, n in ((1.0, 10), (5.0, 20), (5.5, 10), (9.0, 15))]
    found = diversity([cell_of(COLD, frames[:3]), cell_of(HOT, frames[3:])])
    pairs = [wasserstein_distance(a, b) for a, b in itertools.combinations(frames, 2)]
    assert found.mean_distance == pytest.approx(np.mean(pairs), rel=100 * ROUND_OFF)
    assert found.n_frames == 4


def test_effective_number_of_counts() -> None:
    even = [np.array([k, k]) for k in (0, 3, 4, 9)]
    assert diversity([cell_of(COLD, even)]).effective_number == pytest.approx(4.0)
    alike = diversity([cell_of(COLD, [np.array([7, 7])] * 3)])
    assert alike.effective_number == pytest.approx(1.0)
    assert alike.mean_distance == 0.0
    with pytest.raises(AnalysisError, match=r"1 frame\(s\), expected at least 2"):
        diversity([cell_of(COLD, even[:1])])


def test_coverage_is_the_share_of_sites_that_are_not_rare_in_training() -> None:
    # In training 1 % have 2 neighbours, 0.5 % have 3, the others 4.
    training = [np.repeat([2, 3, 4], [2, 1, 197])]
    grid = [
        cell_of(COLD, [np.array([2, 3, 4, 4])]),
        cell_of(HOT, [np.array([3, 9, 0, 1])]),
        cell_of(DENSE, [np.array([4, 4]), np.array([2, 9])]),
    ]
    found = coverage([cell_of(COLD, training)], grid)
    assert found.cells == {COLD.name: 0.75, HOT.name: 0.0, DENSE.name: 0.75}
    assert found.mean == pytest.approx(0.5)
    assert found.worst == HOT.name
    assert coverage([cell_of(COLD, training)], grid, rare=0.004).cells[HOT.name] == 0.25
    json.dumps([found.to_dict(), diversity(grid).to_dict()], allow_nan=False)


def test_refusals() -> None:
    samples = [np.full(5, 3.0)] * 4
    few, other = cell_of(HOT, samples[:3]), cell_of(HOT, samples, Cutoff("centres", 4.0))
    with pytest.raises(AnalysisError, match=r"300 K has 3 frame\(s\), expected at least 4"):
        response([cell_of(COLD, samples), few])
    with pytest.raises(AnalysisError, match="different cutoffs, expected one"):
        response([cell_of(COLD, samples), other])
    with pytest.raises(AnalysisError, match="1 cells of training frames, 1 of the grid"):
        coverage([cell_of(COLD, samples)], [other])
    with pytest.raises(AnalysisError, match="0 cells of training frames"):
        coverage([], [other])
