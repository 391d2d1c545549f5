"""A made-up study of a methane-like fluid, from textbook physics, for the report's tests.

Lennard-Jones molecules (sigma 3.73 Å, epsilon 148 K): g(r) of low density with oscillations that
grow with density, Carnahan-Starling repulsion with a van der Waals attraction for the pressure,
and net forces and energies of a size that grows with density. Nothing of this is in the package.
"""

from dataclasses import replace

import numpy as np

from lmp_thermo.report.data import (
    Bought,
    CellReport,
    Coordination,
    Drift,
    Failure,
    FiniteSize,
    Parity,
    ParityPoints,
    PressurePoint,
    RdfCurve,
    ReportData,
    Sampling,
    TrainingRound,
)

SIGMA_A, EPSILON_K, MASS_G_MOL = 3.73, 148.0, 16.043
WARM = [(d, t) for d in (0.005, 0.05, 0.15, 0.25, 0.35, 0.42) for t in (200.0, 300.0, 400.0)]
CELLS = [*WARM, (0.38, 140.0), (0.42, 140.0)]
BAR_A3_PER_K = 138.0649


def number_density(density: float) -> float:
    """Molecules per Å^3."""
    return density / MASS_G_MOL * 0.602214


def ideal_bar(density: float, temperature: float) -> float:
    return number_density(density) * temperature * BAR_A3_PER_K


def pressure_bar(density: float, temperature: float) -> float:
    eta = np.pi / 6 * number_density(density) * (0.97 * SIGMA_A) ** 3
    repulsion = (1 + eta + eta**2 - eta**3) / (1 - eta) ** 3
    attraction = 4.9 * eta * 2.0 * EPSILON_K / temperature
    return float(ideal_bar(density, temperature) * (repulsion - attraction))


def rdf(density: float, temperature: float, r: np.ndarray) -> np.ndarray:
    u = 4 * EPSILON_K * ((SIGMA_A / r) ** 12 - (SIGMA_A / r) ** 6)
    packed = density / 0.42
    wave = np.cos(2 * np.pi * (r - 1.1 * SIGMA_A) / (0.95 * SIGMA_A)) * np.exp(-(r - SIGMA_A) / 3.2)
    shape = 1 + packed**1.5 * 1.3 * wave * (r > 0.9 * SIGMA_A)
    return np.exp(-np.clip(u / temperature * (1 - 0.45 * packed), -5, 60)) * np.maximum(shape, 0)


def deviation(rmse: float, rms: float) -> dict:
    return {"rmse": rmse, "mae": 0.8 * rmse, "rms": rms, "count": 768}


def bias(mean: float, error: float, reference: float) -> dict:
    return {
        "mean": mean,
        "standard_error": error,
        "rmse": 3 * error + abs(mean),
        "reference": reference,
        "count": 8,
    }


def errors(density: float, temperature: float, share: float, pressure_share: float) -> dict:
    """Layout of Errors.as_dict; a share of 1 is the no-interaction model."""
    force = 0.118 * (density / 0.42) ** 0.75 * (temperature / 200) ** 0.6
    energy = 0.021 * density / 0.42
    residual = pressure_bar(density, temperature) - ideal_bar(density, temperature)
    return {
        "n_frames": 8,
        "energy": deviation(0.0004 + 0.05 * share * energy, 3.1),
        "force": deviation(0.02 + 0.3 * share * force, 0.9),
        "stress": None,
        "net_force": deviation(share * force, force),
        "torque": deviation(0.4 * share * force, 0.3 * force),
        "interaction_energy": deviation((1.0 if share == 1.0 else 0.4 * share) * energy, energy),
        "virial_pressure": bias(2 * pressure_share * residual, 30.0, residual),
        "molecular_pressure": bias(pressure_share * residual, 0.02 * abs(residual) + 0.2, residual),
    }


def share_of(density: float, temperature: float) -> float:
    base = 0.10 + 0.10 * (density / 0.42) * (temperature / 400) + 0.02 / (density + 0.06)
    return base + (0.14 if temperature == 140.0 and density > 0.4 else 0.0)


