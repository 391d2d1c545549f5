"""Thermal distortions of a molecule in the harmonic approximation."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.optimize import BFGS
from numpy.typing import NDArray

from lmp_thermo.errors import LabelError
from lmp_thermo.units import BOLTZMANN_EV_K

STEP_A = 0.01
"""Displacement for the force constants: the error of central differences is of second order,
about 1e-4 relative for a C-H bond, far below the anharmonicity that is neglected anyway."""

SOFT_EV_A2_G_MOL = 0.02
"""Mass-weighted force constant, eV/Å^2/(g/mol), below which a mode is taken as a translation, a
rotation, or too soft for the harmonic approximation (73 cm^-1) and is not excited."""


@dataclass(frozen=True)
class Vibrations:
    """Normal modes of a molecule at a minimum of its energy.

    Args:
        positions: (n_atoms, 3), Å.
        modes: (n_modes, n_atoms, 3) displacements in Å per Å (g/mol)^1/2.
        stiffness: (n_modes,) eV/Å^2/(g/mol).
    """

    positions: NDArray[np.float64]
    modes: NDArray[np.float64]
    stiffness: NDArray[np.float64]

    def draw(self, temperature_K: float, random: np.random.Generator) -> NDArray[np.float64]:
        """(n_atoms, 3) positions drawn from the classical harmonic ensemble.

        Each normal coordinate is Gaussian with variance k_B T / stiffness (equipartition).
        """
        width = np.sqrt(BOLTZMANN_EV_K * temperature_K / self.stiffness)
        amplitudes = random.normal(scale=1.0, size=len(width)) * width
        return np.asarray(self.positions + np.tensordot(amplitudes, self.modes, axes=1))


def vibrations(molecule: Atoms, calculator: Calculator) -> Vibrations:
    """Relax a molecule and find its normal modes with a reference's forces.

    Args:
        molecule: starting geometry.
        calculator: the reference.

    Raises:
        LabelError: the geometry does not come to rest.
    """
    atoms = molecule.copy()
    if len(atoms) == 1:
        empty = np.zeros((0, 1, 3))
        return Vibrations(np.zeros((1, 3)), empty, np.zeros(0))
    atoms.calc = calculator
    if not BFGS(atoms, logfile=None).run(fmax=1e-3, steps=500):
        raise LabelError(
            f"reference: the molecule {molecule.get_chemical_formula()} does not relax to forces "
            "below 0.001 eV/Å in 500 steps; start from a better geometry"
        )
    rest = atoms.positions.copy()
    n = 3 * len(atoms)
    hessian = np.zeros((n, n))
    for k in range(n):
        for sign in (1, -1):
            atoms.positions = rest
            atoms.positions.flat[k] += sign * STEP_A
            hessian[k] -= sign * atoms.get_forces().ravel() / (2 * STEP_A)
    atoms.positions = rest
    root_mass = np.sqrt(np.repeat(atoms.get_masses(), 3))
    weighted = (hessian + hessian.T) / 2 / np.outer(root_mass, root_mass)
    values, vectors = np.linalg.eigh(weighted)
    stiff = values > SOFT_EV_A2_G_MOL
    modes = (vectors[:, stiff] / root_mass[:, None]).T.reshape(-1, len(atoms), 3)
    return Vibrations(atoms.positions - atoms.get_center_of_mass(), modes, values[stiff])
