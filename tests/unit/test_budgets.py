"""What designs buy from a shared pool, and budgets that they cannot be carried out with."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from lmp_thermo import Study
from lmp_thermo.comparison import Arm, Curriculum
from lmp_thermo.errors import StudyError
from lmp_thermo.sampling.designs import (
    cells_of,
    check_equal_budgets,
    plan_pool,
    pool_order,
    spend,
)
from lmp_thermo.stages import arms, curriculum, databases, label, label_checks, pairs, teacher
from lmp_thermo.states import StatePoint
from tests.unit.designs import GRID, HOME, argon, comparison


@pytest.mark.parametrize(
    ("design", "cells"), [("none", 1), ("temperature", 3), ("density", 3), ("grid", 9)]
)
def test_designs_spend_on_their_cells_only_and_exactly(design: Any, cells: int) -> None:
    own = comparison()
    plan = plan_pool(own, GRID, 2, atoms_per_frame=7)
    costs = {p.state: [1.0] * p.training for p in plan}
    taken = spend(Arm(design, "intermolecular", 1, 12.0), own, GRID, costs, study_seed=5)
    assert set(taken) == set(cells_of(design, own, GRID))
    assert len(taken) == cells
    assert sum(map(len, taken.values())) == 12
    counts = [len(chosen) for chosen in taken.values()]
    assert max(counts) - min(counts) <= 1
    assert all(len(set(chosen)) == len(chosen) for chosen in taken.values())
    assert all(state.density_g_cm3 != 0.2 for state in taken)  # there arms are only judged


def test_smaller_budgets_have_arms_of_every_design_and_no_controls() -> None:
    own = comparison(
        designs=["none", "grid", "adaptive", "pool"],
        losses=["intermolecular", "plain"],
        seeds=[1],
        budget=18.0,
        smaller_budgets=[9.0],
        curriculum=Curriculum(updates=5),
    )
    assert [arm.name for arm in own.arms] == [
        "none-1",
        "none-9-1",
        "grid-1",
        "grid-9-1",
        "adaptive-1",
        "adaptive-9-1",
        "pool-1",
        "none-plain-1",
        "grid-plain-1",
        "adaptive-plain-1",
    ]
    pool = plan_pool(own, GRID, 4, 1)
    assert pool == plan_pool(own.model_copy(update={"smaller_budgets": None}), GRID, 4, 1)
    costs = {plan.state: [1.0] * plan.training for plan in pool}
    (small,) = [arm for arm in own.arms if arm.name == "grid-9-1"]
    assert sum(map(len, spend(small, own, GRID, costs, study_seed=5).values())) == 9
    names = [arm for arm in own.arms if arm.loss == "intermolecular" and arm.design != "pool"]
    comparable = {(a.name, b.name) for a in names for b in names if pairs._comparable(a, b)}
    assert ("none-9-1", "grid-9-1") in comparable
    assert ("none-9-1", "none-1") in comparable
    assert ("adaptive-9-1", "grid-1") in comparable  # the same with fewer labels
    assert ("none-9-1", "grid-1") not in comparable
    with pytest.raises(StudyError, match=r"comparison.smaller_budgets = 8 frames: too small to sp"):
        plan_pool(own.model_copy(update={"smaller_budgets": [8.0]}), GRID, 4, 1)
    with pytest.raises(ValidationError, match=r"smaller_budgets = \[18.0\]: expected budgets belo"):
        comparison(budget=18.0, smaller_budgets=[18.0])


def test_an_adaptive_budget_may_be_smaller_than_the_grid() -> None:
    own = comparison(designs=["adaptive"], budget=4.0, curriculum=Curriculum(updates=5))
    plans = [plan for plan in plan_pool(own, GRID, 4, 1) if plan.training]
    assert len(plans) == 9
    assert {plan.training for plan in plans} == {2}  # one for each, with a spare one


def test_the_pool_holds_what_the_greediest_arm_wants_and_held_out_frames_everywhere() -> None:
    plans = {p.state: p for p in plan_pool(comparison(pool_factor=1.5), GRID, 2, 7)}
    assert plans[HOME.state].training == 18  # 1.5 times the whole budget of design none
    assert plans[StatePoint(0.1, 200.0)].training == 6  # a third of the budget for density
    assert plans[StatePoint(0.1, 100.0)].training == 3  # a ninth, rounded up, for the grid
    assert plans[StatePoint(0.2, 200.0)].training == 0
    assert {p.held_out for p in plans.values()} == {2}
    assert set(plans) == set(GRID)


def test_the_whole_pool_is_taken_whatever_the_budget_and_wants_no_frame_of_its_own() -> None:
    own = comparison(designs=["none", "density", "pool"], losses=["intermolecular", "plain"])
    plan = plan_pool(own, GRID, 2, atoms_per_frame=7)
    assert plan == plan_pool(comparison(designs=["none", "density"]), GRID, 2, 7)
    costs = {p.state: [1.0] * p.training for p in plan if p.training}
    taken = spend(Arm("pool", "intermolecular", 1, 12.0), own, GRID, costs, study_seed=5)
    assert taken == {state: list(range(len(price))) for state, price in costs.items()}
    assert [a.name for a in own.arms if a.design == "pool"] == ["pool-1", "pool-2"]  # no controls
    with pytest.raises(ValidationError, match="a design with a budget beside it"):
        comparison(designs=["pool"])


def test_arms_of_one_seed_take_the_same_frames_first() -> None:
    own = comparison()
    costs = {p.state: [1.0] * 40 for p in plan_pool(own, GRID, 2, 7)}
    few = spend(Arm("grid", "intermolecular", 3, 12.0), own, GRID, costs, 5)
    many = spend(Arm("none", "intermolecular", 3, 12.0), own, GRID, costs, 5)
    chosen = few[HOME.state]
    assert many[HOME.state][: len(chosen)] == chosen
    assert pool_order(5, 3, HOME.state, 40) != pool_order(5, 4, HOME.state, 40)


def test_a_budget_in_seconds_buys_more_of_what_is_cheap() -> None:
    own = comparison(budget=60.0, budget_unit="label-seconds", pool_frames=100)
    costs = {s: [2.0 if s.density_g_cm3 > 0.3 else 0.5] * 100 for s in GRID}
    bought = {}
    for design in ("none", "density"):
        taken = spend(Arm(design, "intermolecular", 1, 60.0), own, GRID, costs, 5)  # type: ignore[arg-type]
        spent = sum(costs[s][i] for s, chosen in taken.items() for i in chosen)
        assert 58.0 < spent <= 60.0
        bought[design] = sum(map(len, taken.values()))
    assert bought["none"] == 30
    assert bought["density"] in (39, 40)  # 13 turns of 0.5 + 2 + 2, and what comes next


def test_arms_that_spend_differently_are_refused() -> None:
    check_equal_budgets({"a": (12.0, 12.0), "b": (12.0, 11.5)}, 1.0, "frames")
    with pytest.raises(StudyError, match="arm b spent 11 of 12 frames, expected equal budgets"):
        check_equal_budgets({"a": (12.0, 12.0), "b": (12.0, 11.0)}, 1.0, "frames")
    with pytest.raises(StudyError, match="arm a spent 13 of 12"):
        check_equal_budgets({"a": (12.0, 13.0)}, 1.0, "frames")


@pytest.mark.parametrize(
    ("designs", "frames"), [(["none"], 12), (["density"], 4), (["grid", "temperature"], 4)]
)
def test_a_pool_of_just_enough_frames_is_accepted(designs: list[Any], frames: int) -> None:
    own = comparison(designs=designs, pool_frames=frames)
    costs = {p.state: [1.0] * p.training for p in plan_pool(own, GRID, 2, 7)}
    for design in designs:
        taken = spend(Arm(design, "intermolecular", 1, 12.0), own, GRID, costs, 5)
        assert sum(map(len, taken.values())) == 12
    with pytest.raises(StudyError, match=f"pool_frames = {frames - 1}: expected at least {frames}"):
        plan_pool(comparison(designs=designs, pool_frames=frames - 1), GRID, 2, 7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"designs": ["none"], "budget": 0.5},
            r"budget = 0.5 label-seconds: too small to split, design none buys no frame at "
            r"0.4 g/cm3, 200 K, where a label took 3 s or more; raise it",
        ),
        (
            {"designs": ["none"], "budget": 5.0},
            r"arm none-1 buys 1 frames for 5 label-seconds, expected at least 2, for one frame",
        ),
        ({"designs": ["density"], "budget": 7.0}, r"too small to split, design density buys no"),
        (
            {"designs": ["adaptive"], "curriculum": Curriculum(updates=5), "budget": 5.0},
            r"arm adaptive-1 has a budget of 5 label-seconds, expected at least 6, twice the cost",
        ),
        ({"designs": ["none"], "budget": 6.0}, None),
        ({"designs": ["adaptive"], "curriculum": Curriculum(updates=5), "budget": 6.0}, None),
        # what is cut or grown later is not asked about here
        ({"designs": ["clusters"], "budget": 12.0, "budget_unit": "frames"}, None),
    ],
)
def test_budgets_in_seconds_are_refused_as_soon_as_labels_are_timed(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str | None
) -> None:
    own = comparison(**{"budget_unit": "label-seconds", "pool_frames": 30, **changes})
    plan_pool(own, GRID, 2, 7)  # nothing can be said before labels are there
    monkeypatch.setattr(arms, "costs", lambda context: {state: [3.0] * 30 for state in GRID})
    context: Any = SimpleNamespace(study=SimpleNamespace(comparison=own, states=GRID, seed=5))
    if message is None:
        arms.check(context)
        return
    with pytest.raises(StudyError, match=message) as caught:
        arms.check(context)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["databases", "teacher", "curriculum", "label, round 0"])
def test_budgets_are_checked_before_what_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    study = argon()
    study["comparison"].update(
        designs=["none", "clusters", "adaptive"],
        curriculum={"updates": 5},
        recipes=["scratch", "distil"],
        teacher={"training": {}},
    )
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(study))
    called = []
    for module in (databases, teacher, curriculum, label, label_checks):
        monkeypatch.setattr(module, "make", lambda *given, m=module: called.append(m.__name__))

    def refuse(context: Any) -> None:
        raise StudyError("too small")

    monkeypatch.setattr(arms, "check", refuse)
    (step,) = [s for s in Study(path, tmp_path / "workspace").steps if s.name == name]
    with pytest.raises(StudyError, match="too small"):
        step.make()
    assert called in ([], [label.__name__])  # labels are there when they can be timed


def test_a_pool_that_is_too_small_is_refused() -> None:
    own = comparison()
    with pytest.raises(StudyError, match="design none wants more than the 5 frames of the pool"):
        spend(Arm("none", "plain", 1, 12.0), own, GRID, {HOME.state: [1.0] * 5}, 5)


@pytest.mark.parametrize("design", ["none", "temperature", "density"])
def test_a_pool_that_is_just_large_enough_is_spent_to_its_last_frame(design: Any) -> None:
    own = comparison(designs=[design], pool_factor=1.0)
    costs = {p.state: [1.0] * p.training for p in plan_pool(own, GRID, 2, 7)}
    taken = spend(Arm(design, "intermolecular", 1, 12.0), own, GRID, costs, 5)
    assert {s: len(chosen) for s, chosen in taken.items()} == {
        s: len(price) for s, price in costs.items() if price
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": 8.0}, r"too small to split.*9 state points of design grid"),
        ({"densities_g_cm3": [0.4]}, r"density needs at least two densities at 200 K"),
        ({"temperatures_K": [200.0]}, r"temperature needs at least two temperatures at 0.4"),
        (
            {
                "designs": ["condensed"],
                "condensed_above_g_cm3": 0.9,
                "crystal_densities_g_cm3": [1.0],
            },
            r"condensed_above_g_cm3 = 0.9: no density on which designs may spend is as high",
        ),
        (
            {"designs": ["none"], "budget": 1},
            r"comparison.budget = 1 frames: expected at least 2 frames, .*watches its training",
        ),
        (
            {"designs": ["none"], "budget": 13, "budget_unit": "atom-frames"},
            r"comparison.budget = 13 atom-frames: expected at least 14 atom-frames \(2 frames\)",
        ),
        ({"designs": ["clusters"], "budget": 1}, r"comparison.budget = 1 frames: expected"),
        (
            {"designs": ["adaptive"], "curriculum": Curriculum(updates=5, budgets=[12.0, 1.0])},
            r"comparison.curriculum.budgets = 1 frames: expected at least 2",
        ),
        (
            {"designs": ["none"], "budget": 60, "pool_frames": 10},
            r"pool_frames = 10: expected at least 60 a state point, for design none buys 60 frames "
            r"from 1 of them; raise it, or lower the budget",
        ),
        (
            {"designs": ["density"], "budget": 70, "budget_unit": "atom-frames", "pool_frames": 3},
            r"pool_frames = 3: expected at least 4 a state point, for design density buys 10",
        ),
        (
            {
                "designs": ["condensed"],
                "condensed_above_g_cm3": 0.4,
                "crystal_densities_g_cm3": [0.9],
                "budget": 60,
                "pool_frames": 6,
            },
            r"pool_frames = 6: expected at least 7 a state point, for design condensed buys 40",
        ),
        (
            {
                "designs": ["adaptive"],
                "curriculum": Curriculum(updates=5, budgets=[28.0]),
                "pool_frames": 3,
            },
            r"pool_frames = 3: expected at least 4 a state point, for design adaptive buys 28",
        ),
    ],
)
def test_designs_that_cannot_be_planned(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        plan_pool(comparison(**changes), GRID, 2, 7)
