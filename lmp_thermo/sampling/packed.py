"""Frames of packed boxes with thermally distorted molecules, for a first round."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from ase import Atoms

from lmp_thermo.fluid.distortion import Vibrations
from lmp_thermo.fluid.molecules import Composition
from lmp_thermo.fluid.packing import pack_box
from lmp_thermo.frames import MOLECULE, Frame, Tags
from lmp_thermo.states import StatePoint
from lmp_thermo.study import seed_for
from lmp_thermo.units import density_in_volume

CONTACT_A = (1.9, 2.6)
"""Smallest distances between atoms of different molecules, drawn evenly from this range, so that
close contacts as in a hot liquid and looser ones are both among the frames."""

OPEN_SPACE_A = 30.0
"""Edge of the box that holds a single molecule."""


def packed_frames(
    composition: Composition,
    shapes: Sequence[Vibrations],
    state: StatePoint,
    count: int,
    round_number: int,
    seed: int,
) -> list[Frame]:
    """Boxes packed at random at the density, each molecule distorted at the temperature.

    Args:
        composition: of the box.
        shapes: normal modes of each kind of molecule.
        state: density and temperature.
        count: number of frames.
        round_number: for the tags.
        seed: of the random numbers.
    """
    relaxed = replace(
        composition,
        kinds=tuple(
            Atoms(numbers=kind.numbers, positions=shape.positions)
            for kind, shape in zip(composition.kinds, shapes, strict=True)
        ),
    )
    kind_of = np.repeat(np.arange(len(shapes)), composition.counts)
    frames = []
    for index in range(count):
        own_seed = seed_for(seed, "packed", state.name, index)
        random = np.random.default_rng(own_seed)
        box = pack_box(relaxed, state, own_seed, float(random.uniform(*CONTACT_A)))
        for number, kind in enumerate(kind_of):
            members = box.arrays[MOLECULE] == number
            shape = shapes[int(kind)]
            if not len(shape.stiffness):
                continue
            bent = shape.draw(state.temperature_K, random) - shape.positions
            box.positions[members] += bent @ _orientation(shape.positions, box.positions[members])
        frames.append(Frame(box, _tags(state, "packed", round_number, own_seed, index)))
    return frames


def molecule_frames(
    composition: Composition,
    shapes: Sequence[Vibrations],
    temperatures_K: Sequence[float],
    count: int,
    seed: int,
) -> list[Frame]:
    """Single molecules in open space, distorted at temperatures of the grid in turn.

    Temperatures up to twice the highest one are drawn, so that the shapes at the edge of a hot
    run are among the frames.
    """
    frames = []
    for index in range(count):
        own_seed = seed_for(seed, "molecule", index)
        random = np.random.default_rng(own_seed)
        kind = index % len(shapes)
        temperature = float(temperatures_K[index // len(shapes) % len(temperatures_K)])
        atoms = Atoms(
            numbers=composition.kinds[kind].numbers,
            positions=shapes[kind].draw(temperature * (1 + index % 2), random),
            cell=[OPEN_SPACE_A] * 3,
            pbc=True,
        )
        atoms.set_array(MOLECULE, np.zeros(len(atoms), dtype=np.int64))
        density = density_in_volume(float(atoms.get_masses().sum()), atoms.get_volume())
        state = StatePoint(float(f"{density:.6g}"), temperature)
        frames.append(Frame(atoms, _tags(state, "molecule", 0, own_seed, index)))
    return frames


def _orientation(rest: np.ndarray, placed: np.ndarray) -> np.ndarray:
    """(3, 3) R with placed - centre = (rest - centre) @ R for a rigidly placed molecule."""
    a, b = rest - rest.mean(0), placed - placed.mean(0)
    left, _, right = np.linalg.svd(a.T @ b)
    sign = np.sign(np.linalg.det(left @ right))
    return np.asarray(left @ np.diag([1.0, 1.0, sign if sign else 1.0]) @ right)


def _tags(state: StatePoint, origin: str, round_number: int, seed: int, index: int) -> Tags:
    return Tags(state.density_g_cm3, state.temperature_K, origin, round_number, seed, index)
