"""Train: one model for each round; later rounds go on from the last model."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.data import atomic_masses, atomic_numbers

from lmp_thermo.frames import Frame, write_frames
from lmp_thermo.interaction import Interaction
from lmp_thermo.potential.card import MODEL
from lmp_thermo.potential.export import export_torchscript
from lmp_thermo.products import Product, read_json, write_json, write_text
from lmp_thermo.sections import Training
from lmp_thermo.stages import label
from lmp_thermo.stages.context import Context, content_of, remembered, versions
from lmp_thermo.study import StudyFile, seed_for
from lmp_thermo.training.configuration import write_configuration
from lmp_thermo.training.recipe import Architecture, Limit, LossWeights, TrainingPlan
from lmp_thermo.training.references import ElementalReferences
from lmp_thermo.training.runner import Progress, train

CHECKPOINT = "final.ckpt"
CURVES = "progress.jsonl"
REFERENCES = "references.json"
SUMMARY = "training.json"
VALIDATION_SHARE = 0.08
"""Share of the training frames that training itself watches its errors on."""


@remembered
def product(context: Context, round_number: int) -> Product:
    """The model of a round."""
    study = context.study
    sources: dict[str, Any] = {
        "stage": "train/1",
        "labels": content_of([label.product(context, r) for r in range(round_number + 1)]),
        "training": {
            key: value
            for key, value in study.training.model_dump().items()
            if key not in ("updates", "minutes", "device")
        },
        "limit": _limit_values(study, round_number),
        "seed": study.seed,
        "species": list(context.species),
        "versions": versions("nequip", "torch", "lmp-thermo"),
    }
    if round_number:
        sources["start"] = product(context, round_number - 1).content
    return Product(context.workspace.model(context.own_model, round_number), sources)


def make(context: Context, round_number: int) -> None:
    """Train the round's model, or go on with a training that was interrupted."""
    made = product(context, round_number)
    if made.state == "current":
        return
    with context.progress.task(f"train round {round_number}", 1.0) as task:

        def tell(progress: Progress) -> None:
            shown = ", ".join(f"{k} {1000 * v:.2f}" for k, v in progress.validation.items())
            task.reach(progress.share, f"update {progress.update}; RMSE in meV, Å: {shown}")

        messages = train_to(
            made,
            lambda work: _prepare(context, round_number, work),
            tell,
            context.workspace.compiled,
        )
    for message in messages:
        context.progress.note(message)


def train_to(
    made: Product,
    prepare: Callable[[Path], None],
    tell: Callable[[Progress], None],
    compiled: Path,
) -> tuple[str, ...]:
    """Train a model, or go on with a training that was interrupted, and make it a product.

    Args:
        made: the model; its working folder lies beside it and carries its key.
        prepare: writes nequip's configuration and the frames into the working folder.
        tell: called for each epoch.
        compiled: folder that all trainings of the study share, see `train`.

    Returns:
        What a user should know.
    """
    work = made.folder.with_name(f".{made.folder.name}.work")
    key = work / "key"
    if work.exists() and (not key.is_file() or key.read_text() != made.key):
        shutil.rmtree(work)
    if not work.exists():
        work.mkdir(parents=True)
        prepare(work)
        write_text(key, made.key)
    result = train(work, tell, compiled=compiled)

    def write(folder: Path) -> None:
        shutil.copyfile(result.checkpoint, folder / CHECKPOINT)
        for name in ("config.yaml", CURVES, REFERENCES, SUMMARY):
            shutil.copyfile(work / name, folder / name)
        export_torchscript(folder / CHECKPOINT, folder / MODEL)

    made.make(write)
    shutil.rmtree(work)
    return result.messages


def architecture(options: Training) -> Architecture:
    """The model that a study asks for."""
    return Architecture(
        r_max_A=options.r_max_A,
        pair_r_max_A=options.pair_r_max_A,
        num_bessels=options.num_bessels,
        radial_mlp_width=options.radial_mlp_width,
        layers=options.layers,
        l_max=options.l_max,
        parity=options.parity,
        features=options.features,
        dtype=options.dtype,
    )


def training_plan(study: StudyFile, round_number: int) -> TrainingPlan:
    """The training of one round that a study asks for."""
    options = study.training
    return TrainingPlan(
        architecture=architecture(options),
        limit=Limit(**_limit_values(study, round_number)),
        loss=LossWeights(
            energy=options.energy_weight,
            force=options.force_weight,
            stress=options.stress_weight,
            net_force=options.net_force_weight,
            torque=options.torque_weight,
            molecular_virial=options.molecular_virial_weight,
        ),
        recipe="fine-tune" if round_number else "scratch",
        seed=seed_for(study.seed, "train", round_number),
        threads=options.threads,
        device=options.device,
        compiled=options.compiled,
        batch_size=options.batch_size,
        apart_share=options.apart_share,
        learning_rate=options.learning_rate,
    )


