"""Label: the reference's energies, forces and stress for one round's frames."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lmp_thermo.errors import LabelError
from lmp_thermo.frames import Frame, read_frames, write_frames
from lmp_thermo.products import Product, read_json, write_json
from lmp_thermo.reference import LabelFailure, Labeller
from lmp_thermo.sampling.designs import CellPlan
from lmp_thermo.stages import sample
from lmp_thermo.stages.context import Context, content_of, remembered
from lmp_thermo.states import StatePoint

LABELS = "labels.extxyz"
SPLIT = "split.json"
FAILURES = "failures.json"


@remembered
def product(context: Context, round_number: int) -> Product:
    """The labelled frames of a round, with the split into training and held-out."""
    sources = {
        "stage": "label/1",
        "frames": content_of(sample.products(context, round_number)),
        "plan": [[p.state.name, p.training, p.held_out] for p in context.plan(round_number)],
        "reference": context.reference.identity,
        "name": context.study.reference.name,
        "max_force_eV_A": context.study.reference.max_force_eV_A,
    }
    if context.adaptive and round_number == context.last_round:
        from lmp_thermo.stages import curriculum

        sources["bought"] = curriculum.own_product(context).content
    return Product(context.workspace.labels(round_number), sources)


def labeller(context: Context) -> Labeller:
    """The reference with its store of labels."""
    return Labeller(
        context.reference_section, context.species, context.workspace.label_store(), context.cores
    )


def make(context: Context, round_number: int) -> None:
    """Label the round's frames where that has not been done."""
    product(context, round_number).make(lambda folder: _label(context, round_number, folder))


def candidates(context: Context, plan: CellPlan) -> list[Frame]:
    """Frames of a cell from which an adaptive study chooses those to label and train on."""
    path = context.workspace.frames(context.last_round, plan.state) / sample.FRAMES
    frames = read_frames(path) if path.is_file() else []
    return [f for role, f in zip(_roles(plan), frames, strict=False) if role == "training"]


def labelled(context: Context, round_number: int) -> tuple[list[Frame], dict[str, list[int]]]:
    """Labelled frames of a round and the indices of its parts ``training``, ``held_out``."""
    made = product(context, round_number)
    made.verify()
    split: dict[str, list[int]] = read_json(made.folder / SPLIT)
    return read_frames(made.folder / LABELS), split


def _label(context: Context, round_number: int, folder: Path) -> None:
    study = context.study
    tool = labeller(context)
    check_repeatable(context, round_number)
    bought = _bought(context, round_number)
    wanted: list[tuple[str, Frame]] = []
    spares: dict[str, list[Frame]] = {}
    for plan in context.plan(round_number):
        path = context.workspace.frames(round_number, plan.state) / sample.FRAMES
        if not path.is_file():
            continue  # the cell's run gave none, which was said when it was sampled
        frames = read_frames(path)
        roles = _roles(plan)
        wanted += _wanted(list(zip(roles, frames, strict=False)), bought.get(plan.state))
        spares[plan.state.name] = frames[len(roles) :]
    if round_number == 0 and study.sampling.molecule_frames:
        molecules = read_frames(context.workspace.molecule_frames() / sample.FRAMES)
        wanted += [("training", frame) for frame in molecules]
    results: list[Frame | None] = [None] * len(wanted)
    failures: list[dict[str, Any]] = []
    open_places = list(range(len(wanted)))
    attempt = {place: frame for place, (_, frame) in enumerate(wanted)}
    with context.progress.task(f"label round {round_number}", len(wanted)) as task:
        while open_places:
            outcome = tool.label(
                [attempt[place] for place in open_places],
                lambda done: task.advance(0 if isinstance(done, LabelFailure) else 1),
            )
            still_open = []
            for place, result in zip(open_places, outcome, strict=True):
                if isinstance(result, Frame):
                    results[place] = result
                    continue
                tags = result.frame.tags
                left = spares.get(tags.state.name, [])
                failures.append(
                    {
                        "state": tags.state.name,
                        "index": tags.index,
                        "origin": tags.origin,
                        "cause": result.cause,
                        "replaced_by": left[0].tags.index if left else None,
                    }
                )
                if left:
                    attempt[place] = left.pop(0)
                    still_open.append(place)
            open_places = still_open
    if failures:
        lost = sum(f["replaced_by"] is None for f in failures)
        context.progress.note(
            f"label round {round_number}: {len(failures)} frames refused, {len(failures) - lost} "
            f"of them replaced; first cause: {failures[0]['cause']}"
        )
    if len(failures) > len(wanted) // 2:
        raise LabelError(
            f"label round {round_number}: {len(failures)} frames could not be labelled, more than "
            f"half of {len(wanted)}; first cause: {failures[0]['cause']}"
        )
    good: list[Frame] = []
    split: dict[str, list[int]] = {"training": [], "held_out": []}
    for (role, _), label in zip(wanted, results, strict=True):
        if label is not None:
            split[role].append(len(good))
            good.append(label)
    write_frames(folder / LABELS, good)
    write_json(folder / SPLIT, split)
    write_json(folder / FAILURES, failures)


