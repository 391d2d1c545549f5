"""Which labelled frames train and which only judge, through frames that get no label."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from lmp_thermo.frames import MOLECULE, Frame, Tags, read_frames, write_frames
from lmp_thermo.products import read_json
from lmp_thermo.progress import Progress
from lmp_thermo.reference import LabelFailure
from lmp_thermo.sampling.designs import CellPlan
from lmp_thermo.stages import label, sample
from lmp_thermo.states import StatePoint

GAS, LIQUID = StatePoint(0.1, 300.0), StatePoint(1.2, 300.0)


def drawn(state: StatePoint, count: int) -> list[Frame]:
    """Frames of two atoms that are told apart by their distance, in the order of time."""
    found = []
    for index in range(count):
        distance = 3.0 + state.density_g_cm3 + 0.01 * index
        atoms = Atoms("Ar2", positions=[[0, 0, 0], [0, 0, distance]], cell=[9.0] * 3, pbc=True)
        atoms.set_array(MOLECULE, np.arange(2))
        found.append(
            Frame(atoms, Tags(state.density_g_cm3, state.temperature_K, "MD", 0, 1, index))
        )
    return found


class Refusing:
    """A labeller that refuses some frames, by state point and place in time."""

    def __init__(self, refused: set[tuple[StatePoint, int]]) -> None:
        self.refused = refused

    def label(self, frames: Sequence[Frame], done: Callable[[Any], None]) -> list[Any]:
        """Energies of nothing."""
        found: list[Any] = []
        for frame in frames:
            state = StatePoint(frame.tags.density_g_cm3, frame.tags.temperature_K)
            if (state, frame.tags.index) in self.refused:
                found.append(LabelFailure(frame, "it would not converge"))
            else:
                zero = np.zeros((2, 3))
                found.append(frame.labelled("none", 0.0, zero, None, 0.0, zero))
            done(found[-1])
        return found


def carried_out(
    folder: Path, monkeypatch: pytest.MonkeyPatch, refused: set[tuple[StatePoint, int]]
) -> tuple[list[Frame], dict[str, list[int]], list[dict[str, Any]]]:
    """Label six training and two held-out frames of each of two cells, two of each to spare."""
    plans = [CellPlan(state, training=6, held_out=2) for state in (GAS, LIQUID)]
    for plan in plans:
        (folder / plan.state.name).mkdir(parents=True)
        write_frames(folder / plan.state.name / sample.FRAMES, drawn(plan.state, plan.drawn))
    context: Any = SimpleNamespace(
        study=SimpleNamespace(sampling=SimpleNamespace(molecule_frames=0)),
        adaptive=False,
        plan=lambda number: plans,
        workspace=SimpleNamespace(frames=lambda number, state: folder / state.name),
        progress=Progress(io.StringIO()),
    )
    monkeypatch.setattr(label, "labeller", lambda context: Refusing(refused))
    monkeypatch.setattr(label, "check_repeatable", lambda context, number: None)
    label._label(context, 0, folder)
    return (
        read_frames(folder / label.LABELS),
        read_json(folder / label.SPLIT),
        read_json(folder / label.FAILURES),
    )


def places(frames: list[Frame], indices: list[int], state: StatePoint) -> list[int]:
    """Places in time of some frames of a cell."""
    tags = [frames[index].tags for index in indices]
    return sorted(t.index for t in tags if t.density_g_cm3 == state.density_g_cm3)


def test_no_frame_both_trains_and_judges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, split, failures = carried_out(tmp_path, monkeypatch, set())
    assert sorted([*split["training"], *split["held_out"]]) == list(range(16))
    assert not failures
    for state in (GAS, LIQUID):  # the middles of two halves of the time; spares are not labelled
        assert places(frames, split["held_out"], state) == [2, 6]
        assert places(frames, split["training"], state) == [0, 1, 3, 4, 5, 7]
    seen = {name: {float(frames[i].atoms.positions[1, 2]) for i in split[name]} for name in split}
    assert not seen["training"] & seen["held_out"]
    assert len(seen["training"]) == 12


def test_a_frame_in_place_of_another_has_its_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two spares of the liquid take the places of two refused frames; a third is lost."""
    refused = {(LIQUID, 1), (LIQUID, 6), (LIQUID, 7)}
    frames, split, failures = carried_out(tmp_path, monkeypatch, refused)
    assert sorted([*split["training"], *split["held_out"]]) == list(range(15))
    assert places(frames, split["training"], LIQUID) == [0, 3, 4, 5, 8]
    assert places(frames, split["held_out"], LIQUID) == [2, 9]
    assert places(frames, split["held_out"], GAS) == [2, 6]
    order = sorted(failures, key=lambda failure: failure["index"])
    assert [failure["replaced_by"] for failure in order] == [8, 9, None]
    assert {failure["state"] for failure in failures} == {LIQUID.name}


@pytest.mark.parametrize(("training", "held_out"), [(7, 3), (1, 4), (20, 1), (5, 5)])
def test_as_many_frames_of_each_role_as_planned(training: int, held_out: int) -> None:
    roles = label._roles(CellPlan(GAS, training, held_out))
    assert (roles.count("training"), roles.count("held_out")) == (training, held_out)
    apart = np.diff([place for place, role in enumerate(roles) if role == "held_out"])
    assert np.all(np.abs(apart - len(roles) / held_out) < 1)  # evenly over time