def training_frames(context: Context, round_number: int) -> list[Frame]:
    """Labelled training frames of all rounds up to this one.

    Frames packed for the first round have close contacts that no run of the fluid has; their large
    forces would rule the loss of the later models. Single molecules stay, and so do frames packed
    later, where a guard stopped a run.
    """
    return [*earlier_frames(context, round_number), *_of_round(context, round_number)]


def earlier_frames(context: Context, round_number: int) -> list[Frame]:
    """Those of the rounds before on which a round's model is trained as well."""
    frames = [f for earlier in range(round_number) for f in _of_round(context, earlier)]
    if context.study.training.packed_frames == "all":
        return frames
    return [f for f in frames if (f.tags.round, f.tags.origin) != (0, "packed")]


def _of_round(context: Context, round_number: int) -> list[Frame]:
    labelled, split = label.labelled(context, round_number)
    return [labelled[index] for index in split["training"]]


def interaction(context: Context, round_number: int) -> Interaction:
    """A round's model as decks see it."""
    made = product(context, round_number)
    made.verify()
    return Interaction(
        name=f"{context.study.name} {context.own_model}, round {round_number}",
        species=context.species,
        masses_g_mol=tuple(float(atomic_masses[atomic_numbers[s]]) for s in context.species),
        pair_lines=("pair_style nequip", f"pair_coeff * * {MODEL} {' '.join(context.species)}"),
        files=(made.folder / MODEL,),
        ghost_cutoff_A=context.study.training.r_max_A,
    )


def references(context: Context, round_number: int) -> dict[str, float]:
    """Energy of each species alone that the round's model was trained with, eV."""
    values: dict[str, float] = read_json(product(context, round_number).folder / REFERENCES)
    return values


def _limit_values(study: StudyFile, round_number: int) -> dict[str, Any]:
    training = study.training
    return {
        "updates": None if training.updates is None else training.updates[round_number],
        "minutes": None if training.minutes is None else training.minutes[round_number],
    }


def _prepare(context: Context, round_number: int, work: Path) -> None:
    study = context.study
    start = product(context, round_number - 1).folder if round_number else None
    prepare_training(
        context,
        work,
        training_frames(context, round_number),
        training_plan(study, round_number),
        start,
    )


def prepare_training(
    context: Context,
    work: Path,
    frames: list[Frame],
    plan: TrainingPlan,
    start: Path | None,
    references: dict[str, float] | None = None,
) -> None:
    """Write frames, elemental references and nequip's configuration.

    Args:
        context: of the study.
        work: folder of the training.
        frames: labelled; some of them, spread evenly, only watch the training.
        plan: what to train.
        start: folder of the model to go on from, whose references are kept; None for a new one.
        references: energy of each species alone; as the study asks where None.
    """
    watched = set(_watched(frames))
    write_frames(work / "training.extxyz", [f for i, f in enumerate(frames) if i not in watched])
    write_frames(work / "watched.extxyz", [frames[i] for i in sorted(watched)])
    if start is not None:
        energies: dict[str, float] = read_json(start / REFERENCES)
    elif references is not None:
        energies = references
    else:
        energies = elemental_references(
            context, [f for i, f in enumerate(frames) if i not in watched]
        )
    write_json(work / REFERENCES, energies)
    write_json(
        work / SUMMARY,
        {
            "frames": len(frames) - len(watched),
            "watched": len(watched),
            "reproducible": plan.reproducible,
            "device": plan.device,
        },
    )
    write_configuration(
        work,
        plan,
        work / "training.extxyz",
        work / "watched.extxyz",
        species=context.species,
        references=energies,
        checkpoint=None if start is None else start / CHECKPOINT,
        overrides=context.study.training.overrides,
    )


def _watched(frames: list[Frame]) -> list[int]:
    """Evenly spread indices of frames on which training watches its errors, at least one."""
    count = max(1, round(VALIDATION_SHARE * len(frames)))
    return [int((k + 0.5) * len(frames) / count) for k in range(count)]


def elemental_references(context: Context, frames: list[Frame]) -> dict[str, float]:
    """Per-element energies from the training part, as the study asks.

    Fitted on the molecules alone, the energy that the model has to learn is zero in the limit of
    a dilute gas but for the molecules' own vibrations; for atoms these are the isolated atoms. What
    the molecules leave open is taken from isolated atoms, where the reference knows them.
    """
    asked = context.study.training.references
    if isinstance(asked, dict):
        return asked
    isolated = None
    if not context.reference.molecules_only:
        isolated = {s: context.reference.label_alone(Atoms(s)).energy for s in context.species}
    if asked == "isolated-atoms":
        assert isolated is not None  # the driver has made sure
        return isolated
    if asked == "isolated-molecules":
        frames = molecules_alone(frames)
    return dict(ElementalReferences.fit(frames, context.species, towards=isolated).energies)


def molecules_alone(frames: Sequence[Frame]) -> list[Frame]:
    """The same frames as if their molecules did not see each other."""
    return [
        f.labelled(
            f.tags.fidelity, f.alone_energy, f.alone_forces, None, f.alone_energy, f.alone_forces
        )
        for f in frames
    ]
