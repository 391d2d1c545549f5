"""The part of a study file that compares designs, and the arms that it asks for."""

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from lmp_thermo.reading import Arguments, Name, Positive, Section
from lmp_thermo.states import StatePoint

Design = Literal[
    "none", "temperature", "density", "grid", "adaptive", "clusters", "condensed", "pool"
]
Recipe = Literal["scratch", "distil"]
Loss = Literal["intermolecular", "plain"]
BudgetUnit = Literal["frames", "atom-frames", "label-seconds"]

FEWEST_HELD_OUT = 4
"""Held-out frames a cell: distances between cells halve what a cell that is only judged has."""

T = TypeVar("T")


class Home(Section):
    """The state point that designs without diversity keep to."""

    density_g_cm3: Positive
    temperature_K: Positive

    @property
    def state(self) -> StatePoint:
        """As a state point."""
        return StatePoint(self.density_g_cm3, self.temperature_K)


class Curriculum(Section):
    """How the adaptive design spends its budget."""

    start_share: float = Field(
        0.6,
        gt=0,
        le=1,
        description="of the budget, spent before anything is known; 1: no committee is asked",
    )
    rounds: int = Field(2, ge=1, le=20, description="in which the rest is spent")
    committee: int = Field(3, ge=2, le=8, description="models whose disagreement is looked at")
    updates: int = Field(ge=1, description="of each member in each round")
    budgets: list[Positive] | None = Field(
        None, description="of adaptive arms, instead of the comparison's one budget"
    )
    target: Positive = Field(
        0.5, description="stop where every cell's error is below this share of its limit"
    )
    most_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="of the budget, the most that one cell may get; never below an equal share",
    )
    gas_floor_share: float = Field(
        0.05,
        ge=0,
        lt=1,
        description="of the budget, for cells at the lowest density: one label at the least, "
        "unless this is 0",
    )

    @field_validator("budgets")
    @classmethod
    def _no_repetition(cls, values: list[float] | None) -> list[float] | None:
        return given_once(values)

    def most_of(self, n_cells: int) -> float:
        """Share of the budget that one of `n_cells` may get."""
        return max(self.most_share, 1.0 / n_cells)


class ArmRuns(Section):
    """LAMMPS runs with the potentials of some arms, of the first of losses and of recipes."""

    designs: list[Design] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    states: list[Home] = Field(min_length=1)

    @field_validator("designs", "seeds", "states")
    @classmethod
    def _no_repetition(cls, values: list[Any]) -> list[Any]:
        given_once([str(v.state) if isinstance(v, Home) else v for v in values])
        return values


class OtherModel(Section):
    """An ASE calculator that is judged on the grid without training."""

    calculator: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")
    arguments: Arguments = Field(default_factory=dict)
    alone_box_A: Positive | None = Field(
        None,
        description="edge of a periodic box for molecules alone, for calculators that know "
        "periodic boxes only",
    )
    frames_per_cell: int | None = Field(
        None, ge=2, description="held-out frames that are looked at; all of them by default"
    )


def given_once(values: list[T] | None) -> list[T] | None:
    """Refuse a list that names a value twice; for validators."""
    if values is not None and len(set(values)) != len(values):
        raise ValueError(f"{values} names a value twice; give each once")
    return values


