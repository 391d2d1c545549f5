"""The curriculum: which frames the next labels go to."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lmp_thermo.comparison import Arm, Curriculum
from lmp_thermo.sampling.curriculum import Offer, purchase
from lmp_thermo.stages import curriculum
from lmp_thermo.stages.candidates import Candidates
from lmp_thermo.states import StatePoint

GAS, LIQUID, DENSE = StatePoint(0.1, 300.0), StatePoint(0.4, 300.0), StatePoint(0.8, 100.0)
LINE = [
    (GAS, 0.0), (GAS, 1.0), (GAS, 2.0), (LIQUID, 20.0), (LIQUID, 24.0), (DENSE, 40.0), (DENSE, 50.0)
]  # fmt: skip
PLENTY = dict.fromkeys((GAS, LIQUID, DENSE), 9)


def bought(
    labels: Sequence[float],
    share: float,
    scores: Mapping[StatePoint, float] | None = None,
    room: int = 9,
    gas_floor: float = 0.0,
) -> list[float]:
    """Where on the line the frames lie that are bought beside labelled ones, in their order."""
    left = [(state, x) for state, x in LINE if x not in labels]
    places = purchase(
        [Offer(state, 1.0, np.array([x])) for state, x in left],
        [np.array([x]) for x in labels],
        scores or {},
        share,
        share,
        dict.fromkeys(PLENTY, room),
        gas_floor,
    )
    return [left[place][1] for place in places]


def test_each_frame_is_the_farthest_from_all_before_it() -> None:
    assert bought([], 4) == [50.0, 0.0, 24.0, 40.0]  # the first from the mean, 19.6
    assert bought([50.0], 2) == [0.0, 24.0]
    assert bought([49.0], 2) == [0.0, 24.0]  # labelled, and not among the offers


def test_distances_count_as_much_as_the_cell_is_wrong() -> None:
    """With 0 and 50 labelled, 24 is 24 away, 40 and 2 are 10 and 2 away."""
    equal = dict.fromkeys((GAS, LIQUID, DENSE), 3.0)
    ends = [0.0, 50.0]
    assert bought(ends, 1, equal) == bought(ends, 1) == [24.0]
    assert bought(ends, 1, {**equal, DENSE: 7.5}) == [40.0]  # 10 times 7.5 over 24 times 3
    assert bought(ends, 1, {**equal, DENSE: 7.0}) == [24.0]
    assert bought(ends, 1, {**equal, GAS: 30.0}) == [24.0]  # wrong, but nothing in it is new
    assert bought(ends, 1, {**equal, GAS: 37.0}) == [2.0]


def test_where_nothing_is_wrong_distance_alone_counts() -> None:
    """Rounds spend what is left, the cells without error last."""
    found = bought([], 7, {GAS: 0.0, LIQUID: 1.0, DENSE: 0.0})
    assert sorted(found[:2]) == [20.0, 24.0]
    assert found[2:] == [50.0, 0.0, 40.0, 2.0, 1.0]


def test_the_gas_has_its_floor_first() -> None:
    assert bought([], 3, gas_floor=0.3) == [0.0, 50.0, 24.0]  # of the gas the farthest from 19.6
    assert bought([0.0, 50.0], 2, gas_floor=-0.7) == [24.0, 40.0]  # it has had it
    assert bought([0.0, 50.0], 2, gas_floor=1.0) == [2.0, 24.0]
    assert bought([0.0, 50.0], 3, gas_floor=9.0, room=1) == [2.0, 24.0, 40.0]  # no more room in it


def test_room_is_kept() -> None:
    assert bought([], 9, room=1) == [50.0, 0.0, 24.0]
    assert len(bought([], 99)) == len(LINE)
    assert bought([], 0.0) == []


def test_a_share_is_not_filled_up_with_what_is_cheap() -> None:
    """What a purchase cannot pay is left to the next one, unless nothing else would be bought."""
    price = {GAS: 0.1, LIQUID: 1.0, DENSE: 2.0}
    offers = [Offer(state, price[state], np.array([x])) for state, x in LINE]
    labelled = [np.array([50.0])]

    def spent(share: float, left: float) -> list[float]:
        found = purchase(offers[:-1], labelled, {}, share, left, PLENTY, 0.0)
        return [LINE[place][1] for place in found]

    assert spent(0.7, 3.0) == [0.0]  # then 24.0 would cost more than is left of the share
    assert spent(1.1, 3.0) == [0.0, 24.0]
    assert spent(3.0, 3.0) == [0.0, 24.0, 20.0, 2.0, 1.0]  # the last: 40.0 costs too much
    dear = purchase(offers[3:-1], labelled, {}, 0.5, 3.0, PLENTY, 0.0)
    assert [LINE[3 + place][1] for place in dear] == [20.0]


@pytest.fixture
def buying(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the stage buys from frames along the line, of which some could not be labelled."""
    frames = {s: [x for state, x in LINE if state == s] for s in PLENTY}
    frames[LIQUID] += [30.0 + 0.01 * k for k in range(40)]  # more than are looked at at least

    def run(
        chosen: Mapping[StatePoint, list[int]],
        share: float,
        scores: Mapping[StatePoint, float] | None = None,
        failed: Sequence[float] = (),
        known: Sequence[float] = (),
        budget: float = 8.0,
        **settings: Any,
    ) -> list[float]:
        costs = {s: [1.0] * len(own) for s, own in frames.items()}
        found: Any = Candidates(frames, costs, [])  # type: ignore[arg-type]
        object.__setattr__(found, "known", list(known))
        monkeypatch.setattr(Candidates, "known_at", lambda self, state: 0)
        for name, value in {
            "candidates": lambda context: found,
            "settings": lambda context: Curriculum(updates=1, **settings),
            "labelled": lambda context, own: [
                frames[s][k] for s, ks in own.items() for k in ks if frames[s][k] not in failed
            ],
            "PairSums": lambda cutoffs: SimpleNamespace(of=lambda x: np.array([x])),
            "architecture": lambda training: SimpleNamespace(cutoffs=lambda species: {}),
            "pool_order": lambda seed, own, state, count: list(range(count)),
        }.items():
            monkeypatch.setattr(curriculum, name, value)
        context: Any = SimpleNamespace(study=SimpleNamespace(training=None, seed=1), species=())
        arm = Arm("adaptive", "intermolecular", 1, budget)
        bought = curriculum._purchase(context, arm, dict(chosen), scores or {}, share)
        return [frames[s][k] for s in bought for k in bought[s]]

    return run


