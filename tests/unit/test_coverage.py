"""What errors of many arms on many cells say: regions, scores, paired tests, phases."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from lmp_thermo.sections import Gates
from lmp_thermo.states import StatePoint, place
from lmp_thermo.validation import Check, Verdict, judge_cell
from lmp_thermo.validation.coverage import (
    EXCHANGES,
    INTERMOLECULAR,
    binding,
    paired_test,
    score,
)
from lmp_thermo.validation.phases import pressure_falls
from lmp_thermo.validation.verdict import BIAS, INTERACTION_ENERGY, NET_FORCE
from tests.tolerances import K_SIGMA


def test_pressure_that_falls_with_density_is_seen() -> None:
    pressures = {
        StatePoint(0.1, 100.0): (50.0, 2.0),
        StatePoint(0.2, 100.0): (20.0, 2.0),  # a van der Waals loop
        StatePoint(0.4, 100.0): (19.0, 2.0),  # within the errors
        StatePoint(0.1, 200.0): (10.0, 1.0),  # another temperature
    }
    (fall,) = pressure_falls(pressures)
    assert (fall.lower, fall.higher, fall.fall_bar) == ("rho0.1_T100", "rho0.2_T100", 30.0)
    assert fall.sigmas == pytest.approx(30.0 / np.hypot(2.0, 2.0))
    exact = {StatePoint(0.1, 100.0): (50.0, 0.0), StatePoint(0.2, 100.0): (20.0, 0.0)}
    (fall,) = pressure_falls(exact)
    assert fall.to_dict()["sigmas"] is None  # infinity is no JSON


def test_places_as_seen_from_where_labels_were_spent() -> None:
    spent = [StatePoint(0.1, 200.0), StatePoint(0.8, 200.0), StatePoint(0.8, 300.0)]
    for density, temperature, text, region in (
        (0.8, 300.0, "spent on", "in"),
        (0.4, 200.0, "density, inside", "interpolated"),
        (0.8, 250.0, "temperature, inside", "interpolated"),
        (0.4, 250.0, "both, inside", "interpolated"),
        (0.1, 300.0, "combination, inside", "interpolated"),
        (0.1, 100.0, "temperature, outside", "extrapolated"),
        (0.9, 200.0, "density, outside", "extrapolated"),
        (0.4, 100.0, "both, outside", "extrapolated"),
    ):
        found = place(StatePoint(density, temperature), spent)
        assert (str(found), found.region) == (text, region)
    assert str(place(StatePoint(0.4, 200.0), [])) == "both, outside"


def test_a_group_spent_on_a_cell_where_all_its_seeds_did() -> None:
    """Seeds of an adaptive arm buy different cells: the union of them is no arm's."""
    gas, middle, liquid = (StatePoint(d, 200.0) for d in (0.1, 0.4, 0.8))
    seeds = [gas, middle], [gas, liquid]
    assert place(gas, *seeds).region == "in"
    assert str(place(middle, *seeds)) == "density, inside"
    assert str(place(liquid, *seeds)) == "density, outside"
    assert str(place(middle, [gas, middle], [])) == "both, outside"


def test_the_score_is_the_largest_error_over_its_limit() -> None:
    errors = {
        "net_force": {"rmse": 0.010, "rms": 0.080},  # limit 20 meV/Å: 0.5
        "interaction_energy": {"rmse": 0.0015, "rms": 0.010},  # limit 1 meV/atom: 1.5
        "molecular_pressure": {"mean": -75.0, "reference": 0.0},  # limit 150 bar: 0.5
    }
    verdict = judge_cell(StatePoint(0.42, 200.0), errors, 100.0, Gates(liquid_above_g_cm3=0.2))
    assert score(verdict) == pytest.approx(1.5)
    assert binding(verdict) == "interaction energy"
    assert not verdict.passed


def test_the_intermolecular_score_is_that_without_the_pressure() -> None:
    """0.6 and 0.9 of the limits of force and energy, 2.5 of that of the pressure."""
    checks = [(NET_FORCE, 3.0, 5.0), (INTERACTION_ENERGY, 1.8, 2.0), (BIAS, 10.0, 4.0)]
    verdict = Verdict(
        StatePoint(0.1, 200.0),
        tuple(Check(name, value, limit, "", value <= limit) for name, value, limit in checks),
    )
    assert score(verdict) == 2.5
    assert score(verdict, INTERMOLECULAR) == 0.9
    assert score(verdict, [NET_FORCE]) == 0.6


def test_paired_test_against_an_independent_code() -> None:
    random = np.random.default_rng(1)
    first = {seed: float(v) for seed, v in enumerate(random.lognormal(0.0, 0.4, 8))}
    second = {s: v * float(random.lognormal(0.3, 0.2)) for s, v in first.items()}
    own = paired_test("energy", first, second, ("a", "b"))
    assert own is not None
    logs = np.log([second[s] / first[s] for s in first])
    interval = stats.ttest_1samp(logs, 0.0).confidence_interval(0.95)
    assert own.interval == pytest.approx([np.exp(interval.low), np.exp(interval.high)])
    exact = stats.permutation_test(
        (logs,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert own.p_value == pytest.approx(exact.pvalue)
    assert own.ratio == pytest.approx(stats.gmean(np.exp(logs)))
    assert own.ratios == pytest.approx([second[s] / first[s] for s in sorted(first)])
    assert own.wins == sum(logs > 0)
    assert not own.estimated


def test_a_clear_difference_in_eight_pairs_has_the_smallest_p() -> None:
    first = dict.fromkeys(range(8), 1.0)
    second = {seed: 2.0 + 0.01 * seed for seed in range(8)}
    own = paired_test("energy", first, second, ("a", "b"))
    assert own is not None
    assert own.p_value == pytest.approx(2 / 2**8)
    assert paired_test("energy", {1: 1.0}, {1: 2.0}, ("a", "b")) is None


def test_of_many_pairs_exchanges_are_drawn() -> None:
    """With 40 pairs all exchanges would be a million million; p of a normal sum is known."""
    logs = np.full(40, 0.1)
    logs[:14] = -0.1
    tracemalloc.start()
    own = paired_test(
        "energy", dict.fromkeys(range(40), 1.0), dict(enumerate(np.exp(logs))), ("a", "b")
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert own is not None
    assert own.estimated
    assert peak < 20e6
    exact = float(stats.binomtest(14, 40).pvalue)
    assert own.p_value == pytest.approx(exact, abs=K_SIGMA * np.sqrt(exact / EXCHANGES))
    assert own.wins == 26
