"""The result file of a comparison, checked: all that its tables and figures rest on."""

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import Field, ValidationError, model_validator

from lmp_thermo.errors import AnalysisError
from lmp_thermo.reading import Name, NonNegative, first_problem
from lmp_thermo.report.result_parts import (
    MAX_ARMS,
    MAX_CELLS,
    ArmVerdict,
    Cell,
    Environments,
    Judged,
    Other,
    PairedTest,
    Part,
    PressureFall,
    Round,
    Run,
    Settings,
    Spacing,
    Teacher,
    Text,
)
from lmp_thermo.states import Place, place

MAX_BYTES = 8_000_000
MAX_GROUPS, MAX_TESTS = 64, 20_000


class Result(Part):
    """The result of a comparison; `Result.read` reads it from a file."""

    study: Name
    command: str = Field(max_length=5000)
    seconds: dict[Text, NonNegative] = Field(default_factory=dict, max_length=100)
    versions: dict[Text, Text]
    stages: list[Text] = Field(default_factory=list, max_length=100)
    settings: Settings
    grid: dict[Name, Cell] = Field(min_length=1, max_length=MAX_CELLS)
    units: dict[Text, Text]
    matrix: dict[Name, dict[Name, Judged]] = Field(min_length=1, max_length=MAX_GROUPS)
    others: dict[Name, Other] = Field(max_length=MAX_GROUPS)
    teacher: Teacher | None = None
    arms: dict[Name, ArmVerdict] = Field(min_length=1, max_length=MAX_ARMS)
    tests: list[PairedTest] = Field(max_length=MAX_TESTS)
    loss_interactions: list[PairedTest] = Field(default_factory=list, max_length=MAX_TESTS)
    curriculum: dict[Name, Annotated[list[Round], Field(min_length=1, max_length=40)]]
    environments: Environments = Field(default_factory=Environments)
    runs: dict[Name, dict[Name, Run]] = Field(default_factory=dict, max_length=MAX_ARMS)
    without_frames: list[Text] = Field(default_factory=list, max_length=MAX_CELLS)
    pressure_falls: list[PressureFall] = Field(default_factory=list, max_length=MAX_CELLS)
    pressure_open: dict[Name, NonNegative | None] = Field(
        default_factory=dict, max_length=MAX_CELLS
    )
    without_error: dict[Text, list[Name]] = Field(default_factory=dict, max_length=MAX_CELLS)
    close_frames: dict[Name, Spacing] = Field(default_factory=dict, max_length=MAX_CELLS)
    melted_crystals: dict[Name, NonNegative] = Field(default_factory=dict, max_length=MAX_CELLS)
    label_failures: int = 0

    @classmethod
    def read(cls, path: Path) -> "Result":
        """Read ``comparison.json``.

        Raises:
            AnalysisError: missing, too large, no JSON, or no result of a comparison.
        """
        expected = "expected comparison.json of a study that compares designs"
        try:
            with path.open("rb") as stream:
                text = stream.read(MAX_BYTES + 1)  # a device has no size to ask for
            if len(text) > MAX_BYTES:
                raise AnalysisError(f"{path}: larger than {MAX_BYTES} bytes; {expected}")
            values = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
        except FileNotFoundError:
            raise AnalysisError(f"{path}: no such file; {expected}") from None
        except OSError as error:
            raise AnalysisError(f"{path}: cannot be read ({error.strerror}); {expected}") from None
        except (ValueError, RecursionError) as error:
            cause = " ".join(str(error).split())[:100]
            raise AnalysisError(f"{path}: no valid JSON ({cause}); {expected}") from None
        if not isinstance(values, dict):
            raise AnalysisError(f"{path}: got {type(values).__name__}; {expected}")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problem = first_problem(cls, error)[:200]
            raise AnalysisError(
                f"{path}: no result of a comparison: {problem}; {expected}"
            ) from None

    @model_validator(mode="after")
    def _whole(self) -> "Result":
        for name, cells in self.matrix.items():
            if set(cells) != set(self.grid):
                raise ValueError(f"matrix.{name} and grid name different cells")
            if not any(arm.group == name for arm in self.arms.values()):
                raise ValueError(f"matrix.{name} has no arm")
        named = [c for other in self.others.values() for c in other.cells]
        named += [w.state for a in self.arms.values() for w in (a.worst, a.worst_to_spend_on)]
        named += [*self.pressure_open, *self.close_frames]
        named += [c for cells in self.without_error.values() for c in cells]
        named += [
            c
            for rounds in self.curriculum.values()
            for own in rounds
            for c in (*own.bought, *own.scores)
        ]
        unknown = [c for c in named if c not in self.grid]
        groups = [arm.group for arm in self.arms.values()]
        tests = (*self.tests, *self.loss_interactions)
        groups += [group for test in tests for group in (test.first, test.second)]
        unknown += [group for group in groups if group not in self.matrix]
        unknown += [arm for arm in self.curriculum if arm not in self.arms]
        if unknown:
            raise ValueError(f"'{unknown[0]}' is named but not there")
        return self

    @cached_property
    def densities_g_cm3(self) -> list[float]:
        """Distinct densities, ascending."""
        return sorted({cell.density_g_cm3 for cell in self.grid.values()})

    @cached_property
    def temperatures_K(self) -> list[float]:
        """Distinct temperatures, ascending."""
        return sorted({cell.temperature_K for cell in self.grid.values()})

    @cached_property
    def places(self) -> dict[str, dict[str, Place]]:
        """Where each cell lies as seen from the labels of each group, by group and cell.

        Files of old versions do not say what an arm was trained on, only what it paid for.
        """
        states = {name: cell.state for name, cell in self.grid.items()}
        found = {}
        for group in self.groups:
            paid = [
                a.frames if a.trained is None else a.trained for a in self.of_group(group).values()
            ]
            spent = [[states[name] for name in own if name in states] for own in paid]
            found[group] = {name: place(state, *spent) for name, state in states.items()}
        return found

    @property
    def groups(self) -> list[str]:
        """Groups of arms in the order of the study."""
        return list(self.matrix)

    def of_group(self, group: str) -> dict[str, ArmVerdict]:
        """Arms of a group."""
        return {name: arm for name, arm in self.arms.items() if arm.group == group}

    def passes(self, group: str) -> float:
        """Cells that a group's arms pass, mean over seeds."""
        own = self.of_group(group).values()
        return sum(arm.passed for arm in own) / len(own)

    def tests_of(self, group: str, base: str) -> list[PairedTest]:
        """Tests of a pair of groups, the second of which stands below the stroke."""
        return [t.seen_from(base) for t in self.tests if {t.first, t.second} == {group, base}]

    @property
    def smallest_p(self) -> float:
        """What an exact sign-flip test of the fewest seeds of any pair can reach; 1 without any."""
        seeds = min((len(test.ratios) for test in self.tests), default=1)
        return float(2.0 ** (1 - seeds))

    def state(self, name: str) -> str:
        """A cell's state point in words."""
        return str(self.grid[name]) if name in self.grid else name


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
