"""Constants and conversions: LAMMPS ``metal`` units inside (Å, eV, ps, K, bar, g/mol).

Values are the exact SI ones of the 2019 revision (CODATA 2018 for the atomic mass constant).
Stress has ASE's sign (positive under tension), so pressure is minus a third of its trace.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

BOLTZMANN_EV_K = 1.380649e-23 / 1.602176634e-19
"""Boltzmann constant, eV/K."""

BAR_PER_EV_A3 = 1.602176634e-19 * 1e30 * 1e-5
"""1 eV/Å^3 in bar."""

AVOGADRO = 6.02214076e23
"""Avogadro's number, 1/mol."""

G_CM3_PER_G_MOL_A3 = 1e24 / AVOGADRO
"""1 (g/mol)/Å^3 in g/cm3."""

ACCELERATION_A_PS2 = 1.602176634e-19 / (1.0e-3 / AVOGADRO) * 1e-4
"""1 (eV/Å)/(g/mol) in Å/ps^2."""

LAMMPS_TENSOR = ("xx", "yy", "zz", "xy", "xz", "yz")
VOIGT = ("xx", "yy", "zz", "yz", "xz", "xy")


def volume_at_density(mass_g_mol: float, density_g_cm3: float) -> float:
    """Volume in Å^3 that holds `mass_g_mol` at `density_g_cm3`."""
    return mass_g_mol / density_g_cm3 * G_CM3_PER_G_MOL_A3


def density_in_volume(mass_g_mol: float, volume_A3: float) -> float:
    """Density in g/cm3 of `mass_g_mol` in `volume_A3`."""
    return mass_g_mol / volume_A3 * G_CM3_PER_G_MOL_A3


def ideal_gas_pressure_bar(n_molecules: float, temperature_K: float, volume_A3: float) -> float:
    """Pressure in bar of `n_molecules` that do not interact."""
    return n_molecules * BOLTZMANN_EV_K * temperature_K / volume_A3 * BAR_PER_EV_A3


def voigt_to_tensor(voigt: ArrayLike) -> NDArray[np.float64]:
    """Symmetric tensor from ASE's Voigt order.

    Args:
        voigt: (..., 6), order xx yy zz yz xz xy.

    Returns:
        (..., 3, 3)
    """
    v = np.asarray(voigt, dtype=float)
    index = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])
    return np.asarray(v[..., index])


def lammps_to_tensor(components: ArrayLike) -> NDArray[np.float64]:
    """Symmetric tensor from LAMMPS's order.

    Args:
        components: (..., 6), order xx yy zz xy xz yz.

    Returns:
        (..., 3, 3)
    """
    c = np.asarray(components, dtype=float)
    index = np.array([[0, 3, 4], [3, 1, 5], [4, 5, 2]])
    return np.asarray(c[..., index])
