"""The page: one HTML file with its figures, style and script inside."""

from dataclasses import dataclass

from markupsafe import Markup

from lmp_thermo.rendering import template
from lmp_thermo.report import tables
from lmp_thermo.report.banner import banner
from lmp_thermo.report.data import ReportData
from lmp_thermo.report.figures import entries
from lmp_thermo.report.style import inline_svg

TEMPLATE = "report/report.html.j2"

LAST = "wall-time"
"""The figure that stands beside the provenance, at the page's end."""


@dataclass(frozen=True)
class Shown:
    """A figure's place on the page; without `svg`, `caption` says why there is none."""

    name: str
    title: str
    svg: Markup | None
    caption: str
    wide: bool
    folded: bool


def render(data: ReportData) -> str:
    """The report as one self-contained HTML page; the same data give the same bytes.

    Args:
        data: anything in it may be missing; the page says what is.
    """
    shown = _figures(data)
    return template(TEMPLATE, escape=True).render(
        data=data,
        banner=banner(data),
        figures=[figure for figure in shown if figure.name != LAST],
        wall_time=next(figure for figure in shown if figure.name == LAST),
        tables=[(title, text, table) for title, text, table in _tables(data) if table.rows],
    )


def _figures(data: ReportData) -> list[Shown]:
    shown = []
    for entry in entries(data):
        figure = entry.draw(data)
        shown.append(
            Shown(entry.name, entry.title, None, entry.missing, entry.wide, False)
            if figure is None
            # Safe: matplotlib escapes the texts it is given, and inline_svg the label.
            else Shown(
                entry.name,
                entry.title,
                Markup(inline_svg(figure, entry.name, entry.title)),
                entry.caption(data),
                entry.wide,
                entry.folded,
            )
        )
    return shown


def _tables(data: ReportData) -> list[tuple[str, str, tables.Table]]:
    return [
        (
            "Cells",
            "Errors on frames of the potential's own runs, relabelled by the reference. Below "
            "each number, the no-interaction model's (every molecule alone). Click a heading to "
            "sort.",
            tables.cells_table(data),
        ),
        (
            "Observables",
            "Value(standard error in the last digits). Numbers in italics are not converged: "
            "fewer than 20 independent samples, not to be quoted.",
            tables.observables_table(data),
        ),
        (
            "Failures",
            "What failed on the way, and why; failed labels were replaced by spare frames.",
            tables.failures_table(data),
        ),
        (
            "Finite size of labels",
            "Change of a label when its box is doubled along each edge.",
            tables.finite_size_table(data),
        ),
        (
            "Sampling",
            "Time between the frames drawn, beside the time between independent samples of the "
            "potential energy.",
            tables.sampling_table(data),
        ),
    ]
