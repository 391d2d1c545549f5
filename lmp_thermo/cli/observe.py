"""``lmp-thermo observe``: one analysis on any LAMMPS trajectory or log."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lmp_thermo.analysis.rdf import RadialDistribution
    from lmp_thermo.analysis.sites import Sites
    from lmp_thermo.analysis.statistics import Observable
    from lmp_thermo.analysis.trajectory import Trajectory

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="One analysis on any LAMMPS trajectory or log.\n\n"
    "TRAJECTORY is a deck's folder, or DCD files in the order they were written; files need "
    "--data and --timestep-fs, and --species where they hold molecules.",
)

Files = Annotated[
    list[Path], typer.Argument(metavar="TRAJECTORY...", help="A deck's folder, or DCD files.")
]
Logs = Annotated[
    list[Path], typer.Argument(metavar="LOG...", help="A deck's folder, or LAMMPS logs in order.")
]
Data = Annotated[
    Path | None, typer.Option("--data", help="LAMMPS data file, atom_style atomic or full.")
]
Timestep = Annotated[
    float | None, typer.Option("--timestep-fs", help="Time between two steps, fs.")
]
Species = Annotated[
    str | None, typer.Option("--species", help="Symbol of each atom type in order: C,H")
]
MoleculeSize = Annotated[
    int, typer.Option("--molecule-size", min=1, help="Atoms in each molecule, contiguous.")
]
From = Annotated[str, typer.Option("--of", help="Species, 'centres' of molecules, or 'all'.")]
Around = Annotated[
    str | None, typer.Option("--around", help="What stands in the middle; the same if not given.")
]
FirstStep = Annotated[int, typer.Option("--first-step", min=0, help="Leave out what is before.")]
Every = Annotated[int, typer.Option("--every", min=1, help="Take each n-th frame.")]
SameMolecule = Annotated[
    bool, typer.Option("--same-molecule", help="Count pairs of one molecule too.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@app.command(epilog="Example: lmp-thermo observe rdf production/scratch/T300_d0.42 --of C")
def rdf(
    trajectory: Files,
    *,
    data: Data = None,
    timestep_fs: Timestep = None,
    species: Species = None,
    molecule_size: MoleculeSize = 1,
    of: From = "all",
    around: Around = None,
    r_max: Annotated[float, typer.Option("--r-max", help="Range, Å.")] = 12.0,
    bin_width: Annotated[float, typer.Option("--bin-width", help="Å.")] = 0.05,
    same_molecule: SameMolecule = False,
    first_step: FirstStep = 0,
    every: Every = 1,
    as_json: AsJson = False,
) -> None:
    """Radial distribution function."""
    from lmp_thermo.analysis.rdf import RadialDistribution
    from lmp_thermo.analysis.trajectory import run_analysis

    opened = open_files(trajectory, data, timestep_fs, species, molecule_size)
    a, b = pair_of_sites(opened, of, around)
    analysis = run_analysis(
        RadialDistribution(
            a, b, r_max=r_max, bin_width=bin_width, exclude_same_molecule=not same_molecule
        ),
        opened,
        selected(opened, first_step, every),
    )
    print_rdf(analysis, as_json)


@app.command(
    epilog="Example: lmp-thermo observe coordination traj.0.dcd --data data.lmp"
    " --timestep-fs 4 --cutoff 5"
)
def coordination(
    trajectory: Files,
    *,
    cutoff: Annotated[
        float | None,
        typer.Option("--cutoff", help="Å; the first minimum of g(r) if not given."),
    ] = None,
    data: Data = None,
    timestep_fs: Timestep = None,
    species: Species = None,
    molecule_size: MoleculeSize = 1,
    of: From = "all",
    around: Around = None,
    half_width: Annotated[
        float, typer.Option("--half-width", help="Of the smooth count, Å.")
    ] = 0.25,
    same_molecule: SameMolecule = False,
    first_step: FirstStep = 0,
    every: Every = 1,
    as_json: AsJson = False,
) -> None:
    """Coordination number, hard and smooth, and the distribution of the hard one."""
    from lmp_thermo.analysis.coordination import CoordinationNumber
    from lmp_thermo.analysis.rdf import minimum_of_rdf
    from lmp_thermo.analysis.trajectory import run_analysis

    opened = open_files(trajectory, data, timestep_fs, species, molecule_size)
    a, b = pair_of_sites(opened, of, around)
    frames = selected(opened, first_step, every)
    if cutoff is None:
        cutoff = minimum_of_rdf(a, b, opened, frames, exclude_same_molecule=not same_molecule)
        typer.echo(f"cutoff: {cutoff:.3f} Å, the first minimum of g(r)", err=True)
    analysis = run_analysis(
        CoordinationNumber(
            a, b, cutoff=cutoff, half_width=half_width, exclude_same_molecule=not same_molecule
        ),
        opened,
        frames,
    )
    found = analysis.results
    print_observables(
        [analysis.hard(), analysis.smooth()],
        as_json,
        {
            "numbers": found.numbers.tolist(),
            "probability": found.probability.tolist(),
            "standard_error": found.standard_error.tolist(),
        },
    )


@app.command(
    epilog="Example: lmp-thermo observe density traj.0.dcd traj.1.dcd --data data.lmp"
    " --timestep-fs 1"
)
def density(
    trajectory: Files,
    *,
    data: Data = None,
    timestep_fs: Timestep = None,
    first_step: FirstStep = 0,
    every: Every = 1,
    as_json: AsJson = False,
) -> None:
    """Mass density of the box."""
    from lmp_thermo.analysis.density import Density
    from lmp_thermo.analysis.trajectory import run_analysis

    opened = open_files(trajectory, data, timestep_fs, None, 1)
    analysis = run_analysis(Density(opened), opened, selected(opened, first_step, every))
    print_observables([analysis.density()], as_json)


@app.command(
    epilog="Example: lmp-thermo observe bonds traj.0.dcd --data data.lmp"
    " --timestep-fs 0.5 --species C,H --molecule-size 5"
)
def bonds(
    trajectory: Files,
    *,
    data: Data = None,
    timestep_fs: Timestep = None,
    species: Species = None,
    molecule_size: MoleculeSize = 1,
    first_step: FirstStep = 0,
    every: Every = 1,
    as_json: AsJson = False,
) -> None:
    """Bond lengths, and whether the molecules stay whole."""
    from lmp_thermo.analysis.bonds import BondStretch
    from lmp_thermo.analysis.trajectory import run_analysis

    opened = open_files(trajectory, data, timestep_fs, species, molecule_size)
    analysis = run_analysis(
        BondStretch(opened.molecules), opened, selected(opened, first_step, every)
    )
    typer.echo(f"{'intact' if analysis.intact else 'BROKEN'}: {analysis.worst()}", err=True)
    print_observables(
        analysis.lengths(),
        as_json,
        {"intact": analysis.intact, "max_stretch": analysis.max_stretch},
    )


@app.command(
    epilog="Example: lmp-thermo observe thermo log.0.lammps log.1.lammps --first-step 20000"
)
def thermo(
    logs: Logs,
    *,
    first_step: FirstStep = 0,
    last_step: Annotated[
        int | None, typer.Option("--last-step", help="Leave out what is after.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Mean of every column of a log with `thermo_modify line yaml`, in the units of the run."""
    from lmp_thermo.analysis.thermo import column_averages, read_run_thermo, read_thermo

    is_folder = len(logs) == 1 and logs[0].is_dir()
    table = read_run_thermo(logs[0]) if is_folder else read_thermo(logs)
    last = int(table.steps[-1]) if last_step is None else last_step
    print_observables(column_averages(table.between(first_step, last)), as_json)


