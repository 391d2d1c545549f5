"""``lmp-thermo draw``: tables and figures of a comparison from its result file alone."""

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command(
        "draw",
        epilog="Example: lmp-thermo draw runs/density-argon/comparison/comparison.json --out drawn",
    )(draw)


def draw(
    result: Annotated[
        Path, typer.Argument(metavar="RESULT.json", help="comparison.json of a study, or a copy")
    ],
    out: Annotated[Path, typer.Option("--out", help="folder to write into; made if missing")],
) -> None:
    """Draw the page, tables and figures of a comparison of designs from its result file alone."""
    from lmp_thermo.errors import AnalysisError
    from lmp_thermo.report.comparison import write_comparison

    try:
        written = write_comparison(result, out)
    except OSError as error:
        raise AnalysisError(
            f"{out}: cannot be written ({error.strerror}); choose another --out"
        ) from error
    for path in written:
        print(path)
