"""Frames that an adaptive design may buy: a comparison's pool, or what the last round has drawn."""

from dataclasses import dataclass

from lmp_thermo.comparison import Arm, Curriculum
from lmp_thermo.errors import WorkspaceError
from lmp_thermo.frames import Frame
from lmp_thermo.products import Product
from lmp_thermo.sampling.designs import adaptive_budget, cells_of
from lmp_thermo.stages import label, pool, sample, train
from lmp_thermo.stages.context import Context, content_of, remembered
from lmp_thermo.stages.pool import Selection
from lmp_thermo.states import StatePoint


@dataclass(frozen=True)
class Candidates:
    """What may be bought, and what is there without buying.

    Args:
        frames: by cell. Those of a comparison's pool are labelled, others are not.
        costs: of each frame, in the unit of the budget.
        known: labelled frames that every model is trained on in any case.
    """

    frames: dict[StatePoint, list[Frame]]
    costs: dict[StatePoint, list[float]]
    known: list[Frame]

    def known_at(self, state: StatePoint) -> int:
        """How many known frames are of a cell."""
        return sum(frame.tags.state == state for frame in self.known)

    @property
    def mean_cost(self) -> float:
        """Of a frame."""
        costs = [cost for own in self.costs.values() for cost in own]
        return sum(costs) / len(costs)


def settings(context: Context) -> Curriculum:
    """How the study's adaptive design spends."""
    comparison = context.study.comparison
    found = context.study.sampling.curriculum if comparison is None else comparison.curriculum
    assert found is not None  # the study file is checked
    return found


def buyers(context: Context) -> list[Arm]:
    """Those of a comparison's adaptive arms that buy, for the others take what these bought; or the
    one of a study whose own design is adaptive."""
    comparison = context.study.comparison
    if comparison is None:
        budget = float(adaptive_budget(context.study.sampling, context.study.states))
        return [Arm("adaptive", "intermolecular", context.study.seed, budget)]
    own = [arm for arm in comparison.arms if arm.design == "adaptive"]
    return list(dict.fromkeys(comparison.buyer(arm) for arm in own))


def sources_of_candidates(context: Context) -> list[str]:
    """Content of the products that candidates come from.

    Raises:
        WorkspaceError: one is missing or stale.
    """
    if context.study.comparison is not None:
        return [label.product(context, context.last_round).content]
    before: list[Product] = [label.product(context, r) for r in range(context.last_round)]
    return content_of([*before, *sample.products(context, context.last_round)])


@remembered
def candidates(context: Context) -> Candidates:
    """Of a comparison's pool, or of a study's last round.

    Raises:
        WorkspaceError: no cell has any.
    """
    comparison = context.study.comparison
    if comparison is not None:
        found = pool.pool(context)
        cells = [s for s in cells_of("adaptive", comparison, context.study.states) if s in found]
        costs = pool.costs(context)
        return Candidates({s: found[s] for s in cells}, {s: costs[s] for s in cells}, [])
    drawn = {
        plan.state: label.candidates(context, plan) for plan in context.plan(context.last_round)
    }
    drawn = {state: frames for state, frames in drawn.items() if frames}
    if not drawn:
        raise WorkspaceError(
            f"{context.workspace.path}: the last round has drawn no frames to choose from; look at "
            "the notes of its sampling"
        )
    known = train.earlier_frames(context, context.last_round)
    return Candidates(drawn, {s: [1.0] * len(frames) for s, frames in drawn.items()}, known)


def labelled(context: Context, selection: Selection) -> list[Frame]:
    """Labelled frames of a selection, cell by cell.

    Frames that could not be labelled are left out here, and replaced by spare frames when the round
    is labelled.
    """
    if context.study.comparison is not None:
        return pool.frames_of(context, selection)
    outcome = label.labeller(context).label(_chosen(context, selection))
    return [done for done in outcome if isinstance(done, Frame)]


def buy(context: Context, selection: Selection) -> None:
    """Label what was chosen, in a study whose own design is adaptive; a pool is labelled before."""
    if context.study.comparison is None:
        wanted = _chosen(context, selection)
        with context.progress.task("curriculum: labels", len(wanted)) as task:
            label.labeller(context).label(wanted, lambda _: task.advance())


def _chosen(context: Context, selection: Selection) -> list[Frame]:
    frames = candidates(context).frames
    return [frames[state][index] for state in sorted(selection) for index in selection[state]]
