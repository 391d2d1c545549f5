"""What each term between molecules does for a model: one table, the same limit for each loss.

    python benchmarks/loss_ablation.py LABELS.extxyz --updates 4000 --out runs/ablation

Frames are split by state point; each loss trains from scratch on the same frames with the same
seed, one after another on one core, and is judged on the frames held out. Rows are groups of
densities; the no-interaction model, in which each molecule is alone, stands above them.
"""

import argparse
from collections.abc import Sequence
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
from lmp_thermo.training.configuration import write_configuration
from lmp_thermo.training.recipe import Architecture, Limit, LossWeights, TrainingPlan
from lmp_thermo.training.references import ElementalReferences
from lmp_thermo.training.runner import train
from lmp_thermo.training.splits import Split

PLAIN = {"energy": 1000.0, "force": 1.0, "stress": 20.0}
LOSSES = {
    "plain": LossWeights(**PLAIN),
    "net force": LossWeights(**PLAIN, net_force=5.0),
    "net force, torque": LossWeights(**PLAIN, net_force=5.0, torque=5.0),
    "net force, torque, molecular virial": LossWeights(
        **PLAIN, net_force=5.0, torque=5.0, molecular_virial=20.0
    ),
}


def main() -> None:
    """Train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path, help="labelled frames with molecules")
    parser.add_argument("--out", type=Path, required=True, help="folder; what is there is kept")
    limit = parser.add_mutually_exclusive_group(required=True)
    limit.add_argument("--updates", type=int)
    limit.add_argument("--minutes", type=float)
    parser.add_argument("--held-out", type=int, default=4, help="frames at each state point")
    parser.add_argument("--features", type=int, default=32)
    parser.add_argument(
        "--pair", action="append", default=[], metavar="H-H=3.5", help="cutoff of a pair, Å"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    pairs = {name: float(cutoff) for name, cutoff in (p.split("=") for p in options.pair)}
    frames = read_frames(options.labels)
    split = Split.by_state(frames, options.held_out, options.seed)
    training, held_out = split.frames("training", frames), split.frames("held_out", frames)
    species = sorted({symbol for frame in frames for symbol in frame.atoms.get_chemical_symbols()})
    references = ElementalReferences.fit(training, species).energies
    options.out.mkdir(parents=True, exist_ok=True)
    write_frames(options.out / "training.extxyz", training)
    write_frames(options.out / "watched.extxyz", training[:: max(1, len(training) // 16)])

    truth = [labelled_quantities(frame) for frame in held_out]
    print(
        f"{len(training)} training frames, {len(held_out)} held out; limit {options.updates or ''}"
        f"{'updates' if options.updates else f'{options.minutes} minutes'}"
    )
    print(
        f"{'loss':38s} {'density':>12s}  {'force':>6s} {'net F':>12s} {'torque':>7s} "
        f"{'interaction':>14s} {'mol. pressure':>16s}\n{'':52s} {'meV/Å':>6s} {'meV/Å, %':>12s} "
        f"{'%':>7s} {'meV/atom, %':>14s} {'bias, RMSE bar':>16s}"
    )
    show("no interaction", held_out, [no_interaction_quantities(f) for f in held_out], truth)
    for name, loss in LOSSES.items():
        folder = options.out / name.replace(", ", "-").replace(" ", "_")
        if not folder.exists():
            plan = TrainingPlan(
                Architecture(r_max_A=5.0, features=options.features, pair_r_max_A=pairs),
                Limit(updates=options.updates, minutes=options.minutes),
                loss,
                seed=options.seed,
            )
            write_configuration(
                folder,
                plan,
                options.out / "training.extxyz",
                options.out / "watched.extxyz",
                species=species,
                references=references,
            )
        model = folder / "model.nequip.pth"
        export_torchscript(train(folder).checkpoint, model)
        predictions = Evaluator(model, threads=1).evaluate(held_out)
        own = [predicted_quantities(f, p) for f, p in zip(held_out, predictions, strict=True)]
        show(name, held_out, own, truth)


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
        f"{name:38s} {density:6g} g/cm3  {1e3 * errors.force.rmse:6.1f} "
        f"{1e3 * net.rmse:5.1f}, {100 * net.relative:4.0f}% {100 * errors.torque.relative:6.0f}% "
        f"{1e3 * energy.rmse:7.2f}, {100 * energy.relative:4.0f}% {bias:>16s}"
    )


if __name__ == "__main__":
    main()
