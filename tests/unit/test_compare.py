"""The stage that puts all arms of a comparison side by side, on made-up errors."""

import importlib.metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.stats import wasserstein_distance

from lmp_thermo.comparison import Arm, Comparison, Curriculum, Home, OtherModel, Teacher
from lmp_thermo.potential.frame_errors import FrameErrors
from lmp_thermo.products import write_json
from lmp_thermo.progress import Progress
from lmp_thermo.stages import (
    analyze,
    arm_runs,
    compare,
    coverage,
    environments,
    pairs,
    sample,
)
from lmp_thermo.stages.arms import Purchase
from lmp_thermo.stages.matrix import bias_over_seeds, off_over_in, over_seeds, pressure_open
from lmp_thermo.states import StatePoint
from tests.tolerances import K_SIGMA, ROUND_OFF
from tests.unit.analysis.frames import ideal_gas

HOME = Home(density_g_cm3=0.8, temperature_K=200.0)
GAS, MIDDLE, LIQUID = (StatePoint(d, 200.0) for d in (0.1, 0.4, 0.8))


def frame_errors(*rows: list[float]) -> FrameErrors:
    """Of energies and stresses, frame by frame, from sums as `FrameErrors` keeps them."""
    return FrameErrors({"energy": np.array(rows), "stress": np.array(rows)}, {})


def test_adaptive_arms_run_at_the_largest_of_their_budgets() -> None:
    runs = {
        "designs": ["none", "adaptive"],
        "seeds": [1],
        "states": [HOME.model_dump()],
    }
    own = Comparison(
        designs=["none", "adaptive"],
        losses=["intermolecular", "plain"],
        seeds=[1, 2],
        home=HOME,
        budget=60.0,
        curriculum=Curriculum(updates=5, budgets=[15.0, 30.0]),
        runs=runs,  # type: ignore[arg-type]
    )
    assert [arm.name for arm in own.arms if own.carries_out(arm)] == ["none-1", "adaptive-30-1"]


def test_errors_over_seeds_are_those_computed_by_hand() -> None:
    """Two frames of 4 and 12 components: every component weighs the same, not every frame."""
    seeds = [
        frame_errors([0.04, 0.4, 4.0, 4.0], [0.6, 2.4, 60.0, 12.0]),  # 0.64 / 16
        frame_errors([0.04, 0.2, 4.0, 4.0], [0.32, 1.2, 60.0, 12.0]),  # 0.36 / 16
    ]
    own = over_seeds(seeds)
    assert set(own) == {"energy", "stress"}
    energy = own["energy"]  # meV from eV
    assert energy["rmse"] == pytest.approx(1000 * (0.2 + 0.15) / 2, rel=ROUND_OFF)
    assert energy["spread"] == pytest.approx(1000 * 0.05 / 2**0.5, rel=ROUND_OFF)
    assert energy["mae"] == pytest.approx(1000 * (2.8 + 1.4) / 2 / 16, rel=ROUND_OFF)
    assert energy["rms"] == pytest.approx(2000.0, rel=ROUND_OFF)
    # One of two frames and one of two seeds: four equally likely values, the ends among them.
    values = [1000 * (squares / n) ** 0.5 for squares, n in ((0.04, 4), (0.6, 12), (0.32, 12))]
    assert energy["interval"] == pytest.approx([min(values), max(values)], rel=ROUND_OFF)
    assert over_seeds(seeds[:1])["energy"]["spread"] is None
    single = over_seeds([frame_errors([0.04, 0.4, 4.0, 4.0])])["energy"]
    assert single["interval"] == pytest.approx([100.0, 100.0], rel=ROUND_OFF)


