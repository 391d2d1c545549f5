"""The coverage matrix: where each design holds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from lmp_thermo.report.figures.grid import grid_axes, ink_on, limit_colours
from lmp_thermo.report.figures.groups import group_title
from lmp_thermo.report.result import Result
from lmp_thermo.report.style import FULL_WIDTH, INK, PAPER, Key, new_figure, panel_title, styled

DOUBLINGS = 3
"""The colours end at the limit over and times 2 to this power."""

COLUMNS = 3
LONGEST = 34
"""Characters of a title over one of three panels."""

MANY = 8
"""Densities; with more of them, numbers and frames are smaller."""


@dataclass(frozen=True)
class _Square:
    score: float
    trained: bool
    passed: int
    seeds: int


@styled
def coverage_matrix(result: Result) -> Figure:
    """A map of scores for each group of arms, and for what was judged without training."""
    key = Key(result)
    panels = [(name, _trained(result, name)) for name in result.groups]
    panels += [(name, _untrained(result, name)) for name in result.others]
    panels = [(name, squares) for name, squares in panels if squares]
    columns = min(COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = new_figure(FULL_WIDTH, rows * (0.72 + 0.33 * max(2, len(key.temperatures))))
    axes = figure.subplots(rows, columns, squeeze=False)
    for number, (name, squares) in enumerate(panels):
        own = axes[number // columns][number % columns]
        grid_axes(own, key)
        if number + columns < len(panels):
            own.set_xlabel("")
        if number % columns:
            own.set_ylabel("")
        _draw(own, key, result, squares)
        passed = sum(square.passed / square.seeds for square in squares.values())
        count = f"{passed:.0f}" if next(iter(squares.values())).seeds == 1 else f"{passed:.1f}"
        title = f"{group_title(name)}: {count} of {len(squares)}"
        panel_title(own, chr(ord("a") + number), title, LONGEST)
        if len(key.densities) > MANY:
            own.tick_params(axis="x", labelsize=6)
    for spare in range(len(panels), rows * columns):
        axes[spare // columns][spare % columns].set_visible(False)
    _bar(figure, list(axes.flat))
    return figure


def caption(result: Result) -> str:
    """What to see in the maps."""
    seeds = len(result.settings.comparison.seeds)
    held_out = sorted({cell.held_out for cell in result.grid.values()})
    frames = f"{held_out[0]}" if len(held_out) == 1 else f"{held_out[0]} to {held_out[-1]}"
    text = (
        "Each number is a cell's largest error over that error's limit"
        + (f", mean over {seeds} seeds" if seeds > 1 else "")
        + f": blue holds, red does not. Judged on {frames} frames of each cell that no arm was "
        "trained on. Framed: cells on which the design spent labels, with every seed."
    )
    if seeds > 1:
        text += " Small: how many of the seeds pass, where they do not agree."
    return text + " In the titles: cells passed."


def _trained(result: Result, group: str) -> dict[str, _Square]:
    return {
        name: _Square(
            cell.score.mean,
            result.places[group][name].region == "in",
            sum(cell.passed),
            len(cell.passed),
        )
        for name, cell in result.matrix[group].items()
    }


def _untrained(result: Result, other: str) -> dict[str, _Square]:
    return {
        name: _Square(cell.score, False, int(cell.passed), 1)
        for name, cell in result.others[other].cells.items()
    }


def _draw(axes: Axes, key: Key, result: Result, squares: Mapping[str, _Square]) -> None:
    colours, norm = limit_colours(), Normalize(-DOUBLINGS, DOUBLINGS)
    size = 6.0 if len(key.densities) > MANY else 7.0
    for name, square in squares.items():
        x = key.densities.index(result.grid[name].density_g_cm3)
        y = key.temperatures.index(result.grid[name].temperature_K)
        doublings = math.log2(max(square.score, 1e-9))
        face = colours(float(norm(np.clip(doublings, -DOUBLINGS, DOUBLINGS))))
        axes.add_patch(
            Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=face, edgecolor=PAPER, lw=1.2, zorder=2)
        )
        if square.trained:
            for colour, width in ((PAPER, 0.4 * size), (INK, 0.2 * size)):  # seen on any colour
                axes.add_patch(
                    Rectangle(
                        (x - 0.44, y - 0.44), 0.88, 0.88, fill=False, ec=colour, lw=width, zorder=3
                    )
                )
        split = 0 < square.passed < square.seeds
        ink = ink_on(face)
        axes.text(
            x,
            y + (0.12 if split else 0.0),
            _short(square.score),
            ha="center",
            va="center",
            color=ink,
            fontsize=size,
            zorder=4,
        )
        if split:
            axes.text(
                x,
                y - 0.24,
                f"{square.passed}/{square.seeds}",
                ha="center",
                va="center",
                color=ink,
                fontsize=0.8 * size,
                zorder=4,
            )


def _bar(figure: Figure, axes: list[Axes]) -> None:
    colours, norm = limit_colours(), Normalize(-DOUBLINGS, DOUBLINGS)
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=axes, fraction=0.02, pad=0.01)
    steps = list(range(-DOUBLINGS, DOUBLINGS + 1))
    names = [f"{2.0**step:g}" for step in steps]
    names[DOUBLINGS] += " limit"
    bar.ax.yaxis.set_major_locator(FixedLocator(steps))
    bar.ax.yaxis.set_major_formatter(FixedFormatter(names))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("largest error over its limit")
    bar.outline.set_visible(False)


def _short(score: float) -> str:
    """Four characters at most."""
    if score >= 99.5:
        return ">99"
    if score >= 9.95:
        return f"{score:.0f}"
    return f"{score:.1f}" if score >= 0.995 else f"{score:.2f}"
