"""Arms: every design of a comparison spends its budget from the pool and trains its models."""

from lmp_thermo.comparison import Arm
from lmp_thermo.products import Product
from lmp_thermo.sampling.designs import check_equal_budgets, spend
from lmp_thermo.stages import curriculum, label, side_by_side
from lmp_thermo.stages.context import Context, remembered
from lmp_thermo.stages.pool import Selection, comparison_of, costs, frames_of


@remembered
def selections(context: Context) -> dict[str, Selection]:
    """What every arm trains on, by its name; budgets are equal, or this refuses.

    Raises:
        StudyError: the pool is too small, or budgets differ by a frame or more.
        WorkspaceError: the pool, or an adaptive arm's curriculum, is not there yet.
    """
    comparison, price = comparison_of(context), costs(context)
    found = {
        arm.name: curriculum.selection(context, arm)
        if arm.design == "adaptive"
        else spend(arm, comparison, context.study.states, price, context.study.seed)
        for arm in comparison.arms
    }
    check_equal_budgets(
        {
            arm.name: (arm.budget, spent(context, found[arm.name]))
            for arm in comparison.arms
            if arm.design != "adaptive"  # it may stop when its target is met, and says so
        },
        max(cost for own in price.values() for cost in own),
        comparison.budget_unit,
    )
    return found


def spent(context: Context, selection: Selection) -> float:
    """What a selection costs, in the unit of the budget."""
    price = costs(context)
    return sum(price[state][index] for state, own in selection.items() for index in own)


@remembered
def product(context: Context, arm: Arm) -> Product:
    """The model of an arm."""
    chosen = selections(context)[arm.name]
    return Product(
        context.workspace.model(arm.name, context.last_round),
        {
            "stage": "arm/1",
            "labels": label.product(context, context.last_round).content,
            "selection": {state.name: own for state, own in sorted(chosen.items())},
            "loss": arm.loss,
            "seed": [context.study.seed, arm.seed],
            **side_by_side.plan_sources(context),
        },
    )


@remembered
def products(context: Context) -> list[Product]:
    """The models of all arms."""
    return [product(context, arm) for arm in comparison_of(context).arms]


def make(context: Context) -> None:
    """Train the arms that are missing or stale."""
    chosen = selections(context)
    side_by_side.carry_out(
        context,
        "train arms",
        [
            side_by_side.Training(
                arm.name,
                product(context, arm),
                frames_of(context, chosen[arm.name]),
                side_by_side.arm_plan(context, arm),
            )
            for arm in comparison_of(context).arms
        ],
    )
