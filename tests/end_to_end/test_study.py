"""A study from its file to its report, twice, changed, and killed on the way."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lmp_thermo import Study
from lmp_thermo.analysis.thermo import read_run_thermo
from lmp_thermo.errors import PotentialError, WorkspaceError
from lmp_thermo.potential.card import read_card
from lmp_thermo.progress import Progress
from lmp_thermo.stages.covers import covers
from lmp_thermo.stages.external import check_folder, export_folder
from lmp_thermo.stages.parity import TOLERANCES
from lmp_thermo.stages.plan import STAGES
from lmp_thermo.states import StatePoint
from tests.end_to_end.miniature import write_study

pytestmark = pytest.mark.end_to_end

COMMAND = [sys.executable, "-c", "from lmp_thermo.cli import main; main()"]
REPRODUCIBLE = ("*.extxyz", "split.json", "in.lmp", "data.lmp", "references.json")
"""Frames, labels, splits and decks must be the same byte for byte."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study")


@pytest.fixture(scope="module")
def finished(folder: Path) -> Iterator[Study]:
    """The study, carried out once without interruption."""
    with (folder / "progress.txt").open("w") as stream:
        study = Study(write_study(folder), folder / "workspace", progress=Progress(stream))
        study.run()
        yield study


def fingerprint(workspace: Path) -> dict[str, str]:
    """Hashes of all files that a study promises to reproduce."""
    return {
        str(path.relative_to(workspace)): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in REPRODUCIBLE
        for path in sorted(workspace.rglob(pattern))
        if "store" not in path.parts and "validation" not in path.parts
    }


def test_every_step_is_done(finished: Study) -> None:
    steps = [
        "sample, round 0",
        "label, round 0",
        "train, round 0",
        *STAGES[STAGES.index("export") :],
    ]
    assert {state.step: state.state for state in finished.status()} == dict.fromkeys(steps, "done")


def test_the_products_are_there(finished: Study) -> None:
    observables = finished.observables()
    assert set(observables) == {"rho0.1_T240", "rho1.2_T240"}
    liquid = observables["rho1.2_T240"]
    assert {"pressure", "temperature", "potential_energy", "energy_drift"} <= set(liquid)
    assert liquid["density"]["value"] == pytest.approx(1.2, rel=1e-6)  # printed with 15 digits
    cells = finished.validation()
    for cell in cells.values():
        assert cell["run"]["status"] == "finished"
        assert cell["errors"]["net_force"]["rmse"] < cell["no_interaction"]["net_force"][
            "rmse"
        ] or (cell["density_g_cm3"] < 1)
    page = finished.workspace.report.read_text()
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "<script src" not in page
    assert "http://" not in page.replace("http://www.w3.org/", "")


def test_parity_is_recorded_for_every_density(finished: Study) -> None:
    potential = finished.workspace.potential("density-scratch-3")
    (rows,) = json.loads((potential / "parity.json").read_text()).values()
    assert {row["density_g_cm3"] for row in rows} == {0.1, 1.2}


def test_the_envelopes_say_what_the_cells_did(finished: Study, folder: Path) -> None:
    potential = finished.workspace.potential("density-scratch-3")
    validation = finished.workspace.validation("density-scratch-3")
    card, told = read_card(potential), (folder / "progress.txt").read_text()
    assert card.envelope is not None
    assert card.envelope.coordination is not None
    assert "first minimum of g(r) of centres at 1.2 g/cm3, 240 K" in (
        card.envelope.coordination.source
    )
    for cell in finished.validation().values():
        state = StatePoint(cell["density_g_cm3"], cell["temperature_K"])
        answer = covers(potential, state, validation)
        assert (answer.covered, answer.envelope) == (cell["verdict"]["passed"], "final")
        assert covers(potential, state).reasons == card.outside(state)
        assert (f"{state}: outside the envelope" in told) == bool(card.outside(state))
    thin, dense = card.envelope.cells
    # 240 K is far above critical: neighbours within a radius grow about like the density.
    assert 5.0 < dense.neighbours / thin.neighbours < 20.0


