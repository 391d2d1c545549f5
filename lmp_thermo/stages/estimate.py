"""What a run would do, and about how long it would take, for --dry-run.

Labels are timed on one packed frame. Training by minutes takes those minutes. The rest is scaled
from one measured model: 2 layers, l_max 1, 16 features, 38 edges an atom, on one core.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from lmp_thermo.comparison import Comparison, Teacher
from lmp_thermo.errors import LabelError
from lmp_thermo.fluid.packing import pack_box
from lmp_thermo.frames import Frame, Tags
from lmp_thermo.reference import Reference, build_reference
from lmp_thermo.reference.labelling import label_frame
from lmp_thermo.reference.lammps_force_field import LammpsReference
from lmp_thermo.sampling.designs import CellPlan, adaptive_budget
from lmp_thermo.stages import candidates, coverage, databases
from lmp_thermo.stages import teacher as teachers
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.plan import Step
from lmp_thermo.stages.sample import production_ps
from lmp_thermo.stages.train import architecture
from lmp_thermo.states import StatePoint
from lmp_thermo.units import volume_at_density

STEP_S_ATOM = 60e-6
"""One evaluation of the measured model, seconds an atom."""

STEP_S = 2e-3
"""What a step of LAMMPS with a model costs beside that, whatever the box: 48 atoms of carbon
dioxide take 2.6 ms a step with one edge an atom, 14.5 with 68, two runs at a time."""

EDGES_MEASURED = 38.0
TRAINING_OVER_EVALUATION = 4.0
"""An update costs about so many evaluations of its atoms: forward, forces, and their gradients."""

UPDATE_S = 9.5e-3
"""What an update costs beside that, whatever its atoms: trainings of 6000 to 8000 updates on argon,
methane and carbon tetrafluoride, two at a time, took 176 to 200 s where 95 to 146 s were said."""

TRAINING_START_S, COMPILING_S, REUSING_S = 15.0, 60.0, 10.0
"""Before the first update: always; to compile from nothing; to find what was compiled before."""

RUN_START_S = 0.5
"""To start LAMMPS for a run."""

COMPILED = 1.6
"""How many times as many updates a compiled training makes."""

COMPILED_RUN, COMPILED_EXPORT_S = 2.2, 120.0
"""How many times as fast runs with a model compiled ahead of time are, and what compiling takes."""


@dataclass(frozen=True)
class PlannedStep:
    """One line of the plan."""

    step: str
    state: str
    work: str
    seconds: float


def planned_steps(context: Context, steps: list[Step]) -> list[PlannedStep]:
    """Every step with its work and an estimate; nothing for what is done."""
    label_s = _seconds_a_label(context, context.reference)
    rows = []
    for step in steps:
        work, seconds = _work(context, step, label_s)
        state = step.state
        rows.append(PlannedStep(step.name, state, work, 0.0 if state == "done" else seconds))
    return rows


def _work(context: Context, step: Step, label_s: float) -> tuple[str, float]:
    study = context.study
    cells, potentials = len(context.run_states), len(context.potentials)
    number = step.round_number
    if number is not None:
        plans = context.plan(number)
        wanted = sum(p.training + p.held_out for p in plans)
    if step.stage == "sample":
        return _work_of_sampling(context, plans, number == 0)
    if step.stage == "label":
        extra = study.sampling.molecule_frames if number == 0 else 0
        if context.adaptive and number == context.last_round:
            bought = adaptive_budget(study.sampling, study.states)
            wanted = sum(p.held_out for p in plans)  # the curriculum has labelled the others
            return f"{bought + wanted + extra} frames", wanted * label_s / context.cores
        return f"{wanted + extra} frames", wanted * label_s / context.cores
    if step.stage == "curriculum":
        return _work_of_curriculum(context, label_s)
    if step.stage == "train" and number is not None:
        training = study.training
        if training.minutes is not None:
            return f"{training.minutes[number]:g} minutes", 60 * training.minutes[number]
        assert training.updates is not None
        compiling = COMPILING_S - REUSING_S if training.compiled and number == 0 else 0.0
        seconds = compiling + _training_s(context, training.updates[number])
        return f"{training.updates[number]} updates", seconds
    if study.comparison is not None:
        of_arms = _work_of_arms(context, study.comparison, step.stage, label_s)
        if of_arms is not None:
            return of_arms
    if step.stage == "simulate":
        runs = potentials + study.validation.reference_runs
        return f"{runs * cells} runs", _simulation_s(context, potentials)
    if step.stage == "validate":
        frames = potentials * cells * study.validation.frames_per_cell
        growth = study.production.molecules / study.sampling.molecules
        return f"{frames} labels", frames * label_s * growth**2 / context.cores
    judged = potentials * len(study.states)
    work = {
        "export": f"{judged} cells judged",
        "deck": f"{potentials * cells} folders",
        "report": "1 page",
        "compare": "1 page",
    }
    compiling_s = COMPILED_EXPORT_S * potentials * study.production.compiled
    seconds = judged + (compiling_s if step.stage == "export" else 0.0)
    return work.get(step.stage, f"{potentials * cells} runs"), seconds


def _work_of_sampling(
    context: Context, plans: Sequence[CellPlan], first: bool
) -> tuple[str, float]:
    """Of a LAMMPS reference's own runs; else of packing, and later of runs of the model."""
    drawn = sum(plan.drawn for plan in plans)
    of_reference = isinstance(context.reference, LammpsReference)
    if first and not of_reference:
        return f"{drawn} packed frames", 0.1 * drawn / context.cores
    dynamics, molecules = context.study.sampling.dynamics, context.study.sampling.molecules
    length_ps = [dynamics.equilibration_ps + production_ps(dynamics, plan) for plan in plans]
    if of_reference:
        each_s = [_reference_step_s(context, molecules)] * len(plans)
    else:
        each_s = [STEP_S + _step_s(context, molecules, plan.state) for plan in plans]
    seconds = 1000 / dynamics.timestep_fs * float(np.dot(length_ps, each_s))
    seconds += RUN_START_S * len(plans)
    return f"{drawn} frames from {len(plans)} runs", seconds / context.cores


