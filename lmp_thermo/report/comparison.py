"""Tables and figures of a comparison of designs, from its result file alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lmp_thermo.errors import AnalysisError
from lmp_thermo.products import read_json, write_text

SHOWN_TESTS = ("interaction_energy RMSE", "net_force RMSE", "worst cell's score")

CELLS_NOTE = (
    "Cells that pass every gate, mean over seeds. The score of a cell is its largest error over "
    "that error's limit; off/in is the RMSE of the interaction energy over cells on which no label "
    "was spent, over that of the others."
)

TESTS_NOTE = (
    "Error of one arm over error of another, geometric mean over seeds with its 95 % interval "
    "(Student's t on logarithms) and the exact two-sided p of a sign-flip test, not corrected for "
    "the number of comparisons. Above 1 the arm below the stroke is the better one."
)


def write_comparison(path: Path, folder: Path) -> list[Path]:
    """Tables (``<study>.md``) and figures (SVG) of a result file.

    Args:
        path: ``comparison.json`` of a study, or a copy of it.
        folder: where to; made where it is missing.

    Returns:
        What was written.

    Raises:
        AnalysisError: the file is no result of a comparison.
    """
    from lmp_thermo.report.figures.coverage_matrix import coverage_matrix, errors_along_density
    from lmp_thermo.report.figures.why_density import Moves, why_density
    from lmp_thermo.report.style import svg_text

    result = read_json(path)
    if not isinstance(result, dict) or not {"study", "matrix", "arms", "tests"} <= result.keys():
        raise AnalysisError(
            f"{path}: no result of a comparison; expected comparison.json of a study"
        )
    folder.mkdir(parents=True, exist_ok=True)
    name = str(result["study"])
    figures = {
        "coverage": coverage_matrix(result),
        "errors": errors_along_density(result),
    }
    environments = result["environments"]
    if "cells" in environments:
        drawn = why_density(Moves.of(environments["cells"], environments["response"]))
        if drawn is not None:
            figures["coordination"] = drawn
    written = [folder / f"{name}.md", *(folder / f"{name}-{kind}.svg" for kind in figures)]
    write_text(written[0], tables(result))
    for path_, figure in zip(written[1:], figures.values(), strict=True):
        write_text(path_, svg_text(figure))
    return written


def groups(result: Mapping[str, Any]) -> list[str]:
    """Groups of arms in the order of the study."""
    return list(result["matrix"])


def tables(result: Mapping[str, Any]) -> str:
    """All tables as one Markdown page."""
    from lmp_thermo.report import distillation

    return (
        "\n\n".join(
            [
                f"# {result['study']}",
                "## Arms",
                arms_table(result),
                CELLS_NOTE,
                "## Designs seed by seed",
                *[tests_table(result, quantity) for quantity in SHOWN_TESTS],
                TESTS_NOTE,
                "## Interaction energy by cell, RMSE, meV/atom",
                matrix_table(result, "interaction_energy"),
                "## Net force on molecules by cell, RMSE, meV/Å",
                matrix_table(result, "net_force"),
                "## Score by cell",
                scores_table(result),
                *distillation.sections(result),
            ]
        )
        + "\n"
    )


def arms_table(result: Mapping[str, Any]) -> str:
    """One row for each group of arms, and for what was judged without training."""
    environments = result["environments"].get("arms", {})
    rows = []
    for group in groups(result):
        own = [arm for arm in result["arms"].values() if arm["group"] == group]
        names = [name for name, arm in result["arms"].items() if arm["group"] == group]
        worst = max(own, key=lambda arm: arm["worst"]["score"])["worst"]
        seen = [environments[name] for name in names if name in environments]
        ratios = [arm["off_over_in"]["interaction_energy"] for arm in own]
        known = [ratio for ratio in ratios if ratio is not None]
        rows.append(
            [
                group,
                f"{len(own)}",
                f"{_mean([arm['spent'] for arm in own]):g}",
                f"{_mean([arm['passed'] for arm in own]):.1f} of {own[0]['cells']}",
                _with_spread([arm["worst"]["score"] for arm in own]),
                f"{worst['state']}: {worst['gate']}",
                _with_spread([arm["worst_pressure_bias_bar"] for arm in own]),
                _with_spread(known) if known else "–",
                f"{_mean([e['diversity']['mean_distance'] for e in seen]):.2f}" if seen else "–",
                f"{100 * _mean([e['coverage']['mean'] for e in seen]):.0f} %" if seen else "–",
            ]
        )
    for name, other in result["others"].items():
        cells = list(other["cells"].values())
        if not cells:
            continue
        state, worst_cell = max(other["cells"].items(), key=lambda item: item[1]["score"])
        rows.append(
            [
                name,
                "–",
                "0",
                f"{sum(cell['passed'] for cell in cells)} of {len(cells)}",
                f"{worst_cell['score']:.3g}",
                f"{state}: {worst_cell['binding']}",
                f"{max(abs(cell['pressure_bias_bar']) for cell in cells):.3g}",
                "–",
                "–",
                "–",
            ]
        )
    unit = result["settings"]["comparison"]["budget_unit"]
    return markdown(
        [
            "arm",
            "seeds",
            f"budget, {unit}",
            "cells passed",
            "worst score",
            "where the worst seed fails most",
            "largest pressure bias, bar",
            "off/in",
            "diversity, neighbours",
            "environments covered",
        ],
        rows,
    )


def tests_table(result: Mapping[str, Any], quantity: str) -> str:
    """Paired tests of one quantity: a row for each pair, a column for each group of cells."""
    own = [test for test in result["tests"] if test["quantity"] == quantity]
    wheres = list(dict.fromkeys(test["cells"] for test in own))
    pairs = list(dict.fromkeys((test["first"], test["second"]) for test in own))
    found = {(t["first"], t["second"], t["cells"]): t for t in own}
    rows = []
    for first, second in pairs:
        row = [f"{second} / {first}"]
        for where in wheres:
            test = found.get((first, second, where))
            row.append(
                "–"
                if test is None
                else f"{test['ratio']:.2f} ({test['interval'][0]:.2f} to "
                f"{test['interval'][1]:.2f}; p = {test['p_value']:.3g})"
            )
        rows.append(row)
    return markdown([quantity, *wheres], rows)


def matrix_table(result: Mapping[str, Any], quantity: str) -> str:
    """RMSE of one quantity by cell and group: mean and interval; no interaction beside it."""
    rows = []
    for name, cell in result["grid"].items():
        row = state_columns(cell)
        rms = None
        for group in groups(result):
            own = result["matrix"][group][name]
            value = own.get(quantity)
            if value is None:
                row.append("–")
                continue
            rms = value["rms"]
            mark = {"in": "", "interpolated": " i", "extrapolated": " e"}[own["region"]]
            row.append(
                f"{value['rmse']:.3g} ({value['interval'][0]:.3g} to {value['interval'][1]:.3g})"
                f"{mark}"
            )
        for other in result["others"].values():
            own = other["cells"].get(name, {}).get(quantity)
            row.append("–" if own is None else f"{own['rmse']:.3g}")
        row.append("–" if rms is None else f"{rms:.3g}")
        rows.append(row)
    heads = ["density, g/cm³", "temperature, K", *groups(result), *result["others"], "its rms"]
    return markdown(heads, rows) + "\n\ni: interpolated, e: extrapolated cells of the arm."


def scores_table(result: Mapping[str, Any]) -> str:
    """Score by cell and group, with the seeds that passed."""
    rows = []
    for name, cell in result["grid"].items():
        row = state_columns(cell)
        for group in groups(result):
            own = result["matrix"][group][name]
            row.append(f"{own['score']['mean']:.2g} ({sum(own['passed'])}/{len(own['passed'])})")
        for other in result["others"].values():
            judged = other["cells"].get(name)
            row.append("–" if judged is None else f"{judged['score']:.2g}")
        rows.append(row)
    heads = ["density, g/cm³", "temperature, K", *groups(result), *result["others"]]
    return markdown(heads, rows) + "\n\nIn brackets: seeds that passed the cell."


def state_columns(cell: Mapping[str, Any]) -> list[str]:
    """The first columns of a table by cell."""
    return [f"{cell['density_g_cm3']:g}", f"{cell['temperature_K']:g}"]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _with_spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{values[0]:.3g}"
    return f"{_mean(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
