"""Teachers that cannot label what they are asked about."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lmp_thermo.errors import PotentialError, TrainingError
from lmp_thermo.frames import Frame, read_frames
from lmp_thermo.potential.evaluate import Prediction
from lmp_thermo.progress import Progress
from lmp_thermo.reference import LabelFailure
from lmp_thermo.stages import label, teacher
from lmp_thermo.states import StatePoint
from tests.unit.analysis.frames import ideal_gas

LARGEST_FORCE = 5.0


@pytest.fixture
def frames() -> list[Frame]:
    random = np.random.default_rng(3)
    return [
        ideal_gas(random, 6, np.diag([9.0, 10.0, 11.0]), state=StatePoint(k / 10, 200.0))
        for k in (1, 2, 3)
    ]


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch, frames: list[Frame]) -> Any:
    """A study with a teacher that is a calculator."""
    monkeypatch.setattr(teacher, "everything", lambda context: frames)
    monkeypatch.setattr(teacher, "teacher_of", lambda context: context.teacher)
    return SimpleNamespace(
        teacher=SimpleNamespace(training=None),
        progress=Progress(io.StringIO()),
        study=SimpleNamespace(reference=SimpleNamespace(max_force_eV_A=LARGEST_FORCE)),
    )


def failing(*, first: bool) -> Any:
    """A labeller that fails on the first frame, or on all."""

    def of(frames: list[Frame], on_done: Any) -> list[Frame | LabelFailure]:
        zero = np.zeros((6, 3))
        return [
            LabelFailure(frame, "no such element")
            if number == 0 or not first
            else frame.labelled("t", 1.0, zero, None, 0.0, zero)
            for number, frame in enumerate(frames)
        ]

    return lambda context: SimpleNamespace(label=of)


def test_one_that_fails_on_everything_is_refused(
    monkeypatch: pytest.MonkeyPatch, context: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(teacher, "labeller", failing(first=False))
    with pytest.raises(TrainingError, match="failed on all 3 frames; first cause: no such element"):
        teacher._label(context, tmp_path)


def test_one_that_fails_on_some_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, context: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(teacher, "labeller", failing(first=True))
    told = io.StringIO()
    context.progress = Progress(told)
    teacher._label(context, tmp_path)
    assert "teacher: failed on 1 of 3 frames" in told.getvalue()
    assert [f.tags.density_g_cm3 for f in read_frames(tmp_path / label.LABELS)] == [0.2, 0.3]
    (cause,) = json.loads((tmp_path / label.FAILURES).read_text())
    assert cause["cause"] == "no such element"


def test_a_model_whose_force_is_too_large_fails_there(
    monkeypatch: pytest.MonkeyPatch, context: Any, frames: list[Frame], tmp_path: Path
) -> None:
    """And one that cannot be evaluated; the limit itself is allowed."""
    largest = {0.1: LARGEST_FORCE, 0.2: 1.01 * LARGEST_FORCE}

    class Model:
        def __init__(self, path: Path, threads: int) -> None:
            pass

        def evaluate(self, asked: list[Frame]) -> list[Prediction]:
            (frame,) = asked
            density = frame.tags.density_g_cm3
            if density not in largest:
                raise PotentialError("out of memory")
            forces = np.zeros((6, 3))
            forces[4, 1] = -largest[density]
            return [Prediction(2.5, forces, np.arange(6.0), 1.5, 0.1 * forces)]

    monkeypatch.setattr(teacher, "Evaluator", Model)
    monkeypatch.setattr(teacher, "model_product", lambda context: SimpleNamespace(folder=tmp_path))
    found = list(teacher._by_model(context, frames))
    first, *failed = found
    assert isinstance(first, Frame)
    assert (first.energy, first.alone_energy, first.tags.fidelity) == (2.5, 1.5, teacher.NAME)
    causes = [own.cause for own in failed if isinstance(own, LabelFailure)]
    assert causes == [
        "force of 5.05 eV/Å, expected at most reference.max_force_eV_A = 5",
        "out of memory",
    ]
