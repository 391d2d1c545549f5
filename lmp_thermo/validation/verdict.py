"""The verdict on a cell of the grid."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lmp_thermo.sections import Gates
from lmp_thermo.states import StatePoint

SIGMAS = 4.0
"""Two means of independent samples differ by more than this many standard errors once in 16 000
times if they are equal; with some 100 comparisons in a study, a false alarm in 160 studies."""

SURE = 2.0
"""Standard errors by which a difference must lie below a limit to be called below it: it is above
it once in 44 times then."""

NET_FORCE, INTERACTION_ENERGY = "net force on molecules", "interaction energy"
BIAS, RUN_PRESSURE = "bias of pressure", "pressure of the run"
"""Names of the gates."""

OF_THE_RUN = ("energy_drift", "energy_fluctuation")
"""What belongs to one trajectory and its integration, not to the state point."""


@dataclass(frozen=True)
class Check:
    """One gate.

    Args:
        name: what is checked.
        value: found.
        limit: largest value that passes.
        unit: of both.
        passed: whether it does; None where it does not apply.
        remark: what the limit came from, or why it does not apply.
    """

    name: str
    value: float | None
    limit: float | None
    unit: str
    passed: bool | None
    remark: str = ""


@dataclass(frozen=True)
class Verdict:
    """All gates of one cell."""

    state: StatePoint
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate that applies is passed."""
        return all(check.passed is not False for check in self.checks)

    @property
    def failures(self) -> list[str]:
        """Names of the gates that are not passed."""
        return [check.name for check in self.checks if check.passed is False]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "density_g_cm3": self.state.density_g_cm3,
            "temperature_K": self.state.temperature_K,
            "passed": self.passed,
            "failures": self.failures,
            "checks": [asdict(check) for check in self.checks],
        }


def judge_cell(
    state: StatePoint, errors: Mapping[str, Any], ideal_pressure_bar: float, gates: Gates
) -> Verdict:
    """Judge errors on frames of one cell by what acts between molecules.

    Args:
        state: the cell.
        errors: of `potential.intermolecular.Errors.as_dict`.
        ideal_pressure_bar: N k_B T / V of the molecules.
        gates: limits.
    """
    return Verdict(
        state,
        (
            _net_force(errors["net_force"], gates),
            _interaction_energy(errors["interaction_energy"], gates),
            _pressure(state, errors["molecular_pressure"], ideal_pressure_bar, gates),
        ),
    )


def _net_force(deviation: Mapping[str, float], gates: Gates) -> Check:
    rms = 1000 * deviation["rms"]
    limit = gates.net_force_relative * rms
    applies = rms > gates.net_force_floor_meV_A
    value = 1000 * deviation["rmse"]
    return Check(
        NET_FORCE,
        value,
        limit if applies else None,
        "meV/Å",
        value <= limit if applies else None,
        f"{gates.net_force_relative:.0%} of the rms, {rms:.1f} meV/Å"
        if applies
        else f"rms {rms:.2f} meV/Å, below {gates.net_force_floor_meV_A:g}",
    )


def _interaction_energy(deviation: Mapping[str, float], gates: Gates) -> Check:
    rms, value = 1000 * deviation["rms"], 1000 * deviation["rmse"]
    limit = max(gates.interaction_energy_relative * rms, gates.interaction_energy_floor_meV_atom)
    return Check(
        INTERACTION_ENERGY,
        value,
        limit,
        "meV/atom",
        value <= limit,
        f"larger of {gates.interaction_energy_relative:.0%} of the rms, {rms:.2f} meV/atom, and "
        f"{gates.interaction_energy_floor_meV_atom:g}",
    )


def pressure_limit(
    state: StatePoint, virial_bar: float, ideal_bar: float, gates: Gates
) -> tuple[float, str]:
    """The largest bias of the pressure that passes, bar, and what it came from.

    Args:
        state: the cell.
        virial_bar: the reference's pressure without the ideal gas's.
        ideal_bar: N k_B T / V of the molecules.
        gates: limits.
    """
    pressure = ideal_bar + virial_bar
    limits = {
        f"{gates.pressure_ideal_relative:.0%} of the ideal-gas pressure": (
            gates.pressure_ideal_relative * ideal_bar
        ),
        f"{gates.pressure_relative:.0%} of the pressure": gates.pressure_relative * abs(pressure),
    }
    if state.density_g_cm3 >= gates.liquid_above_g_cm3:
        limits["the liquid's allowance"] = gates.pressure_bar
    source, limit = max(limits.items(), key=lambda item: item[1])
    return limit, source


def _pressure(
    state: StatePoint, bias: Mapping[str, float] | None, ideal_bar: float, gates: Gates
) -> Check:
    if bias is None:
        return Check(BIAS, None, None, "bar", None, "the reference gives no stress")
    limit, source = pressure_limit(state, bias["reference"], ideal_bar, gates)
    value = abs(bias["mean"])
    return Check(BIAS, value, limit, "bar", value <= limit, source)


def judge_run_pressure(
    state: StatePoint, row: Mapping[str, Any] | None, ideal_bar: float, gates: Gates
) -> Check:
    """Judge the pressure of the potential's run by that of the reference's own run.

    Frames of the potential's run say what is wrong where it went, not that it went elsewhere than
    the reference does; its pressure does. It fails where the difference exceeds the limit by more
    than `SIGMAS` standard errors, passes where it is below it by `SURE` at the least, and is not
    judged in between. Potentials that share the reference's run share its error.

    Args:
        state: the cell.
        row: the pressure, of `compare_observables`; None where a run has none.
        ideal_bar: N k_B T / V of the molecules.
        gates: limits.
    """
    name = RUN_PRESSURE
    if row is None:
        return Check(
            name, None, None, "bar", None, "the potential's or the reference's run has none"
        )
    if row["agrees"] is None:
        return Check(name, None, None, "bar", None, "a run is too short to tell its pressure")
    limit, source = pressure_limit(state, row["reference"] - ideal_bar, ideal_bar, gates)
    error = row["standard_error"]
    value = abs(row["potential"] - row["reference"])
    if value > limit + SIGMAS * error:
        return Check(name, value, limit, "bar", False, f"{source}; standard error {error:.3g} bar")
    if value + SURE * error <= limit:
        return Check(name, value, limit, "bar", True, source)
    remark = (
        f"the runs are too short to tell: limit {limit:.3g} bar, standard error {error:.3g} bar"
    )
    return Check(name, value, None, "bar", None, remark)


def compare_observables(
    potential: Mapping[str, Mapping[str, Any]], reference: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Observables of two runs side by side.

    Args:
        potential, reference: observables by name, each with value, unit, standard_error,
            n_independent, converged.

    Returns:
        For each observable that both have: both values, their difference in combined standard
        errors, and whether it lies within `SIGMAS`; None where one of them is not converged.
    """
    rows = []
    for name, own in potential.items():
        other = reference.get(name)
        if other is None or name in OF_THE_RUN:
            continue
        error = math.hypot(own["standard_error"], other["standard_error"])
        settled = own["converged"] and other["converged"]
        difference = own["value"] - other["value"]
        rows.append(
            {
                "name": name,
                "unit": own["unit"],
                "potential": own["value"],
                "reference": other["value"],
                "standard_error": error,
                "sigmas": difference / error if error > 0 else None,
                "agrees": abs(difference) <= SIGMAS * error if settled and error > 0 else None,
            }
        )
    return rows
