"""Radial distribution functions by density, one panel a temperature."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lmp_thermo.report.data import RdfCurve, ReportData
from lmp_thermo.report.style import (
    FULL_WIDTH,
    INK,
    MUTED,
    Key,
    new_figure,
    panel_title,
    short,
    styled,
)


def pairs(data: ReportData) -> list[str]:
    """Pairs in the order in which they come."""
    return list(dict.fromkeys(curve.pair for curve in data.rdfs))


@styled
def rdf_by_density(data: ReportData, pair: str) -> Figure | None:
    """g(r) of one pair: a column a temperature, a shifted line a density."""
    curves = [c for c in data.rdfs if c.pair == pair and len(c.r_A)]
    if not curves:
        return None
    temperatures = sorted({c.temperature_K for c in curves})
    densities = sorted({c.density_g_cm3 for c in curves})
    figure = new_figure(FULL_WIDTH, 1.7 + 0.42 * len(densities))
    grid = figure.subplots(1, len(temperatures), sharex=True, sharey=True, squeeze=False)
    shift = shift_of(curves)
    for place, temperature in enumerate(temperatures):
        axes = grid[0, place]
        draw_rdf(
            axes, data, [c for c in curves if c.temperature_K == temperature], shift, densities
        )
        panel_title(axes, "abcdefghijkl"[place % 12], f"{temperature:g} K")
    grid[0, 0].set_ylabel(f"g(r) of {short(pair)}, shifted by {shift:g} per density")
    return figure


def draw_rdf(
    axes: Axes,
    data: ReportData,
    curves: list[RdfCurve],
    shift: float,
    densities: list[float],
) -> None:
    """Shifted curves of one temperature with their densities at the right end.

    Args:
        axes: drawn into.
        data: of the report, for the colours.
        curves: of one pair and temperature.
        shift: between neighbouring densities.
        densities: of all panels, which decide the places.
    """
    key = Key(data)
    first = min(_first_distance(c) for c in curves)
    last = max(float(c.r_A[-1]) for c in curves)
    axes.set_xlim(first, last)
    for curve in sorted(curves, key=lambda c: -c.density_g_cm3):
        base = shift * densities.index(curve.density_g_cm3)
        colour = key.colour(curve.density_g_cm3)
        axes.plot([first, last], [base + 1, base + 1], color="#c9cdd2", lw=0.5, zorder=1)
        axes.fill_between(
            curve.r_A,
            base + curve.g - curve.standard_error,
            base + curve.g + curve.standard_error,
            color=colour,
            alpha=0.3,
            linewidth=0,
            zorder=2,
        )
        axes.plot(curve.r_A, base + curve.g, color=colour, zorder=3)
        if curve.reference_g is not None:
            axes.plot(
                curve.r_A, base + curve.reference_g, color=INK, lw=0.9, ls=(0, (1, 1.6)), zorder=4
            )
        axes.annotate(
            f"{curve.density_g_cm3:g}",
            (last, base + 1),
            xytext=(-1, 3),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=colour,
            fontsize=7.5,
            fontweight="bold",
            zorder=5,
        )
    if any(c.reference_g is not None for c in curves):
        axes.legend(
            handles=[
                Line2D([], [], color=MUTED, label="potential"),
                Line2D([], [], color=INK, lw=0.9, ls=(0, (1, 1.6)), label="reference"),
            ],
            loc="upper right",
            fontsize=7,
            borderaxespad=0,
        )
    axes.set_xlabel("r (Å)")
    axes.grid(False, axis="y")


def shift_of(curves: list[RdfCurve]) -> float:
    """Shift that keeps the lines apart, in halves."""
    highest = max(float(np.max(c.g)) for c in curves)
    return max(math.ceil(2 * 0.4 * (highest - 1.0)) / 2, 0.5)


def caption(data: ReportData, pair: str) -> str:
    """What to see in the panels."""
    curves = [c for c in data.rdfs if c.pair == pair]
    text = (
        "Structure from gas to liquid: densities in g/cm³ at the right ends, each line's own "
        "g = 1 in grey. Bands: one standard error; where none is seen, it is thinner than the line."
    )
    if any(c.reference_g is not None for c in curves):
        text += " Dotted: the reference's own runs; it should lie on the lines."
    else:
        text += " The reference has no runs of its own to compare with."
    return text


def _first_distance(curve: RdfCurve) -> float:
    """Just below the first distance at which anything is found."""
    found = np.flatnonzero(curve.g > 0.01)
    return max(0.0, float(curve.r_A[found[0]]) - 0.5) if len(found) else float(curve.r_A[0])
