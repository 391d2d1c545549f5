"""The command line: one file per group of verbs, no logic.

Data on standard output, talk on standard error. An error of the package is one line and exit
status 1; ``--debug`` adds the traceback.
"""

import os
import sys


def main() -> None:
    """Entry point of ``lmp-thermo``."""
    import click

    from lmp_thermo.cli.app import app
    from lmp_thermo.errors import LmpThermoError

    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    try:
        app(args=arguments, standalone_mode=False, prog_name="lmp-thermo")
    except LmpThermoError as error:
        if debug:
            raise
        print(f"lmp-thermo: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except click.exceptions.Exit as error:
        raise SystemExit(error.exit_code) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except (KeyboardInterrupt, click.exceptions.Abort):
        print("lmp-thermo: stopped; run the same command again: it goes on", file=sys.stderr)
        raise SystemExit(130) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
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