def _work_of_arms(
    context: Context, comparison: Comparison, stage: str, label_s: float
) -> tuple[str, float] | None:
    updates = (context.study.training.updates or [0])[-1]
    arms = comparison.arms
    if stage == "train":
        seconds = len(arms) * _training_s(context, updates) / context.cores
        return f"{len(arms)} arms of {updates} updates", seconds
    if stage == "databases":
        frames = databases.planned(context)
        return f"{frames} clusters and crystals", frames * label_s / context.cores
    if stage == "teacher" and comparison.teacher is not None:
        return _work_of_teacher(context, comparison.teacher)
    if stage == "coverage":
        grid, frames = context.study.states, context.study.sampling.held_out_per_cell
        each = sum(2 * frames * _step_s(context, context.study.sampling.molecules, s) for s in grid)
        models = len(arms) + len(comparison.calculators)
        seconds = len(arms) * each + _calculators_s(context, comparison)
        return f"{models} models on {len(grid)} cells", seconds
    return None


def _work_of_curriculum(context: Context, label_s: float) -> tuple[str, float]:
    """Committees of all who buy, and what a study's own design has labelled there."""
    own, buying = candidates.settings(context), candidates.buyers(context)
    models = len(buying) * own.rounds * own.committee if own.start_share < 1 else 0
    seconds = models * _training_s(context, own.updates)
    work = f"{models} committee members of {own.updates} updates"
    if context.adaptive:
        seconds += buying[0].budget * label_s
        work += f", {buying[0].budget:g} labels"
    return work, seconds / context.cores


def _calculators_s(context: Context, comparison: Comparison) -> float:
    """Of ASE calculators that are judged without training, one after another."""
    total = 0.0
    held_out = context.study.sampling.held_out_per_cell
    for name, other in comparison.calculators.items():
        own = coverage.calculator(name, other)
        _seconds_a_label(context, own)  # the first call loads the model
        frames = len(context.study.states) * min(other.frames_per_cell or held_out, held_out)
        total += frames * _seconds_a_label(context, own)
    return total


def _work_of_teacher(context: Context, teacher: Teacher) -> tuple[str, float]:
    """Labels of the pool, of held-out frames, and of clusters and crystals."""
    plans = context.plan(context.last_round)
    frames = sum(p.training + p.held_out for p in plans) + databases.planned(context)
    if teacher.training is None:
        own = build_reference(teachers.section(context), context.species)
        return f"{frames} labels", frames * _seconds_a_label(context, own) / context.cores
    larger = teachers.own_context(context)
    updates = (larger.study.training.updates or [0])[-1]
    states = context.study.states
    mean = np.mean([_step_s(larger, context.study.sampling.molecules, s) for s in states])
    seconds = _training_s(larger, updates) + 2 * frames * float(mean)
    return f"a model of {updates} updates, {frames} labels", seconds


