"""The command line: one file per group of verbs, no logic.

Data on standard output, talk on standard error. An error of the package is one line and exit
status 1, wrong usage 2, as also any error where 1 is an answer; ``--debug`` adds the traceback.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

INTERRUPTED, TERMINATED = 130, 143
"""Exit status after Ctrl-C, and after SIGTERM, which batch systems send before they kill."""


def main() -> None:
    """Entry point of ``lmp-thermo``."""
    from lmp_thermo.cli.app import app
    from lmp_thermo.errors import LmpThermoError

    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    try:
        with _sigterm_as_ctrl_c() as received:
            app(args=arguments, prog_name="lmp-thermo")
    except LmpThermoError as error:
        if debug:
            raise
        print(f"lmp-thermo: {error}", file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    except SystemExit as end:
        if end.code == INTERRUPTED:
            print("lmp-thermo: stopped; run the same command again: it goes on", file=sys.stderr)
            raise SystemExit(TERMINATED if received else INTERRUPTED) from None
        raise
    except Exception as error:
        if debug:
            raise
        text = " ".join(str(error).split())[:300]
        print(
            f"lmp-thermo: unexpected {type(error).__name__}: {text}; run again with --debug and "
            "report the traceback",
            file=sys.stderr,
        )
        raise SystemExit(1) from None


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[list[int]]:
    """End as by Ctrl-C: child processes first, and the time of a step is kept.

    Yields:
        The signals that came.
    """
    received: list[int] = []

    def end(number: int, frame: object) -> NoReturn:
        received.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)
