"""Verdicts with known answers."""

from typing import Any

import pytest

from lmp_thermo.sections import Gates
from lmp_thermo.states import StatePoint
from lmp_thermo.validation import compare_observables, judge_cell, judge_run_pressure

LIQUID, GAS = StatePoint(0.42, 200.0), StatePoint(0.005, 300.0)
GATES = Gates(liquid_above_g_cm3=0.2)


def errors(
    net: tuple[float, float], interaction: tuple[float, float], bias: tuple[float, float] | None
) -> dict[str, Any]:
    """(rmse, rms) of net force and interaction energy in meV; (bias, reference) in bar."""
    return {
        "net_force": {"rmse": net[0] / 1000, "rms": net[1] / 1000},
        "interaction_energy": {"rmse": interaction[0] / 1000, "rms": interaction[1] / 1000},
        "molecular_pressure": None if bias is None else {"mean": bias[0], "reference": bias[1]},
    }


@pytest.mark.parametrize(
    ("net", "passed"),
    [((20.0, 100.0), True), ((30.0, 100.0), False), ((9.0, 9.9), None), ((3.0, 10.1), False)],
)
def test_net_force(net: tuple[float, float], passed: bool | None) -> None:
    check = judge_cell(LIQUID, errors(net, (0.1, 10.0), (0.0, 0.0)), 100.0, GATES).checks[0]
    assert check.passed is passed
    assert check.value == pytest.approx(net[0])


@pytest.mark.parametrize(
    ("interaction", "passed"),
    [((0.9, 10.0), True), ((1.1, 10.0), False), ((0.19, 0.5), True), ((0.21, 0.5), False)],
)
def test_interaction_energy_has_a_floor(interaction: tuple[float, float], passed: bool) -> None:
    verdict = judge_cell(LIQUID, errors((1.0, 100.0), interaction, (0.0, 0.0)), 100.0, GATES)
    assert verdict.checks[1].passed is passed
    assert verdict.passed is passed
    assert verdict.failures == ([] if passed else ["interaction energy"])


@pytest.mark.parametrize(
    ("state", "ideal", "bias", "passed"),
    [
        (LIQUID, 400.0, (-149.0, 600.0), True),  # the liquid's allowance
        (LIQUID, 400.0, (-151.0, 600.0), False),
        (GAS, 8.0, (0.39, 0.0), True),  # 5 % of the ideal-gas pressure
        (GAS, 8.0, (0.41, 0.0), False),
        (LIQUID, 400.0, (160.0, 5600.0), True),  # 3 % of the pressure, 6000 bar
    ],
)
def test_pressure(state: StatePoint, ideal: float, bias: tuple[float, float], passed: bool) -> None:
    verdict = judge_cell(state, errors((1.0, 100.0), (0.1, 10.0), bias), ideal, GATES)
    assert verdict.checks[2].passed is passed


def test_without_stress_the_pressure_is_not_judged() -> None:
    verdict = judge_cell(LIQUID, errors((1.0, 100.0), (0.1, 10.0), None), 400.0, GATES)
    assert verdict.checks[2].passed is None
    assert verdict.passed


def test_no_interaction_fails_where_there_is_any() -> None:
    verdict = judge_cell(
        LIQUID, errors((100.0, 100.0), (10.0, 10.0), (600.0, -600.0)), 400.0, GATES
    )
    assert len(verdict.failures) == 3


def observable(value: float, error: float, converged: bool = True) -> dict[str, Any]:
    return {"value": value, "standard_error": error, "converged": converged, "unit": "bar"}


@pytest.mark.parametrize(
    ("own", "other", "agrees"),
    [
        (observable(100.0, 3.0), observable(119.0, 4.0), True),  # 3.8 sigma of 5
        (observable(100.0, 3.0), observable(121.0, 4.0), False),  # 4.2 sigma
        (observable(100.0, 3.0, converged=False), observable(200.0, 4.0), None),
        (observable(1.4, 0.0), observable(1.4, 0.0), None),
    ],
)
def test_comparison(own: dict[str, Any], other: dict[str, Any], agrees: bool | None) -> None:
    (row,) = compare_observables({"pressure": own, "only": own}, {"pressure": other})
    assert row["agrees"] is agrees


@pytest.mark.parametrize(
    ("own", "other", "passed"),
    [  # 3 % of 1200 bar, 36; the error of the difference is 5 bar
        (observable(1175.0, 3.0), observable(1200.0, 4.0), True),
        (observable(1173.0, 3.0), observable(1200.0, 4.0), None),  # 27 and two errors
        (observable(1145.0, 3.0), observable(1200.0, 4.0), None),  # 55, below 36 and four errors
        (observable(1143.0, 3.0), observable(1200.0, 4.0), False),
        (observable(1257.0, 3.0), observable(1200.0, 4.0), False),
        (observable(1200.0, 30.0), observable(1200.0, 4.0), None),
        (observable(1100.0, 3.0), observable(1200.0, 4.0, converged=False), None),
    ],
)
def test_pressure_of_the_run(
    own: dict[str, Any], other: dict[str, Any], passed: bool | None
) -> None:
    (row,) = compare_observables({"pressure": own}, {"pressure": other})
    check = judge_run_pressure(GAS, row, 30.0, GATES)
    assert check.passed is passed
    if passed is not None:
        assert check.limit == pytest.approx(36.0)


def test_a_run_without_pressure_is_not_judged() -> None:
    check = judge_run_pressure(GAS, None, 30.0, GATES)
    assert (check.passed, check.remark) == (
        None,
        "the potential's or the reference's run has none",
    )


def test_drift_is_not_compared() -> None:
    own = {"energy_drift": observable(1.0, 0.1)}
    assert compare_observables(own, own) == []
