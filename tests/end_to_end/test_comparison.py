"""A comparison of designs in miniature: pool, curriculum, arms, coverage, a run, result file."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lmp_thermo import Study
from lmp_thermo.cli.tables import comparison_table
from lmp_thermo.frames import read_frames
from lmp_thermo.progress import Progress
from lmp_thermo.report.comparison import write_comparison
from tests.end_to_end.miniature import STUDY

pytestmark = pytest.mark.end_to_end

LJ = {"sigma": 3.405, "epsilon": 0.010323, "rc": 5.0}
COMPARISON: dict[str, Any] = {
    "designs": ["none", "density", "adaptive"],
    "seeds": [1, 2],
    "home": {"density_g_cm3": 1.2, "temperature_K": 240.0},
    "temperatures_K": [240.0, 300.0],
    "budget": 8,
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
    return own


def test_every_step_is_done_and_nothing_is_done_twice(study: Study) -> None:
    assert [s.state for s in study.status()] == ["done"] * 11
    told = io.StringIO()
    Study(study.path, study.workspace.path, progress=Progress(told)).run()
    assert told.getvalue().count(": current\n") == 11
    assert ": begins" not in told.getvalue()


def test_arms_have_equal_budgets_from_one_pool_and_never_see_held_out_frames(study: Study) -> None:
    result = study.comparison()
    assert {arm["spent"] for arm in result["arms"].values()} == {8.0}
    labels = study.workspace.labels(0)
    split = json.loads((labels / "split.json").read_text())
    frames = read_frames(labels / "labels.extxyz")
    held_out = {frames[i].geometry_hash for i in split["held_out"]}
    assert len(held_out) == 9 * 4
    for name in result["arms"]:
        folder = study.workspace.model(name, 0)
        assert (folder / "model.nequip.pth").is_file()
    assert not held_out & {frames[i].geometry_hash for i in split["training"]}


def test_coverage_matrix(study: Study) -> None:
    result = study.comparison()
    assert list(result["matrix"]) == ["none", "density", "adaptive"]
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


def test_the_curriculum_says_what_it_bought(study: Study) -> None:
    rounds = study.comparison()["curriculum"]["adaptive-1"]
    assert sum(n for own in rounds for n in own["bought"].values()) == 8
    assert rounds[-1]["stopped"] == "the budget is gone"
    assert len(rounds[-1]["scores"]) == 6  # at 200 K arms are only judged


def test_runs_and_environments(study: Study) -> None:
    result = study.comparison()
    run = result["runs"]["density-2"]["rho0.1_T240"]
    assert run["status"] in ("finished", "failed")
    environments = result["environments"]
    covered = {name: own["coverage"]["mean"] for name, own in environments["arms"].items()}
    assert covered["density-1"] > covered["none-1"]


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
    assert "no-interaction" in written[1].read_text()
    assert study.workspace.report.read_bytes() == written[0].read_bytes()


def test_the_table_of_arms_on_the_terminal(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    comparison_table(study)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:6]] == [
        "arm",
        "none",
        "density",
        "adaptive",
        "no-interaction",
        "lj-ase",
    ]
    assert lines[6].startswith("With 8 frames to train on, ")
