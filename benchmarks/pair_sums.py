"""A fluid as a sum over pairs of sites of different molecules, linear in its coefficients.

No potential to run, but a cheap picture of what a frame's label can tell of other frames: for
`curriculum_trials.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.frames import Frame
from lmp_thermo.potential.intermolecular import arms, labelled_quantities
from lmp_thermo.sampling.pair_sums import PairSums
from lmp_thermo.units import BAR_PER_EV_A3

Array = NDArray[np.float64]

ENERGY_EV, FORCE_EV_A = 1e-3, 1e-2
"""Errors of the interaction energy per atom, and of components of net forces, that count the same:
a choice of which only the ratio matters."""

RIDGE = 1e-3
"""Stiffness of the splines in a fit: small, so that it tells only where no label does."""


@dataclass(frozen=True)
class Rows:
    """What is linear in the coefficients of a frame's sums over pairs.

    Args:
        energy: (n,) interaction energy per atom, eV.
        net_force: (3 n_molecules, n), eV/Å.
        pressure: (n,) of the molecular virial, bar.
    """

    energy: Array
    net_force: Array
    pressure: Array

    @property
    def information(self) -> Array:
        """(n, n) of a label of the frame on the coefficients."""
        force = self.net_force.T @ self.net_force / FORCE_EV_A**2
        return np.asarray(np.outer(self.energy, self.energy) / ENERGY_EV**2 + force)


class PairBasis(PairSums):
    """The sums as a model: its energies, forces and pressures are linear in the coefficients."""

    @property
    def stiffness(self) -> Array:
        """(n, n): second differences of neighbouring coefficients, and a little of each."""
        second = np.diff(np.eye(self._each), 2, axis=0)
        each = second.T @ second + 1e-4 * np.eye(self._each)
        return np.asarray(np.kron(np.eye(len(self.pairs)), each))

    def rows(self, frame: Frame) -> Rows:
        """Of one frame."""
        atoms, molecule = frame.atoms, frame.molecule
        arm = arms(molecule, atoms.positions, np.asarray(atoms.get_masses(), dtype=float))
        energy, pressure = np.zeros(self.size), np.zeros(self.size)
        force = np.zeros((frame.n_molecules, 3, self.size))
        for pairs in self.in_frame(frame):
            i, j, own = pairs.first, pairs.second, pairs.part
            slope = pairs.spline.derivative()(pairs.inside)[:, None, :]
            pull = (pairs.vector / pairs.distance[:, None])[:, :, None] * slope
            energy[own] = pairs.spline(pairs.inside).sum(0)
            np.add.at(force[:, :, own], molecule[i], pull)
            np.add.at(force[:, :, own], molecule[j], -pull)
            between = pairs.vector + arm[i] - arm[j]
            pressure[own] = -np.einsum("pi,pik->k", between, pull)
        volume = float(atoms.get_volume())
        return Rows(
            energy / len(atoms),
            force.reshape(-1, self.size),
            pressure / (3 * volume) * BAR_PER_EV_A3,
        )


def fitted(known: Sequence[tuple[Rows, Frame]], stiffness: Array) -> Array:
    """(n,) coefficients of the labels' net forces and interaction energies."""
    left, right = RIDGE * stiffness, np.zeros(len(stiffness))
    for own, frame in known:
        truth = labelled_quantities(frame)
        left = left + own.information
        right = right + own.net_force.T @ np.ravel(truth.net_force) / FORCE_EV_A**2
        right = right + own.energy * truth.interaction_energy_per_atom / ENERGY_EV**2
    return np.asarray(np.linalg.solve(left, right))
