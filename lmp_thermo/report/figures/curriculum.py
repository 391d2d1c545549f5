"""Where an adaptive design spends its budget, round by round, and what it expects."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lmp_thermo.report.figures.grid import grid_axes, ink_on
from lmp_thermo.report.figures.groups import group_styles
from lmp_thermo.report.result import Result
from lmp_thermo.report.result_parts import Round
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

COLUMNS = 3
MOST_MAPS = 7
"""With more rounds than that, only the sum over rounds is drawn."""


def adaptive_groups(result: Result) -> list[str]:
    """Groups whose arms bought in rounds."""
    return list(dict.fromkeys(result.arms[name].group for name in result.curriculum))


@styled
def curriculum(result: Result, group: str) -> Figure:
    """Labels bought by cell and round, mean over seeds, and the worst cell's expected score.

    Args:
        result: of the comparison.
        group: one of `adaptive_groups`.
    """
    arms = {name: own for name, own in result.curriculum.items() if name in result.of_group(group)}
    n_rounds = max(len(own) for own in arms.values())
    shown = [*range(n_rounds)] if n_rounds <= MOST_MAPS else []
    maps = [("Start" if n == 0 else f"Round {n}", _bought(arms, [n])) for n in shown]
    maps.append(("All rounds", _bought(arms, range(n_rounds))))
    key = Key(result)
    columns = min(COLUMNS, len(maps) + 1)
    rows = math.ceil((len(maps) + 1) / columns)
    figure = new_figure(FULL_WIDTH, rows * (0.95 + 0.3 * max(2, len(key.temperatures))))
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    most_in_a_round = max([1.0, *(v for _, own in maps[:-1] for v in own.values())])
    for number, (title, labels) in enumerate(maps):
        own = axes[number]
        most = max([1.0, *labels.values()]) if number == len(maps) - 1 else most_in_a_round
        grid_axes(own, key)
        if number % columns:
            own.set_ylabel("")
        if number + columns < len(maps) + 1:
            own.set_xlabel("")
        _draw_map(own, key, result, labels, most)
        total = sum(labels.values())
        panel_title(own, chr(ord("a") + number), f"{title}: {total:.3g} labels")
    scores = axes[len(maps)]
    _draw_scores(scores, result, group, arms)
    panel_title(scores, chr(ord("a") + len(maps)), "Worst cell's score")
    for spare in axes[len(maps) + 1 :]:
        spare.set_visible(False)
    return figure


def caption(result: Result, group: str) -> str:
    """What to see in the rounds."""
    arms = {name: own for name, own in result.curriculum.items() if name in result.of_group(group)}
    over = f", mean over {len(arms)} seeds" if len(arms) > 1 else ""
    reasons = [own[-1].stopped for own in arms.values() if own[-1].stopped]
    stopped = "; ".join(
        f"{reasons.count(reason)} of {len(arms)}: {reason}" for reason in dict.fromkeys(reasons)
    )
    return (
        f"Labels bought in each cell{over}. Last panel: the largest score that the committee "
        "expects of any cell to spend on before each round buys (lines: single seeds), and what "
        "the final models have there on held-out frames (stars). Dashed: the target."
        + (f" Stopped: {stopped}." if stopped else "")
    )


def _bought(arms: Mapping[str, Sequence[Round]], numbers: Sequence[int]) -> dict[str, float]:
    """Labels of each cell in some rounds, mean over arms."""
    found: dict[str, float] = {}
    for rounds in arms.values():
        for number in numbers:
            if number < len(rounds):
                for cell, count in rounds[number].bought.items():
                    found[cell] = found.get(cell, 0.0) + count / len(arms)
    return found


def _draw_map(
    axes: Axes, key: Key, result: Result, labels: Mapping[str, float], most: float
) -> None:
    for name, cell in result.grid.items():
        x = key.densities.index(cell.density_g_cm3)
        y = key.temperatures.index(cell.temperature_K)
        count = labels.get(name, 0.0)
        face = colormaps["Purples"](0.9 * count / most) if count else "#f7f7f8"
        axes.add_patch(
            Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=face, edgecolor=PAPER, lw=1.2, zorder=2)
        )
        if count:
            axes.text(
                x,
                y,
                f"{count:.0f}" if count >= 9.95 else f"{count:.2g}",
                ha="center",
                va="center",
                color=ink_on(face),
                fontsize=7,
                zorder=4,
            )


def _draw_scores(
    axes: Axes, result: Result, group: str, arms: Mapping[str, Sequence[Round]]
) -> None:
    style = group_styles(result.groups)[group]
    last = max(len(rounds) for rounds in arms.values()) - 1
    shifts = np.linspace(-0.12, 0.12, len(arms)) if len(arms) > 1 else [0.0]
    for (name, rounds), shift in zip(arms.items(), shifts, strict=True):
        points = [(n, max(own.scores.values())) for n, own in enumerate(rounds) if own.scores]
        if points:
            axes.plot(*zip(*points, strict=True), "o-", color=style.colour, lw=0.9, markersize=3)
        found = result.arms[name].worst_to_spend_on.score
        if found > 0:
            axes.plot([last + 1 + shift], [found], "*", color=INK, markersize=6)
    target = (result.settings.comparison.curriculum or {}).get("target")
    if isinstance(target, int | float):
        axes.axhline(float(target), color=MUTED, lw=0.8, ls=(0, (4, 2)))
    axes.set_xlim(0.6, last + 1.4)
    axes.set_xticks(range(1, last + 2), [*(str(n) for n in range(1, last + 1)), "final\nmodel"])
    axes.set_xlabel("before the labels of round")
    axes.set_ylabel("score")
    plain_log(axes, "y")
