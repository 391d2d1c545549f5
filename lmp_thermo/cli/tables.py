"""Tables for people, on standard output."""

from collections.abc import Sequence

from lmp_thermo.analysis.statistics import Observable, format_observable
from lmp_thermo.progress import duration
from lmp_thermo.stages import StepState, Study

ON_THE_PAGE = ("where the worst seed fails most", "of cells to spend on")
"""Columns for which a terminal is too narrow."""


def observables_table(study: Study) -> None:
    """Observables and verdict of every state point."""
    cells = study.validation()
    shown = ("pressure", "potential_energy", "energy_drift")
    rows = [("density g/cm3", "T K", *(name.replace("_", " ") for name in shown), "verdict")]
    for name, observables in study.observables().items():
        cell = cells[name]
        failures = cell["verdict"]["failures"]
        rows.append(
            (
                f"{cell['density_g_cm3']:g}",
                f"{cell['temperature_K']:g}",
                *(
                    format_observable(Observable.from_dict(observables[key]))
                    if key in observables
                    else "-"
                    for key in shown
                ),
                "passed" if not failures else "fails: " + ", ".join(failures),
            )
        )
    _print(rows)
    passed = sum(cell["verdict"]["passed"] for cell in cells.values())
    print(f"{passed} of {len(cells)} cells passed")


def comparison_table(study: Study) -> None:
    """All arms of a comparison by group, and what the comparison found."""
    from lmp_thermo.report.comparison_tables import arms_table
    from lmp_thermo.report.comparison_verdict import verdict
    from lmp_thermo.report.result import Result

    result = Result.model_validate(study.comparison())
    table = arms_table(result)
    shown = [place for place, (name, _) in enumerate(table.columns) if name not in ON_THE_PAGE]
    heads = [f"{name}, {unit}" if unit else name for name, unit in table.columns]
    rows = [tuple(heads[place] for place in shown)]
    rows += [tuple(row[place].text for place in shown) for row in table.rows]
    _print(rows)
    print(verdict(result).meaning)


def status_table(study: Study, states: list[StepState]) -> None:
    """Every step, its state, the time it took; then what is refused or failed, and why."""
    rows = [("step", "state", "time")]
    rows += [(s.step, s.state, "" if s.seconds is None else duration(s.seconds)) for s in states]
    _print(rows)
    for why in dict.fromkeys(s.why for s in states if s.why):
        print(f"refused: {why}")
    failed = study.failed_runs()
    if failed:
        print()
        _print([("failed run", "cause"), *failed.items()])


def plan_table(study: Study) -> None:
    """What a run would do, with counts and an estimate of cost."""
    rows = [("step", "state", "work", "estimate")]
    total = 0.0
    for planned in study.plan():
        total += planned.seconds
        estimate = duration(planned.seconds) if planned.seconds else ""
        rows.append((planned.step, planned.state, planned.work, estimate))
    _print(rows)
    print(f"about {duration(total)} on this machine")


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
