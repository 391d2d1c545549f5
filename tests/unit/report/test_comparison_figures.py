"""Figures of a comparison, from its result alone."""

import copy
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from lmp_thermo.report import comparison
from lmp_thermo.report.across import across_studies, page, rows
from lmp_thermo.report.comparison_verdict import verdict
from lmp_thermo.report.figures.coverage_matrix import coverage_matrix
from lmp_thermo.report.figures.curriculum import adaptive_groups, curriculum
from lmp_thermo.report.figures.curriculum import caption as curriculum_caption
from lmp_thermo.report.figures.errors_along_density import errors_along_density
from lmp_thermo.report.figures.forest import Row, forest
from lmp_thermo.report.figures.groups import group_styles, group_title, models_of
from lmp_thermo.report.figures.paired_ratios import against, paired_ratios
from lmp_thermo.report.result import Result
from tests.tolerances import ROUND_OFF
from tests.unit.report.compared import compared


def texts(figure: Figure, panel: int) -> list[str]:
    return [text.get_text() for text in figure.axes[panel].texts]


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


def of_another_pool(values: dict[str, Any], study: str) -> dict[str, Any]:
    """The same as another study, on whose frames molecules alone err by something else."""
    own = copy.deepcopy({**values, "study": study})
    for cell in own["others"]["no-interaction"]["cells"].values():
        cell["score"] += 0.25
    return own


def test_several_studies_stand_row_by_row(values: dict[str, Any], result: Result) -> None:
    own = copy.deepcopy(values)
    for arm in own["arms"].values():  # the best fixed design is that of temperature
        arm["worst"]["score"] = {"temperature": 1.1, "adaptive": 0.9}.get(arm["group"], 2.0)
        arm["spent"] = 12.0 if arm["group"] == "adaptive" else 24.0
    other = Result.model_validate(of_another_pool(own, "other"))
    blocks = rows([result, other])
    fluid = ", ".join(result.settings.molecules)
    assert list(blocks) == ["density over temperature", "curriculum over best fixed"]
    assert [row.label for own_rows in blocks.values() for row in own_rows][1::2] == [
        f"{fluid} (24 frames, 6 seeds)",
        f"{fluid} (12 against 24 frames, 6 seeds)",
    ]
    figure = across_studies(blocks)
    text = page(blocks)
    for place, pair, cells in (
        (2, ("density", "temperature"), "other densities"),
        (5, ("adaptive", "temperature"), "all cells"),
    ):
        test = next(
            t
            for t in other.tests_of(*pair)
            if (t.cells, t.quantity) == (cells, "interaction energy, RMSE")
        )
        marks = [
            float(line.get_xdata()[0])
            for line in figure.axes[0].lines
            if list(line.get_ydata()) == [-place]
        ]
        assert test.ratio in marks
        assert f"{test.ratio:.2f}" in text.splitlines()[place + 6]


def test_studies_of_one_fluid_are_told_apart_by_name(values: dict[str, Any]) -> None:
    one, again = (Result.model_validate({**values, "study": name}) for name in ("one", "again"))
    two = Result.model_validate(of_another_pool(values, "two"))
    for own in rows([one, again, two]).values():  # of one pool, the first that asks answers
        assert [row.label.split(" (")[0] for row in own] == ["one", "two"]


def test_studies_without_either_question_have_no_rows() -> None:
    assert rows([Result.model_validate(compared(("none", "grid")))]) == {}


def test_what_lies_beyond_the_axis_has_one_arrow(result: Result) -> None:
    test = result.tests[0].model_copy(
        update={"ratio": 50.0, "interval": [40.0, 60.0], "ratios": [40.0, 60.0]}
    )
    row = Row("far", group_styles(["none"])["none"], {test.quantity: test})
    (axes,) = forest({"block": [row]}, "ratio").axes
    assert [line.get_marker() for line in axes.lines].count(">") == 1
    assert not any(line.get_marker() == "<" for line in axes.lines)


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
