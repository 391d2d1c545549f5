"""What designs gain, study by study: several comparisons in one figure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from lmp_thermo.errors import AnalysisError
from lmp_thermo.products import write_text
from lmp_thermo.report.comparison import write_result
from lmp_thermo.report.comparison_verdict import (
    beside_best,
    fixed_designs,
    headline_pair,
    spent_by,
    where_asked,
)
from lmp_thermo.report.figures.forest import MARKS, Row, forest
from lmp_thermo.report.figures.groups import GroupStyle, group_styles
from lmp_thermo.report.result import Result
from lmp_thermo.report.result_parts import SIGNIFICANT, Other, PairedTest
from lmp_thermo.report.style import short, styled, svg_text

NAME = "across-studies"
"""Of the figure's file, and of its page of numbers."""

QUANTITIES = (
    "interaction energy, RMSE",
    "net force on molecules, RMSE",
    "worst cell's intermolecular error",
    "worst cell's score",
    "largest pressure bias",
)

DIVERSITY, CURRICULUM = "density over temperature", "curriculum over best fixed"
PAIR = ("density", "temperature")

ROW = 0.23
"""Height of a row, inches."""


def write_comparisons(paths: Sequence[Path], folder: Path) -> list[Path]:
    """What `write_comparison` writes of each, and of several a figure across them and its numbers.

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
    blocks = rows(results)
    if len(results) > 1 and blocks:
        texts = {"svg": svg_text(across_studies(blocks)), "md": page(blocks)}
        for ending, text in texts.items():
            written.append(folder / f"{NAME}.{ending}")
            write_text(written[-1], text)
    return written


def rows(results: Sequence[Result]) -> dict[str, list[Row]]:
    """What the studies tell of density diversity and of the curriculum, by title.

    Args:
        results: of studies, in the order in which they are drawn.
    """
    blocks = {DIVERSITY: _named(_diversity(results)), CURRICULUM: _named(_curricula(results))}
    return {title: own for title, own in blocks.items() if own}


@styled
def across_studies(blocks: Mapping[str, Sequence[Row]]) -> Figure:
    """All of it as ratios with their intervals."""
    return forest(blocks, "ratio of errors", ROW)


def page(blocks: Mapping[str, Sequence[Row]]) -> str:
    """What to see in the figure, and its numbers, as a Markdown page."""
    header = ["", *QUANTITIES]
    lines = [
        "# Across studies",
        "",
        "Density over temperature: errors of density-diverse over those of temperature-diverse "
        "models, at densities other than the home density. Curriculum over best fixed: errors of "
        "the curriculum's models over those of the fixed design that is best by that error "
        "(geometric mean over the same seeds), over all cells, with what each spent. Paired by "
        "seed. RMSEs are geometric means over the cells; the others are those of the worst cell: "
        "the larger of net force and interaction energy over their limits, the same with the bias "
        "of the pressure, and that bias in bar. Marks in "
        f"the figure: {MARKS} {SIGNIFICANT:g}, as bold numbers here. Small points: the single "
        "seeds. Arrows: it goes on. Not corrected for the number of comparisons. Of studies that "
        "share a pool the first that asks a question answers it.",
        "",
        f"| {' | '.join(header)} |",
        f"|{' --- |' * len(header)}",
    ]
    for title, own in blocks.items():
        lines.append(f"| **{title}** |{' |' * len(QUANTITIES)}")
        for row in own:
            cells = [_number(row.tests[q]) if q in row.tests else "–" for q in QUANTITIES]
            lines.append(f"| {row.label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _number(test: PairedTest) -> str:
    ratio = f"**{test.ratio:.2f}**" if test.decided else f"{test.ratio:.2f}"
    low, high = test.interval
    return f"{ratio} ({low:.2f} to {high:.2f}, p {test.p_value:.2g})"


Found = tuple[Result, str, GroupStyle, dict[str, PairedTest]]
"""A row's study, what its label says beside the fluid, its style and its tests."""


class _Asked:
    """Questions with their pools: of studies that share a pool the first that asks one answers."""

    def __init__(self) -> None:
        self._known: list[tuple[Other, str]] = []

    def before(self, result: Result, question: str) -> bool:
        """Whether an earlier study of this pool has asked it.

        Studies share a pool where molecules alone err by the same on its frames.
        """
        pool = result.others.get("no-interaction")
        if pool is None or (pool, question) in self._known:
            return pool is not None
        self._known.append((pool, question))
        return False


def _diversity(results: Iterable[Result]) -> Iterable[Found]:
    asked = _Asked()
    for result in results:
        if headline_pair(result) != PAIR:
            continue
        for suffix, loss in (("", ""), ("-plain", ", plain loss")):
            first, base = (f"{design}{suffix}" for design in PAIR)
            tests = result.tests_of(first, base)
            if tests and not asked.before(result, first):
                spent = f"{spent_by(result, first):g} {_unit(result)}, {_seeds(tests)}"
                chosen = _chosen(where_asked(tests))
                yield result, f"{loss} ({spent})", _style(result, first), chosen


def _curricula(results: Iterable[Result]) -> Iterable[Found]:
    asked = _Asked()
    for result in results:
        for group in dict.fromkeys(result.arms[name].group for name in result.curriculum):
            found = beside_best(result, group, fixed_designs(result, group))
            if found and not asked.before(result, group):
                others = sorted({spent_by(result, test.first) for test in found})
                theirs = " or ".join(f"{value:g}" for value in others)
                spent = f"{spent_by(result, group):g} against {theirs}"
                said = f" ({spent} {_unit(result)}, {_seeds(found)})"
                yield result, said, _style(result, group), _chosen(found)


def _named(found: Iterable[Found]) -> list[Row]:
    """Rows by their fluids; where that would name two alike, by their studies."""
    known = list(found)
    times = Counter(_fluid(result) + said for result, said, _, _ in known)
    return [
        Row(
            (_fluid(result) if times[_fluid(result) + said] == 1 else short(result.study)) + said,
            style,
            tests,
        )
        for result, said, style, tests in known
    ]


def _fluid(result: Result) -> str:
    return short(", ".join(name.replace("-", " ") for name in result.settings.molecules))


def _unit(result: Result) -> str:
    return result.settings.comparison.budget_unit


def _seeds(tests: Sequence[PairedTest]) -> str:
    return f"{len(tests[0].ratios)} seeds"


def _style(result: Result, group: str) -> GroupStyle:
    return group_styles(result.groups)[group]


def _chosen(tests: Iterable[PairedTest]) -> dict[str, PairedTest]:
    known = {test.quantity: test for test in tests}
    return {name: known[name] for name in QUANTITIES if name in known}
