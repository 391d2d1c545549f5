"""Teacher: what students learn from; it labels the frames of the comparison once.

A teacher is an ASE calculator, or a larger nequip model that is trained on the whole pool.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lmp_thermo.comparison import Teacher
from lmp_thermo.errors import PotentialError, TrainingError
from lmp_thermo.frames import Frame, read_frames
from lmp_thermo.potential.card import MODEL
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.products import Product, read_json
from lmp_thermo.reference import LabelFailure, Labeller
from lmp_thermo.reference.labelling import atoms_evaluated
from lmp_thermo.sections import AseCalculator, Reference
from lmp_thermo.stages import databases, label, side_by_side, train
from lmp_thermo.stages.context import Context, content_of, remembered
from lmp_thermo.stages.pool import comparison_of, held_out, pool
from lmp_thermo.study import seed_for, teacher_training
from lmp_thermo.training.references import ElementalReferences

NAME = "teacher"
"""Of its folders, and among what is judged beside the arms."""


def teacher_of(context: Context) -> Teacher:
    """The teacher of a comparison that has one."""
    teacher = comparison_of(context).teacher
    assert teacher is not None  # the study file is checked
    return teacher


def section(context: Context) -> Reference:
    """A teacher that is a calculator, as a source of labels."""
    teacher = teacher_of(context)
    assert teacher.calculator is not None
    return Reference(
        name=NAME,
        ase=AseCalculator(
            calculator=teacher.calculator,
            arguments=teacher.arguments,
            alone_box_A=teacher.alone_box_A,
        ),
        max_force_eV_A=context.study.reference.max_force_eV_A,
    )


def labeller(context: Context) -> Labeller:
    """A teacher that is a calculator, with its store of labels."""
    return Labeller(
        section(context), context.species, context.workspace.label_store(), context.cores
    )


def identity(context: Context) -> dict[str, Any] | str:
    """All that the teacher's labels depend on: the calculator's definition, or a model's hash."""
    if teacher_of(context).training is None:
        return labeller(context).reference.identity
    return model_product(context).content


def own_context(context: Context) -> Context:
    """The study as the training of the teacher sees it."""
    training = teacher_training(context.study)
    return replace(context, study=context.study.model_copy(update={"training": training}))


@remembered
def model_product(context: Context) -> Product:
    """A teacher that is a nequip model."""
    return Product(
        context.workspace.model(NAME, context.last_round),
        {
            "stage": "teacher/1",
            "labels": label.product(context, context.last_round).content,
            "seed": context.study.seed,
            **side_by_side.plan_sources(own_context(context)),
        },
    )


@remembered
def label_product(context: Context) -> Product:
    """What the teacher says of the pool, of held-out frames, and of clusters and crystals."""
    return Product(
        context.workspace.teacher_labels(),
        {
            "stage": "teacher-labels/2",
            "teacher": identity(context),
            "labels": label.product(context, context.last_round).content,
            "databases": content_of(
                [databases.label_product(context, kind) for kind in databases.kinds(context)]
            ),
            "max_force_eV_A": context.study.reference.max_force_eV_A,
        },
    )


def products(context: Context) -> list[Product]:
    """The model, where the teacher is one, and the labels once it is there."""
    models = [] if teacher_of(context).training is None else [model_product(context)]
    if any(model.state != "current" for model in models):
        return models
    return [*models, label_product(context)]


def make(context: Context) -> None:
    """Train the teacher, where it is a model, and let it label."""
    if teacher_of(context).training is not None:
        own = own_context(context)
        plan = train.training_plan(own.study, own.last_round)
        seed = seed_for(context.study.seed, NAME)
        frames = [frame for _, cell in sorted(pool(context).items()) for frame in cell]
        one = side_by_side.Training(
            NAME, model_product(context), frames, replace(plan, recipe="scratch", seed=seed)
        )
        side_by_side.carry_out(own, "train the teacher", [one])
    label_product(context).make(lambda folder: _label(context, folder))


