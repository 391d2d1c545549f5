"""All observables of one run: a deck's folder with its logs and trajectory."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.analysis.bonds import BondStretch
from lmp_thermo.analysis.coordination import CoordinationNumber
from lmp_thermo.analysis.density import mean_density
from lmp_thermo.analysis.drift import energy_drift
from lmp_thermo.analysis.rdf import RadialDistribution
from lmp_thermo.analysis.sites import CENTRES, Sites, named_sites
from lmp_thermo.analysis.statistics import Observable, estimate
from lmp_thermo.analysis.thermo import ThermoTable, read_run_thermo
from lmp_thermo.analysis.trajectory import Trajectory, open_run_trajectory, run_analysis
from lmp_thermo.errors import AnalysisError

CUTOFF_OVER_PEAK = 1.4
"""Cutoff over position of the highest peak where g(r) has no minimum: a dense Lennard-Jones
liquid has its first minimum there, so that gas and liquid are counted alike."""

NVE_ROWS_NEEDED = 4

NOT_STATIONARY = 0.4
"""Part of production left out that deserves a note: stationary series lose as much in 4 % of
cases with 20 independent samples, half of the series being the limit."""


@dataclass(frozen=True)
class Phase:
    """A part of a run: steps from `first_step` to `last_step`, both included."""

    name: str
    first_step: int
    last_step: int


@dataclass(frozen=True)
class DeckFacts:
    """What ``deck.json`` says of a run, as far as analysis needs it."""

    n_atoms: int
    molecule_sizes: tuple[int, ...]
    species: tuple[str, ...]
    temperature_K: float
    density_g_cm3: float
    timestep_fs: float
    phases: tuple[Phase, ...]

    def phase(self, name: str) -> Phase | None:
        """The phase of that name, None where the run has none."""
        return next((phase for phase in self.phases if phase.name == name), None)


@dataclass(frozen=True)
class Curve:
    """A function with error bars, for tables and plots.

    Args:
        name: what it is.
        x, y, y_error: (n,) arrays; y_error is a standard error.
        n_independent: (n,) independent samples behind each value.
        x_unit, y_unit: units.
        origin: where it comes from.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    y_error: NDArray[np.float64]
    n_independent: NDArray[np.float64]
    x_unit: str
    y_unit: str
    origin: str


@dataclass(frozen=True)
class Series:
    """A quantity over time, as sampled."""

    name: str
    times_ps: NDArray[np.float64]
    values: NDArray[np.float64]
    unit: str


@dataclass(frozen=True)
class RunAnalysis:
    """What one run gave.

    Args:
        facts: the run's state point and schedule.
        observables: by name.
        curves: radial distributions and distributions of coordination numbers, by name.
        series: temperature, pressure, energies over production and NVE, by name.
        molecules_intact: whether no bond broke in production; None without frames.
        notes: what the reader of the numbers must know, in sentences.
    """

    facts: DeckFacts
    observables: dict[str, Observable]
    curves: dict[str, Curve]
    series: dict[str, Series]
    molecules_intact: bool | None = None
    notes: list[str] = field(default_factory=list)


