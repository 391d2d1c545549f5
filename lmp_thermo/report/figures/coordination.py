"""Coordination numbers: their mean over density and their distributions."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lmp_thermo.report.data import Coordination, ReportData
from lmp_thermo.report.style import (
    FULL_WIDTH,
    INK,
    MUTED,
    Key,
    new_figure,
    panel_title,
    styled,
)

RARE = 1e-4
"""Smaller shares are not drawn."""


@styled
def coordination_numbers(data: ReportData) -> Figure | None:
    """Means with errors at the left, distributions by temperature at the right."""
    if not data.coordination:
        return None
    temperatures = sorted({c.temperature_K for c in data.coordination if len(c.distribution)})
    figure = new_figure(FULL_WIDTH, 3.2)
    widths = [1.5, *[1.0] * len(temperatures)]
    grid = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)
    _draw_means(grid[0, 0], data)
    densities = sorted({c.density_g_cm3 for c in data.coordination})
    longest = max((_last_count(c) for c in data.coordination if len(c.distribution)), default=1)
    for place, temperature in enumerate(temperatures):
        own = [
            c for c in data.coordination if c.temperature_K == temperature and len(c.distribution)
        ]
        _draw_ridges(grid[0, place + 1], data, own, densities, longest)
        panel_title(grid[0, place + 1], "bcdefghijklm"[place % 12], f"{temperature:g} K")
        if place:
            grid[0, place + 1].tick_params(labelleft=False)
        else:
            grid[0, 1].set_ylabel("density (g/cm³)")
    return figure


def _draw_means(axes: Axes, data: ReportData) -> None:
    key = Key(data)
    temperatures = sorted({c.temperature_K for c in data.coordination})
    for temperature in temperatures:
        own = sorted(
            (c for c in data.coordination if c.temperature_K == temperature),
            key=lambda c: c.density_g_cm3,
        )
        axes.plot(
            [c.density_g_cm3 for c in own],
            [c.mean for c in own],
            color=MUTED,
            lw=0.9,
            ls=key.dashes(temperature),
            zorder=2,
        )
        for cell in own:
            colour = key.colour(cell.density_g_cm3)
            if cell.reference_mean is not None:
                axes.errorbar(
                    cell.density_g_cm3,
                    cell.reference_mean,
                    yerr=cell.reference_standard_error or 0.0,
                    marker=key.marker(temperature),
                    markersize=8,
                    markerfacecolor="none",
                    markeredgecolor=INK,
                    markeredgewidth=0.8,
                    ecolor=INK,
                    zorder=3,
                )
            axes.errorbar(
                cell.density_g_cm3,
                cell.mean,
                yerr=cell.standard_error,
                marker=key.marker(temperature),
                color=colour,
                ecolor=colour,
                zorder=4,
            )
    axes.set_xlim(left=0.0)
    axes.set_ylim(bottom=0.0)
    axes.legend(handles=key.temperature_handles(temperatures, lines=True), loc="lower right")
    axes.set_xlabel("density (g/cm³)")
    axes.set_ylabel("neighbours")
    panel_title(axes, "a", "Mean")


def _draw_ridges(
    axes: Axes,
    data: ReportData,
    cells: list[Coordination],
    densities: list[float],
    longest: int,
) -> None:
    key = Key(data)
    for cell in sorted(cells, key=lambda c: -c.density_g_cm3):
        base = float(densities.index(cell.density_g_cm3))
        scale = 0.85 / max(float(np.max(cell.distribution)), 1e-12)
        colour = key.colour(cell.density_g_cm3)
        axes.stairs(
            base + scale * np.asarray(cell.distribution, dtype=float),
            np.arange(len(cell.distribution) + 1) - 0.5,
            baseline=base,
            fill=True,
            color=colour,
            linewidth=0,
            zorder=2,
        )
        if cell.reference_distribution is not None and len(cell.reference_distribution):
            other = np.asarray(cell.reference_distribution, dtype=float)
            seen = np.flatnonzero(other > RARE)
            axes.plot(
                seen,
                base + scale * other[seen],
                color=INK,
                lw=0.8,
                ls=(0, (1, 1.4)),
                zorder=3,
            )
        axes.axhline(base, color="#c9cdd2", lw=0.5, zorder=1)
    axes.set_xlim(-0.7, longest + 0.7)
    axes.set_ylim(-0.1, len(densities))
    axes.set_yticks(range(len(densities)), [f"{d:g}" for d in densities])
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    axes.set_xlabel("neighbours")


def caption(data: ReportData) -> str:
    """What to see in the counts."""
    text = (
        "How many neighbours lie in the first shell. Left: the mean grows with density; error bars "
        "(one standard error) are smaller than the symbol where none is seen. Right: shares of "
        "molecules by their number of neighbours, each distribution scaled to its own maximum."
    )
    if any(c.reference_mean is not None for c in data.coordination):
        text += " Open symbols and dotted lines: the reference's own runs."
    return text


def _last_count(cell: Coordination) -> int:
    seen = np.flatnonzero(np.asarray(cell.distribution) > RARE)
    return int(seen[-1]) if len(seen) else 0
