"""Parity: the potential against the reference, number by number."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lmp_thermo.report.data import Array, ParityPoints, ReportData
from lmp_thermo.report.style import (
    BAD,
    FULL_WIDTH,
    INK,
    Key,
    density_legend,
    new_figure,
    panel_title,
    styled,
)

VECTOR_POINTS = 600
"""More points than this are drawn as pixels, to keep the page small."""


@styled
def parity_plots(data: ReportData) -> Figure | None:
    """Predicted against reference above, the difference below; one column a quantity."""
    own = data.parity
    columns = (
        [
            (points, title, unit, scale)
            for points, title, unit, scale in (
                (own.net_force, "Net force on molecules", "meV/Å", 1e3),
                (own.interaction_energy, "Interaction energy", "meV/atom", 1e3),
                (own.molecular_pressure, "Molecular virial pressure", "kbar", 1e-3),
            )
            if points is not None and len(points.reference)
        ]
        if own is not None
        else []
    )
    if not columns:
        return None
    figure = new_figure(0.9 + (FULL_WIDTH - 0.9) * len(columns) / 3, 4.1)
    grid = figure.subplots(2, len(columns), sharex="col", squeeze=False, height_ratios=[2.6, 1.0])
    key = Key(data)
    for place, (points, title, unit, scale) in enumerate(columns):
        upper, lower = grid[0, place], grid[1, place]
        x, y = scale * points.reference, scale * points.predicted
        colours = np.array([key.colour(d) for d in points.density_g_cm3])
        low, high = float(min(x.min(), y.min(), 0)), float(max(x.max(), y.max(), 0))
        room = 0.04 * (high - low or 1.0)
        upper.plot([low - room, high + room], [low - room, high + room], color=INK, lw=0.7)
        for axes in (upper, lower):
            axes.set_xlim(low - room, high + room)
        upper.axhline(0.0, color=BAD, lw=1.0, ls=(0, (4, 2)), zorder=3)
        no_interaction = -np.array([low - room, high + room])
        lower.plot(
            [low - room, high + room], no_interaction, color=BAD, lw=1.0, ls=(0, (4, 2)), zorder=3
        )
        lower.axhline(0.0, color=INK, lw=0.7)
        order = _from_all_densities(points)
        _scatter(upper, x[order], y[order], colours[order])
        _scatter(lower, x[order], (y - x)[order], colours[order])
        reach = 1.15 * float(np.max(np.abs(y - x))) or 1.0
        lower.set_ylim(-reach, reach)
        upper.set_ylim(low - room, high + room)
        rmse, rms = float(np.sqrt(np.mean((y - x) ** 2))), float(np.sqrt(np.mean(x**2)))
        above = high > -low  # then the no-interaction model's line runs below
        upper.text(
            0.04 if above else 0.97,
            0.96 if above else 0.04,
            f"RMSE {rmse:.3g} of {rms:.3g} {unit}",
            transform=upper.transAxes,
            va="top" if above else "bottom",
            ha="left" if above else "right",
            fontsize=7.5,
        )
        if place == 0:
            upper.annotate(
                "no-interaction model",
                (low, 0.0),
                xytext=(1, 3),
                textcoords="offset points",
                color=BAD,
                fontsize=7,
            )
        upper.set_ylabel(f"potential ({unit})")
        lower.set_ylabel(f"error ({unit})")
        lower.set_xlabel(f"reference ({unit})")
        panel_title(upper, "abc"[place], title)
    figure.align_ylabels(grid)
    density_legend(figure, key, sorted(set(columns[0][0].density_g_cm3.tolist())))
    return figure


def caption(data: ReportData) -> str:
    """What to see in the plots."""
    return (
        "Every molecule and frame of the potential's own runs, relabelled by the reference; "
        "points on the diagonal are right. The dashed line is the no-interaction model, which "
        "answers 0: points near it would have learnt nothing. Below: the error on a scale of its "
        "own; a slope or a curve there is a bias, a cloud is noise."
    )


def _from_all_densities(points: ParityPoints) -> NDArray[np.int64]:
    """Order of drawing in which no density lies on top of all others; the same every time."""
    return np.random.default_rng(0).permutation(len(points.reference))


def _scatter(axes: Axes, x: Array, y: Array, colours: Array) -> PathCollection:
    many = len(x) > VECTOR_POINTS
    return axes.scatter(
        x,
        y,
        s=3.5 if many else 9,
        c=colours.tolist(),
        alpha=0.6 if many else 0.85,
        linewidths=0,
        rasterized=many,
        zorder=2,
    )
