"""Learning curves over all rounds."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lmp_thermo.report.data import Array, ReportData
from lmp_thermo.report.style import (
    FULL_WIDTH,
    GOOD,
    MUTED,
    new_figure,
    panel_title,
    plain_log,
    styled,
)


@dataclass(frozen=True)
class _Quantity:
    key: str
    title: str
    unit: str
    scale: float


QUANTITIES = (
    _Quantity("net_force", "Net force on molecules", "meV/Å", 1e3),
    _Quantity("energy", "Energy", "meV/atom", 1e3),
    _Quantity("molecular_virial", "Molecular virial", "meV/molecule", 1e3),
    _Quantity("torque", "Torque on molecules", "meV", 1e3),
    _Quantity("force", "Force on atoms", "meV/Å", 1e3),
    _Quantity("stress", "Virial (stress)", "meV/atom", 1e3),
)
"""What acts between molecules first."""

COLUMNS = 3


@styled
def learning_curves(data: ReportData) -> Figure | None:
    """Validation RMSE against wall time of training, all rounds in a row."""
    shown = [
        q
        for q in QUANTITIES
        if any(_positive(r.validation.get(q.key)).any() for r in data.training)
    ]
    if not shown:
        return None
    rows = -(-len(shown) // COLUMNS)
    columns = min(COLUMNS, len(shown))
    figure = new_figure(FULL_WIDTH, 0.5 + 1.85 * rows)
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(shown):
            axes.set_visible(False)
            continue
        _draw(axes, data, shown[place], "abcdef"[place])
        if place + columns >= len(shown):
            axes.set_xlabel("wall time of training (min)")
            axes.tick_params(labelbottom=True)
    return figure


def _draw(axes: Axes, data: ReportData, quantity: _Quantity, letter: str) -> None:
    start = 0.0
    plain_log(axes, "y")
    for number, part in enumerate(data.training):
        minutes = start + part.seconds / 60.0
        values = part.validation.get(quantity.key)
        good = _positive(values)
        if values is not None and good.any():
            own = quantity.scale * values
            axes.plot(minutes[good], own[good], color=GOOD, lw=1.1)
            last = np.flatnonzero(good)[-1]
            axes.plot(minutes[last], own[last], "o", color=GOOD, markersize=3.5)
            axes.annotate(
                f"{own[last]:.3g}",
                (minutes[last], own[last]),
                xytext=(-3, -10),
                textcoords="offset points",
                ha="right",
                fontsize=7.5,
                color=GOOD,
            )
        if number:
            axes.axvline(start, color=MUTED, lw=0.6, ls=(0, (3, 2)))
        if len(data.training) > 1:
            axes.annotate(
                f"round {part.number}",
                (start, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(3, -2),
                textcoords="offset points",
                va="top",
                fontsize=7,
                color=MUTED,
            )
        start += float(part.seconds[-1]) / 60.0 if len(part.seconds) else 0.0
    axes.set_xlim(0, start if start > 0 else 1)
    axes.margins(y=0.18)
    plain_log(axes, "y")
    axes.set_ylabel(f"RMSE ({quantity.unit})")
    panel_title(axes, letter, quantity.title)


def caption(data: ReportData) -> str:
    """What to see in the curves."""
    updates = sum(int(r.updates[-1]) for r in data.training if len(r.updates))
    text = (
        f"RMSE on validation frames, logarithmic; {updates} updates in all. Curves that still "
        "fall ask for more training; curves that lie flat, for more frames or a larger model."
    )
    if len(data.training) > 1:
        text += " Steps between rounds: each round brings frames of its own into validation."
    return text


def _positive(values: Array | None) -> NDArray[np.bool_]:
    if values is None:
        return np.zeros(0, dtype=bool)
    return np.isfinite(values) & (values > 0)
