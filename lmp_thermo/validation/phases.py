"""Cells in which a fluid of one phase cannot be stable."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lmp_thermo.states import StatePoint
from lmp_thermo.validation.verdict import SIGMAS


@dataclass(frozen=True)
class PressureFall:
    """Two neighbouring densities of one temperature between which the pressure falls.

    A homogeneous fluid has :math:`(\\partial p / \\partial \\rho)_T > 0`; where the pressure falls
    between two cells, a state between them, or one of them, is two-phase.

    Args:
        lower, higher: names of the cells.
        fall_bar: pressure at the lower density less that at the higher.
        sigmas: the same in combined standard errors; None where the pressures do not scatter.
    """

    lower: str
    higher: str
    fall_bar: float
    sigmas: float | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def pressure_falls(pressures: Mapping[StatePoint, tuple[float, float]]) -> list[PressureFall]:
    """Where the pressure falls with density by more than `SIGMAS` standard errors.

    Args:
        pressures: mean and standard error in bar, by cell.
    """
    found = []
    states = sorted(pressures, key=lambda s: (s.temperature_K, s.density_g_cm3))
    for lower, higher in itertools.pairwise(states):
        if lower.temperature_K != higher.temperature_K:
            continue
        (a, error_a), (b, error_b) = pressures[lower], pressures[higher]
        error = math.hypot(error_a, error_b)
        if a - b > SIGMAS * error:
            sigmas = (a - b) / error if error > 0 else None
            found.append(PressureFall(lower.name, higher.name, a - b, sigmas))
    return found