def analyze_run(
    folder: Path,
    *,
    r_max: float = 12.0,
    bin_width: float = 0.05,
    cutoffs: dict[str, float] | None = None,
) -> RunAnalysis:
    """Compute every observable of a deck that was run, whole or in part; writes nothing.

    Averages are over production, from where the potential energy is stationary; the drift is
    over NVE. Coordination cutoffs are the first minimum of g(r); where there is none, as in a
    gas, `CUTOFF_OVER_PEAK` times the position of the highest peak.

    Args:
        folder: with ``deck.json``, ``data.lmp``, ``log.*.lammps``, ``traj.*.dcd``.
        r_max: range of radial distributions, Å; cut at half the smallest box height.
        bin_width: of radial distributions, Å.
        cutoffs: of coordination numbers by label (``centres-centres``), Å.

    Raises:
        AnalysisError: a file is missing or corrupt, or production has fewer than two rows.
    """
    facts = read_deck_facts(folder)
    thermo = read_run_thermo(folder)
    production = facts.phase("production")
    if production is None:
        raise AnalysisError(f"{folder}/deck.json: no phase production, expected one")
    result = RunAnalysis(facts, {}, {}, {})
    rows = thermo.between(production.first_step, production.last_step)
    if len(rows) < 2:
        raise AnalysisError(
            f"{folder}: {len(rows)} rows of production (steps {production.first_step} to "
            f"{production.last_step}), expected at least 2; the run ended at step "
            f"{thermo.steps[-1]}, let it go on"
        )
    if rows.steps[-1] < production.last_step:
        result.notes.append(f"production ended at step {rows.steps[-1]} of {production.last_step}")
    first_step = add_thermo(result, rows, facts.n_atoms)
    nve = facts.phase("nve")
    if nve is not None:
        add_drift(result, thermo.between(nve.first_step, nve.last_step), facts.n_atoms)
    trajectory = open_deck_trajectory(folder, facts)
    frames = trajectory.between(first_step, production.last_step)
    if len(frames) < 2:
        result.notes.append(
            f"{len(frames)} frame(s) of stationary production: no structure analysed"
        )
        return result
    add_structure(
        result, trajectory, frames, r_max=r_max, bin_width=bin_width, cutoffs=cutoffs or {}
    )
    return add_bonds(result, trajectory, trajectory.between(0, production.last_step))


def open_deck_trajectory(folder: Path, facts: DeckFacts | None = None) -> Trajectory:
    """The trajectory of a deck that was run, opened with what ``deck.json`` says.

    Raises:
        AnalysisError: a file is missing or corrupt.
    """
    facts = facts or read_deck_facts(folder)
    return open_run_trajectory(
        folder,
        timestep_fs=facts.timestep_fs,
        molecule_sizes=facts.molecule_sizes,
        species=facts.species,
    )


def add_thermo(result: RunAnalysis, rows: ThermoTable, n_atoms: int) -> int:
    """Averages over production; returns the step from which the energy is stationary."""
    origin = f"{rows.origin}, production"
    energy = estimate(
        rows["PotEng"] / n_atoms, name="potential_energy", unit="eV/atom", origin=origin
    )
    start = energy.equilibration_skipped
    for observable in (
        energy,
        estimate(rows["Temp"], name="temperature", unit="K", origin=origin),
        estimate(rows["Press"], name="pressure", unit="bar", origin=origin),
        mean_density(rows["Density"], origin),
    ):
        result.observables[observable.name] = observable
        if not observable.imposed and observable.equilibration_skipped > NOT_STATIONARY * len(rows):
            result.notes.append(
                f"{observable.name}: the first {observable.equilibration_skipped} of {len(rows)} "
                "rows of production are not stationary; equilibrate longer"
            )
    for keyword, name, unit in (
        ("Temp", "temperature", "K"),
        ("Press", "pressure", "bar"),
        ("PotEng", "potential_energy", "eV"),
    ):
        result.series[name] = Series(name, rows.times_ps, rows[keyword], unit)
    return int(rows.steps[start])


def add_drift(result: RunAnalysis, rows: ThermoTable, n_atoms: int) -> None:
    """Drift and fluctuation of the total energy in NVE."""
    if len(rows) < NVE_ROWS_NEEDED:
        result.notes.append(f"{len(rows)} rows of NVE: no energy drift")
        return
    for observable in energy_drift(
        rows.times_ps, rows["TotEng"], n_atoms, origin=f"{rows.origin}, nve"
    ):
        result.observables[observable.name] = observable
    result.series["nve_total_energy"] = Series(
        "nve_total_energy", rows.times_ps, rows["TotEng"], "eV"
    )


