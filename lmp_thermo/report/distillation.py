"""Tables of students beside their teacher."""

import math
from collections.abc import Iterable

from lmp_thermo.report.page import Section
from lmp_thermo.report.quantities import plain, quoted
from lmp_thermo.report.result import Result
from lmp_thermo.report.result_parts import Error
from lmp_thermo.report.tables import NOTHING, Entry, Table

QUANTITIES = {"interaction_energy": "interaction energy", "net_force": "net force"}

NOTE = (
    "RMSE over the cells of which the teacher labelled held-out frames: root mean square over "
    "cells, mean over seeds. Speed: one evaluation on one core. Students were trained on the "
    "frames of the arm from scratch above them, with the teacher's labels; frames that it could "
    "not label were left out."
)


def sections(result: Result) -> list[Section]:
    """The tables; none where no arm is a student."""
    if not students(result):
        return []
    return [
        Section("Students and their teacher", f"{_teacher(result)}{NOTE}", students_table(result)),
        *(
            Section(
                f"{name.capitalize()} of students against their teacher by cell, RMSE, "
                f"{result.units.get(quantity, '')}",
                "Value(standard error in the last digits), mean over seeds.",
                cells_table(result, quantity),
                folded=True,
            )
            for quantity, name in QUANTITIES.items()
        ),
    ]


def students(result: Result) -> list[str]:
    """Groups of arms that learned from a teacher."""
    return [
        name
        for name in result.groups
        if any(arm.left_out is not None for arm in result.of_group(name).values())
    ]


def students_table(result: Result) -> Table:
    """The teacher, and each student below the arm from scratch of its design."""
    columns = [("model", ""), ("speed", "µs/atom")]
    for quantity, name in QUANTITIES.items():
        unit = result.units.get(quantity, "")
        columns += [(f"{name} against reference", unit), (f"{name} against teacher", unit)]
    columns.append(("frames left out", "by seed"))
    first = result.matrix[students(result)[0]]
    names = [name for name, cell in first.items() if cell.against_teacher]
    rows = []
    teacher = result.others.get("teacher")
    if teacher is not None:
        row = [Entry("teacher"), _number(teacher.us_per_atom)]
        for quantity in QUANTITIES:
            own = [teacher.cells[name] for name in names if name in teacher.cells]
            row += [
                _root_mean_square(cell.errors.get(quantity) for cell in own),
                _root_mean_square(cell.against_teacher.get(quantity) for cell in own),
            ]
        rows.append([*row, NOTHING])
    for group in dict.fromkeys(
        name
        for student in students(result)
        for name in (student.replace("-distil", ""), student)
        if name in result.matrix
    ):
        arms = result.of_group(group).values()
        speeds = [arm.us_per_atom for arm in arms if arm.us_per_atom is not None]
        left_out = [str(arm.left_out) for arm in arms if arm.left_out is not None]
        row = [Entry(group), _number(sum(speeds) / len(speeds) if speeds else None)]
        for quantity in QUANTITIES:
            judged = [result.matrix[group][name] for name in names]
            row += [
                _root_mean_square(cell.errors.get(quantity) for cell in judged),
                _root_mean_square(cell.against_teacher.get(quantity) for cell in judged),
            ]
        rows.append([*row, Entry(" ".join(left_out)) if left_out else NOTHING])
    return Table(columns, rows)


def cells_table(result: Result, quantity: str) -> Table:
    """RMSE against the teacher's labels by cell."""
    groups = students(result)
    rows = []
    for name, cell in result.grid.items():
        row = [
            Entry(f"{cell.density_g_cm3:g}", cell.density_g_cm3),
            Entry(f"{cell.temperature_K:g}", cell.temperature_K),
        ]
        for group in groups:
            own = result.matrix[group][name].against_teacher.get(quantity)
            row.append(
                NOTHING if own is None else Entry(quoted(own.rmse, own.standard_error), own.rmse)
            )
        rows.append(row)
    heads = [("density", "g/cm³"), ("temperature", "K")]
    return Table([*heads, *((group, "") for group in groups)], rows)


def _teacher(result: Result) -> str:
    """What the teacher could label."""
    own = result.teacher
    if own is None:
        return ""
    trained = own.trained_on_frames
    source = "" if trained is None else f"a model trained on {trained} frames of the pool; "
    cause = f"; first cause: {own.first_cause}" if own.failed else ""
    return f"Teacher: {source}{own.labelled} frames labelled, {own.failed} failed{cause}. "


def _root_mean_square(errors: Iterable[Error | None]) -> Entry:
    known = [own.rmse for own in errors if own is not None]
    if not known:
        return NOTHING
    return _number(math.sqrt(sum(value**2 for value in known) / len(known)))


def _number(value: float | None) -> Entry:
    return NOTHING if value is None else Entry(plain(value), value)
