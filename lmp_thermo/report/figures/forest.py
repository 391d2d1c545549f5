"""Ratios of errors with their intervals and single seeds, a row each, a panel for each quantity."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from lmp_thermo.report.figures.groups import GroupStyle
from lmp_thermo.report.result_parts import PairedTest
from lmp_thermo.report.style import (
    FULL_WIDTH,
    INK,
    PAPER,
    new_figure,
    panel_title,
    plain_log,
    short,
)

ROW = 0.185
"""Inches."""

LONGEST = 88
"""Characters of the titles of all panels, beside labels of `USUAL` characters at the most."""

USUAL, CHARACTER = 31, 0.056
"""Of a label: characters, and inches that each takes."""

FEW = 3
"""Panels that have room for whole titles."""

WIDE = 2.1
"""Decades of which narrow panels have room for 0.1, 1, 10 only."""

FARTHEST = 32.0
"""The axis ends at this ratio; intervals that go on beyond it have an arrow."""

MARKS = (
    "geometric mean over seeds with its 95 % interval (Student's t on logarithms); filled where "
    "the interval leaves 1 out and the p of an exact sign-flip test is at most"
)
"""What a caption says of them."""


@dataclass(frozen=True)
class Row:
    """One pair of groups.

    Args:
        label: beside the axis.
        style: of its marks.
        tests: by quantity.
    """

    label: str
    style: GroupStyle
    tests: Mapping[str, PairedTest]


def forest(blocks: Mapping[str, Sequence[Row]], below: str, row: float = ROW) -> Figure:
    """All rows under the titles of their blocks.

    Args:
        blocks: rows by title, with one test at the least.
        below: what the ratios are, under the axes.
        row: height of each, inches.
    """
    rows = [one for own in blocks.values() for one in own]
    whole_first = sorted(rows, key=lambda one: -len(one.tests))
    quantities = list(dict.fromkeys(name for one in whole_first for name in one.tests))
    places = len(rows) + len(blocks)
    figure = new_figure(FULL_WIDTH, 0.9 + row * places)
    axes = figure.subplots(1, len(quantities), squeeze=False, sharex=True, sharey=True)[0]
    ticks: list[tuple[float, str, bool]] = []
    for title, own_rows in blocks.items():
        if ticks:
            for panel in axes:
                panel.axhline(0.5 - len(ticks), color="#c9cdd2", lw=0.6, zorder=0)
        ticks.append((-len(ticks), short(title), True))
        for one in own_rows:
            for panel, quantity in zip(axes, quantities, strict=True):
                if quantity in one.tests:
                    _draw(panel, -len(ticks), one.tests[quantity], one.style)
            ticks.append((-len(ticks), one.label, False))
    limits = _limits([test for one in rows for test in one.tests.values()])
    beyond = CHARACTER * max(0, max(len(one.label) for one in rows) - USUAL)
    room = LONGEST * (1 - beyond / (FULL_WIDTH - CHARACTER * USUAL))
    titles = [text[:1].upper() + text[1:] for text in quantities]
    if len(quantities) > FEW:
        titles = [_halved(title.removesuffix(", RMSE")) for title in titles]
    titles = ["\n".join(map(short, title.splitlines())) for title in titles]
    longest = max(len(line) for title in titles for line in title.splitlines())
    share = min(1.0, room / len(titles) / longest)  # of the usual size, for all
    for number, (panel, title) in enumerate(zip(axes, titles, strict=True)):
        panel.axvline(1.0, color=INK, lw=0.8, zorder=1)
        panel.set_xlim(*limits)
        panel.set_ylim(-places + 0.4, 0.6)
        panel.grid(False, axis="y")
        panel.tick_params(axis="y", length=0)
        panel_title(panel, chr(ord("a") + number), title, share * len(title))
    plain_log(axes[0], "x")
    if len(titles) > FEW and math.log10(limits[1] / limits[0]) > WIDE:
        axes[0].xaxis.set_major_locator(LogLocator())
    axes[0].set_yticks([y for y, _, _ in ticks], [text for _, text, _ in ticks])
    for label, (_, _, is_title) in zip(axes[0].get_yticklabels(), ticks, strict=True):
        label.set_fontweight("bold" if is_title else "normal")
    figure.supxlabel(f"smaller  ←  {below}  →  larger", fontsize=8.5)
    return figure


def _halved(title: str) -> str:
    """On two lines, as even as its words allow."""
    ways = [title[:at] + "\n" + title[at + 1 :] for at, sign in enumerate(title) if sign == " "]
    return min(ways, key=lambda way: max(map(len, way.splitlines())), default=title)


def _draw(axes: Axes, y: float, test: PairedTest, style: GroupStyle) -> None:
    low, high = test.interval
    ends = _within([low, high])
    axes.plot(ends, [y, y], color=style.colour, lw=2.0, solid_capstyle="butt", zorder=3)
    for beyond, at, marker in (
        (low < 1 / FARTHEST, 1 / FARTHEST, "<"),
        (high > FARTHEST, FARTHEST, ">"),
    ):
        if beyond:
            axes.plot([at], [y], marker, color=style.colour, markersize=4, zorder=3)
    axes.plot(
        _within(test.ratios),
        [y - 0.24] * len(test.ratios),
        ".",
        color=style.colour,
        markersize=2.6,
        alpha=0.8,
        zorder=2,
    )
    axes.plot(
        _within([test.ratio]),
        [y],
        style.marker,
        color=style.colour,
        markersize=5,
        markerfacecolor=style.colour if test.decided else PAPER,
        zorder=4,
    )


def _within(ratios: Sequence[float]) -> list[float]:
    return [min(max(ratio, 1 / FARTHEST), FARTHEST) for ratio in ratios]


def _limits(tests: Sequence[PairedTest]) -> tuple[float, float]:
    """Of the axis: 1 lies within, and nothing touches an end but what goes on beyond it."""
    values = [v for test in tests for v in (*test.interval, *test.ratios)]
    low, high = _within([min(values), max(values)])
    return min(low / 1.1, 1 / 1.3), max(1.1 * high, 1.3)
