"""Tables, figures, verdict and page of a comparison, from its result alone."""

import copy
import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from lmp_thermo.analysis.environments import Cutoff
from lmp_thermo.analysis.response import response
from lmp_thermo.report import comparison, comparison_tables, distillation
from lmp_thermo.report.comparison_verdict import headline_pair, verdict
from lmp_thermo.report.figures.coverage_matrix import coverage_matrix
from lmp_thermo.report.figures.curriculum import adaptive_groups, curriculum
from lmp_thermo.report.figures.curriculum import caption as curriculum_caption
from lmp_thermo.report.figures.errors_along_density import errors_along_density
from lmp_thermo.report.figures.groups import group_styles, group_title, models_of
from lmp_thermo.report.figures.paired_ratios import against, paired_ratios
from lmp_thermo.report.result import Result
from lmp_thermo.report.tables import Table, markdown
from lmp_thermo.states import StatePoint
from tests.tolerances import ROUND_OFF
from tests.unit.analysis.frames import cell_of
from tests.unit.report.compared import compared
from tests.unit.report.reader import HOSTILE, Reader


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return compared()


@pytest.fixture(scope="module")
def result(values: dict[str, Any]) -> Result:
    return Result.model_validate(values)


def changed(values: dict[str, Any], **parts: Any) -> Result:
    return Result.model_validate({**copy.deepcopy(values), **parts})


def texts(figure: Figure, panel: int) -> list[str]:
    return [text.get_text() for text in figure.axes[panel].texts]


def row_of(table: Table, name: str) -> dict[str, Any]:
    row = next(row for row in table.rows if row[0].text == name)
    return {column: entry for (column, _), entry in zip(table.columns, row, strict=True)}


# Figures


def test_maps_show_scores_and_frame_what_was_trained(result: Result) -> None:
    figure = coverage_matrix(result)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[1].startswith("b\u2002Temperature-diverse: ")
    assert titles[1].endswith(" of 12")
    assert titles[4] == "e\u2002No interaction: 0 of 12"
    score = result.matrix["none"]["rho1.2_T240"].score.mean
    assert f"{score:.2f}" in texts(figure, 0)
    frames = [p for p in figure.axes[2].patches if to_hex(p.get_facecolor(), True)[-2:] == "00"]
    assert {round(p.get_y() + 0.44) for p in frames} == {1}  # density: all cells of 240 K
    assert len({round(p.get_x() + 0.44) for p in frames}) == 4


def test_maps_say_where_seeds_do_not_agree(values: dict[str, Any], result: Result) -> None:
    own = copy.deepcopy(values)
    own["matrix"]["none"]["rho0.9_T240"]["passed"] = [True, False, True, True, False, True]
    before, after = (coverage_matrix(r) for r in (result, Result.model_validate(own)))
    changes = [texts(after, n).count("4/6") - texts(before, n).count("4/6") for n in range(5)]
    assert changes == [1, 0, 0, 0, 0]


def test_errors_stand_side_by_side_with_their_intervals(result: Result) -> None:
    figure = errors_along_density(result, "net_force")
    assert figure is not None
    axes = figure.axes[1]  # 240 K
    bars = [
        line
        for line in axes.lines
        if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    ]
    assert len(bars) == 4 * 4  # groups, densities
    places = [float(line.get_xdata()[0]) for line in bars]
    gaps = np.diff(sorted(places))
    assert gaps.min() > 0.09  # of the distance between two densities: none hides another
    low, high = result.matrix["none"]["rho0.03_T240"].errors["net_force"].interval
    assert [low, high] in [list(line.get_ydata()) for line in bars]
    assert errors_along_density(result, "no such quantity") is None


def test_groups_are_compared_with_the_density_design_of_their_own_kind() -> None:
    groups = ("none", "density", "none-plain", "density-plain", "adaptive-30", "adaptive-plain-30")
    own = Result.model_validate(compared(groups, seeds=(1, 2)))
    assert against(own) == {
        "none": "density",
        "none-plain": "density-plain",
        "density-plain": "density",
        "adaptive-30": "density",
        "adaptive-plain-30": "density-plain",
    }
    without = Result.model_validate(compared(("none", "grid"), seeds=(1, 2)))
    assert against(without) == {"grid": "none"}


