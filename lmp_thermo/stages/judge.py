"""Errors and verdicts on labelled frames of one cell, for export and validation alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lmp_thermo.frames import Frame
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.potential.intermolecular import (
    Quantities,
    compare,
    labelled_quantities,
    no_interaction_quantities,
    predicted_quantities,
)
from lmp_thermo.stages.context import Context
from lmp_thermo.states import StatePoint
from lmp_thermo.units import ideal_gas_pressure_bar
from lmp_thermo.validation import judge_cell


def judged(
    context: Context, state: StatePoint, frames: Sequence[Frame], model: Evaluator
) -> dict[str, Any]:
    """Errors and verdicts of the potential and of the no-interaction model on labelled frames."""
    truth = [labelled_quantities(frame) for frame in frames]
    predictions = list(model.evaluate(frames))
    own = [predicted_quantities(f, p) for f, p in zip(frames, predictions, strict=True)]
    alone = [no_interaction_quantities(frame) for frame in frames]
    volume = float(frames[0].atoms.get_volume())
    ideal = ideal_gas_pressure_bar(frames[0].n_molecules, state.temperature_K, volume)
    gates = context.study.validation.gates
    errors = compare(own, truth).as_dict()
    no_interaction = compare(alone, truth).as_dict()
    return {
        "density_g_cm3": state.density_g_cm3,
        "temperature_K": state.temperature_K,
        "ideal_pressure_bar": ideal,
        "errors": errors,
        "no_interaction": no_interaction,
        "verdict": judge_cell(state, errors, ideal, gates).to_dict(),
        "no_interaction_verdict": judge_cell(state, no_interaction, ideal, gates).to_dict(),
        "parity": parity_points(frames, own, truth),
    }


def parity_points(
    frames: Sequence[Frame], predicted: Sequence[Quantities], labelled: Sequence[Quantities]
) -> dict[str, list[float]]:
    """Predictions and labels of what acts between molecules, number by number, for plots."""
    points: dict[str, list[float]] = {}

    def add(name: str, values: np.ndarray) -> None:
        points.setdefault(name, []).extend(round(float(v), 7) for v in np.ravel(values))

    for frame, own, truth in zip(frames, predicted, labelled, strict=True):
        state = frame.tags.state
        for name, a, b in (
            ("net_force", truth.net_force, own.net_force),
            (
                "interaction_energy",
                np.array([truth.interaction_energy_per_atom]),
                np.array([own.interaction_energy_per_atom]),
            ),
            (
                "molecular_pressure",
                _known(truth.molecular_pressure_bar),
                _known(own.molecular_pressure_bar),
            ),
        ):
            if len(a) != len(b):
                continue
            add(f"{name}.reference", a)
            add(f"{name}.predicted", b)
            add(f"{name}.density_g_cm3", np.full(np.size(a), state.density_g_cm3))
            add(f"{name}.temperature_K", np.full(np.size(a), state.temperature_K))
    return points


def _known(value: float | None) -> np.ndarray:
    return np.array([] if value is None else [value])
