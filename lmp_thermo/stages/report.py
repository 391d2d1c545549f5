"""Report: one page and its figures, from the products of all stages before it."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from lmp_thermo.frames import read_frames
from lmp_thermo.launch.run_folder import read_failure
from lmp_thermo.potential.card import read_card
from lmp_thermo.products import Product, hash_of_file, read_json, write_text
from lmp_thermo.report.data import (
    Bought,
    CellReport,
    Coordination,
    Drift,
    Failure,
    FiniteSize,
    Parity,
    ParityPoints,
    PressurePoint,
    RdfCurve,
    ReportData,
    Sampling,
    TrainingRound,
)
from lmp_thermo.stages import (
    analyze,
    curriculum,
    deck,
    export,
    label,
    label_checks,
    sample,
    train,
    validate,
)
from lmp_thermo.stages.candidates import buyers
from lmp_thermo.stages.context import Context, remembered_by_arm, versions
from lmp_thermo.states import StatePoint

PAGE = "report.html"
CELLS = "cells.md"
FIGURES = "figures"


@remembered_by_arm
def product(context: Context) -> Product:
    """The page and its figures."""
    return Product(
        context.workspace.path / "report",
        {
            "stage": "report/3",
            "validation": validate.product(context).content,
            "potential": export.product(context).content,
            "label_checks": label_checks.product(context).content,
            "versions": versions("lmp-thermo", "matplotlib"),
        },
    )


def make(context: Context) -> None:
    """Draw the figures, write the page, and put a copy of it at the top of the workspace."""
    made = product(context)
    made.make(lambda folder: _write(context, folder))
    write_text(context.workspace.report, (made.folder / PAGE).read_text(encoding="utf-8"))


def _write(context: Context, folder: Path) -> None:
    from lmp_thermo.report.figures import headline, write_figures
    from lmp_thermo.report.page import render
    from lmp_thermo.report.style import svg_text
    from lmp_thermo.report.tables import markdown, summary_table

    data = collect(context)
    (folder / FIGURES).mkdir()
    write_figures(data, folder / FIGURES)
    write_text(folder / FIGURES / "headline.svg", svg_text(headline(data)))
    write_text(folder / CELLS, markdown(summary_table(data)))
    write_text(folder / PAGE, render(data))


def collect(context: Context) -> ReportData:
    """Everything that the page shows."""
    study = context.study
    cells = validate.read(context)
    own = analyze.read(context)
    truth = analyze.read(context, deck.REFERENCE_ARM) if study.validation.reference_runs else {}
    held_out = read_card(context.workspace.potential(context.arm)).cells
    states = list(study.states)
    return ReportData(
        title=study.name,
        subtitle=f"{', '.join(m.name for m in study.fluid.molecules)}, labelled by "
        f"{study.reference.name}; arm {context.arm}",
        net_force_limit=study.validation.gates.net_force_relative,
        summary=_summary(context),
        provenance=_provenance(context),
        step_seconds=context.workspace.times,
        cells=[
            _cell(state, cells[state.name], held_out.get(state.name), own.get(state.name, {}))
            for state in states
        ],
        training=[_training(context, number) for number in range(study.sampling.rounds)],
        parity=_parity(context),
        rdfs=[curve for state in states for curve in _rdfs(context, state)],
        coordination=[c for state in states for c in _coordination(context, state, own, truth)],
        pressures=[_pressure(state, cells[state.name], own, truth) for state in states],
        drifts=[
            Drift(
                state.density_g_cm3,
                state.temperature_K,
                1000 * own[state.name]["energy_drift"]["value"],
                1000 * own[state.name]["energy_drift"]["standard_error"],
            )
            for state in states
            if "energy_drift" in own.get(state.name, {})
        ],
        finite_size=[
            FiniteSize(**row)
            for row in read_json(label_checks.product(context).folder / label_checks.FINITE_SIZE)
        ],
        sampling=_sampling(context),
        bought=_bought(context) if context.adaptive else [],
        failures=_failures(context),
    )


def _summary(context: Context) -> list[str]:
    study = context.study
    frames = train.training_frames(context, study.sampling.rounds - 1)
    judging = study.sampling.held_out_per_cell * len(study.states)
    return [
        f"{len(frames)} labelled frames in {study.sampling.rounds} round(s), "
        f"{judging} more held out",
        f"{study.production.molecules} molecules in each production run, "
        f"{study.production.production_ps:g} ps",
        *(_bought_in_words(context) if context.adaptive else []),
    ]


def _bought_in_words(context: Context) -> list[str]:
    arm = buyers(context)[0]
    found = curriculum.rounds(context, arm)
    labels = sum(sum(one["bought"].values()) for one in found)
    return [f"{labels} of the frames chosen by the curriculum: {found[-1]['stopped']}"]


def _provenance(context: Context) -> dict[str, str]:
    card = read_card(context.workspace.potential(context.arm))
    return {
        "seed": str(context.study.seed),
        "reference": json.dumps(card.reference, sort_keys=True),
        "model SHA-256": card.model_sha256,
        "training reproducible": str(card.training.get("reproducible")),
        "resolved study SHA-256": hash_of_file(context.workspace.resolved),
        **{f"{name} version": version for name, version in card.versions.items()},
    }


def _cell(
    state: StatePoint,
    cell: dict[str, Any],
    held_out: dict[str, Any] | None,
    observables: dict[str, Any],
) -> CellReport:
    return CellReport(
        state.density_g_cm3,
        state.temperature_K,
        errors=cell.get("errors"),
        held_out=None if held_out is None else held_out["errors"],
        no_interaction=cell.get("no_interaction"),
        verdict=cell["verdict"],
        no_interaction_verdict=cell.get("no_interaction_verdict"),
        observables=observables,
        comparisons=cell["comparison"],
        run_status=cell["run"]["status"],
        run_cause=cell["run"]["cause"],
        ns_per_day=cell["run"]["ns_per_day"],
    )


def _training(context: Context, number: int) -> TrainingRound:
    path = train.product(context, number).folder / train.CURVES
    return TrainingRound.of(number, [json.loads(line) for line in path.read_text().splitlines()])


def _parity(context: Context) -> Parity:
    points = read_json(validate.product(context).folder / validate.PARITY)

    def of(name: str) -> ParityPoints | None:
        if f"{name}.reference" not in points:
            return None
        return ParityPoints(
            *(
                np.array(points[f"{name}.{part}"])
                for part in ("reference", "predicted", "density_g_cm3", "temperature_K")
            )
        )

    return Parity(of("net_force"), of("interaction_energy"), of("molecular_pressure"))


def _rdfs(context: Context, state: StatePoint) -> list[RdfCurve]:
    truth = analyze.curves(context, deck.REFERENCE_ARM, state, "rdf")
    curves = []
    for pair, own in analyze.curves(context, context.arm, state, "rdf").items():
        other = truth.get(pair)
        if other is not None and len(other) != len(own):
            other = None
        curves.append(
            RdfCurve(
                state.density_g_cm3,
                state.temperature_K,
                pair,
                own[:, 0],
                own[:, 1],
                own[:, 2],
                None if other is None else other[:, 1],
            )
        )
    return curves


def _coordination(
    context: Context, state: StatePoint, own: dict[str, Any], truth: dict[str, Any]
) -> list[Coordination]:
    distributions = analyze.curves(context, context.arm, state, "coordination")
    if not distributions:
        return []
    pair = "centres-centres" if "centres-centres" in distributions else next(iter(distributions))
    name = f"coordination.{pair}"
    mean = own[state.name].get(name)
    if mean is None:
        return []
    other = truth.get(state.name, {}).get(name)
    reference = analyze.curves(context, deck.REFERENCE_ARM, state, "coordination").get(pair)
    return [
        Coordination(
            state.density_g_cm3,
            state.temperature_K,
            mean["value"],
            mean["standard_error"],
            _probabilities(distributions[pair]),
            None if other is None else other["value"],
            None if other is None else other["standard_error"],
            None if reference is None else _probabilities(reference),
        )
    ]


def _probabilities(curve: np.ndarray) -> list[float]:
    dense = np.zeros(int(curve[:, 0].max()) + 1)
    dense[curve[:, 0].astype(int)] = curve[:, 1]
    return [float(p) for p in dense]


def _pressure(
    state: StatePoint, cell: dict[str, Any], own: dict[str, Any], truth: dict[str, Any]
) -> PressurePoint:
    mine = own.get(state.name, {}).get("pressure")
    other = truth.get(state.name, {}).get("pressure")
    return PressurePoint(
        state.density_g_cm3,
        state.temperature_K,
        None if mine is None else mine["value"],
        None if mine is None else mine["standard_error"],
        cell.get("ideal_pressure_bar", 0.0),
        bool(mine and mine["converged"]),
        None if other is None else other["value"],
        None if other is None else other["standard_error"],
    )


def _sampling(context: Context) -> list[Sampling]:
    study = context.study
    rows = []
    for number in range(study.sampling.rounds):
        for plan in context.plan(number):
            folder = context.workspace.frames(number, plan.state)
            facts = read_json(folder / sample.SUMMARY)
            spacing = facts["spacing"] or {}
            rows.append(
                Sampling(
                    plan.state.density_g_cm3,
                    plan.state.temperature_K,
                    number,
                    len(read_frames(folder / sample.FRAMES)),
                    facts["origin"],
                    spacing.get("spacing_ps"),
                    spacing.get("inefficiency_ps"),
                    spacing.get("decorrelated"),
                    facts.get("stopped"),
                )
            )
    return rows


def _bought(context: Context) -> list[Bought]:
    arm = buyers(context)[0]
    rounds = curriculum.rounds(context, arm)
    return [
        Bought(
            state.density_g_cm3,
            state.temperature_K,
            [one["bought"].get(state.name, 0) for one in rounds],
            [one["scores"][state.name] for one in rounds if state.name in one["scores"]],
        )
        for state in context.study.states
    ]


def _failures(context: Context) -> list[Failure]:
    study = context.study
    found = []
    for number in range(study.sampling.rounds):
        for failure in read_json(label.product(context, number).folder / label.FAILURES):
            item = f"{failure['state']}, frame {failure['index']} ({failure['origin']})"
            found.append(Failure(f"label, round {number}", item, failure["cause"]))
    for arm in deck.arms(context):
        for state in study.states:
            failed = read_failure(context.workspace.production(arm, state))
            if failed is not None:
                found.append(Failure(f"simulate {arm}", state.name, failed.cause))
    return found
