"""Tables of a comparison, from its result alone."""

import copy
import itertools
import re
from typing import Any

import numpy as np
import pytest

from lmp_thermo.report import comparison, comparison_cells, comparison_tables, distillation
from lmp_thermo.report.quantities import plain, quoted
from lmp_thermo.report.result import Result
from lmp_thermo.report.tables import Table, markdown
from tests.tolerances import ROUND_OFF
from tests.unit.report.compared import compared


def row_of(table: Table, name: str) -> dict[str, Any]:
    row = next(row for row in table.rows if row[0].text == name)
    return {column: entry for (column, _), entry in zip(table.columns, row, strict=True)}


def test_arms_table(result: Result) -> None:
    table = comparison_tables.arms_table(result)
    row = row_of(table, "density")
    scores = [arm.worst.score for arm in result.of_group("density").values()]
    assert row["worst score"].order == pytest.approx(np.mean(scores), rel=ROUND_OFF)
    assert row["off/in"].text == "2"
    assert row["pressure bias, largest"].note == "31 to 36"
    assert row_of(table, "adaptive")["off/in"].text == "–"  # it spent on every cell
    assert row_of(table, "no-interaction")["cells passed"].text == "0"
    assert all(len(own) == len(table.columns) for own in table.rows)


def test_ratios_density_by_density(result: Result) -> None:
    table = comparison_tables.along_density_table(result, "density", "temperature")
    for row in table.rows:
        own = [name for name, cell in result.grid.items() if cell.density_g_cm3 == row[0].order]
        logs = [
            np.log(
                result.matrix["density"][name].errors["interaction_energy"].rmse
                / result.matrix["temperature"][name].errors["interaction_energy"].rmse
            )
            for name in own
        ]
        assert row[1].order == pytest.approx(np.exp(np.mean(logs)), rel=ROUND_OFF)
        spent = any(result.matrix["density"][name].region == "in" for name in own)
        assert row[0].text.endswith("•") is spent
    assert len(table.rows) == len(result.densities_g_cm3)


def test_training_table_without_coordination(result: Result) -> None:
    row = row_of(comparison_tables.training_table(result), "density")
    assert [entry.text for entry in row.values()] == ["density", "60", "4", "–", "–", "150"]


def test_matrix_quotes_errors_and_marks_where_labels_were_spent(result: Result) -> None:
    table = comparison_cells.matrix_table(result, "interaction_energy")
    row = next(r for r in table.rows if (r[0].text, r[1].text) == ("0.3", "240"))
    named = {name: entry for (name, _), entry in zip(table.columns, row, strict=True)}
    error = result.matrix["none"]["rho0.3_T240"].errors["interaction_energy"]
    assert named["none"].order == error.rmse
    share = 100 * error.rmse / error.rms
    assert named["none"].note == (
        f"{plain(error.mae)}, {plain(share)} %, ±{plain(0.1 * error.rmse)}"
    )
    assert re.fullmatch(r"[0-9.]+\(\d+(\.\d)?\)", named["none"].text)
    assert named["density"].text.endswith(" •")
    other = result.others["no-interaction"].cells["rho0.3_T240"].errors["interaction_energy"]
    assert named["no-interaction"].text == quoted(other.rmse, other.standard_error)
    assert named["no-interaction"].order == 6
    assert named["no-interaction"].note == "4.8, 100 %, ±0.6"
    energy = comparison_cells.matrix_table(result, "energy")  # its zero is arbitrary
    assert not any("%" in entry.note for row in energy.rows for entry in row)
    assert energy.rows[0][2].note.startswith(plain(0.8 * energy.rows[0][2].order) + ", ±")


def test_an_error_of_an_old_file_has_no_spread(values: dict[str, Any]) -> None:
    own = copy.deepcopy(values)
    error = own["matrix"]["none"]["rho0.3_T240"]["net_force"]
    del error["spread"]
    error["rms"] = 0.0
    table = comparison_cells.matrix_table(Result.model_validate(own), "net_force")
    row = next(r for r in table.rows if (r[0].text, r[1].text) == ("0.3", "240"))
    assert row[2].note == plain(error["mae"])