@pytest.mark.parametrize("of", ["frames", "seeds"])
def test_intervals_cover_as_those_of_an_unbiased_variance_do(of: str) -> None:
    """Of n Gaussian samples a bootstrap of n - 1 has the standard error s / sqrt(n).

    Its square is that of the mean on average, where resampling n would leave 1/8 out. Intervals
    hold the mean about as often as Student's t lies within 1.96. The mean of the square root is
    that of 1 + x / 2 to within 1e-4 here.
    """
    n, repetitions, width = 8, 1500, 0.02
    random = np.random.default_rng(11)
    held, squares = 0, 0.0
    for _ in range(repetitions):
        values = 1.0 + width * random.normal(size=n)
        if of == "frames":
            own = over_seeds([frame_errors(*([value, 1.0, 1.0, 1.0] for value in values))])
        else:
            own = over_seeds([frame_errors([value**2, 1.0, 1.0, 1.0]) for value in values])
        low, high = own["energy"]["interval"]
        held += low <= 1000.0 <= high
        squares += ((high - low) / 3.92) ** 2 / repetitions
    known = (1000 * width / (2 if of == "frames" else 1)) ** 2 / n
    noise = (2 / (n - 1) / repetitions) ** 0.5  # of the mean of as many sample variances
    assert squares / known == pytest.approx(1.0, abs=K_SIGMA * noise)
    expected = stats.t(n - 1).cdf(1.96) - stats.t(n - 1).cdf(-1.96)
    noise = (expected * (1 - expected) / repetitions) ** 0.5
    assert held / repetitions == pytest.approx(expected, abs=K_SIGMA * noise)


def test_the_bias_of_the_pressure_has_the_error_of_its_mean_over_frames() -> None:
    """Of one seed that is s / sqrt(n) of its frames; of seeds that are alike, too."""
    random = np.random.default_rng(8)
    labelled = random.normal(50.0, 30.0, 40)  # what they share is no error
    pressures = np.column_stack([labelled + random.normal(7.0, 4.0, 40), labelled])
    sums = {"energy": np.ones((40, 4))}
    one = FrameErrors(sums, {"molecular_pressure": pressures})
    expected = np.std(pressures[:, 0] - labelled, ddof=1) / 40**0.5
    noise = K_SIGMA / (2 * 400) ** 0.5  # of a standard deviation of as many resamplings
    for seeds in (1, 3):
        found = bias_over_seeds([one] * seeds)
        assert found["mean"] == pytest.approx(np.mean(pressures[:, 0] - labelled), rel=ROUND_OFF)
        assert found["standard_error"] == pytest.approx(expected, rel=noise)
        assert found["spread"] == (None if seeds == 1 else pytest.approx(0.0, abs=ROUND_OFF))
    shifted = [pressures + np.array([shift, 0.0]) for shift in (0.0, 90.0)]
    apart = bias_over_seeds(
        [FrameErrors(sums, {"molecular_pressure": own}) for own in shifted]
    )  # one of two seeds is drawn: 45 bar off the mean, either way
    assert apart["standard_error"] == pytest.approx(np.hypot(45.0, expected), rel=noise)
    frame = FrameErrors({"energy": np.ones((1, 4))}, {"molecular_pressure": pressures[:1]})
    assert bias_over_seeds([frame])["standard_error"] is None
    assert bias_over_seeds([frame_errors([1.0] * 4)] * 2) == {
        "mean": 0.0,
        "spread": 0.0,
        "standard_error": None,
    }


def test_off_over_in_is_of_an_arms_own_cells() -> None:
    rmse = {GAS: 1.0, MIDDLE: 3.0, LIQUID: 4.0}
    cells = {
        s.name: {
            "rmse": dict.fromkeys(("energy", "force", "net_force", "interaction_energy"), value)
        }
        for s, value in rmse.items()
    }
    states = list(rmse)
    off = off_over_in(cells, [GAS], states)
    assert off["energy"] == pytest.approx((25 / 2) ** 0.5, rel=ROUND_OFF)
    other = off_over_in(cells, [GAS, LIQUID], states)  # another seed of the same design
    assert other["energy"] == pytest.approx(3 / (17 / 2) ** 0.5, rel=ROUND_OFF)
    assert set(off_over_in(cells, states, states).values()) == {None}
    assert set(off_over_in(cells, [], states).values()) == {None}
    cells[GAS.name]["rmse"]["force"] = 0.0  # a gas so thin that nothing meets
    assert off_over_in(cells, [GAS], states)["force"] is None


