"""The curriculum: where labels go, and how disagreement becomes an error."""

from typing import Any

import numpy as np
import pytest

from lmp_thermo.sampling.curriculum import (
    ALONG_DENSITY,
    COOLER,
    HOTTER,
    CellOutlook,
    allocate,
    calibration,
    worth,
)
from lmp_thermo.states import StateGrid, StatePoint
from tests.tolerances import ROUND_OFF

GRID = StateGrid.of(StatePoint(d, t) for d in (0.1, 0.2, 0.4, 0.8) for t in (100.0, 200.0, 300.0))


def outlook(scores: dict[StatePoint, float], labels: int = 2, left: int = 50) -> Any:
    return {state: CellOutlook(scores.get(state, 0.1), labels, left) for state in GRID}


def test_labels_go_to_the_worst_cell_and_level_the_rest() -> None:
    worst, second = StatePoint(0.8, 300.0), StatePoint(0.1, 100.0)
    given = allocate(outlook({worst: 4.0}), 5, most=20, gas_floor=0)
    assert given == {worst: 5}
    given = allocate(outlook({worst: 4.0, second: 3.9}), 8, most=20, gas_floor=0)
    assert set(given) == {worst, second}  # far corners do not help each other
    assert abs(given[worst] - given[second]) <= 1


def test_labels_go_where_they_help_most_not_only_to_the_worst() -> None:
    """Two bad cells with a hotter one between them: a label there counts for both."""
    cold = {StatePoint(0.4, 100.0): 3.0, StatePoint(0.4, 200.0): 3.0}
    given = allocate(outlook(cold), 1, most=20, gas_floor=0)
    assert given == {StatePoint(0.4, 200.0): 1}  # 1 at its own, COOLER at the colder one


def test_calibration_leaves_out_cells_in_which_nobody_sees_a_neighbour() -> None:
    assert calibration([(2.0, 1.0), (0.08, 0.01)]) == pytest.approx(4.0, rel=ROUND_OFF)
    thin_gas = (6.7e-5, 2.0e-16)  # eV/Å, found in methane at 0.005 g/cm³
    assert calibration([(2.0, 1.0), thin_gas, (0.08, 0.01)]) == pytest.approx(4.0, rel=ROUND_OFF)
    assert calibration([thin_gas]) is calibration([]) is None


def test_allocation_keeps_its_bounds() -> None:
    worst = StatePoint(0.8, 300.0)
    given = allocate(outlook({worst: 4.0}), 6, most=5, gas_floor=2)
    assert given[worst] == 3  # two it had
    assert sum(n for s, n in given.items() if s.density_g_cm3 == 0.1) >= 2
    assert sum(given.values()) == 6
    assert sum(allocate(outlook({}, left=1), 100, most=20, gas_floor=0).values()) == len(GRID)
    right = {s: CellOutlook(0.0, 2, 50) for s in GRID}
    assert sum(allocate(right, 5, most=20, gas_floor=0).values()) == 5


def test_first_labels_reach_every_density_and_prefer_hot_cells() -> None:
    equal = {s: CellOutlook(1.0, 0, 50) for s in GRID}
    given = allocate(equal, 9, most=9, gas_floor=1)
    assert sum(given.values()) == 9
    assert {s.density_g_cm3 for s in given} == {s.density_g_cm3 for s in GRID}
    hot = sum(n for s, n in given.items() if s.temperature_K == 300.0)
    cold = sum(n for s, n in given.items() if s.temperature_K == 100.0)
    assert hot > cold


def test_worth_of_labels() -> None:
    states = list(GRID)
    helps = worth(states)
    hot, cold = states.index(StatePoint(0.4, 300.0)), states.index(StatePoint(0.4, 200.0))
    dense = states.index(StatePoint(0.8, 200.0))
    assert np.allclose(np.diag(helps), 1.0, atol=ROUND_OFF)
    assert helps[hot, cold] == pytest.approx(COOLER)
    assert helps[cold, hot] == pytest.approx(HOTTER)
    assert helps[hot, dense] == pytest.approx(COOLER * ALONG_DENSITY)
    assert helps[dense, hot] == pytest.approx(HOTTER * ALONG_DENSITY)
