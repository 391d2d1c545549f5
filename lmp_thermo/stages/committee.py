"""A committee of models on what an adaptive design has bought: what its disagreement says."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.frames import Frame
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.potential.intermolecular import labelled_quantities, predicted_quantities
from lmp_thermo.sections import Gates
from lmp_thermo.states import StatePoint
from lmp_thermo.units import ideal_gas_pressure_bar
from lmp_thermo.validation import judge_cell
from lmp_thermo.validation.coverage import score

Array = NDArray[np.float64]

GATED = ("net_force", "interaction_energy_per_atom", "molecular_pressure_bar")
"""Quantities that the gates are about, in the order in which they are kept."""

ALIKE = 1e-3
"""Disagreement over error below which members agree for another reason than being right: in gas so
thin that nobody has a neighbour within the cutoff, all of them say zero."""


@dataclass(frozen=True)
class Opinions:
    """What the members say of frames of one cell.

    Args:
        state: the cell.
        frames: of it.
        values: (members, frames, components) of each of `GATED` that is asked for.
    """

    state: StatePoint
    frames: Sequence[Frame]
    values: dict[str, Array]

    @classmethod
    def of(
        cls,
        members: Sequence[Evaluator],
        state: StatePoint,
        frames: Sequence[Frame],
        names: Sequence[str] = GATED,
    ) -> "Opinions":
        """Ask the members for those of `GATED` that labels have, see `gated_of`."""
        said = [
            [
                predicted_quantities(f, p)
                for f, p in zip(frames, member.evaluate(list(frames)), strict=True)
            ]
            for member in members
        ]
        values = {
            name: np.array([[np.ravel(getattr(q, name)) for q in own] for own in said], dtype=float)
            for name in names
        }
        return cls(state, frames, values)

    def outlook(self, factors: Mapping[str, float], gates: Gates) -> float:
        """Score that the cell is expected to have, without a label.

        Args:
            factors: error over disagreement of each of `GATED`.
            gates: limits of the errors.
        """
        errors: dict[str, Any] = {"molecular_pressure": None}
        for name, key in (
            ("net_force", "net_force"),
            ("interaction_energy_per_atom", "interaction_energy"),
        ):
            values = self.values[name]
            errors[key] = {
                "rmse": factors[name] * _root_mean_square(_spread(values)),
                "rms": _root_mean_square(values.mean(axis=0)),
            }
        if "molecular_pressure_bar" in self.values:
            pressure = self.values["molecular_pressure_bar"][:, :, 0]
            errors["molecular_pressure"] = {
                "mean": factors["molecular_pressure_bar"] * float(pressure.mean(1).std(ddof=1)),
                "reference": float(pressure.mean()),
            }
        first = self.frames[0]
        volume = float(first.atoms.get_volume())
        ideal = ideal_gas_pressure_bar(first.n_molecules, self.state.temperature_K, volume)
        return score(judge_cell(self.state, errors, ideal, gates))

    def seen(self) -> dict[str, tuple[float, float]]:
        """Root mean square error and disagreement of each of `GATED`, by the frames' labels."""
        labels = [labelled_quantities(frame) for frame in self.frames]
        found = {}
        for name, said in self.values.items():
            if getattr(labels[0], name) is None:
                continue
            values = said
            truth = np.array([np.ravel(getattr(q, name)) for q in labels], dtype=float)
            if name == "molecular_pressure_bar":  # its bias is what counts
                values, truth = values.mean(axis=1, keepdims=True), truth.mean(0, keepdims=True)
            error = _root_mean_square(values - truth[None])
            found[name] = (error, _root_mean_square(_spread(values)))
        return found


def calibration(cells: Sequence[tuple[float, float]]) -> float | None:
    """How large errors are for one of disagreement.

    Every cell counts the same, whatever the size of its forces: logarithms are averaged. Cells in
    which all members are `ALIKE` say nothing of it.

    Args:
        cells: root mean square error and disagreement of each, in any unit.

    Returns:
        Error over disagreement; None where no cell tells.
    """
    logs = [
        math.log(error / disagreement)
        for error, disagreement in cells
        if disagreement > ALIKE * error > 0
    ]
    return math.exp(sum(logs) / len(logs)) if logs else None


def calibrated(opinions: Sequence[Opinions]) -> dict[str, float]:
    """Error over disagreement, on labels that no member was trained on.

    Returns:
        By quantity of `GATED`; without those of which these labels do not tell.
    """
    seen = [own.seen() for own in opinions]
    factors = {name: calibration([own[name] for own in seen if name in own]) for name in GATED}
    return {name: round(factor, 5) for name, factor in factors.items() if factor is not None}


def gated_of(frames: Sequence[Frame]) -> tuple[str, ...]:
    """Those of `GATED` that labelled frames tell of: no pressure where labels have no stress."""
    said = [labelled_quantities(frame) for frame in frames]
    return tuple(name for name in GATED if any(getattr(q, name) is not None for q in said))


def _spread(values: Array) -> Array:
    """(frames, components) standard deviation over the members."""
    return np.asarray(values.std(axis=0, ddof=1))


def _root_mean_square(values: Array) -> float:
    return math.sqrt(np.mean(values**2))
