"""How far the errors of each design grow away from where it was trained."""

import math
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lmp_thermo.report.figures.groups import GroupStyle, drawn_together, group_styles, group_title
from lmp_thermo.report.result import Result
from lmp_thermo.report.style import (
    FULL_WIDTH,
    PAPER,
    new_figure,
    panel_title,
    plain_log,
    styled,
)

COLUMNS = 2
SPREAD, APART = 0.76, 0.13
"""The part of a density's place over which all groups stand side by side, and how far two of them
stand apart at most: few groups stay close, so that their lines rise as they should."""

NAMES = {
    "interaction_energy": "interaction energy",
    "net_force": "net force on molecules",
    "force": "force on atoms",
}


@styled
def errors_along_density(result: Result, quantity: str) -> Figure | None:
    """Errors at each density, a panel for each temperature, the groups side by side.

    Args:
        result: of the comparison.
        quantity: of the matrix.

    Returns:
        None where no cell has the quantity.
    """
    if not any(
        quantity in own.errors for cells in result.matrix.values() for own in cells.values()
    ):
        return None
    home = result.settings.comparison.home
    temperatures, densities = result.temperatures_K, result.densities_g_cm3
    columns = min(COLUMNS, len(temperatures))
    rows = math.ceil(len(temperatures) / columns)
    figure = new_figure(FULL_WIDTH, 0.45 + 2.35 * rows)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True, sharex=True)
    styles = group_styles(drawn_together(result.groups))
    for number, temperature in enumerate(temperatures):
        own = axes[number // columns][number % columns]
        _draw(own, result, quantity, temperature, styles)
        at_home = " (home)" if temperature == home.temperature_K else ""
        panel_title(own, chr(ord("a") + number), f"{temperature:g} K{at_home}")
        for place, density in enumerate(densities):
            if density == home.density_g_cm3:
                own.axvspan(place - 0.5, place + 0.5, color="#f1f2f4", zorder=0)
        if number % columns == 0:
            own.set_ylabel(f"RMSE ({result.units.get(quantity, '')})")
        if number + columns >= len(temperatures):
            own.set_xlabel("density (g/cm³)")
            own.tick_params(labelbottom=True)
    for spare in range(len(temperatures), rows * columns):
        axes[spare // columns][spare % columns].set_visible(False)
    first = axes[0][0]
    first.set_xlim(-0.5, len(densities) - 0.5)
    first.set_xticks(range(len(densities)), [f"{density:g}" for density in densities])
    plain_log(first, "y")
    handles = [
        Line2D(
            [],
            [],
            color=style.colour,
            ls=style.dashes,
            marker=style.marker,
            markersize=4,
            label=group_title(name),
        )
        for name, style in styles.items()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))
    return figure


def caption(result: Result, quantity: str) -> str:
    """What to see in the errors."""
    seeds = len(result.settings.comparison.seeds)
    over = f"mean over {seeds} seeds, with its" if seeds > 1 else "with its"
    return (
        f"RMSE of the {NAMES.get(quantity, quantity)}, {over} 95 % interval (bootstrap over "
        f"frames{' and seeds' if seeds > 1 else ''}). Filled: cells on which the design spent "
        f"labels. Shaded: the home density, {result.settings.comparison.home.density_g_cm3:g} "
        "g/cm³. Groups stand side by side at each density."
    )


def _draw(
    axes: Axes,
    result: Result,
    quantity: str,
    temperature: float,
    styles: Mapping[str, GroupStyle],
) -> None:
    for place, (name, style) in enumerate(styles.items()):
        apart = min(SPREAD / len(styles), APART)
        shift = apart * (place - 0.5 * (len(styles) - 1))
        own = [
            (
                result.densities_g_cm3.index(result.grid[c].density_g_cm3) + shift,
                result.places[name][c].region,
                error,
            )
            for c, cell in result.matrix[name].items()
            if result.grid[c].temperature_K == temperature
            and (error := cell.errors.get(quantity)) is not None
            and error.rmse > 0
        ]
        own.sort(key=lambda row: row[0])
        x = [row[0] for row in own]
        axes.plot(
            x,
            [error.rmse for _, _, error in own],
            color=style.colour,
            ls=style.dashes,
            lw=0.9,
            alpha=0.65,
            zorder=2,
        )
        for position, region, error in own:
            low, high = error.interval
            axes.plot([position, position], [low, high], color=style.colour, lw=1.3, zorder=3)
            axes.plot(
                [position],
                [error.rmse],
                style.marker,
                color=style.colour,
                markersize=4.4 if len(styles) <= 5 else 3.6,
                markerfacecolor=style.colour if region == "in" else PAPER,
                markeredgewidth=1.0,
                zorder=4,
            )
