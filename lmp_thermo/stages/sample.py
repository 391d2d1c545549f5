"""Sample: frames for one round at every state point that its plan names."""

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lmp_thermo.analysis.statistics import statistical_inefficiency
from lmp_thermo.analysis.thermo import read_run_thermo
from lmp_thermo.decks import Guards, Protocol, write_deck
from lmp_thermo.errors import AnalysisError, FrameError
from lmp_thermo.fluid.distortion import Vibrations, vibrations
from lmp_thermo.fluid.molecules import Composition
from lmp_thermo.fluid.packing import pack_box
from lmp_thermo.frames import Frame, Tags, write_frames
from lmp_thermo.interaction import Interaction
from lmp_thermo.products import Product, write_json
from lmp_thermo.reference.lammps_force_field import LammpsReference
from lmp_thermo.sampling.designs import CellPlan
from lmp_thermo.sampling.drawn import Spacing, spread_over
from lmp_thermo.sampling.packed import molecule_frames, packed_frames
from lmp_thermo.sections import Dynamics
from lmp_thermo.stages.context import Context, remembered, versions
from lmp_thermo.stages.runs import (
    carry_out_decks,
    drawn_frames,
    trajectory_of,
    until_molecules_react,
)
from lmp_thermo.states import StatePoint
from lmp_thermo.study import seed_for

FRAMES = "frames.extxyz"
SUMMARY = "sampling.json"
THERMOSTAT_DAMPING_PS = 0.1
FRAMES_A_RUN = 200
"""Frames that a sampling run writes; those that are labelled are drawn from them."""

ROWS_A_FRAME = 10
"""Rows of thermodynamic output between two frames; the guard on the energy looks at each."""


@remembered
def products(context: Context, round_number: int) -> list[Product]:
    """What the round makes: a product for each cell, and in the first round the molecules."""
    study = context.study
    plans = context.plan(round_number)
    made = [cell_product(context, round_number, plan) for plan in plans]
    if round_number == 0 and study.sampling.molecule_frames:
        made.append(molecules_product(context))
    return made


@remembered
def cell_product(context: Context, round_number: int, plan: CellPlan) -> Product:
    """The frames of one cell."""
    return Product(
        context.workspace.frames(round_number, plan.state),
        {
            "stage": "sample/1",
            "drawn": plan.drawn,
            **_run_sources(context, round_number, plan),
        },
    )


@remembered
def molecules_product(context: Context) -> Product:
    """Frames of single molecules."""
    return Product(
        context.workspace.molecule_frames(),
        {
            "stage": "sample-molecules/1",
            "fluid": context.fluid_identity(context.study.sampling.molecules),
            "reference": context.reference.identity,
            "temperatures": list(context.study.states.temperatures_K),
            "count": context.study.sampling.molecule_frames,
            "seed": context.study.seed,
        },
    )


def make(context: Context, round_number: int) -> None:
    """Draw the round's frames where they are missing or stale."""
    study = context.study
    plans = [
        plan
        for plan in context.plan(round_number)
        if cell_product(context, round_number, plan).state != "current"
    ]
    if _origin(context, round_number) == "packed":
        _make_packed(context, round_number, plans)
    else:
        _make_from_runs(context, round_number, plans)
    if round_number == 0 and study.sampling.molecule_frames:
        molecules_product(context).make(lambda folder: _write_molecules(context, folder))


def _origin(context: Context, round_number: int) -> str:
    if isinstance(context.reference, LammpsReference):
        return "reference-md"
    return "packed" if round_number == 0 else "model-md"


def _run_sources(context: Context, round_number: int, plan: CellPlan) -> dict[str, Any]:
    study = context.study
    sources: dict[str, Any] = {
        "state": [plan.state.density_g_cm3, plan.state.temperature_K],
        "origin": _origin(context, round_number),
        "round": round_number,
        "seed": study.seed,
        "fluid": context.fluid_identity(study.sampling.molecules),
        "reference": context.reference.identity,
    }
    if sources["origin"] != "packed":
        sources["dynamics"] = study.sampling.dynamics.model_dump()
        sources["guards"] = study.guards.model_dump()
        sources["versions"] = versions("lammps", "lmp-thermo")
    if sources["origin"] == "model-md":
        from lmp_thermo.stages import train

        sources["model"] = train.product(context, round_number - 1).content
    return sources