def verdict(density: float, temperature: float, own: dict) -> dict:
    rms, rmse = 1000 * own["net_force"]["rms"], 1000 * own["net_force"]["rmse"]
    counts = rms > 10.0
    check = {
        "name": "net force on molecules",
        "value": rmse,
        "limit": 0.25 * rms if counts else None,
        "unit": "meV/Å",
        "passed": bool(rmse <= 0.25 * rms) if counts else None,
        "remark": "",
    }
    allowed = max(0.03 * abs(pressure_bar(density, temperature)), 150.0)
    found = abs(own["molecular_pressure"]["mean"])
    other = {
        "name": "bias of pressure",
        "value": found,
        "limit": allowed,
        "unit": "bar",
        "passed": bool(found <= allowed),
        "remark": "the liquid's allowance",
    }
    failures = [c["name"] for c in (check, other) if c["passed"] is False]
    return {
        "density_g_cm3": density,
        "temperature_K": temperature,
        "passed": not failures,
        "failures": failures,
        "checks": [check, other],
    }


def observable(name: str, value: float, unit: str, error: float, n: int) -> dict:
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "standard_error": error,
        "n_independent": n,
        "origin": "production run",
        "equilibration_skipped": 12,
        "imposed": False,
        "converged": n >= 20,
    }


def cell_report(density: float, temperature: float, random: np.random.Generator) -> CellReport:
    own = errors(density, temperature, share_of(density, temperature), 0.004)
    alone = errors(density, temperature, 1.0, -1.0)
    p, n = pressure_bar(density, temperature), 6 if density < 0.01 else 180
    error = 0.01 * abs(p) + 12 * density / 0.42
    observables = {
        "pressure": observable("pressure", p, "bar", error, n),
        "temperature": observable("temperature", temperature + random.normal(0, 1), "K", 1.3, 400),
        "potential energy": observable(
            "potential energy", -0.021 * density / 0.42, "eV/atom", 0.00011, n
        ),
    }
    comparisons = [
        {
            "name": name,
            "unit": row["unit"],
            "potential": row["value"],
            "reference": row["value"],
            "standard_error": 1.25 * row["standard_error"],
            "sigmas": float(random.normal(0.0, 1.4)),
            "agrees": True if n >= 20 else None,
        }
        for name, row in observables.items()
    ]
    return CellReport(
        density,
        temperature,
        errors=own,
        held_out=errors(density, temperature, 0.9 * share_of(density, temperature), 0.01),
        no_interaction=alone,
        verdict=verdict(density, temperature, own),
        no_interaction_verdict=verdict(density, temperature, alone),
        observables=observables,
        comparisons=comparisons,
        run_status="finished",
        ns_per_day=1.1 + 0.02 / density,
    )


def training_round(number: int, minutes: float) -> TrainingRound:
    x = np.linspace(0.05, 1.0, 25)
    start = 2.2 / (1 + 1.5 * number)
    lines = []
    for place, share in enumerate(x):
        fall = start * (0.25 + 0.75 * np.exp(-4 * share)) * (1 + 0.05 * np.sin(9 * place))
        lines.append(
            {
                "update": 40 * (place + 1),
                "seconds": 60 * minutes * share,
                "loss": {"energy": 0.01 * fall**2, "net_force": 4e-4 * fall**2},
                "validation": {}
                if place == 0
                else {
                    "energy": 1.2e-3 * fall,
                    "force": 0.045 * fall,
                    "stress": 4e-3 * fall,
                    "net_force": 0.03 * fall,
                    "torque": 0.012 * fall,
                    "molecular_virial": 0.006 * fall,
                },
            }
        )
    return TrainingRound.of(number, lines)


def parity_points(random: np.random.Generator, per_cell: int, kind: str) -> ParityPoints:
    columns = []
    for density, temperature in CELLS:
        own = errors(density, temperature, share_of(density, temperature), 0.01)
        if kind == "pressure":
            centre, spread = own["molecular_pressure"]["reference"], 0.08
            x = centre * (1 + spread * random.normal(size=per_cell)) + random.normal(size=per_cell)
            y = x + (0.02 * abs(centre) + 5) * random.normal(size=per_cell)
        elif kind == "energy":
            rms = own["interaction_energy"]["rms"]
            x = -rms * (1 + 0.12 * random.normal(size=per_cell))
            y = x + own["interaction_energy"]["rmse"] * random.normal(size=per_cell)
        else:
            x = own["net_force"]["rms"] * random.standard_t(5, size=per_cell) / 1.29
            y = x + own["net_force"]["rmse"] * random.normal(size=per_cell)
        columns.append((x, y, np.full(per_cell, density), np.full(per_cell, temperature)))
    return ParityPoints(*(np.concatenate(part) for part in zip(*columns, strict=True)))