def test_a_round_goes_on_from_what_has_a_label(buying: Any) -> None:
    free = {"gas_floor_share": 0.0, "most_share": 1.0}
    first = {GAS: [0], DENSE: [1]}  # 0 and 50
    assert buying(first, 1.0, **free) == [24.0]
    assert buying(first, 1.0, {GAS: 1.0, LIQUID: 1.0, DENSE: 3.0}, **free) == [40.0]
    assert buying(first, 1.0, known=[24.0], **free) == [40.0]
    # 50 could not be labelled: it is paid for, but nothing near it is known
    assert buying(first, 1.0, failed=[50.0], **free) == [40.0]
    assert buying(first, 9.0, failed=[50.0], **free)[-1] != 50.0


def test_floor_and_bound_are_of_the_whole_budget(buying: Any) -> None:
    """Of eight labels two for the gas at 0.25, and three of a cell at the most at 0.34."""
    start = buying({}, 3.0, gas_floor_share=0.25, most_share=0.34)
    assert [x for x in start if x <= 2.0] == [0.0, 2.0]
    later = buying({GAS: [0, 2], DENSE: [1]}, 5.0, gas_floor_share=0.25, most_share=0.34)
    assert len(later) == 5
    assert [x for x in later if x <= 2.0] == [1.0]  # as the rest of the room is gone
    assert sum(20.0 <= x < 40.0 for x in later) == 3


def test_a_cell_may_get_more_than_are_looked_at_in_small_budgets(buying: Any) -> None:
    found = buying({}, 40.0, budget=40.0, gas_floor_share=0.0, most_share=0.9)
    assert sum(20.0 <= x < 40.0 for x in found) == 35  # all five others are bought, too
