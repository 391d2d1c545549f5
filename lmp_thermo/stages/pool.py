"""The pool of a comparison: labelled once, shared by all arms."""

from lmp_thermo.comparison import Comparison
from lmp_thermo.errors import LabelError
from lmp_thermo.frames import Frame
from lmp_thermo.stages import label
from lmp_thermo.stages.context import Context, remembered
from lmp_thermo.states import StatePoint

Selection = dict[StatePoint, list[int]]
"""For each cell, indices into its frames of the pool."""


def comparison_of(context: Context) -> Comparison:
    """The comparison section of a study that has one."""
    comparison = context.study.comparison
    assert comparison is not None  # stages of a comparison are planned only for one
    return comparison


@remembered
def pool(context: Context) -> dict[StatePoint, list[Frame]]:
    """Labelled frames on which arms may spend, by cell.

    Raises:
        LabelError: there is none.
    """
    return _by_cell(context, "training")


@remembered
def held_out(context: Context) -> dict[StatePoint, list[Frame]]:
    """Labelled frames that no arm trains on, by cell, in the order of the grid."""
    return _by_cell(context, "held_out")


@remembered
def costs(context: Context) -> dict[StatePoint, list[float]]:
    """What each frame of the pool costs, in the unit of the budget."""
    unit = comparison_of(context).budget_unit
    found = pool(context)
    if unit == "frames":
        return {state: [1.0] * len(frames) for state, frames in found.items()}
    if unit == "atom-frames":
        return {s: [float(len(f.atoms)) for f in frames] for s, frames in found.items()}
    tool = label.labeller(context)
    return {state: [tool.seconds(f) for f in frames] for state, frames in found.items()}


def frames_of(context: Context, selection: Selection) -> list[Frame]:
    """Labelled frames of a selection, cell by cell."""
    found = pool(context)
    return [found[state][index] for state in sorted(selection) for index in selection[state]]


def _by_cell(context: Context, part: str) -> dict[StatePoint, list[Frame]]:
    frames, split = label.labelled(context, context.last_round)
    found: dict[StatePoint, list[Frame]] = {}
    for state in context.study.states:
        own = [frames[i] for i in split[part] if frames[i].tags.state == state]
        if own:
            found[state] = own
    if not found:
        folder = label.product(context, context.last_round).folder
        raise LabelError(f"{folder}: no {part} frame got a label; look at failures.json there")
    return found
