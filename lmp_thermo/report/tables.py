"""Tables of the page: text with the number by which a column is sorted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lmp_thermo.report.data import CellReport, ReportData, relative_error
from lmp_thermo.report.quantities import plain, quoted, spoken


@dataclass(frozen=True)
class Entry:
    """One place of a table.

    Args:
        text: shown.
        order: sorts the column; text where None.
        note: shown smaller, below.
        mark: ``passed``, ``failed``, ``open``, ``decided`` or nothing; decides the look.
    """

    text: str
    order: float | None = None
    note: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a heading (name, unit) for each column."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Entry]]


NOTHING = Entry("–", -math.inf)

ROUND_OFF = 1e-6
"""meV/atom and bar: differences of labels below it are those of the last digits of their sums."""


def cells_table(data: ReportData) -> Table:
    """Errors and verdict of every cell; the no-interaction model below each number."""
    columns = [
        ("density", "g/cm³"),
        ("temperature", "K"),
        ("verdict", ""),
        ("net force, RMSE", "meV/Å"),
        ("net force, relative", "% of rms"),
        ("same, held out", "% of rms"),
        ("interaction energy, RMSE", "meV/atom"),
        ("interaction energy, relative", "% of rms"),
        ("pressure, bias", "bar"),
        ("atomic force, RMSE", "meV/Å"),
        ("run", ""),
        ("speed", "ns/day"),
    ]
    return Table(columns, [_cell_row(cell) for cell in data.cells])


def _cell_row(cell: CellReport) -> list[Entry]:
    own, alone = cell.errors, cell.no_interaction
    return [
        *_state(cell),
        _verdict(cell),
        _rmse(own, alone, "net_force"),
        _relative(own, alone, "net_force"),
        _relative(cell.held_out, None, "net_force"),
        _rmse(own, alone, "interaction_energy"),
        _relative(own, alone, "interaction_energy"),
        _bias(own, alone),
        _rmse(own, alone, "force"),
        Entry(
            cell.run_status,
            note=cell.run_cause or "",
            mark="failed" if cell.run_status == "failed" else "",
        ),
        NOTHING if cell.ns_per_day is None else Entry(plain(cell.ns_per_day), cell.ns_per_day),
    ]


def _state(part: Any) -> list[Entry]:
    return [
        Entry(f"{part.density_g_cm3:g}", part.density_g_cm3),
        Entry(f"{part.temperature_K:g}", part.temperature_K),
    ]


def _verdict(cell: CellReport) -> Entry:
    if cell.passed is None:
        return Entry("not judged", 1.0, mark="open")
    if cell.passed:
        return Entry("passed", 2.0, mark="passed")
    failures = (cell.verdict or {}).get("failures", ())
    return Entry("failed", 0.0, note=", ".join(str(name) for name in failures), mark="failed")


def _rmse(own: Mapping[str, Any] | None, alone: Mapping[str, Any] | None, name: str) -> Entry:
    if own is None:
        return NOTHING
    value = 1000 * float(own[name]["rmse"])
    note = "" if alone is None else f"alone {plain(1000 * float(alone[name]['rmse']))}"
    return Entry(plain(value), value, note)


def _relative(own: Mapping[str, Any] | None, alone: Mapping[str, Any] | None, name: str) -> Entry:
    value = relative_error(own, name)
    if value is None:
        return NOTHING
    other = relative_error(alone, name)
    note = "" if other is None else f"alone {100 * other:.0f}"
    return Entry(plain(100 * value), value, note)


def _bias(own: Mapping[str, Any] | None, alone: Mapping[str, Any] | None) -> Entry:
    bias = (own or {}).get("molecular_pressure")
    if bias is None:
        return NOTHING
    other = (alone or {}).get("molecular_pressure")
    note = "" if other is None else f"alone {plain(other['mean'])}"
    return Entry(quoted(bias["mean"], bias["standard_error"]), abs(bias["mean"]), note)


def observables_table(data: ReportData) -> Table:
    """Every observable of every cell as value(uncertainty); what is not converged is marked."""
    units: dict[str, set[str]] = {}
    for cell in data.cells:
        for name, observable in cell.observables.items():
            units.setdefault(name, set()).add(str(observable["unit"]))
    columns = [("density", "g/cm³"), ("temperature", "K")]
    for name, own in units.items():
        only = next(iter(own)) if len(own) == 1 else "unit beside"
        columns.append((spoken(name), "" if only == "1" else only))
    rows = [
        [*_state(cell), *(_observable(cell.observables.get(n), len(units[n]) > 1) for n in units)]
        for cell in data.cells
        if cell.observables
    ]
    return Table(columns, rows)


def _observable(observable: Mapping[str, Any] | None, with_unit: bool) -> Entry:
    if observable is None:
        return NOTHING
    value = float(observable["value"])
    unit = f" {observable['unit']}" if with_unit else ""
    if observable["imposed"]:
        return Entry(f"{value:.6g}{unit}", value, note="imposed")
    text = quoted(value, observable["standard_error"]) + unit
    if observable["converged"]:
        return Entry(text, value)
    note = f"not converged, {observable['n_independent']} independent"
    return Entry(text, value, note=note, mark="open")


def summary_table(data: ReportData) -> Table:
    """What a paper quotes of every cell: verdict, errors between molecules, pressure."""
    with_reference = any(_compared(cell, "pressure") for cell in data.cells)
    columns = [
        ("density", "g/cm³"),
        ("temperature", "K"),
        ("verdict", ""),
        ("net force, RMSE", "meV/Å"),
        ("of its rms", "%"),
        ("interaction energy, RMSE", "meV/atom"),
        ("of its rms", "%"),
        ("pressure, bias", "bar"),
        ("limit", "bar"),
        ("pressure", "bar"),
        *([("reference's own run", "bar")] if with_reference else []),
    ]
    return Table(columns, [_summary_row(cell, with_reference) for cell in data.cells])


def _summary_row(cell: CellReport, with_reference: bool) -> list[Entry]:
    own, alone = cell.errors, cell.no_interaction
    limits = [
        check["limit"]
        for check in (cell.verdict or {}).get("checks", ())
        if check["name"] == "bias of pressure" and check["limit"] is not None
    ]
    other = _compared(cell, "pressure")
    return [
        *_state(cell),
        _verdict(cell),
        _rmse(own, alone, "net_force"),
        _relative(own, None, "net_force"),
        _rmse(own, alone, "interaction_energy"),
        _relative(own, None, "interaction_energy"),
        _bias(own, alone),
        Entry(plain(limits[0]), limits[0]) if limits else NOTHING,
        _observable(cell.observables.get("pressure"), False),
        *(
            [NOTHING if other is None else Entry(quoted(*other), other[0])]
            if with_reference
            else []
        ),
    ]


def _compared(cell: CellReport, name: str) -> tuple[float, float] | None:
    """The reference's own value of an observable and its standard error."""
    for own in cell.comparisons:
        if own["name"] == name:
            of_both, of_one = own["standard_error"], cell.observables[name]["standard_error"]
            return float(own["reference"]), math.sqrt(max(of_both**2 - of_one**2, 0.0))
    return None