def _training_s(context: Context, updates: int) -> float:
    """Seconds for a training on one core that finds what torch compiled for an earlier one."""
    study = context.study
    mean = np.mean([_step_s(context, study.sampling.molecules, s) for s in study.states])
    update = TRAINING_OVER_EVALUATION * study.training.batch_size * float(mean)
    if study.training.compiled:
        return TRAINING_START_S + REUSING_S + updates * (UPDATE_S + update / COMPILED)
    return TRAINING_START_S + updates * (UPDATE_S + update)


def _simulation_s(context: Context, potentials: int) -> float:
    """Of so many potentials at the states where they run, and of the reference where it runs."""
    production = context.study.production
    reference_s = 0.0
    if context.study.validation.reference_runs:
        reference_s = _reference_step_s(context, production.molecules)
    total = 0.0
    for state in context.run_states:
        length = production.production_ps
        if state.density_g_cm3 <= production.gas_below_g_cm3:
            length = production.gas_production_ps or length
        length += production.equilibration_ps + production.nve_ps
        steps = 1000 * length / production.timestep_fs
        step_s = STEP_S + _step_s(context, production.molecules, state)
        step_s /= COMPILED_RUN if production.compiled else 1.0
        total += steps * (potentials * step_s + reference_s)
    return total / context.cores


def _step_s(context: Context, n_molecules: int, state: StatePoint) -> float:
    """Seconds for one evaluation of the study's model on one core."""
    training = context.study.training
    composition = context.composition(n_molecules)
    n_atoms = sum(composition.molecule_sizes)
    edges = _edges_an_atom(context, n_molecules, state)
    size = training.layers / 2 * training.features / 16 * (training.l_max + 1) ** 2 / 4
    return float(n_atoms * STEP_S_ATOM * size * max(edges, 4.0) / EDGES_MEASURED)


def _edges_an_atom(context: Context, n_molecules: int, state: StatePoint) -> float:
    """Mean number of edges of an atom, as if the atoms were spread evenly."""
    composition = context.composition(n_molecules)
    count = dict.fromkeys(context.species, 0)
    for kind, copies in zip(composition.kinds, composition.counts, strict=True):
        for symbol in kind.get_chemical_symbols():
            count[symbol] += copies
    cutoffs = architecture(context.study.training).cutoffs(context.species)
    pairs = sum(
        count[a] * count[b] * 4 / 3 * np.pi * cutoffs[a][b] ** 3 for a in count for b in count
    )
    return float(pairs / box_volume(context, n_molecules, state) / sum(count.values()))


def box_volume(context: Context, n_molecules: int, state: StatePoint) -> float:
    """Volume of a box of `n_molecules` at a state point, Å^3."""

    return volume_at_density(context.composition(n_molecules).mass_g_mol, state.density_g_cm3)


def _middle_box(context: Context, n_molecules: int) -> tuple[StatePoint, Atoms]:
    """Molecules packed at the state in the middle of the grid."""
    states = list(context.study.states)
    state = states[len(states) // 2]
    return state, pack_box(context.composition(n_molecules), state, 1)


def _reference_step_s(context: Context, n_molecules: int) -> float:
    """Wall time of a step of a LAMMPS reference's own run on one core."""
    reference = context.reference
    assert isinstance(reference, LammpsReference)
    try:
        return reference.seconds_a_step(_middle_box(context, n_molecules)[1])
    except LabelError as error:
        context.progress.note(f"estimate: a packed box could not be run ({error})")
        return 0.0


def _seconds_a_label(context: Context, reference: Reference) -> float:
    """Wall time of one label on one core, at the middle of the grid."""
    state, box = _middle_box(context, context.study.sampling.molecules)
    frame = Frame(box, Tags(state.density_g_cm3, state.temperature_K, "packed", 0, 1, 0))
    started = time.monotonic()
    try:
        label_frame(reference, frame)
    except LabelError as error:
        context.progress.note(f"estimate: one packed frame could not be labelled ({error})")
    return time.monotonic() - started
