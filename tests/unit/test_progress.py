"""What a person reads while work goes on."""

import io

import pytest

from lmp_thermo import progress
from lmp_thermo.progress import Progress, duration


def test_time_left_counts_from_the_first_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting up, a compilation say, is no measure of the speed."""
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    stream = io.StringIO()
    with Progress(stream).task("train", 100.0) as task:
        now = 1000.0
        task.reach(10.0, "begun")
        now = 1050.0
        task.reach(20.0, "going on")
    assert stream.getvalue().splitlines() == [
        "train: 10%  begun",
        "train: 20%, 6 min 40 s left  going on",
        "train: done in 17 min 30 s",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (99.4, "99 s"), (99.6, "1 min 40 s"), (3599.6, "1 h 00 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
