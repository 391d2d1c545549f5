"""Tables of a comparison: arms, designs seed by seed, and the coverage matrix by quantity."""

import math
from collections.abc import Sequence

from lmp_thermo.report import comparison_cells, distillation
from lmp_thermo.report.comparison_verdict import headline_pair
from lmp_thermo.report.page import Section
from lmp_thermo.report.quantities import plain
from lmp_thermo.report.result import Result
from lmp_thermo.report.result_parts import SIGNIFICANT, ArmVerdict, Interval, PairedTest, Run
from lmp_thermo.report.tables import NOTHING, Entry, Table

COMPARED = {"interaction_energy": "interaction energy", "net_force": "net force"}
"""Quantities of the matrix whose ratios are shown density by density."""


def sections(result: Result) -> list[Section]:
    """All tables that there are data for."""
    found = [
        Section(
            "Arms",
            "Cells that pass every gate, mean over seeds. The score of a cell is its largest "
            "error over that error's limit; its intermolecular error the larger of net force and "
            "interaction energy over theirs, without the bias of the pressure. Off/in: root mean "
            "square error of the interaction energy over cells on which no label was spent, over "
            "that of the others. Below or in brackets: from the least to the largest of the seeds.",
            arms_table(result),
        ),
        Section(
            "What the arms were trained on",
            "Diversity: mean Wasserstein-1 distance between the coordination numbers of an arm's "
            "frames. Covered: share of the grid's environments that are not rare in them. Speed: "
            "one evaluation on one core.",
            training_table(result),
        ),
        Section(
            "How far density and temperature move coordination numbers",
            "Wasserstein-1 distance between the coordination numbers of the ends of the grid's "
            "rows, mean over rows, and the same for each unit of the logarithm of density or "
            "temperature; in brackets its 95 % interval (bootstrap over frames). "
            + _cutoff(result),
            coordination_table(result),
        ),
        *_paired(result),
        *_along_density(result),
        *comparison_cells.sections(result),
        Section(
            "Rounds of the curriculum",
            "Labels bought in each round, and the largest score of any cell to spend on that the "
            "committee expected before; last, what the final model has there.",
            curriculum_table(result),
            folded=True,
        ),
        Section(
            "Runs with the arms' potentials",
            "Frames of these runs were labelled again and judged. Pressure: difference from the "
            "reference's own run in combined standard errors. RDF: mean absolute difference of "
            "g(r). Coordination: Wasserstein-1 distance, neighbours. By chance: what two runs with "
            "one potential would show, by the standard errors of both. A pressure that is not "
            "judged: the runs are too short to tell whether it is within its limit.",
            runs_table(result),
        ),
        *distillation.sections(result),
    ]
    return [section for section in found if section.table.rows]


def _cutoff(result: Result) -> str:
    response = result.environments.response
    if response is None:
        return ""
    return f"Neighbours within {response.cutoff.value_A:.3g} Å: {response.cutoff.source}."


def coordination_table(result: Result) -> Table:
    """Response of hard and smooth coordination numbers to density and to temperature."""
    columns = [
        ("count", ""),
        ("distance", "neighbours"),
        ("along density", ""),
        ("along temperature", ""),
        ("ratio", ""),
    ]
    rows = []
    for count, own in (
        ("hard", result.environments.response),
        ("smooth", result.environments.response_smooth),
    ):
        if own is None:
            continue
        for name, spoken, ratio in (
            ("span", "from end to end", own.ratio_span),
            ("per_log", "per unit of the logarithm", own.ratio_per_log),
        ):
            along = [
                None if axis is None else getattr(axis, name)
                for axis in (own.density, own.temperature)
            ]
            rows.append([Entry(count), Entry(spoken), *map(_interval, along), _interval(ratio)])
    return Table(columns, rows)


def _interval(own: Interval | None) -> Entry:
    if own is None:
        return NOTHING
    if own.value is None or own.high is None:
        return Entry(f"above {own.low:.3g}", own.low)
    return Entry(f"{own.value:.3g} ({own.low:.3g} to {own.high:.3g})", own.value)


def _paired(result: Result) -> list[Section]:
    text = (
        "Error of the arm above the stroke over error of the arm below it: below 1 the upper arm "
        "is the better one. An RMSE over several cells is their geometric mean: every cell counts "
        "the same, from gas to liquid. Geometric mean over seeds with its 95 % interval (Student's "
        "t on logarithms); p: exact two-sided sign-flip test, not corrected for the number of "
        "comparisons. "
    )
    return [
        Section(
            f"Seed by seed: {quantity}",
            "" if place else text + _decided_by(result),
            tests_table(result, quantity),
        )
        for place, quantity in enumerate(dict.fromkeys(test.quantity for test in result.tests))
    ]


