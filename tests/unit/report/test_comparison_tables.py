"""Tables of a comparison, from its result alone."""

import copy
import itertools
import re
from typing import Any

import numpy as np
import pytest

from lmp_thermo.report import comparison, comparison_tables, distillation
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


def test_training_table_without_coordination(result: Result) -> None:
    row = row_of(comparison_tables.training_table(result), "density")
    assert [entry.text for entry in row.values()] == ["density", "60", "4", "–", "–", "150"]


def test_matrix_quotes_errors_and_marks_where_labels_were_spent(result: Result) -> None:
    table = comparison_tables.matrix_table(result, "interaction_energy")
    row = next(r for r in table.rows if (r[0].text, r[1].text) == ("0.3", "240"))
    named = {name: entry for (name, _), entry in zip(table.columns, row, strict=True)}
    error = result.matrix["none"]["rho0.3_T240"].errors["interaction_energy"]
    assert named["none"].order == error.rmse
    assert re.fullmatch(r"[0-9.]+\(\d+(\.\d)?\)", named["none"].text)
    assert named["density"].text.endswith(" •")
    assert named["no-interaction"].text == "6"


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
    assert max(map(len, rows)) < 200
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
