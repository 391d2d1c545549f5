"""Verbs on a study: run, its single stages, status, schema."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY", help="study file (YAML)")]
WorkspaceOption = Annotated[
    Path | None, typer.Option("--workspace", help="folder for all that is made [runs/<study>]")
]
VariantOption = Annotated[
    str | None, typer.Option("--variant", help="one of the study file's variants")
]
LmpOption = Annotated[
    str | None, typer.Option("--lmp", help="LAMMPS program [the one of this environment]")
]
CoresOption = Annotated[
    int | None, typer.Option("--cores", min=1, help="processes at a time [all usable cores]")
]
JsonOption = Annotated[bool, typer.Option("--json", help="machine-readable, on standard output")]

STAGES = {
    "sample": "Draw the next round's frames over the grid.",
    "label": "Label the next round's frames with the reference.",
    "train": "Train the next round's model, from the last one where there is one.",
    "export": "Export the last model with its card; judge it on held-out frames; check parity.",
    "deck": "Write a LAMMPS input folder for every state point.",
    "simulate": "Carry out the decks on this machine.",
    "analyze": "Observables of the runs, with error bars.",
    "validate": "Relabel frames of the potential's own runs and judge every cell.",
    "report": "Write report.html.",
    "databases": "Draw and label clusters and crystals (studies that compare designs).",
    "teacher": "Train the teacher of students, or ask it (studies that compare designs).",
    "curriculum": "Spend an adaptive design's budget in rounds.",
    "coverage": "Judge every arm on every cell (studies that compare designs).",
    "compare": "Put all arms side by side; write report.html (studies that compare designs).",
}


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("run", epilog="Example: lmp-thermo run inputs/argon.yaml --until train")(run)
    for stage, text in STAGES.items():
        _add_stage(app, stage, text)
    app.command("status", epilog="Example: lmp-thermo status inputs/argon.yaml --json")(status)
    app.command("resubmit", epilog="Example: lmp-thermo resubmit inputs/argon.yaml")(resubmit)
    app.command("schema", epilog="Example: lmp-thermo schema > study.schema.json")(schema)


def run(
    study: StudyPath,
    workspace: WorkspaceOption = None,
    until: Annotated[str | None, typer.Option("--until", help="last stage to carry out")] = None,
    variant: VariantOption = None,
    lmp: LmpOption = None,
    cores: CoresOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what would be done and an estimate of cost")
    ] = False,
) -> None:
    """Carry out all stages of a study; what is done and current is kept."""
    from lmp_thermo.cli.tables import comparison_table, observables_table, plan_table
    from lmp_thermo.stages import Study

    own = Study(study, workspace, variant=variant, lmp=lmp, cores=cores)
    if dry_run:
        plan_table(own)
        return
    own.run(until)
    if until not in (None, own.stages[-1]):
        return
    if own.file.comparison is None:
        observables_table(own)
    else:
        comparison_table(own)
    print(own.workspace.report.resolve())


def status(
    study: StudyPath,
    workspace: WorkspaceOption = None,
    variant: VariantOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is done, stale, or still to do, and why runs failed."""
    from lmp_thermo.cli.tables import status_table
    from lmp_thermo.stages import Study

    own = Study(study, workspace, variant=variant)
    states = own.status()
    if as_json:
        json.dump([vars(state) for state in states], sys.stdout, indent=1)
        print()
    else:
        status_table(own, states)


def resubmit(
    study: StudyPath,
    workspace: WorkspaceOption = None,
    variant: VariantOption = None,
    lmp: LmpOption = None,
    cores: CoresOption = None,
) -> None:
    """Carry out again, from their last restarts, the production runs that failed."""
    from lmp_thermo.stages import Study

    Study(study, workspace, variant=variant, lmp=lmp, cores=cores).resubmit()


def schema() -> None:
    """JSON schema of study files, for editors."""
    from lmp_thermo.study import StudyFile

    json.dump(StudyFile.model_json_schema(), sys.stdout, indent=1)
    print()


def _add_stage(app: typer.Typer, stage: str, text: str) -> None:
    def carry_out(
        study: StudyPath,
        workspace: WorkspaceOption = None,
        variant: VariantOption = None,
        lmp: LmpOption = None,
        cores: CoresOption = None,
    ) -> None:
        from lmp_thermo.stages import Study

        Study(study, workspace, variant=variant, lmp=lmp, cores=cores).carry_out(stage)

    carry_out.__doc__ = text
    app.command(stage, epilog=f"Example: lmp-thermo {stage} inputs/argon.yaml")(carry_out)
