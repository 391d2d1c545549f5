"""Studies that compare designs: what is refused, names of arms, students, purchases."""

import itertools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from lmp_thermo import Study
from lmp_thermo.analysis.wasserstein import FEWEST_FRAMES
from lmp_thermo.comparison import FEWEST_HELD_OUT, Arm, Curriculum, Teacher
from lmp_thermo.errors import StudyError
from lmp_thermo.sampling.designs import plan_pool, spend, take_in_turn
from lmp_thermo.stages import arms, label, train
from lmp_thermo.states import StatePoint
from lmp_thermo.study import StudyFile
from tests.unit.designs import GRID, HOME, INPUTS, argon, comparison


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("home.density_g_cm3", 1.0, "comparison.home = 1 g/cm3, 240 K, expected a state point"),
        ("densities_g_cm3", [0.03, 7.0], "comparison.densities_g_cm3 = 7.0, expected values of"),
        ("densities_g_cm3", [0.03, 0.17], "comparison.home = .* on which designs may spend"),
        ("designs", ["grid", "grid"], "names a value twice"),
        ("designs", ["grid", "adaptive"], "expected a curriculum exactly where"),
        ("budget_unit", "label-seconds", "expected pool_frames"),
        ("recipes", ["scratch", "distil"], "expected a teacher exactly where recipes name distil"),
        ("teacher", {"training": {}}, "expected a teacher exactly where recipes name distil"),
        ("teacher", {"arguments": {}}, "teacher: expected one of calculator and training"),
        ("designs", ["grid", "condensed"], "expected condensed_above_g_cm3 exactly where"),
        (
            "coordination_cutoff_A",
            0.2,
            "cutoff_A = 0.2: input should be greater than or equal to 1",
        ),
        (
            "curriculum",
            {"updates": 5, "budgets": [6, 6]},
            r"budgets: \[6.0, 6.0\] names a value tw",
        ),
        (
            "runs",
            {
                "designs": ["none"],
                "seeds": [1],
                "states": [{"density_g_cm3": 1.18, "temperature_K": 240.0}] * 2,
            },
            r"runs.states: \['1.18 g/cm3, 240 K', '1.18 g/cm3, 240 K'\] names a value twice",
        ),
        ("crystal_densities_g_cm3", [1.7], "expected crystal_densities_g_cm3 exactly where"),
        ("crystal_densities_g_cm3", [1.7, 1.7], "names a value twice"),
        ("calculators", {"teacher": {"calculator": "a.b"}}, "teacher is a name of our own"),
        ("budgett", 3, "unknown key, did you mean 'budget'"),
    ],
)
def test_mistakes_in_a_study(tmp_path: Path, key: str, value: Any, message: str) -> None:
    study = argon()
    section = study["comparison"]
    section.pop("pool_frames")
    *path, last = key.split(".")
    for part in path:
        section = section[part]
    section[last] = value
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(study))
    with pytest.raises(StudyError, match=message) as caught:
        StudyFile.read(own)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"held_out_per_cell": 3}])
