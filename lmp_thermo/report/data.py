"""What the report shows: plain values with units in their names. Any part may be missing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.errors import AnalysisError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CellReport:
    """All that is known of one cell of the grid.

    Args:
        density_g_cm3: of the state point.
        temperature_K: of the state point.
        errors: of the potential on frames of its own run, relabelled by the reference; layout of
            `potential.intermolecular.Errors.as_dict` (eV, Å, bar).
        held_out: of the potential on held-out labelled frames, same layout.
        no_interaction: of the no-interaction model on the frames of `errors`, or of `held_out`
            where there are no others.
        verdict: `validation.verdict.Verdict.to_dict`.
        no_interaction_verdict: the same gates applied to the no-interaction model.
        observables: `analysis.statistics.Observable.to_dict` by name.
        comparisons: rows of `validation.verdict.compare_observables`.
        run_status: ``new``, ``running``, ``interrupted``, ``failed`` or ``finished``.
        run_cause: why a run failed.
        ns_per_day: speed of the run.
    """

    density_g_cm3: float
    temperature_K: float
    errors: Mapping[str, Any] | None = None
    held_out: Mapping[str, Any] | None = None
    no_interaction: Mapping[str, Any] | None = None
    verdict: Mapping[str, Any] | None = None
    no_interaction_verdict: Mapping[str, Any] | None = None
    observables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    comparisons: Sequence[Mapping[str, Any]] = ()
    run_status: str = "new"
    run_cause: str | None = None
    ns_per_day: float | None = None

    @property
    def passed(self) -> bool | None:
        """Whether the cell holds; None where it has not been judged."""
        if self.run_status == "failed":
            return False
        return None if self.verdict is None else bool(self.verdict["passed"])

    @property
    def shown_errors(self) -> Mapping[str, Any] | None:
        """Errors on the own run's frames, else on held-out ones."""
        return self.errors if self.errors is not None else self.held_out

    @property
    def net_force_counts(self) -> bool:
        """False where the verdict found the net forces too small to be judged."""
        for check in (self.verdict or {}).get("checks", ()):
            if str(check["name"]).startswith("net force"):
                return check["passed"] is not None
        return True

    def __str__(self) -> str:
        return f"{self.density_g_cm3:g} g/cm³, {self.temperature_K:g} K"


def relative_error(errors: Mapping[str, Any] | None, quantity: str) -> float | None:
    """RMSE over the rms of the reference; None where there is nothing to compare with."""
    deviation = (errors or {}).get(quantity)
    if deviation is None or not deviation["rms"] > 0.0:
        return None
    return float(deviation["rmse"] / deviation["rms"])


@dataclass(frozen=True)
class TrainingRound:
    """One round of training.

    Args:
        number: of the round, from 0.
        updates: (n,) updates done.
        seconds: (n,) wall time since the round's training began.
        loss: terms of the loss by name, each (n,).
        validation: RMSE on validation frames by name, each (n,), nan where not yet measured:
            ``energy`` eV/atom, ``force`` eV/Å, ``stress`` eV/atom, ``net_force`` eV/Å,
            ``torque`` eV, ``molecular_virial`` eV per molecule.
    """

    number: int
    updates: Array
    seconds: Array
    loss: Mapping[str, Array]
    validation: Mapping[str, Array]

    def __post_init__(self) -> None:
        series = {"seconds": self.seconds, **self.loss, **self.validation}
        _check_lengths(f"training round {self.number}", {"updates": self.updates, **series})

    @classmethod
    def of(cls, number: int, lines: Sequence[Mapping[str, Any]]) -> "TrainingRound":
        """A round from the lines of its ``progress.jsonl``."""

        def column(key: str | None, name: str) -> Array:
            rows = lines if key is None else [line[key] for line in lines]
            return np.array([row.get(name, math.nan) for row in rows], dtype=float)

        def columns(key: str) -> dict[str, Array]:
            names = dict.fromkeys(name for line in lines for name in line[key])
            return {name: column(key, name) for name in names}

        return cls(
            number=number,
            updates=column(None, "update"),
            seconds=column(None, "seconds"),
            loss=columns("loss"),
            validation=columns("validation"),
        )


