"""The stage that puts all arms of a comparison side by side, on made-up errors."""

from lmp_thermo.comparison import Comparison, Curriculum, Home


def test_adaptive_arms_run_at_the_largest_of_their_budgets() -> None:
    runs = {
        "designs": ["none", "adaptive"],
        "seeds": [1],
        "states": [{"density_g_cm3": 0.4, "temperature_K": 200.0}],
    }
    own = Comparison(
        designs=["none", "adaptive"],
        losses=["intermolecular", "plain"],
        seeds=[1, 2],
        home=Home(density_g_cm3=0.4, temperature_K=200.0),
        budget=60.0,
        curriculum=Curriculum(updates=5, budgets=[15.0, 30.0]),
        runs=runs,  # type: ignore[arg-type]
    )
    assert [arm.name for arm in own.arms if own.carries_out(arm)] == ["none-1", "adaptive-30-1"]