def test_too_few_held_out_frames_for_distances_between_cells(
    tmp_path: Path, given: dict[str, int]
) -> None:
    assert FEWEST_HELD_OUT == FEWEST_FRAMES
    study = argon()
    del study["sampling"]["held_out_per_cell"]
    study["sampling"].update(given)
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(study))
    message = r"own.yaml: sampling.held_out_per_cell = 3, expected at least 4 in a comparison"
    with pytest.raises(StudyError, match=message):
        StudyFile.read(own)
    study["sampling"]["held_out_per_cell"] = 4
    own.write_text(yaml.safe_dump(study))
    assert StudyFile.read(own).comparison is not None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"recipes": ["scratch", "distil"], "teacher": {"calculator": "no.such.Thing"}},
            r"comparison.teacher.calculator = no.such.Thing: cannot be imported",
        ),
        (
            {"recipes": ["scratch", "distil"], "teacher": {"training": {"layerz": 3}}},
            r"comparison.teacher.training: layerz: unknown key, did you mean 'layers'",
        ),
        (
            {
                "recipes": ["scratch", "distil"],
                "teacher": {"training": {"pair_r_max_A": {"Ar-Ne": 3.0}}},
            },
            r"comparison.teacher.training.*Ar-Ne",
        ),
        (
            {
                "recipes": ["scratch", "distil"],
                "teacher": {"training": {}, "designs": ["adaptive"]},
            },
            r"teacher.designs = \['adaptive'\]: expected some of the comparison's own",
        ),
        (
            {
                "recipes": ["scratch", "distil"],
                "teacher": {"training": {}, "designs": ["density", "density"]},
            },
            r"teacher.designs: .*names a value twice",
        ),
        (
            {"recipes": ["distil"], "teacher": {"training": {}}},
            r"recipes = \['distil'\]: expected scratch among them",
        ),
        (
            {
                "recipes": ["distil", "scratch"],
                "teacher": {"training": {}, "designs": ["density"]},
                "runs": {
                    "designs": ["none"],
                    "seeds": [1],
                    "states": [{"density_g_cm3": 1.18, "temperature_K": 240.0}],
                },
            },
            r"runs.designs = \['none'\]: expected some of the comparison's own, \['density'\]",
        ),
        ({"designs": ["clusters"], "largest_cluster": 64, "budget": 40}, r"needs at least 189"),
        (
            {"designs": ["clusters"], "budget_unit": "atom-frames", "budget": 60},
            r"budget = 60 atom-frames: too small to split, design clusters needs at least 105",
        ),
        (
            {
                "designs": ["condensed"],
                "condensed_above_g_cm3": 1.0,
                "crystal_densities_g_cm3": [1.6, 1.7],
                "budget": 5,
            },
            r"budget = 5 frames: too small to split",
        ),
        (
            {
                "designs": ["condensed"],
                "condensed_above_g_cm3": 1.0,
                "crystal_densities_g_cm3": [4.0],
            },
            r"crystal_densities_g_cm3: density 4 g/cm3 cannot be packed",
        ),
    ],
)
def test_teachers_and_databases_that_cannot_be_had(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    study = argon()
    study["comparison"]["designs"] = ["none", "density"]
    study["comparison"].update(changes)
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(study))
    with pytest.raises(StudyError, match=message) as caught:
        Study(own, tmp_path / "workspace")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "workspace").exists()


def test_clusters_from_boxes_of_too_few_molecules(tmp_path: Path) -> None:
    study = argon()
    study["comparison"].update(designs=["clusters"], largest_cluster=10)
    study["sampling"]["molecules"] = 9
    study["reference"]["min_box_A"] = 5.0
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(study))
    with pytest.raises(StudyError, match=r"largest_cluster = 10: .*sampling.molecules = 9"):
        Study(own, tmp_path / "workspace")


def test_condensed_buys_liquid_from_the_pool_and_leaves_the_rest_for_crystals() -> None:
    own = comparison(
        designs=["condensed"], condensed_above_g_cm3=0.4, crystal_densities_g_cm3=[0.9, 1.0]
    )
    plans = {p.state: p.training for p in plan_pool(own, GRID, 2, 7)}
    assert {s.density_g_cm3 for s, n in plans.items() if n} == {0.4, 0.8}
    assert plans[HOME.state] == 3  # two thirds of 12 frames on 6 cells, times 1.5, rounded up
    scarce = own.model_copy(update={"pool_factor": 1.0})
    pool = sum(p.training for p in plan_pool(scarce, GRID, 2, 7))
    assert pool >= 12  # whatever crystals leave: one of them may cost more than a third
    arm = Arm("condensed", "intermolecular", 1, 8.0)
    taken = spend(arm, own, GRID, {s: [1.0] * n for s, n in plans.items()}, 5)
    assert sorted(map(len, taken.values())) == [1, 1, 1, 1, 2, 2]
    crystals = {StatePoint(0.9, 100.0): [5.0] * 4, StatePoint(1.0, 100.0): [5.0] * 4}
    bought = take_in_turn(arm, list(crystals), crystals, 17.0, 5)
    assert sorted(map(len, bought.values())) == [1, 2]


def test_a_student_has_a_name_of_its_own_and_the_arm_from_scratch_beside_it() -> None:
    own = comparison(
        losses=["intermolecular", "plain"],
        recipes=["scratch", "distil"],
        teacher=Teacher(training={}, designs=["density", "grid"]),
    )
    students = [arm for arm in own.arms if arm.recipe == "distil"]
    assert {arm.name for arm in students} == {
        f"{design}-distil-{seed}" for design in ("density", "grid") for seed in (1, 2)
    }
    assert all(own.buyer(arm) in own.arms for arm in students)
    assert len({arm.name for arm in own.arms}) == len(own.arms) == 2 * (4 * 2 + 2)


