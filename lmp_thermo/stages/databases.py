"""Databases: what stands in for a molecular and a condensed database, labelled by the reference.

Clusters are cut from the pool's frames, never from held-out ones. Crystals are built; where the
reference has dynamics of its own, it equilibrates them.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lmp_thermo.comparison import Comparison, Design
from lmp_thermo.errors import AnalysisError, FrameError, LabelError, StudyError
from lmp_thermo.fluid.molecules import Composition
from lmp_thermo.frames import Frame, Tags, read_frames, sum_by_molecule, write_frames
from lmp_thermo.products import Product, read_json, write_json
from lmp_thermo.reference.lammps_force_field import LammpsReference
from lmp_thermo.sampling.clusters import cluster_frames, cluster_sizes
from lmp_thermo.sampling.crystals import (
    MELTED,
    SHAKEN,
    crystal,
    crystal_composition,
    crystal_frames,
    displacement,
    neighbour_distance,
)
from lmp_thermo.sampling.designs import SOLID_SHARE, CellPlan, cells_of
from lmp_thermo.sampling.drawn import spread_over
from lmp_thermo.stages import label, sample
from lmp_thermo.stages.context import Context, remembered, versions
from lmp_thermo.stages.pool import comparison_of, pool
from lmp_thermo.stages.runs import carry_out_decks, drawn_frames, trajectory_of
from lmp_thermo.states import StatePoint
from lmp_thermo.study import seed_for

Kind = Literal["clusters", "crystals"]

OF_DESIGN: dict[Design, Kind] = {"clusters": "clusters", "condensed": "crystals"}

ORDER = "displacement_over_neighbour_distance"


def kinds(context: Context) -> list[Kind]:
    """What the study's designs need."""
    return [OF_DESIGN[d] for d in comparison_of(context).designs if d in OF_DESIGN]


@remembered
def drawn_product(context: Context, kind: Kind) -> Product:
    """Clusters or crystals without labels."""
    sources: dict[str, Any] = {
        "stage": f"sample-{kind}/1",
        "seed": context.study.seed,
        "fluid": context.fluid_identity(context.study.sampling.molecules),
    }
    if kind == "clusters":
        sources["pool"] = label.product(context, context.last_round).content
        sources["sizes"], sources["count"] = sizes(context), cluster_count(context)
    else:
        sources["count"] = {state.name: n for state, n in crystal_counts(context).items()}
        sources["least_edge_A"] = _least_edge_A(context)
        sources["reference"] = context.reference.identity
        if isinstance(context.reference, LammpsReference):
            sources["dynamics"] = context.study.sampling.dynamics.model_dump()
            sources["guards"] = context.study.guards.model_dump()
            sources["versions"] = versions("lammps", "lmp-thermo")
    return Product(context.workspace.database_frames(kind), sources)


@remembered
def label_product(context: Context, kind: Kind) -> Product:
    """The same, labelled."""
    return Product(
        context.workspace.database_labels(kind),
        {
            "stage": "label-database/1",
            "frames": drawn_product(context, kind).content,
            "reference": context.reference.identity,
            "name": context.study.reference.name,
            "max_force_eV_A": context.study.reference.max_force_eV_A,
        },
    )


def products(context: Context) -> list[Product]:
    """All of them; labels once there is what they are of."""
    found = []
    for kind in kinds(context):
        found.append(drawn_product(context, kind))
        if found[-1].state == "current":
            found.append(label_product(context, kind))
    return found


def make(context: Context) -> None:
    """Draw and label what is missing or stale."""
    for kind in kinds(context):
        write: dict[Kind, Callable[[Path], None]] = {
            "clusters": lambda folder: _cut(context, folder),
            "crystals": lambda folder: _grow(context, folder),
        }
        drawn_product(context, kind).make(write[kind])
        label_product(context, kind).make(lambda folder, kind=kind: _label(context, kind, folder))  # type: ignore[misc]


@remembered
def frames(context: Context, kind: Kind) -> dict[StatePoint, list[Frame]]:
    """Labelled clusters by size and temperature, or crystals by state point."""
    made = label_product(context, kind)
    made.verify()
    found: dict[StatePoint, list[Frame]] = {}
    for frame in read_frames(made.folder / label.LABELS):
        found.setdefault(frame.tags.state, []).append(frame)
    return found


