"""Validate: the potential's own runs relabelled by the reference, and a verdict for each cell."""

from pathlib import Path
from typing import Any

from lmp_thermo.errors import AnalysisError, FrameError
from lmp_thermo.frames import Frame, Tags, write_frames
from lmp_thermo.launch import run_state
from lmp_thermo.launch.run_folder import read_failure
from lmp_thermo.potential.card import MODEL, read_card, write_final_envelope
from lmp_thermo.potential.envelope import Envelope, FinalEnvelope
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.products import Product, read_json, write_json
from lmp_thermo.reference import LabelFailure
from lmp_thermo.sampling.drawn import spread_over
from lmp_thermo.stages import analyze, deck, label
from lmp_thermo.stages.context import Context, remembered_by_arm, versions
from lmp_thermo.stages.envelope import judged_cells
from lmp_thermo.stages.judge import judged
from lmp_thermo.stages.runs import SPEED, drawn_frames, trajectory_of
from lmp_thermo.states import StatePoint
from lmp_thermo.study import seed_for
from lmp_thermo.validation import Check, Verdict, compare_observables, judge_run_pressure

CELLS = "cells.json"
PARITY = "parity.json"
FRAMES = "frames.extxyz"


@remembered_by_arm
def product(context: Context) -> Product:
    """The validation of the arm."""
    return Product(
        context.workspace.validation(context.arm),
        {
            "stage": "validate/4",
            "observables": analyze.product(context).content,
            "reference": context.reference.identity,
            "validation": context.study.validation.model_dump(),
            "versions": versions("lmp-thermo", "torch", "nequip"),
        },
    )


def make(context: Context) -> None:
    """Relabel frames of the arm's runs and judge every cell."""
    product(context).make(lambda folder: _validate(context, folder))


def read(context: Context) -> dict[str, Any]:
    """Errors, verdict and comparison by state point."""
    made = product(context)
    made.verify()
    cells: dict[str, Any] = read_json(made.folder / CELLS)
    return cells


def _validate(context: Context, folder: Path) -> None:
    study = context.study
    frames: dict[str, list[Frame]] = {}
    for state in context.run_states:
        frames[state.name] = _frames_of(context, state)
    everything = [frame for own in frames.values() for frame in own]
    tool = label.labeller(context)
    with context.progress.task("validate: labels", len(everything)) as task:
        outcome = tool.label(everything, lambda _: task.advance())
    refused = [r for r in outcome if isinstance(r, LabelFailure)]
    labelled = [r for r in outcome if isinstance(r, Frame)]
    model = Evaluator(context.workspace.potential(context.arm) / MODEL)
    observables = analyze.read(context)
    truth = analyze.read(context, deck.REFERENCE_ARM) if study.validation.reference_runs else {}
    cells: dict[str, Any] = {}
    parity: dict[str, list[float]] = {}
    for state in context.run_states:
        own = [frame for frame in labelled if frame.tags.state == state]
        run = _run_facts(context, state)
        cell: dict[str, Any] = {
            "density_g_cm3": state.density_g_cm3,
            "temperature_K": state.temperature_K,
        }
        if len(own) >= 2:
            cell = judged(context, state, own, model)
            for name, values in cell.pop("parity").items():
                parity.setdefault(name, []).extend(values)
        cell["run"] = run
        cell["labels_refused"] = [r.cause for r in refused if r.frame.tags.state == state]
        cell["comparison"] = compare_observables(
            observables.get(state.name, {}), truth.get(state.name, {})
        )
        cell["verdict"] = _with_stability(context, state, cell)
        cells[state.name] = cell
    write_frames(folder / FRAMES, labelled)
    write_json(folder / CELLS, cells)
    write_json(folder / PARITY, parity)
    _write_envelope(context, folder, cells, labelled)


def _write_envelope(
    context: Context, folder: Path, cells: dict[str, Any], labelled: list[Frame]
) -> None:
    """The final envelope, of runs that held and whose relabelled frames passed every gate."""
    card = read_card(context.workspace.potential(context.arm))
    known = card.envelope
    coordination = None if known is None else known.coordination
    envelope = Envelope(
        status="final",
        cells=judged_cells(context.study.states, cells, labelled, coordination),
        coordination=coordination,
        shortest_distance_A={} if known is None else known.shortest_distance_A,
    )
    write_final_envelope(folder, FinalEnvelope(model_sha256=card.model_sha256, envelope=envelope))


def _frames_of(context: Context, state: StatePoint) -> list[Frame]:
    """Frames spread evenly over the production run at a state point."""
    study = context.study
    composition = context.composition(study.production.molecules)
    try:
        trajectory = trajectory_of(context.workspace.production(context.arm, state))
        count = min(study.validation.frames_per_cell, len(trajectory.frames))
        seed = seed_for(study.seed, "production", context.arm, state.name)
        return drawn_frames(
            trajectory,
            spread_over(len(trajectory.frames), count),
            composition,
            Tags(state.density_g_cm3, state.temperature_K, "production", -1, seed, 0),
        )
    except (AnalysisError, FrameError) as error:
        context.progress.note(f"validate: {state}: no frames of its run ({error})")
        return []


def _run_facts(context: Context, state: StatePoint) -> dict[str, Any]:
    run = context.workspace.production(context.arm, state)
    failure = read_failure(run)
    path = analyze.product(context).folder / context.arm / state.name / analyze.OBSERVABLES
    analysed = read_json(path) if path.is_file() else {}
    return {
        "status": run_state(run),
        "cause": None if failure is None else failure.cause,
        "ns_per_day": read_json(run / SPEED)["ns_per_day"] if (run / SPEED).is_file() else None,
        "molecules_intact": analysed.get("molecules_intact"),
        "notes": analysed.get("notes", []),
    }


def _with_stability(context: Context, state: StatePoint, cell: dict[str, Any]) -> dict[str, Any]:
    """The verdict with the gates on the run in front, and its pressure beside the reference's."""
    run = cell["run"]
    finished = run["status"] == "finished"
    checks = [
        Check("run stable", None, None, "", finished, run["cause"] or "finished"),
        Check(
            "molecules intact",
            None,
            None,
            "",
            run["molecules_intact"],
            "bond lengths over the whole run",
        ),
    ]
    earlier = cell.get("verdict")
    if earlier is not None:
        checks += [Check(**check) for check in earlier["checks"]]
        if context.study.validation.reference_runs:
            rows = {row["name"]: row for row in cell["comparison"]}
            ideal, gates = cell["ideal_pressure_bar"], context.study.validation.gates
            checks.append(judge_run_pressure(state, rows.get("pressure"), ideal, gates))
    else:
        checks.append(Check("relabelled frames", None, None, "", False, "none could be judged"))
    return Verdict(state, tuple(checks)).to_dict()
