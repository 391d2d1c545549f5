"""The command line: one file per group of verbs, no logic.

Data on standard output, talk on standard error. An error of the package is one line and exit
status 1, wrong usage 2, as also any error where 1 is an answer; ``--debug`` adds the traceback.
"""

import sys

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


def main() -> None:
    """Entry point of ``lmp-thermo``."""
    from lmp_thermo.cli.app import app
    from lmp_thermo.errors import LmpThermoError

    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    try:
        app(args=arguments, prog_name="lmp-thermo")
    except LmpThermoError as error:
        if debug:
            raise
        print(f"lmp-thermo: {error}", file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    except SystemExit as end:
        if end.code == INTERRUPTED:
            print("lmp-thermo: stopped; run the same command again: it goes on", file=sys.stderr)
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
