"""The part of a study file that compares designs, and the arms that it asks for."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from lmp_thermo.reading import Name, Positive, Section
from lmp_thermo.states import StatePoint

Design = Literal["none", "temperature", "density", "grid", "adaptive"]
Loss = Literal["intermolecular", "plain"]
BudgetUnit = Literal["frames", "atom-frames", "label-seconds"]


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

    start_share: float = Field(0.3, gt=0, lt=1, description="share of the budget spent evenly")
    rounds: int = Field(3, ge=1, le=20, description="in which the rest is spent")
    committee: int = Field(3, ge=2, le=8, description="models whose disagreement is looked at")
    updates: int = Field(ge=1, description="of each member in each round")
    budgets: list[Positive] | None = Field(
        None, description="of adaptive arms, instead of the comparison's one budget"
    )
    target: Positive = Field(
        0.5, description="stop where every cell's error is below this share of its limit"
    )
    most_share: float = Field(
        0.25, gt=0, le=1, description="of the budget, the most that one cell may get"
    )
    gas_floor_share: float = Field(
        0.05, ge=0, lt=1, description="of each round's labels, for cells at the lowest density"
    )


class ArmRuns(Section):
    """LAMMPS runs with the potentials of some arms."""

    designs: list[Design] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    states: list[Home] = Field(min_length=1)


class OtherModel(Section):
    """An ASE calculator that is judged on the grid without training."""

    calculator: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")
    arguments: dict[str, Any] = Field(default_factory=dict)
    alone_box_A: Positive | None = Field(
        None,
        description="edge of a periodic box for molecules alone, for calculators that know "
        "periodic boxes only",
    )
    frames_per_cell: int | None = Field(
        None, ge=2, description="held-out frames that are looked at; all of them by default"
    )


class Comparison(Section):
    """Arms of equal budget from one labelled pool, judged on every cell of the grid."""

    designs: list[Design] = Field(min_length=1)
    losses: list[Loss] = Field(
        ["intermolecular"],
        description="intermolecular: all terms of the loss; plain: energy, forces and stress only, "
        "no frames with molecules apart",
    )
    seeds: list[int] = Field(min_length=1)
    home: Home = Field(description="where designs without diversity spend their budget")
    densities_g_cm3: list[Positive] | None = Field(
        None, description="of the grid, those on which designs may spend; the others only judge"
    )
    temperatures_K: list[Positive] | None = Field(None, description="likewise")
    budget: Positive = Field(description="of each arm, in the budget's unit")
    budget_unit: BudgetUnit = "frames"
    pool_factor: float = Field(
        1.5, ge=1, le=20, description="frames in the pool over the most that one arm may use"
    )
    pool_frames: int | None = Field(
        None, ge=1, description="frames in every cell of the pool, instead of pool_factor"
    )
    curriculum: Curriculum | None = None
    runs: ArmRuns | None = None
    coordination_cutoff_A: Positive | None = Field(
        None, description="instead of the first minimum of g(r) in the densest, coldest cell"
    )
    calculators: dict[Name, OtherModel] = Field(
        default_factory=dict, description="judged on the same grid without training"
    )

    @field_validator("designs", "losses", "seeds")
    @classmethod
    def _no_repetition(cls, values: list[Any]) -> list[Any]:
        if len(set(values)) != len(values):
            raise ValueError(f"{values} names a value twice; give each once")
        return values

    @model_validator(mode="after")
    def _whole(self) -> "Comparison":
        if ("adaptive" in self.designs) != (self.curriculum is not None):
            raise ValueError(
                "expected a curriculum exactly where designs name adaptive; add or remove it"
            )
        if self.budget_unit == "label-seconds" and self.pool_frames is None:
            raise ValueError("expected pool_frames where the budget is in label-seconds; add it")
        if self.runs is not None:
            for name, wanted, known in (
                ("designs", self.runs.designs, self.designs),
                ("seeds", self.runs.seeds, self.seeds),
            ):
                unknown = [w for w in wanted if w not in known]
                if unknown:
                    raise ValueError(
                        f"runs.{name} = {unknown}: expected some of the comparison's own, {known}"
                    )
        return self

    def may_spend(self, state: StatePoint) -> bool:
        """Whether designs may spend labels at a state point; elsewhere arms are only judged."""
        return (self.densities_g_cm3 is None or state.density_g_cm3 in self.densities_g_cm3) and (
            self.temperatures_K is None or state.temperature_K in self.temperatures_K
        )

    def carries_out(self, arm: "Arm") -> bool:
        """Whether LAMMPS runs are wanted of an arm's potential."""
        return (
            self.runs is not None
            and arm.design in self.runs.designs
            and arm.seed in self.runs.seeds
            and arm.loss == self.losses[0]
            and arm.budget == self.budget
        )

    @property
    def arms(self) -> "list[Arm]":
        """Every design with every loss and every seed."""
        return [
            Arm(design, loss, seed, budget, f"-{budget:g}" if budget != self.budget else "")
            for seed in self.seeds
            for loss in self.losses
            for design in self.designs
            for budget in self._budgets(design)
        ]

    def _budgets(self, design: Design) -> list[float]:
        if design == "adaptive" and self.curriculum is not None and self.curriculum.budgets:
            return self.curriculum.budgets
        return [self.budget]


@dataclass(frozen=True)
class Arm:
    """One way to spend a budget and to train on it, with one seed; one arm makes one model.

    Args:
        design: how the budget is spread.
        loss: what the training minimises.
        seed: of weights, of the order of frames, and of the choice from the pool.
        budget: in the comparison's unit.
        suffix: of the name, where the budget is not the comparison's.
    """

    design: Design
    loss: Loss
    seed: int
    budget: float
    suffix: str = ""

    @property
    def group(self) -> str:
        """What the arms of different seeds have in common."""
        loss = "" if self.loss == "intermolecular" else f"-{self.loss}"
        return f"{self.design}{loss}{self.suffix}"

    @property
    def name(self) -> str:
        """Folder name."""
        return f"{self.group}-{self.seed}"
