"""Energy drift against series whose slope and noise are known."""

import numpy as np
import pytest
from scipy.signal import lfilter

from lmp_thermo.analysis.drift import energy_drift
from lmp_thermo.errors import AnalysisError
from tests.tolerances import ERROR_BAR_RATIO, ROUND_OFF

N_ATOMS = 40
SLOPE = 2.5e-5


def drifting(rng: np.random.Generator, n: int, memory: float) -> tuple[np.ndarray, np.ndarray]:
    """Times (ps) and total energies (eV): a line and autoregressive noise of 1e-4 eV/atom."""
    noise = lfilter([1.0], [1.0, -memory], rng.normal(size=n + 500))[500:]
    noise *= 1e-4 * np.sqrt(1.0 - memory**2)
    times = 3.0 + 0.02 * np.arange(n)
    return times, N_ATOMS * (-7.0 + SLOPE * times + noise)


@pytest.mark.parametrize("memory", [0.0, 0.8])
def test_slope_lies_within_its_error(memory: float) -> None:
    rng = np.random.default_rng(1)
    n = int(100 * (1 + memory) / (1 - memory))
    found = [energy_drift(*drifting(rng, n, memory), N_ATOMS, origin="test") for _ in range(150)]
    deviations = np.array([(d.value - SLOPE) / d.standard_error for d, _ in found])
    assert deviations.std() == pytest.approx(1.0, abs=ERROR_BAR_RATIO)
    assert np.mean([rms.value for _, rms in found]) == pytest.approx(1e-4, rel=0.05)
    drift, rms = found[0]
    assert (drift.name, drift.unit) == ("energy_drift", "eV/atom/ps")
    assert (rms.name, rms.unit) == ("energy_fluctuation", "eV/atom")


def test_exact_line() -> None:
    times = np.linspace(0.0, 1.0, 50) ** 2
    drift, rms = energy_drift(times, 5.0 * (3.0 - 0.25 * times), 5, origin="test")
    assert drift.value == pytest.approx(-0.25, rel=ROUND_OFF)
    assert rms.value < ROUND_OFF


def test_constant_energy_has_no_drift() -> None:
    drift, rms = energy_drift(np.arange(10.0), np.full(10, -31.7), 3, origin="test")
    assert abs(drift.value) < ROUND_OFF
    assert (drift.standard_error, rms.value) == (0.0, 0.0)
    assert not drift.converged


@pytest.mark.parametrize(
    ("times", "energies", "message"),
    [
        ([0, 1, 2], [1, 2, 3], "3 energies at 3 times, expected at least 4 at times that incr"),
        ([0, 1, 1, 2], [1, 2, 3, 4], "4 energies at 4 times"),
        ([0, 1, 2], [1, 2, 3, 4], "4 energies at 3 times"),
        ([0, 1, 2, 3], [1, 2, np.nan, 4], "energy drift: sample 2 of 4 is nan"),
    ],
)
def test_unusable_series(times: list[float], energies: list[float], message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        energy_drift(np.array(times, float), np.array(energies, float), 1, origin="test")
