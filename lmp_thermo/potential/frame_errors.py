"""Errors kept frame by frame, so that frames can be resampled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.errors import FrameError
from lmp_thermo.potential.intermolecular import Quantities

Array = NDArray[np.float64]

SUMMED = {
    "energy": "energy_per_atom",
    "force": "forces",
    "stress": "stress",
    "net_force": "net_force",
    "torque": "torque",
    "interaction_energy": "interaction_energy_per_atom",
}
"""Names of deviations, and of the quantities that they are of."""

PRESSURES = {
    "virial_pressure": "virial_pressure_bar",
    "molecular_pressure": "molecular_pressure_bar",
}


@dataclass(frozen=True)
class FrameErrors:
    """Errors of each frame of one cell.

    Args:
        sums: by quantity, (n_frames, 4): sum of squared errors, of absolute errors, of squared
            references, number of components; units as in `intermolecular.Errors`.
        pressures: by kind, (n_frames, 2): predicted and labelled, bar; none without stress.
    """

    sums: dict[str, Array]
    pressures: dict[str, Array]

    @classmethod
    def of(cls, predicted: Sequence[Quantities], reference: Sequence[Quantities]) -> "FrameErrors":
        """Compare predictions with labels.

        Raises:
            FrameError: no frames, or lists of different lengths.
        """
        if not reference or len(predicted) != len(reference):
            raise FrameError(
                f"got {len(predicted)} predictions for {len(reference)} labelled frames, expected "
                "as many, above 0; label frames first"
            )
        pairs = list(zip(predicted, reference, strict=True))
        stressed = all(p.stress is not None and r.stress is not None for p, r in pairs)
        sums = {}
        for name, attribute in SUMMED.items():
            if name == "stress" and not stressed:
                continue
            rows = []
            for own, truth in pairs:
                labelled = np.ravel(getattr(truth, attribute))
                error = np.ravel(getattr(own, attribute)) - labelled
                rows.append(
                    [(error**2).sum(), np.abs(error).sum(), (labelled**2).sum(), error.size]
                )
            sums[name] = np.array(rows, dtype=float)
        pressures = {
            name: np.array(
                [[getattr(p, attribute), getattr(r, attribute)] for p, r in pairs], dtype=float
            )
            for name, attribute in PRESSURES.items()
            if stressed
        }
        return cls(sums, pressures)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.sums["energy"])

    def errors(self, chosen: NDArray[np.int64] | None = None) -> dict[str, Any]:
        """Errors over all frames, or over the chosen ones, laid out as `Errors.as_dict`."""
        rows = np.arange(self.n_frames) if chosen is None else chosen
        found: dict[str, Any] = {"n_frames": len(rows)}
        for name in SUMMED:
            if name not in self.sums:
                found[name] = None
                continue
            squared, absolute, labelled, count = self.sums[name][rows].sum(axis=0)
            found[name] = {
                "rmse": float(np.sqrt(squared / count)),
                "mae": float(absolute / count),
                "rms": float(np.sqrt(labelled / count)),
                "count": int(count),
            }
        for name in PRESSURES:
            if name not in self.pressures:
                found[name] = None
                continue
            own, truth = self.pressures[name][rows].T
            error = own - truth
            spread = float(np.std(error, ddof=1)) if len(error) > 1 else float("inf")
            found[name] = {
                "mean": float(error.mean()),
                "standard_error": spread / float(np.sqrt(len(error))),
                "rmse": float(np.sqrt(np.mean(error**2))),
                "reference": float(truth.mean()),
                "count": len(error),
            }
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, seven digits."""
        return {
            part: {name: _rounded(values) for name, values in getattr(self, part).items()}
            for part in ("sums", "pressures")
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "FrameErrors":
        """What `to_dict` gave."""
        return cls(
            *(
                {name: np.array(own, dtype=float) for name, own in values[part].items()}
                for part in ("sums", "pressures")
            )
        )


def _rounded(values: Array) -> list[list[float]]:
    return [[float(f"{value:.7g}") for value in row] for row in values]