def costs(context: Context, kind: Kind) -> dict[StatePoint, list[float]]:
    """What each of them costs, in the unit of the budget."""
    by_atoms = comparison_of(context).budget_unit == "atom-frames"
    return {
        state: [float(len(frame.atoms)) if by_atoms else 1.0 for frame in own]
        for state, own in sorted(frames(context, kind).items())
    }


def melted(context: Context) -> dict[str, float]:
    """Crystals that are none any more, by state point: displacement over neighbour distance."""
    if "crystals" not in kinds(context):
        return {}
    summary = read_json(drawn_product(context, "crystals").folder / sample.SUMMARY)
    return {name: value for name, value in summary[ORDER].items() if value > MELTED}


def check(context: Context) -> None:
    """Refuse what cannot be drawn, before any work.

    Raises:
        StudyError: boxes of too few molecules, or a budget too small to split.
    """
    comparison, molecules = comparison_of(context), context.study.sampling.molecules
    if "clusters" in kinds(context):
        if molecules < comparison.largest_cluster:
            raise StudyError(
                f"comparison.largest_cluster = {comparison.largest_cluster}: clusters are cut from "
                f"boxes of sampling.molecules = {molecules}, expected no more; lower it, or use "
                "more molecules"
            )
        cluster_count(context)
    if "crystals" in kinds(context):
        crystal_counts(context)


def planned(context: Context) -> int:
    """Frames that are drawn and labelled in all."""
    total = 0
    if "clusters" in kinds(context):
        cells = cells_of("clusters", comparison_of(context), context.study.states)
        temperatures = {state.temperature_K for state in cells}
        total += len(sizes(context)) * len(temperatures) * cluster_count(context)
    if "crystals" in kinds(context):
        total += sum(crystal_counts(context).values())
    return total


def sizes(context: Context) -> list[int]:
    """Molecules in the clusters."""
    atomic = context.composition(context.study.sampling.molecules).atomic
    return cluster_sizes(comparison_of(context).largest_cluster, atomic)


def cluster_count(context: Context) -> int:
    """Clusters of each size at each temperature.

    Raises:
        StudyError: the budget is too small to split.
    """
    comparison = comparison_of(context)
    temperatures = {s.temperature_K for s in cells_of("clusters", comparison, context.study.states)}
    composition = context.composition(context.study.sampling.molecules)
    atoms = sum(composition.molecule_sizes) / sum(composition.counts)
    by_atoms = comparison.budget_unit == "atom-frames"
    turn = len(temperatures) * sum(n * atoms if by_atoms else 1.0 for n in sizes(context))
    return _count(comparison, "clusters", turn)


@remembered
def crystal_counts(context: Context) -> dict[StatePoint, int]:
    """Crystals of each density, at the lowest temperature on which designs may spend.

    Raises:
        StudyError: the budget is too small to split.
    """
    comparison = comparison_of(context)
    cells = cells_of("condensed", comparison, context.study.states)
    coldest = min(s.temperature_K for s in cells)
    states = [StatePoint(d, coldest) for d in sorted(comparison.crystal_densities_g_cm3 or [])]
    by_atoms = comparison.budget_unit == "atom-frames"
    turn = sum(sum(composition_of(context, s).molecule_sizes) if by_atoms else 1.0 for s in states)
    return dict.fromkeys(states, _count(comparison, "condensed", turn / SOLID_SHARE))


def _count(comparison: Comparison, design: Design, turn: float) -> int:
    """Frames of each kind, where a budget of `turn` buys one of each."""
    if comparison.budget < turn:
        raise StudyError(
            f"comparison.budget = {comparison.budget:g} {comparison.budget_unit}: too small to "
            f"split, design {design} needs at least {turn:g} for one frame of each of its kinds; "
            "raise it"
        )
    return math.ceil(comparison.pool_factor * comparison.budget / turn) + 1


def composition_of(context: Context, state: StatePoint) -> Composition:
    """A crystal's box; no edge is shorter than a label box may be."""
    fluid = context.composition(context.study.sampling.molecules)
    return crystal_composition(fluid.kinds, fluid.counts, state, _least_edge_A(context))


def _least_edge_A(context: Context) -> float:
    reference = context.study.reference
    reach = reference.ase.reach_A if reference.ase is not None else None
    return max(reference.min_box_A, 2 * (reach or 0.0))


def _cut(context: Context, folder: Path) -> None:
    composition = context.composition(context.study.sampling.molecules)
    mass = composition.mass_g_mol / sum(composition.counts)
    count = cluster_count(context)
    cut = cluster_frames(pool(context), sizes(context), count, mass, context.study.seed)
    write_frames(folder / sample.FRAMES, cut)


