"""Tables of a comparison by cell, and by where cells lie as seen from the labels."""

import math
from collections.abc import Mapping, Sequence

from lmp_thermo.report.page import Section
from lmp_thermo.report.quantities import plain, quoted
from lmp_thermo.report.result import Result
from lmp_thermo.report.result_parts import Cell, Error, Judged, JudgedOnce
from lmp_thermo.report.tables import NOTHING, Entry, Table
from lmp_thermo.states import Place

MATRIX = {
    "interaction_energy": "Interaction energy",
    "net_force": "Net force on molecules",
    "torque": "Torque on molecules",
    "energy": "Energy",
    "force": "Force on atoms",
    "stress": "Stress",
}
"""Quantities in the order of their tables: what acts between molecules comes first."""

BY_REGION = ("interaction_energy", "net_force")

SAME_FOR_ATOMS = {"energy": "interaction_energy", "force": "net_force"}
"""Of molecules that are single atoms, these are the same."""

UNREFERENCED = "energy"
"""Has a zero of its own, so that an error relative to it means nothing."""

REGIONS = (
    "Mean over seeds, then geometric mean over the cells of a region. Below or in brackets: the "
    "same as a share of the rms of each cell's labels, and the number of cells. Density: no label "
    "was spent at any cell of that density; temperature, both: likewise; combination: only on "
    "others of that density and of that temperature. Inside: between the lowest and the highest "
    "density and temperature on which labels were spent. Regions hold other cells for other arms, "
    "and errors grow with density: compare shares. An error of zero has no part in a mean."
)

MARKS = {"in": " •", "interpolated": " i", "extrapolated": ""}


def sections(result: Result) -> list[Section]:
    """All tables by region and by cell."""
    return [
        *(
            Section(
                f"{MATRIX[quantity]} by region, RMSE, {result.units.get(quantity, '')}",
                REGIONS if quantity == BY_REGION[0] else "",
                regions_table(result, quantity),
            )
            for quantity in BY_REGION
        ),
        Section(
            "Where each cell lies",
            "As seen from the cells on which an arm's labels were spent. Of seeds that spent on "
            "different cells, the farthest counts.",
            places_table(result),
            folded=True,
        ),
        *(
            Section(
                f"{title} by cell, RMSE, {result.units.get(quantity, '')}",
                _matrix_text(quantity),
                matrix_table(result, quantity),
                folded=True,
            )
            for quantity, title in MATRIX.items()
            if _has(result, quantity)
        ),
        Section(
            "Bias of the pressure by cell, bar",
            "Mean over seeds of the bias of the molecular virial's pressure (standard error in the "
            "last digits, where the result has it: bootstrap over frames and seeds); below or in "
            "brackets: ± standard deviation over seeds.",
            pressure_table(result),
            folded=True,
        ),
        Section(
            "Score by cell",
            "Mean over seeds. Below or in brackets: how many of them pass.",
            scores_table(result),
            folded=True,
        ),
    ]


def _matrix_text(quantity: str) -> str:
    relative = (
        "(a share of the total energy's rms would mean nothing, for its zero is arbitrary: see "
        "the interaction energy)"
        if quantity == UNREFERENCED
        else "RMSE as a share of the rms of the labels"
    )
    return (
        "Value(standard error in the last digits), mean over seeds; the standard error is that of "
        "the bootstrap over frames and seeds. •: labels were spent there; i: interpolated between "
        f"such cells; all others are extrapolated. Below or in brackets: MAE; {relative}; ± "
        "standard deviation over seeds."
    )


def regions_table(result: Result, quantity: str) -> Table:
    """Errors of each group over the cells of each region, and of all models over all cells."""
    found = {place for own in result.places.values() for place in own.values()}
    places = sorted(found, key=lambda place: place.distance)
    rows = []
    for group in result.groups:
        row = [Entry(group)]
        for place in places:
            there = {
                name: cell
                for name, cell in result.matrix[group].items()
                if result.places[group][name] == place
            }
            row.append(_typical(_errors(there, quantity)))
        row.append(_typical(_errors(result.matrix[group], quantity)))
        rows.append(row)
    for name, other in result.others.items():
        nowhere = [NOTHING] * len(places)
        rows.append([Entry(name), *nowhere, _typical(_errors(other.cells, quantity))])
    columns = [*((str(place), "") for place in places), ("all cells", "")]
    return Table([("arm", ""), *columns], rows)


def _errors(cells: Mapping[str, Judged] | Mapping[str, JudgedOnce], quantity: str) -> list[Error]:
    found = [cell.errors.get(quantity) for cell in cells.values()]
    return [error for error in found if error is not None and error.rmse > 0]


