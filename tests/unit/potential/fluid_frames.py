"""Frames of a fluid whose intermolecular forces are known pair by pair."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lmp_thermo.frames import MOLECULE, Frame, Tags

Array = NDArray[np.float64]
SIZES = (2, 3, 1, 2, 3)
SYMBOLS = ("O", "H", "C", "O", "H", "Ar", "C", "H", "H", "C", "O")


@dataclass(frozen=True)
class KnownFluid:
    """A frame with the sums over pairs of molecules, made independently of what is tested."""

    frame: Frame
    net_force: Array
    molecular_virial: Array
    interaction_energy: float


def _pair(vector: Array) -> tuple[float, Array]:
    """Energy ``exp(-r)`` of a pair and the force on its first atom; vector is first - second."""
    r = float(np.linalg.norm(vector))
    return float(np.exp(-r)), np.exp(-r) * vector / r


def known_fluid(seed: int) -> KnownFluid:
    """Mixture of molecules of 1 to 3 atoms in a triclinic cell, harmonic within, pairs between."""
    rng = np.random.default_rng(seed)
    cell = np.array([[9.0, 0.0, 0.0], [1.7, 8.2, 0.0], [-1.1, 2.3, 10.1]])
    molecule = np.repeat(np.arange(len(SIZES)), SIZES)
    centres = (rng.random((len(SIZES), 3)) @ cell)[molecule]
    positions = centres + rng.normal(scale=0.6, size=centres.shape)
    n = len(molecule)
    atoms = Atoms(SYMBOLS, positions=positions, cell=cell, pbc=True)
    atoms.set_array(MOLECULE, molecule)
    masses = atoms.get_masses()
    centre = np.array(
        [
            np.average(positions[molecule == m], axis=0, weights=masses[molecule == m])
            for m in range(len(SIZES))
        ]
    )
    forces, within = np.zeros((n, 3)), np.zeros((n, 3))
    virial, molecular = np.zeros((3, 3)), np.zeros((3, 3))
    energy = alone = 0.0
    for a in range(n):
        for b in range(a):
            if molecule[a] == molecule[b]:
                vector = positions[a] - positions[b]
                force = -3.0 * (np.linalg.norm(vector) - 1.0) * vector / np.linalg.norm(vector)
                alone += 1.5 * (np.linalg.norm(vector) - 1.0) ** 2
                within[a] += force
                within[b] -= force
                virial += np.outer(vector, force)
                continue
            # one image of each pair; which one does not matter, as long as both sums use it
            shift = cell[(a + b) % 3]
            vector = positions[a] - positions[b] + shift
            e, force = _pair(vector)
            energy += e
            forces[a] += force
            forces[b] -= force
            virial += np.outer(vector, force)
            molecular += np.outer(centre[molecule[a]] - centre[molecule[b]] + shift, force)
    tensor = -virial / atoms.get_volume()
    # pair forces on extended molecules give a symmetric atomic virial only
    assert np.allclose(tensor, tensor.T)
    stress = tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    tags = Tags(0.3, 250.0, "packed", 0, seed, 0)
    frame = Frame(atoms, tags).labelled(
        "pairs", energy + alone, forces + within, stress, alone, within
    )
    net = np.array([forces[molecule == m].sum(axis=0) for m in range(len(SIZES))])
    return KnownFluid(frame, net, molecular, energy)
