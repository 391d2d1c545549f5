"""How a labelling budget is spread over the grid and over rounds."""

from dataclasses import dataclass

from lmp_thermo.errors import StudyError
from lmp_thermo.states import StateGrid, StatePoint
from lmp_thermo.study import Sampling

SPARES = 2
"""Frames drawn beyond the wanted ones in each cell, to replace those that cannot be labelled."""


@dataclass(frozen=True)
class CellPlan:
    """What one round draws at one state point.

    Args:
        state: the state point.
        training: labelled frames for training, counted in the budget.
        held_out: labelled frames that only judge models.
    """

    state: StatePoint
    training: int
    held_out: int

    @property
    def drawn(self) -> int:
        """Frames to draw."""
        return self.training + self.held_out + SPARES


def design_states(sampling: Sampling, grid: StateGrid) -> list[StatePoint]:
    """State points on which a design spends its budget.

    ``none`` uses one density and one temperature, ``temperature`` all temperatures of the grid
    at one density, ``density`` all densities at one temperature, ``grid`` every state point.

    Raises:
        StudyError: the grid has no such state point.
    """
    chosen = [
        state
        for state in grid
        if sampling.density_g_cm3 in (None, state.density_g_cm3)
        and sampling.temperature_K in (None, state.temperature_K)
    ]
    if not chosen:
        raise StudyError(
            f"sampling.design = {sampling.design}: the grid has no state point at density "
            f"{sampling.density_g_cm3} g/cm3 and temperature {sampling.temperature_K} K; add it"
        )
    return chosen


def plan_round(sampling: Sampling, grid: StateGrid, number: int) -> list[CellPlan]:
    """Frames to draw in one round, cell by cell.

    The budget is spread evenly over rounds and state points; what is left over goes, one frame
    each, to the first state points of the later rounds. Held-out frames are drawn at every state
    point of the grid in the last round, when the frames are best.

    Raises:
        StudyError: the budget is smaller than one frame for each state point.
    """
    states = design_states(sampling, grid)
    if sampling.budget_frames < len(states):
        raise StudyError(
            f"sampling.budget_frames = {sampling.budget_frames}: too small to split, expected at "
            f"least one frame for each of the design's {len(states)} state points; raise it"
        )
    shares = _spread(sampling.budget_frames, len(states) * sampling.rounds)
    training = dict(zip(states, shares[number * len(states) :], strict=False))
    held_out = sampling.held_out_per_cell if number == sampling.rounds - 1 else 0
    plans = [CellPlan(state, training.get(state, 0), held_out) for state in grid]
    return [plan for plan in plans if plan.training + plan.held_out > 0]


def _spread(total: int, places: int) -> list[int]:
    """Nearly equal whole numbers that sum to `total`; the larger ones come last."""
    small, rest = divmod(total, places)
    return [small] * (places - rest) + [small + 1] * rest