def test_a_student_has_not_seen_frames_on_which_its_teacher_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gas, liquid = StatePoint(0.1, 200.0), HOME.state
    crystal = StatePoint(0.9, 100.0)
    bought = arms.Purchase({gas: [1, 0], liquid: [2, 0]}, {crystal: [1, 2]})
    failed = {"gas0", "gas1", "liquid2", "crystal1"}
    scratch = Arm("condensed", "intermolecular", 1, 6.0)
    student = replace(scratch, recipe="distil")
    for module, name, value in (
        (arms, "purchases", {scratch.name: bought, student.name: bought}),
        (
            arms,
            "pool",
            {s: [f"{n}{i}" for i in range(3)] for s, n in ((gas, "gas"), (liquid, "liquid"))},
        ),
    ):
        monkeypatch.setattr(module, name, lambda context, value=value: value)
    monkeypatch.setattr(
        arms.databases, "frames", lambda context, kind: {crystal: ["", "crystal1", "crystal2"]}
    )
    monkeypatch.setattr(
        arms.teacher, "taught", lambda context, frames: [f for f in frames if f not in failed]
    )
    context: Any = None
    assert arms.seen(context, scratch) == bought
    seen = arms.seen(context, student)
    assert seen == arms.Purchase({gas: [], liquid: [0]}, {crystal: [2]})
    assert seen.states == [liquid]


def test_a_cell_without_frames_is_left_out_and_a_lost_home_refused() -> None:
    own = comparison()
    costs = {p.state: [1.0] * 30 for p in plan_pool(own, GRID, 2, 7)}
    del costs[StatePoint(0.1, 200.0)]
    taken = spend(Arm("density", "plain", 1, 12.0), own, GRID, costs, 5)
    assert {s.density_g_cm3: len(chosen) for s, chosen in taken.items()} == {0.4: 6, 0.8: 6}
    del costs[HOME.state]
    with pytest.raises(StudyError, match=r"design none has no frames at 0.4 g/cm3, 200 K"):
        spend(Arm("none", "plain", 1, 12.0), own, GRID, costs, 5)


def test_arms_have_names_of_their_own_and_pairs_share_seeds() -> None:
    own = comparison(
        designs=["none", "adaptive"],
        losses=["intermolecular", "plain"],
        curriculum=Curriculum(updates=5, budgets=[6.0, 12.0]),
    )
    names = [arm.name for arm in own.arms]
    assert len(set(names)) == len(names) == 2 * 5
    assert {"none-1", "none-plain-2", "adaptive-6-1", "adaptive-1"} <= set(names)
    controls = [arm for arm in own.arms if arm.group == "adaptive-plain"]
    assert [own.buyer(arm).name for arm in controls] == ["adaptive-1", "adaptive-2"]
    groups = {arm.group for arm in own.arms}
    assert {(a.group, a.seed) for a in own.arms} == set(itertools.product(groups, (1, 2)))


def test_controls_may_be_of_some_designs() -> None:
    both: dict[str, Any] = {"losses": ["intermolecular", "plain"]}
    some = comparison(designs=["none", "density", "grid", "pool"], controls=["density"], **both)
    assert {arm.group for arm in some.arms if arm.loss == "plain"} == {"density-plain"}
    assert {arm.group for arm in some.arms if arm.loss != "plain"} == set(some.designs)
    every = comparison(designs=["none", "density", "pool"], **both)
    assert {a.group for a in every.arms if a.loss == "plain"} == {"none-plain", "density-plain"}
    for given, said in (
        ({"controls": ["grid"], **both}, r"controls = \['grid'\]: expected some of the comp"),
        ({"controls": ["pool"], "designs": ["none", "pool"], **both}, r"controls = \['pool'\]"),
        ({"controls": ["none"]}, "controls where there are several losses only; add one, or"),
        ({"controls": ["none", "none"], **both}, "names a value twice"),
    ):
        with pytest.raises(ValidationError, match=said):
            comparison(**{"designs": ["none", "density"], **given})


def test_an_arm_asks_the_one_model_that_drew_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = SimpleNamespace(content="of the pool")
    monkeypatch.setattr(label, "product", lambda context, round_number: labels)
    study = Study(INPUTS / "methane.yaml", tmp_path / "workspace")
    comparison = study.file.comparison
    assert comparison is not None
    context = study._context
    for arm in comparison.arms[:2]:
        context.memory.clear()  # whoever asks first is remembered
        own = context.of(arm)
        assert own.arm == arm.name
        assert train.product(own, 0).folder == study.workspace.model(context.own_model, 0)
