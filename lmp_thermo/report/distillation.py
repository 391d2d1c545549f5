"""Tables of students beside their teacher, from the result file of a comparison alone."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lmp_thermo.report.comparison import markdown, state_columns

QUANTITIES = {"interaction_energy": "interaction energy", "net_force": "net force"}

NOTE = (
    "RMSE over the cells of which the teacher labelled held-out frames (root mean square over "
    "cells, mean over seeds); microseconds are those of one evaluation on one core. Students were "
    "trained on the frames of the arm from scratch above them, with the teacher's labels."
)


def sections(result: Mapping[str, Any]) -> list[str]:
    """Headings and tables; none where no arm is a student."""
    if not students(result):
        return []
    return [
        "## Students and their teacher",
        teacher_line(result["teacher"]),
        students_table(result),
        NOTE,
        *(
            text
            for quantity, name in QUANTITIES.items()
            for text in (
                f"## {name.capitalize()} of students against their teacher by cell, RMSE, "
                + _unit(result, quantity),
                cells_table(result, quantity),
            )
        ),
    ]


def students(result: Mapping[str, Any]) -> list[str]:
    """Groups of arms that learned from a teacher."""
    return [
        name
        for name, cells in result["matrix"].items()
        if any("against_teacher" in cell for cell in cells.values())
    ]


def teacher_line(teacher: Mapping[str, Any]) -> str:
    """What the teacher could label."""
    trained = teacher["trained_on_frames"]
    source = "" if trained is None else f"a model trained on {trained} frames of the pool; "
    failed = teacher["failed"]
    cause = f"; first cause: {teacher['first_cause']}" if failed else ""
    return f"Teacher: {source}{teacher['labelled']} frames labelled, {failed} failed{cause}."


def students_table(result: Mapping[str, Any]) -> str:
    """The teacher, and each student below the arm from scratch of its design."""
    cells = _judged_cells(result)
    groups = dict.fromkeys(
        name
        for student in students(result)
        for name in (student.replace("-distil", ""), student)
        if name in result["matrix"]
    )
    teacher = result["others"]["teacher"]
    rows = [["teacher", _number(teacher["us_per_atom"]), *_errors(teacher["cells"], cells), ""]]
    for name in groups:
        own = [arm for arm in result["arms"].values() if arm["group"] == name]
        left_out = [arm["left_out"] for arm in own if "left_out" in arm]
        rows.append(
            [
                name,
                _number(sum(arm["us_per_atom"] for arm in own) / len(own)),
                *_errors(result["matrix"][name], cells),
                " ".join(map(str, left_out)),
            ]
        )
    heads = ["model", "µs/atom"]
    for quantity, name in QUANTITIES.items():
        unit = _unit(result, quantity)
        heads += [f"{name} against reference, {unit}", f"against teacher, {unit}"]
    return markdown([*heads, "frames left out, by seed"], rows)


def cells_table(result: Mapping[str, Any], quantity: str) -> str:
    """RMSE against the teacher's labels by cell: mean over seeds and interval."""
    rows = []
    for name, cell in result["grid"].items():
        row = state_columns(cell)
        for group in students(result):
            own = result["matrix"][group][name].get("against_teacher", {}).get(quantity)
            row.append(
                "–"
                if own is None
                else f"{own['rmse']:.3g} ({own['interval'][0]:.3g} to {own['interval'][1]:.3g})"
            )
        rows.append(row)
    return markdown(["density, g/cm³", "temperature, K", *students(result)], rows)


def _judged_cells(result: Mapping[str, Any]) -> list[str]:
    matrix = result["matrix"][students(result)[0]]
    return [name for name, cell in matrix.items() if "against_teacher" in cell]


def _errors(cells: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    found = []
    for quantity in QUANTITIES:
        found.append(_root_mean_square([cells[n].get(quantity) for n in names if n in cells]))
        against = [cells[n].get("against_teacher", {}).get(quantity) for n in names if n in cells]
        found.append(_root_mean_square(against))
    return found


def _root_mean_square(errors: Sequence[Mapping[str, Any] | None]) -> str:
    known = [own["rmse"] for own in errors if own is not None]
    if not known:
        return "–"
    return _number(math.sqrt(sum(value**2 for value in known) / len(known)))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _unit(result: Mapping[str, Any], quantity: str) -> str:
    for cells in result["matrix"].values():
        for cell in cells.values():
            if quantity in cell:
                return str(cell[quantity]["unit"])
    return ""