@remembered
def labels(context: Context) -> dict[str, Frame]:
    """Frames with the teacher's labels, by the hash of their geometry."""
    made = label_product(context)
    made.verify()
    return {frame.geometry_hash: frame for frame in read_frames(made.folder / label.LABELS)}


def failures(context: Context) -> list[dict[str, Any]]:
    """Frames on which the teacher failed, with the causes."""
    found: list[dict[str, Any]] = read_json(label_product(context).folder / label.FAILURES)
    return found


def taught(context: Context, frames: Sequence[Frame]) -> list[Frame]:
    """The frames with the teacher's labels; those on which it failed are left out."""
    known = labels(context)
    return [known[h] for h in (frame.geometry_hash for frame in frames) if h in known]


def references(context: Context, frames: Sequence[Frame]) -> dict[str, float]:
    """Energy of each species alone on the teacher's scale, for a student's training.

    Args:
        context: of the study.
        frames: the student's, labelled by the teacher.

    Raises:
        TrainingError: there is no frame.
    """
    if teacher_of(context).training is not None:
        energies: dict[str, float] = read_json(model_product(context).folder / train.REFERENCES)
        return energies
    return dict(ElementalReferences.fit(train.molecules_alone(frames), context.species).energies)


def us_per_atom(context: Context) -> float | None:
    """Microseconds an atom that a calculator took for held-out frames; None where all failed."""
    tool = labeller(context)
    own = [f for cell in held_out(context).values() for f in taught(context, cell)]
    atoms = sum(atoms_evaluated(frame) for frame in own)
    return 1e6 * sum(tool.seconds(frame) for frame in own) / atoms if own else None


def record(context: Context) -> dict[str, Any]:
    """What the teacher is, and how much it could label."""
    failed = failures(context)
    settings = teacher_of(context)
    trained_on = None
    if settings.training is not None:
        trained_on = sum(map(len, pool(context).values()))
    return {
        "labelled": len(labels(context)),
        "failed": len(failed),
        "first_cause": failed[0]["cause"] if failed else None,
        "trained_on_frames": trained_on,
    }


def everything(context: Context) -> list[Frame]:
    """All frames that the teacher is asked about, with the reference's labels."""
    sources = [pool(context), held_out(context)]
    sources += [databases.frames(context, kind) for kind in databases.kinds(context)]
    return [frame for source in sources for cell in source.values() for frame in cell]


def _label(context: Context, folder: Path) -> None:
    wanted = everything(context)
    with context.progress.task("the teacher labels", len(wanted)) as task:
        if teacher_of(context).training is None:
            outcome = labeller(context).label(wanted, lambda _: task.advance())
        else:
            outcome = []
            for done in _by_model(context, wanted):
                outcome.append(done)
                task.advance()
    good, failed = label.write_outcome(folder, outcome)
    if not good:
        raise TrainingError(
            f"comparison.teacher: failed on all {len(wanted)} frames; first cause: "
            f"{failed[0].cause}; choose another teacher"
        )
    if failed:
        context.progress.note(
            f"teacher: failed on {len(failed)} of {len(wanted)} frames, which its students go "
            f"without; first cause: {failed[0].cause}"
        )


def _by_model(context: Context, frames: Sequence[Frame]) -> Iterator[Frame | LabelFailure]:
    model = Evaluator(model_product(context).folder / MODEL, threads=1)
    limit = context.study.reference.max_force_eV_A
    for frame in frames:
        try:
            (found,) = model.evaluate([frame])
        except PotentialError as error:
            yield LabelFailure(frame, str(error))
            continue
        largest = float(np.abs(found.forces).max())
        if largest > limit:
            cause = (
                f"force of {largest:.4g} eV/Å, expected at most reference.max_force_eV_A = "
                f"{limit:g}"
            )
            yield LabelFailure(frame, cause)
            continue
        yield frame.labelled(
            NAME, found.energy, found.forces, found.stress, found.alone_energy, found.alone_forces
        )