def test_errors_are_summed_up_by_region(values: dict[str, Any], result: Result) -> None:
    table = comparison_cells.regions_table(result, "net_force")
    assert [name for name, _ in table.columns] == [
        "arm",
        "spent on",
        "temperature, outside",
        "density, outside",
        "both, outside",
        "all cells",
    ]
    row = row_of(table, "none")
    cells = [result.matrix["none"][f"rho{d:g}_T240"].errors["net_force"] for d in (0.03, 0.3, 1.2)]
    value = np.prod([cell.rmse for cell in cells]) ** (1 / 3)
    share = value / np.prod([cell.rms for cell in cells]) ** (1 / 3)
    assert row["density, outside"].order == pytest.approx(value, rel=ROUND_OFF)
    assert row["density, outside"].note == f"{plain(100 * share)} %, 3 cells"
    assert row["spent on"].note.endswith(" %, 1 cell")
    assert row["both, outside"].note.endswith(" %, 6 cells")
    assert row_of(table, "density")["temperature, outside"].note.endswith(" %, 8 cells")
    assert row_of(table, "adaptive")["both, outside"].text == "–"  # it spent on every cell
    for name, cells in (
        ("none", result.matrix["none"]),
        ("no-interaction", result.others["no-interaction"].cells),
    ):
        every = [cell.errors["net_force"].rmse for cell in cells.values()]
        mean = np.exp(np.mean(np.log(every)))
        assert row_of(table, name)["all cells"].order == pytest.approx(mean, rel=ROUND_OFF)
    assert row_of(table, "no-interaction")["spent on"].text == "–"
    own = copy.deepcopy(values)
    own["matrix"]["none"]["rho0.03_T240"]["net_force"]["rmse"] = 0.0  # it has no logarithm
    table = comparison_cells.regions_table(Result.model_validate(own), "net_force")
    assert row_of(table, "none")["density, outside"].note.endswith(" %, 2 cells")


def test_each_cell_says_where_it_lies(values: dict[str, Any]) -> None:
    """Seeds that bought different cells: the farthest of their places counts."""
    own = copy.deepcopy(values)
    for seed in range(1, 7):
        arm = own["arms"][f"adaptive-{seed}"]
        bought = ["rho0.03_T180", "rho0.9_T300", *(["rho0.3_T240"] if seed > 1 else [])]
        arm["frames"] = {**dict.fromkeys(bought, 20), "crystal_rho1.5_T180": 3}
    own["arms"]["temperature-1"]["trained"] = ["rho0.9_T180"]  # less than it paid for
    result = Result.model_validate(own)
    table = comparison_cells.places_table(result)
    found = {
        (row[0].text, row[1].text): {
            name: entry.text for (name, _), entry in zip(table.columns, row, strict=True)
        }
        for row in table.rows
    }
    assert found["0.03", "180"]["adaptive"] == "spent on"
    assert found["0.3", "240"]["adaptive"] == "both, inside"  # of the first seed
    assert found["0.03", "300"]["adaptive"] == "combination, inside"
    assert found["1.2", "180"]["adaptive"] == "density, outside"
    assert found["0.9", "240"]["temperature"] == "temperature, outside"
    assert found["0.9", "300"]["density"] == "temperature, outside"
    marks = comparison_cells.matrix_table(result, "net_force")
    row = next(r for r in marks.rows if (r[0].text, r[1].text) == ("0.3", "240"))
    assert row[5].text.endswith(" i")
    twins = Result.model_validate(compared(("none", "none-plain"), (1, 2)))
    heads = [name for name, _ in comparison_cells.places_table(twins).columns]
    assert heads == ["density", "temperature", "none, none-plain"]


def test_tables_of_atoms_do_not_say_things_twice(values: dict[str, Any], result: Result) -> None:
    titles = [section.title for section in comparison_tables.sections(result)]
    assert "Interaction energy by cell, RMSE, meV/atom" in titles
    assert not any(title.startswith("Energy by cell") for title in titles)
    own = copy.deepcopy(values)
    own["matrix"]["none"]["rho0.3_T240"]["energy"]["rmse"] *= 2
    titles = [s.title for s in comparison_tables.sections(Result.model_validate(own))]
    assert "Energy by cell, RMSE, meV/atom" in titles