@app.command(epilog="Example: lmp-thermo observe drift log.0.lammps --atoms 160 --first-step 40000")
def drift(
    logs: Logs,
    *,
    n_atoms: Annotated[int, typer.Option("--atoms", min=1, help="Number of atoms.")],
    first_step: FirstStep = 0,
    as_json: AsJson = False,
) -> None:
    """Drift of the total energy of an NVE run, and its fluctuation."""
    from lmp_thermo.analysis.drift import energy_drift
    from lmp_thermo.analysis.thermo import read_run_thermo, read_thermo

    is_folder = len(logs) == 1 and logs[0].is_dir()
    table = read_run_thermo(logs[0]) if is_folder else read_thermo(logs)
    rows = table.between(first_step, int(table.steps[-1]))
    print_observables(
        energy_drift(rows.times_ps, rows["TotEng"], n_atoms, origin=rows.origin), as_json
    )


@app.command(
    epilog="Example: lmp-thermo observe run production/scratch/T300_d0.42"
    " --out observables/T300_d0.42"
)
def run(
    folder: Annotated[Path, typer.Argument(help="A deck's folder that was run.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write JSON and CSV into this folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """All observables of one run."""
    from lmp_thermo.analysis.run import analyze_run
    from lmp_thermo.analysis.tables import write_run_analysis

    result = analyze_run(folder)
    for note in result.notes:
        typer.echo(note, err=True)
    if out is not None:
        write_run_analysis(result, out)
    print_observables(
        result.observables.values(),
        as_json,
        {"notes": result.notes, "molecules_intact": result.molecules_intact},
    )


def open_files(
    files: list[Path],
    data: Path | None,
    timestep_fs: float | None,
    species: str | None,
    molecule_size: int,
) -> "Trajectory":
    """A deck's folder, or DCD files with what the options say of them."""
    from lmp_thermo.analysis.run import open_deck_trajectory
    from lmp_thermo.analysis.trajectory import open_trajectory

    if len(files) == 1 and files[0].is_dir():
        return open_deck_trajectory(files[0])
    if data is None or timestep_fs is None:
        raise typer.BadParameter(
            "DCD files need --data and --timestep-fs; a deck's folder needs neither"
        )
    return open_trajectory(
        data,
        files,
        timestep_fs=timestep_fs,
        molecule_sizes=molecule_size,
        species=None if species is None else species.split(","),
    )


def pair_of_sites(trajectory: "Trajectory", of: str, around: str | None) -> "tuple[Sites, Sites]":
    """The two sets of sites that the options name; one object where they are the same."""
    from lmp_thermo.analysis.sites import named_sites

    counted = named_sites(trajectory, of)
    middle = counted if around in (None, of) else named_sites(trajectory, str(around))
    return middle, counted


def selected(trajectory: "Trajectory", first_step: int, every: int) -> "NDArray[Any]":
    """Frames from a step on, each n-th."""
    return trajectory.between(first_step, int(trajectory.steps[-1]))[::every]


def print_rdf(analysis: "RadialDistribution", as_json: bool) -> None:
    """A table of r, g, standard error; what was found in it on standard error."""
    found = analysis.results
    peak, position = analysis.first_peak()
    minimum = analysis.first_minimum()
    if found.reduced:
        typer.echo(f"range cut to {found.r_max:.2f} Å, half the smallest box height", err=True)
    typer.echo(f"highest peak at {position:.3f} Å: {peak}", err=True)
    typer.echo(
        "no first minimum" if minimum is None else f"first minimum at {minimum:.3f} Å", err=True
    )
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "label": analysis.label,
                    "r_A": found.r.tolist(),
                    "g": found.g.tolist(),
                    "standard_error": found.standard_error.tolist(),
                    "peak": peak.to_dict(),
                    "first_minimum_A": minimum,
                },
                allow_nan=False,
            )
        )
        return
    typer.echo(f"# r (Å)  g({analysis.label})  standard_error")
    for row in zip(found.r, found.g, found.standard_error, strict=True):
        typer.echo("{:9.4f} {:12.6f} {:12.6f}".format(*row))


def print_observables(
    observables: "Iterable[Observable]", as_json: bool, more: dict[str, Any] | None = None
) -> None:
    """Names and values, or JSON with all there is."""
    from lmp_thermo.analysis.tables import observable_lines

    by_name = {observable.name: observable for observable in observables}
    if as_json:
        entries = {name: observable.to_dict() for name, observable in by_name.items()}
        typer.echo(json.dumps({"observables": entries, **(more or {})}, allow_nan=False, indent=1))
        return
    for line in observable_lines(by_name):
        typer.echo(line)