class Teacher(Section):
    """What students learn from: an ASE calculator, or a larger model trained on the whole pool."""

    calculator: str | None = Field(None, pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")
    arguments: Arguments = Field(default_factory=dict)
    alone_box_A: Positive | None = Field(
        None, description="as for calculators that are judged without training"
    )
    training: Arguments | None = Field(
        None,
        description="a nequip model instead: the keys of the study's training in which it differs; "
        "updates is one number",
    )
    designs: list[Design] | None = Field(
        None, min_length=1, description="whose arms have a student; all of them by default"
    )

    @field_validator("designs")
    @classmethod
    def _no_repetition(cls, values: list[Design] | None) -> list[Design] | None:
        return given_once(values)

    @model_validator(mode="after")
    def _one_kind(self) -> "Teacher":
        if (self.calculator is None) == (self.training is None):
            raise ValueError("expected one of calculator and training; give exactly one")
        if self.training is not None and (self.arguments or self.alone_box_A is not None):
            raise ValueError("arguments and alone_box_A belong to a calculator; remove them")
        return self


class Comparison(Section):
    """Arms of equal budget from one labelled pool, judged on every cell of the grid."""

    designs: list[Design] = Field(min_length=1)
    losses: list[Loss] = Field(
        ["intermolecular"],
        description="intermolecular: all terms of the loss; plain: energy, forces and stress only, "
        "no frames with molecules apart",
    )
    controls: list[Design] | None = Field(
        None,
        min_length=1,
        description="designs that are trained with the further losses, too; all by default",
    )
    recipes: list[Recipe] = Field(
        ["scratch"],
        min_length=1,
        description="scratch: trained on the reference's labels; distil: on the teacher's, of the "
        "same frames, with the first of the losses",
    )
    teacher: Teacher | None = None
    seeds: list[int] = Field(min_length=1)
    home: Home = Field(description="where designs without diversity spend their budget")
    densities_g_cm3: list[Positive] | None = Field(
        None, description="of the grid, those on which designs may spend; the others only judge"
    )
    temperatures_K: list[Positive] | None = Field(None, description="likewise")
    budget: Positive = Field(description="of each arm, in the budget's unit")
    budget_unit: BudgetUnit = "frames"
    smaller_budgets: list[Positive] | None = Field(
        None,
        description="of further arms of every design but pool, from scratch with the first of the "
        "losses: how errors fall with labels",
    )
    pool_factor: float = Field(
        1.5, ge=1, le=20, description="frames in the pool over the most that one arm may use"
    )
    pool_frames: int | None = Field(
        None, ge=1, description="frames in every cell of the pool, instead of pool_factor"
    )
    curriculum: Curriculum | None = None
    largest_cluster: int = Field(
        8, ge=2, le=64, description="molecules in the largest cluster of design clusters"
    )
    condensed_above_g_cm3: Positive | None = Field(
        None, description="lowest density of a liquid in design condensed"
    )
    crystal_densities_g_cm3: list[Positive] | None = Field(
        None,
        min_length=1,
        description="of the crystals in design condensed, at the lowest temperature",
    )
    runs: ArmRuns | None = None
    coordination_sites: Literal["centres", "atoms"] = Field(
        "centres",
        description="what coordination numbers count: molecular centres, or all atoms of other "
        "molecules, which needs coordination_cutoff_A where molecules have several",
    )
    coordination_cutoff_A: Positive | None = Field(
        None, ge=1, description="instead of the first minimum of g(r) in the densest, coldest cell"
    )
    calculators: dict[Name, OtherModel] = Field(
        default_factory=dict, description="judged on the same grid without training"
    )

    @field_validator(
        "designs",
        "losses",
        "controls",
        "recipes",
        "seeds",
        "smaller_budgets",
        "crystal_densities_g_cm3",
    )
    @classmethod
    def _no_repetition(cls, values: list[Any] | None) -> list[Any] | None:
        return given_once(values)

    @field_validator("designs")
    @classmethod
    def _with_a_budget(cls, values: list[Design]) -> list[Design]:
        if values == ["pool"]:
            raise ValueError(
                "got the pool alone, expected a design with a budget beside it, for the pool is "
                "what those may want; add one"
            )
        return values

    @model_validator(mode="after")
    def _smaller(self) -> "Comparison":
        if any(budget >= self.budget for budget in self.smaller_budgets or []):
            raise ValueError(
                f"smaller_budgets = {self.smaller_budgets}: expected budgets below "
                f"{self.budget:g}, the comparison's; lower them"
            )
        return self

    @model_validator(mode="after")
    def _whole(self) -> "Comparison":
        if ("adaptive" in self.designs) != (self.curriculum is not None):
            raise ValueError(
                "expected a curriculum exactly where designs name adaptive; add or remove it"
            )
        if ("distil" in self.recipes) != (self.teacher is not None):
            raise ValueError(
                "expected a teacher exactly where recipes name distil; add or remove it"
            )
        if "scratch" not in self.recipes:
            raise ValueError(
                f"recipes = {self.recipes}: expected scratch among them, for students are compared "
                "with the arms from scratch; add it"
            )
        for name in ("condensed_above_g_cm3", "crystal_densities_g_cm3"):
            if ("condensed" in self.designs) != (getattr(self, name) is not None):
                raise ValueError(
                    f"expected {name} exactly where designs name condensed; add or remove it"
                )
        stand_ins = [d for d in ("clusters", "condensed") if d in self.designs]
        if self.budget_unit == "label-seconds" and stand_ins:
            raise ValueError(
                f"design {stand_ins[0]} is drawn before its labels are timed, expected a budget in "
                "frames or atom-frames; change budget_unit"
            )
        reserved = [name for name in ("teacher", "no-interaction") if name in self.calculators]
        if reserved:
            raise ValueError(f"calculators: {reserved[0]} is a name of our own; choose another")
        if self.budget_unit == "label-seconds" and self.pool_frames is None:
            raise ValueError("expected pool_frames where the budget is in label-seconds; add it")
        return self

    @model_validator(mode="after")
    def _named(self) -> "Comparison":
        if self.controls is not None and len(self.losses) == 1:
            raise ValueError(
                "expected controls where there are several losses only; add one, or remove controls"
            )
        named: list[tuple[str, list[Any], list[Any]]] = []
        if self.runs is not None:
            named += [
                ("runs.designs", self.runs.designs, self._designs(self.recipes[0])),
                ("runs.seeds", self.runs.seeds, self.seeds),
            ]
        if self.teacher is not None and self.teacher.designs is not None:
            named.append(("teacher.designs", self.teacher.designs, self.designs))
        if self.controls is not None:
            named.append(("controls", self.controls, [d for d in self.designs if d != "pool"]))
        for name, wanted, known in named:
            unknown = [w for w in wanted if w not in known]
            if unknown:
                raise ValueError(
                    f"{name} = {unknown}: expected some of the comparison's own, {known}"
                )
        return self

    def may_spend(self, state: StatePoint) -> bool:
        """Whether designs may spend labels at a state point; elsewhere arms are only judged."""
        return (self.densities_g_cm3 is None or state.density_g_cm3 in self.densities_g_cm3) and (
            self.temperatures_K is None or state.temperature_K in self.temperatures_K
        )

    def carries_out(self, arm: "Arm") -> bool:
        """Whether LAMMPS runs are wanted of an arm's potential; of budgets, the largest runs."""
        return (
            self.runs is not None
            and arm.design in self.runs.designs
            and arm.seed in self.runs.seeds
            and arm.loss == self.losses[0]
            and arm.recipe == self.recipes[0]
            and arm.budget == max(self.budgets_of(arm.design, arm.loss, arm.recipe))
        )

    @property
    def arms(self) -> "list[Arm]":
        """Every design with every seed and its losses, and with the first loss a student."""
        return [
            Arm(design, loss, seed, budget, f"-{budget:g}" if budget != self.budget else "", recipe)
            for seed in self.seeds
            for recipe in self.recipes
            for loss in (self.losses if recipe == "scratch" else self.losses[:1])
            for design in self._designs(recipe)
            if loss == self.losses[0] or self._has_control(design)
            for budget in self.budgets_of(design, loss, recipe)
        ]

    def buyer(self, arm: "Arm") -> "Arm":
        """Whose frames an adaptive arm trains on: one committee buys for all losses and recipes.

        So a control without the intermolecular loss, or a student, differs in nothing else.
        """
        return replace(arm, recipe="scratch", loss=self.losses[0])

    def _has_control(self, design: Design) -> bool:
        """Whether a design is trained with the further losses, too."""
        return design != "pool" and (self.controls is None or design in self.controls)

    def _designs(self, recipe: Recipe) -> list[Design]:
        if recipe == "distil" and self.teacher is not None and self.teacher.designs is not None:
            return self.teacher.designs
        return self.designs

    def budgets_of(self, design: Design, loss: Loss, recipe: Recipe = "scratch") -> list[float]:
        """Budgets with which a design has arms; controls have the largest only."""
        budgets = [self.budget, *(self.smaller_budgets or [])]
        if design == "adaptive" and self.curriculum is not None:
            budgets = self.curriculum.budgets or budgets
        control = loss != self.losses[0] or recipe != "scratch" or design == "pool"
        return [max(budgets)] if control else budgets


@dataclass(frozen=True)
class Arm:
    """One way to spend a budget and to train on it, with one seed; one arm makes one model.

    Args:
        design: how the budget is spread.
        loss: what the training minimises.
        seed: of weights, of the order of frames, and of the choice from the pool.
        budget: in the comparison's unit.
        suffix: of the name, where the budget is not the comparison's.
        recipe: whose labels it learns from, the reference's or the teacher's.
    """

    design: Design
    loss: Loss
    seed: int
    budget: float
    suffix: str = ""
    recipe: Recipe = "scratch"

    @property
    def group(self) -> str:
        """What the arms of different seeds have in common."""
        loss = "" if self.loss == "intermolecular" else f"-{self.loss}"
        recipe = "" if self.recipe == "scratch" else f"-{self.recipe}"
        return f"{self.design}{loss}{recipe}{self.suffix}"

    @property
    def name(self) -> str:
        """Folder name."""
        return f"{self.group}-{self.seed}"
