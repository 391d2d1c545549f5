"""Analyze: observables of all runs, with standard errors."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from lmp_thermo.analysis.rdf import minimum_of_rdf
from lmp_thermo.analysis.run import analyze_run, open_deck_trajectory, site_pairs
from lmp_thermo.analysis.tables import write_run_analysis
from lmp_thermo.errors import AnalysisError
from lmp_thermo.launch import run_state
from lmp_thermo.launch.run_folder import read_failure
from lmp_thermo.products import Product, read_json, write_json
from lmp_thermo.stages import deck, simulate
from lmp_thermo.stages.context import Context, content_of, remembered_by_arm, versions
from lmp_thermo.states import StatePoint

OBSERVABLES = "observables.json"
NOT_ANALYSED = "not-analysed.json"
CUTOFFS = "coordination-cutoffs.json"


@remembered_by_arm
def product(context: Context) -> Product:
    """Observables of the arm's runs and of the reference's."""
    return Product(
        context.workspace.observables(context.arm),
        {
            "stage": "analyze/2",
            "runs": content_of(simulate.products(context)),
            "versions": versions("lmp-thermo", "MDAnalysis", "freud-analysis", "pymbar"),
        },
    )


def make(context: Context) -> None:
    """Analyse every run."""
    product(context).make(lambda folder: _analyse(context, folder))


def read(context: Context, arm: str | None = None) -> dict[str, dict[str, Any]]:
    """Observables by state point and name, of the arm or of the reference's own runs."""
    made = product(context)
    made.verify()
    found = {}
    for state in context.run_states:
        path = made.folder / (arm or context.arm) / state.name / OBSERVABLES
        if path.is_file():
            found[state.name] = read_json(path)["observables"]
    return found


def curves(context: Context, arm: str, state: StatePoint, kind: str) -> dict[str, np.ndarray]:
    """Columns x, y, standard error, independent samples of an arm's curves, by pair."""
    folder = product(context).folder / arm / state.name
    found = {}
    for path in sorted(folder.glob(f"{kind}.*.csv")):
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))[1:]
        found[path.name.removeprefix(f"{kind}.").removesuffix(".csv")] = np.array(
            rows, dtype=float
        ).reshape(-1, 4)
    return found


def common_cutoffs(context: Context) -> dict[str, float]:
    """Cutoffs with which every run's coordination numbers were counted, by pair of sites, Å.

    Pairs without one were counted with a cutoff of each run's own.
    """
    return {
        pair: float(value) for pair, value in read_json(product(context).folder / CUTOFFS).items()
    }


def _coordination_cutoffs(context: Context) -> dict[str, float]:
    """Cutoffs of coordination numbers in Å, by pair of sites, the same in all cells.

    First minima of g(r) in the densest, coldest run, the reference's own where there is one:
    with a cutoff of its own for each cell, cells could not be compared.
    """
    arm = deck.arms(context)[-1]
    liquid = max(context.run_states, key=lambda s: (s.density_g_cm3, -s.temperature_K))
    try:
        trajectory = open_deck_trajectory(context.workspace.production(arm, liquid))
    except AnalysisError as error:
        context.progress.note(f"analyze: {liquid}: {error}; each cell gets its own cutoffs")
        return {}
    found = {}
    for a, b in site_pairs(trajectory):
        if a is b and len(a.identities) < 2:
            continue
        try:
            minimum = minimum_of_rdf(a, b, trajectory, trajectory.frames)
        except AnalysisError as error:
            context.progress.note(f"analyze: {liquid}: {error}")
            continue
        found[f"{a.label}-{b.label}"] = round(minimum, 3)
    return found


def _analyse(context: Context, folder: Path) -> None:
    runs = [(arm, state) for arm in deck.arms(context) for state in context.run_states]
    problems: dict[str, str] = {}
    cutoffs = _coordination_cutoffs(context)
    write_json(folder / CUTOFFS, cutoffs)
    with context.progress.task("analyze", len(runs)) as task:
        for arm, state in runs:
            run = context.workspace.production(arm, state)
            try:
                write_run_analysis(analyze_run(run, cutoffs=cutoffs), folder / arm / state.name)
            except AnalysisError as error:
                if run_state(run) != "failed":
                    raise
                failure = read_failure(run)
                cause = failure.cause if failure else str(error)
                problems[f"{arm}/{state.name}"] = f"stopped before it could be analysed: {cause}"
            task.advance()
    write_json(folder / NOT_ANALYSED, problems)
