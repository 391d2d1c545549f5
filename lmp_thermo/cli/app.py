"""Where the verbs come together."""

import typer

from lmp_thermo.cli import doctor, draw, observe, potential, study

app = typer.Typer(
    name="lmp-thermo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Machine-learned potentials for fluids from gas to dense liquid, and LAMMPS runs with "
    "them. Every command can be repeated: what is done and current is kept. --debug anywhere "
    "shows the traceback of an error.",
)
study.add_to(app)
draw.add_to(app)
doctor.add_to(app)
app.add_typer(observe.app, name="observe")
app.add_typer(potential.app, name="potential")