def test_the_run_is_judged_by_the_pressure_of_the_reference_s_own(finished: Study) -> None:
    for cell in finished.validation().values():
        (row,) = (row for row in cell["comparison"] if row["name"] == "pressure")
        (check,) = (c for c in cell["verdict"]["checks"] if c["name"] == "pressure of the run")
        if row["agrees"] is not None:
            assert check["value"] == abs(row["potential"] - row["reference"])
        if check["passed"] is not None:
            assert check["passed"] is (check["value"] <= check["limit"])


def test_a_second_run_does_nothing(finished: Study) -> None:
    before = {p: p.stat().st_mtime_ns for p in finished.workspace.path.rglob("product.json")}
    finished.run()
    after = {p: p.stat().st_mtime_ns for p in finished.workspace.path.rglob("product.json")}
    assert before == after


def test_a_change_redoes_what_depends_on_it(finished: Study, folder: Path) -> None:
    changed = folder / "changed.yaml"
    text = write_study(folder).read_text()
    changed.write_text(text.replace("production_ps: 1.0", "production_ps: 1.25"))
    states = {s.step: s.state for s in Study(changed, finished.workspace.path).status()}
    assert states["export"] == "done"
    assert states["deck"] == "stale"
    changed.write_text(text.replace("segment_ps: 0.25", "segment_ps: 0.25\n  compiled: true"))
    states = {s.step: s.state for s in Study(changed, finished.workspace.path).status()}
    assert states["train, round 0"] == "done"
    assert states["export"] == "stale"
    changed.write_text(text.replace("updates: [500]", "updates: [501]"))
    states = {s.step: s.state for s in Study(changed, finished.workspace.path).status()}
    assert states["label, round 0"] == "done"
    assert states["train, round 0"] == "stale"


def test_two_runs_in_one_workspace(finished: Study) -> None:
    with (
        finished.workspace.locked(),
        pytest.raises(WorkspaceError, match="in use by process"),
    ):
        finished.run()


def test_corrupt_labels_are_noticed(finished: Study, tmp_path: Path) -> None:
    labels = finished.workspace.labels(0) / "labels.extxyz"
    models = finished.workspace.path / "models"
    whole = labels.read_bytes()
    models.rename(tmp_path / "models")
    try:
        labels.write_bytes(whole[:-20])
        with pytest.raises(WorkspaceError, match=r"labels\.extxyz: missing or corrupt"):
            finished.run(until="train")
    finally:
        labels.write_bytes(whole)
        if models.exists():
            shutil.rmtree(models)
        (tmp_path / "models").rename(models)


def test_any_checkpoint_is_exported_and_checked(finished: Study, tmp_path: Path) -> None:
    (checkpoint,) = finished.workspace.path.glob("models/*/round-0/final.ckpt")
    out = export_folder(checkpoint, tmp_path / "potential")
    checked = check_folder(out)
    rows = checked["model.nequip.pth"]
    assert len(rows) == 3
    assert len(checked) == 1
    assert max(row.force_eV_A for row in rows) <= TOLERANCES["float32"].force_eV_A
    assert "no envelope" in read_card(out).outside(StatePoint(0.1, 240.0))[0]
    with pytest.raises(PotentialError, match="exists already"):
        export_folder(checkpoint, out)
    (out / "model.nequip.pth").write_bytes(b"another model")
    with pytest.raises(PotentialError, match="not the file that the card was written for"):
        check_folder(out)


