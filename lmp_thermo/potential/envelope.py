"""The envelope: where a potential was found right, and whether a state point lies inside.

A grid is seen as rows of one temperature. A density is covered in a row where it lies between two
neighbouring cells that both passed, or on a cell that passed. A state point is covered where its
density is, in its own row or in both rows that bracket its temperature. A box around all cells
would not do: a cold row may hold liquid densities only, since below them the fluid is two phases.

Between cells, training must have seen the environments too: the number of neighbours that is
expected there, linear in density between the two cells, must not be rare in the training frames.
"""

import itertools
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lmp_thermo.states import StatePoint

ENVELOPE = "envelope.json"

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Short = Annotated[str, Field(max_length=500)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

UNJUDGED = {
    "provisional": "no held-out frame was judged",
    "final": "no run was validated",
}
"""By the status of an envelope, why a cell of it has no verdict."""

SAME = 1e-9
"""Relative difference below which two densities or temperatures are the same."""


class Part(BaseModel):
    """Strict: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=())


class Cell(Part):
    """A cell of the grid and its verdict.

    Args:
        passed: whether every gate was passed; None where nothing was judged.
        neighbours: mean coordination number in the frames that it was judged on.
    """

    density_g_cm3: Positive
    temperature_K: Positive
    passed: bool | None
    neighbours: Count | None = None


class TrainingCoordination(Part):
    """Coordination numbers of molecular centres in the training frames.

    Args:
        cutoff_A: within which neighbours are counted.
        half_width_A: of the smooth count.
        source: where the cutoff comes from.
        probability: share of sites with 0, 1, 2, ... neighbours.
        hard, smooth: quantiles of both counts, by level.
        rare: share below which a number of neighbours counts as not seen.
    """

    cutoff_A: Positive
    half_width_A: Positive
    source: Short
    probability: list[Share] = Field(min_length=1, max_length=10_000)
    hard: dict[Short, Count] = Field(max_length=100)
    smooth: dict[Short, Count] = Field(max_length=100)
    rare: Share

    def seen(self, neighbours: float) -> bool:
        """Whether the nearest whole number of neighbours is not rare in training."""
        nearest = round(neighbours)
        return nearest < len(self.probability) and self.probability[nearest] >= self.rare


class Envelope(Part):
    """See the module.

    Args:
        status: ``provisional`` from held-out frames, at export; ``final`` from the potential's own
            runs, at validation.
        cells: all cells that were to be judged.
        coordination: None where it is not known; environments are then not asked for.
        shortest_distance_A: by pair of species, shortest distance in the training frames.
    """

    status: Literal["provisional", "final"]
    cells: list[Cell] = Field(max_length=10_000)
    coordination: TrainingCoordination | None = None
    shortest_distance_A: dict[Short, Positive] = Field(default_factory=dict, max_length=10_000)

    @model_validator(mode="after")
    def _no_repetition(self) -> "Envelope":
        if len({(c.density_g_cm3, c.temperature_K) for c in self.cells}) < len(self.cells):
            raise ValueError("a cell is named twice")
        return self

    def outside(self, state: StatePoint) -> list[str]:
        """Why a state point is not covered; empty where it lies inside."""
        if not any(cell.passed for cell in self.cells):
            return ["no cell passed, so nothing is covered"]
        temperatures = sorted({cell.temperature_K for cell in self.cells})
        rows = _bracket(temperatures, state.temperature_K)
        if rows is None:
            return [
                f"temperature {state.temperature_K:g} K is outside "
                f"{temperatures[0]:g} to {temperatures[-1]:g} K"
            ]
        return [
            reason
            for temperature in sorted(set(rows))
            if (reason := self._outside_row(temperature, state.density_g_cm3)) is not None
        ]

    def _outside_row(self, temperature: float, density: float) -> str | None:
        row = sorted(
            (cell for cell in self.cells if cell.temperature_K == temperature),
            key=lambda cell: cell.density_g_cm3,
        )
        densities = [cell.density_g_cm3 for cell in row]
        pair = _bracket(densities, density)
        if pair is None:
            return (
                f"density {density:g} g/cm3 is outside {densities[0]:g} to {densities[-1]:g} "
                f"g/cm3, the row at {temperature:g} K"
            )
        ends = [row[densities.index(value)] for value in pair]
        for cell in ends:
            where = f"{cell.density_g_cm3:g} g/cm3, {temperature:g} K"
            if cell.passed is None:
                return f"{UNJUDGED[self.status]} in the cell at {where}"
            if not cell.passed:
                return f"the cell at {where} did not pass"
        return self._unseen(ends[0], ends[1], density)

    def _unseen(self, below: Cell, above: Cell, density: float) -> str | None:
        if self.coordination is None or below == above:
            return None
        if below.neighbours is None or above.neighbours is None:
            return None
        part = (density - below.density_g_cm3) / (above.density_g_cm3 - below.density_g_cm3)
        expected = below.neighbours + part * (above.neighbours - below.neighbours)
        if self.coordination.seen(expected):
            return None
        return (
            f"about {expected:.1f} neighbours within {self.coordination.cutoff_A:.2f} Å are "
            f"expected at {density:g} g/cm3, {below.temperature_K:g} K, and fewer than "
            f"{self.coordination.rare:.0%} of the molecules in training have so many"
        )


def _bracket(values: Sequence[float], value: float) -> tuple[float, float] | None:
    """The two neighbours in ascending `values` that bracket a value, twice the same if on one."""
    for own in values:
        if abs(own - value) <= SAME * own:
            return own, own
    for below, above in itertools.pairwise(values):
        if below < value < above:
            return below, above
    return None


class FinalEnvelope(Part):
    """The file that a validation writes beside its cells: an envelope and the model it is of."""

    format: Literal[1] = 1
    model_sha256: Sha256
    envelope: Envelope

    @model_validator(mode="after")
    def _final(self) -> "FinalEnvelope":
        if self.envelope.status != "final":
            raise ValueError("the envelope is not final")
        return self
