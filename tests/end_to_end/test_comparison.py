"""A comparison of designs in miniature: pool, curriculum, arms, coverage, a run, result file."""

import io
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from lmp_thermo import Study
from lmp_thermo.cli.tables import comparison_table
from lmp_thermo.frames import read_frames
from lmp_thermo.progress import Progress
from lmp_thermo.report.comparison import write_comparison
from lmp_thermo.stages import arms, candidates, curriculum
from tests.end_to_end.miniature import STUDY
from tests.end_to_end.teachers import WIDEST_A

pytestmark = pytest.mark.end_to_end

STORED_A = 1e-6
"""Positions are stored to 1e-8 Å; two of some 1e4 distances are rarely closer by chance."""

LJ = {"sigma": 3.405, "epsilon": 0.010323, "rc": 5.0}
COMPARISON: dict[str, Any] = {
    "designs": ["clusters", "condensed", "density", "adaptive"],
    "recipes": ["scratch", "distil"],
    "teacher": {
        "calculator": "teachers.NoGas",
        "arguments": LJ,
        "designs": ["density"],
    },
    "seeds": [1, 2],
    "home": {"density_g_cm3": 1.2, "temperature_K": 240.0},
    "temperatures_K": [240.0, 300.0],
    "budget": 8,
    "largest_cluster": 4,
    "condensed_above_g_cm3": 1.0,
    "crystal_densities_g_cm3": [1.7],
    "curriculum": {"rounds": 1, "committee": 2, "updates": 30},
    "calculators": {"lj-ase": {"calculator": "ase.calculators.lj.LennardJones", "arguments": LJ}},
    "runs": {
        "designs": ["density"],
        "seeds": [2],
        "states": [{"density_g_cm3": 0.1, "temperature_K": 240.0}],
    },
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    sys.path.insert(0, str(Path(__file__).parent))  # where workers find the teacher, as a user's
    folder = tmp_path_factory.mktemp("comparison")
    values = yaml.safe_load(STUDY)
    values["grid"][0]["densities_g_cm3"] = [0.1, 0.6, 1.2]
    values["grid"][0]["temperatures_K"] = [200.0, 240.0, 300.0]
    for key in ("design", "temperature_K", "budget_frames"):
        del values["sampling"][key]
    values["sampling"]["held_out_per_cell"] = 4
    values["training"]["updates"] = [60]
    values["comparison"] = COMPARISON
    path = folder / "comparison.yaml"
    path.write_text(yaml.safe_dump(values))
    own = Study(path, folder / "workspace", progress=Progress(io.StringIO()))
    own.run()
    yield own
    sys.path.remove(str(Path(__file__).parent))


def test_every_step_is_done_and_nothing_is_done_twice(study: Study) -> None:
    assert [s.state for s in study.status()] == ["done"] * 13
    told = io.StringIO()
    Study(study.path, study.workspace.path, progress=Progress(told)).run()
    assert told.getvalue().count(": current\n") == 13
    assert ": begins" not in told.getvalue()


def test_arms_have_equal_budgets_from_one_pool_and_never_see_held_out_frames(study: Study) -> None:
    result = study.comparison()
    assert {arm["spent"] for arm in result["arms"].values()} == {8.0}
    labels = study.workspace.labels(0)
    split = json.loads((labels / "split.json").read_text())
    frames = read_frames(labels / "labels.extxyz")
    held_out = {frames[i].geometry_hash for i in split["held_out"]}
    assert len(held_out) == 9 * 4
    assert {stage.split("/")[0] for stage in result["stages"]} >= {"arm", "coverage", "curriculum"}
    for name in result["arms"]:
        folder = study.workspace.model(name, 0)
        assert (folder / "model.nequip.pth").is_file()
    context = study._context
    for arm in context.study.comparison.arms:
        trained = {frame.geometry_hash for frame in arms.training_frames(context, arm)}
        assert len(trained) == 8 or arm.recipe == "distil", arm.name  # its teacher may fail
        assert not held_out & trained, arm.name
    for buyer in candidates.buyers(context):
        for one in curriculum._trainings(context, buyer, 1):
            assert not held_out & {frame.geometry_hash for frame in one.frames}


def test_coverage_matrix(study: Study) -> None:
    result = study.comparison()
    assert list(result["matrix"]) == [
        "clusters",
        "condensed",
        "density",
        "adaptive",
        "density-distil",
    ]
    regions = {name: cell["region"] for name, cell in result["matrix"]["density"].items()}
    assert regions["rho0.6_T240"] == "in"
    assert regions["rho0.6_T300"] == "extrapolated"
    for cells in result["matrix"].values():
        for cell in cells.values():
            low, high = cell["interaction_energy"]["interval"]
            assert 0 < low <= cell["interaction_energy"]["rmse"] * 1.5
            assert low < high
            assert len(cell["passed"]) == 2


def test_what_is_judged_without_training(study: Study) -> None:
    others = study.comparison()["others"]
    for cell in others["no-interaction"]["cells"].values():
        force = cell["net_force"]
        assert force["rmse"] == pytest.approx(force["rms"], rel=1e-4)  # it has no force at all
    for cell in others["lj-ase"]["cells"].values():
        # the same potential in another code; labels are stored to 8 digits
        assert cell["passed"]
        assert cell["score"] < 1e-4


def test_clusters_and_crystals_never_come_from_held_out_frames(study: Study) -> None:
    result = study.comparison()
    regions = [cell["region"] for cell in result["matrix"]["clusters"].values()]
    assert regions == ["extrapolated"] * 9
    bought = result["arms"]["condensed-1"]["frames"]
    assert bought == {"crystal_rho1.7_T240": 2, "rho1.2_T240": 3, "rho1.2_T300": 3}
    labels = study.workspace.labels(0)
    split = json.loads((labels / "split.json").read_text())
    frames = read_frames(labels / "labels.extxyz")
    pairs = {
        part: np.concatenate([f.atoms.get_all_distances(mic=True).ravel() for f in own])
        for part, own in (
            ("training", [frames[i] for i in split["training"]]),
            ("held_out", [frames[i] for i in split["held_out"]]),
        )
    }
    clusters = read_frames(study.workspace.database_labels("clusters") / "labels.extxyz")
    dimers = [f for f in clusters if f.n_molecules == 2]
    assert len(dimers) == len(clusters) / 3  # as many as of three and of four
    for frame in dimers:
        assert not frame.atoms.pbc.any()
        distance = frame.atoms.get_distance(0, 1)
        assert np.abs(pairs["training"] - distance).min() < STORED_A
        assert np.abs(pairs["held_out"] - distance).min() > STORED_A


def test_the_teacher_and_its_student(study: Study) -> None:
    result = study.comparison()
    teacher, cells = result["others"]["teacher"], result["matrix"]["density-distil"]
    gas = {name for name in result["grid"] if name.startswith("rho0.1_")}
    assert set(result["grid"]) - set(teacher["cells"]) == set(teacher["failed"]) == gas
    for seed in (1, 2):
        own, scratch = (result["arms"][f"density{kind}-{seed}"] for kind in ("-distil", ""))
        assert own["frames"] == scratch["frames"]
        assert own["left_out"] == own["frames"]["rho0.1_T240"]
        assert own["spent"] == scratch["spent"] == 8.0
        assert own["us_per_atom"] > 0
    assert result["teacher"]["failed"] == sum(
        f.atoms.pbc.any() and f.atoms.cell.lengths().max() > WIDEST_A
        for f in read_frames(study.workspace.labels(0) / "labels.extxyz")
    )
    for name, cell in cells.items():
        if name in gas:
            assert "against_teacher" not in cell
            assert cell["region"] == "extrapolated"  # paid for, but never seen
            continue
        # the teacher is the reference in another code: both errors are the same
        for quantity in ("net_force", "interaction_energy"):
            against = cell["against_teacher"][quantity]["rmse"]
            assert against == pytest.approx(cell[quantity]["rmse"], rel=1e-3)
        assert teacher["cells"][name]["score"] < 1e-4


def test_the_curriculum_says_what_it_bought(study: Study) -> None:
    rounds = study.comparison()["curriculum"]["adaptive-1"]
    assert sum(n for own in rounds for n in own["bought"].values()) == 8
    assert rounds[-1]["stopped"] == "the budget is gone"
    assert len(rounds[-1]["scores"]) == 6  # at 200 K arms are only judged


def test_a_start_with_the_whole_budget_asks_no_committee(study: Study, tmp_path: Path) -> None:
    values = yaml.safe_load(study.path.read_text())
    values["comparison"]["curriculum"]["start_share"] = 1.0
    path = tmp_path / "comparison.yaml"
    path.write_text(yaml.safe_dump(values))
    shutil.copytree(study.workspace.path, tmp_path / "workspace")
    told = io.StringIO()
    own = Study(path, tmp_path / "workspace", progress=Progress(told))
    own.run(until="curriculum")
    assert "member" not in told.getvalue()
    start, last = (
        json.loads((own.workspace.curriculum("adaptive-1", n) / "selection.json").read_text())
        for n in (0, 1)
    )
    assert sum(map(len, start["selection"].values())) == 8
    assert last == start
    assert last["stopped"] == "the budget is gone"


def test_runs_and_environments(study: Study) -> None:
    result = study.comparison()
    run = result["runs"]["density-2"]["rho0.1_T240"]
    assert run["status"] in ("finished", "failed")
    environments = result["environments"]
    covered = {name: own["coverage"]["mean"] for name, own in environments["arms"].items()}
    assert covered["density-1"] > covered["clusters-1"]


def test_tables_and_figures_come_from_the_result_file_alone(study: Study, tmp_path: Path) -> None:
    made = study.workspace.comparison()
    written = write_comparison(made / "comparison.json", tmp_path / "again")
    figures = (
        "coverage",
        "pairs",
        "errors",
        "errors-net-force",
        "curriculum-adaptive",
        "coordination",
    )
    assert [path.name for path in written] == [
        "miniature.html",
        "miniature.md",
        *(f"miniature-{figure}.svg" for figure in figures),
    ]
    for path in written:
        assert path.read_bytes() == (made / path.name).read_bytes()
    text = written[1].read_text()
    assert "no-interaction" in text
    assert "## Students and their teacher" in text
    assert "no gas, please" in text
    assert study.workspace.report.read_bytes() == written[0].read_bytes()


def test_the_table_of_arms_on_the_terminal(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    comparison_table(study)
    lines = capsys.readouterr().out.splitlines()
    result = study.comparison()
    names = ["arm", *result["matrix"], *result["others"]]
    assert [line.split()[0] for line in lines[: len(names)]] == names
    assert lines[len(names)].startswith("With 8 frames to train on, ")
