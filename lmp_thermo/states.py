"""State points and grids of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lmp_thermo.errors import StudyError


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
