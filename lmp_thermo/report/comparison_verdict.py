"""The verdict of a comparison in words, computed from its result."""

import math
from collections import Counter
from collections.abc import Iterable

from lmp_thermo.report.banner import LISTED, Banner
from lmp_thermo.report.figures.groups import budget_of, group_title, models_of
from lmp_thermo.report.result import Result
from lmp_thermo.report.result_parts import SIGNIFICANT, PairedTest

AWAY = "other densities"
"""The group of cells that the verdict is about; all cells where a grid has no others."""

POOL = "pool"
"""The group that spends no budget: what labels could give at the most."""

LABELS_HELP = 0.8
"""Of the best design's errors. Errors that labels limit fall about as their inverse root: twice as
many lower them to 0.71. Where the whole pool, many times as many, surely does not reach this
share (the interval lies above it), training limits."""

CLAIMED = ("worst cell's intermolecular error", "largest pressure bias", "worst cell's score")
"""What the curriculum is for; named first."""

EQUAL = 1.25
"""Factor within which two ratios of errors are said to be the same: where the whole interval is."""

SPOKEN = {"home density, other temperatures": "other temperatures of the home density"}


def verdict(result: Result) -> Banner:
    """What the comparison found: two sentences, then where it is otherwise."""
    best = _ranked(result)[0]
    whole = any(arm.passed == arm.cells for arm in result.of_group(best).values())
    kind = "good" if whole else "mixed" if result.passes(best) else "bad"
    return Banner(
        kind,
        f"{group_title(best)}: {_passes(result, best)} of {len(result.grid)} cells",
        f"{_passing(result)} {_paired(result)}",
        (),
        tuple(_notes(result)),
    )


def headline_pair(result: Result) -> tuple[str, str] | None:
    """The two groups that the verdict compares, the second being the baseline.

    Density against temperature where both are there: the question that the package asks; else
    density against the first that it was compared with.
    """
    pairs = list(dict.fromkeys((test.first, test.second) for test in result.tests))
    pairs = [pair for pair in pairs if POOL not in pair]
    if not pairs:
        return None
    others = [a if b == "density" else b for a, b in pairs if "density" in (a, b)]
    if others:
        return "density", "temperature" if "temperature" in others else others[0]
    return pairs[0][1], pairs[0][0]


def _ranked(result: Result) -> list[str]:
    """Groups with a budget by cells passed; of those that pass as many, by their worst scores."""
    groups = [group for group in result.groups if group != POOL]
    return sorted(groups, key=lambda group: (-result.passes(group), _worst(result, group)))


def _passes(result: Result, group: str) -> str:
    passed = result.passes(group)
    return f"{passed:.0f}" if passed == int(passed) else f"{passed:.1f}"


def _passing(result: Result) -> str:
    best, *others = _ranked(result)
    asked = result.settings.comparison
    spent = {arm.spent for arm in result.arms.values() if arm.group != POOL}
    budget = (
        f"With {asked.budget:g} {asked.budget_unit} to train on"
        if spent == {asked.budget}
        else f"With up to {max(spent):g} {asked.budget_unit} to train on"
    )
    seeds = len(asked.seeds)
    mean = f" on average over {seeds} seeds" if seeds > 1 else ""
    rest = ", ".join(f"{models_of(name)} {_passes(result, name)}" for name in others[:LISTED])
    return (
        f"{budget}, {models_of(best)} pass {_passes(result, best)} of {len(result.grid)} cells"
        f"{mean}{f' ({rest})' if rest else ''}."
    )


def _paired(result: Result) -> str:
    pair = headline_pair(result)
    if pair is None and len(result.settings.comparison.seeds) > 1:
        return "With a single group of arms there is nothing to compare it with."
    if pair is None:
        return "With a single seed nothing says how much of this is chance."
    tests = result.tests_of(*pair)
    away = any(test.cells == AWAY for test in tests)
    home = result.settings.comparison.home.density_g_cm3
    where = f"at densities other than {home:g} g/cm³" if away else f"over {tests[0].cells}"
    own = where_asked(tests)
    return (
        f"Seed by seed {where}, the errors of {models_of(pair[0])} over those of "
        f"{models_of(pair[1])} are, with 95 % intervals: {_ratios(own)}."
    )


def where_asked(tests: list[PairedTest]) -> list[PairedTest]:
    """Those over the cells that the verdict is about."""
    cells = AWAY if any(test.cells == AWAY for test in tests) else tests[0].cells
    return [test for test in tests if test.cells == cells]


def _ratio(test: PairedTest) -> str:
    low, high = test.interval
    undecided = "" if test.decided else ", undecided"
    return f"{test.ratio:.2f} ({low:.2f} to {high:.2f}{undecided})"


def _ratios(tests: list[PairedTest]) -> str:
    return "; ".join(f"{test.quantity.removesuffix(', RMSE')} {_ratio(test)}" for test in tests)


