"""A study whose own design is adaptive: it labels what its curriculum buys, and nothing else."""

import shutil
from pathlib import Path

import pytest
import yaml

from lmp_thermo import Study
from lmp_thermo.errors import LabelError, StudyError
from lmp_thermo.products import Product, read_json
from lmp_thermo.stages import curriculum, label
from lmp_thermo.stages.candidates import buyers, candidates
from tests.end_to_end.miniature import STUDY

BUDGET, HELD_OUT = 9, 2


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The miniature with an adaptive design, until its model is trained."""
    folder = tmp_path_factory.mktemp("adaptive")
    asked = yaml.safe_load(STUDY)
    asked["sampling"]["design"] = "adaptive"
    del asked["sampling"]["temperature_K"]
    asked["sampling"]["budget_frames"] = BUDGET
    asked["sampling"]["curriculum"] = {
        "start_share": 0.5,
        "rounds": 2,
        "committee": 2,
        "updates": 40,
        "most_share": 0.6,
        "target": 0.001,
    }
    asked["training"]["updates"] = [60]
    path = folder / "adaptive.yaml"
    path.write_text(yaml.safe_dump(asked))
    study = Study(path, folder / "runs")
    study.run(until="train")
    return study


def test_only_what_was_bought_is_labelled(study: Study) -> None:
    context = study._context
    bought = curriculum.own_selection(context)
    assert sum(map(len, bought.values())) == BUDGET
    tool, found = label.labeller(context), candidates(context)
    for state, frames in found.frames.items():
        assert len(frames) == 12  # twice what a cell may get at most
        for index, frame in enumerate(frames):
            if index in bought[state]:
                tool.seconds(frame)
            else:
                with pytest.raises(LabelError):
                    tool.seconds(frame)


def test_the_model_is_trained_on_what_was_bought_and_judged_on_the_rest(study: Study) -> None:
    context = study._context
    frames, split = label.labelled(context, 0)
    assert len(split["training"]) == BUDGET
    assert len(split["held_out"]) == HELD_OUT * len(context.study.states)
    found = candidates(context)
    wanted = {
        found.frames[state][index].atoms.positions.tobytes()
        for state, own in curriculum.own_selection(context).items()
        for index in own
    }
    assert {frames[i].atoms.positions.tobytes() for i in split["training"]} == wanted
    assert not {frames[i].atoms.positions.tobytes() for i in split["held_out"]} & wanted


def test_it_says_what_it_expected_and_why_it_stopped(study: Study) -> None:
    context = study._context
    arm = buyers(context)[0]
    rounds = [
        read_json(curriculum.product(context, arm, n).folder / curriculum.SELECTION)
        for n in range(3)
    ]
    assert [one["stopped"] for one in rounds] == [None, None, "the budget is gone"]
    assert [sum(one["bought"][str(n)].values()) for n, one in enumerate(rounds)] == [4, 2, 3]
    assert set(rounds[2]["calibration"]) == {
        "net_force",
        "interaction_energy_per_atom",
        "molecular_pressure_bar",
    }
    assert all(score > 0 for score in rounds[2]["scores"].values())


def test_a_committee_belongs_to_the_frames_and_not_to_their_places(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other labels at the same places make other members: purchases hold places only."""
    context = study._context
    members = curriculum._committee(context, buyers(context)[0], 1)
    assert {made.state for made in members} == {"current"}
    start = curriculum.product(context, buyers(context)[0], 0)  # the same purchase
    monkeypatch.setattr(curriculum, "product", lambda *given: start)
    monkeypatch.setattr(curriculum, "sources_of_candidates", lambda context: ["others"])
    again = curriculum._committee(context, buyers(context)[0], 1)
    assert [made.folder for made in again] == [made.folder for made in members]
    assert {made.state for made in again} == {"stale"}


def test_the_start_depends_on_the_model_s_cutoffs_and_committees_not_on_the_last_training(
    study: Study, tmp_path: Path
) -> None:
    def products(**changes: object) -> list[Product]:
        asked = yaml.safe_load(study.path.read_text())
        asked["training"].update(changes)
        path = tmp_path / "adaptive.yaml"
        path.write_text(yaml.safe_dump(asked))
        context = Study(path, study.workspace.path)._context
        arm = buyers(context)[0]
        start = curriculum.product(context, arm, 0)
        committee = curriculum._committee(context, arm, 1) if start.state == "current" else []
        return [start, *committee]

    assert [made.state for made in products(updates=[90])] == ["current"] * 3
    assert [made.state for made in products(r_max_A=5.5)] == ["stale"]


def test_nothing_is_done_twice(study: Study) -> None:
    states = {step.name: step.state for step in study.steps}
    assert [states[name] for name in ("sample, round 0", "curriculum", "label, round 0")] == [
        "done"
    ] * 3
    planned = {step.step: step.work for step in study.plan()}
    assert planned["label, round 0"] == f"{BUDGET + HELD_OUT * 2} frames"
    assert planned["curriculum"] == f"4 committee members of 40 updates, {BUDGET} labels"


def test_it_stops_where_every_cell_is_expected_to_be_right(study: Study, tmp_path: Path) -> None:
    shutil.copytree(study.workspace.path, tmp_path / "runs")  # its committees are current
    asked = yaml.safe_load(study.path.read_text())
    asked["sampling"]["curriculum"]["target"] = 1e6
    path = tmp_path / "adaptive.yaml"
    path.write_text(yaml.safe_dump(asked))
    other = Study(path, tmp_path / "runs")
    other.run(until="curriculum")
    context = other._context
    rounds = curriculum.rounds(context, buyers(context)[0])
    assert [sum(one["bought"].values()) for one in rounds] == [4, 2, 0]
    assert rounds[-1]["stopped"] == "every cell is expected below 1e+06 of its limit"


def test_a_curriculum_belongs_to_an_adaptive_design(tmp_path: Path) -> None:
    for change, expected in (
        ({"design": "grid", "curriculum": {"updates": 5}}, "exactly where sampling.design is"),
        ({"design": "adaptive"}, "exactly where sampling.design is"),
        ({"design": "adaptive", "curriculum": {"updates": 5, "budgets": [4]}}, "several budgets"),
    ):
        asked = yaml.safe_load(STUDY)
        del asked["sampling"]["temperature_K"]
        asked["sampling"].update(change)
        path = tmp_path / "asked.yaml"
        path.write_text(yaml.safe_dump(asked))
        with pytest.raises(StudyError, match=expected):
            Study(path, tmp_path / "runs")
