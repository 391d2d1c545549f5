"""How fast does a study's model train? Updates a second, by device, compilation and box.

    python benchmarks/training.py inputs/density/methane.yaml \
        runs/density-methane/labels/round-2/labels.extxyz --batches 2x1 4x2 16x2 --devices cpu cuda

A batch of 4x2 is of four frames, each of them a labelled box repeated twice along every edge; the
densest boxes of the file are taken. Architecture, loss and learning rate are the study's. Trainings
run one after another, each for its time, and each rate is over its second half. The start is what
lies before the first update: Python, the model, and where it is compiled its first compiling.
"""

import argparse
import itertools
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from lmp_thermo.frames import Frame, read_frames, write_frames
from lmp_thermo.stages.train import training_plan
from lmp_thermo.study import StudyFile
from lmp_thermo.training.configuration import write_configuration
from lmp_thermo.training.recipe import Limit, TrainingPlan
from lmp_thermo.training.runner import Progress, sees_a_gpu, train


def main() -> None:
    """Train, look at the clock, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path)
    parser.add_argument("labels", type=Path, help="labelled frames of the study's workspace")
    parser.add_argument("--batches", nargs="+", default=["2x1", "4x2"], metavar="FRAMESxREPEATS")
    parser.add_argument("--devices", nargs="+", default=["cpu"], choices=["cpu", "cuda"])
    parser.add_argument("--compiled", nargs="+", default=["yes", "no"], choices=["yes", "no"])
    parser.add_argument("--threads", type=int, default=1, help="of trainings on the processor")
    parser.add_argument("--seconds", type=float, default=60.0, help="of updates in each training")
    options = parser.parse_args()
    for batch in options.batches:
        if not re.fullmatch(r"[1-9]\d*x[1-9]", batch):
            parser.error(f"batch {batch}: expected FRAMESxREPEATS, such as 4x2")
    if "cuda" in options.devices and not sees_a_gpu():
        parser.error("device cuda: torch sees no GPU on this machine; leave it out")
    study = StudyFile.read(options.study)
    boxes = densest(read_frames(options.labels), 20)
    if not boxes:
        parser.error(f"{options.labels}: no labelled box of several molecules; give another file")
    print(f"{'device':8s}{'compiled':10s}{'frames':>7s}{'atoms each':>12s}{'start, s':>10s}"
          f"{'updates':>9s}{'updates/s':>11s}{'µs/atom':>9s}", flush=True)  # fmt: skip
    for device, compiled, batch in itertools.product(
        options.devices, options.compiled, options.batches
    ):
        frames, repeats = map(int, batch.split("x"))
        plan = replace(
            training_plan(study, 0),
            limit=Limit(minutes=options.seconds / 60),
            device=device,
            threads=options.threads,
            compiled=compiled == "yes",
            batch_size=frames,
        )
        with tempfile.TemporaryDirectory() as folder:
            start, lines = trained(Path(folder), plan, [repeated(box, repeats) for box in boxes])
        half = lines[-1].seconds / 2
        first = min(lines[:-1], key=lambda line: abs(line.seconds - half), default=None)
        if first is None:  # progress is told every 50 updates
            parser.error(f"{device}, {batch}: no 50 updates in the time; raise --seconds")
        rate = (lines[-1].update - first.update) / (lines[-1].seconds - first.seconds)
        atoms = len(boxes[0].atoms) * repeats**3
        print(f"{device:8s}{compiled:10s}{frames:7d}{atoms:12d}{start:10.0f}{lines[-1].update:9d}"
              f"{rate:11.3g}{1e6 / (rate * atoms * frames):9.3g}", flush=True)  # fmt: skip


def densest(frames: list[Frame], count: int) -> list[Frame]:
    """Labelled boxes of the highest densities, all of one size."""
    whole = [f for f in frames if f.atoms.pbc.all() and f.n_molecules > 1 and f.stress is not None]
    whole.sort(key=lambda frame: -frame.tags.density_g_cm3)
    return [frame for frame in whole if len(frame.atoms) == len(whole[0].atoms)][:count]


def repeated(frame: Frame, times: int) -> Frame:
    """The frame in a box as many times as long along every edge, with its labels."""
    copies = times**3
    atoms = frame.atoms.repeat(times)
    atoms.calc = None
    steps = np.repeat(np.arange(copies), len(frame.atoms)) * frame.n_molecules
    atoms.arrays["molecule"] = np.tile(frame.molecule, copies) + steps
    return Frame(atoms, frame.tags).labelled(
        frame.tags.fidelity,
        frame.energy * copies,
        np.tile(frame.forces, (copies, 1)),
        frame.stress,
        frame.alone_energy * copies,
        np.tile(frame.alone_forces, (copies, 1)),
    )


def trained(
    folder: Path, plan: TrainingPlan, frames: list[Frame]
) -> tuple[float, tuple[Progress, ...]]:
    """Seconds before the first update, and how the training went."""
    species = sorted(set(frames[0].atoms.symbols))
    level = frames[0].alone_energy / len(frames[0].atoms)  # near enough: updates take as long
    write_frames(folder / "training.extxyz", frames)
    write_frames(folder / "watched.extxyz", frames[:1])
    write_configuration(
        folder / "training",
        plan,
        folder / "training.extxyz",
        folder / "watched.extxyz",
        species=species,
        references=dict.fromkeys(species, level),
    )
    started = time.monotonic()
    lines = train(folder / "training").progress
    return time.monotonic() - started - lines[-1].seconds, lines


if __name__ == "__main__":
    main()
