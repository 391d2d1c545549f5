"""The verdict over the whole grid, in words."""

from dataclasses import dataclass

from lmp_thermo.report.data import CellReport, ReportData, relative_error

LISTED = 8
"""Failed cells named in full; more are counted."""


@dataclass(frozen=True)
class Banner:
    """What stands at the top of the page.

    Args:
        kind: ``good`` (all cells passed), ``mixed``, ``bad`` (none passed) or ``open`` (not all
            judged); decides the colour.
        count: for example ``17 of 20 cells passed``.
        meaning: where the potential may be trusted.
        failed: failed cells, each with what failed.
        notes: the worst cell, the no-interaction model, what is not converged.
    """

    kind: str
    count: str
    meaning: str
    failed: tuple[str, ...]
    notes: tuple[str, ...]


def banner(data: ReportData) -> Banner:
    """The verdict of the study."""
    judged = [cell for cell in data.cells if cell.passed is not None]
    passed = [cell for cell in judged if cell.passed]
    failed = [f"{cell}: {_failures(cell)}" for cell in judged if not cell.passed]
    if len(failed) > LISTED:
        more = len(failed) - LISTED
        failed = [*failed[:LISTED], f"and {more} more, see the table of cells"]
    count = f"{len(passed)} of {len(data.cells)} cells passed"
    if not judged:
        kind, count = "open", "No cell judged yet"
        meaning = (
            "The potential's own runs have not been relabelled by the reference: nothing says yet "
            "where it may be trusted."
        )
    elif len(judged) < len(data.cells):
        kind = "open"
        meaning = f"{len(data.cells) - len(judged)} cells are not judged yet. {_trust(passed)}"
    elif len(passed) == len(judged):
        kind, meaning = "good", _trust(passed)
    else:
        kind, meaning = ("mixed" if passed else "bad"), _trust(passed)
    return Banner(kind, count, meaning, tuple(failed), tuple(_notes(data)))


def _trust(passed: list[CellReport]) -> str:
    if not passed:
        return "There is no state point at which the potential may be trusted."
    densities = sorted({cell.density_g_cm3 for cell in passed})
    temperatures = sorted({cell.temperature_K for cell in passed})
    return (
        f"Trust it at the state points that passed, {_range(densities)} g/cm³ and "
        f"{_range(temperatures)} K; between passed neighbours it interpolates, beyond them it "
        "extrapolates."
    )


def _range(values: list[float]) -> str:
    return f"{values[0]:g}" if len(values) == 1 else f"{values[0]:g} to {values[-1]:g}"


def _failures(cell: CellReport) -> str:
    if cell.run_status == "failed":
        return f"its run failed ({cell.run_cause or 'no cause recorded'})"
    names = (cell.verdict or {}).get("failures") or ["no gate named"]
    return ", ".join(str(name) for name in names)


def _notes(data: ReportData) -> list[str]:
    notes = []
    errors = [
        (relative, cell)
        for cell in data.cells
        if cell.errors is not None
        and cell.net_force_counts
        and (relative := relative_error(cell.errors, "net_force")) is not None
    ]
    if errors:
        worst, cell = max(errors, key=lambda pair: pair[0])
        notes.append(
            f"Largest net-force error: {100 * worst:.0f} % of its rms (limit "
            f"{100 * data.net_force_limit:g} %), at {cell}."
        )
    alone = [c.no_interaction_verdict for c in data.cells if c.no_interaction_verdict is not None]
    if alone:
        fails = sum(not verdict["passed"] for verdict in alone)
        notes.append(
            f"The no-interaction model, in which every molecule is alone, fails {fails} of "
            f"{len(alone)} of the same cells."
        )
    observables = [o for cell in data.cells for o in cell.observables.values()]
    open_ones = sum(not o["converged"] for o in observables)
    if open_ones:
        notes.append(
            f"{open_ones} of {len(observables)} observables are not converged (fewer than 20 "
            "independent samples); they are marked and not to be quoted."
        )
    return notes
