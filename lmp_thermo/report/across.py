"""What designs gain, study by study: several comparisons in one figure."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from lmp_thermo.errors import AnalysisError
from lmp_thermo.products import write_text
from lmp_thermo.report.comparison import write_result
from lmp_thermo.report.comparison_verdict import (
    beside_fixed,
    best_of,
    headline_pair,
    spent_by,
    where_asked,
)
from lmp_thermo.report.figures.forest import MARKS, Row, forest
from lmp_thermo.report.figures.groups import GroupStyle, group_styles
from lmp_thermo.report.result import Result
from lmp_thermo.report.result_parts import SIGNIFICANT, PairedTest
from lmp_thermo.report.style import styled, svg_text

ACROSS = "across-studies.svg"

QUANTITIES = (
    "interaction energy, RMSE",
    "net force on molecules, RMSE",
    "worst cell's score",
    "largest pressure bias",
)

DIVERSITY, CURRICULUM = "density over temperature", "curriculum over best fixed"
PAIR = ("density", "temperature")

FARTHEST, ROW = 8.0, 0.23
"""Ratio at which the axis ends, for most ratios are small; height of a row, inches."""


def write_comparisons(paths: Sequence[Path], folder: Path) -> list[Path]:
    """What `write_comparison` writes of each, and of several ``across-studies.svg``.

    Args:
        paths: ``comparison.json`` of studies, or copies.
        folder: where to; made where it is missing.

    Returns:
        What was written, the page of the first study first.

    Raises:
        AnalysisError: a file is no result of a comparison, or two are of one study.
    """
    results = [Result.read(path) for path in paths]
    studies = [result.study for result in results]
    for place, study in enumerate(studies):
        if study in studies[:place]:
            raise AnalysisError(
                f"{paths[place]}: got a second result of {study}, whose pages would take the "
                "place of the first's; expected one of each study, remove one"
            )
    written = [path for result in results for path in write_result(result, folder)]
    figure = across_studies(results) if len(results) > 1 else None
    if figure is not None:
        written.append(folder / ACROSS)
        write_text(written[-1], svg_text(figure))
    return written


@styled
def across_studies(results: Sequence[Result]) -> Figure | None:
    """Density over temperature diversity, and the curriculum over the best fixed design.

    Args:
        results: of studies, in the order in which they are drawn.

    Returns:
        None where no study tested either.
    """
    blocks = {DIVERSITY: list(_diversity(results)), CURRICULUM: list(_curricula(results))}
    blocks = {title: rows for title, rows in blocks.items() if rows}
    return forest(blocks, "ratio of errors", FARTHEST, ROW) if blocks else None


def caption(results: Sequence[Result]) -> str:
    """What to see in it."""
    return (
        f"{len(results)} studies. Above: errors of density-diverse over those of "
        "temperature-diverse models, at densities other than the home density. Below: errors of "
        "the curriculum's models over those of the fixed design with the lowest worst score, over "
        "all cells, with the labels that each spent. Errors are geometric means of the RMSE over "
        f"the cells, paired by seed. Marks: {MARKS} {SIGNIFICANT:g}. Small points: the single "
        "seeds. Arrows: it goes on. Not corrected for the number of comparisons."
    )


def _diversity(results: Iterable[Result]) -> Iterable[Row]:
    for result in results:
        if headline_pair(result) != PAIR:
            continue
        for suffix, loss in (("", ""), ("-plain", ", plain loss")):
            tests = result.tests_of(*(f"{design}{suffix}" for design in PAIR))
            if tests:
                labels = f"{spent_by(result, PAIR[0]):g} labels"
                yield Row(
                    f"{_fluid(result)}{loss} ({labels}, {_seeds(tests)})",
                    _style(result, f"{PAIR[0]}{suffix}"),
                    _chosen(where_asked(tests)),
                )


def _curricula(results: Iterable[Result]) -> Iterable[Row]:
    for result in results:
        for group in dict.fromkeys(result.arms[name].group for name in result.curriculum):
            found = beside_fixed(result, group)
            if found:
                base = best_of(result, found)
                labels = f"{spent_by(result, group):g} for {spent_by(result, base):g} labels"
                yield Row(
                    f"{_fluid(result)} ({labels}, {_seeds(found[base])})",
                    _style(result, group),
                    _chosen(found[base]),
                )


def _fluid(result: Result) -> str:
    return ", ".join(name.replace("-", " ") for name in result.settings.molecules)


def _seeds(tests: Sequence[PairedTest]) -> str:
    return f"{len(tests[0].ratios)} seeds"


def _style(result: Result, group: str) -> GroupStyle:
    return group_styles(result.groups)[group]


def _chosen(tests: Iterable[PairedTest]) -> dict[str, PairedTest]:
    known = {test.quantity: test for test in tests}
    return {name: known[name] for name in QUANTITIES if name in known}
