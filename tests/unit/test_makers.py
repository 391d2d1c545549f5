"""Studies that share a workspace do not replace what another one has made."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lmp_thermo import Study
from lmp_thermo.errors import WorkspaceError
from lmp_thermo.products import Product
from lmp_thermo.stages import makers
from lmp_thermo.stages.plan import Step
from lmp_thermo.stages.workspace import Workspace

ARGON = Path(__file__).parents[2] / "inputs" / "density" / "argon.yaml"


def step(workspace: Workspace, sources: dict[str, int], stage: str = "train") -> Step:
    """A step that makes a model of each name, from its number."""

    def products() -> list[Product]:
        return [Product(workspace.path / "models" / name, {"n": n}) for name, n in sources.items()]

    def make() -> None:
        for product in products():
            if product.state != "current":
                with product.making() as folder:
                    (folder / "model").write_text(str(product.sources))

    return Step(stage, None, make, products)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def carry_out(workspace: Workspace) -> Callable[[str, Step], None]:
    """As the driver does it."""

    def done(study: str, own: Step) -> None:
        makers.check(workspace, study, [own])
        with makers.recorded(workspace, study, own):
            own.make()

    return done


def test_a_study_replaces_what_is_its_own_alone(
    workspace: Workspace, carry_out: Callable[[str, Step], None]
) -> None:
    carry_out("base", step(workspace, {"a": 1, "b": 2}))
    carry_out("variant", step(workspace, {"a": 1, "c": 3}))
    assert json.loads(workspace.makers.read_text()) == {
        "models/a": "base",
        "models/b": "base",
        "models/c": "variant",
    }
    carry_out("base", step(workspace, {"a": 1, "b": 20}))
    carry_out("variant", step(workspace, {"a": 1, "c": 30}))
    kept = (workspace.path / "models" / "b" / "model").read_text()
    with pytest.raises(WorkspaceError, match=r"variant would make models/b anew, which base made"):
        carry_out("variant", step(workspace, {"b": 5}))
    assert (workspace.path / "models" / "b" / "model").read_text() == kept
    carry_out("variant", step(workspace, {"b": 5}, stage="compare"))  # made in no time


def test_what_nobody_is_known_to_have_made_may_be_replaced(
    workspace: Workspace, carry_out: Callable[[str, Step], None]
) -> None:
    step(workspace, {"a": 1}).make()
    carry_out("variant", step(workspace, {"a": 2}))
    assert json.loads(workspace.makers.read_text()) == {"models/a": "variant"}


def test_what_was_made_before_a_step_failed_is_recorded(workspace: Workspace) -> None:
    own = step(workspace, {"a": 1})

    def fail() -> None:
        own.make()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), makers.recorded(workspace, "base", own):
        fail()
    assert json.loads(workspace.makers.read_text()) == {"models/a": "base"}


def test_what_a_killed_run_left_is_recorded_when_it_goes_on(
    workspace: Workspace, carry_out: Callable[[str, Step], None]
) -> None:
    step(workspace, {"a": 1}).make()  # and was killed before anybody wrote it down
    carry_out("base", step(workspace, {"a": 1, "b": 2}))
    with pytest.raises(WorkspaceError, match="variant would make models/a anew, which base made"):
        carry_out("variant", step(workspace, {"a": 3}))


def test_a_variant_is_refused_before_any_work(tmp_path: Path) -> None:
    base = Study(ARGON, tmp_path / "runs")
    folder = base.steps[0].products()[0].folder
    folder.mkdir(parents=True)
    marker = json.dumps({"key": "of other sources", "content": "0", "files": {}})
    (folder / "product.json").write_text(marker)
    place = folder.relative_to(tmp_path / "runs").as_posix()
    (tmp_path / "runs" / "makers.json").write_text(json.dumps({place: "density-argon"}))
    other = Study(ARGON, tmp_path / "runs", variant="half")
    with pytest.raises(WorkspaceError, match=r"density-argon-half would make frames/.* anew"):
        other.run(until="sample")
    assert (folder / "product.json").read_text() == marker
