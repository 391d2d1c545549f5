"""Clusters of whole molecules in open space, cut from frames: a stand-in for a molecular database.

Databases of molecular calculations hold single molecules, dimers and small clusters without
boundaries. Cutting them from frames of the fluid gives them the distances and orientations that
its molecules have.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from ase import Atoms
from ase.geometry import find_mic

from lmp_thermo.errors import StudyError
from lmp_thermo.frames import MOLECULE, Frame, Tags, molecule_index, sum_by_molecule
from lmp_thermo.sampling.packed import OPEN_SPACE_A
from lmp_thermo.states import StatePoint
from lmp_thermo.study import seed_for
from lmp_thermo.units import density_in_volume


def cluster_sizes(largest: int, atomic: bool) -> list[int]:
    """Molecules in a cluster; a single atom has neither shape nor force and teaches nothing."""
    return list(range(2 if atomic else 1, largest + 1))


def cluster_state(size: int, molecule_mass_g_mol: float, temperature_K: float) -> StatePoint:
    """What clusters of one size and temperature go under.

    Open space has no density: it is that of the cluster in the box that holds single molecules.
    """
    density = density_in_volume(size * molecule_mass_g_mol, OPEN_SPACE_A**3)
    return StatePoint(float(f"{density:.6g}"), temperature_K)


def cut_cluster(frame: Frame, centre: int, size: int) -> Atoms:
    """A molecule of a frame and those nearest to it, whole, in open space.

    Each molecule is taken once, at the image whose centre of mass is nearest to the centre.

    Args:
        frame: of a periodic box, molecules whole.
        centre: index of a molecule.
        size: molecules in the cluster, at most those of the frame.

    Returns:
        Molecules one after another, by distance; no boundaries, no cell.
    """
    atoms, molecule = frame.atoms, frame.molecule
    masses = np.asarray(atoms.get_masses(), dtype=float)[:, None]
    centres = sum_by_molecule(molecule, masses * atoms.positions)
    centres /= sum_by_molecule(molecule, masses)
    vectors, distances = find_mic(centres - centres[centre], atoms.cell, atoms.pbc)
    nearest = np.argsort(distances, kind="stable")[:size]
    members = [np.flatnonzero(molecule == m) for m in nearest]
    positions = [
        atoms.positions[own] - centres[m] + vectors[m]
        for m, own in zip(nearest, members, strict=True)
    ]
    cluster = Atoms(
        numbers=atoms.numbers[np.concatenate(members)], positions=np.concatenate(positions)
    )
    cluster.set_array(MOLECULE, molecule_index([len(own) for own in members]))
    return cluster


def cluster_frames(
    frames: Mapping[StatePoint, Sequence[Frame]],
    sizes: Sequence[int],
    count: int,
    molecule_mass_g_mol: float,
    seed: int,
) -> list[Frame]:
    """Clusters of every size at every temperature, evenly from all densities.

    Args:
        frames: of periodic boxes, by cell.
        sizes: molecules in a cluster.
        count: clusters of each size at each temperature; no centre of a frame serves twice for
            one size.
        molecule_mass_g_mol: mean over the fluid's molecules.
        seed: of the study.

    Raises:
        StudyError: there are not so many molecules in the frames.
    """
    found = []
    for temperature in sorted({state.temperature_K for state in frames}):
        cells = {s: own for s, own in frames.items() if s.temperature_K == temperature}
        for size in sizes:
            state = cluster_state(size, molecule_mass_g_mol, temperature)
            own_seed = seed_for(seed, "cluster", size, temperature)
            places = _places(cells, np.random.default_rng(own_seed))
            for index in range(count):
                place = next(places, None)
                if place is None:
                    raise StudyError(
                        f"comparison: design clusters wants {count} clusters of {size} molecules "
                        f"at {temperature:g} K, the pool's frames there have {index} molecules; "
                        "raise comparison.pool_frames, or lower the budget"
                    )
                frame, centre = place
                tags = Tags(
                    state.density_g_cm3, temperature, "cluster", frame.tags.round, own_seed, index
                )
                found.append(Frame(cut_cluster(frame, centre, size), tags))
    return found


def _places(
    cells: Mapping[StatePoint, Sequence[Frame]], random: np.random.Generator
) -> Iterator[tuple[Frame, int]]:
    """Every molecule of every frame as a centre, in random order, the cells in turn."""
    orders = []
    for state in sorted(cells):
        every = [(frame, m) for frame in cells[state] for m in range(frame.n_molecules)]
        orders.append([every[int(k)] for k in random.permutation(len(every))])
    for turn in range(max(map(len, orders))):
        yield from (order[turn] for order in orders if turn < len(order))