def molecule_shapes(context: Context) -> list[Vibrations]:
    """Normal modes of each kind of molecule, by the reference."""
    composition = context.composition(context.study.sampling.molecules)
    for kind in composition.kinds:
        context.reference.label_alone(kind)  # says in one line what is wrong with the reference
    calculator = context.reference.calculator
    return [vibrations(kind, calculator) for kind in composition.kinds]


def _write_molecules(context: Context, folder: Path) -> None:
    study = context.study
    frames = molecule_frames(
        context.composition(study.sampling.molecules),
        molecule_shapes(context),
        study.states.temperatures_K,
        study.sampling.molecule_frames,
        study.seed,
    )
    write_frames(folder / FRAMES, frames)


def _make_packed(context: Context, round_number: int, plans: list[CellPlan]) -> None:
    if not plans:
        return
    study = context.study
    composition = context.composition(study.sampling.molecules)
    shapes = molecule_shapes(context)
    with context.progress.task(f"sample round {round_number}: packing", len(plans)) as task:
        for plan in plans:

            def write(folder: Path, plan: CellPlan = plan) -> None:
                frames = packed_frames(
                    composition, shapes, plan.state, plan.drawn, round_number, study.seed
                )
                write_frames(folder / FRAMES, frames)
                write_json(folder / SUMMARY, {"origin": "packed", "spacing": None})

            cell_product(context, round_number, plan).make(write)
            task.advance()


def _make_from_runs(context: Context, round_number: int, plans: list[CellPlan]) -> None:
    if not plans:
        return
    interaction = _interaction(context, round_number)
    decks = {
        plan: Product(
            context.workspace.sampling_run(round_number, plan.state),
            {
                "stage": "sample-deck/2",
                "length_ps": production_ps(context.study.sampling.dynamics, plan),
                **_run_sources(context, round_number, plan),
            },
        )
        for plan in plans
    }
    for plan, deck in decks.items():
        deck.make(
            lambda folder, plan=plan: _write_run(  # type: ignore[misc]
                context, round_number, plan, interaction, folder
            )
        )
    results = carry_out_decks(
        context, f"sample round {round_number}", [deck.folder for deck in decks.values()]
    )
    for plan, deck in decks.items():
        cause = results[deck.folder]
        cell_product(context, round_number, plan).make(
            lambda folder, plan=plan, deck=deck, cause=cause: _draw(  # type: ignore[misc]
                context, round_number, plan, deck.folder, cause, folder
            )
        )


def _interaction(context: Context, round_number: int) -> Interaction:
    if isinstance(context.reference, LammpsReference):
        return context.reference.interaction
    from lmp_thermo.stages import train

    return train.interaction(context, round_number - 1)


def production_ps(dynamics: Dynamics, plan: CellPlan) -> float:
    """Length of the run from which a cell's frames are drawn."""
    return max(dynamics.production_ps, plan.drawn * (dynamics.spacing_ps or 0.0))


def _write_run(
    context: Context, round_number: int, plan: CellPlan, interaction: Interaction, folder: Path
) -> None:
    study, state = context.study, plan.state
    seed = seed_for(study.seed, "sample", round_number, state.name)
    composition = context.composition(study.sampling.molecules)
    box = pack_box(composition, state, seed)
    length_ps = production_ps(study.sampling.dynamics, plan)
    write_sampling_deck(context, folder, box, composition, state, interaction, length_ps, seed)