def _along_density(result: Result) -> list[Section]:
    pair = headline_pair(result)
    if pair is None:
        return []
    return [
        Section(
            f"Density by density: {pair[0]} over {pair[1]}",
            "RMSE, mean over seeds, of the first over that of the second; geometric mean over "
            "the temperatures of a density. A description, without intervals. •: the first, or "
            "both, spent labels at this density.",
            along_density_table(result, *pair),
        )
    ]


def along_density_table(result: Result, first: str, second: str) -> Table:
    """Ratio of two groups' errors at each density, a column for each quantity."""
    ratios: dict[str, dict[float, list[float]]] = {}
    for name, own in result.matrix[first].items():
        density = result.grid[name].density_g_cm3
        for quantity in COMPARED:
            pair = (own.errors.get(quantity), result.matrix[second][name].errors.get(quantity))
            if pair[0] is not None and pair[1] is not None and pair[0].rmse * pair[1].rmse > 0:
                logarithm = math.log(pair[0].rmse / pair[1].rmse)
                ratios.setdefault(quantity, {}).setdefault(density, []).append(logarithm)
    spent = {
        result.grid[name].density_g_cm3
        for name, own in result.matrix[first].items()
        if own.region == "in"
    }
    rows = []
    for density in result.densities_g_cm3:
        rows.append([Entry(f"{density:g}{' •' if density in spent else ''}", density)])
        for by_density in ratios.values():
            at = by_density.get(density)
            rows[-1].append(NOTHING if not at else _number(math.exp(sum(at) / len(at))))
    return Table([("density", "g/cm³"), *((COMPARED[q], "ratio") for q in ratios)], rows)


def _decided_by(result: Result) -> str:
    if result.smallest_p > SIGNIFICANT:
        return (
            f"With so few seeds p cannot fall below {result.smallest_p:g}: no difference is "
            "decided."
        )
    return f"Bold: the interval leaves 1 out and p is at most {SIGNIFICANT:g}."


def arms_table(result: Result) -> Table:
    """A row for each group of arms, and for what was judged without training."""
    columns = [
        ("arm", ""),
        ("seeds", ""),
        ("cells passed", f"of {len(result.grid)}"),
        ("worst score", ""),
        ("of cells to spend on", ""),
        ("worst intermolecular error", "of its limit"),
        ("where the worst seed fails most", ""),
        ("pressure bias, largest", "bar"),
        ("off/in", ""),
    ]
    rows = []
    for group in result.groups:
        own = list(result.of_group(group).values())
        worst = max(own, key=lambda arm: arm.worst.score).worst
        ratios = [r for arm in own if (r := arm.off_over_in.get("interaction_energy")) is not None]
        passed = result.passes(group)
        rows.append(
            [
                Entry(group),
                Entry(str(len(own)), len(own)),
                Entry(f"{passed:.1f}" if len(own) > 1 else f"{passed:.0f}", passed),
                _spread([arm.worst.score for arm in own]),
                _spread([arm.worst_to_spend_on.score for arm in own]),
                _spread([e for arm in own if (e := arm.worst_intermolecular) is not None]),
                Entry(result.state(worst.state), note=worst.gate),
                _spread([arm.worst_pressure_bias_bar for arm in own]),
                _spread(ratios),
            ]
        )
    for name, other in result.others.items():
        cells = other.cells
        if not cells:
            continue
        state = max(cells, key=lambda cell: cells[cell].score)
        passed = sum(cell.passed for cell in cells.values())
        bias = max(abs(cell.pressure_bias_bar) for cell in cells.values())
        between = [e for c in cells.values() if (e := c.intermolecular_score) is not None]
        of = "" if len(cells) == len(result.grid) else f"of {len(cells)}"
        rows.append(
            [
                Entry(name),
                NOTHING,
                Entry(str(passed), passed, note=of),
                Entry(plain(cells[state].score), cells[state].score),
                NOTHING,
                _number(max(between, default=None)),
                Entry(result.state(state), note=cells[state].binding),
                Entry(plain(bias), bias),
                NOTHING,
            ]
        )
    told = [k for k in range(len(columns)) if any(row[k] is not NOTHING for row in rows)]
    return Table([columns[k] for k in told], [[row[k] for k in told] for row in rows])


def training_table(result: Result) -> Table:
    """What each group spent, on how many cells, and what its frames have seen."""
    columns = [
        ("arm", ""),
        ("spent", result.settings.comparison.budget_unit),
        ("cells", ""),
        ("diversity", "neighbours"),
        ("covered", "%"),
        ("speed", "µs/atom"),
    ]
    rows = []
    for group in result.groups:
        own = result.of_group(group)
        seen = [result.environments.arms[name] for name in own if name in result.environments.arms]
        trained = {cell for arm in own.values() for cell in arm.frames}
        rows.append(
            [
                Entry(group),
                _mean([arm.spent for arm in own.values()], "{:g}"),
                Entry(str(len(trained)), len(trained)),
                _mean([s.diversity.mean_distance for s in seen], "{:.2f}"),
                _mean([100 * s.coverage.mean for s in seen], "{:.0f}"),
                _speed(list(own.values())),
            ]
        )
    for name, other in result.others.items():
        if other.us_per_atom is not None:
            speed = Entry(plain(other.us_per_atom), other.us_per_atom)
            rows.append([Entry(name), Entry("0", 0), NOTHING, NOTHING, NOTHING, speed])
    return Table(columns, rows)