def test_ratios_are_drawn_with_intervals_and_single_seeds(result: Result) -> None:
    figure = paired_ratios(result)
    assert figure is not None
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "a\u2002Interaction energy, RMSE"
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[:4] == ["all cells", "No diversity", "Temperature-diverse", "Adaptive"]
    test = next(
        t
        for t in result.tests
        if (t.first, t.second) == ("temperature", "density")
        and (t.cells, t.quantity) == ("all cells", "interaction energy, RMSE")
    )
    seen = [list(map(float, line.get_xdata())) for line in axes.lines]
    expected = [1 / ratio for ratio in test.ratios]  # temperature over density
    assert any(x == pytest.approx(expected, rel=ROUND_OFF) for x in seen if len(x) == 6)
    interval = [1 / test.interval[1], 1 / test.interval[0]]
    assert any(x == pytest.approx(interval, rel=ROUND_OFF) for x in seen if len(x) == 2)


def test_the_verdict_asks_its_question_of_the_controls_too() -> None:
    groups = ("temperature", "density", "temperature-plain", "density-plain")
    own = Result.model_validate(compared(groups, seeds=(1, 2, 3)))
    few, plain, *_ = verdict(own).notes
    assert few == (
        "With so few seeds p cannot fall below 0.25, and no difference is decided; with 6 seeds "
        "it could be."
    )
    assert plain.startswith(
        "Without the intermolecular terms of the loss, the errors of density-diverse models with "
        "plain loss over those of temperature-diverse models with plain loss: interaction energy "
    )
    enough = Result.model_validate(compared(groups, seeds=(1, 2, 3, 4, 5, 6)))
    assert enough.smallest_p == 2 / 2**6
    assert "so few seeds" not in " ".join(verdict(enough).notes)


def test_a_single_seed_has_no_ratios() -> None:
    own = Result.model_validate(compared(seeds=(1,)))
    assert paired_ratios(own) is None
    drawn = {figure.name: figure for figure in comparison.draw(own)}
    assert "at least two seeds" in drawn["pairs"].caption
    assert "single seed" in verdict(own).meaning


def test_curriculum_shows_what_was_bought_and_expected(result: Result) -> None:
    assert adaptive_groups(result) == ["adaptive"]
    figure = curriculum(result, "adaptive")
    titles = [axes.get_title(loc="left")[2:] for axes in figure.axes]
    assert titles[:5] == [
        "Start: 20 labels",
        "Round 1: 20 labels",
        "Round 2: 20 labels",
        "All rounds: 60 labels",
        "Worst cell's score",
    ]
    assert texts(figure, 3) == ["30", "30"]
    lines = figure.axes[4].lines
    assert [list(line.get_ydata()) for line in lines].count([4.0, 0.9]) == 6
    stars = [float(line.get_ydata()[0]) for line in lines if line.get_marker() == "*"]
    assert stars == [arm.worst.score for arm in result.of_group("adaptive").values()]
    assert "6 of 6: the budget is gone" in curriculum_caption(result, "adaptive")


def test_groups_have_names_and_styles_of_their_own() -> None:
    assert group_title("density-plain") == "Density-diverse, plain loss"
    assert group_title("adaptive-30") == "Adaptive, budget 30"
    assert group_title("chgnet-0.3") == "chgnet-0.3"
    assert models_of("none-plain") == "models without diversity with plain loss"
    assert models_of("density-distil") == "density-diverse students"
    names = ["none", "density", "density-plain", "grid", "grid-plain", "thing", "other-thing"]
    styles = group_styles(names)
    assert len(set(styles.values())) == len(names)
    assert styles["density"].colour == styles["density-plain"].colour
    assert styles["density-plain"].dashes == styles["grid-plain"].dashes != styles["grid"].dashes


# Tables


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


# Verdict


def test_adaptive_arms_are_compared_with_a_fixed_design_though_their_students_are_better(
    values: dict[str, Any],
) -> None:
    own = copy.deepcopy(values)
    own["matrix"]["adaptive-distil"] = copy.deepcopy(own["matrix"]["adaptive"])
    for seed in range(1, 7):
        arm = copy.deepcopy(own["arms"][f"adaptive-{seed}"])
        arm["group"], arm["passed"], arm["left_out"] = "adaptive-distil", arm["cells"], 0
        own["arms"][f"adaptive-distil-{seed}"] = arm
    notes = " ".join(verdict(Result.model_validate(own)).notes)
    assert f"Over all cells, errors of {models_of('adaptive')}, which spent" in notes


