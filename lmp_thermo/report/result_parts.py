"""Parts of a comparison's result file, each checked by itself."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lmp_thermo.reading import Name, NonNegative, Positive
from lmp_thermo.states import StatePoint

MAX_CELLS, MAX_ARMS = 300, 1000

SIGNIFICANT = 0.05
"""Largest p at which a difference counts as found."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=500)]
Pair = Annotated[list[Finite], Field(min_length=2, max_length=2)]


class Part(BaseModel):
    """A part of the file; what the report does not use may stand beside it."""

    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class Cell(Part):
    """A cell of the grid."""

    density_g_cm3: Positive
    temperature_K: Positive
    held_out: int = Field(ge=1)

    @property
    def state(self) -> StatePoint:
        """As a state point."""
        return StatePoint(self.density_g_cm3, self.temperature_K)

    def __str__(self) -> str:
        return f"{self.density_g_cm3:g} g/cm³, {self.temperature_K:g} K"


class Error(Part):
    """One quantity on one cell; the mean over seeds and its interval."""

    rmse: NonNegative
    spread: NonNegative | None = None
    interval: Pair
    mae: NonNegative
    rms: NonNegative

    @property
    def standard_error(self) -> float:
        """Of the mean over seeds, as wide as the interval at 95 % of a normal distribution."""
        return (self.interval[1] - self.interval[0]) / 3.92

    @property
    def relative(self) -> float | None:
        """RMSE over the root mean square of the labels; None where these are nothing."""
        return self.rmse / self.rms if self.rms > 0 else None


class Mean(Part):
    """Over seeds."""

    mean: Finite
    spread: NonNegative | None
    standard_error: NonNegative | None = None


class Judged(Part):
    """A group of arms on one cell."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Error]

    region: Literal["in", "interpolated", "extrapolated"]
    score: Mean
    pressure_bias_bar: Mean
    passed: list[bool] = Field(min_length=1, max_length=MAX_ARMS)
    against_teacher: dict[Text, Error] = Field(default_factory=dict)

    @property
    def errors(self) -> Mapping[str, Error]:
        """By quantity."""
        return self.__pydantic_extra__


class JudgedOnce(Part):
    """What was not trained, on one cell."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Error]

    score: NonNegative
    intermolecular_score: NonNegative | None = None
    pressure_bias_bar: Finite
    pressure_bias_error_bar: NonNegative | None = None
    passed: bool
    failures: list[Text]
    binding: Text
    against_teacher: dict[Text, Error] = Field(default_factory=dict)

    @property
    def errors(self) -> Mapping[str, Error]:
        """By quantity."""
        return self.__pydantic_extra__


class Other(Part):
    """What was judged without training."""

    cells: dict[Name, JudgedOnce]
    failed: dict[Name, Text] = Field(default_factory=dict)
    us_per_atom: NonNegative | None


class Worst(Part):
    """An arm's worst cell."""

    state: Name
    score: NonNegative
    gate: Text


class ArmVerdict(Part):
    """One arm over all cells."""

    group: Name
    seed: int
    spent: NonNegative
    frames: dict[Text, int]
    trained: list[Name] | None = Field(None, max_length=MAX_CELLS)
    left_out: int | None = None
    us_per_atom: NonNegative | None
    passed: int = Field(ge=0)
    cells: int = Field(ge=1)
    worst: Worst
    worst_to_spend_on: Worst
    worst_intermolecular: NonNegative | None = None
    worst_pressure_bias_bar: NonNegative
    off_over_in: dict[Text, NonNegative | None]


class PairedTest(Part):
    """`validation.coverage.PairedTest`."""

    cells: Text
    quantity: Text
    first: Name
    second: Name
    ratios: list[Positive] = Field(min_length=2, max_length=MAX_ARMS)
    ratio: Positive
    interval: Annotated[list[Positive], Field(min_length=2, max_length=2)]
    p_value: float = Field(ge=0, le=1)
    estimated: bool = False

    @property
    def decided(self) -> bool:
        """Whether the interval leaves 1 out and the exact test agrees.

        The interval trusts the logarithms to be normal, which few seeds cannot show.
        """
        return not self.interval[0] <= 1.0 <= self.interval[1] and self.p_value <= SIGNIFICANT

    def seen_from(self, baseline: str) -> "PairedTest":
        """The same with `baseline` below the stroke."""
        if self.first == baseline:
            return self
        low, high = self.interval
        return self.model_copy(
            update={
                "first": self.second,
                "second": self.first,
                "ratios": [1 / ratio for ratio in self.ratios],
                "ratio": 1 / self.ratio,
                "interval": [1 / high, 1 / low],
            }
        )