@dataclass(frozen=True)
class ParityPoints:
    """One quantity, number by number, on frames of the potential's own runs.

    Args:
        reference: (n,) labels.
        predicted: (n,) the potential's.
        density_g_cm3: (n,) of the cell.
        temperature_K: (n,) of the cell.
    """

    reference: Array
    predicted: Array
    density_g_cm3: Array
    temperature_K: Array

    def __post_init__(self) -> None:
        _check_lengths("parity", vars(self))


@dataclass(frozen=True)
class Parity:
    """Parity of what acts between molecules; the no-interaction model predicts 0 for all three.

    Args:
        net_force: components of the net force on each molecule, eV/Å.
        interaction_energy: energy less that of the molecules alone, eV/atom.
        molecular_pressure: molecular virial pressure without its kinetic part, bar.
    """

    net_force: ParityPoints | None = None
    interaction_energy: ParityPoints | None = None
    molecular_pressure: ParityPoints | None = None


@dataclass(frozen=True)
class RdfCurve:
    """A radial distribution function.

    Args:
        density_g_cm3: of the cell.
        temperature_K: of the cell.
        pair: what is counted around what, for example ``C-C`` or ``centres``.
        r_A: (n,) bin centres, Å.
        g: (n,) of the potential's run.
        standard_error: (n,) of `g`.
        reference_g: (n,) of the reference's own run, where there is one.
    """

    density_g_cm3: float
    temperature_K: float
    pair: str
    r_A: Array
    g: Array
    standard_error: Array
    reference_g: Array | None = None

    def __post_init__(self) -> None:
        own = {"r_A": self.r_A, "g": self.g, "standard_error": self.standard_error}
        if self.reference_g is not None:
            own["reference_g"] = self.reference_g
        _check_lengths(f"RDF {self.pair}", own)


@dataclass(frozen=True)
class Coordination:
    """Neighbours of a molecule (or atom) in its first shell.

    Args:
        density_g_cm3: of the cell.
        temperature_K: of the cell.
        mean: number of neighbours.
        standard_error: of the mean.
        distribution: (n,) probability of 0, 1, 2, ... neighbours; empty where not measured.
        reference_mean: of the reference's own run.
        reference_standard_error: of `reference_mean`.
        reference_distribution: (m,) of the reference's own run.
    """

    density_g_cm3: float
    temperature_K: float
    mean: float
    standard_error: float
    distribution: Sequence[float] = ()
    reference_mean: float | None = None
    reference_standard_error: float | None = None
    reference_distribution: Sequence[float] | None = None


@dataclass(frozen=True)
class PressurePoint:
    """Pressure of one cell.

    Args:
        density_g_cm3: of the cell.
        temperature_K: of the cell.
        pressure_bar: of the potential's run; None where there is none.
        standard_error_bar: of `pressure_bar`.
        ideal_bar: N k_B T / V of the molecules.
        converged: whether the run has enough independent samples.
        reference_bar: of the reference's own run.
        reference_standard_error_bar: of `reference_bar`.
    """

    density_g_cm3: float
    temperature_K: float
    pressure_bar: float | None
    standard_error_bar: float | None
    ideal_bar: float
    converged: bool = True
    reference_bar: float | None = None
    reference_standard_error_bar: float | None = None


@dataclass(frozen=True)
class Drift:
    """Drift of the total energy in the NVE run of one cell, meV per atom and ps."""

    density_g_cm3: float
    temperature_K: float
    drift_meV_atom_ps: float
    standard_error: float


@dataclass(frozen=True)
class FiniteSize:
    """Change of a label when its box is doubled along each edge.

    Args:
        density_g_cm3: of the frame.
        temperature_K: of the frame.
        edge_A: shortest box edge.
        energy_meV_atom: change of the energy.
        pressure_bar: change of the pressure; None without stress.
        contradiction_bar: pressure of the molecular virial less that from the change of the energy
            in a slightly smaller and a larger box; None without stress.
        complete: whether all three doubled boxes could be labelled.
    """

    density_g_cm3: float
    temperature_K: float
    edge_A: float
    energy_meV_atom: float
    pressure_bar: float | None
    contradiction_bar: float | None = None
    complete: bool = True


