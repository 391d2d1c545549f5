"""The verdict of a comparison, from its result alone."""

import copy
from typing import Any

import pytest

from lmp_thermo.report.comparison_verdict import headline_pair, verdict
from lmp_thermo.report.figures.groups import drawn_together, models_of
from lmp_thermo.report.result import Result
from tests.unit.report.compared import compared


def changed(values: dict[str, Any], **parts: Any) -> Result:
    return Result.model_validate({**copy.deepcopy(values), **parts})


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


@pytest.mark.parametrize(
    ("interval", "p", "word"),
    [
        ([0.02, 0.5], 0.03, "grows, 0.10"),
        ([1.2, 3.0], 0.03, "shrinks, 1.90"),
        ([0.5, 2.0], 0.7, "undecided, 1.00"),
        ([0.02, 0.5], 0.25, "undecided, 0.10"),  # too few seeds for the exact test
        ([0.85, 1.2], 0.9, "stands, 1.01"),
    ],
)
def test_the_verdict_says_what_the_loss_does_to_the_density_effect(
    interval: list[float], p: float, word: str
) -> None:
    own = compared(("temperature", "density", "temperature-plain", "density-plain"))
    ratio = (interval[0] * interval[1]) ** 0.5
    own["loss_interactions"] = [
        {
            "cells": cells,
            "quantity": "interaction energy, RMSE",
            "first": "temperature",
            "second": "density",
            "ratios": [ratio] * 6,
            "ratio": ratio,
            "interval": interval,
            "p_value": p,
        }
        for cells in ("all cells", "other densities")
    ]
    low, high = interval
    (note,) = (n for n in verdict(Result.model_validate(own)).notes if "these terms" in n)
    assert note == (
        "What the advantage of density-diverse models over temperature-diverse models does "
        "without these terms, and the factor by which their ratio changes, seed by seed: "
        f"interaction energy {word} ({low:.2f} to {high:.2f}, p {p:.2g})."
    )


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


def ratio_over(own: dict[str, Any], base: str, group: str, ratios: dict[str, float]) -> None:
    """Make the errors of a group so many times those of another, by quantity, in every seed."""
    tests = [t for t in own["tests"] if {t["first"], t["second"]} == {base, group}]
    for quantity, ratio in ratios.items():
        for test in tests:
            own["tests"].append({**test, "quantity": quantity})
            value = ratio if test["first"] == base else 1 / ratio
            own["tests"][-1].update(ratio=value, ratios=[value] * 6, interval=[value, value])


def test_adaptive_arms_are_compared_with_the_fixed_design_that_is_best_by_each_error(
    values: dict[str, Any],
) -> None:
    """Not with the one that passes most cells, nor by all errors with the best by one."""
    own = copy.deepcopy(values)
    for arm in own["arms"].values():
        arm["passed"] = {"grid": 11, "none": 9}.get(arm["group"], 7)
        arm["spent"] = 28.5 if arm["group"] == "adaptive" else 60.0
    own["tests"] = [t for t in own["tests"] if t["quantity"] != "worst cell's score"]
    for base, bias, error in (
        ("none", 0.4, 1.1),
        ("temperature", 1.7, 0.8),
        ("density", 0.9, 1.3),
        ("grid", 0.6, 0.2),
    ):
        ratios = {"largest pressure bias": bias, "worst cell's intermolecular error": error}
        ratio_over(own, base, "adaptive", ratios)
    result = Result.model_validate(own)
    note = next(n for n in verdict(result).notes if "which spent" in n)
    assert note.startswith(
        "Over all cells, errors of adaptive models, which spent 28.5 frames, over those of the "
        "fixed design that is best by each error, which spent 60: worst cell's intermolecular "
        "error 1.30 (1.30 to 1.30"
    )
    assert ") over density-diverse models; largest pressure bias 1.70 (" in note
    assert ") over temperature-diverse models; interaction energy " in note


