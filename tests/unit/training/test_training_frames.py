"""Which labelled frames train the model of a round."""

from types import SimpleNamespace

import pytest

from lmp_thermo.stages import train


def _frame(round_number: int, origin: str) -> SimpleNamespace:
    return SimpleNamespace(tags=SimpleNamespace(round=round_number, origin=origin))


POOL = [
    [_frame(0, "packed"), _frame(0, "molecule"), _frame(0, "packed")],
    [_frame(1, "model-md"), _frame(1, "packed"), _frame(1, "model-md")],
]
HELD_OUT = 2
"""Index of a frame in each round that only judges."""


@pytest.mark.parametrize(
    ("round_number", "packed_frames", "expected"),
    [
        (0, "first-round", [(0, "packed"), (0, "molecule")]),
        (1, "first-round", [(0, "molecule"), (1, "model-md"), (1, "packed")]),
        (1, "all", [(0, "packed"), (0, "molecule"), (1, "model-md"), (1, "packed")]),
    ],
)
def test_first_frames_leave_when_runs_have_drawn_better_ones(
    monkeypatch: pytest.MonkeyPatch,
    round_number: int,
    packed_frames: str,
    expected: list[tuple[int, str]],
) -> None:
    split = {"training": [0, 1], "held_out": [HELD_OUT]}
    monkeypatch.setattr(train.label, "labelled", lambda _, number: (POOL[number], split))
    training = SimpleNamespace(packed_frames=packed_frames)
    context = SimpleNamespace(study=SimpleNamespace(training=training))
    frames = train.training_frames(context, round_number)
    assert [(f.tags.round, f.tags.origin) for f in frames] == expected
