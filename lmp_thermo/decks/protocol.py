"""What a run does: phases, intervals, thermostat, guards; in physical units and in steps."""

import math
from dataclasses import dataclass, fields
from typing import Literal

from lmp_thermo.errors import DeckError

Thermostat = Literal["csvr", "langevin", "nose-hoover"]
THERMOSTATS = ("csvr", "langevin", "nose-hoover")

LARGEST_TIMESTEP_FS = 20.0
LARGEST_SEED = 2**31 - 1

STEPS_TOLERANCE = 1e-6
"""An interval may miss a whole number of steps by this: decimal input is not exact in binary."""


@dataclass(frozen=True)
class Guards:
    """Limits at which a run that is blowing up stops.

    Args:
        max_temperature_K: the highest temperature.
        min_distance_A: the shortest distance between two atoms.
        max_energy_rise_eV_atom: how far the potential energy may rise above the start of the
            phase.
        check_every_steps: how often temperature and distance are looked at; the energy is
            with each row of thermodynamic output.
    """

    max_temperature_K: float
    min_distance_A: float
    max_energy_rise_eV_atom: float
    check_every_steps: int = 10

    def __post_init__(self) -> None:
        for field in fields(self):
            require_positive(f"guards.{field.name}", getattr(self, field.name))


@dataclass(frozen=True)
class Protocol:
    """How a deck is run.

    Args:
        timestep_fs: integration step.
        equilibration_ps: NVT before anything is kept.
        production_ps: NVT whose trajectory is kept.
        nve_ps: constant energy after that, to see the drift; 0 for none.
        trajectory_every_fs: time between frames of the production.
        thermo_every_fs: time between rows of thermodynamic output.
        segment_ps: time between restarts.
        thermostat: ``csvr`` (stochastic velocity rescaling, Bussi, Donadio and Parrinello 2007,
            doi:10.1063/1.2408420), ``langevin``, or ``nose-hoover`` (a global chain; does not
            equilibrate a dilute gas).
        thermostat_damping_ps: its relaxation time.
        seed: of velocities and thermostat.
        minimize: relax the positions first.
        guards: limits at which the run stops.
    """

    timestep_fs: float
    equilibration_ps: float
    production_ps: float
    nve_ps: float
    trajectory_every_fs: float
    thermo_every_fs: float
    segment_ps: float
    thermostat: Thermostat
    thermostat_damping_ps: float
    seed: int
    minimize: bool
    guards: Guards

    def __post_init__(self) -> None:
        for name in (
            "timestep_fs",
            "production_ps",
            "trajectory_every_fs",
            "thermo_every_fs",
            "segment_ps",
            "thermostat_damping_ps",
        ):
            require_positive(name, getattr(self, name))
        for name in ("equilibration_ps", "nve_ps"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise DeckError(f"protocol: {name} = {value}; expected 0 or more")
        if self.timestep_fs > LARGEST_TIMESTEP_FS:
            raise DeckError(
                f"protocol: timestep_fs = {self.timestep_fs}; expected at most "
                f"{LARGEST_TIMESTEP_FS:g}; reduce it"
            )
        if self.thermostat not in THERMOSTATS:
            raise DeckError(
                f"protocol: thermostat = '{self.thermostat}'; expected one of "
                f"{', '.join(THERMOSTATS)}"
            )
        if self.thermostat_damping_ps * 1000 < 2 * self.timestep_fs:
            raise DeckError(
                f"protocol: thermostat_damping_ps = {self.thermostat_damping_ps} is below two "
                f"timesteps of {self.timestep_fs} fs; raise it"
            )
        if not 0 <= self.seed <= LARGEST_SEED:
            raise DeckError(f"protocol: seed = {self.seed}; expected 0 to {LARGEST_SEED}")


@dataclass(frozen=True)
class Phase:
    """A part of a run; its first step is the last one of the phase before.

    Args:
        name: ``equilibration``, ``production`` or ``nve``.
        first_step: where it begins.
        last_step: where it ends.
        first_segment: number of its first segment.
    """

    name: str
    first_step: int
    last_step: int
    first_segment: int


@dataclass(frozen=True)
class Segment:
    """What is run between two restarts; its first step is the last one of the segment before."""

    index: int
    phase: str
    first_step: int
    last_step: int


@dataclass(frozen=True)
class Schedule:
    """A protocol in steps.

    Phases and segments are whole multiples of the larger of the two output intervals, so that
    frames and rows are evenly spaced throughout; asked times are rounded up to that.

    Args:
        phases: in their order.
        segments: of all phases, in their order.
        trajectory_every: steps between frames.
        thermo_every: steps between rows.
        segment_steps: length of a segment; the last one of a phase may be shorter.
    """

    phases: tuple[Phase, ...]
    segments: tuple[Segment, ...]
    trajectory_every: int
    thermo_every: int
    segment_steps: int

    @classmethod
    def of(cls, protocol: Protocol) -> "Schedule":
        """The schedule of a protocol.

        Raises:
            DeckError: an output interval is no whole number of steps, or neither of the two
                is a multiple of the other.
        """
        trajectory_every = whole_steps(protocol, "trajectory_every_fs")
        thermo_every = whole_steps(protocol, "thermo_every_fs")
        unit = max(trajectory_every, thermo_every)
        if unit % min(trajectory_every, thermo_every):
            raise DeckError(
                f"protocol: trajectory_every_fs = {protocol.trajectory_every_fs:g} and "
                f"thermo_every_fs = {protocol.thermo_every_fs:g}; expected one to be a multiple "
                "of the other; change one of them"
            )
        segment_steps = steps_up(protocol.segment_ps, protocol.timestep_fs, unit)
        phases: list[Phase] = []
        segments: list[Segment] = []
        step = 0
        for name, time_ps in (
            ("equilibration", protocol.equilibration_ps),
            ("production", protocol.production_ps),
            ("nve", protocol.nve_ps),
        ):
            last = step + steps_up(time_ps, protocol.timestep_fs, unit)
            if last == step:
                continue
            phases.append(Phase(name, step, last, len(segments)))
            while step < last:
                end = min(step + segment_steps, last)
                segments.append(Segment(len(segments), name, step, end))
                step = end
        return cls(tuple(phases), tuple(segments), trajectory_every, thermo_every, segment_steps)

    @property
    def last_step(self) -> int:
        """The step at which the run is finished."""
        return self.phases[-1].last_step


def require_positive(name: str, value: float) -> None:
    """Refuse what is not a finite number above 0."""
    if not (math.isfinite(value) and value > 0):
        raise DeckError(f"protocol: {name} = {value}; expected a number above 0")


def whole_steps(protocol: Protocol, name: str) -> int:
    """An interval given in fs as a number of steps."""
    interval_fs = float(getattr(protocol, name))
    steps = interval_fs / protocol.timestep_fs
    whole = round(steps)
    if whole < 1 or abs(steps - whole) > STEPS_TOLERANCE * whole:
        raise DeckError(
            f"protocol: {name} = {interval_fs:g} is no multiple of timestep_fs = "
            f"{protocol.timestep_fs:g}; give a whole number of timesteps"
        )
    return whole


def steps_up(time_ps: float, timestep_fs: float, unit: int) -> int:
    """A time in steps, rounded up to a multiple of `unit`."""
    units = time_ps * 1000 / (timestep_fs * unit)
    return math.ceil(units - STEPS_TOLERANCE) * unit
