"""Every figure of the report, with what to say below it and in its place where it is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from lmp_thermo.products import write_text
from lmp_thermo.report.data import ReportData
from lmp_thermo.report.figures import (
    agreement,
    coordination,
    drift,
    equation_of_state,
    error_map,
    learning,
    parity,
    rdf,
    wall_time,
)
from lmp_thermo.report.figures.readme import headline
from lmp_thermo.report.style import svg_text

__all__ = ["Entry", "entries", "headline", "write_figures"]


@dataclass(frozen=True)
class Entry:
    """One figure of the report.

    Args:
        name: of its file, and of its place on the page: letters, digits, dashes.
        title: above it.
        draw: gives the figure, or None where the data for it are missing.
        caption: below it; called only where there is a figure.
        missing: said in its place.
        wide: takes the page's full width.
        folded: is opened by a click only.
    """

    name: str
    title: str
    draw: Callable[[ReportData], Figure | None]
    caption: Callable[[ReportData], str]
    missing: str
    wide: bool = True
    folded: bool = False


def entries(data: ReportData) -> list[Entry]:
    """The figures in the order of the page."""
    no_runs = "no production run has been analysed yet (lmp-thermo analyze)"
    return [
        Entry(
            "error-map",
            "Where it holds",
            error_map.error_map,
            error_map.caption,
            "no cell has been judged yet (lmp-thermo export, then lmp-thermo validate)",
        ),
        Entry(
            "equation-of-state",
            "Equation of state",
            equation_of_state.equation_of_state,
            equation_of_state.caption,
            no_runs,
        ),
        *_rdf_entries(data, no_runs),
        Entry(
            "coordination",
            "Coordination numbers",
            coordination.coordination_numbers,
            coordination.caption,
            no_runs,
        ),
        Entry(
            "parity",
            "Potential against reference",
            parity.parity_plots,
            parity.caption,
            "no frames of the potential's own runs have been relabelled yet (lmp-thermo validate)",
        ),
        Entry(
            "learning-curves",
            "Learning curves",
            learning.learning_curves,
            learning.caption,
            "no training has reached its first validation yet (lmp-thermo train)",
        ),
        Entry("drift", "Energy conservation", drift.nve_drift, drift.caption, no_runs, wide=False),
        Entry(
            "agreement",
            "Against the reference's own runs",
            agreement.agreement,
            agreement.caption,
            "the reference has no runs of its own in this study, or none that are analysed yet",
            wide=False,
        ),
        Entry(
            "wall-time",
            "Where the wall time went",
            wall_time.wall_time,
            wall_time.caption,
            "no step has been completed yet",
            wide=False,
        ),
    ]


def write_figures(data: ReportData, folder: Path) -> list[Path]:
    """Write every figure that there are data for as an SVG file; the same data, the same bytes.

    Returns:
        The files, in the order of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for entry in entries(data):
        figure = entry.draw(data)
        if figure is not None:
            path = folder / f"{entry.name}.svg"
            write_text(path, svg_text(figure))
            written.append(path)
    return written


def _rdf_entries(data: ReportData, missing: str) -> list[Entry]:
    pairs = rdf.pairs(data)
    if not pairs:
        return [Entry("rdf", "Structure", lambda _: None, lambda _: "", missing)]
    return [
        Entry(
            f"rdf-{number}",
            f"Structure: {pair}",
            partial(rdf.rdf_by_density, pair=pair),
            partial(rdf.caption, pair=pair),
            missing,
            folded=number > 1,
        )
        for number, pair in enumerate(pairs, 1)
    ]