def _notes(result: Result) -> list[str]:
    notes = [
        *_too_few_seeds(result),
        *_plain(result),
        *_where_worse(result),
        *_adaptive(result),
        *_pool(result),
    ]
    worst = Counter(arm.worst.state for arm in result.arms.values())
    state, count = worst.most_common(1)[0]
    gates = Counter(a.worst.gate for a in result.arms.values() if a.worst.state == state)
    notes.append(
        f"The worst cell of {count} of {len(result.arms)} arms: {result.state(state)} "
        f"({gates.most_common(1)[0][0]})."
    )
    for name, other in result.others.items():
        passed = sum(cell.passed for cell in other.cells.values())
        failed = f"; it failed on frames of {len(other.failed)} cells" if other.failed else ""
        trained = "" if name in ("no-interaction", "teacher") else ", not trained here,"
        notes.append(
            f"{group_title(name)}{trained} passes {passed} of {len(other.cells)} cells{failed}."
        )
    runs = [run for own in result.runs.values() for run in own.values()]
    if runs:
        stable = sum(run.status == "finished" for run in runs)
        passed = sum(run.passed for run in runs)
        unknown = sum(bool(run.pressure_not_judged) for run in runs)
        but = (
            f"; of {unknown} the pressure could not be judged, for the runs are too short"
            if unknown
            else ""
        )
        notes.append(
            f"Runs: {stable} of {len(runs)} came to an end, {passed} pass every gate{but}."
        )
    for name, rounds in result.curriculum.items():
        if rounds[-1].stopped and "budget" not in rounds[-1].stopped:
            notes.append(f"{name} stopped: {rounds[-1].stopped}.")
    if result.without_frames:
        notes.append(
            "Left out, for their runs gave no frames, or these no labels: "
            + ", ".join(result.without_frames[:LISTED])
            + "."
        )
    notes += [
        f"The reference's pressure falls by {fall.fall_bar:.0f} bar from "
        f"{result.state(fall.lower)} to {result.state(fall.higher)}: a fluid of one phase is not "
        "stable there."
        for fall in result.pressure_falls[:LISTED]
    ]
    if result.pressure_open:
        share = {name: value or math.inf for name, value in result.pressure_open.items()}
        noisy = sorted(share, key=lambda name: -share[name])
        frames = min(result.grid[name].held_out for name in noisy)
        notes.append(
            f"In {len(noisy)} of {len(result.grid)} cells the bias of the pressure has, in every "
            f"arm, a standard error above half its limit: with {frames} held-out frames in a cell "
            "chance decides much of that verdict there. Most of all at "
            + ", ".join(f"{result.state(n)} ({share[n]:.2g})" for n in noisy[:3])
            + "; raise sampling.held_out_per_cell."
        )
    if result.close_frames:
        own = result.close_frames
        most = max(own, key=lambda name: own[name].inefficiency_ps / own[name].spacing_ps)
        notes.append(
            f"In {len(own)} of {len(result.grid)} cells frames follow each other faster than they "
            f"forget (most: {result.state(most)}, {own[most].spacing_ps:.2g} ps apart where "
            f"independent ones are {own[most].inefficiency_ps:.2g} ps apart): errors there, and "
            "their intervals, may look smaller than they are; raise sampling.dynamics.spacing_ps."
        )
    notes += [
        f"Left out of the geometric means of {quantity.removesuffix(', RMSE')}, for an arm makes "
        f"no error at all there: {', '.join(result.state(name) for name in cells[:LISTED])}."
        for quantity, cells in result.without_error.items()
    ]
    if result.melted_crystals:
        names = ", ".join(result.state(name) for name in list(result.melted_crystals)[:LISTED])
        notes.append(f"Crystals that melted, so that design condensed has less solid: {names}.")
    if result.label_failures:
        notes.append(f"{result.label_failures} frames could not be labelled.")
    return notes


def _too_few_seeds(result: Result) -> list[str]:
    """Said where the paired test could not decide, whatever it saw."""
    if not result.tests or result.smallest_p <= SIGNIFICANT:
        return []
    needed = math.ceil(1 - math.log2(SIGNIFICANT))
    return [
        f"With so few seeds p cannot fall below {result.smallest_p:g}, and no difference is "
        f"decided; with {needed} seeds it could be."
    ]


def _plain(result: Result) -> list[str]:
    """The verdict's question once more, for the controls without intermolecular terms."""
    pair = headline_pair(result)
    controls = (f"{pair[0]}-plain", f"{pair[1]}-plain") if pair else ("", "")
    tests = result.tests_of(*controls)
    if not tests:
        return []
    return [
        f"Without the intermolecular terms of the loss, the errors of {models_of(controls[0])} "
        f"over those of {models_of(controls[1])}: {_ratios(where_asked(tests))}.",
        *_interaction(result, pair),
    ]