def tests_table(result: Result, quantity: str) -> Table:
    """Paired tests of one quantity: a row for each pair, a column for each group of cells."""
    own = [test for test in result.tests if test.quantity == quantity]
    wheres = list(dict.fromkeys(test.cells for test in own))
    found = {(test.first, test.second, test.cells): test for test in own}
    rows = [
        [Entry(f"{second} / {first}"), *(_test(found.get((first, second, w))) for w in wheres)]
        for first, second in dict.fromkeys((test.first, test.second) for test in own)
    ]
    return Table([("arms", ""), *((where, "") for where in wheres)], rows)


def curriculum_table(result: Result) -> Table:
    """A row for each adaptive arm and round, and one for what came of them."""
    columns = [("arm", ""), ("round", ""), ("labels", ""), ("worst score", "")]
    rows = []
    for name, rounds in result.curriculum.items():
        for number, own in enumerate(rounds):
            worst = max(own.scores.values(), default=None)
            bought = sum(own.bought.values())
            rows.append(
                [
                    Entry(name),
                    Entry("start" if number == 0 else str(number), number),
                    Entry(str(bought), bought, own.stopped or ""),
                    NOTHING if worst is None else Entry(plain(worst), worst),
                ]
            )
        arm = result.arms[name]
        found, total = arm.worst_to_spend_on.score, sum(arm.frames.values())
        rows.append(
            [
                Entry(name),
                Entry("final model", len(rounds)),
                Entry(str(total), total, "in all"),
                Entry(plain(found), found),
            ]
        )
    return Table(columns, rows)


def runs_table(result: Result) -> Table:
    """A row for each run with an arm's potential."""
    columns = [
        ("arm", ""),
        ("state point", ""),
        ("run", ""),
        ("verdict", ""),
        ("pressure", "standard errors"),
        ("RDF", ""),
        ("coordination", "neighbours"),
    ]
    rows = []
    for arm, runs in result.runs.items():
        for state, run in runs.items():
            sigmas = None if run.pressure is None else run.pressure.sigmas
            rows.append(
                [
                    Entry(arm),
                    Entry(result.state(state)),
                    Entry(
                        run.status,
                        note=run.cause or "",
                        mark="failed" if run.status == "failed" else "",
                    ),
                    _verdict_of_run(run),
                    NOTHING if sigmas is None else Entry(plain(sigmas), abs(sigmas)),
                    _distance(run.rdf_distance, run.rdf_by_chance),
                    _distance(run.coordination_distance, run.coordination_by_chance),
                ]
            )
    return Table(columns, rows)


def _verdict_of_run(run: Run) -> Entry:
    if not run.passed:
        return Entry("failed", note=", ".join(run.failures), mark="failed")
    return Entry(
        "passed", note="pressure not judged" if run.pressure_not_judged else "", mark="passed"
    )


def _test(test: PairedTest | None) -> Entry:
    if test is None:
        return NOTHING
    low, high = test.interval
    how = ", estimated" if test.estimated else ""
    note = f"{low:.2f} to {high:.2f}, p {test.p_value:.2g}{how}"
    return Entry(f"{test.ratio:.2f}", test.ratio, note, "decided" if test.decided else "")


def _speed(arms: Sequence[ArmVerdict]) -> Entry:
    known = [arm.us_per_atom for arm in arms if arm.us_per_atom is not None]
    if not known:
        return NOTHING
    mean = sum(known) / len(known)
    return Entry(plain(mean), mean)


def _mean(values: Sequence[float], form: str) -> Entry:
    if not values:
        return NOTHING
    mean = sum(values) / len(values)
    return Entry(form.format(mean), mean)


def _spread(values: Sequence[float]) -> Entry:
    if not values:
        return NOTHING
    mean = sum(values) / len(values)
    note = f"{plain(min(values))} to {plain(max(values))}" if len(values) > 1 else ""
    return Entry(plain(mean), mean, note)


def _distance(value: float | None, by_chance: float | None) -> Entry:
    if value is None:
        return NOTHING
    return Entry(plain(value), value, "" if by_chance is None else f"{plain(by_chance)} by chance")


def _number(value: float | None) -> Entry:
    return NOTHING if value is None else Entry(plain(value), value)