def test_the_verdict_is_computed(values: dict[str, Any], result: Result) -> None:
    assert headline_pair(result) == ("density", "temperature")
    for groups, pair in (
        (("density", "none"), ("density", "none")),
        (("none", "grid", "density"), ("density", "none")),
        (("none", "grid"), ("grid", "none")),
    ):
        assert headline_pair(Result.model_validate(compared(groups, (1, 2)))) == pair
    own = verdict(result)
    assert own.kind == "good"
    best = max(result.groups, key=result.passes)
    assert own.meaning.startswith(
        f"With 60 frames to train on, {models_of('adaptive')} pass {result.passes(best):.0f} of 12 "
        "cells on average over 6 seeds ("
    )
    test = next(
        t
        for t in result.tests
        if (t.cells, t.first, t.second) == ("other densities", "temperature", "density")
    )
    low, high = test.interval
    assert f"interaction energy {test.ratio:.2f} ({low:.2f} to {high:.2f}" in own.meaning
    assert own.meaning.count(". ") == 1  # two sentences

    turned = copy.deepcopy(values)
    for test_ in turned["tests"]:
        test_["ratios"] = [1 / ratio for ratio in test_["ratios"]]
        test_["ratio"] = 1 / test_["ratio"]
        test_["interval"] = [1 / end for end in reversed(test_["interval"])]
    other = verdict(Result.model_validate(turned))
    assert f"interaction energy {1 / test.ratio:.2f} ({1 / high:.2f} to " in other.meaning


@pytest.mark.parametrize(("factor", "limited"), [(0.9, True), (0.5, False)])
def test_the_verdict_says_whether_labels_or_training_limit(factor: float, limited: bool) -> None:
    """Arms of the whole pool are no design among equals, but what labels could give at the most."""
    own = compared(("temperature", "density", "pool"))
    for arm in own["arms"].values():
        if arm["group"] == "pool":
            arm["spent"], arm["passed"] = 800.0, arm["cells"]
    for test in own["tests"]:
        if test["second"] == "pool":
            test["ratio"] = factor
            test["interval"] = [0.8 * factor, 1.1 * factor]
    result = Result.model_validate(own)
    found = verdict(result)
    assert headline_pair(result) == ("density", "temperature")
    assert found.meaning.startswith("With 60 frames to train on, ")
    assert models_of("pool") not in found.meaning
    note = next(note for note in found.notes if note.startswith("Models of the whole pool"))
    assert f"800 frames with as many updates, pass {len(result.grid)} of" in note
    assert f"interaction energy {factor:.2f} (" in note
    assert ("training limits these models" in note) is limited


def test_the_verdict_says_where_the_winner_loses(values: dict[str, Any]) -> None:
    own = copy.deepcopy(values)
    own["tests"] = [
        {
            "cells": where,
            "quantity": "net force on molecules, RMSE",
            "first": "temperature",
            "second": "density",
            "ratios": [ratio] * 8,
            "ratio": ratio,
            "interval": [0.9 * ratio, 1.1 * ratio],
            "p_value": 0.01,
        }
        for where, ratio in (("other densities", 0.5), ("home density, other temperatures", 1.5))
    ]
    found = verdict(Result.model_validate(own))
    assert "net force on molecules 0.50 (0.45 to 0.55)" in found.meaning
    assert (
        "Over other temperatures of the home density, density-diverse models are worse: net force "
        "on molecules 1.50 (1.35 to 1.65)." in found.notes
    )


def test_the_verdict_tells_of_what_went_wrong(values: dict[str, Any]) -> None:
    own = changed(
        values,
        without_frames=["rho2_T240"],
        label_failures=3,
        melted_crystals={"rho1.5_T180": 0.31},
        pressure_open={"rho0.3_T180": 0.6, "rho0.9_T180": None},
        pressure_falls=[{"lower": "rho0.3_T180", "higher": "rho0.9_T180", "fall_bar": 41.2}],
    )
    notes = " ".join(verdict(own).notes)
    for text in (
        "No interaction passes 0 of 12 cells.",
        "Runs: 0 of 1 came to an end, 0 pass every gate.",
        "Left out, for their runs gave no frames: rho2_T240.",
        "falls by 41 bar from 0.3 g/cm³, 180 K to 0.9 g/cm³, 180 K",
        "3 frames could not be labelled.",
        "In 2 of 12 cells the bias of the pressure has, in every arm, a standard error above half "
        "its limit: ",
        "Most of all at 0.9 g/cm³, 180 K (inf), 0.3 g/cm³, 180 K (0.6); raise",
        "Crystals that melted, so that design condensed has less solid: rho1.5_T180.",
    ):
        assert text in notes


