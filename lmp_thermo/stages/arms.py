"""Arms: every design of a comparison spends its budget from the pool and trains its models."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lmp_thermo.comparison import Arm
from lmp_thermo.errors import StudyError, TrainingError
from lmp_thermo.frames import Frame
from lmp_thermo.products import Product
from lmp_thermo.sampling.designs import (
    FEWEST_FRAMES,
    SOLID_SHARE,
    cells_of,
    check_equal_budgets,
    spend,
    take_in_turn,
)
from lmp_thermo.stages import curriculum, databases, label, side_by_side, teacher
from lmp_thermo.stages.context import Context, remembered
from lmp_thermo.stages.pool import Selection, comparison_of, costs, frames_of, pool
from lmp_thermo.states import StatePoint


@dataclass(frozen=True)
class Purchase:
    """What an arm pays for.

    Args:
        pool: of the pool.
        database: of the clusters or crystals of its design.
    """

    pool: Selection
    database: Selection

    @property
    def states(self) -> list[StatePoint]:
        """Its cells of the grid."""
        return sorted(state for state, own in self.pool.items() if own)


@remembered
def purchases(context: Context) -> dict[str, Purchase]:
    """What every arm pays for, by its name; budgets are equal, or this refuses.

    Raises:
        StudyError: the pool or a budget is too small, or budgets differ by a frame or more.
        WorkspaceError: the pool, or an adaptive arm's curriculum, is not there yet.
    """
    comparison = comparison_of(context)
    found = {arm.name: _purchase(context, arm) for arm in comparison.arms}
    check_equal_budgets(
        {
            arm.name: (arm.budget, spent(context, arm, found[arm.name]))
            for arm in comparison.arms
            if arm.design not in ("adaptive", "pool")  # one may stop at its target, one has none
        },
        max(cost for own in costs(context).values() for cost in own),  # no cluster is larger
        comparison.budget_unit,
    )
    return found


def check(context: Context) -> None:
    """Refuse budgets that turn out too small with the pool's labels, before any training.

    Raises:
        StudyError: see `purchases`; arms that buy what is not there yet are looked at later.
    """
    comparison = comparison_of(context)
    for arm in comparison.arms:
        if arm.design == "adaptive":
            _check_adaptive(context, arm)
        elif arm.design not in databases.OF_DESIGN:
            _purchase(context, arm)


def _check_adaptive(context: Context, arm: Arm) -> None:
    """It starts with two frames, of any of its cells."""
    found = costs(context)
    cells = cells_of("adaptive", comparison_of(context), context.study.states)
    most = max((cost for state in cells for cost in found.get(state, [])), default=0.0)
    if arm.budget < FEWEST_FRAMES * most:
        raise StudyError(
            f"comparison: arm {arm.name} has a budget of {arm.budget:g} "
            f"{comparison_of(context).budget_unit}, expected at least {FEWEST_FRAMES * most:.3g}, "
            "twice the costliest label; raise it"
        )


def _purchase(context: Context, arm: Arm) -> Purchase:
    chosen = _chosen(context, arm)
    count = sum(len(own) for part in (chosen.pool, chosen.database) for own in part.values())
    if count < FEWEST_FRAMES:
        raise StudyError(
            f"comparison: arm {arm.name} buys {count} frames for {arm.budget:g} "
            f"{comparison_of(context).budget_unit}, expected at least {FEWEST_FRAMES}, for one "
            "frame only watches the training; raise the budget"
        )
    return chosen


def _chosen(context: Context, arm: Arm) -> Purchase:
    """The same for all recipes: a student sees the frames of the arm from scratch."""
    comparison, grid, seed = comparison_of(context), context.study.states, context.study.seed
    if arm.design == "adaptive":
        return Purchase(curriculum.selection(context, comparison.buyer(arm)), {})
    database: Selection = {}
    if arm.design in databases.OF_DESIGN:
        price = databases.costs(context, databases.OF_DESIGN[arm.design])
        share = SOLID_SHARE if arm.design == "condensed" else 1.0
        database = take_in_turn(arm, list(price), price, share * arm.budget, seed)
        if arm.design == "clusters":
            return Purchase({}, database)
    rest = arm.budget - spent(context, arm, Purchase({}, database))
    return Purchase(
        spend(replace(arm, budget=rest), comparison, grid, costs(context), seed), database
    )


def spent(context: Context, arm: Arm, purchase: Purchase) -> float:
    """What a purchase costs, in the unit of the budget."""
    price = costs(context)
    total = sum(price[state][index] for state, own in purchase.pool.items() for index in own)
    if purchase.database:
        price = databases.costs(context, databases.OF_DESIGN[arm.design])
        total += sum(price[s][index] for s, own in purchase.database.items() for index in own)
    return total


def bought_frames(context: Context, arm: Arm) -> list[Frame]:
    """The frames of an arm's purchase with the reference's labels."""
    own = purchases(context)[arm.name]
    return [*frames_of(context, own.pool), *database_frames(context, arm, own)]


def database_frames(context: Context, arm: Arm, own: Purchase) -> Iterator[Frame]:
    """Clusters or crystals of an arm's purchase, or of what it has `seen` of it."""
    if own.database:
        known = databases.frames(context, databases.OF_DESIGN[arm.design])
        for state in sorted(own.database):
            yield from (known[state][index] for index in own.database[state])


