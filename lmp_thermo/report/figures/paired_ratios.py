"""Designs seed by seed: how many times larger one's errors are than another's."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lmp_thermo.report.figures.groups import (
    TITLES,
    GroupStyle,
    drawn_together,
    group_styles,
    group_title,
)
from lmp_thermo.report.result import Result
from lmp_thermo.report.result_parts import SIGNIFICANT, PairedTest
from lmp_thermo.report.style import (
    FULL_WIDTH,
    INK,
    PAPER,
    new_figure,
    panel_title,
    plain_log,
    short,
    styled,
)

BASELINE = "density"
ROW = 0.185
"""Inches."""

LONGEST = 88
"""Characters of the titles of all panels."""

FEW = 3
"""Panels that have room for whole titles."""

FARTHEST = 32.0
"""The axis ends at this ratio; intervals that go on beyond it have an arrow."""


def against(result: Result) -> dict[str, str]:
    """With which group each is compared: the density design of its own kind where there is one.

    Without any density design it is the first group of the study.
    """
    found = {}
    for group in drawn_together(result.groups):
        kind = group.split("-")[1:]
        bases = ["-".join([BASELINE, *kind[:n]]) for n in range(len(kind), -1, -1)]
        for base in bases if BASELINE in result.groups else [result.groups[0]]:
            if base != group and _pairs(result, group, base):
                found[group] = base
                break
    return found


@styled
def paired_ratios(result: Result) -> Figure | None:
    """Ratios of errors over groups of cells, with their intervals and the single seeds.

    Returns:
        None where nothing was tested, as with a single seed.
    """
    chosen = against(result)
    tests = [test for group, base in chosen.items() for test in _pairs(result, group, base)]
    if not tests:
        return None
    quantities = list(dict.fromkeys(test.quantity for test in tests))
    wheres = list(dict.fromkeys(test.cells for test in tests))
    styles = group_styles(result.groups)
    rows = len(wheres) * (len(chosen) + 1)
    figure = new_figure(FULL_WIDTH, 0.9 + ROW * rows)
    axes = figure.subplots(1, len(quantities), squeeze=False, sharex=True, sharey=True)[0]
    ticks: dict[float, str] = {}
    for block, where in enumerate(wheres):
        top = -block * (len(chosen) + 1.0)
        ticks[top] = short(where)
        for place, group in enumerate(chosen, 1):
            ticks[top - place] = group_title(group)
            for own, quantity in zip(axes, quantities, strict=True):
                for test in tests:
                    if (test.cells, test.second, test.quantity) == (where, group, quantity):
                        _draw(own, top - place, test, styles[group])
    reach = _reach(tests)
    for number, (own, quantity) in enumerate(zip(axes, quantities, strict=True)):
        own.axvline(1.0, color=INK, lw=0.8, zorder=1)
        for block in range(1, len(wheres)):
            own.axhline(-block * (len(chosen) + 1.0) + 0.5, color="#c9cdd2", lw=0.6, zorder=0)
        own.set_xlim(1 / reach, reach)
        own.set_ylim(-rows + 0.4, 0.6)
        own.grid(False, axis="y")
        own.tick_params(axis="y", length=0)
        spoken = quantity.removesuffix(", RMSE") if len(quantities) > FEW else quantity
        title = short(spoken[:1].upper() + spoken[1:])
        panel_title(own, chr(ord("a") + number), title, LONGEST // len(quantities))
    plain_log(axes[0], "x")
    axes[0].set_yticks(list(ticks), list(ticks.values()))
    for label, text in zip(axes[0].get_yticklabels(), ticks.values(), strict=True):
        label.set_fontweight("bold" if text in map(short, wheres) else "normal")
    figure.supxlabel(
        f"smaller  ←  error over that of {_baselines(chosen)}  →  larger", fontsize=8.5
    )
    return figure


def caption(result: Result) -> str:
    """What to see in the ratios."""
    chosen = against(result)
    return (
        f"Error of each design over that of {_baselines(chosen)}, paired by seed: to the right of "
        "1 it is larger. Errors are geometric means of the RMSE over the cells, so that every cell "
        "counts the same. Marks: geometric mean over seeds with its 95 % interval (Student's t on "
        "logarithms); filled where the interval leaves 1 out and the p of an exact sign-flip test "
        f"is at most {SIGNIFICANT:g}. Small points: the single seeds. Not corrected for the "
        "number of comparisons; all pairs are in the tables."
    )


def _baselines(chosen: dict[str, str]) -> str:
    bases = list(dict.fromkeys(chosen.values()))
    if len(bases) > 1:
        return f"the {TITLES[BASELINE].lower()} one of its own kind"
    return f"the {TITLES[bases[0]].lower()} one" if bases[0] in TITLES else group_title(bases[0])


def _pairs(result: Result, group: str, base: str) -> list[PairedTest]:
    return [
        test.seen_from(base) for test in result.tests if {test.first, test.second} == {group, base}
    ]


def _draw(axes: Axes, y: float, test: PairedTest, style: GroupStyle) -> None:
    low, high = (float(np.clip(v, 1 / FARTHEST, FARTHEST)) for v in test.interval)
    axes.plot([low, high], [y, y], color=style.colour, lw=2.0, solid_capstyle="butt", zorder=3)
    for end, marker in ((test.interval[0], "<"), (test.interval[1], ">")):
        if not 1 / FARTHEST <= end <= FARTHEST:
            at = float(np.clip(end, 1 / FARTHEST, FARTHEST))
            axes.plot([at], [y], marker, color=style.colour, markersize=4, zorder=3)
    seeds = np.clip(test.ratios, 1 / FARTHEST, FARTHEST)
    axes.plot(
        seeds,
        np.full(len(seeds), y - 0.24),
        ".",
        color=style.colour,
        markersize=2.6,
        alpha=0.8,
        zorder=2,
    )
    axes.plot(
        [float(np.clip(test.ratio, 1 / FARTHEST, FARTHEST))],
        [y],
        style.marker,
        color=style.colour,
        markersize=5,
        markerfacecolor=style.colour if test.decided else PAPER,
        zorder=4,
    )


def _reach(tests: list[PairedTest]) -> float:
    values = np.array([v for test in tests for v in (*test.interval, *test.ratios)])
    farthest = float(np.exp(np.abs(np.log(values)).max()))
    return min(max(1.1 * farthest, 1.3), 1.1 * FARTHEST)
