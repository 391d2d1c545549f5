"""Progress of long work on standard error: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

LINE_EVERY_S = 15.0


class Task(Protocol):
    """Work with a known amount."""

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        """Some of it is done."""

    def reach(self, done: float, note: str = "") -> None:
        """This much of it is done."""


class Progress:
    """Tells a person what happens, how far it is and how long it will take.

    Args:
        stream: where to.
        quiet: only notes, no bars or lines about progress.
    """

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._quiet = quiet

    def note(self, text: str) -> None:
        """One line that stays."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def task(self, title: str, total: float) -> Iterator[Task]:
        """Follow work of `total` units; leaves one line with the time it took."""
        started = time.monotonic()
        if self._quiet:
            yield _Silent()
        elif self._stream.isatty():
            with _bar(title, total, self._stream) as task:
                yield task
        else:
            yield _Lines(title, total, self._stream)
        self.note(f"{title}: done in {duration(time.monotonic() - started)}")


class _Silent:
    def advance(self, amount: float = 1.0, note: str = "") -> None:
        pass

    def reach(self, done: float, note: str = "") -> None:
        pass


class _Lines:
    def __init__(self, title: str, total: float, stream: TextIO) -> None:
        self._title, self._total, self._stream = title, total, stream
        self._done, self._last = 0.0, time.monotonic()
        self._first: tuple[float, float] | None = None

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        self.reach(self._done + amount, note)

    def reach(self, done: float, note: str = "") -> None:
        self._done = done
        now = time.monotonic()
        if self._first is None:  # what comes before the first report is setting up
            self._first = (now, done)
        if now - self._last < LINE_EVERY_S or done <= 0:
            return
        self._last = now
        began, behind = self._first
        left = ""
        if done > behind:
            seconds = (now - began) * (self._total - done) / (done - behind)
            left = f", {duration(max(seconds, 0.0))} left"
        print(
            f"{self._title}: {done / self._total:.0%}{left}  {note}".rstrip(),
            file=self._stream,
            flush=True,
        )


@contextmanager
def _bar(title: str, total: float, stream: TextIO) -> Iterator[Task]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bars(*columns, console=Console(file=stream), transient=True) as bars:
        yield _Rich(bars, bars.add_task(title, total=total, note=""))


class _Rich:
    def __init__(self, bars: "object", identity: int) -> None:
        self._bars, self._identity, self._note = bars, identity, ""

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        self._note = note or self._note
        self._bars.update(self._identity, advance=amount, note=self._note)  # type: ignore[attr-defined]

    def reach(self, done: float, note: str = "") -> None:
        self._note = note or self._note
        self._bars.update(self._identity, completed=done, note=self._note)  # type: ignore[attr-defined]


def duration(seconds: float) -> str:
    """A time for people: ``42 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
