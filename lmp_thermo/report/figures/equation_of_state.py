"""Pressure over density along isotherms, against the ideal gas and the reference."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lmp_thermo.report.data import PressurePoint, ReportData
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


@styled
def equation_of_state(data: ReportData) -> Figure | None:
    """Pressure on a linear scale, and the compressibility factor down to the gas."""
    if not _points(data):
        return None
    figure = new_figure(FULL_WIDTH, 3.5)
    left, right = figure.subplots(1, 2)
    draw_pressure(left, data, "a")
    _draw_factor(right, data, "b")
    figure.legend(handles=legend(data), loc="outside right center", alignment="left")
    return figure


def draw_pressure(axes: Axes, data: ReportData, letter: str) -> None:
    """Isotherms of the pressure in kbar with ideal-gas lines."""
    key = Key(data)
    for temperature in sorted({p.temperature_K for p in _points(data)}):
        isotherm = _isotherm(data, temperature)
        densest = isotherm[-1]
        axes.plot(
            [0.0, densest.density_g_cm3],
            [0.0, densest.ideal_bar / 1000],
            color=MUTED,
            lw=0.7,
            ls=key.dashes(temperature),
            alpha=0.7,
            zorder=1,
        )
    _draw_isotherms(axes, data, lambda point, bar: bar / 1000)
    axes.axhline(0.0, color=INK, lw=0.6, zorder=1)
    axes.set_xlim(left=0.0)
    axes.set_xlabel("density (g/cm³)")
    axes.set_ylabel("pressure (kbar)")
    panel_title(axes, letter, "Pressure")


def _draw_factor(axes: Axes, data: ReportData, letter: str) -> None:
    _draw_isotherms(axes, data, lambda point, bar: bar / point.ideal_bar)
    axes.axhline(1.0, color=MUTED, lw=0.9, zorder=1)
    plain_log(axes, "x")
    axes.set_xlabel("density (g/cm³)")
    axes.set_ylabel("p / p of the ideal gas")
    panel_title(axes, letter, "Compressibility factor")


def _draw_isotherms(
    axes: Axes, data: ReportData, of: Callable[[PressurePoint, float], float]
) -> None:
    key = Key(data)
    for temperature in sorted({p.temperature_K for p in _points(data)}):
        isotherm = _isotherm(data, temperature)
        axes.plot(
            [p.density_g_cm3 for p in isotherm],
            [of(p, _bar(p)) for p in isotherm],
            color=MUTED,
            lw=0.9,
            ls=key.dashes(temperature),
            zorder=2,
        )
        for point in isotherm:
            colour = key.colour(point.density_g_cm3)
            if point.reference_bar is not None:
                axes.errorbar(
                    point.density_g_cm3,
                    of(point, point.reference_bar),
                    yerr=of(point, point.reference_standard_error_bar or 0.0),
                    marker=key.marker(temperature),
                    markersize=8,
                    markerfacecolor="none",
                    markeredgecolor=INK,
                    markeredgewidth=0.8,
                    ecolor=INK,
                    elinewidth=0.8,
                    zorder=3,
                )
            axes.errorbar(
                point.density_g_cm3,
                of(point, _bar(point)),
                yerr=of(point, point.standard_error_bar or 0.0),
                marker=key.marker(temperature),
                markerfacecolor=colour if point.converged else PAPER,
                markeredgecolor=colour,
                ecolor=colour,
                zorder=4,
            )


def legend(data: ReportData) -> list[Line2D]:
    """Entries for the temperatures and for what is open."""
    key = Key(data)
    points = _points(data)
    handles = key.temperature_handles([p.temperature_K for p in points], lines=True)
    handles.append(Line2D([], [], color=MUTED, lw=0.7, alpha=0.7, label="ideal gas, no symbols"))
    if any(p.reference_bar is not None for p in points):
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="o",
                markersize=8,
                markerfacecolor="none",
                markeredgecolor=INK,
                label="reference",
            )
        )
    if not all(p.converged for p in points):
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="o",
                markerfacecolor=PAPER,
                markeredgecolor=MUTED,
                label="not converged",
            )
        )
    return handles


def caption(data: ReportData) -> str:
    """What to see in the isotherms."""
    text = (
        "Left: pressure, with the ideal gas of the same temperature in grey. Right: the ratio to "
        "it, which must go to 1 in the gas; below 1 attraction rules, above it repulsion. Error "
        "bars: one standard error; where none is seen, it is smaller than the symbol."
    )
    if any(p.reference_bar is not None for p in _points(data)):
        text += " Large open symbols: the reference's own runs."
    return text


def _points(data: ReportData) -> list[PressurePoint]:
    return [p for p in data.pressures if p.pressure_bar is not None and p.ideal_bar > 0]


def _isotherm(data: ReportData, temperature: float) -> list[PressurePoint]:
    own = [p for p in _points(data) if p.temperature_K == temperature]
    return sorted(own, key=lambda p: p.density_g_cm3)


def _bar(point: PressurePoint) -> float:
    return float(np.nan if point.pressure_bar is None else point.pressure_bar)
