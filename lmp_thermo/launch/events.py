"""What is told of runs while they go, and when they have ended."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["finished", "failed", "interrupted"]


@dataclass(frozen=True)
class RunResult:
    """How the run of a deck ended.

    Args:
        folder: of the deck.
        status: ``finished``, ``failed`` (it would fail again) or ``interrupted`` (it goes on
            when started again).
        cause: one line, empty for a finished run.
        seconds: time spent in this call; 0 where the deck was not run.
        ns_per_day: speed in this call; None where nothing was run.
        steps: where the run stands.
    """

    folder: Path
    status: Status
    cause: str
    seconds: float
    ns_per_day: float | None
    steps: int


@dataclass(frozen=True)
class RunEvent:
    """Something that happened to a run.

    Args:
        folder: of the deck.
        kind: ``started``, ``step`` (it got further), ``fallback`` (its last restart file is
            damaged; it goes on from the one before) or ``ended``.
        step: where the run stands.
        last_step: where it ends.
        ns_per_day: speed since it was started; None before it is known.
        result: of an ended run.
    """

    folder: Path
    kind: Literal["started", "step", "fallback", "ended"]
    step: int
    last_step: int
    ns_per_day: float | None = None
    result: RunResult | None = None


OnEvent = Callable[[RunEvent], None]