def _typical(errors: Sequence[Error]) -> Entry:
    """Geometric mean; of cells without any error there is none."""
    if not errors:
        return NOTHING
    value, rms = (
        math.exp(sum(map(math.log, own)) / len(own))
        for own in ([e.rmse for e in errors], [e.rms for e in errors])
    )
    cells = f"{len(errors)} cell{'' if len(errors) == 1 else 's'}"
    return Entry(plain(value), value, f"{plain(100 * value / rms)} %, {cells}")


def places_table(result: Result) -> Table:
    """Where each cell lies; a column for all groups that spent on the same cells."""
    alike: dict[tuple[Place, ...], list[str]] = {}
    for group, places in result.places.items():
        alike.setdefault(tuple(places.values()), []).append(group)
    rows = [
        [*_state(cell), *(Entry(str(places[number])) for places in alike)]
        for number, cell in enumerate(result.grid.values())
    ]
    return _by_cell([", ".join(groups) for groups in alike.values()], rows)


def matrix_table(result: Result, quantity: str) -> Table:
    """RMSE of one quantity by cell and group, with what was judged without training."""
    rows = []
    for name, cell in result.grid.items():
        row = _state(cell)
        for group in result.groups:
            error = result.matrix[group][name].errors.get(quantity)
            mark = MARKS[result.places[group][name].region]
            row.append(
                NOTHING
                if error is None
                else Entry(
                    quoted(error.rmse, error.standard_error) + mark,
                    error.rmse,
                    _beside(error, quantity),
                )
            )
        for other in result.others.values():
            error = other.cells[name].errors.get(quantity) if name in other.cells else None
            row.append(
                NOTHING
                if error is None
                else Entry(
                    quoted(error.rmse, error.standard_error), error.rmse, _beside(error, quantity)
                )
            )
        rows.append(row)
    return _by_cell([*result.groups, *result.others], rows)


def _beside(error: Error, quantity: str) -> str:
    """What else is known of an error."""
    parts = [plain(error.mae)]
    if quantity != UNREFERENCED and error.relative is not None:
        parts.append(f"{plain(100 * error.relative)} %")
    if error.spread is not None:
        parts.append(f"±{plain(error.spread)}")
    return ", ".join(parts)


def pressure_table(result: Result) -> Table:
    """Bias of the pressure by cell and group."""
    rows = []
    for name, cell in result.grid.items():
        row = _state(cell)
        for group in result.groups:
            bias = result.matrix[group][name].pressure_bias_bar
            note = "" if bias.spread is None else f"±{plain(bias.spread)}"
            row.append(Entry(_within(bias.mean, bias.standard_error), abs(bias.mean), note))
        for other in result.others.values():
            own = other.cells.get(name)
            row.append(
                NOTHING
                if own is None
                else Entry(
                    _within(own.pressure_bias_bar, own.pressure_bias_error_bar),
                    abs(own.pressure_bias_bar),
                )
            )
        rows.append(row)
    return _by_cell([*result.groups, *result.others], rows)


def _within(value: float, error: float | None) -> str:
    return plain(value) if error is None else quoted(value, error)


def scores_table(result: Result) -> Table:
    """Score by cell and group, with the seeds that passed."""
    rows = []
    for name, cell in result.grid.items():
        row = _state(cell)
        for group in result.groups:
            judged = result.matrix[group][name]
            passed, n = sum(judged.passed), len(judged.passed)
            mark = "passed" if passed == n else "failed" if passed == 0 else "open"
            note = f"{passed}/{n}" if n > 1 else ""
            row.append(Entry(f"{judged.score.mean:.2g}", judged.score.mean, note, mark))
        for other in result.others.values():
            own = other.cells.get(name)
            row.append(
                NOTHING
                if own is None
                else Entry(f"{own.score:.2g}", own.score, mark="passed" if own.passed else "failed")
            )
        rows.append(row)
    return _by_cell([*result.groups, *result.others], rows)


def _by_cell(names: Sequence[str], rows: Sequence[Sequence[Entry]]) -> Table:
    heads = [("density", "g/cm³"), ("temperature", "K")]
    return Table([*heads, *((name, "") for name in names)], rows)


def _state(cell: Cell) -> list[Entry]:
    return [
        Entry(f"{cell.density_g_cm3:g}", cell.density_g_cm3),
        Entry(f"{cell.temperature_K:g}", cell.temperature_K),
    ]


def _has(result: Result, quantity: str) -> bool:
    """Whether any cell has it, and has not the same as another quantity."""
    judged = [cell for cells in result.matrix.values() for cell in cells.values()]
    other = SAME_FOR_ATOMS.get(quantity, "")
    return any(
        cell.errors[quantity] != cell.errors.get(other)
        for cell in judged
        if quantity in cell.errors
    )