def _interaction(result: Result, pair: tuple[str, str] | None) -> list[str]:
    """Whether the difference between the verdict's groups depends on the loss."""
    tests = [t for t in result.loss_interactions if pair == (t.second, t.first)]
    if pair is None or not tests:
        return []
    said = (
        f"{test.quantity.removesuffix(', RMSE')} {_change(test)}, {test.ratio:.2f} "
        f"({test.interval[0]:.2f} to {test.interval[1]:.2f}, p {test.p_value:.2g})"
        for test in where_asked(tests)
    )
    return [
        f"What the advantage of {models_of(pair[0])} over {models_of(pair[1])} does without these "
        f"terms, and the factor by which their ratio changes, seed by seed: {'; '.join(said)}."
    ]


def _change(test: PairedTest) -> str:
    """What the loss changes: stands where it is known to change hardly anything."""
    if test.decided:
        return "grows" if test.ratio < 1 else "shrinks"
    low, high = test.interval
    return "stands" if low >= 1 / EQUAL and high <= EQUAL else "undecided"


def _where_worse(result: Result) -> list[str]:
    """Where else the verdict's first group loses."""
    pair = headline_pair(result)
    if pair is None:
        return []
    tests = result.tests_of(*pair)
    lost = [t for t in tests if t.decided and t.ratio > 1 and t.cells != AWAY]
    wheres = list(dict.fromkeys(test.cells for test in lost))
    return [
        f"Over {SPOKEN.get(where, where)}, {models_of(pair[0])} are worse: "
        f"{_ratios([test for test in lost if test.cells == where])}."
        for where in wheres
    ]


def _adaptive(result: Result) -> list[str]:
    """Adaptive arms beside the fixed design that is best by each error.

    Of the designs that differ from them in nothing else, and of those with the same budget where
    they have several.
    """
    unit = result.settings.comparison.budget_unit
    notes = []
    for group in dict.fromkeys(result.arms[name].group for name in result.curriculum):
        fixed = fixed_designs(result, group)
        alike = [base for base in fixed if budget_of(base) == budget_of(group)]
        for among in (fixed, alike if len(alike) < len(fixed) else []):
            tests = beside_best(result, group, among)
            if not tests:
                continue
            spent = sorted({spent_by(result, test.first) for test in tests})
            others = " or ".join(f"{value:g}" for value in spent)
            of_it = " of that budget" if among is alike else ""
            said = "; ".join(
                f"{_ratios([test])} over {models_of(test.first)}"
                for test in sorted(tests, key=_claim)
            )
            notes.append(
                f"Over all cells, errors of {models_of(group)}, which spent "
                f"{spent_by(result, group):g} {unit}, over those of the fixed design{of_it} that "
                f"is best by each error, which spent {others}: {said}."
            )
    return notes


def _claim(test: PairedTest) -> int:
    """Place of a test among those of an adaptive arm: what it claims first."""
    return CLAIMED.index(test.quantity) if test.quantity in CLAIMED else len(CLAIMED)


def fixed_designs(result: Result, group: str) -> list[str]:
    """Groups of fixed designs that a group of adaptive arms was tested against."""
    return [
        base
        for base in result.groups
        if base != POOL and base.split("-")[0] != "adaptive" and result.tests_of(group, base)
    ]


def beside_best(result: Result, group: str, bases: Iterable[str]) -> list[PairedTest]:
    """For each error, over all cells, the test of a group with the best of others by that error.

    The best is that over which the ratio is the largest: all have the same seeds. With several to
    choose from, chance chooses, too, so that ratios are larger than with one named beforehand.
    """
    best: dict[str, PairedTest] = {}
    for test in (test for base in bases for test in result.tests_of(group, base)):
        known = best.get(test.quantity)
        if test.cells == "all cells" and (known is None or test.ratio > known.ratio):
            best[test.quantity] = test
    return list(best.values())


def _worst(result: Result, group: str) -> float:
    """Score of the worst cell, mean over seeds."""
    own = result.of_group(group).values()
    return sum(arm.worst.score for arm in own) / len(own)


def spent_by(result: Result, group: str) -> float:
    """Mean over seeds, in the unit of the budget."""
    own = result.of_group(group).values()
    return sum(arm.spent for arm in own) / len(own)


def _pool(result: Result) -> list[str]:
    """What the whole pool would give beside the best design: do labels limit, or updates?"""
    if POOL not in result.groups:
        return []
    own = result.of_group(POOL).values()
    spent = max(arm.spent for arm in own)
    said = (
        f"{models_of(POOL).capitalize()}, {spent:g} {result.settings.comparison.budget_unit} with "
        f"as many updates, pass {_passes(result, POOL)} of {len(result.grid)} cells"
    )
    best = _ranked(result)[0]
    tests = [t for t in result.tests_of(POOL, best) if t.cells == "all cells"]
    if not tests:
        return [f"{said}."]
    lowest = [test.interval[0] for test in tests if test.quantity.endswith("RMSE")]
    limited = min(lowest, default=0.0) > LABELS_HELP
    return [
        f"{said}; their errors over those of {models_of(best)}: {_ratios(tests)}."
        + (
            " More labels of these cells would hardly lower typical errors: training or the "
            "model's size limits them; raise training.updates or training.features, or lower the "
            "budget."
            if limited
            else ""
        )
    ]
