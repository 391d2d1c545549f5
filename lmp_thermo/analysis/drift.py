"""Energy conservation of an NVE run: drift and fluctuation of the total energy."""

import math

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.analysis.statistics import (
    Observable,
    checked_series,
    is_constant,
    statistical_inefficiency,
)
from lmp_thermo.errors import AnalysisError


def energy_drift(
    times: NDArray[np.float64],
    total_energies: NDArray[np.float64],
    n_atoms: int,
    *,
    origin: str,
) -> tuple[Observable, Observable]:
    r"""Slope of the total energy over time, and its fluctuation about that line.

    Least squares with equal weights (thermo rows are equally exact):

    .. math:: b = \sum (t - \bar t) E / \sum (t - \bar t)^2, \quad
              \sigma_b^2 = g \, s^2 / \sum (t - \bar t)^2

    where s^2 is the variance of the residuals with N/g - 2 degrees of freedom and g their
    statistical inefficiency: residuals that are correlated over g samples count as N/g. Too
    small an error where the energy wanders on the scale of the run itself; then N/g is below
    20 and the drift is marked as not converged.

    Args:
        times: (n,) ps, increasing.
        total_energies: (n,) eV, of the whole box.
        n_atoms: number of atoms.
        origin: where the series comes from.

    Returns:
        Drift in eV/atom/ps and root mean square fluctuation in eV/atom. The standard error of
        the latter takes the residuals as Gaussian: its value over sqrt(2 N/g).

    Raises:
        AnalysisError: fewer than four samples, times that do not increase, or a sample that is
            not finite.
    """
    energies = checked_series(total_energies, "energy drift") / n_atoms
    times = checked_series(times, "energy drift: time")
    n = len(energies)
    if n < 4 or len(times) != n or np.any(np.diff(times) <= 0.0):
        raise AnalysisError(
            f"energy drift: {n} energies at {len(times)} times, expected at least 4 at times "
            "that increase; run NVE longer or write thermo more often"
        )
    centred = times - times.mean()
    norm = float(np.sum(centred**2))
    slope = float(np.sum(centred * energies)) / norm
    residuals = energies - energies.mean() - slope * centred
    if is_constant(energies):
        residuals = np.zeros(n)
    g = statistical_inefficiency(residuals)
    n_independent = n / g
    square = float(np.sum(residuals**2)) / n
    variance = square * n_independent / max(n_independent - 2.0, 1.0)
    fluctuation = math.sqrt(square)
    drift = Observable(
        name="energy_drift",
        value=slope,
        unit="eV/atom/ps",
        standard_error=math.sqrt(g * variance / norm),
        n_independent=int(n_independent),
        origin=f"{origin}, {n} rows over {times[-1] - times[0]:.4g} ps, least squares",
    )
    rms = Observable(
        name="energy_fluctuation",
        value=fluctuation,
        unit="eV/atom",
        standard_error=fluctuation / math.sqrt(2.0 * n_independent),
        n_independent=int(n_independent),
        origin=f"{origin}, {n} rows, root mean square about the drift",
    )
    return drift, rms