@pytest.mark.slow
def test_any_checkpoint_is_compiled_and_checked(finished: Study, tmp_path: Path) -> None:
    (checkpoint,) = finished.workspace.path.glob("models/*/round-0/final.ckpt")
    out = export_folder(checkpoint, tmp_path / "potential", compiled="cpu")
    checked = check_folder(out)
    assert set(checked) == {"model.nequip.pth", "model.nequip.pt2"}
    for rows in checked.values():
        assert len(rows) == 3
        assert max(row.force_eV_A for row in rows) <= TOLERANCES["float32"].force_eV_A
    (out / "model.nequip.pt2").write_bytes(b"another model")
    with pytest.raises(PotentialError, match=r"pt2: missing, or not the file"):
        check_folder(out)


@pytest.mark.slow
def test_runs_with_a_compiled_model(finished: Study, folder: Path, tmp_path: Path) -> None:
    """The same runs from the same positions and velocities: they begin with the same energies."""
    workspace = tmp_path / "workspace"
    shutil.copytree(finished.workspace.path, workspace)
    path = folder / "compiled.yaml"
    text = write_study(folder).read_text()
    path.write_text(text.replace("segment_ps: 0.25", "segment_ps: 0.25\n  compiled: true"))
    study = Study(path, workspace)
    study.run(until="simulate")
    potential = workspace / "potentials/density-scratch-3"
    assert set(json.loads((potential / "parity.json").read_text())) == {
        "model.nequip.pth",
        "model.nequip.pt2",
    }
    for state in (StatePoint(0.1, 240.0), StatePoint(1.2, 240.0)):
        found = study.workspace.production("density-scratch-3", state)
        assert "model.nequip.pt2" in (found / "in.lmp").read_text()
        own = read_run_thermo(found)
        other = read_run_thermo(finished.workspace.path / found.relative_to(workspace))
        assert own.steps.tolist() == other.steps.tolist()
        first = 5  # rows: float32 sums in another order, before the runs part
        limit = TOLERANCES["float32"].energy_eV_atom * 32
        assert own["PotEng"][:first] == pytest.approx(other["PotEng"][:first], abs=limit)


def test_killed_at_any_moment_it_ends_the_same(
    finished: Study, folder: Path, tmp_path: Path
) -> None:
    """SIGKILL of the command at random moments; the same command goes on to the same result."""
    workspace = tmp_path / "workspace"
    command = [*COMMAND, "run", str(write_study(folder)), "--workspace", str(workspace)]
    rng = random.Random(5)
    for _ in range(5):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=rng.uniform(6.0, 25.0))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    time.sleep(1.0)
    assert not _writers(workspace), "an orphan goes on writing"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "cells passed" in done.stdout
    assert fingerprint(workspace) == fingerprint(finished.workspace.path)
    assert not list(workspace.rglob(".*.making"))
    mine, other = (weights(path) for path in (workspace, finished.workspace.path))
    assert mine.keys() == other.keys()
    assert all(torch.equal(mine[name], other[name]) for name in mine)


def weights(workspace: Path) -> dict[str, torch.Tensor]:
    """Weights of the trained model; the checkpoint itself holds wall times too."""
    (path,) = workspace.glob("models/*/round-0/final.ckpt")
    state: dict[str, torch.Tensor] = torch.load(path, weights_only=False)["state_dict"]
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def _writers(workspace: Path) -> list[int]:
    """Processes that work in the workspace."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(workspace) in os.readlink(process / "cwd"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_errors_are_one_line(folder: Path, tmp_path: Path) -> None:
    study = write_study(folder)
    for arguments, message in (
        (["run", str(tmp_path / "none.yaml")], "no such file"),
        (["train", str(study), "--workspace", str(tmp_path / "w")], "needs 'sample, round 0'"),
        (["run", str(study), "--until", "bake"], "stage: got 'bake'"),
        (["run", str(study), "--workspace", "/proc/none"], "cannot be written"),
        (
            ["run", str(study), "--workspace", str(tmp_path / "w"), "--lmp", "/none/lmp"],
            "no such program",
        ),
    ):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        last = done.stderr.strip().splitlines()[-1]
        assert message in last
        assert "Traceback" not in done.stderr
