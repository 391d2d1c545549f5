"""Verbs on a potential: export any nequip checkpoint, check parity, ask where it holds."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Device(StrEnum):
    """What a model can be compiled for."""

    CPU = "cpu"
    CUDA = "cuda"


app = typer.Typer(
    no_args_is_help=True, help="Export a potential, check one, or ask where it holds."
)


@app.command(
    "export", epilog="Example: lmp-thermo potential export best.ckpt --out potentials/mine"
)
def export(
    checkpoint: Annotated[Path, typer.Argument(help="nequip checkpoint (.ckpt) or package")],
    out: Annotated[Path, typer.Option("--out", help="folder to make")],
    compiled: Annotated[
        Device | None,
        typer.Option(
            "--compiled",
            help="also compile ahead of time for this device and machine; takes minutes",
        ),
    ] = None,
) -> None:
    """Export any nequip checkpoint or package as a folder that LAMMPS users can run."""
    from lmp_thermo.stages.external import export_folder

    print(export_folder(checkpoint, out, compiled=compiled and compiled.value))


@app.command("check", epilog="Example: lmp-thermo potential check potentials/mine")
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="exported potential")],
    lmp: Annotated[str | None, typer.Option("--lmp", help="LAMMPS program")] = None,
) -> None:
    """Parity: Python and LAMMPS give the same energy, forces and stress on this machine."""
    from lmp_thermo.stages.external import check_folder

    print("density g/cm3  atoms  energy eV/atom  force eV/Å  virial eV/atom  model")
    for model, rows in check_folder(folder, lmp).items():
        for row in rows:
            print(
                f"{row.density_g_cm3:13.4g}  {row.n_atoms:5d}  {row.energy_eV_atom:14.1e}  "
                f"{row.force_eV_A:10.1e}  {row.virial_eV_atom:14.1e}  {model}"
            )
    print("Python and LAMMPS agree to round-off")


@app.command(
    "covers",
    epilog="Examples: lmp-thermo potential covers runs/argon/potentials/density-scratch-1 "
    "--density_g_cm3 0.7 --temperature_K 200; the same with --validation "
    "runs/argon/validation/density-scratch-1, or --json",
)
def covers(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="exported potential")],
    *,
    density: Annotated[float, typer.Option("--density_g_cm3", help="of the state point")],
    temperature: Annotated[float, typer.Option("--temperature_K", help="of the state point")],
    validation: Annotated[
        Path | None,
        typer.Option("--validation", help="folder of its validation: the final envelope"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output")] = False,
) -> None:
    """Whether a potential was found right at a state point, and why not.

    Covered is a density between two neighbouring cells that passed, in both rows of the grid that
    bracket the temperature. Exit status 0 for yes, 1 for no, 2 for an error.
    """
    from lmp_thermo.errors import LmpThermoError
    from lmp_thermo.stages.covers import covers as ask
    from lmp_thermo.states import StatePoint

    try:
        answer = ask(folder, StatePoint(density, temperature), validation)
    except LmpThermoError as error:
        error.exit_status = 2
        raise
    print(json.dumps(answer.to_dict(), allow_nan=False) if as_json else answer)
    raise typer.Exit(0 if answer.covered else 1)