@dataclass(frozen=True)
class Sampling:
    """How one cell's frames were drawn in one round.

    Args:
        density_g_cm3: of the cell.
        temperature_K: of the cell.
        number: of the round, from 0.
        frames: drawn.
        origin: ``packed``, or what ran the dynamics.
        spacing_ps: time between frames; None for packed frames.
        inefficiency_ps: time between independent samples of the potential energy.
        decorrelated: whether the spacing is the longer of the two.
        stopped: why the sampling run stopped early.
    """

    density_g_cm3: float
    temperature_K: float
    number: int
    frames: int
    origin: str
    spacing_ps: float | None = None
    inefficiency_ps: float | None = None
    decorrelated: bool | None = None
    stopped: str | None = None


@dataclass(frozen=True)
class Bought:
    """What the curriculum of an adaptive study labelled in one cell.

    Args:
        density_g_cm3: of the cell.
        temperature_K: of the cell.
        labels: of each round, from the start on.
        scores: that the cell was expected to have before each round after the start.
    """

    density_g_cm3: float
    temperature_K: float
    labels: Sequence[int]
    scores: Sequence[float]


@dataclass(frozen=True)
class Failure:
    """Something that failed: the stage, the item (a state point, a frame), the cause."""

    stage: str
    item: str
    cause: str


@dataclass(frozen=True)
class ReportData:
    """Everything on the page.

    Args:
        title: name of the study.
        subtitle: fluid, reference, arm, in a line.
        summary: further lines.
        provenance: versions, hashes, seeds, dates, by name, ready to print.
        step_seconds: wall time by step, in the order of the steps.
        cells: of the grid, one each.
        net_force_limit: gate on the relative net-force error (0.25 for 25 %).
        training: rounds, oldest first.
        parity: None before validation.
        rdfs, coordination, pressures, drifts: of the production runs.
        finite_size, sampling, bought, failures: of the earlier stages, and of all.
    """

    title: str
    subtitle: str
    net_force_limit: float
    summary: Sequence[str] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    step_seconds: Mapping[str, float] = field(default_factory=dict)
    cells: Sequence[CellReport] = ()
    training: Sequence[TrainingRound] = ()
    parity: Parity | None = None
    rdfs: Sequence[RdfCurve] = ()
    coordination: Sequence[Coordination] = ()
    pressures: Sequence[PressurePoint] = ()
    drifts: Sequence[Drift] = ()
    finite_size: Sequence[FiniteSize] = ()
    sampling: Sequence[Sampling] = ()
    bought: Sequence[Bought] = ()
    failures: Sequence[Failure] = ()

    def __post_init__(self) -> None:
        if not self.net_force_limit > 0.0:
            raise AnalysisError(
                f"report: net_force_limit = {self.net_force_limit}, expected above 0; give the "
                "gate of the study"
            )

    @property
    def densities_g_cm3(self) -> list[float]:
        """Distinct densities of everything shown, ascending; the colours of all figures."""
        return sorted({part.density_g_cm3 for part in self._parts()})

    @property
    def temperatures_K(self) -> list[float]:
        """Distinct temperatures of everything shown, ascending; the symbols of all figures."""
        return sorted({part.temperature_K for part in self._parts()})

    def _parts(
        self,
    ) -> list[CellReport | RdfCurve | Coordination | PressurePoint | Drift]:
        return [*self.cells, *self.rdfs, *self.coordination, *self.pressures, *self.drifts]


def _check_lengths(name: str, arrays: Mapping[str, Any]) -> None:
    shapes = {key: np.shape(array) for key, array in arrays.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise AnalysisError(f"{name}: shapes {shapes}, expected one dimension and one length")