def markdown(table: Table) -> str:
    """A table for a README or an electronic notebook; notes stand in brackets."""

    def line(entries: Sequence[str]) -> str:
        return "| " + " | ".join(text.replace("|", "/") for text in entries) + " |"

    heads = [f"{name}, {unit}" if unit else name for name, unit in table.columns]
    return (
        "\n".join(
            [
                line(heads),
                line(["---"] * len(heads)),
                *(line([_marked(entry) for entry in row]) for row in table.rows),
            ]
        )
        + "\n"
    )


def _marked(entry: Entry) -> str:
    text = f"**{entry.text}**" if entry.mark == "decided" else entry.text
    return f"{text} ({entry.note})" if entry.note else text


def finite_size_table(data: ReportData) -> Table:
    """What a doubled box changes in a label, and how far its pressure is from its energies."""
    columns = [
        ("density", "g/cm³"),
        ("temperature", "K"),
        ("shortest edge", "Å"),
        ("energy", "meV/atom"),
        ("pressure", "bar"),
        ("virial less energies", "bar"),
    ]
    rows = []
    for row in data.finite_size:
        note = "" if row.complete else "not all doubled boxes could be labelled"
        rows.append(
            [
                *_state(row),
                Entry(f"{row.edge_A:.1f}", row.edge_A),
                _change(row.energy_meV_atom, note),
                _change(row.pressure_bar),
                _change(row.contradiction_bar),
            ]
        )
    return Table(columns, rows)


def _change(value: float | None, note: str = "") -> Entry:
    """A difference of two labels; what is left of it by round-off reads 0."""
    if value is None:
        return NOTHING
    return Entry("0" if abs(value) < ROUND_OFF else plain(value), value, note)


def bought_table(data: ReportData) -> Table:
    """Labels that a curriculum bought in each cell, round by round."""
    columns = [
        ("density", "g/cm³"),
        ("temperature", "K"),
        ("labels", ""),
        ("by round", ""),
        ("expected score", "before each round"),
    ]
    rows = [
        [
            *_state(row),
            Entry(str(sum(row.labels)), sum(row.labels)),
            Entry(" + ".join(map(str, row.labels))),
            Entry(", ".join(map(plain, row.scores)), row.scores[-1]) if row.scores else NOTHING,
        ]
        for row in data.bought
    ]
    return Table(columns, rows)


def sampling_table(data: ReportData) -> Table:
    """How far apart in time frames were drawn, and how far they had to be."""
    columns = [
        ("round", ""),
        ("density", "g/cm³"),
        ("temperature", "K"),
        ("frames", ""),
        ("origin", ""),
        ("spacing", "ps"),
        ("needed", "ps"),
        ("decorrelated", ""),
    ]
    rows = []
    for row in data.sampling:
        answer = {True: "yes", False: "no", None: "–"}[row.decorrelated]
        rows.append(
            [
                Entry(str(row.number), row.number),
                *_state(row),
                Entry(str(row.frames), row.frames),
                Entry(row.origin, note=row.stopped or ""),
                _time(row.spacing_ps),
                _time(row.inefficiency_ps),
                Entry(answer, mark="open" if row.decorrelated is False else ""),
            ]
        )
    return Table(columns, rows)


def _time(picoseconds: float | None) -> Entry:
    return NOTHING if picoseconds is None else Entry(plain(picoseconds), picoseconds)


def failures_table(data: ReportData) -> Table:
    """What failed, and why."""
    rows = [[Entry(row.stage), Entry(row.item), Entry(row.cause)] for row in data.failures]
    return Table([("stage", ""), ("item", ""), ("cause", "")], rows)
