"""The verb doctor: what fits on this machine, what does not, and the remedy."""

import json
import sys
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("doctor", epilog="Example: lmp-thermo doctor --lmp /opt/lammps/bin/lmp")(doctor)


def doctor(
    lmp: Annotated[
        str | None, typer.Option("--lmp", help="LAMMPS program [the one of this environment]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable")] = False,
) -> None:
    """Versions, styles, MPI, GPU, plugin: what fits, what does not, the exact remedy."""
    from lmp_thermo.launch import diagnose

    findings = diagnose(lmp)
    if as_json:
        json.dump([vars(finding) for finding in findings], sys.stdout, indent=1)
        print()
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            mark = "ok     " if finding.ok else "MISSING"
            print(f"{mark} {finding.what:<{width}}  {finding.found}")
            if not finding.ok and finding.remedy:
                print(f"        {'':<{width}}  -> {finding.remedy}")
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)
