"""The coverage matrix: where each design holds, and how far its errors grow away from home."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from lmp_thermo.report.figures.grid import grid_axes, ink_on, limit_colours
from lmp_thermo.report.style import (
    FULL_WIDTH,
    INK,
    MUTED,
    PAPER,
    Key,
    new_figure,
    panel_title,
    plain_log,
    styled,
)

DOUBLINGS = 3
"""The colours end at the limit over and times 2 to this power."""

COLUMNS = 3
TITLES = {
    "none": "No diversity",
    "temperature": "Temperature-diverse",
    "density": "Density-diverse",
    "grid": "Full grid",
    "adaptive": "Adaptive",
    "clusters": "Clusters only",
    "condensed": "Condensed only",
    "no-interaction": "No interaction",
    "teacher": "Teacher",
}


@dataclass(frozen=True)
class _Cells:
    densities_g_cm3: Sequence[float]
    temperatures_K: Sequence[float]


@styled
def coverage_matrix(result: Mapping[str, Any]) -> Figure:
    """A map of scores for each group of arms, and for what was judged without training.

    Args:
        result: of a comparison.
    """
    grid = result["grid"]
    key = Key(
        _Cells(
            sorted({cell["density_g_cm3"] for cell in grid.values()}),
            sorted({cell["temperature_K"] for cell in grid.values()}),
        )
    )
    panels = [(name, _scores(cells), _trained(cells)) for name, cells in result["matrix"].items()]
    panels += [
        (name, {c: own["score"] for c, own in other["cells"].items()}, set())
        for name, other in result["others"].items()
        if other["cells"]
    ]
    rows = math.ceil(len(panels) / COLUMNS)
    figure = new_figure(FULL_WIDTH * 1.2, rows * (0.9 + 0.34 * len(key.temperatures)))
    axes = figure.subplots(rows, COLUMNS, squeeze=False)
    for number, (name, scores, trained) in enumerate(panels):
        own = axes[number // COLUMNS][number % COLUMNS]
        grid_axes(own, key)
        if number // COLUMNS < rows - 1 and number + COLUMNS < len(panels):
            own.set_xlabel("")
        if number % COLUMNS:
            own.set_ylabel("")
        _draw(own, key, grid, scores, trained)
        passed = sum(score <= 1 for score in scores.values())
        panel_title(own, chr(ord("a") + number), f"{_title(name)}: {passed} of {len(scores)}")
    for spare in range(len(panels), rows * COLUMNS):
        axes[spare // COLUMNS][spare % COLUMNS].set_visible(False)
    _bar(figure, list(axes.flat))
    return figure


def _title(name: str) -> str:
    design, _, rest = name.partition("-")
    if name in TITLES:
        return TITLES[name]
    return f"{TITLES.get(design, design)} ({rest})" if rest and design in TITLES else name


def _scores(cells: Mapping[str, Any]) -> dict[str, float]:
    return {name: own["score"]["mean"] for name, own in cells.items()}


def _trained(cells: Mapping[str, Any]) -> set[str]:
    return {name for name, own in cells.items() if own["region"] == "in"}


def _draw(
    axes: Axes,
    key: Key,
    grid: Mapping[str, Any],
    scores: Mapping[str, float],
    trained: set[str],
) -> None:
    colours, norm = limit_colours(), Normalize(-DOUBLINGS, DOUBLINGS)
    for name, score in scores.items():
        x = key.densities.index(grid[name]["density_g_cm3"])
        y = key.temperatures.index(grid[name]["temperature_K"])
        doublings = math.log2(max(score, 1e-9))
        face = colours(float(norm(np.clip(doublings, -DOUBLINGS, DOUBLINGS))))
        axes.add_patch(
            Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=face, edgecolor=PAPER, lw=1.2, zorder=2)
        )
        if name in trained:
            axes.add_patch(
                Rectangle(
                    (x - 0.42, y - 0.42),
                    0.84,
                    0.84,
                    facecolor="none",
                    edgecolor=INK,
                    lw=1.1,
                    zorder=3,
                )
            )
        axes.text(
            x, y, _short(score), ha="center", va="center", color=ink_on(face), fontsize=7, zorder=4
        )


def _bar(figure: Figure, axes: list[Axes]) -> None:
    colours, norm = limit_colours(), Normalize(-DOUBLINGS, DOUBLINGS)
    bar = figure.colorbar(ScalarMappable(norm, colours), ax=axes, fraction=0.02, pad=0.01)
    steps = list(range(-DOUBLINGS, DOUBLINGS + 1))
    bar.ax.yaxis.set_major_locator(FixedLocator(steps))
    bar.ax.yaxis.set_major_formatter(FixedFormatter([f"{2.0**step:g}" for step in steps]))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("largest error over its limit")
    bar.outline.set_visible(False)


@styled
def errors_along_density(result: Mapping[str, Any], quantity: str = "interaction_energy") -> Figure:
    """Error along density at each temperature, a line with its interval for each group.

    Filled points are cells on which labels were spent.

    Args:
        result: of a comparison.
        quantity: of the matrix.
    """
    home = result["settings"]["comparison"]["home"]
    temperatures = sorted({cell["temperature_K"] for cell in result["grid"].values()})
    figure = new_figure(FULL_WIDTH, 3.4)
    axes = figure.subplots(1, len(temperatures), squeeze=False, sharey=True)[0]
    handles = []
    for number, (own, temperature) in enumerate(zip(axes, temperatures, strict=True)):
        handles = _lines(own, result, quantity, temperature)
        plain_log(own, "x")
        plain_log(own, "y")
        own.set_xlabel("density (g/cm³)")
        at_home = " (home)" if temperature == home["temperature_K"] else ""
        panel_title(own, chr(ord("a") + number), f"{temperature:g} K{at_home}")
        own.axvline(home["density_g_cm3"], color=MUTED, lw=0.7, ls=(0, (1, 2)), zorder=0)
    unit = next(iter(next(iter(result["matrix"].values())).values()))[quantity]["unit"]
    axes[0].set_ylabel(f"{quantity.replace('_', ' ')}, RMSE ({unit})")
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


COLOURS = ("#7f7f7f", "#d95f02", "#1b6ca8", "#4d9221", "#762a83", "#b8860b", "#01665e", "#c51b7d")


def _lines(axes: Axes, result: Mapping[str, Any], quantity: str, temperature: float) -> list[Any]:
    handles = []
    for place, (name, cells) in enumerate(result["matrix"].items()):
        points = [
            (result["grid"][c]["density_g_cm3"], values[quantity], values["region"])
            for c, values in cells.items()
            if result["grid"][c]["temperature_K"] == temperature and quantity in values
        ]
        own = sorted(points, key=lambda point: float(point[0]))
        if not own:
            continue
        x = [row[0] for row in own]
        colour = COLOURS[place % len(COLOURS)]
        (line,) = axes.plot(x, [row[1]["rmse"] for row in own], color=colour, label=_title(name))
        axes.fill_between(
            x,
            [row[1]["interval"][0] for row in own],
            [row[1]["interval"][1] for row in own],
            color=colour,
            alpha=0.18,
            lw=0,
        )
        for density, values, region in own:
            axes.plot(
                [density],
                [values["rmse"]],
                "o",
                color=colour,
                markersize=4,
                markerfacecolor=colour if region == "in" else PAPER,
            )
        handles.append(line)
    return handles


def _short(value: float) -> str:
    if value >= 99.5:
        return ">99"
    return f"{value:.2g}" if value < 9.95 else f"{value:.0f}"
