"""Thermodynamic output of LAMMPS: logs written with ``thermo_modify line yaml``.

A log holds one block for each run: ``---``, ``keywords: [...]``, ``data:``, a row in brackets
for each step, ``...``. Warnings may stand between rows, and the last block of a run that goes
on, or was killed, ends anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from lmp_thermo.analysis.segments import not_superseded, segment_files
from lmp_thermo.analysis.statistics import Observable, estimate
from lmp_thermo.errors import AnalysisError

ROW = "  - ["


@dataclass(frozen=True)
class ThermoTable:
    """Columns of thermodynamic output by LAMMPS keyword, rows by increasing step.

    Args:
        columns: keyword to (n_rows,) float64, in the units of the run.
        origin: the logs they come from.
    """

    columns: dict[str, NDArray[np.float64]]
    origin: str

    def __len__(self) -> int:
        return len(self.columns["Step"])

    def __getitem__(self, keyword: str) -> NDArray[np.float64]:
        try:
            return self.columns[keyword]
        except KeyError:
            raise AnalysisError(
                f"{self.origin}: no column {keyword}, found {' '.join(self.columns)}; "
                "add it to thermo_style"
            ) from None

    @property
    def steps(self) -> NDArray[np.int64]:
        """(n_rows,) step numbers."""
        return self.columns["Step"].astype(np.int64)

    @property
    def times_ps(self) -> NDArray[np.float64]:
        """(n_rows,) simulated time in ps (metal units)."""
        return self["Time"]

    def between(self, first_step: int, last_step: int) -> "ThermoTable":
        """Rows from `first_step` to `last_step`, both included."""
        rows = (self.steps >= first_step) & (self.steps <= last_step)
        return ThermoTable({k: v[rows] for k, v in self.columns.items()}, self.origin)


def read_thermo(logs: Sequence[Path]) -> ThermoTable:
    """Read the logs of a run, given in the order they were written.

    Columns that not every block has are left out. Steps that a later block writes again
    (borders of runs, restarts) are taken from the later one.

    Raises:
        AnalysisError: a log cannot be read or has no YAML thermo rows.
    """
    blocks = [block for log in logs for block in read_blocks(log)]
    origin = ", ".join(log.name for log in logs)
    if not blocks:
        raise AnalysisError(
            f"{origin or 'no log'}: no thermodynamic output as YAML found; "
            "write logs with `thermo_modify line yaml`"
        )
    keywords = [k for k in blocks[-1] if all(k in block for block in blocks)]
    masks = not_superseded([block["Step"].astype(np.int64) for block in blocks])
    columns = {
        k: np.concatenate([block[k][mask] for block, mask in zip(blocks, masks, strict=True)])
        for k in keywords
    }
    return ThermoTable(columns, origin)


def read_run_thermo(folder: Path) -> ThermoTable:
    """Read ``log.0.lammps``, ``log.1.lammps``, ... of a deck's folder.

    Raises:
        AnalysisError: there are none, or they cannot be read.
    """
    logs = segment_files(folder, "log", "lammps")
    if not logs:
        raise AnalysisError(f"{folder}: no log.0.lammps; run the deck first")
    return read_thermo(logs)


def column_averages(table: ThermoTable) -> list[Observable]:
    """Mean of every column but Step and Time, in the units of the run.

    Estimator as in `statistics.estimate`.

    Raises:
        AnalysisError: fewer than two rows, or a value that is not finite.
    """
    return [
        estimate(values, name=keyword, unit="(run units)", origin=table.origin)
        for keyword, values in table.columns.items()
        if keyword not in ("Step", "Time")
    ]


def read_blocks(log: Path) -> list[dict[str, NDArray[np.float64]]]:
    """The blocks of one log that have rows.

    Rows are split at commas rather than parsed as YAML: PyYAML takes 1e-05 for a word and
    needs some 50 times longer.

    Raises:
        AnalysisError: the file cannot be read, or a row is corrupt.
    """
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise AnalysisError(f"{log}: cannot be read ({error.strerror})") from error
    blocks: list[dict[str, NDArray[np.float64]]] = []
    keywords: list[str] | None = None
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("keywords: [") and line.rstrip().endswith("]"):
            keywords = read_keywords(line, f"{log}:{number}")
            rows = []
        elif keywords is not None and line.startswith(ROW):
            row = read_row(line, len(keywords), number == len(lines), f"{log}:{number}")
            if row is not None:
                rows.append(row)
        elif keywords is not None and line == "...":
            blocks.append(as_columns(keywords, rows))
            keywords = None
    if keywords is not None:
        blocks.append(as_columns(keywords, rows))
    return [block for block in blocks if len(block["Step"])]


def read_keywords(line: str, place: str) -> list[str]:
    """The names of the columns, which must include Step."""
    try:
        keywords = yaml.load(line, Loader=yaml.CSafeLoader)["keywords"]
    except yaml.YAMLError as error:
        raise AnalysisError(f"{place}: keywords are no YAML list ({line[:60]!r})") from error
    if "Step" not in keywords:
        raise AnalysisError(f"{place}: no column Step, found {keywords}; add step to thermo_style")
    return [str(keyword) for keyword in keywords]


def read_row(line: str, n_columns: int, is_last: bool, place: str) -> list[float] | None:
    """The numbers of a row; None for a last line that was cut off."""
    text = line.rstrip()
    if is_last and not text.endswith("]"):
        return None
    try:
        numbers = [float(word) for word in text[len(ROW) : -1].rstrip(", ").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != n_columns or not text.endswith("]"):
        raise AnalysisError(
            f"{place}: corrupt row {text[:60]!r}, expected {n_columns} numbers in brackets"
        )
    return numbers


def as_columns(keywords: list[str], rows: list[list[float]]) -> dict[str, NDArray[np.float64]]:
    """Rows as arrays by keyword."""
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(keywords))
    return {keyword: table[:, i] for i, keyword in enumerate(keywords)}
