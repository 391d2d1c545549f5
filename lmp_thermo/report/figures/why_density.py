"""Why density matters: coordination along density, along temperature, and how far each moves it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lmp_thermo.report.data import Coordination
from lmp_thermo.report.style import (
    FULL_WIDTH,
    INK,
    MUTED,
    PAPER,
    Key,
    new_figure,
    panel_title,
    styled,
)

RARE = 1e-3
"""Smaller shares do not widen the axis."""

BAR, GROUP_HEIGHT = 0.36, 1.55

GROUPS = (
    ("from end to end", "span", "distance"),
    ("per unit of ln ρ, of ln T", "per_log", "per_log"),
)
"""Title, key of the bar, key of its rows."""


@dataclass(frozen=True)
class Moves:
    """What the figure shows.

    Args:
        cells: distributions of the grid's cells.
        response: `analysis.response.Response.to_dict`.
    """

    cells: Sequence[Coordination]
    response: Mapping[str, Any]

    @property
    def densities_g_cm3(self) -> list[float]:
        """Distinct densities, ascending."""
        return sorted({cell.density_g_cm3 for cell in self.cells})

    @property
    def temperatures_K(self) -> list[float]:
        """Distinct temperatures, ascending."""
        return sorted({cell.temperature_K for cell in self.cells})

    @classmethod
    def of(cls, cells: Sequence[Mapping[str, Any]], response: Mapping[str, Any]) -> "Moves":
        """From a result file.

        Args:
            cells: `analysis.environments.Coordination.to_dict` of each cell.
            response: `analysis.response.Response.to_dict`.
        """
        return cls(
            [
                Coordination(
                    cell["density_g_cm3"],
                    cell["temperature_K"],
                    cell["hard"]["mean"],
                    cell["hard"]["standard_error"] or 0.0,
                    cell["hard"]["probability"],
                )
                for cell in cells
            ],
            response,
        )

    def row(self, along: Literal["density", "temperature"]) -> list[Coordination]:
        """The cells along one axis, at the fixed value where most of them are.

        Of several temperatures the middle one is taken, of several densities the highest, where
        temperature has most to act on.
        """
        fixed = [c.temperature_K if along == "density" else c.density_g_cm3 for c in self.cells]
        most = max(fixed.count(value) for value in fixed)
        full = sorted({value for value in fixed if fixed.count(value) == most})
        chosen = full[len(full) // 2] if along == "density" else full[-1]
        own = [c for c, value in zip(self.cells, fixed, strict=True) if value == chosen]
        return sorted(own, key=lambda c: (c.density_g_cm3, c.temperature_K))


@styled
def why_density(moves: Moves) -> Figure | None:
    """Distributions along density, along temperature, and their Wasserstein-1 distances."""
    if not moves.cells:
        return None
    figure = new_figure(FULL_WIDTH, 3.3)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(wspace=0.04)  # type: ignore[call-arg]
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.0, 1.0, 1.25])
    along_density, along_temperature = moves.row("density"), moves.row("temperature")
    longest = max(_last(cell) for cell in (*along_density, *along_temperature))
    _draw_ridges(left, moves, along_density, [f"{c.density_g_cm3:g}" for c in along_density])
    _draw_ridges(
        middle, moves, along_temperature, [f"{c.temperature_K:g}" for c in along_temperature]
    )
    for axes in (left, middle):
        axes.set_xlim(-0.9, longest + 0.9)
        axes.set_xlabel(f"neighbours within {moves.response['cutoff']['value_A']:.2f} Å")
    left.set_ylabel("density (g/cm³)")
    middle.set_ylabel("temperature (K)")
    panel_title(left, "a", f"Along density, {along_density[0].temperature_K:g} K")
    panel_title(middle, "b", f"Along temperature, {along_temperature[0].density_g_cm3:g} g/cm³")
    _draw_distances(right, moves)
    panel_title(right, "c", "How far the counts move")
    return figure


def _draw_ridges(
    axes: Axes, moves: Moves, cells: Sequence[Coordination], labels: Sequence[str]
) -> None:
    key = Key(moves)
    for base, cell in enumerate(cells):
        shares = np.asarray(cell.distribution, dtype=float)
        colour = key.colour(cell.density_g_cm3)
        axes.stairs(
            base + 0.82 * shares / shares.max(),
            np.arange(len(shares) + 1) - 0.5,
            baseline=base,
            fill=True,
            color=colour,
            alpha=0.85,
            linewidth=0,
            zorder=2,
        )
        axes.axhline(base, color="#c9cdd2", lw=0.5, zorder=1)
    axes.plot(
        [cell.mean for cell in cells],
        np.arange(len(cells)) + 0.12,
        color=INK,
        marker="o",
        markersize=3.4,
        markerfacecolor="white",
        markeredgewidth=0.9,
        lw=1.0,
        zorder=4,
    )
    axes.set_ylim(-0.1, len(cells))
    axes.set_yticks(range(len(cells)), labels)
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")


def _draw_distances(axes: Axes, moves: Moves) -> None:
    key, response = Key(moves), moves.response
    middle_density = moves.densities_g_cm3[len(moves.densities_g_cm3) // 2]
    colours = {"density": key.colour(middle_density), "temperature": MUTED}
    axes.axvline(response["halves"], color=INK, lw=0.8, ls=(0, (1, 1.2)), zorder=3.5)
    reach, ticks = response["halves"], []
    for group, (title, quantity, of_row) in enumerate(GROUPS):
        top = -group * GROUP_HEIGHT
        ratio = response[f"ratio_{quantity}"]
        axes.annotate(
            title if ratio is None else f"{title}: {_times(ratio)}",
            (0.0, top + 0.34),
            xytext=(7, 0),
            textcoords="offset points",
            fontsize=8,
        )
        for place, axis in enumerate(("density", "temperature")):
            if response[axis] is None:
                continue
            y = top - place * (BAR + 0.06)
            ticks.append((y, axis))
            reach = max(reach, _draw_bar(axes, y, response[axis], quantity, of_row, colours[axis]))
    axes.set_xlim(0.0, 1.5 * reach)
    axes.set_ylim(-GROUP_HEIGHT - 2 * BAR - 0.1, 0.34 + BAR)
    axes.set_yticks([y for y, _ in ticks], [axis for _, axis in ticks])
    axes.tick_params(axis="y", length=0)
    axes.grid(False, axis="y")
    axes.set_xlabel("Wasserstein-1 distance (neighbours)")


def _draw_bar(
    axes: Axes, y: float, along: Mapping[str, Any], quantity: str, of_row: str, colour: str
) -> float:
    """A bar with its interval, a tick for each row, its value; returns how far it reaches."""
    own = along[quantity]
    axes.barh(y, own["value"], BAR, color=colour, zorder=2)
    most = max(shift["log_ratio"] for shift in along["spans"])
    rows = [
        shift[of_row]["value"]
        for shift in along["spans"]
        if quantity != "span" or math.isclose(shift["log_ratio"], most)
    ]
    axes.plot(rows, np.full(len(rows), y), "|", color=PAPER, markersize=7, mew=1.8, zorder=3)
    axes.plot(rows, np.full(len(rows), y), "|", color=INK, markersize=6, mew=0.8, zorder=3)
    axes.plot([own["low"], own["high"]], [y, y], color=INK, lw=1.3, zorder=4)
    end = float(max(own["high"], *rows))
    axes.annotate(
        f"{own['value']:.3g} ({own['low']:.3g} to {own['high']:.3g})",
        (end, y),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=7.5,
    )
    return end


def _times(ratio: Mapping[str, Any]) -> str:
    low, high = ratio["low"], ratio["high"]
    if ratio["value"] is None or high is None:
        return f"more than {low:.2g} times as far"
    return f"{ratio['value']:.3g} times as far ({low:.3g} to {high:.3g})"


def _last(cell: Coordination) -> int:
    return int(np.flatnonzero(np.asarray(cell.distribution) > RARE)[-1])


def caption(moves: Moves) -> str:
    """What to see in the distributions and the distances."""
    response = moves.response
    return (
        f"Neighbours of a site within {response['cutoff']['value_A']:.2f} Å "
        f"({response['cutoff']['source']}). a, b: share of sites by their number of neighbours, "
        "each distribution scaled to its own maximum; the line joins the means. c: Wasserstein-1 "
        "distance between distributions, the number of neighbours that an average site gains or "
        "loses. Bars: mean over rows of the grid, less the bias that the bootstrap over frames "
        f"shows; lines and numbers: {response['confidence']:.0%} intervals, from below by the "
        "difference of the means, from above by the resampled distance; ticks: single rows. "
        f"Dotted: what halves of one cell's frames show, {response['halves']:.2g}."
    )
