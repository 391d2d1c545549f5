"""Arms differ in what they are compared for, and in nothing else of their training."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from lmp_thermo import Study
from lmp_thermo.stages.context import Context
from lmp_thermo.stages.side_by_side import arm_plan
from lmp_thermo.training.recipe import LossWeights
from tests.unit.designs import INPUTS


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Methane: five designs, two losses, three seeds."""
    return Study(INPUTS / "methane.yaml", tmp_path / "workspace")._context


def test_the_plain_loss_changes_the_loss_and_nothing_else(context: Context) -> None:
    assert context.study.comparison is not None
    arms = context.study.comparison.arms
    asked = context.study.training
    for arm in (a for a in arms if a.loss == "plain"):
        whole = arm_plan(context, replace(arm, loss="intermolecular"))
        plain = arm_plan(context, arm)
        assert plain.loss == LossWeights(
            energy=asked.energy_weight, force=asked.force_weight, stress=asked.stress_weight
        )
        assert plain.apart_share == 0
        assert 0 not in (whole.loss.net_force, whole.loss.torque, whole.loss.molecular_virial)
        assert whole.apart_share == asked.apart_share > 0
        # architecture, learning rate, batch, updates, seed and all the rest
        assert replace(plain, loss=whole.loss, apart_share=whole.apart_share) == whole


def test_arms_of_one_seed_and_loss_have_one_plan(context: Context) -> None:
    assert context.study.comparison is not None
    plans = {}
    for arm in context.study.comparison.arms:
        plan = arm_plan(context, arm)
        assert plans.setdefault((arm.loss, arm.seed), plan) == plan
        assert arm_plan(context, replace(arm, recipe="distil")) == plan  # its student
    assert len(plans) == 2 * 3
    first = plans["intermolecular", 1]
    assert first.recipe == "scratch"
    assert first.limit.updates == (context.study.training.updates or [])[-1]  # the last round
    for seed in (2, 3):
        other = plans["intermolecular", seed]
        assert other.seed != first.seed
        assert replace(other, seed=first.seed) == first


def test_members_of_a_committee_differ_in_their_seed(context: Context) -> None:
    assert context.study.comparison is not None
    arm = context.study.comparison.arms[0]
    members = [arm_plan(context, arm, 1000, number) for number in range(3)]
    assert len({member.seed for member in members}) == 3
    whole = arm_plan(context, arm)
    assert members[0] == replace(whole, limit=replace(whole.limit, updates=1000))


SHARED = re.compile(r"--variant (\S+) --workspace runs/density-([a-z-]+)")


def test_variants_that_share_a_workspace_ask_for_the_same_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each would make the other's frames, labels and models stale."""
    monkeypatch.setattr(Study, "_check", lambda _: None)  # one asks for CHGNet, an extra
    root = INPUTS.parents[1]
    text = (root / "README.md").read_text() + (root / "docs" / "density" / "README.md").read_text()
    named = sorted(set(SHARED.findall(text)))
    assert len(named) > 5
    for variant, study in named:
        path = INPUTS / f"{study}.yaml"
        own, base = (Study(path, tmp_path / study, variant=v)._context for v in (variant, None))
        assert own.plan(own.last_round) == base.plan(base.last_round), (study, variant)
        assert own.study.comparison is not None
        assert base.study.comparison is not None
        asked = {arm.name: arm for arm in base.study.comparison.arms}
        for arm in (arm for arm in own.study.comparison.arms if arm.name in asked):
            assert arm_plan(own, arm) == arm_plan(base, asked[arm.name]), (variant, arm.name)
