"""The order of the steps of a study, and what state each is in."""

from collections.abc import Callable
from dataclasses import dataclass

from lmp_thermo.errors import LmpThermoError, WorkspaceError
from lmp_thermo.products import Product
from lmp_thermo.stages import (
    analyze,
    arms,
    compare,
    coverage,
    curriculum,
    databases,
    deck,
    export,
    label,
    label_checks,
    report,
    sample,
    simulate,
    teacher,
    train,
    validate,
)
from lmp_thermo.stages.context import Context, count_states
from lmp_thermo.stages.pool import comparison_of

STAGES = (
    "sample",
    "curriculum",
    "label",
    "train",
    "export",
    "deck",
    "simulate",
    "analyze",
    "validate",
    "report",
)

COMPARISON_STAGES = (
    "sample",
    "label",
    "train",
    "databases",
    "teacher",
    "curriculum",
    "coverage",
    "export",
    "deck",
    "simulate",
    "analyze",
    "validate",
    "compare",
)
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
        """``done``, ``partly done``, ``stale``, ``to do``, ``waits`` for an earlier step, or
        ``refused``."""
        return self.look()[0]

    def look(self) -> tuple[str, str]:
        """The state, and why the step is refused; empty otherwise."""
        try:
            products = self.products()
            counts = count_states(products)
        except WorkspaceError:
            return "waits", ""
        except LmpThermoError as error:  # such as a pool too small for a design
            return "refused", str(error)
        if counts["current"] == len(products):
            return "done", ""
        if counts["stale"]:
            return "stale", ""
        return ("partly done" if counts["current"] else "to do"), ""


def steps(context: Context) -> list[Step]:
    """All steps of a study in order."""
    if context.study.comparison is not None:
        return _comparison_steps(context)
    return [
        *_rounds(context, context.study.sampling.rounds),
        *_of_potentials(context),
        Step("report", None, lambda: report.make(context), lambda: [report.product(context)]),
    ]


def _comparison_steps(context: Context) -> list[Step]:
    """The last round draws and labels the pool; its training is that of all arms."""
    before = _rounds(context, context.study.sampling.rounds)[:-1]
    comparison = comparison_of(context)

    def affordable(make: Callable[[Context], None]) -> Callable[[], None]:
        def make_checked() -> None:
            arms.check(context)
            make(context)

        return make_checked

    drawn = Step("databases", None, affordable(databases.make), lambda: databases.products(context))
    taught = Step("teacher", None, affordable(teacher.make), lambda: teacher.products(context))
    bought = Step(
        "curriculum", None, affordable(curriculum.make), lambda: curriculum.products(context)
    )
    return [
        *before,
        *([drawn] if databases.kinds(context) else []),
        *([taught] if comparison.teacher else []),
        *([bought] if comparison.curriculum else []),
        Step("train", None, lambda: arms.make(context), lambda: arms.products(context)),
        Step("coverage", None, lambda: coverage.make(context), lambda: coverage.products(context)),
        *(_of_potentials(context) if comparison.runs else []),
        Step("compare", None, lambda: compare.make(context), lambda: [compare.product(context)]),
    ]


def _of_potentials(context: Context) -> list[Step]:
    """What is done with each potential of the study."""
    parts: list[tuple[str, Callable[[Context], None], Callable[[Context], list[Product]]]] = [
        ("export", export.make, lambda own: [export.product(own)]),
        ("deck", deck.make, deck.products),
        ("simulate", simulate.make, simulate.products),
        ("analyze", analyze.make, lambda own: [analyze.product(own)]),
        ("validate", validate.make, lambda own: [validate.product(own)]),
    ]

    def step(
        stage: str,
        make: Callable[[Context], None],
        products: Callable[[Context], list[Product]],
    ) -> Step:
        def make_all() -> None:
            for own in context.potentials:
                make(own)

        return Step(
            stage, None, make_all, lambda: [p for own in context.potentials for p in products(own)]
        )

    return [step(*part) for part in parts]


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
            *([_curriculum(context)] if context.adaptive and number == context.last_round else []),
            Step(
                "label",
                number,
                lambda n=number: _label(context, n),  # type: ignore[misc]
                lambda n=number: _labels(context, n),  # type: ignore[misc]
            ),
            Step(
                "train",
                number,
                lambda n=number: train.make(context, n),  # type: ignore[misc]
                lambda n=number: [train.product(context, n)],  # type: ignore[misc]
            ),
        ]
    return rounds


def _curriculum(context: Context) -> Step:
    return Step(
        "curriculum",
        None,
        lambda: curriculum.make(context),
        lambda: curriculum.products(context),
    )


def _label(context: Context, number: int) -> None:
    label.make(context, number)
    if context.study.comparison is not None and number == context.last_round:
        arms.check(context)
    if number == context.last_round:
        label_checks.make(context)


def _labels(context: Context, number: int) -> list[Product]:
    """Of a round; the last round's labels are checked."""
    made = [label.product(context, number)]
    return [*made, label_checks.product(context)] if number == context.last_round else made