def full(with_reference: bool = True) -> ReportData:
    random = np.random.default_rng(7)
    r = np.arange(0.025, 9.0, 0.05)
    rdfs, coordination, pressures, drifts = [], [], [], []
    for density, temperature in CELLS:
        exact = rdf(density, temperature, r)
        error = 0.012 / np.sqrt(density / 0.05) / np.maximum(r / 4, 0.3)
        g = exact + error * random.normal(size=len(r)) * (exact > 0.01)
        rdfs.append(
            RdfCurve(density, temperature, "C-C", r, g, error, exact if with_reference else None)
        )
        mean = 13.0 * (density / 0.42) ** 0.9
        counts = np.arange(20)
        width = 0.6 + 0.09 * mean
        share = np.exp(-0.5 * ((counts - mean) / width) ** 2)
        share /= share.sum()
        coordination.append(
            Coordination(
                density,
                temperature,
                mean,
                0.04,
                share.tolist(),
                mean + 0.03 if with_reference else None,
                0.04 if with_reference else None,
                share.tolist() if with_reference else None,
            )
        )
        p = pressure_bar(density, temperature)
        spread = 0.01 * abs(p) + 12 * density / 0.42
        pressures.append(
            PressurePoint(
                density,
                temperature,
                p + spread * random.normal(),
                spread,
                ideal_bar(density, temperature),
                converged=density > 0.01,
                reference_bar=p if with_reference else None,
                reference_standard_error_bar=spread if with_reference else None,
            )
        )
        drifts.append(Drift(density, temperature, random.normal() * 0.004, 0.004))
    cells = [cell_report(*cell, random) for cell in CELLS]
    if not with_reference:
        cells = [replace(cell, comparisons=()) for cell in cells]
    return ReportData(
        title="methane",
        subtitle="CH4, reference gfn1-xtb, arm grid-scratch-1",
        net_force_limit=0.25,
        summary=["300 labelled frames in 3 rounds", "20 cells, 32 molecules, 5 ps each"],
        provenance={
            "lmp_thermo": "0.1.0",
            "nequip": "0.19.1",
            "torch": "2.13.0",
            "LAMMPS": "22 Jul 2025, update 4",
            "study hash": "9f2c4e0b7a1d5c38" * 4,
            "seed": "1",
            "written": "2026-11-20 14:02 UTC",
        },
        step_seconds={
            "sample round 0": 41.0,
            "label round 0": 88.0,
            "train round 0": 360.0,
            "sample round 1": 240.0,
            "label round 1": 110.0,
            "train round 1": 480.0,
            "export": 37.0,
            "simulate": 2710.0,
            "analyze": 66.0,
            "validate": 121.0,
        },
        cells=cells,
        training=[training_round(0, 6.0), training_round(1, 8.0), training_round(2, 16.0)],
        parity=Parity(
            parity_points(random, 220, "force"),
            parity_points(random, 8, "energy"),
            parity_points(random, 8, "pressure"),
        ),
        rdfs=rdfs,
        coordination=coordination,
        pressures=pressures,
        drifts=drifts,
        finite_size=[
            FiniteSize(0.05, 200.0, 20.5, 0.0004, 0.02, -0.003),
            FiniteSize(0.42, 300.0, 10.2, 0.0013, -3.1, 12.5, complete=False),
        ],
        sampling=[
            Sampling(0.42, 300.0, 0, 12, "packed"),
            Sampling(0.42, 300.0, 1, 12, "potential", 0.12, 0.05, True),
            Sampling(0.42, 400.0, 1, 9, "potential", 0.06, 0.09, False, "temperature above 900 K"),
        ],
        bought=[Bought(0.05, 200.0, [2, 0], [0.4]), Bought(0.42, 400.0, [1, 3], [1.7])],
        failures=[Failure("label", "rho0.42_T400 frame 7", "SCF not converged after 250 steps")],
    )


def only(data: ReportData, cells: list[tuple[float, float]]) -> ReportData:
    """The part of a study in some cells."""

    def chosen(parts):
        return [p for p in parts if (p.density_g_cm3, p.temperature_K) in cells]

    def points(own: ParityPoints) -> ParityPoints:
        places = zip(own.density_g_cm3, own.temperature_K, strict=True)
        keep = np.array([place in cells for place in places])
        return ParityPoints(*(array[keep] for array in vars(own).values()))

    return replace(
        data,
        parity=Parity(*(points(own) for own in vars(data.parity).values())),
        cells=chosen(data.cells),
        rdfs=chosen(data.rdfs),
        coordination=chosen(data.coordination),
        pressures=chosen(data.pressures),
        drifts=chosen(data.drifts),
    )
