"""Protocols: what is refused, and how times become steps."""

from dataclasses import replace
from typing import Any

import pytest

from lmp_thermo.decks import Guards, Schedule
from lmp_thermo.errors import DeckError
from tests.unit.decks.argon import GUARDS, PROTOCOL


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timestep_fs": 0.0}, "timestep_fs = 0.0; expected a number above 0"),
        ({"timestep_fs": 21.0}, "timestep_fs = 21.0; expected at most 20"),
        ({"production_ps": -1.0}, "production_ps = -1.0; expected a number above 0"),
        ({"segment_ps": float("inf")}, "segment_ps = inf; expected a number above 0"),
        ({"equilibration_ps": -0.1}, "equilibration_ps = -0.1; expected 0 or more"),
        ({"nve_ps": float("nan")}, "nve_ps = nan; expected 0 or more"),
        ({"thermostat": "berendsen"}, "thermostat = 'berendsen'; expected one of csvr"),
        ({"thermostat_damping_ps": 0.007}, "damping_ps = 0.007 is below two timesteps of 4"),
        ({"seed": -1}, "seed = -1; expected 0 to"),
    ],
)
def test_protocol_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeckError, match=message):
        replace(PROTOCOL, **changes)


@pytest.mark.parametrize("name", list(vars(GUARDS)))
def test_guards_refuse_what_is_not_positive(name: str) -> None:
    values = {**vars(GUARDS), name: 0}
    with pytest.raises(DeckError, match=f"guards.{name} = 0; expected a number above 0"):
        Guards(**values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trajectory_every_fs": 70.0}, "trajectory_every_fs = 70 is no multiple of timestep_fs"),
        ({"thermo_every_fs": 2.0}, "thermo_every_fs = 2 is no multiple of timestep_fs = 4"),
        ({"thermo_every_fs": 24.0}, "expected one to be a multiple of the other"),
    ],
)
def test_schedule_refuses_intervals_that_do_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeckError, match=message):
        Schedule.of(replace(PROTOCOL, **changes))


def test_schedule_in_steps() -> None:
    schedule = Schedule.of(PROTOCOL)
    assert (schedule.trajectory_every, schedule.thermo_every) == (20, 4)
    assert schedule.segment_steps == 260  # 250 rounded up to frames
    assert [(p.name, p.first_step, p.last_step, p.first_segment) for p in schedule.phases] == [
        ("equilibration", 0, 200, 0),
        ("production", 200, 1200, 1),
        ("nve", 1200, 1300, 5),
    ]
    assert [(s.index, s.phase, s.first_step, s.last_step) for s in schedule.segments] == [
        (0, "equilibration", 0, 200),
        (1, "production", 200, 460),
        (2, "production", 460, 720),
        (3, "production", 720, 980),
        (4, "production", 980, 1200),
        (5, "nve", 1200, 1300),
    ]
    assert schedule.last_step == 1300


@pytest.mark.parametrize("timestep_fs", [0.1, 0.25, 0.3, 0.5, 0.7, 1.1, 2.0, 4.0])
def test_decimal_intervals_are_whole_steps(timestep_fs: float) -> None:
    """Times that are whole multiples on paper stay so: 0.3 and 0.7 are not exact in binary."""
    protocol = replace(
        PROTOCOL,
        timestep_fs=timestep_fs,
        thermo_every_fs=3 * timestep_fs,
        trajectory_every_fs=21 * timestep_fs,
        equilibration_ps=0.0,
        production_ps=42e-3 * 5 * timestep_fs,
        nve_ps=0.0,
        segment_ps=42e-3 * timestep_fs,
        thermostat_damping_ps=1.0,
    )
    schedule = Schedule.of(protocol)
    assert [phase.name for phase in schedule.phases] == ["production"]
    assert schedule.last_step == 210
    assert [s.last_step for s in schedule.segments] == [42, 84, 126, 168, 210]
