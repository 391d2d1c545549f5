"""What labels of the last round's frames are worth: finite size, and energies against pressures."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lmp_thermo.frames import MOLECULE, Frame, molecule_index, sum_by_molecule
from lmp_thermo.potential.intermolecular import labelled_quantities
from lmp_thermo.products import Product, write_json
from lmp_thermo.reference import LabelFailure
from lmp_thermo.stages import label
from lmp_thermo.stages.context import Context
from lmp_thermo.units import BAR_PER_EV_A3, ideal_gas_pressure_bar
from lmp_thermo.validation.verdict import pressure_limit

FINITE_SIZE = "finite-size.json"

STRAIN = 2e-3
"""Of a box, each way. Wide enough to let pairs cross a cutoff, narrow enough for a derivative: for
methane by AIREBO-M at 0.42 g/cm3 its error of second order is 0.5 bar."""

COMPARED = 4
"""Frames of each density whose pressure is compared with the change of their energy."""

SHARE = 0.5
"""Of the gate of the pressure: a reference that contradicts itself by more is told of."""


def product(context: Context) -> Product:
    """Finite-size error, and how far pressures follow from energies."""
    return Product(
        context.workspace.finite_size(),
        {
            "stage": "finite-size/2",
            "labels": label.product(context, context.last_round).content,
        },
    )


def make(context: Context) -> None:
    """Measure what has not been measured."""
    product(context).make(lambda folder: _measure(context, folder))


def scaled(frame: Frame, factor: float) -> Frame:
    """The frame without labels in a box that is `factor` times as wide; molecules keep their shape.

    Half the difference of the energies of a larger and a smaller one, over their strain, is
    ``-3 V P`` with the pressure of the molecular virial (see `potential.intermolecular`).
    """
    atoms = frame.atoms.copy()
    atoms.calc = None
    masses = atoms.get_masses()
    centres = sum_by_molecule(frame.molecule, atoms.positions * masses[:, None])
    centres /= sum_by_molecule(frame.molecule, masses)[:, None]
    atoms.set_cell(atoms.cell * factor)
    atoms.positions += (factor - 1.0) * centres[frame.molecule]
    return Frame(atoms, frame.tags)


def _measure(context: Context, folder: Path) -> None:
    """For each density: one frame doubled along each edge in turn, and some frames strained.

    To first order the changes of the three doubled boxes add up.
    """
    frames, split = label.labelled(context, context.last_round)
    by_density: dict[float, list[Frame]] = {}
    for index in split["held_out"]:
        own = by_density.setdefault(frames[index].tags.density_g_cm3, [])
        if len(own) < COMPARED and (not own or own[0].tags.state == frames[index].tags.state):
            own.append(frames[index])
    boxes = [
        [*(_doubled(chosen[0], axis) for axis in range(3)), *strained(chosen)]
        for chosen in by_density.values()
    ]
    with context.progress.task("label: checks of labels", sum(map(len, boxes))) as task:
        outcome = iter(
            label.labeller(context).label(list(itertools.chain(*boxes)), lambda _: task.advance())
        )
    rows = []
    for chosen, own_boxes in zip(by_density.values(), boxes, strict=True):
        done = list(itertools.islice(outcome, len(own_boxes)))
        difference = virial_less_energies(chosen, done[3:])
        rows.append({**_doubling(chosen[0], done[:3]), "contradiction_bar": difference})
        _tell(context, chosen[0], difference)
    write_json(folder / FINITE_SIZE, rows)


def _doubling(frame: Frame, larger: Sequence[Frame | LabelFailure]) -> dict[str, Any]:
    good = [done for done in larger if isinstance(done, Frame)]
    n = len(frame.atoms)
    return {
        "density_g_cm3": frame.tags.density_g_cm3,
        "temperature_K": frame.tags.temperature_K,
        "edge_A": float(frame.atoms.cell.lengths().min()),
        "energy_meV_atom": sum(1000 * (done.energy / (2 * n) - frame.energy / n) for done in good),
        "pressure_bar": _pressure_change(frame, good),
        "complete": len(good) == 3,
    }


def strained(frames: Sequence[Frame]) -> list[Frame]:
    """Of each frame a smaller and a larger one, without labels."""
    return [scaled(frame, factor) for frame in frames for factor in (1 - STRAIN, 1 + STRAIN)]


def virial_less_energies(
    frames: Sequence[Frame], outcome: Sequence[Frame | LabelFailure]
) -> float | None:
    """Pressure of the molecular virial less that from the change of the energy.

    Args:
        frames: labelled.
        outcome: what their `strained` boxes were labelled with, in that order.

    Returns:
        Mean over frames, bar; None where there is no stress, or where no strained boxes got labels.
    """
    found = []
    for frame, smaller, larger in zip(frames, outcome[::2], outcome[1::2], strict=True):
        by_virial = labelled_quantities(frame).molecular_pressure_bar
        if by_virial is not None and isinstance(smaller, Frame) and isinstance(larger, Frame):
            slope = (larger.energy - smaller.energy) / (2 * STRAIN)
            by_energy = -slope / (3 * float(frame.atoms.get_volume())) * BAR_PER_EV_A3
            found.append(by_virial - by_energy)
    return float(np.mean(found)) if found else None


def _tell(context: Context, frame: Frame, difference_bar: float | None) -> None:
    """Say where a reference contradicts itself by more than a good part of the pressure's gate."""
    if difference_bar is None:
        return
    state, volume = frame.tags.state, float(frame.atoms.get_volume())
    ideal = ideal_gas_pressure_bar(frame.n_molecules, state.temperature_K, volume)
    own = labelled_quantities(frame).molecular_pressure_bar or 0.0
    limit, _ = pressure_limit(state, own, ideal, context.study.validation.gates)
    if abs(difference_bar) > SHARE * limit:
        context.progress.note(
            f"reference {context.study.reference.name}: at {state} its pressures are "
            f"{difference_bar:+.3g} bar off what its energies say (the gate is {limit:.3g} bar); "
            "no potential can learn both. Does its energy jump at a cutoff? Shift it there, or "
            "raise the cutoff"
        )


def _pressure_change(frame: Frame, larger: list[Frame]) -> float | None:
    """Sum of the changes of the virial pressure, bar; None where there is no stress."""
    changes = [
        -BAR_PER_EV_A3 * float(np.mean(other.stress[:3] - frame.stress[:3]))
        for other in larger
        if other.stress is not None and frame.stress is not None
    ]
    return sum(changes) if changes else None


def _doubled(frame: Frame, axis: int) -> Frame:
    repeat = [1, 1, 1]
    repeat[axis] = 2
    atoms = frame.atoms.repeat(repeat)
    atoms.calc = None
    sizes = np.bincount(frame.molecule).tolist() * 2
    atoms.set_array(MOLECULE, molecule_index(sizes))
    return Frame(atoms, frame.tags)
