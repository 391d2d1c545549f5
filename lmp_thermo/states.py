"""State points and grids of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from lmp_thermo.errors import StudyError

Axis = Literal["", "combination", "temperature", "density", "both"]
Region = Literal["in", "interpolated", "extrapolated"]


@dataclass(frozen=True, order=True)
class StatePoint:
    """A density and a temperature at which a fluid is looked at."""

    density_g_cm3: float
    temperature_K: float

    def __post_init__(self) -> None:
        if not self.density_g_cm3 > 0 or not self.temperature_K > 0:
            raise StudyError(
                f"state point: got density {self.density_g_cm3} g/cm3, temperature "
                f"{self.temperature_K} K; expected both above 0; mend the grid"
            )

    @property
    def name(self) -> str:
        """Folder name of the state point, for example ``rho0.42_T200``."""
        return f"rho{self.density_g_cm3:g}_T{self.temperature_K:g}"

    def __str__(self) -> str:
        return f"{self.density_g_cm3:g} g/cm3, {self.temperature_K:g} K"


@dataclass(frozen=True)
class StateGrid:
    """The state points that a study is about, sorted by density, then temperature."""

    points: tuple[StatePoint, ...]

    @classmethod
    def of(cls, points: Iterable[StatePoint]) -> "StateGrid":
        """A grid of the given points without repetitions."""
        return cls(tuple(sorted(set(points))))

    def __iter__(self) -> Iterator[StatePoint]:
        return iter(self.points)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def densities_g_cm3(self) -> Sequence[float]:
        """Distinct densities, ascending."""
        return sorted({p.density_g_cm3 for p in self.points})

    @property
    def temperatures_K(self) -> Sequence[float]:
        """Distinct temperatures, ascending."""
        return sorted({p.temperature_K for p in self.points})

    def named(self, name: str) -> StatePoint:
        """The point whose folder name is `name`.

        Raises:
            StudyError: no such point.
        """
        for point in self.points:
            if point.name == name:
                return point
        known = ", ".join(p.name for p in self.points)
        raise StudyError(f"state point: got '{name}', expected one of {known}")


@dataclass(frozen=True)
class Place:
    """Where a state point lies as seen from those on which labels were spent.

    Args:
        axis: what of it none of them has: its density, its temperature, both, or only the
            combination of the two; empty where labels were spent on it.
        inside: whether density and temperature both lie within the ranges of theirs.
    """

    axis: Axis
    inside: bool

    @property
    def region(self) -> Region:
        """In one word."""
        if not self.axis:
            return "in"
        return "interpolated" if self.inside else "extrapolated"

    @property
    def distance(self) -> tuple[bool, bool, int]:
        """Larger where a place is farther from labels."""
        return self.axis != "", not self.inside, get_args(Axis).index(self.axis)

    def __str__(self) -> str:
        if not self.axis:
            return "spent on"
        return f"{self.axis}, {'inside' if self.inside else 'outside'}"


def place(state: StatePoint, *spent: Sequence[StatePoint]) -> Place:
    """Where a state point lies.

    Args:
        state: that is looked at.
        spent: where labels were spent; of several arms, the place that is farthest from labels
            counts: labels were spent on a state point of a group where all its arms spent some.
    """
    return max((_place(state, own) for own in spent), key=lambda found: found.distance)


def _place(state: StatePoint, spent: Sequence[StatePoint]) -> Place:
    if state in spent:
        return Place("", True)
    densities = {s.density_g_cm3 for s in spent}
    temperatures = {s.temperature_K for s in spent}
    inside = bool(spent) and (
        min(densities) <= state.density_g_cm3 <= max(densities)
        and min(temperatures) <= state.temperature_K <= max(temperatures)
    )
    new = (state.density_g_cm3 not in densities, state.temperature_K not in temperatures)
    axes: dict[tuple[bool, bool], Axis] = {
        (False, False): "combination",
        (False, True): "temperature",
        (True, False): "density",
        (True, True): "both",
    }
    return Place(axes[new], inside)
