"""The order of the steps of a study, and what state each is in."""

from collections.abc import Callable
from dataclasses import dataclass

from lmp_thermo.errors import WorkspaceError
from lmp_thermo.products import Product
from lmp_thermo.stages import (
    analyze,
    arms,
    compare,
    coverage,
    curriculum,
    deck,
    export,
    label,
    report,
    sample,
    simulate,
    train,
    validate,
)
from lmp_thermo.stages.context import Context, count_states

STAGES = (
    "sample",
    "label",
    "train",
    "export",
    "deck",
    "simulate",
    "analyze",
    "validate",
    "report",
)

COMPARISON_STAGES = ("sample", "label", "train", "curriculum", "coverage", "compare")
"""Of a study that compares designs."""


@dataclass(frozen=True)
class Step:
    """One stage, in one round where it has rounds.

    Args:
        stage: one of `STAGES`.
        round_number: None for stages after the last round.
        make: makes what is missing or stale.
        products: what it makes; raises `WorkspaceError` while what it needs is missing.
    """

    stage: str
    round_number: int | None
    make: Callable[[], None]
    products: Callable[[], list[Product]]

    @property
    def name(self) -> str:
        """For people: ``label, round 1``."""
        return (
            self.stage if self.round_number is None else f"{self.stage}, round {self.round_number}"
        )

    @property
    def state(self) -> str:
        """``done``, ``partly done``, ``stale``, ``to do`` or ``waits`` for an earlier step."""
        try:
            products = self.products()
            counts = count_states(products)
        except WorkspaceError:
            return "waits"
        if counts["current"] == len(products):
            return "done"
        if counts["stale"]:
            return "stale"
        return "partly done" if counts["current"] else "to do"


def steps(context: Context) -> list[Step]:
    """All steps of a study in order."""
    if context.study.comparison is not None:
        return _comparison_steps(context)
    return [
        *_rounds(context, context.study.sampling.rounds),
        Step("export", None, lambda: export.make(context), lambda: [export.product(context)]),
        Step("deck", None, lambda: deck.make(context), lambda: deck.products(context)),
        Step("simulate", None, lambda: simulate.make(context), lambda: simulate.products(context)),
        Step("analyze", None, lambda: analyze.make(context), lambda: [analyze.product(context)]),
        Step("validate", None, lambda: validate.make(context), lambda: [validate.product(context)]),
        Step("report", None, lambda: report.make(context), lambda: [report.product(context)]),
    ]


def _comparison_steps(context: Context) -> list[Step]:
    """The last round draws and labels the pool; its training is that of all arms."""
    before = _rounds(context, context.study.sampling.rounds)[:-1]
    adaptive = Step(
        "curriculum",
        None,
        lambda: curriculum.make(context),
        lambda: curriculum.products(context),
    )
    comparison = context.study.comparison
    return [
        *before,
        *([adaptive] if comparison and comparison.curriculum else []),
        Step("train", None, lambda: arms.make(context), lambda: arms.products(context)),
        Step("coverage", None, lambda: coverage.make(context), lambda: coverage.products(context)),
        Step("compare", None, lambda: compare.make(context), lambda: [compare.product(context)]),
    ]


def _rounds(context: Context, count: int) -> list[Step]:
    rounds: list[Step] = []
    for number in range(count):
        rounds += [
            Step(
                "sample",
                number,
                lambda n=number: sample.make(context, n),  # type: ignore[misc]
                lambda n=number: sample.products(context, n),  # type: ignore[misc]
            ),
            Step(
                "label",
                number,
                lambda n=number: label.make(context, n),  # type: ignore[misc]
                lambda n=number: [label.product(context, n)],  # type: ignore[misc]
            ),
            Step(
                "train",
                number,
                lambda n=number: train.make(context, n),  # type: ignore[misc]
                lambda n=number: [train.product(context, n)],  # type: ignore[misc]
            ),
        ]
    return rounds
