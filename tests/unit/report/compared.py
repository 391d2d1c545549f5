"""A made-up result of a comparison, for the report's tests. Nothing of this is in the package.

Errors grow with the distance in the logarithms of density and temperature from the nearest cell on
which a design spends, and differ by seed. Ratios come from the package's own paired test.
"""

import itertools
import math
from typing import Any

import numpy as np

from lmp_thermo.states import StatePoint, place
from lmp_thermo.validation.coverage import paired_test, root_mean_square

DENSITIES = (0.03, 0.3, 0.9, 1.2)
TEMPERATURES = (180.0, 240.0, 300.0)
HOME = StatePoint(0.9, 240.0)
GATE = 0.1
"""Of the rms, in which quantity an error is as large as its limit."""


def spends(design: str, states: list[StatePoint]) -> list[StatePoint]:
    """Cells of a design."""
    return {
        "none": [HOME],
        "temperature": [s for s in states if s.density_g_cm3 == HOME.density_g_cm3],
        "density": [s for s in states if s.temperature_K == HOME.temperature_K],
    }.get(design, states)


def compared(
    groups: tuple[str, ...] = ("none", "temperature", "density", "adaptive"),
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5, 6),
    densities: tuple[float, ...] = DENSITIES,
    temperatures: tuple[float, ...] = TEMPERATURES,
) -> dict[str, Any]:
    """Layout of comparison.json."""
    random = np.random.default_rng(5)
    states = [StatePoint(d, t) for d in densities for t in temperatures]
    trained = {group: spends(group.partition("-")[0], states) for group in groups}
    rmse = {
        group: {
            seed: {
                s.name: _rms(s) * _share(s, trained[group]) * math.exp(0.1 * random.normal())
                for s in states
            }
            for seed in seeds
        }
        for group in groups
    }
    return {
        "study": "made-up",
        "command": "lmp-thermo run made-up.yaml",
        "versions": {"lmp-thermo": "0.1.0", "torch": "2.13.0"},
        "settings": {
            "comparison": {
                "designs": sorted({group.partition("-")[0] for group in groups}),
                "losses": ["intermolecular"],
                "seeds": list(seeds),
                "home": {
                    "density_g_cm3": HOME.density_g_cm3,
                    "temperature_K": HOME.temperature_K,
                },
                "budget": 60.0,
                "budget_unit": "frames",
                "curriculum": {"target": 0.5} if "adaptive" in groups else None,
            },
            "training": {"architecture": "nequip", "layers": 2, "updates": [1200]},
            "gates": {"interaction_energy_relative": GATE},
            "molecules": ["argon"],
            "reference": {"name": "lj-argon"},
            "atoms_per_frame": 64,
        },
        "grid": {
            s.name: {
                "density_g_cm3": s.density_g_cm3,
                "temperature_K": s.temperature_K,
                "held_out": 12,
            }
            for s in states
        },
        "units": {
            "interaction_energy": "meV/atom",
            "energy": "meV/atom",
            "net_force": "meV/Å",
            "stress": "bar",
        },
        "matrix": {
            group: {
                s.name: _judged(s, trained[group], [rmse[group][seed][s.name] for seed in seeds])
                for s in states
            }
            for group in groups
        },
        "others": {
            "no-interaction": {
                "cells": {s.name: _once(s) for s in states},
                "us_per_atom": None,
            }
        },
        "arms": {
            f"{group}-{seed}": _arm(group, seed, rmse[group][seed], trained[group], states)
            for seed in seeds
            for group in groups
        },
        "tests": _tests(rmse, groups, states),
        "curriculum": {
            f"{group}-{seed}": _rounds(states)
            for group in groups
            if group.startswith("adaptive")
            for seed in seeds
        },
        "environments": {"missing": "not counted"},
        "runs": {
            f"{groups[0]}-{seeds[0]}": {
                states[0].name: {
                    "status": "failed",
                    "cause": "lost atoms",
                    "passed": False,
                    "failures": ["run stable"],
                    "pressure": None,
                    "rdf_distance": None,
                    "coordination_distance": None,
                }
            }
        },
    }