def write_outcome(
    folder: Path, outcome: Sequence[Frame | LabelFailure]
) -> tuple[list[Frame], list[LabelFailure]]:
    """Write frames that got a label, and the causes for those that did not, and give both."""
    good = [done for done in outcome if isinstance(done, Frame)]
    failed = [done for done in outcome if isinstance(done, LabelFailure)]
    write_frames(folder / LABELS, good)
    causes = [
        {
            "state": f.frame.tags.state.name,
            "origin": f.frame.tags.origin,
            "index": f.frame.tags.index,
            "cause": f.cause,
        }
        for f in failed
    ]
    write_json(folder / FAILURES, causes)
    return good, failed


def _bought(context: Context, round_number: int) -> dict[StatePoint, list[int]]:
    """What an adaptive study labels to train on in its last round; {} where all is labelled."""
    if not context.adaptive or round_number != context.last_round:
        return {}
    from lmp_thermo.stages import curriculum

    own = curriculum.own_selection(context)
    return {plan.state: own.get(plan.state, []) for plan in context.plan(round_number)}


def _wanted(
    roles: Sequence[tuple[str, Frame]], bought: Sequence[int] | None
) -> list[tuple[str, Frame]]:
    """Frames to label, with their roles; of those to train on only the bought ones."""
    if bought is None:
        return list(roles)
    training = [pair for pair in roles if pair[0] == "training"]
    held_out = [pair for pair in roles if pair[0] != "training"]
    return [*(training[index] for index in sorted(bought)), *held_out]


def _roles(plan: CellPlan) -> list[str]:
    """Role of each frame over time: held-out ones spread evenly among the training ones."""
    n = plan.training + plan.held_out
    held_out = {int((k + 0.5) * n / plan.held_out) for k in range(plan.held_out)}
    return ["held_out" if place in held_out else "training" for place in range(n)]


def check_repeatable(context: Context, round_number: int) -> None:
    """Label one frame twice: a reference that disagrees with itself is refused before long work."""
    if round_number:
        return
    paths = [
        context.workspace.frames(round_number, plan.state) / sample.FRAMES
        for plan in context.plan(round_number)
    ]
    frame = read_frames(next(path for path in paths if path.is_file()))[0]
    try:
        first, second = (context.reference.label(frame.atoms) for _ in range(2))
    except LabelError:
        return  # the frame may be at fault; labelling will tell
    tolerance = context.study.reference.energy_tolerance_eV
    if abs(first.energy - second.energy) > tolerance:
        raise LabelError(
            f"reference {context.study.reference.name}: two labels of one frame differ by "
            f"{abs(first.energy - second.energy):.2g} eV, expected at most "
            f"reference.energy_tolerance_eV = {tolerance:g}; tighten its convergence"
        )