def test_differences_that_are_found_stand_in_bold(result: Result) -> None:
    table = comparison_tables.tests_table(result, "interaction energy, RMSE")
    tests = [t for t in result.tests if t.quantity == "interaction energy, RMSE"]
    assert any(test.decided for test in tests)
    text = markdown(table)
    assert text.count("**") == 2 * sum(test.decided for test in tests)
    found = next(test for test in tests if test.decided)
    low, high = found.interval
    line = next(x for x in text.splitlines() if x.startswith(f"| {found.second} / {found.first} "))
    assert f"**{found.ratio:.2f}** ({low:.2f} to {high:.2f}, p {found.p_value:.2g})" in line


def test_with_few_seeds_the_tables_say_that_nothing_is_decided() -> None:
    own = Result.model_validate(compared(seeds=(1, 2, 3)))
    section = next(s for s in comparison_tables.sections(own) if s.title.startswith("Seed by seed"))
    assert "p cannot fall below 0.25: no difference is decided" in section.text
    assert "**" not in markdown(section.table)


def test_tables_for_github_are_narrow_and_whole(result: Result) -> None:
    lines = comparison.tables(result).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert max(map(len, rows)) < 220
    for before, line in itertools.pairwise(lines):
        if before.startswith("|") and line.startswith("|"):
            assert before.count("|") == line.count("|")


def test_students_stand_below_their_arm_from_scratch(values: dict[str, Any]) -> None:
    own = copy.deepcopy(values)
    own["matrix"]["density-distil"] = copy.deepcopy(own["matrix"]["density"])
    for cell in own["matrix"]["density-distil"].values():
        cell["against_teacher"] = {q: cell[q] for q in ("net_force", "interaction_energy")}
    gas = own["matrix"]["density-distil"]["rho0.03_T180"]
    del gas["against_teacher"]  # where the teacher failed
    for seed in range(1, 7):
        arm = {**own["arms"][f"density-{seed}"], "group": "density-distil", "left_out": seed}
        own["arms"][f"density-distil-{seed}"] = arm
    own["others"]["teacher"] = {**own["others"]["no-interaction"], "us_per_atom": 990.0}
    own["teacher"] = {
        "labelled": 90,
        "failed": 2,
        "first_cause": "no gas",
        "trained_on_frames": None,
    }
    result = Result.model_validate(own)
    section = next(
        s for s in comparison_tables.sections(result) if s.title == "Students and their teacher"
    )
    assert section.text.startswith("Teacher: 90 frames labelled, 2 failed; first cause: no gas. ")
    assert [row[0].text for row in section.table.rows] == ["teacher", "density", "density-distil"]
    row = row_of(section.table, "density-distil")
    judged = [
        cell.errors["net_force"].rmse
        for name, cell in result.matrix["density"].items()
        if name != "rho0.03_T180"
    ]
    expected = np.sqrt(np.mean(np.square(judged)))
    assert row["net force against reference"].order == pytest.approx(expected, rel=ROUND_OFF)
    assert row["net force against teacher"].order == pytest.approx(expected, rel=ROUND_OFF)
    assert row["frames left out"].text == "1 2 3 4 5 6"
    assert row_of(section.table, "density")["net force against teacher"].text == "–"
    assert row_of(section.table, "teacher")["speed"].text == "990"


def test_a_teacher_that_failed_on_all_held_out_frames_is_told_of(values: dict[str, Any]) -> None:
    own = copy.deepcopy(values)
    own["matrix"]["density-distil"] = copy.deepcopy(own["matrix"]["density"])
    for seed in range(1, 7):
        arm = {**own["arms"][f"density-{seed}"], "group": "density-distil", "left_out": 0}
        own["arms"][f"density-distil-{seed}"] = arm
    own["others"]["teacher"] = {"cells": {}, "failed": {}, "us_per_atom": None}
    own["teacher"] = {
        "labelled": 60,
        "failed": 144,
        "first_cause": "no fluid",
        "trained_on_frames": None,
    }
    section = distillation.sections(Result.model_validate(own))[0]
    assert "60 frames labelled, 144 failed; first cause: no fluid." in section.text
    row = row_of(section.table, "density-distil")
    assert row["net force against teacher"].text == "–"
    assert row["frames left out"].text == "0 0 0 0 0 0"
