"""A comparison of designs and its grid, for tests."""

from pathlib import Path
from typing import Any

import yaml

from lmp_thermo.comparison import Comparison, Home
from lmp_thermo.states import StateGrid, StatePoint

INPUTS = Path(__file__).parents[2] / "inputs" / "density"

GRID = StateGrid.of(StatePoint(d, t) for d in (0.1, 0.2, 0.4, 0.8) for t in (100.0, 200.0, 300.0))
HOME = Home(density_g_cm3=0.4, temperature_K=200.0)


def comparison(**changes: Any) -> Comparison:
    values: dict[str, Any] = {
        "designs": ["none", "temperature", "density", "grid"],
        "seeds": [1, 2],
        "home": HOME,
        "densities_g_cm3": [0.1, 0.4, 0.8],
        "budget": 12.0,
        **changes,
    }
    return Comparison(**values)


def argon() -> Any:
    """Return the study that ships, without its variants and runs."""
    study = yaml.safe_load((INPUTS / "argon.yaml").read_text())
    del study["variants"], study["comparison"]["runs"]
    return study