def asked(context: Any = None, **changes: Any) -> Comparison:
    """Return a comparison of two designs, or of others."""
    values = {"designs": ["none", "density"], "seeds": [1, 2, 3], "home": HOME, "budget": 6.0}
    return Comparison(**{**values, **changes})


def a_context(molecule_size: int = 1) -> Any:
    """Return as much of a context as paired tests want."""
    return SimpleNamespace(
        composition=lambda n: SimpleNamespace(molecule_sizes=[molecule_size] * n),
        study=SimpleNamespace(sampling=SimpleNamespace(molecules=2)),
    )


def arm_cells(scale: float) -> dict[str, Any]:
    """Errors of an arm: 1, 4, 16 times a scale from gas to liquid."""
    return {
        state.name: {
            "rmse": dict.fromkeys(("interaction_energy", "net_force", "force"), scale * 4.0**k),
            "score": scale * (k + 1),
            "intermolecular_score": scale * (3 - k),
            "pressure_bias_bar": -scale * (k + 1),
        }
        for k, state in enumerate((GAS, MIDDLE, LIQUID))
    }


def by_group(comparison: Comparison) -> dict[str, list[Arm]]:
    """Return arms by group."""
    groups: dict[str, list[Arm]] = {}
    for arm in comparison.arms:
        groups.setdefault(arm.group, []).append(arm)
    return groups


def test_a_cell_without_any_error_is_in_no_geometric_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "comparison_of", asked)
    own = {arm.name: arm_cells(2.0 if arm.design == "none" else 3.0) for arm in asked().arms}
    own["density-2"][GAS.name]["rmse"]["net_force"] = 0.0  # nothing meets in a thin gas
    own["none-1"][GAS.name]["rmse"]["net_force"] = 7.0  # left out for this one too
    assert pairs.without_error(own) == {"net force on molecules, RMSE": [GAS.name]}
    tests = pairs.paired_tests(a_context(), by_group(asked()), own, [GAS, MIDDLE, LIQUID])
    found = {(t["cells"], t["quantity"]): t["ratios"] for t in tests}
    for quantity in (*pairs.TYPICAL, *pairs.WORST):
        if quantity != pairs.ON_ATOMS:  # of molecules that are atoms, the net force
            assert found["all cells", quantity] == pytest.approx([1.5] * 3, rel=ROUND_OFF)
    assert "home density, other temperatures" not in {t["cells"] for t in tests}


