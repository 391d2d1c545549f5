"""Crystals of the fluid's molecules: the solid part of a stand-in for a condensed database.

Centres of molecules stand on a face-centred cubic lattice, the closest packing of what is nearly
round, with every molecule turned at random.
"""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from lmp_thermo.fluid.distortion import Vibrations
from lmp_thermo.fluid.molecules import Composition
from lmp_thermo.fluid.packing import box_length
from lmp_thermo.frames import MOLECULE, Frame, Tags, molecule_index
from lmp_thermo.states import StatePoint
from lmp_thermo.study import seed_for

LATTICE = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2

SHAKEN = (0.03, 0.10)
"""Root mean square displacement of a molecule from its site over the distance between neighbours,
drawn evenly: crystals melt at about 0.1 (Lindemann)."""

MELTED = 0.2
"""The same, above which a crystal is none any more: molecules have left their sites."""


def crystal_composition(
    kinds: Sequence[Atoms], proportions: Sequence[int], state: StatePoint, least_edge_A: float
) -> Composition:
    """The smallest cubic crystal whose edge is as long as asked, two lattice constants at least.

    The fluid's proportions are kept to the nearest molecule.
    """
    side = 2
    while True:
        n_sites = len(LATTICE) * side**3
        share = np.array(proportions) * n_sites / sum(proportions)
        counts = np.floor(share).astype(int)
        counts[np.argsort(counts - share, kind="stable")[: n_sites - counts.sum()]] += 1
        composition = Composition(tuple(kinds), tuple(int(n) for n in counts))
        if box_length(composition, state) >= least_edge_A:
            return composition
        side += 1


def lattice_sites(n_sites: int, edge_A: float) -> NDArray[np.float64]:
    """(n_sites, 3) sites of a face-centred cubic crystal that fills a cubic box, Å."""
    side = round((n_sites / len(LATTICE)) ** (1 / 3))
    corners = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1)
    sites = (corners.reshape(-1, 1, 3) + LATTICE).reshape(-1, 3) * (edge_A / side)
    return np.asarray(sites)


def neighbour_distance(n_sites: int, edge_A: float) -> float:
    """Distance between neighbouring sites, Å."""
    return float(edge_A / round((n_sites / len(LATTICE)) ** (1 / 3)) / np.sqrt(2))


def crystal(
    composition: Composition,
    shapes: Sequence[Vibrations],
    state: StatePoint,
    shaken: float,
    random: np.random.Generator,
) -> Atoms:
    """A periodic crystal, its kinds of molecules at random sites.

    Args:
        composition: of as many molecules as the crystal has sites.
        shapes: normal modes of each kind; molecules are distorted at the temperature.
        state: density and temperature.
        shaken: root mean square displacement of a molecule over the distance between neighbours.
        random: generator.
    """
    n_sites, edge = sum(composition.counts), box_length(composition, state)
    width = shaken * neighbour_distance(n_sites, edge) / np.sqrt(3)
    sites = lattice_sites(n_sites, edge)[random.permutation(n_sites)]
    sites = sites + random.normal(scale=1.0, size=sites.shape) * width
    kind_of = np.repeat(np.arange(len(shapes)), composition.counts)
    pieces = []
    for site, kind in zip(sites, kind_of, strict=True):
        positions = shapes[int(kind)].draw(state.temperature_K, random)
        masses = composition.kinds[int(kind)].get_masses()
        positions -= np.average(positions, axis=0, weights=masses)
        if len(positions) > 1:
            positions = Rotation.random(random_state=random).apply(positions)
        pieces.append(positions + site)
    numbers = np.concatenate([composition.kinds[int(kind)].numbers for kind in kind_of])
    box = Atoms(numbers=numbers, positions=np.concatenate(pieces), cell=[edge] * 3, pbc=True)
    box.set_array(MOLECULE, molecule_index(composition.molecule_sizes))
    return box


def crystal_frames(
    composition: Composition,
    shapes: Sequence[Vibrations],
    state: StatePoint,
    count: int,
    round_number: int,
    seed: int,
) -> list[Frame]:
    """Thermally shaken crystals, for a reference that has no dynamics of its own."""
    frames = []
    for index in range(count):
        own_seed = seed_for(seed, "crystal", state.name, index)
        random = np.random.default_rng(own_seed)
        box = crystal(composition, shapes, state, float(random.uniform(*SHAKEN)), random)
        tags = Tags(
            state.density_g_cm3, state.temperature_K, "crystal", round_number, own_seed, index
        )
        frames.append(Frame(box, tags))
    return frames


def displacement(start: NDArray[np.float64], end: NDArray[np.float64], edge_A: float) -> float:
    """Root mean square displacement between two sets of centres in a cubic box, less drift, Å."""
    moved = end - start
    moved -= edge_A * np.round(moved / edge_A)
    moved -= moved.mean(axis=0)
    moved -= edge_A * np.round(moved / edge_A)
    return float(np.sqrt((moved**2).sum(axis=1).mean()))
