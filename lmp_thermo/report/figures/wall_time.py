"""Where the wall time went."""

from matplotlib.figure import Figure

from lmp_thermo.report.data import ReportData
from lmp_thermo.report.quantities import duration
from lmp_thermo.report.style import GOOD, HALF_WIDTH, INK, new_figure, short, styled


@styled
def wall_time(data: ReportData) -> Figure | None:
    """A bar a step, in the order of the steps."""
    steps = [(name, seconds) for name, seconds in data.step_seconds.items() if seconds > 0]
    if not steps:
        return None
    total = sum(seconds for _, seconds in steps)
    figure = new_figure(HALF_WIDTH, 0.75 + 0.24 * len(steps))
    axes = figure.subplots()
    unit, name = (3600.0, "h") if total > 7200 else (60.0, "min") if total > 120 else (1.0, "s")
    bars = axes.barh(
        [short(step) for step, _ in steps],
        [seconds / unit for _, seconds in steps],
        color=GOOD,
        height=0.7,
    )
    axes.bar_label(
        bars,
        [f"{duration(seconds)}, {100 * seconds / total:.0f} %" for _, seconds in steps],
        padding=3,
        fontsize=7.5,
        color=INK,
    )
    axes.invert_yaxis()
    axes.set_xlim(0, 1.35 * max(seconds for _, seconds in steps) / unit)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"wall time ({name})")
    return figure


def caption(data: ReportData) -> str:
    """What to see in the bars."""
    return f"{duration(sum(data.step_seconds.values()))} in all, by step."