class Round(Part):
    """One round of an adaptive arm."""

    bought: dict[Name, int]
    scores: dict[Name, NonNegative]
    stopped: Text | None


class Home(Part):
    """Where designs without diversity spend."""

    density_g_cm3: Positive
    temperature_K: Positive

    def __str__(self) -> str:
        return f"{self.density_g_cm3:g} g/cm³, {self.temperature_K:g} K"


class Asked(Part):
    """The comparison section of the study."""

    designs: list[Name]
    losses: list[Name]
    seeds: list[int] = Field(min_length=1, max_length=MAX_ARMS)
    home: Home
    budget: Positive
    budget_unit: Name
    curriculum: dict[str, Any] | None = None


class Settings(Part):
    """What was asked."""

    comparison: Asked
    training: dict[Text, Any]
    gates: dict[Text, Any]
    molecules: list[Text] = Field(default_factory=list)
    reference: dict[Text, Any]
    atoms_per_frame: int = Field(ge=1)


class Interval(Part):
    """`analysis.response.Interval`."""

    value: Finite | None
    low: Finite
    high: Finite | None


class Counts(Part):
    """Coordination numbers of one cell."""

    mean: NonNegative
    standard_error: NonNegative | None
    probability: list[NonNegative] = Field(min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _normalised(self) -> "Counts":
        if not 0.99 < sum(self.probability) < 1.01:
            raise ValueError("expected shares that add up to 1")
        return self


class Coordination(Part):
    """Coordination numbers of one cell."""

    density_g_cm3: Positive
    temperature_K: Positive
    hard: Counts


class Shift(Part):
    """Between the ends of one row of the grid."""

    log_ratio: Finite
    distance: Interval
    per_log: Interval


class AxisResponse(Part):
    """Along one axis."""

    spans: list[Shift] = Field(min_length=1, max_length=MAX_CELLS)
    span: Interval
    per_log: Interval


class Cutoff(Part):
    """Of the coordination numbers."""

    value_A: Positive
    source: Text


class Response(Part):
    """`analysis.response.Response`."""

    cutoff: Cutoff
    density: AxisResponse | None
    temperature: AxisResponse | None
    ratio_span: Interval | None
    ratio_per_log: Interval | None
    halves: NonNegative
    confidence: float = Field(gt=0, lt=1)


class Diversity(Part):
    """Of an arm's frames."""

    mean_distance: NonNegative


class Covered(Part):
    """Of the grid's environments by an arm's frames."""

    mean: float = Field(ge=0, le=1.000001)


class Seen(Part):
    """What an arm's frames have seen."""

    diversity: Diversity
    coverage: Covered


class Environments(Part):
    """Coordination numbers over the grid; empty where they could not be counted."""

    missing: Text | None = None
    cells: list[Coordination] = Field(default_factory=list, max_length=MAX_CELLS)
    response: Response | None = None
    response_smooth: Response | None = None
    arms: dict[Name, Seen] = Field(default_factory=dict)


class Pressure(Part):
    """Of a run and of the reference's own."""

    potential: Finite
    reference: Finite
    standard_error: NonNegative
    sigmas: Finite | None


class Run(Part):
    """A run with an arm's potential."""

    status: Text
    cause: Text | None
    passed: bool
    failures: list[Text]
    pressure_not_judged: bool | None = None
    pressure: Pressure | None
    rdf_distance: NonNegative | None
    rdf_by_chance: NonNegative | None = None
    coordination_distance: NonNegative | None
    coordination_by_chance: NonNegative | None = None


class PressureFall(Part):
    """`validation.phases.PressureFall`."""

    lower: Name
    higher: Name
    fall_bar: Finite


class Spacing(Part):
    """`sampling.drawn.Spacing`."""

    spacing_ps: Positive
    inefficiency_ps: Positive


class Teacher(Part):
    """Of students."""

    labelled: int
    failed: int
    first_cause: Text | None
    trained_on_frames: int | None
