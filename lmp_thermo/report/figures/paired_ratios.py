"""Designs seed by seed: how many times larger one's errors are than another's."""

from matplotlib.figure import Figure

from lmp_thermo.report.figures.forest import MARKS, Row, forest
from lmp_thermo.report.figures.groups import TITLES, drawn_together, group_styles, group_title
from lmp_thermo.report.result import Result
from lmp_thermo.report.result_parts import SIGNIFICANT
from lmp_thermo.report.style import styled

BASELINE = "density"


def against(result: Result) -> dict[str, str]:
    """With which group each is compared: the density design of its own kind where there is one.

    Without any density design it is the first group of the study.
    """
    found = {}
    for group in drawn_together(result.groups):
        kind = group.split("-")[1:]
        bases = ["-".join([BASELINE, *kind[:n]]) for n in range(len(kind), -1, -1)]
        for base in bases if BASELINE in result.groups else [result.groups[0]]:
            if base != group and result.tests_of(group, base):
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
    tests = {group: result.tests_of(group, base) for group, base in chosen.items()}
    wheres = list(dict.fromkeys(test.cells for own in tests.values() for test in own))
    if not wheres:
        return None
    styles = group_styles(result.groups)
    blocks = {
        where: [
            Row(
                group_title(group),
                styles[group],
                {test.quantity: test for test in own if test.cells == where},
            )
            for group, own in tests.items()
        ]
        for where in wheres
    }
    return forest(blocks, f"error over that of {_baselines(chosen)}")


def caption(result: Result) -> str:
    """What to see in the ratios."""
    chosen = against(result)
    return (
        f"Error of each design over that of {_baselines(chosen)}, paired by seed: to the right of "
        "1 it is larger. RMSEs are geometric means over the cells, so that every cell counts the "
        "same; score and bias are those of the worst cell. Marks: "
        f"{MARKS} {SIGNIFICANT:g}. Small points: the single seeds. Not corrected for the "
        "number of comparisons; all pairs are in the tables."
    )


def _baselines(chosen: dict[str, str]) -> str:
    bases = list(dict.fromkeys(chosen.values()))
    if len(bases) > 1:
        return f"the {TITLES[BASELINE].lower()} one of its own kind"
    return f"the {TITLES[bases[0]].lower()} one" if bases[0] in TITLES else group_title(bases[0])
