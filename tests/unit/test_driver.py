"""What a study is refused for before any work, and how long its steps took."""

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from lmp_thermo import Study
from lmp_thermo.errors import LabelError, StudyError
from lmp_thermo.launch import machine
from lmp_thermo.products import Product
from lmp_thermo.stages import driver
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.plan import Step

INPUTS = Path(__file__).parents[2] / "inputs"


@pytest.mark.parametrize(
    ("section", "changes", "message"),
    [
        (
            "training",
            {"pair_r_max_A": {"C-X": 4.0}},
            r"own\.yaml: training\.pair_r_max_A: C-X = 4\.0, expected two of C, H",
        ),
        (
            "training",
            {"pair_r_max_A": {"C-H": 8.5}},
            r"own\.yaml: training\.pair_r_max_A: C-H = 8\.5, .* at most r_max_A = 8\.0",
        ),
        (
            "sampling",
            {"molecules": 8},
            r"own\.yaml: sampling\.molecules = 8: the label box at 0\.25 g/cm3 would be 9\.48 Å, "
            r"expected at least 10 Å .*; use more molecules",
        ),
        (
            "reference",
            {"ase": {"calculator": "ase.calculators.lj.LennardJonse"}},
            r"own\.yaml: reference\.ase\.calculator = ase\.calculators\.lj\.LennardJonse: cannot",
        ),
    ],
)
def test_refusals(tmp_path: Path, section: str, changes: dict[str, Any], message: str) -> None:
    data = yaml.safe_load((INPUTS / "methane.yaml").read_text())
    data[section].update(changes)
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(StudyError, match=message):
        Study(path, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_refused_step_does_not_end_the_status() -> None:
    def refuse() -> list[Product]:
        raise StudyError("the pool is too small")

    step = Step("train", None, refuse, refuse)
    assert step.look() == ("refused", "the pool is too small")


def test_atoms_of_molecules_are_counted_within_a_given_cutoff(tmp_path: Path) -> None:
    data = yaml.safe_load((INPUTS / "density" / "methane.yaml").read_text())
    data["comparison"]["coordination_sites"] = "atoms"
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(StudyError, match=r"coordination_cutoff_A: missing, expected a distance"):
        Study(path, tmp_path / "runs")
    data["comparison"]["coordination_cutoff_A"] = 4.0
    path.write_text(yaml.safe_dump(data))
    Study(path, tmp_path / "runs")


def test_a_step_that_fails_has_taken_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study that is ended and goes on says in the end how long all its calls took."""

    def fail() -> None:
        time.sleep(0.06)
        raise LabelError("no labels today")

    def planned(context: Context) -> list[Step]:
        missing = Product(context.workspace.path / "made", {"stage": "a test"})
        return [Step("label", None, fail, lambda: [missing])]

    monkeypatch.setattr(driver, "steps", planned)
    study = Study(INPUTS / "argon.yaml", tmp_path / "runs")
    for _ in range(2):
        with pytest.raises(LabelError, match="no labels today"):
            study.run()
    (seconds,) = study.workspace.times.values()
    assert 0.1 <= seconds < 60


def test_training_on_a_gpu_is_refused_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is drawn; a step that trains nothing, on a login node say, goes on."""
    data = yaml.safe_load((INPUTS / "argon.yaml").read_text())
    data["training"]["device"] = "cuda"
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(data))
    monkeypatch.setattr(driver, "sees_a_gpu", lambda: False)
    study = Study(path, tmp_path / "runs")
    with pytest.raises(StudyError, match=r"own\.yaml: training\.device = cuda, but torch sees no"):
        study.run()
    assert not (tmp_path / "runs").exists()

    drawn = []
    missing = Product(tmp_path / "made", {"stage": "a test"})
    step = Step("sample", 0, lambda: drawn.append(1), lambda: [missing])
    monkeypatch.setattr(driver, "steps", lambda context: [step])
    study.run()
    assert drawn


@pytest.mark.parametrize(
    ("section", "before", "after"),
    [("training", "train", "export"), ("production", "export", "deck")],
)
def test_compiling_is_refused_where_there_is_no_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str, before: str, after: str
) -> None:
    """Before anything is drawn; steps that compile nothing go on without one."""
    data = yaml.safe_load((INPUTS / "argon.yaml").read_text())
    data["training"]["compiled"] = False
    data[section]["compiled"] = True
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(data))
    study = Study(path, tmp_path / "runs")
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    message = rf"own\.yaml: {section}\.compiled = true, but there is no no-such-compiler here"
    with pytest.raises(StudyError, match=message):
        study.run()
    assert not (tmp_path / "runs").exists()

    made = []
    missing = Product(tmp_path / "made", {"stage": "a test"})
    for stage in (after, before):
        step = Step(stage, 0, lambda: made.append(1), lambda: [missing])
        monkeypatch.setattr(driver, "steps", lambda context, step=step: [step])
        if stage == after:
            study.run()
            assert made
        else:
            with pytest.raises(StudyError, match=message):
                study.run()
    monkeypatch.setenv("CXX", "")
    assert machine.compiler() == "g++"


def test_a_teacher_on_a_gpu_is_refused_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where it is still to be trained: students may train on a CPU."""
    data = yaml.safe_load((INPUTS / "density" / "argon.yaml").read_text())
    data["variants"]["students"]["comparison"]["teacher"]["training"]["device"] = "cuda"
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(data))
    monkeypatch.setattr(driver, "sees_a_gpu", lambda: False)
    study = Study(path, tmp_path / "runs", variant="students")
    with pytest.raises(StudyError, match=r"comparison\.teacher\.training\.device = cuda, but"):
        study.run()

    trained = []
    missing = Product(tmp_path / "made", {"stage": "a test"})
    step = Step("train", None, lambda: trained.append(1), lambda: [missing])
    monkeypatch.setattr(driver, "steps", lambda context: [step])
    study.run()
    assert trained


def test_a_variant_has_a_workspace_of_its_own_with_its_name_once() -> None:
    study = INPUTS / "density" / "argon.yaml"
    assert Study(study).workspace.path == Path("runs/density-argon")
    assert Study(study, variant="half").workspace.path == Path("runs/density-argon-half")
