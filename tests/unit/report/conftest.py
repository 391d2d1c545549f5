"""Studies to report on, in several stages of completion."""

from dataclasses import replace
from typing import Any

import pytest

from lmp_thermo.report.data import CellReport, ReportData
from lmp_thermo.report.result import Result
from tests.unit.report.compared import compared
from tests.unit.report.methane import full, only


@pytest.fixture(scope="session")
def full_data() -> ReportData:
    """A finished study with the reference's own runs."""
    return full()


@pytest.fixture(scope="session")
def quantum_data() -> ReportData:
    """A finished study whose reference is no force field: nothing to compare runs with."""
    return full(with_reference=False)


@pytest.fixture(scope="session")
def empty_data() -> ReportData:
    """A study in which nothing has been done."""
    return ReportData(title="methane", subtitle="CH4", net_force_limit=0.25)


@pytest.fixture(scope="session")
def early_data(full_data: ReportData) -> ReportData:
    """A study after its export: held-out errors only, one cell without any, no stress."""
    cells = [
        CellReport(
            c.density_g_cm3,
            c.temperature_K,
            held_out={**(c.held_out or {}), "molecular_pressure": None},
            no_interaction=c.no_interaction,
        )
        for c in full_data.cells[:-1]
    ]
    last = full_data.cells[-1]
    bare = CellReport(last.density_g_cm3, last.temperature_K)
    return ReportData(
        title="methane",
        subtitle="CH4",
        net_force_limit=0.25,
        cells=[*cells, bare],
        training=full_data.training[:1],
        step_seconds={"sample round 0": 12.0},
    )


@pytest.fixture(scope="session")
def small_data(full_data: ReportData) -> ReportData:
    """Three cells of the finished study: a gas, a liquid that passed, one that failed.

    Two of the six learning curves, for drawing panels is what takes the tests' time.
    """
    few = only(full_data, [(0.005, 200.0), (0.42, 200.0), (0.42, 140.0)])
    rounds = [
        replace(r, validation={k: r.validation[k] for k in ("net_force", "energy")})
        for r in few.training
    ]
    return replace(few, training=rounds)


@pytest.fixture(scope="session")
def values() -> dict[str, Any]:
    """A made-up result of a comparison; to be copied before it is changed."""
    return compared()


@pytest.fixture(scope="session")
def result(values: dict[str, Any]) -> Result:
    """The same, checked."""
    return Result.model_validate(values)