def test_the_density_effect_is_compared_between_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the loss density is 0.9 times as good as none, without it 0.9, 0.8, 0.7 times that."""
    own_asked = asked(losses=["intermolecular", "plain"], designs=["none", "density", "pool"])
    monkeypatch.setattr(pairs, "comparison_of", lambda context: own_asked)
    scale = {
        "none": {1: 2.0, 2: 3.0, 3: 4.0},
        "density": {1: 1.8, 2: 2.7, 3: 3.6},
        "none-plain": {1: 5.0, 2: 7.0, 3: 8.0},
        "density-plain": {1: 5.0 * 0.81, 2: 7.0 * 0.72, 3: 8.0 * 0.63},
        "pool": {1: 1.0, 2: 1.0, 3: 1.0},  # has no control
    }
    own = {arm.name: arm_cells(scale[arm.group][arm.seed]) for arm in own_asked.arms}
    states = [GAS, MIDDLE, LIQUID]
    tests = pairs.loss_interactions(a_context(5), by_group(own_asked), own, states)
    assert {(t["first"], t["second"]) for t in tests} == {("none", "density")}
    assert {t["quantity"] for t in tests} == {*pairs.TYPICAL, *pairs.WORST}
    for test in tests:
        assert test["ratios"] == pytest.approx([0.9, 0.8, 0.7], rel=ROUND_OFF)
        logs = np.log([0.9, 0.8, 0.7])
        interval = stats.ttest_1samp(logs, 0.0).confidence_interval(0.95)
        assert test["interval"] == pytest.approx(np.exp(interval))
        assert test["p_value"] == pytest.approx(0.25)  # one of four, of three pairs
    assert pairs.loss_interactions(a_context(), by_group(asked()), own, states) == []


def test_a_cell_without_held_out_frames_still_counts_as_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All its held-out labels failed; arms were trained on what the pool has of it."""
    random = np.random.default_rng(3)

    def frames(state: StatePoint, count: int) -> list[Any]:
        cell = np.eye(3) * 10.0 / state.density_g_cm3 ** (1 / 3)
        return [ideal_gas(random, 30, cell, state=state) for _ in range(count)]

    bought = {GAS: frames(GAS, 4), MIDDLE: frames(MIDDLE, 2), LIQUID: frames(LIQUID, 4)}
    judging = {GAS: frames(GAS, 2), LIQUID: frames(LIQUID, 2)}
    own = asked(designs=["density"], seeds=[1], coordination_cutoff_A=4.0)
    for name, value in (("pool", bought), ("held_out", judging), ("comparison_of", own)):
        monkeypatch.setattr(environments, name, lambda context, value=value: value)
    purchase = Purchase({GAS: [0, 2], MIDDLE: [1], LIQUID: [3]}, {})
    monkeypatch.setattr(environments.arms, "seen", lambda context, arm: purchase)
    monkeypatch.setattr(environments.arms, "database_frames", lambda context, arm, seen: [])
    context: Any = SimpleNamespace(progress=Progress(), study=SimpleNamespace(seed=1))
    found = environments.environments(context)
    assert [cell["n_frames"] for cell in found["cells"]] == [6, 2, 6]
    assert found["arms"]["density-1"]["diversity"]["n_frames"] == 4
    assert len(found["arms"]["density-1"]["coverage"]["cells"]) == 3
    spans = found["response"]["density"]["spans"]
    assert len(spans) == 1  # from gas to liquid, without the cell of two frames
    assert found["cutoff"]["kind"] == "centres"
    atoms = own.model_copy(update={"coordination_sites": "atoms"})
    monkeypatch.setattr(environments, "comparison_of", lambda context: atoms)
    assert environments.environments(context)["cutoff"]["kind"] == "atoms"


