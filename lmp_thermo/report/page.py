"""The page: one HTML file with its figures, style and script inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.figure import Figure

from lmp_thermo.rendering import template
from lmp_thermo.report import tables
from lmp_thermo.report.banner import Banner, banner
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
    wide: bool = True
    folded: bool = False

    @classmethod
    def of(
        cls,
        figure: Figure,
        name: str,
        title: str,
        caption: str,
        wide: bool = True,
        folded: bool = False,
    ) -> "Shown":
        """A figure that is there."""
        # Safe: matplotlib escapes the texts it is given, and inline_svg the label.
        return cls(name, title, Markup(inline_svg(figure, name, title)), caption, wide, folded)


@dataclass(frozen=True)
class Section:
    """A table of the page, with its title and the text above it."""

    title: str
    text: str
    table: tables.Table
    folded: bool = False


@dataclass(frozen=True)
class Page:
    """All that a page holds.

    Args:
        title: of the page.
        subtitle: below it.
        summary: short lines below that.
        banner: the verdict.
        figures: below the verdict.
        sections: tables; those without rows are left out.
        facts: names and values at the page's end, by title.
        last: a figure that stands beside them.
    """

    title: str
    subtitle: str
    summary: Sequence[str]
    banner: Banner
    figures: Sequence[Shown]
    sections: Sequence[Section]
    facts: Mapping[str, Mapping[str, str]]
    last: Shown | None = None


def render(data: ReportData) -> str:
    """The report as one self-contained HTML page; the same data give the same bytes.

    Args:
        data: anything in it may be missing; the page says what is.
    """
    shown = _figures(data)
    return render_page(
        Page(
            title=data.title,
            subtitle=data.subtitle,
            summary=data.summary,
            banner=banner(data),
            figures=[figure for figure in shown if figure.name != LAST],
            sections=_sections(data),
            facts={"Provenance": data.provenance},
            last=next(figure for figure in shown if figure.name == LAST),
        )
    )


def render_page(page: Page) -> str:
    """Any page in the house's layout."""
    return template(TEMPLATE, escape=True).render(page=page)


def _figures(data: ReportData) -> list[Shown]:
    shown = []
    for entry in entries(data):
        figure = entry.draw(data)
        shown.append(
            Shown(entry.name, entry.title, None, entry.missing, entry.wide, False)
            if figure is None
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


def _sections(data: ReportData) -> list[Section]:
    return [
        Section(
            "Cells",
            "Errors on frames of the potential's own runs, relabelled by the reference. Below "
            "each number, the no-interaction model's (every molecule alone). Click a heading to "
            "sort.",
            tables.cells_table(data),
        ),
        Section(
            "Observables",
            "Value(standard error in the last digits). Numbers in italics are not converged: "
            "fewer than 20 independent samples, not to be quoted.",
            tables.observables_table(data),
        ),
        Section(
            "Failures",
            "What failed on the way, and why; failed labels were replaced by spare frames.",
            tables.failures_table(data),
        ),
        Section(
            "Finite size of labels",
            "Change of a label when its box is doubled along each edge. Virial less energies: the "
            "label's pressure less that which follows from its energies in a slightly smaller and "
            "a larger box, 0 for a reference that does not contradict itself.",
            tables.finite_size_table(data),
        ),
        Section(
            "What the curriculum bought",
            "Labels to train on in the last round: the start, then a purchase for each committee. "
            "An expected score is the committee's, error over limit, before the purchase.",
            tables.bought_table(data),
        ),
        Section(
            "Sampling",
            "Time between the frames drawn, beside the time between independent samples of the "
            "potential energy.",
            tables.sampling_table(data),
        ),
    ]