def write_sampling_deck(
    context: Context,
    folder: Path,
    box: Atoms,
    composition: Composition,
    state: StatePoint,
    interaction: Interaction,
    length_ps: float,
    seed: int,
) -> None:
    """The deck of a run from which frames are drawn.

    Args:
        context: of the study.
        folder: of the deck.
        box: where the run starts.
        composition: of the box.
        state: of the run.
        interaction: what makes the atoms interact.
        length_ps: of the part that is drawn from.
        seed: of velocities and thermostat.
    """
    study, dynamics = context.study, context.study.sampling.dynamics
    steps = round(length_ps * 1000 / dynamics.timestep_fs)
    every = max(1, steps // FRAMES_A_RUN // ROWS_A_FRAME) * dynamics.timestep_fs
    write_deck(
        folder,
        box,
        composition.molecule_sizes,
        state,
        interaction,
        Protocol(
            timestep_fs=dynamics.timestep_fs,
            equilibration_ps=dynamics.equilibration_ps,
            production_ps=length_ps,
            nve_ps=0.0,
            trajectory_every_fs=ROWS_A_FRAME * every,
            thermo_every_fs=every,
            segment_ps=length_ps,
            thermostat="langevin",
            thermostat_damping_ps=THERMOSTAT_DAMPING_PS,
            seed=seed,
            minimize=True,
            guards=Guards(
                max_temperature_K=study.guards.temperature_factor * state.temperature_K,
                min_distance_A=study.guards.min_distance_A,
                max_energy_rise_eV_atom=study.guards.energy_rise_eV_atom,
            ),
        ),
    )


def _draw(
    context: Context,
    round_number: int,
    plan: CellPlan,
    run: Path,
    cause: str | None,
    folder: Path,
) -> None:
    """Draw frames from a run; where it was stopped or died too early, pack the missing ones.

    A run whose molecules react ends where they do: a model that has seen no close contacts may
    bind what the reference pushes apart, and no energy rises there that a guard would see. The pool
    of a comparison goes without the cell instead.
    """
    study, state = context.study, plan.state
    composition = context.composition(study.sampling.molecules)
    seed = seed_for(study.seed, "sample", round_number, state.name)
    origin = _origin(context, round_number)
    spacing = None
    frames: list[Frame] = []
    try:
        trajectory = trajectory_of(run)
        trajectory, reaction = until_molecules_react(trajectory, composition, state)
        cause = cause or reaction
        chosen = spread_over(len(trajectory.frames), plan.drawn)
        between = (
            float(np.diff(trajectory.steps[:2])[0]) * study.sampling.dynamics.timestep_fs / 1000
        )
        spacing = Spacing(
            spacing_ps=between * len(trajectory.frames) / plan.drawn,
            inefficiency_ps=between * _inefficiency(run, trajectory.steps),
        )
        frames = drawn_frames(
            trajectory,
            chosen,
            composition,
            Tags(state.density_g_cm3, state.temperature_K, origin, round_number, seed, 0),
        )
    except (FrameError, AnalysisError) as error:
        if study.comparison is not None and round_number == context.last_round:
            missing = f"its run gave no frames ({cause or error}); the state may be unstable"
            context.progress.note(f"{state}: {missing}; the comparison goes on without the cell")
            write_json(folder / SUMMARY, {"origin": origin, "stopped": cause, "missing": missing})
            return
        if origin == "reference-md":
            raise FrameError(
                f"{run}: the reference's own run at {state} gave no frames ({cause or error}); the "
                "state point may be unstable; change it or the pair commands"
            ) from error
        context.progress.note(f"{state}: {cause or error}; packed frames are taken instead")
        frames = packed_frames(
            composition, molecule_shapes(context), state, plan.drawn, round_number, study.seed
        )
    write_frames(folder / FRAMES, frames)
    write_json(
        folder / SUMMARY,
        {
            "origin": frames[0].tags.origin,
            "stopped": cause,
            "spacing": None if spacing is None else spacing.to_dict(),
        },
    )


def _inefficiency(run: Path, steps: NDArray[np.int64]) -> float:
    """Statistical inefficiency of the potential energy, in frames."""
    thermo = read_run_thermo(run).between(int(steps[0]), int(steps[-1]))
    energy = thermo["PotEng"][np.isin(thermo.steps, steps)]
    return statistical_inefficiency(energy)
