"""A fluid as a sum over pairs of sites of different molecules, linear in its coefficients.

No potential to run, but a cheap picture of what a frame's label can tell of other frames: for
`curriculum_trials.py`.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matscipy.neighbours import neighbour_list
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from lmp_thermo.frames import Frame
from lmp_thermo.potential.intermolecular import arms, labelled_quantities
from lmp_thermo.units import BAR_PER_EV_A3

Array = NDArray[np.float64]

SPLINES = 12
"""Knots for each pair of species."""

NEAREST = 0.25
"""Of the cutoff: where the splines begin; no pairs of different molecules are as near."""

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


class PairBasis:
    """Cubic splines of the distance for each pair of species, zero with their slope at the cutoff.

    Args:
        cutoffs: of each pair of species both ways, Å.
    """

    def __init__(self, cutoffs: Mapping[str, Mapping[str, float]]) -> None:
        self.pairs = {
            pair: cutoffs[pair[0]][pair[1]]
            for pair in itertools.combinations_with_replacement(sorted(cutoffs), 2)
        }
        self._splines = []
        for end in self.pairs.values():
            inner = np.linspace(NEAREST * end, end, SPLINES)
            knots = np.concatenate([np.full(3, inner[0]), inner, np.full(3, end)])
            n = len(knots) - 4
            self._splines.append(BSpline(knots, np.eye(n)[:, : n - 2], 3, extrapolate=False))
        self._each = self._splines[0].c.shape[1]
        self.size = self._each * len(self.pairs)

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
        first, second, vector, distance = neighbour_list("ijDd", atoms, self.pairs)
        once = (molecule[first] != molecule[second]) & (first < second)
        first, second, vector, distance = (x[once] for x in (first, second, vector, distance))
        kinds = np.sort(np.array(atoms.get_chemical_symbols())[np.array([first, second])], axis=0)
        energy, pressure = np.zeros(self.size), np.zeros(self.size)
        force = np.zeros((frame.n_molecules, 3, self.size))
        for place, ((a, b), end) in enumerate(self.pairs.items()):
            own = slice(place * self._each, (place + 1) * self._each)
            spline, chosen = self._splines[place], (kinds[0] == a) & (kinds[1] == b)
            i, j, apart, r = (x[chosen] for x in (first, second, vector, distance))
            inside = np.clip(r, NEAREST * end, end * (1 - 1e-12))
            pull = (apart / r[:, None])[:, :, None] * spline.derivative()(inside)[:, None, :]
            energy[own] = spline(inside).sum(0)
            np.add.at(force[:, :, own], molecule[i], pull)
            np.add.at(force[:, :, own], molecule[j], -pull)
            between = apart + arm[i] - arm[j]
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
