"""Mass density of the box."""

import numpy as np
from MDAnalysis.analysis.base import AnalysisBase

from lmp_thermo.analysis.statistics import Observable, estimate, is_constant
from lmp_thermo.analysis.trajectory import Trajectory
from lmp_thermo.errors import AnalysisError
from lmp_thermo.units import density_in_volume


class Density(AnalysisBase):  # type: ignore[misc]  # MDAnalysis has no types
    """Mass of all atoms over the volume of the box, frame by frame.

    Args:
        trajectory: with masses.

    Attributes of ``results`` after ``run``:
        density: (n_frames,) g/cm3.

    Raises:
        AnalysisError: the masses are not known.
    """

    def __init__(self, trajectory: Trajectory) -> None:
        super().__init__(trajectory.universe.trajectory)
        self._mass = float(np.sum(trajectory.universe.atoms.masses))
        if not self._mass > 0.0:
            raise AnalysisError(
                f"{trajectory.origin}: total mass = {self._mass} g/mol, expected a positive "
                "number; give the data file its Masses"
            )

    def _prepare(self) -> None:
        self.results.density = np.zeros(self.n_frames)

    def _single_frame(self) -> None:
        volume = abs(np.linalg.det(self._ts.triclinic_dimensions.astype(np.float64)))
        self.results.density[self._frame_index] = density_in_volume(self._mass, volume)

    def density(self) -> Observable:
        """Mean density; imposed where the box never changes."""
        return mean_density(self.results.density, f"box of {self.n_frames} frames")


def mean_density(series: np.ndarray, origin: str) -> Observable:
    """Mean of a density series, marked as imposed where it never changes.

    Args:
        series: (n_samples,) g/cm3.
        origin: where it comes from.
    """
    if len(series) and is_constant(series):
        return Observable(
            name="density",
            value=float(series[0]),
            unit="g/cm3",
            standard_error=0.0,
            n_independent=1,
            origin=f"{origin}, fixed volume",
            imposed=True,
        )
    return estimate(series, name="density", unit="g/cm3", origin=origin)
