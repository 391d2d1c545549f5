"""The figure that shows why density matters, from what the analysis of frames gives."""

import json
from typing import Any

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from lmp_thermo.analysis.environments import Cutoff
from lmp_thermo.analysis.response import response
from lmp_thermo.report.figures.why_density import Moves, caption, why_density
from lmp_thermo.report.style import svg_text
from lmp_thermo.states import StatePoint
from tests.unit.analysis.frames import cell_of

# The cold row is short, as below a critical temperature; the middle one is not whole either.
GRID = {140.0: [0.4], 200.0: [0.01, 0.1, 0.4], 300.0: [0.1, 0.4], 400.0: [0.01, 0.1, 0.4]}


def moves_of(grid: dict[float, list[float]], per_kelvin: float = 0.0) -> Moves:
    rng = np.random.default_rng(1)
    cells = [
        cell_of(
            StatePoint(density, temperature),
            list(rng.poisson(30.0 * density + per_kelvin * temperature, size=(6, 50))),
            Cutoff("centres", 5.61, "first minimum of g(r)", standard_error_A=0.1),
        )
        for temperature, densities in grid.items()
        for density in densities
    ]
    result: list[Any] = [[cell.to_dict() for cell in cells], response(cells).to_dict()]
    return Moves.of(*json.loads(json.dumps(result)))


def test_rows_are_chosen_where_most_cells_are() -> None:
    moves = moves_of(GRID)
    assert {c.temperature_K for c in moves.row("density")} == {400.0}
    assert [c.density_g_cm3 for c in moves.row("density")] == [0.01, 0.1, 0.4]
    assert {c.density_g_cm3 for c in moves.row("temperature")} == {0.4}
    assert [c.temperature_K for c in moves.row("temperature")] == [140.0, 200.0, 300.0, 400.0]


def test_distributions_and_distances_are_drawn() -> None:
    moves = moves_of(GRID, per_kelvin=0.01)
    figure = why_density(moves)
    assert figure is not None
    left, middle, right = figure.axes
    assert left.get_title(loc="left").endswith("Along density, 400 K")
    assert [label.get_text() for label in middle.get_yticklabels()] == ["140", "200", "300", "400"]
    means = left.lines[-1].get_xdata()
    assert list(means) == [cell.mean for cell in moves.row("density")]
    bars = [patch for patch in right.patches if isinstance(patch, Rectangle)]
    expected = [
        moves.response[axis][quantity]["value"]
        for quantity in ("span", "per_log")
        for axis in ("density", "temperature")
    ]
    assert [bar.get_width() for bar in bars] == expected
    texts = [text.get_text() for text in right.texts]
    assert any(text.startswith("from end to end: ") and "times as far (" in text for text in texts)
    assert svg_text(figure) == svg_text(why_density(moves_of(GRID, per_kelvin=0.01)))
    assert "5.61 Å (first minimum of g(r))" in caption(moves)


def test_a_ratio_without_an_end_is_said() -> None:
    figure = why_density(moves_of(GRID))
    assert figure is not None
    texts = [text.get_text() for text in figure.axes[2].texts]
    assert any(": more than " in text for text in texts)


@pytest.mark.parametrize("grid", [{300.0: [0.1, 0.2]}, {200.0: [0.1], 300.0: [0.1]}])
def test_one_axis_alone(grid: dict[float, list[float]]) -> None:
    figure = why_density(moves_of(grid))
    assert figure is not None
    axes = figure.axes[2]
    assert len(axes.get_yticks()) == 2
    assert not any("times as far" in text.get_text() for text in axes.texts)


def test_nothing_to_show() -> None:
    assert why_density(Moves([], {})) is None
