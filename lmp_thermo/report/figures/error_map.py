"""Errors over the grid: where the potential holds, and what the no-interaction model scores."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from matplotlib.typing import ColorType

from lmp_thermo.report.data import CellReport, ReportData, relative_error
from lmp_thermo.report.figures.grid import DOUBLINGS, grid_axes, ink_on, limit_colours
from lmp_thermo.report.style import (
    BAD,
    FULL_WIDTH,
    INK,
    PAPER,
    Key,
    new_figure,
    panel_title,
    styled,
)

TICK = Path([(-1.0, 0.05), (-0.3, -0.7), (1.0, 0.8)])
CROSS = Path([(-0.8, -0.8), (0.8, 0.8), (-0.8, 0.8), (0.8, -0.8)], [1, 2, 1, 2])

NOT_JUDGED = "#eceef0"


@styled
def error_map(data: ReportData) -> Figure | None:
    """Relative net-force error of every cell, beside the no-interaction model's error."""
    if not any(cell.shown_errors for cell in data.cells):
        return None
    companion = any(cell.no_interaction for cell in data.cells)
    height = 1.5 + 0.62 * max(len(Key(data).temperatures), 2)
    figure = new_figure(FULL_WIDTH, height)
    if companion:
        main, side = figure.subplots(1, 2, width_ratios=[1.75, 1.0])
    else:
        main, side = figure.subplots(), None
    draw_error_map(main, data, "a" if companion else "")
    if side is not None:
        draw_no_interaction(side, data, "b")
    return figure


def draw_error_map(axes: Axes, data: ReportData, letter: str) -> None:
    """Relative net-force errors, coloured by doublings of the limit.

    Args:
        axes: drawn into.
        data: of the report; own runs' frames are preferred to held-out ones cell by cell.
        letter: of the panel.
    """
    grid_axes(axes, Key(data))
    colours = limit_colours()
    norm = Normalize(-DOUBLINGS, DOUBLINGS)
    key = Key(data)
    for cell in data.cells:
        face: ColorType
        errors = cell.shown_errors
        relative = relative_error(errors, "net_force")
        if errors is None or relative is None:
            face, big, small = PAPER, "–", "no frames" if errors is None else "no force"
        else:
            force = errors["net_force"]
            big = f"{100 * relative:.0f} %" if relative < 10 else "> 999 %"
            small = f"{_short(1000 * force['rmse'])} of {_short(1000 * force['rms'])}"
            doublings = math.log2(max(relative, 1e-9) / data.net_force_limit)
            face = colours(float(norm(np.clip(doublings, -DOUBLINGS, DOUBLINGS))))
            if not cell.net_force_counts:
                face = NOT_JUDGED
            if cell.errors is None:
                small += " *"
        x, y = _place(key, cell)
        ink = ink_on(face)
        failed = cell.passed is False
        axes.add_patch(
            Rectangle(
                (x - 0.5, y - 0.5), 1, 1, facecolor=face, edgecolor=PAPER, linewidth=2, zorder=2
            )
        )
        if failed:
            axes.add_patch(
                Rectangle(
                    (x - 0.46, y - 0.46),
                    0.92,
                    0.92,
                    facecolor="none",
                    edgecolor=INK,
                    linewidth=1.4,
                    zorder=3,
                )
            )
        axes.text(
            x, y + 0.05, big, ha="center", va="center", color=ink, fontweight="bold", zorder=4
        )
        axes.text(x, y - 0.28, small, ha="center", va="center", color=ink, fontsize=6.5, zorder=4)
        if cell.passed is not None:
            _mark(axes, x + 0.37, y + 0.33, cell.passed, ink)
    panel_title(axes, letter, "Error of the net force on molecules")
    bar = axes.figure.colorbar(
        ScalarMappable(norm, colours), ax=axes, fraction=0.035, pad=0.02, aspect=18
    )
    steps = range(-DOUBLINGS, DOUBLINGS + 1)
    bar.ax.yaxis.set_major_locator(FixedLocator(list(steps)))
    names = [f"{100 * data.net_force_limit * 2.0**step:.3g}" for step in steps]
    names[DOUBLINGS] += " limit"
    bar.ax.yaxis.set_major_formatter(FixedFormatter(names))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("RMSE (% of rms)")
    bar.outline.set_visible(False)


def draw_no_interaction(axes: Axes, data: ReportData, letter: str) -> None:
    """Net-force error of the model in which every molecule is alone: the whole net force."""
    grid_axes(axes, Key(data))
    key = Key(data)
    values = {
        _place(key, cell): 1000 * float(cell.no_interaction["net_force"]["rmse"])
        for cell in data.cells
        if cell.no_interaction is not None
    }
    positive = [value for value in values.values() if value > 0] or [1.0]
    norm = LogNorm(min(positive) / 3, max(positive) * 3)
    for cell in data.cells:
        place = _place(key, cell)
        if place not in values:
            continue
        face = colormaps["Greys"](float(norm(max(values[place], min(positive)))))
        axes.add_patch(
            Rectangle(
                (place[0] - 0.5, place[1] - 0.5),
                1,
                1,
                facecolor=face,
                edgecolor=PAPER,
                linewidth=1.5,
                zorder=2,
            )
        )
        ink = ink_on(face)
        axes.text(
            *place,
            _short(values[place]),
            ha="center",
            va="center",
            color=ink,
            fontsize=7.5,
            zorder=4,
        )
        verdict = cell.no_interaction_verdict
        if verdict is not None:
            _mark(axes, place[0] + 0.32, place[1] + 0.3, bool(verdict["passed"]), ink)
    panel_title(axes, letter, "No interaction: RMSE (meV/Å)")


def caption(data: ReportData) -> str:
    """What to see in the map."""
    own = any(cell.errors for cell in data.cells)
    text = (
        f"Blue holds, red does not; the limit is {100 * data.net_force_limit:g} % of the "
        "net force's own rms. Small figures: RMSE of rms in meV/Å. A tick marks a cell that "
        "passed every gate, a cross and a frame one that failed any. Grey: net forces too small "
        "to be judged."
    )
    if not own:
        text += " All on held-out labelled frames (*): the potential's own runs are not judged yet."
    elif any(cell.errors is None and cell.held_out for cell in data.cells):
        text += " *: on held-out labelled frames, no own run judged yet."
    else:
        text += " On frames of the potential's own runs, relabelled by the reference."
    if any(cell.no_interaction for cell in data.cells):
        text += (
            " Right: with every molecule alone the error is the whole net force, 100 % by "
            "construction: what there was to learn."
        )
    return text


def _place(key: Key, cell: CellReport) -> tuple[float, float]:
    return (
        float(key.densities.index(cell.density_g_cm3)),
        float(key.temperatures.index(cell.temperature_K)),
    )


def _mark(axes: Axes, x: float, y: float, passed: bool, ink: str) -> None:
    axes.plot(
        [x],
        [y],
        marker=TICK if passed else CROSS,
        markersize=5,
        markerfacecolor="none",
        markeredgecolor=ink if passed or ink == PAPER else BAD,
        markeredgewidth=1.4,
        zorder=5,
    )


def _short(value: float) -> str:
    """Two or three figures, never an exponent in the range of forces."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"