@pytest.mark.parametrize(("share", "kind"), [(0.0, "bad"), (0.5, "mixed"), (1.0, "good")])
def test_the_verdict_has_a_colour(values: dict[str, Any], share: float, kind: str) -> None:
    own = copy.deepcopy(values)
    for arm in own["arms"].values():
        arm["passed"] = int(share * arm["cells"])
    assert verdict(Result.model_validate(own)).kind == kind


# Page


def written(folder: Path, values: dict[str, Any]) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    path = folder / "comparison.json"
    path.write_text(json.dumps(values))
    files = comparison.write_comparison(path, folder / "out")
    return {file.name: file.read_text(encoding="utf-8") for file in files}


@pytest.fixture(scope="module")
def few() -> dict[str, Any]:
    """Four cells and two seeds: drawing is what takes the time."""
    return compared(("none", "density", "adaptive"), (1, 2), (0.3, 0.9), (240.0, 300.0))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> dict[str, str]:
    return written(tmp_path_factory.mktemp("report"), values)


def test_files(files: dict[str, str]) -> None:
    assert list(files) == [
        "made-up.html",
        "made-up.md",
        "made-up-coverage.svg",
        "made-up-pairs.svg",
        "made-up-errors.svg",
        "made-up-errors-net-force.svg",
        "made-up-curriculum-adaptive.svg",
    ]


def test_page_is_whole_and_says_what_was_asked(files: dict[str, str]) -> None:
    reader = Reader(files["made-up.html"])
    assert reader.open == []
    assert reader.count("svg") == 5
    assert reader.count("script") == 1
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    text = "".join(reader.text)
    for said in (
        "argon, labelled by lj-argon: designs compared",
        "24 models",
        "0.9 g/cm³, 240 K",
        "What was asked",
        "How it was judged",
        "interaction_energy_relative 0.1",
        "lmp-thermo run made-up.yaml",
        "torch version",
        "Why density matters: not shown, not counted.",
        "lost atoms",
    ):
        assert said in re.sub(r"\s+", " ", text), said


def test_page_is_the_same_every_time(tmp_path: Path, few: dict[str, Any]) -> None:
    assert written(tmp_path / "a", few) == written(tmp_path / "b", few)


def test_coordination_is_drawn_where_it_was_counted(tmp_path: Path, few: dict[str, Any]) -> None:
    random = np.random.default_rng(1)
    cells = [
        cell_of(
            StatePoint(density, temperature),
            list(random.poisson(12.0 * density + 1, size=(6, 50))),
            Cutoff("centres", 5.3, "first minimum of g(r)", standard_error_A=0.1),
        )
        for density in (0.3, 0.9)
        for temperature in (240.0, 300.0)
    ]
    seen = {"diversity": {"mean_distance": 1.25}, "coverage": {"mean": 0.5}}
    environments = {
        "cells": [
            {**cell.to_dict(), "density_g_cm3": d, "temperature_K": t}
            for cell, (d, t) in zip(
                cells, [(0.3, 240.0), (0.3, 300.0), (0.9, 240.0), (0.9, 300.0)], strict=True
            )
        ],
        "response": response(cells).to_dict(),
        "arms": dict.fromkeys(few["arms"], seen),
    }
    own = json.loads(json.dumps({**few, "environments": environments}))
    made = written(tmp_path, own)
    assert "made-up-coordination.svg" in made
    row = row_of(comparison_tables.training_table(Result.model_validate(own)), "density")
    assert (row["diversity"].text, row["covered"].text) == ("1.25", "50")


def test_hostile_texts_stay_text(tmp_path: Path, few: dict[str, Any]) -> None:
    own = copy.deepcopy(few)
    own["command"] = own["settings"]["reference"]["name"] = HOSTILE
    own["settings"]["molecules"] = [HOSTILE]
    own["units"]["interaction_energy"] = HOSTILE
    own["curriculum"]["adaptive-1"][-1]["stopped"] = HOSTILE
    own["arms"]["none-1"]["worst"] = {"state": "rho0.3_T240", "score": 99.0, "gate": HOSTILE}
    own["runs"]["none-1"]["rho0.3_T240"]["cause"] = HOSTILE
    for test in own["tests"]:
        test["cells"] = HOSTILE
        test["quantity"] = HOSTILE
    made = written(tmp_path, own)
    reader = Reader(made["made-up.html"])
    assert reader.open == []
    assert reader.count("script") == 1
    assert reader.count("img") == 0
    assert not any(name.startswith("on") for _, a in reader.elements for name in a)
    assert "".join(reader.text).count("<script>alert('x')</script>") >= 6
