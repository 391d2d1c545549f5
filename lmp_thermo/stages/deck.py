"""Deck: one folder for each state point, for the potential and, if asked, for the reference."""

import math
from pathlib import Path

from lmp_thermo.decks import Guards, Protocol, write_deck
from lmp_thermo.fluid.packing import pack_box
from lmp_thermo.interaction import Interaction
from lmp_thermo.potential.card import COMPILED, MODEL, read_card
from lmp_thermo.potential.interaction import lammps_interaction
from lmp_thermo.products import Product
from lmp_thermo.reference.lammps_force_field import LammpsReference
from lmp_thermo.stages import export
from lmp_thermo.stages.context import Context, remembered_by_arm
from lmp_thermo.states import StatePoint
from lmp_thermo.study import seed_for

REFERENCE_ARM = "reference"
"""Folder of the reference's own runs, beside the arms'."""


def arms(context: Context) -> list[str]:
    """The arm, and the reference where its own runs are wanted."""
    return [context.arm, *([REFERENCE_ARM] if context.study.validation.reference_runs else [])]


@remembered_by_arm
def product(context: Context, arm: str, state: StatePoint) -> Product:
    """The deck of one state point."""
    source = context.reference.identity if arm == REFERENCE_ARM else export.product(context).content
    return Product(
        context.workspace.production(arm, state),
        {
            "stage": "deck/1",
            "interaction": source,
            "state": [state.density_g_cm3, state.temperature_K],
            "production": context.study.production.model_dump(exclude={"compiled"}),  # in source
            "fluid": context.fluid_identity(context.study.production.molecules),
            "seed": context.study.seed,
        },
    )


@remembered_by_arm
def products(context: Context) -> list[Product]:
    """All decks."""
    return [product(context, arm, state) for arm in arms(context) for state in context.run_states]


def make(context: Context) -> None:
    """Write the decks that are missing or stale."""
    export.product(context).verify()
    warned = False
    for arm in arms(context):
        own = _interaction(context, arm)
        for state in context.run_states:
            if arm != REFERENCE_ARM:
                reasons = read_card(context.workspace.potential(arm)).outside(state)
                if reasons:
                    warned = True
                    context.progress.note(f"warning: {state}: outside the envelope: {reasons[0]}")
            product(context, arm, state).make(
                lambda folder, own=own, state=state, arm=arm: _write(  # type: ignore[misc]
                    context, arm, state, own, folder
                )
            )
    if warned:
        context.progress.note("the decks are written all the same; their runs will show")


def _interaction(context: Context, arm: str) -> Interaction:
    if arm == REFERENCE_ARM:
        assert isinstance(context.reference, LammpsReference)  # the study file has made sure
        return context.reference.interaction
    model = COMPILED if context.study.production.compiled else MODEL
    return lammps_interaction(context.workspace.potential(arm), model)


def _write(
    context: Context, arm: str, state: StatePoint, interaction: Interaction, folder: Path
) -> None:
    study, production = context.study, context.study.production
    composition = context.composition(production.molecules)
    seed = seed_for(study.seed, "production", arm, state.name)
    gas = state.density_g_cm3 <= production.gas_below_g_cm3
    production_ps = production.production_ps
    if gas and production.gas_production_ps is not None:
        production_ps = production.gas_production_ps
    guards = production.guards
    write_deck(
        folder,
        pack_box(composition, state, seed_for(study.seed, "production", state.name)),
        composition.molecule_sizes,
        state,
        interaction,
        Protocol(
            timestep_fs=production.timestep_fs,
            equilibration_ps=production.equilibration_ps,
            production_ps=production_ps,
            nve_ps=production.nve_ps,
            trajectory_every_fs=production.trajectory_every_fs,
            thermo_every_fs=production.thermo_every_fs,
            segment_ps=min(production.segment_ps, production_ps),
            thermostat=production.gas_thermostat if gas else production.thermostat,
            thermostat_damping_ps=production.thermostat_damping_ps,
            seed=seed,
            minimize=True,
            guards=Guards(
                max_temperature_K=max_temperature(
                    state.temperature_K,
                    sum(composition.molecule_sizes),
                    guards.temperature_factor,
                ),
                min_distance_A=guards.min_distance_A,
                max_energy_rise_eV_atom=guards.energy_rise_eV_atom,
            ),
        ),
    )


def max_temperature(temperature_K: float, n_atoms: int, factor: float) -> float:
    """Temperature at which a run is stopped: the factor, or 8 standard deviations if more.

    The kinetic temperature of 3N degrees of freedom fluctuates by T sqrt(2/3N); a box of few
    atoms must not be stopped for that.
    """
    return temperature_K * max(factor, 1 + 8 * math.sqrt(2 / (3 * n_atoms)))