def test_adaptive_arms_are_compared_at_their_own_budget_too() -> None:
    groups = ("none", "density", "none-30", "density-30", "adaptive-30")
    own = compared(groups)
    own["settings"]["comparison"]["curriculum"] = {"target": 0.5}
    for arm in own["arms"].values():
        arm["spent"] = 30.0 if arm["group"].endswith("-30") else 60.0
    for base, ratio in (("none", 0.1), ("density", 0.9), ("none-30", 0.2), ("density-30", 0.5)):
        ratio_over(own, base, "adaptive-30", {"largest pressure bias": ratio})
    own["curriculum"] = {
        f"adaptive-30-{seed}": [{"bought": {}, "scores": {}, "stopped": None}]
        for seed in range(1, 7)
    }
    first, second = [n for n in verdict(Result.model_validate(own)).notes if "which spent" in n]
    assert "of the fixed design that is best by each error, which spent 30 or 60: largest" in first
    assert "pressure bias 0.90 (0.90 to 0.90) over density-diverse models; " in first
    assert "of the fixed design of that budget that is best by each error, which spent 30: " in (
        second
    )
    assert "bias 0.50 (0.50 to 0.50) over density-diverse models with budget 30; " in second
    assert drawn_together(groups) == ["none", "density", "adaptive-30"]


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


@pytest.mark.parametrize(
    ("factor", "low", "limited"), [(0.9, 0.82, True), (0.9, 0.72, False), (0.5, 0.4, False)]
)
def test_the_verdict_says_whether_labels_or_training_limit(
    factor: float, low: float, limited: bool
) -> None:
    """Arms of the whole pool are no design among equals, but what labels could give at the most."""
    own = compared(("temperature", "density", "pool"))
    for arm in own["arms"].values():
        if arm["group"] == "pool":
            arm["spent"], arm["passed"] = 800.0, arm["cells"]
    for test in own["tests"]:
        if test["second"] == "pool":
            test["ratio"] = factor
            test["interval"] = [low, 1.1 * factor]
    result = Result.model_validate(own)
    found = verdict(result)
    assert headline_pair(result) == ("density", "temperature")
    assert found.meaning.startswith("With 60 frames to train on, ")
    assert models_of("pool") not in found.meaning
    note = next(note for note in found.notes if note.startswith("Models of the whole pool"))
    assert f"800 frames with as many updates, pass {len(result.grid)} of" in note
    assert f"interaction energy {factor:.2f} (" in note
    assert ("training or the model's size limits them" in note) is limited


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
        without_error={"net force on molecules, RMSE": ["rho0.03_T180", "rho0.03_T240"]},
        close_frames={
            "rho0.9_T180": {"spacing_ps": 0.5, "inefficiency_ps": 3.25},
            "rho0.3_T180": {"spacing_ps": 2.0, "inefficiency_ps": 4.0},
        },
        melted_crystals={"rho1.5_T180": 0.31},
        pressure_open={"rho0.3_T180": 0.6, "rho0.9_T180": None},
        pressure_falls=[{"lower": "rho0.3_T180", "higher": "rho0.9_T180", "fall_bar": 41.2}],
    )
    notes = " ".join(verdict(own).notes)
    for text in (
        "No interaction passes 0 of 12 cells.",
        "Runs: 0 of 1 came to an end, 0 pass every gate.",
        "Left out, for their runs gave no frames, or these no labels: rho2_T240.",
        "falls by 41 bar from 0.3 g/cm³, 180 K to 0.9 g/cm³, 180 K",
        "3 frames could not be labelled.",
        "In 2 of 12 cells the bias of the pressure has, in every arm, a standard error above half "
        "its limit: ",
        "Most of all at 0.9 g/cm³, 180 K (inf), 0.3 g/cm³, 180 K (0.6); raise",
        "Left out of the geometric means of net force on molecules, for an arm makes no error at "
        "all there: 0.03 g/cm³, 180 K, 0.03 g/cm³, 240 K.",
        "In 2 of 12 cells frames follow each other faster than they forget (most: 0.9 g/cm³, "
        "180 K, 0.5 ps apart where independent ones are 3.2 ps apart): errors there, and",
        "Crystals that melted, so that design condensed has less solid: rho1.5_T180.",
    ):
        assert text in notes


@pytest.mark.parametrize(("share", "kind"), [(0.0, "bad"), (0.5, "mixed"), (1.0, "good")])
def test_the_verdict_has_a_colour(values: dict[str, Any], share: float, kind: str) -> None:
    own = copy.deepcopy(values)
    for arm in own["arms"].values():
        arm["passed"] = int(share * arm["cells"])
    assert verdict(Result.model_validate(own)).kind == kind