def add_structure(
    result: RunAnalysis,
    trajectory: Trajectory,
    frames: NDArray[np.int64],
    *,
    r_max: float,
    bin_width: float,
    cutoffs: dict[str, float],
) -> None:
    """Radial distributions of all pairs of sites, coordination of like centres and sites."""
    for a, b in site_pairs(trajectory):
        if len(a.identities) < 2 and a is b:
            continue
        rdf = RadialDistribution(a, b, r_max=r_max, bin_width=bin_width)
        run_analysis(rdf, trajectory, frames)
        add_rdf(result, rdf, trajectory.origin)
        peak, position = rdf.first_peak()
        result.observables[peak.name] = peak
        minimum = rdf.first_minimum()
        how = "given" if rdf.label in cutoffs else "first minimum of g(r)"
        cutoff = cutoffs.get(rdf.label) or minimum
        if cutoff is None:
            how = f"{CUTOFF_OVER_PEAK} times the position of the highest peak of g(r)"
            cutoff = CUTOFF_OVER_PEAK * position
        half_width = min(0.25, 0.25 * cutoff)
        if cutoff + half_width >= rdf.results.r_max:
            result.notes.append(
                f"coordination {rdf.label}: cutoff {cutoff:.2f} Å ({how}) is beyond the range "
                f"of g(r), {rdf.results.r_max:.2f} Å: not counted"
            )
            continue
        count = CoordinationNumber(a, b, cutoff=cutoff, half_width=half_width)
        run_analysis(count, trajectory, frames)
        add_coordination(result, count, f"{trajectory.origin}, cutoff: {how}")


def site_pairs(trajectory: Trajectory) -> list[tuple[Sites, Sites]]:
    """Centres with centres, then each pair of species; for atomic fluids the species only."""
    pairs: list[tuple[Sites, Sites]] = []
    if np.any(trajectory.molecules.sizes > 1):
        centres = named_sites(trajectory, CENTRES)
        pairs.append((centres, centres))
    names = np.unique(trajectory.universe.atoms.elements)
    sites = [named_sites(trajectory, str(name)) for name in names]
    pairs += [(a, b) for k, a in enumerate(sites) for b in sites[k:]]
    return pairs


def add_rdf(result: RunAnalysis, rdf: RadialDistribution, origin: str) -> None:
    """The curve of a radial distribution, and a note where its range was cut."""
    name = f"rdf.{rdf.label}"
    result.curves[name] = Curve(
        name=name,
        x=rdf.results.r,
        y=rdf.results.g,
        y_error=rdf.results.standard_error,
        n_independent=rdf.results.n_independent,
        x_unit="Å",
        y_unit="1",
        origin=f"{origin}, {rdf.n_frames} frames",
    )
    if rdf.results.reduced:
        result.notes.append(
            f"{name}: range cut to {rdf.results.r_max:.2f} Å, half the smallest box height"
        )


def add_coordination(result: RunAnalysis, count: CoordinationNumber, origin: str) -> None:
    """Means and distribution of a coordination number."""
    for observable in (count.hard(), count.smooth()):
        result.observables[observable.name] = observable
    name = f"coordination.{count.label}"
    result.curves[name] = Curve(
        name=name,
        x=count.results.numbers.astype(float),
        y=count.results.probability,
        y_error=count.results.standard_error,
        n_independent=count.results.n_independent,
        x_unit="1",
        y_unit="1",
        origin=f"{origin}, {count.n_frames} frames",
    )


def add_bonds(
    result: RunAnalysis, trajectory: Trajectory, frames: NDArray[np.int64]
) -> RunAnalysis:
    """Whether the molecules stayed whole, in all frames up to the end of production."""
    bonds = run_analysis(BondStretch(trajectory.molecules), trajectory, frames)
    for observable in bonds.lengths():
        result.observables[observable.name] = observable
    if not bonds.intact:
        result.notes.append(f"a bond is broken: {bonds.worst()}")
    return RunAnalysis(
        result.facts,
        result.observables,
        result.curves,
        result.series,
        bonds.intact,
        result.notes,
    )


def read_deck_facts(folder: Path) -> DeckFacts:
    """Read ``deck.json`` of a deck's folder.

    Raises:
        AnalysisError: missing, corrupt, or a key is missing.
    """
    path = folder / "deck.json"
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return DeckFacts(
            n_atoms=int(values["n_atoms"]),
            molecule_sizes=tuple(int(size) for size in values["molecule_sizes"]),
            species=tuple(str(name) for name in values["species"]),
            temperature_K=float(values["temperature_K"]),
            density_g_cm3=float(values["density_g_cm3"]),
            timestep_fs=float(values["timestep_fs"]),
            phases=tuple(
                Phase(str(p["name"]), int(p["first_step"]), int(p["last_step"]))
                for p in values["phases"]
            ),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise AnalysisError(
            f"{path}: cannot be used ({reason}); write the deck again with `lmp-thermo deck`"
        ) from error