def _grow(context: Context, folder: Path) -> None:
    counts = crystal_counts(context)
    if isinstance(context.reference, LammpsReference):
        grown, order = _equilibrated(context, context.reference, counts)
    else:
        shapes, order = sample.molecule_shapes(context), {}
        grown = [
            frame
            for state, count in counts.items()
            for frame in crystal_frames(
                composition_of(context, state),
                shapes,
                state,
                count,
                context.last_round,
                context.study.seed,
            )
        ]
    write_frames(folder / sample.FRAMES, grown)
    write_json(folder / sample.SUMMARY, {ORDER: order})


def _equilibrated(
    context: Context, reference: LammpsReference, counts: dict[StatePoint, int]
) -> tuple[list[Frame], dict[str, float]]:
    """Crystals from runs of the reference, and how far their molecules are from their sites."""
    study, shapes = context.study, sample.molecule_shapes(context)
    decks: dict[StatePoint, Product] = {}
    starts = {}
    for state, count in counts.items():
        seed = seed_for(study.seed, "crystal", state.name)
        composition, random = composition_of(context, state), np.random.default_rng(seed)
        starts[state] = crystal(composition, shapes, state, SHAKEN[0], random)
        length = sample.production_ps(study.sampling.dynamics, CellPlan(state, count, 0))
        decks[state] = Product(
            context.workspace.crystal_run(state),
            {
                **drawn_product(context, "crystals").sources,
                "stage": "crystal-deck/1",
                "state": state.name,
            },
        )
        decks[state].make(
            lambda folder, state=state, length=length, seed=seed: sample.write_sampling_deck(  # type: ignore[misc]
                context,
                folder,
                starts[state],
                composition_of(context, state),
                state,
                reference.interaction,
                length,
                seed,
            )
        )
    results = carry_out_decks(context, "crystals", [deck.folder for deck in decks.values()])
    grown, order = [], {}
    for state, deck in decks.items():
        composition = composition_of(context, state)
        seed = seed_for(study.seed, "crystal", state.name)
        tags = Tags(
            state.density_g_cm3, state.temperature_K, "crystal", context.last_round, seed, 0
        )
        try:
            trajectory = trajectory_of(deck.folder)
            chosen = spread_over(len(trajectory.frames), counts[state])
            own = drawn_frames(trajectory, chosen, composition, tags)
        except (FrameError, AnalysisError) as error:
            raise FrameError(
                f"{deck.folder}: the crystal at {state} gave no frames "
                f"({results[deck.folder] or error}); change comparison.crystal_densities_g_cm3"
            ) from error
        edge = float(starts[state].cell.lengths()[0])
        start = _centres(Frame(starts[state], tags))
        order[state.name] = float(
            np.mean([displacement(start, _centres(frame), edge) for frame in own])
            / neighbour_distance(sum(composition.counts), edge)
        )
        if order[state.name] > MELTED:
            context.progress.note(
                f"warning: the crystal at {state} melted while it was equilibrated (molecules are "
                f"{order[state.name]:.2f} of the neighbour distance from their sites): design "
                "condensed has less solid than it should; raise "
                "comparison.crystal_densities_g_cm3"
            )
        grown += own
    return grown, order


def _centres(frame: Frame) -> np.ndarray:
    masses = np.asarray(frame.atoms.get_masses(), dtype=float)[:, None]
    total = sum_by_molecule(frame.molecule, masses)
    return np.asarray(sum_by_molecule(frame.molecule, masses * frame.atoms.positions) / total)


def _label(context: Context, kind: Kind, folder: Path) -> None:
    wanted = read_frames(drawn_product(context, kind).folder / sample.FRAMES)
    with context.progress.task(f"label {kind}", len(wanted)) as task:
        outcome = label.labeller(context).label(wanted, lambda _: task.advance())
    _, failures = label.write_outcome(folder, outcome)
    if failures:
        context.progress.note(
            f"label {kind}: {len(failures)} of {len(wanted)} frames refused; first cause: "
            f"{failures[0].cause}"
        )
    if len(failures) > len(wanted) // 2:
        raise LabelError(
            f"label {kind}: {len(failures)} of {len(wanted)} frames could not be labelled, more "
            f"than half; first cause: {failures[0].cause}"
        )