def test_coordination_of_runs_is_compared_where_it_was_counted_with_one_cutoff(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def shares(*values: float) -> Any:
        return np.array([[k, value, 0.0, 9.0] for k, value in enumerate(values)])

    curves = {
        "arm": {"C-C": shares(0.0, 0.5, 0.5), "C-H": shares(1.0, 0.0)},
        "reference": {"C-C": shares(0.5, 0.5, 0.0), "C-H": shares(0.0, 1.0)},
    }
    monkeypatch.setattr(analyze, "curves", lambda context, arm, state, kind: curves[arm])
    monkeypatch.setattr(analyze, "product", lambda context: SimpleNamespace(folder=tmp_path))
    context: Any = SimpleNamespace(
        arm="arm",
        study=SimpleNamespace(validation=SimpleNamespace(reference_runs=True)),
    )
    for cutoffs, expected in (
        ({"C-C": 4.5, "C-H": 3.0}, 1.0),  # every site has one neighbour more
        ({"C-C": 5.0}, 1.0),
        ({}, None),  # the liquid's run could not be read: each run has a cutoff of its own
    ):
        write_json(tmp_path / analyze.CUTOFFS, cutoffs)
        found = arm_runs._named("c", arm_runs._coordination_distances(context, LIQUID))
        assert found == {"c_distance": expected, "c_by_chance": expected and 0.0}
    curves["arm"]["C-H"] = shares(0.0, 1.0)
    write_json(tmp_path / analyze.CUTOFFS, {"C-H": 3.0})
    assert arm_runs._coordination_distances(context, LIQUID) == [(0.0, 0.0)]


def test_distances_by_chance_are_those_of_samples_of_one_distribution() -> None:
    """Coordination numbers of two runs of 60 and of 200 independent sites each, many times."""
    random = np.random.default_rng(4)
    values, shares = np.arange(9.0), np.array([1, 2, 9, 20, 30, 22, 10, 5, 1]) / 100
    sizes = (60, 200)
    seen = [
        wasserstein_distance(values, values, *(random.multinomial(n, shares) for n in sizes))
        for _ in range(2000)
    ]
    curves = [np.column_stack([values, shares, np.sqrt(shares * (1 - shares) / n)]) for n in sizes]
    drawn = arm_runs.distances_by_chance(*curves)
    error = np.hypot(np.std(drawn) / len(drawn) ** 0.5, np.std(seen) / len(seen) ** 0.5)
    # beside the scatter, 5 %: a share's error is not quite the normal one's given the sum
    assert abs(drawn.mean() - np.mean(seen)) < K_SIGMA * error + 0.05 * np.mean(seen)
    shorter = arm_runs.distances_by_chance(curves[0][2:6], curves[1])  # counts that one lacks
    assert 0 < shorter.mean() < 1.5 * drawn.mean()


def test_g_of_r_differs_by_chance_as_its_errors_say(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    x, errors = np.arange(4000.0), (0.03, 0.04)

    def curve(error: float) -> Any:
        return np.column_stack([x, 1 + random.normal(scale=error, size=len(x)), 0 * x + error])

    pairs = {"C-C": tuple(curve(error) for error in errors)}
    monkeypatch.setattr(arm_runs, "_pairs", lambda context, state, kind: pairs)
    context: Any = None
    ((found, by_chance),) = arm_runs._rdf_distances(context, LIQUID)
    assert by_chance == pytest.approx(0.05 * np.sqrt(2 / np.pi))
    assert abs(found - by_chance) < K_SIGMA * 0.05 * np.sqrt((1 - 2 / np.pi) / len(x))


def test_cells_whose_frames_do_not_forget_are_named(tmp_path: Path) -> None:
    summaries = {
        GAS: {"spacing_ps": 1.0, "inefficiency_ps": 3.0, "decorrelated": False},
        MIDDLE: {"spacing_ps": 1.0, "inefficiency_ps": 0.5, "decorrelated": True},
        LIQUID: None,  # packed frames have no time between them
    }
    for state, spacing in summaries.items():
        (tmp_path / state.name).mkdir()
        write_json(tmp_path / state.name / sample.SUMMARY, {"origin": "", "spacing": spacing})
    context: Any = SimpleNamespace(
        last_round=1,
        workspace=SimpleNamespace(frames=lambda number, state: tmp_path / state.name),
    )
    found = compare.close_frames(context, list(summaries))
    assert found == {GAS.name: {"spacing_ps": 1.0, "inefficiency_ps": 3.0}}


def test_a_result_names_the_versions_of_all_that_gave_energies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = SimpleNamespace(
        calculators={"emt": OtherModel(calculator="ase.calculators.emt.EMT")},
        teacher=Teacher(calculator="torch.no.Such"),  # that torch is there is all that is asked
    )
    monkeypatch.setattr(compare, "comparison_of", lambda context: asked)
    monkeypatch.setattr(
        compare.teacher,
        "identity",
        lambda context: coverage.calculator("teacher", asked.teacher).identity,
    )
    context: Any = SimpleNamespace(
        reference=SimpleNamespace(identity={"versions": {"lammps": "a.b"}})
    )
    found = compare._of_calculators(context)
    assert set(found) == {"lammps", "ase", "torch"}
    assert found["lammps"] == "a.b"
    assert found["ase"] == importlib.metadata.version("ase")
    monkeypatch.setattr(compare.teacher, "identity", lambda context: "the hash of a model")
    assert set(compare._of_calculators(context)) == {"lammps", "ase"}


def test_a_pressure_is_open_where_no_arm_knows_it() -> None:
    noise = {"a": {"one": 0.6, "two": 0.9, "three": float("inf"), "four": None}}
    noise["b"] = {"one": 0.4, "two": 0.7, "three": float("inf"), "four": None}
    by_arm = {
        arm: {cell: {"pressure_noise": value} for cell, value in cells.items()}
        for arm, cells in noise.items()
    }
    found = pressure_open(by_arm)
    assert found == {"two": 0.7, "three": None}  # JSON has no infinity
