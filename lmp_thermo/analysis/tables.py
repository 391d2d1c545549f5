"""Results on disk: JSON for programs, CSV for people."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from lmp_thermo.analysis.run import Curve, RunAnalysis, Series
from lmp_thermo.analysis.statistics import Observable
from lmp_thermo.errors import AnalysisError


def write_run_analysis(result: RunAnalysis, folder: Path) -> None:
    """Write ``observables.json``, ``observables.csv``, and a CSV for each curve and series.

    Raises:
        AnalysisError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        summary = {
            "temperature_K": result.facts.temperature_K,
            "density_g_cm3": result.facts.density_g_cm3,
            "n_atoms": result.facts.n_atoms,
            "n_molecules": len(result.facts.molecule_sizes),
            "observables": {k: o.to_dict() for k, o in result.observables.items()},
            "molecules_intact": result.molecules_intact,
            "notes": result.notes,
        }
        text = json.dumps(summary, indent=1, allow_nan=False, ensure_ascii=False)
        (folder / "observables.json").write_text(text + "\n", encoding="utf-8")
        write_observables(result.observables.values(), folder / "observables.csv")
        for curve in result.curves.values():
            write_curve(curve, folder / f"{curve.name}.csv")
        for series in result.series.values():
            write_series(series, folder / f"series.{series.name}.csv")
    except OSError as error:
        raise AnalysisError(
            f"{folder}: cannot be written ({error.strerror}); free space or choose another"
        ) from error


def read_observables(path: Path) -> dict[str, Observable]:
    """Observables by name from an ``observables.json``.

    Raises:
        AnalysisError: missing or corrupt.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["observables"]
        return {name: Observable.from_dict(fields) for name, fields in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise AnalysisError(f"{path}: cannot be used ({reason}); analyse the run again") from error


def write_observables(observables: Iterable[Observable], path: Path) -> None:
    """One row for each observable."""
    rows = [
        [
            o.name,
            repr(o.value),
            repr(o.standard_error),
            o.unit,
            o.n_independent,
            o.converged,
            o.imposed,
            o.equilibration_skipped,
            o.origin,
        ]
        for o in observables
    ]
    header = "name value standard_error unit n_independent converged imposed equilibration_skipped"
    write_rows(path, [*header.split(), "origin"], rows)


def write_curve(curve: Curve, path: Path) -> None:
    """Columns x, y, standard error, independent samples; units in the header."""
    header = [
        f"x ({curve.x_unit})",
        f"{curve.name} ({curve.y_unit})",
        "standard_error",
        "n_independent",
    ]
    write_rows(
        path, header, np.column_stack([curve.x, curve.y, curve.y_error, curve.n_independent])
    )


def write_series(series: Series, path: Path) -> None:
    """Columns time and value; units in the header."""
    header = ["time (ps)", f"{series.name} ({series.unit})"]
    write_rows(path, header, np.column_stack([series.times_ps, series.values]))


def write_rows(path: Path, header: list[str], rows: Iterable[Iterable[object]]) -> None:
    """A CSV file with a header."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(
            [cell.item() if isinstance(cell, np.generic) else cell for cell in row] for row in rows
        )


def observable_lines(observables: Mapping[str, Observable]) -> list[str]:
    """Name and value with unit and uncertainty, aligned."""
    width = max((len(name) for name in observables), default=0)
    return [f"{name:<{width}}  {observable}" for name, observable in observables.items()]