def frames_by_cell(context: Context, arm: Arm) -> dict[str, int]:
    """How many frames an arm bought, by cell; clusters and crystals under names of their own."""
    own = purchases(context)[arm.name]
    found = {state.name: len(taken) for state, taken in sorted(own.pool.items()) if taken}
    for frame in database_frames(context, arm, own):
        tags = frame.tags
        name = (
            f"{frame.n_molecules} molecules_T{tags.temperature_K:g}"
            if tags.origin == "cluster"
            else f"{tags.origin}_{tags.state.name}"
        )
        found[name] = found.get(name, 0) + 1
    return found


def seen(context: Context, arm: Arm) -> Purchase:
    """What an arm learns from: its purchase, less frames on which a student's teacher failed."""
    own = purchases(context)[arm.name]
    if arm.recipe == "scratch":
        return own

    def taught(frames: Mapping[StatePoint, Sequence[Frame]], bought: Selection) -> Selection:
        return {
            state: [i for i in chosen if teacher.taught(context, [frames[state][i]])]
            for state, chosen in bought.items()
        }

    database = own.database
    if database:
        known = databases.frames(context, databases.OF_DESIGN[arm.design])
        database = taught(known, database)
    return Purchase(taught(pool(context), own.pool), database)


def training_frames(context: Context, arm: Arm) -> list[Frame]:
    """What an arm is trained on; a student goes without frames on which its teacher failed."""
    frames = bought_frames(context, arm)
    return frames if arm.recipe == "scratch" else teacher.taught(context, frames)


def left_out(context: Context, arm: Arm) -> int:
    """Frames that a student goes without."""
    return len(bought_frames(context, arm)) - len(training_frames(context, arm))


@remembered
def product(context: Context, arm: Arm) -> Product:
    """The model of an arm."""
    chosen = purchases(context)[arm.name]
    sources: dict[str, Any] = {
        "stage": "arm/1",
        "labels": label.product(context, context.last_round).content,
        "selection": _by_name(chosen.pool),
        "loss": arm.loss,
        "seed": [context.study.seed, arm.seed],
        **side_by_side.plan_sources(context),
    }
    if chosen.database:
        kind = databases.OF_DESIGN[arm.design]
        sources["database"] = databases.label_product(context, kind).content
        sources["from_database"] = _by_name(chosen.database)
    if arm.recipe == "distil":
        sources["teacher"] = teacher.label_product(context).content
    return Product(context.workspace.model(arm.name, context.last_round), sources)


def _by_name(selection: Selection) -> dict[str, list[int]]:
    return {state.name: own for state, own in sorted(selection.items())}


@remembered
def products(context: Context) -> list[Product]:
    """The models of all arms."""
    return [product(context, arm) for arm in comparison_of(context).arms]


def make(context: Context) -> None:
    """Train the arms that are missing or stale."""
    side_by_side.carry_out(
        context, "train arms", [_training(context, arm) for arm in comparison_of(context).arms]
    )


def _training(context: Context, arm: Arm) -> side_by_side.Training:
    frames, references = training_frames(context, arm), None
    if arm.recipe == "distil":
        if len(frames) < 2:  # one of them watches the training
            raise TrainingError(
                f"comparison.teacher: labelled {len(frames)} of {len(bought_frames(context, arm))} "
                f"frames of arm {arm.name}, expected at least 2; choose another teacher, or leave "
                "the design out of teacher.designs"
            )
        missing = left_out(context, arm)
        if missing:
            context.progress.note(
                f"{arm.name}: goes without {missing} of {len(frames) + missing} frames, on which "
                "the teacher failed"
            )
        references = teacher.references(context, frames)
    plan = side_by_side.arm_plan(context, arm)
    return side_by_side.Training(arm.name, product(context, arm), frames, plan, references)
