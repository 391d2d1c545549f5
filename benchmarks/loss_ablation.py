"""What each term between molecules does for a model: one table, the same limit for each loss.

    python benchmarks/loss_ablation.py inputs/methane.yaml runs/methane --minutes 6 --out ablation

Labels are those of the study's workspace; architecture, learning rate and weights are the study's.
Each loss trains from scratch on the same frames with the same seed, one after another on one core,
and is judged on the study's held-out frames. Rows are densities; the no-interaction model, in which
each molecule is alone, stands above them.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lmp_thermo.frames import Frame, read_frames, write_frames
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.potential.export import export_torchscript
from lmp_thermo.potential.intermolecular import (
    Errors,
    Quantities,
    compare,
    labelled_quantities,
    no_interaction_quantities,
    predicted_quantities,
)
from lmp_thermo.products import read_json
from lmp_thermo.stages.train import training_plan
from lmp_thermo.study import StudyFile
from lmp_thermo.training.configuration import write_configuration
from lmp_thermo.training.recipe import Limit, LossWeights, TrainingPlan
from lmp_thermo.training.runner import train

LOSSES = {
    "plain": (),
    "net force": ("net_force",),
    "net force, torque": ("net_force", "torque"),
    "net force, torque, molecular virial": ("net_force", "torque", "molecular_virial"),
}
"""Terms between molecules in each loss, beside energy, forces and stress."""


def main() -> None:
    """Train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, help="study file")
    parser.add_argument("workspace", type=Path, help="its workspace, with labels of every round")
    parser.add_argument("--out", type=Path, required=True, help="folder; what is there is kept")
    limit = parser.add_mutually_exclusive_group(required=True)
    limit.add_argument("--updates", type=int)
    limit.add_argument("--minutes", type=float)
    options = parser.parse_args()

    study = StudyFile.read(options.study)
    training, held_out = drawn_frames(options.workspace, study.sampling.rounds)
    references = read_json(next(options.workspace.glob("models/*/round-0/references.json")))
    options.out.mkdir(parents=True, exist_ok=True)
    write_frames(options.out / "training.extxyz", training)
    write_frames(options.out / "watched.extxyz", training[:: max(1, len(training) // 16)])

    truth = [labelled_quantities(frame) for frame in held_out]
    print(
        f"{len(training)} training frames, {len(held_out)} held out; limit {options.updates or ''}"
        f"{'updates' if options.updates else f'{options.minutes} minutes'}"
    )
    print(
        f"{'loss':52s} {'density':>12s}  {'force':>6s} {'net F':>12s} {'torque':>7s} "
        f"{'interaction':>14s} {'mol. pressure':>16s}\n{'':66s} {'meV/Å':>6s} {'meV/Å, %':>12s} "
        f"{'%':>7s} {'meV/atom, %':>14s} {'bias, RMSE bar':>16s}"
    )
    show("no interaction", held_out, [no_interaction_quantities(f) for f in held_out], truth)
    for name, terms in LOSSES.items():
        folder = options.out / name.replace(", ", "-").replace(" ", "_")
        if not folder.exists():
            write_configuration(
                folder,
                plan_of(study, terms, Limit(updates=options.updates, minutes=options.minutes)),
                options.out / "training.extxyz",
                options.out / "watched.extxyz",
                species=sorted(references),
                references=references,
            )
        model = folder / "model.nequip.pth"
        result = train(folder)
        export_torchscript(result.checkpoint, model)
        predictions = Evaluator(model, threads=1).evaluate(held_out)
        own = [predicted_quantities(f, p) for f, p in zip(held_out, predictions, strict=True)]
        show(f"{name}, {result.last.update} updates", held_out, own, truth)


def drawn_frames(workspace: Path, rounds: int) -> tuple[list[Frame], list[Frame]]:
    """Training frames that runs have drawn, with the single molecules, and held-out frames."""
    training: list[Frame] = []
    held_out: list[Frame] = []
    for number in range(rounds):
        folder = workspace / "labels" / f"round-{number}"
        frames, split = read_frames(folder / "labels.extxyz"), read_json(folder / "split.json")
        training += [frames[i] for i in split["training"] if frames[i].tags.origin != "packed"]
        held_out += [frames[i] for i in split["held_out"]]
    return training, held_out


def plan_of(study: StudyFile, terms: Sequence[str], limit: Limit) -> TrainingPlan:
    """The study's first training with some of the terms between molecules."""
    plan = training_plan(study, 0)
    between = {name: getattr(plan.loss, name) for name in terms}
    loss = LossWeights(plan.loss.energy, plan.loss.force, plan.loss.stress, **between)
    return replace(plan, loss=loss, limit=limit)


def show(
    name: str, frames: Sequence[Frame], own: Sequence[Quantities], truth: Sequence[Quantities]
) -> None:
    """Print a row for each density."""
    for density in sorted({frame.tags.density_g_cm3 for frame in frames}):
        chosen = [i for i, frame in enumerate(frames) if frame.tags.density_g_cm3 == density]
        print(row(name, density, compare([own[i] for i in chosen], [truth[i] for i in chosen])))


def row(name: str, density: float, errors: Errors) -> str:
    """One line of the table."""
    net, energy, pressure = errors.net_force, errors.interaction_energy, errors.molecular_pressure
    bias = "no stress" if pressure is None else f"{pressure.mean:.0f}, {pressure.rmse:.0f}"
    return (
        f"{name:52s} {density:6g} g/cm3  {1e3 * errors.force.rmse:6.1f} "
        f"{1e3 * net.rmse:5.1f}, {100 * net.relative:4.0f}% {100 * errors.torque.relative:6.0f}% "
        f"{1e3 * energy.rmse:7.2f}, {100 * energy.relative:4.0f}% {bias:>16s}"
    )


if __name__ == "__main__":
    main()
