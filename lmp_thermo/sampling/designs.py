"""How a labelling budget is spread over the grid and over rounds, or among the arms of a pool."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lmp_thermo.comparison import Arm, Comparison, Design
from lmp_thermo.errors import StudyError
from lmp_thermo.sections import Sampling
from lmp_thermo.states import StateGrid, StatePoint
from lmp_thermo.study import StudyFile, seed_for

SPARES = 2
"""Frames drawn beyond the wanted ones in each cell, to replace those that cannot be labelled."""

CHOICE = 2
"""Frames that an adaptive study draws in a cell for each that it may buy there at most."""

FEWEST_FRAMES = 2
"""Frames of the smallest arm: one of them only watches its training."""

SOLID_SHARE = 1 / 3
"""Share of its budget that design condensed spends on crystals; the rest buys liquid."""


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
    at one density, ``density`` all densities at one temperature, ``grid`` every state point; so
    does ``adaptive`` before its last round.

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


def plan_study_round(study: StudyFile, number: int, atoms_per_frame: int) -> list[CellPlan]:
    """Frames to draw in one round of a study; the last round of a comparison draws its pool."""
    if study.comparison is None:
        return plan_round(study.sampling, study.states, number)
    if number == study.sampling.rounds - 1:
        return plan_pool(
            study.comparison, study.states, study.sampling.held_out_per_cell, atoms_per_frame
        )
    before = study.sampling.model_copy(update={"rounds": study.sampling.rounds - 1})
    return [
        CellPlan(plan.state, plan.training, 0)
        for plan in plan_round(before, study.states, number)
        if plan.training
    ]


def plan_round(sampling: Sampling, grid: StateGrid, number: int) -> list[CellPlan]:
    """Frames to draw in one round, cell by cell.

    The budget is spread evenly over rounds and state points; what is left over goes, one frame
    each, to the first state points of the later rounds. Held-out frames are drawn at every state
    point of the grid in the last round, when the frames are best. Of design ``adaptive`` the last
    round draws more for training than it labels, for the curriculum to choose from.

    Raises:
        StudyError: the budget is smaller than one frame for each state point, or leaves the first
            round nothing to train on.
    """
    states = design_states(sampling, grid)
    assert sampling.budget_frames is not None  # the study file is checked
    if sampling.design != "adaptive" and sampling.budget_frames < len(states):
        raise StudyError(
            f"sampling.budget_frames = {sampling.budget_frames}: too small to split, expected at "
            f"least one frame for each of the design's {len(states)} state points; raise it"
        )
    shares = _spread(sampling.budget_frames, len(states) * sampling.rounds)
    first = sum(shares[: len(states)]) + sampling.molecule_frames
    if first < FEWEST_FRAMES:
        raise StudyError(
            f"sampling.budget_frames = {sampling.budget_frames}: leaves {first} frames to the "
            f"first of {sampling.rounds} rounds, expected at least {FEWEST_FRAMES}, for one only "
            "watches the training; raise it"
        )
    training = dict(zip(states, shares[number * len(states) :], strict=False))
    if sampling.curriculum is not None and number == sampling.rounds - 1:
        share = sampling.curriculum.most_of(len(states))
        most = math.ceil(share * adaptive_budget(sampling, grid))
        training = dict.fromkeys(states, CHOICE * most)
    held_out = sampling.held_out_per_cell if number == sampling.rounds - 1 else 0
    plans = [CellPlan(state, training.get(state, 0), held_out) for state in grid]
    return [plan for plan in plans if plan.training + plan.held_out > 0]


def adaptive_budget(sampling: Sampling, grid: StateGrid) -> int:
    """Frames that a study of design ``adaptive`` labels to train on in its last round."""
    assert sampling.budget_frames is not None  # the study file is checked
    states = design_states(sampling, grid)
    return sum(_spread(sampling.budget_frames, len(states) * sampling.rounds)[-len(states) :])


def _spread(total: int, places: int) -> list[int]:
    """Nearly equal whole numbers that sum to `total`; the larger ones come last."""
    small, rest = divmod(total, places)
    return [small] * (places - rest) + [small + 1] * rest


def cells_of(design: Design, comparison: Comparison, grid: StateGrid) -> list[StatePoint]:
    """State points on which an arm's design may spend its budget.

    For ``clusters``: those from whose frames they are cut. For ``pool``: all of them.
    """
    home = comparison.home.state
    if design in ("clusters", "pool"):
        return [state for state in grid if comparison.may_spend(state)]
    if design == "condensed":
        least = comparison.condensed_above_g_cm3 or 0.0
        return [s for s in grid if comparison.may_spend(s) and s.density_g_cm3 >= least]
    return [
        state
        for state in grid
        if comparison.may_spend(state)
        and (design in ("grid", "adaptive", "density") or state.density_g_cm3 == home.density_g_cm3)
        and (
            design in ("grid", "adaptive", "temperature")
            or state.temperature_K == home.temperature_K
        )
    ]


def plan_pool(
    comparison: Comparison, grid: StateGrid, held_out: int, atoms_per_frame: int
) -> list[CellPlan]:
    """Frames of the pool, cell by cell: the most that one arm may want, times the pool's factor.

    Raises:
        StudyError: a design lacks the states that make it one, or the budget is too small to split,
            or `pool_frames` to be spent.
    """
    unit = atoms_per_frame if comparison.budget_unit == "atom-frames" else 1
    frames = int(comparison.budget // unit)
    timed = comparison.budget_unit == "label-seconds"  # what that buys is known with the labels
    most = dict.fromkeys(grid, 0)
    for design in comparison.designs:
        if design == "pool":
            continue  # takes what the others may want
        cells = cells_of(design, comparison, grid)
        _check_design(design, comparison, cells)
        if not timed:
            _check_budget(design, comparison, cells, unit)
        if design == "clusters":  # cut from frames that need no label for it
            most.update({state: max(most[state], 1) for state in cells})
            continue
        wanted = (1 - _solid_share(design)) * frames / len(cells)
        if design == "condensed":  # crystals may leave almost one of theirs to the liquid
            wanted = max(wanted, frames / len(cells) / comparison.pool_factor)
        if design == "adaptive" and comparison.curriculum is not None:
            largest = max(comparison.budgets_of(design, comparison.losses[0])) // unit
            wanted = comparison.curriculum.most_of(len(cells)) * largest
        for state in cells:
            most[state] = max(most[state], math.ceil(wanted))
    return [
        CellPlan(
            state,
            (comparison.pool_frames or math.ceil(comparison.pool_factor * count)) if count else 0,
            held_out,
        )
        for state, count in most.items()
    ]


def _check_budget(
    design: Design, comparison: Comparison, cells: Sequence[StatePoint], unit: int
) -> None:
    """Refuse a budget too small for a design, and a pool with too few frames to be spent on.

    Args:
        design: what spends.
        comparison: with budget and `pool_frames`.
        cells: of the design.
        unit: what a frame of the pool costs. A cluster may cost less: `databases.check`.
    """
    unit_name = comparison.budget_unit
    if design == "clusters" and unit_name == "atom-frames":
        return
    budgets = comparison.budgets_of(design, comparison.losses[0])
    own = design == "adaptive" and comparison.curriculum and comparison.curriculum.budgets
    for budget in budgets:
        name = "budget" if budget == comparison.budget else "smaller_budgets"
        given = f"comparison.{'curriculum.budgets' if own else name} = {budget:g} {unit_name}"
        spread = design not in ("clusters", "adaptive")  # those choose among cells
        if spread and budget < len(cells) * unit:
            raise StudyError(
                f"{given}: too small to split, expected at least one frame for each of the "
                f"{len(cells)} state points of design {design}; raise it"
            )
        if budget < FEWEST_FRAMES * unit:
            least = f"{FEWEST_FRAMES * unit} {unit_name}"
            if unit_name == "atom-frames":
                least += f" ({FEWEST_FRAMES} frames)"
            raise StudyError(
                f"{given}: expected at least {least}, for one of an arm's frames only watches its "
                "training; raise it"
            )
    if comparison.pool_frames is None or design == "clusters":
        return
    frames = int(max(budgets) / unit * (1 - _solid_share(design)))
    needed = math.ceil(frames / len(cells))
    if comparison.pool_frames < needed:
        raise StudyError(
            f"comparison.pool_frames = {comparison.pool_frames}: expected at least {needed} a "
            f"state point, for design {design} buys {frames} frames from {len(cells)} of them; "
            "raise it, or lower the budget"
        )


def _solid_share(design: Design) -> float:
    return SOLID_SHARE if design == "condensed" else 0.0


def _check_design(design: Design, comparison: Comparison, cells: Sequence[StatePoint]) -> None:
    """Refuse a design that needs states the grid lacks."""
    if not cells:
        raise StudyError(
            f"comparison.condensed_above_g_cm3 = {comparison.condensed_above_g_cm3}: no density on "
            "which designs may spend is as high, expected one at least; lower it"
        )
    densities = {state.density_g_cm3 for state in cells}
    temperatures = {state.temperature_K for state in cells}
    home = comparison.home.state
    for needing, what, values, line in (
        (("density", "grid", "adaptive"), "densities", densities, f"at {home.temperature_K:g} K"),
        (
            ("temperature", "grid", "adaptive"),
            "temperatures",
            temperatures,
            f"at {home.density_g_cm3:g} g/cm3",
        ),
    ):
        if design in needing and len(values) < 2:
            raise StudyError(
                f"comparison.designs: {design} needs at least two {what} {line} on which designs "
                f"may spend, the grid has {len(values)}; add them to the grid or leave the design "
                "out"
            )


def pool_order(study_seed: int, arm_seed: int, state: StatePoint, count: int) -> list[int]:
    """The order in which arms of one seed take a cell's frames from the pool.

    It is the same for all designs: their sets are nested, and arms of one seed are pairs.
    """
    random = np.random.default_rng(seed_for(study_seed, "pool", arm_seed, state.name))
    return [int(index) for index in random.permutation(count)]


def spend(
    arm: Arm,
    comparison: Comparison,
    grid: StateGrid,
    costs: Mapping[StatePoint, Sequence[float]],
    study_seed: int,
) -> dict[StatePoint, list[int]]:
    """Frames of the pool on which an arm of a fixed design spends its budget.

    The design's cells take frames in turn, in an order that depends on the seed, until the next
    one would exceed the budget. ``pool`` has none: it takes every frame.

    Args:
        arm: what spends.
        comparison: with budget and unit.
        grid: of the study.
        costs: of each frame of the pool, by cell, in the budget's unit.
        study_seed: of the study.

    Returns:
        For each of the design's cells, indices into that cell's frames.

    Raises:
        StudyError: a cell's frames are used up before the budget is, so many of the design's
            cells have none that it is no longer that design, or a budget in seconds does not buy
            a frame in each cell.
    """
    wanted = cells_of(arm.design, comparison, grid)
    cells = [state for state in wanted if costs.get(state)]
    lost = [state for state in wanted if state not in cells]
    if lost and len(cells) < 2:
        raise StudyError(
            f"comparison: design {arm.design} has no frames at {lost[0]}; the state may be "
            "unstable; choose another home or take the state out of the grid"
        )
    if arm.design == "pool":
        return {state: list(range(len(costs[state]))) for state in cells}
    taken = take_in_turn(arm, cells, costs, arm.budget, study_seed)
    empty = [state for state in cells if not taken[state]]
    if empty and comparison.budget_unit == "label-seconds":  # of frames, the plan has made sure
        raise StudyError(
            f"comparison.budget = {arm.budget:g} label-seconds: too small to split, design "
            f"{arm.design} buys no frame at {empty[0]}, where a label took "
            f"{min(costs[empty[0]]):.2g} s or more; raise it"
        )
    return taken


def take_in_turn(
    arm: Arm,
    cells: Sequence[StatePoint],
    costs: Mapping[StatePoint, Sequence[float]],
    budget: float,
    study_seed: int,
) -> dict[StatePoint, list[int]]:
    """Frames of each cell in turn until the next one would exceed a budget; see `spend`."""
    random = np.random.default_rng(seed_for(study_seed, "turns", arm.seed))
    turns = [cells[int(k)] for k in random.permutation(len(cells))]
    orders = {s: pool_order(study_seed, arm.seed, s, len(costs.get(s, ()))) for s in cells}
    taken: dict[StatePoint, list[int]] = {state: [] for state in cells}
    left = budget
    while True:
        for state in turns:
            place = len(taken[state])
            if place == len(orders[state]):
                if left < min(costs[state]):
                    return taken
                raise StudyError(
                    f"comparison: design {arm.design} wants more than the {place} frames of the "
                    f"pool at {state}; raise comparison.pool_factor or pool_frames, or lower the "
                    "budget"
                )
            index = orders[state][place]
            if costs[state][index] > left:
                return taken
            left -= costs[state][index]
            taken[state].append(index)


def check_equal_budgets(spent: Mapping[str, tuple[float, float]], most: float, unit: str) -> None:
    """Refuse arms whose budgets differ by a frame or more.

    Args:
        spent: by arm, what it was given and what it spent.
        most: the largest cost of a single frame.
        unit: of all of them.

    Raises:
        StudyError: names the arm that spent too little or too much.
    """
    for name, (given, value) in spent.items():
        if not given - most < value <= given:
            raise StudyError(
                f"comparison: arm {name} spent {value:g} of {given:g} {unit}, expected equal "
                f"budgets to within one frame ({most:g}); raise comparison.pool_factor"
            )
