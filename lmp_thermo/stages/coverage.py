"""Coverage: every arm, and every model that is judged without training, on every cell.

The energies of a calculator, and of a calculator's students, have a zero of their own: constants
by kind of molecule move it (`potential.zero_of_energy`), one set of them for all cells.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lmp_thermo.comparison import Arm, OtherModel
from lmp_thermo.errors import LmpThermoError
from lmp_thermo.frames import Frame
from lmp_thermo.potential.card import MODEL
from lmp_thermo.potential.evaluate import Evaluator, Prediction
from lmp_thermo.potential.frame_errors import FrameErrors
from lmp_thermo.potential.intermolecular import (
    labelled_quantities,
    no_interaction_quantities,
    predicted_quantities,
)
from lmp_thermo.potential.zero_of_energy import energy_constants, moved
from lmp_thermo.products import Product, read_json, write_json
from lmp_thermo.reference.ase_calculator import AseReference
from lmp_thermo.reference.labelling import atoms_evaluated, label_frame, warm_up
from lmp_thermo.stages import arms, label, teacher
from lmp_thermo.stages.context import Context, remembered, versions
from lmp_thermo.stages.pool import comparison_of, held_out
from lmp_thermo.states import StatePoint

ERRORS = "frame-errors.json"
NO_INTERACTION = "no-interaction"

Labelled = tuple[Frame, Frame]
"""A frame with the reference's labels, and the same with a calculator's."""


@remembered
def arm_product(context: Context, arm: Arm) -> Product:
    """Errors of an arm on the held-out frames of every cell."""
    sources = {
        "stage": "coverage/2" if _has_own_zero(context, arm) else "coverage/1",
        "model": arms.product(context, arm).content,
        "labels": label.product(context, context.last_round).content,
    }
    if arm.recipe == "distil":
        sources["teacher"] = teacher.label_product(context).content
    return Product(context.workspace.coverage(arm.name), sources)


@remembered
def teacher_product(context: Context) -> Product:
    """Errors of the teacher on the same frames."""
    return Product(
        context.workspace.coverage(teacher.NAME),
        {
            "stage": "coverage-teacher/2",
            "teacher": teacher.label_product(context).content,
            "labels": label.product(context, context.last_round).content,
        },
    )


@remembered
def other_product(context: Context, name: str) -> Product:
    """Errors of an ASE calculator, or of no interaction, on the same frames."""
    other = comparison_of(context).calculators.get(name)
    return Product(
        context.workspace.coverage(name),
        {
            "stage": "coverage-other/2",
            "model": None if other is None else calculator(name, other).identity,
            "frames": None if other is None else other.frames_per_cell,
            "labels": label.product(context, context.last_round).content,
            "versions": versions("lmp-thermo"),
        },
    )


@remembered
def products(context: Context) -> list[Product]:
    """Of all arms, and of what is judged beside them."""
    return [
        *(arm_product(context, arm) for arm in comparison_of(context).arms),
        *others(context).values(),
    ]


def others(context: Context) -> dict[str, Product]:
    """Of no interaction, the teacher, and the calculators, by name."""
    comparison = comparison_of(context)
    found = {NO_INTERACTION: other_product(context, NO_INTERACTION)}
    if comparison.teacher is not None:
        found[teacher.NAME] = teacher_product(context)
    found.update({name: other_product(context, name) for name in comparison.calculators})
    return found


def make(context: Context) -> None:
    """Judge what has not been judged."""
    comparison = comparison_of(context)
    with context.progress.task("coverage", len(products(context))) as task:
        other_product(context, NO_INTERACTION).make(lambda folder: _without(context, folder))
        task.advance()
        if comparison.teacher is not None:
            teacher_product(context).make(lambda folder: _teacher(context, folder))
            task.advance(note=teacher.NAME)
        for arm in comparison.arms:
            arm_product(context, arm).make(lambda folder, arm=arm: _arm(context, arm, folder))  # type: ignore[misc]
            task.advance(note=arm.name)
        for name, other in comparison.calculators.items():
            other_product(context, name).make(
                lambda folder, name=name, other=other: _other(context, name, other, folder)  # type: ignore[misc]
            )
            task.advance(note=name)


def read(product: Product) -> dict[str, Any]:
    """What a product holds.

    Errors by cell, against the teacher's labels too for a student; microseconds an atom of one
    evaluation.
    """
    product.verify()
    values: dict[str, Any] = read_json(product.folder / ERRORS)
    for key in ("cells", "against_teacher"):
        if key in values:
            values[key] = {name: FrameErrors.from_dict(own) for name, own in values[key].items()}
    return values


def calculator(name: str, other: OtherModel) -> AseReference:
    return AseReference(name, other.calculator, other.arguments, other.alone_box_A)


def _write(
    folder: Path, cells: dict[str, FrameErrors], us_per_atom: float | None, **more: Any
) -> None:
    write_json(
        folder / ERRORS,
        {
            "cells": {name: own.to_dict() for name, own in cells.items()},
            "us_per_atom": None if us_per_atom is None else round(us_per_atom, 2),
            **more,
        },
    )


def _arm(context: Context, arm: Arm, folder: Path) -> None:
    predictions, us_per_atom = _predicted(context, arms.product(context, arm).folder / MODEL)
    if arm.recipe == "scratch":
        _write(folder, _model_errors(context, predictions), us_per_atom)
        return
    known = teacher.labels(context)
    against: dict[str, dict[str, Any]] = {}
    for state, frames in held_out(context).items():
        pairs = [
            (predicted_quantities(f, p), labelled_quantities(known[f.geometry_hash]))
            for f, p in zip(frames, predictions[state], strict=True)
            if f.geometry_hash in known
        ]
        if pairs:
            errors = FrameErrors.of([own for own, _ in pairs], [truth for _, truth in pairs])
            against[state.name] = errors.to_dict()
    constants = _teacher_constants(context) if _has_own_zero(context, arm) else None
    cells = _model_errors(context, predictions, constants)
    _write(folder, cells, us_per_atom, against_teacher=against)


def _has_own_zero(context: Context, arm: Arm) -> bool:
    """Whether an arm has learnt the zero of energy of a calculator."""
    return arm.recipe == "distil" and teacher.teacher_of(context).training is None


def _predicted(context: Context, path: Path) -> tuple[dict[StatePoint, list[Prediction]], float]:
    """Predictions for the held-out frames of each cell, and microseconds an atom."""
    model = Evaluator(path, threads=1)
    found, seconds, atoms = {}, 0.0, 0
    for state, frames in held_out(context).items():
        started = time.monotonic()
        found[state] = list(model.evaluate(frames))
        seconds += time.monotonic() - started
        atoms += 2 * sum(len(frame.atoms) for frame in frames)  # as a whole and alone
    return found, 1e6 * seconds / atoms


def _model_errors(
    context: Context,
    predictions: dict[StatePoint, list[Prediction]],
    constants: Mapping[str, float] | None = None,
) -> dict[str, FrameErrors]:
    """Errors by cell; energies with a zero of their own are moved by constants."""
    cells = {}
    for state, frames in held_out(context).items():
        own = [predicted_quantities(f, p) for f, p in zip(frames, predictions[state], strict=True)]
        if constants is not None:
            own = [moved(q, f, constants) for q, f in zip(own, frames, strict=True)]
        cells[state.name] = FrameErrors.of(own, [labelled_quantities(f) for f in frames])
    return cells


def _teacher(context: Context, folder: Path) -> None:
    if teacher.teacher_of(context).training is not None:
        predictions, us_per_atom = _predicted(
            context, teacher.model_product(context).folder / MODEL
        )
        _write(folder, _model_errors(context, predictions), us_per_atom, failed={})
        return
    known = teacher.labels(context)
    labelled = {
        state: [(f, known[f.geometry_hash]) for f in frames if f.geometry_hash in known]
        for state, frames in held_out(context).items()
    }
    failed = {
        state.name: f"no label for {lost} of {len(frames)} frames"
        for state, frames in held_out(context).items()
        if (lost := len(frames) - len(labelled[state]))
    }
    cells = calculator_errors(labelled, _teacher_constants(context))
    _write(folder, cells, teacher.us_per_atom(context), failed=failed)


@remembered
def _teacher_constants(context: Context) -> dict[str, float]:
    """The zero of energy of a teacher that is a calculator, over all frames that it labelled."""
    known = teacher.labels(context)
    both = [frame for frame in teacher.everything(context) if frame.geometry_hash in known]
    return energy_constants(both, [known[frame.geometry_hash] for frame in both])


def _without(context: Context, folder: Path) -> None:
    cells = {
        state.name: FrameErrors.of(
            [no_interaction_quantities(f) for f in frames], [labelled_quantities(f) for f in frames]
        )
        for state, frames in held_out(context).items()
    }
    _write(folder, cells, None)


def _other(context: Context, name: str, other: OtherModel, folder: Path) -> None:
    reference = calculator(name, other)
    looked_at = {s: frames[: other.frames_per_cell] for s, frames in held_out(context).items()}
    labelled: dict[StatePoint, list[Labelled]] = {state: [] for state in looked_at}
    failed: dict[str, str] = {}
    seconds, atoms = 0.0, 0
    warm_up(reference, context.species)
    with context.progress.task(f"coverage: {name}", sum(map(len, looked_at.values()))) as task:
        for state, frames in looked_at.items():
            for frame in frames:
                started = time.monotonic()
                try:
                    labelled[state].append((frame, label_frame(reference, frame)))
                    seconds += time.monotonic() - started
                    atoms += atoms_evaluated(frame)
                except LmpThermoError as error:
                    failed[state.name] = str(error)
                task.advance(note=str(state))
            if not labelled[state]:
                context.progress.note(f"coverage: {name} failed at {state}: {failed[state.name]}")
    pairs = [pair for own in labelled.values() for pair in own]
    constants = energy_constants([f for f, _ in pairs], [own for _, own in pairs]) if pairs else {}
    cells = calculator_errors(labelled, constants)
    _write(folder, cells, 1e6 * seconds / atoms if atoms else None, failed=failed)


def calculator_errors(
    labelled: Mapping[StatePoint, Sequence[Labelled]], constants: Mapping[str, float]
) -> dict[str, FrameErrors]:
    """Errors of a calculator by cell, for cells of which it labelled a frame.

    Args:
        labelled: by cell, frames with the reference's labels and the same with the calculator's.
        constants: of the zero of its energies, by kind of molecule, eV.
    """
    return {
        state.name: FrameErrors.of(
            [moved(labelled_quantities(own), frame, constants) for frame, own in pairs],
            [labelled_quantities(frame) for frame, _ in pairs],
        )
        for state, pairs in labelled.items()
        if pairs
    }
