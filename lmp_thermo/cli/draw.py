"""``lmp-thermo draw``: tables and figures of comparisons from their result files alone."""

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
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT.json", help="comparison.json of studies, or copies"),
    ],
    out: Annotated[Path, typer.Option("--out", help="folder to write into; made if missing")],
) -> None:
    """Draw the page, tables and figures of comparisons of designs from their result files alone.

    Of several, also what designs gain study by study, in one figure.
    """
    from lmp_thermo.errors import AnalysisError
    from lmp_thermo.report.across import write_comparisons

    try:
        written = write_comparisons(results, out)
    except OSError as error:
        raise AnalysisError(
            f"{out}: cannot be written ({error.strerror}); choose another --out"
        ) from error
    for path in written:
        print(path)