def _rms(state: StatePoint) -> float:
    return 20.0 * state.density_g_cm3


def _share(state: StatePoint, trained: list[StatePoint]) -> float:
    return 0.03 + 0.06 * min(
        math.hypot(
            math.log(state.density_g_cm3 / own.density_g_cm3),
            3 * math.log(state.temperature_K / own.temperature_K),
        )
        for own in trained
    )


def _error(rmse: float, rms: float) -> dict[str, Any]:
    return {
        "rmse": rmse,
        "spread": 0.1 * rmse,
        "interval": [0.8 * rmse, 1.25 * rmse],
        "mae": 0.8 * rmse,
        "rms": rms,
    }


def _judged(state: StatePoint, trained: list[StatePoint], rmse: list[float]) -> dict[str, Any]:
    mean, rms = float(np.mean(rmse)), _rms(state)
    scores = [value / (GATE * rms) for value in rmse]
    return {
        "region": place(state, trained).region,
        "interaction_energy": _error(mean, rms),
        "energy": _error(mean, rms),
        "net_force": _error(4 * mean, 4 * rms),
        "stress": _error(10 * mean, 10 * rms),
        "score": {"mean": float(np.mean(scores)), "spread": float(np.std(scores))},
        "pressure_bias_bar": {"mean": -12.3, "spread": 1.4},
        "passed": [score <= 1 for score in scores],
    }


def _once(state: StatePoint) -> dict[str, Any]:
    rms = _rms(state)
    return {
        "interaction_energy": _error(rms, rms),
        "net_force": _error(4 * rms, 4 * rms),
        "score": 1 / GATE,
        "pressure_bias_bar": 900.0,
        "passed": False,
        "failures": ["interaction energy"],
        "binding": "interaction energy",
    }


def _arm(
    group: str,
    seed: int,
    rmse: dict[str, float],
    trained: list[StatePoint],
    states: list[StatePoint],
) -> dict[str, Any]:
    scores = {s.name: rmse[s.name] / (GATE * _rms(s)) for s in states}
    worst = max(scores, key=lambda name: scores[name])
    return {
        "group": group,
        "seed": seed,
        "spent": 60.0,
        "frames": {s.name: 60 // len(trained) for s in trained},
        "us_per_atom": 150.0,
        "passed": sum(score <= 1 for score in scores.values()),
        "cells": len(states),
        "worst": {"state": worst, "score": scores[worst], "gate": "interaction energy"},
        "worst_to_spend_on": {"state": worst, "score": scores[worst], "gate": "net force"},
        "worst_pressure_bias_bar": 30.0 + seed,
        "off_over_in": {"interaction_energy": None if len(trained) == len(states) else 2.0},
    }


def _tests(
    rmse: dict[str, Any], groups: tuple[str, ...], states: list[StatePoint]
) -> list[dict[str, Any]]:
    found = []
    cells = {
        "all cells": states,
        "other densities": [s for s in states if s.density_g_cm3 != HOME.density_g_cm3],
    }
    for where, own in cells.items():
        values = {
            group: {
                seed: root_mean_square([errors[s.name] for s in own])
                for seed, errors in rmse[group].items()
            }
            for group in groups
        }
        for a, b in itertools.combinations(groups, 2):
            for quantity in ("interaction energy, RMSE", "worst cell's score"):
                test = paired_test(quantity, values[a], values[b], (a, b))
                if test is not None:
                    found.append({"cells": where, **test.to_dict()})
    return found


def _rounds(states: list[StatePoint]) -> list[dict[str, Any]]:
    first, last = states[0].name, states[-1].name
    return [
        {"bought": {first: 10, last: 10}, "scores": {}, "stopped": None},
        {"bought": {last: 20}, "scores": {first: 0.5, last: 4.0}, "stopped": None},
        {"bought": {first: 20}, "scores": {first: 0.9, last: 0.6}, "stopped": "the budget is gone"},
    ]
