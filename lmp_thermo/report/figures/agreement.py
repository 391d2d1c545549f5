"""Observables of the potential's runs against the reference's own runs."""

import numpy as np
from matplotlib.figure import Figure

from lmp_thermo.report.data import ReportData
from lmp_thermo.report.quantities import spoken
from lmp_thermo.report.style import HALF_WIDTH, INK, MUTED, PAPER, Key, new_figure, short, styled

SHOWN_SIGMAS = 8.0
"""Larger differences are drawn at the edge, as arrows."""


@styled
def agreement(data: ReportData) -> Figure | None:
    """Difference of each observable in combined standard errors."""
    rows = [
        (cell, row)
        for cell in data.cells
        for row in cell.comparisons
        if row.get("sigmas") is not None
    ]
    if not rows:
        return None
    key = Key(data)
    names = list(dict.fromkeys(str(row["name"]) for _, row in rows))
    figure = new_figure(HALF_WIDTH, 0.9 + 0.34 * len(names))
    axes = figure.subplots()
    axes.axvspan(-2, 2, color="#eef1f4", linewidth=0, zorder=0)
    axes.axvline(0.0, color=INK, lw=0.7, zorder=1)
    scatter = np.random.default_rng(0)
    for cell, row in rows:
        sigmas = float(row["sigmas"])
        beyond = abs(sigmas) > SHOWN_SIGMAS
        colour = key.colour(cell.density_g_cm3)
        marker = (">" if sigmas > 0 else "<") if beyond else key.marker(cell.temperature_K)
        axes.plot(
            np.clip(sigmas, -SHOWN_SIGMAS, SHOWN_SIGMAS),
            names.index(str(row["name"])) + scatter.uniform(-0.25, 0.25),
            marker=marker,
            markerfacecolor=PAPER if row["agrees"] is None else colour,
            markeredgecolor=colour,
            markersize=4,
            linestyle="none",
            clip_on=False,
            zorder=3,
        )
    axes.set_yticks(range(len(names)), [short(spoken(name)) for name in names])
    axes.invert_yaxis()
    axes.set_xlim(-SHOWN_SIGMAS, SHOWN_SIGMAS)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("(potential − reference) / combined standard error")
    figure.legend(
        handles=key.temperature_handles([cell.temperature_K for cell, _ in rows], lines=False),
        loc="outside upper left",
        ncols=5,
        columnspacing=1.0,
        handletextpad=0.2,
        labelcolor=MUTED,
    )
    return figure


def caption(data: ReportData) -> str:
    """What to see in the points."""
    judged = [
        (cell, row)
        for cell in data.cells
        for row in cell.comparisons
        if row.get("agrees") is not None
    ]
    apart = [(abs(float(row["sigmas"])), cell, row) for cell, row in judged]
    text = (
        f"{sum(bool(row['agrees']) for _, row in judged)} of {len(judged)} observables that are "
        "converged in both runs agree with the reference's own runs within 4 combined standard "
        f"errors; {sum(s > 2 for s, _, _ in apart)} differ by more than 2, "
        f"{sum(s > 3 for s, _, _ in apart)} by more than 3"
    )
    if apart:
        sigmas, cell, row = max(apart, key=lambda item: item[0])
        text += (
            f" (most: {spoken(str(row['name']))} at {cell.density_g_cm3:g} g/cm³, "
            f"{cell.temperature_K:g} K, by {sigmas:.2f})"
        )
    return text + (
        ". Were the two equal, 95 % of the points would lie in the grey band. Open: not converged "
        f"in one of the two. Arrows: beyond {SHOWN_SIGMAS:g}."
    )
