"""How far coordination moves along density, and how far along temperature."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lmp_thermo.analysis.environments import Coordination, Count, Cutoff
from lmp_thermo.analysis.wasserstein import Distances, Interval, Sampled, ratio, total
from lmp_thermo.errors import AnalysisError
from lmp_thermo.states import StatePoint

Axis = Literal["density", "temperature"]


@dataclass(frozen=True)
class Shift:
    """Distance between two cells along one axis.

    Args:
        along: axis on which they differ.
        start, end: the cells.
        log_ratio: ln of the end's density or temperature over the start's.
        distance: W_1, neighbours.
        per_log: W_1 over `log_ratio`.
        mean_difference: of the mean counts, end less start; W_1 is at least its size.
    """

    along: Axis
    start: StatePoint
    end: StatePoint
    log_ratio: float
    distance: Interval
    per_log: Interval
    mean_difference: float


@dataclass(frozen=True)
class AxisResponse:
    """All distances along one axis; a row is the cells that share the other coordinate.

    Args:
        spans: first to last cell of each row.
        steps: neighbouring cells of each row.
        span: mean over the rows that span most of the axis.
        per_log: sum of the spans' distances over the sum of their `log_ratio`.
    """

    spans: tuple[Shift, ...]
    steps: tuple[Shift, ...]
    span: Interval
    per_log: Interval


@dataclass(frozen=True)
class Response:
    """Distances along both axes; None for an axis that no row extends along.

    Args:
        cutoff: of the counts.
        count: hard or smooth.
        density, temperature: along the axes.
        ratio_span, ratio_per_log: density over temperature; None without both.
        halves: mean over cells of `halves_by_cell`.
        halves_by_cell: W_1 between halves of one cell, see `wasserstein.Distances`.
        confidence: of the intervals.
        n_resamples: of the bootstrap.
    """

    cutoff: Cutoff
    count: Count
    density: AxisResponse | None
    temperature: AxisResponse | None
    ratio_span: Interval | None
    ratio_per_log: Interval | None
    halves: float
    halves_by_cell: dict[str, float]
    confidence: float
    n_resamples: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def response(
    cells: Sequence[Coordination],
    count: Count = "hard",
    *,
    n_resamples: int = 400,
    confidence: float = 0.95,
    seed: int = 0,
) -> Response:
    """Wasserstein-1 along density at fixed temperature, and along temperature at fixed density.

    Arguments and errors as `wasserstein.Distances`; besides:

    Args:
        confidence: of the intervals.

    Raises:
        AnalysisError: no two cells share a density or a temperature.
    """
    distances = Distances(cells, count, n_resamples, seed)
    density = _along("density", cells, distances, count, confidence)
    temperature = _along("temperature", cells, distances, count, confidence)
    if density is None and temperature is None:
        raise AnalysisError(
            "coordination along the grid: no two cells share a density or a temperature, expected "
            "a row of at least 2; label more cells"
        )
    ratios: list[Interval | None] = [None, None]
    if density is not None and temperature is not None:
        ratios = [
            ratio(density.span, temperature.span, confidence),
            ratio(density.per_log, temperature.per_log, confidence),
        ]
    halves = {state.name: value for state, value in distances.halves.items()}
    return Response(
        cutoff=cells[0].cutoff,
        count=count,
        density=None if density is None else density.response,
        temperature=None if temperature is None else temperature.response,
        ratio_span=ratios[0],
        ratio_per_log=ratios[1],
        halves=sum(halves.values()) / len(halves),
        halves_by_cell=halves,
        confidence=confidence,
        n_resamples=n_resamples,
    )


@dataclass(frozen=True)
class _Along:
    response: AxisResponse
    span: Sampled
    per_log: Sampled


def _along(
    axis: Axis,
    cells: Sequence[Coordination],
    distances: Distances,
    count: Count,
    confidence: float,
) -> _Along | None:
    def moving(state: StatePoint) -> float:
        return state.density_g_cm3 if axis == "density" else state.temperature_K

    def fixed(state: StatePoint) -> float:
        return state.temperature_K if axis == "density" else state.density_g_cm3

    def log_ratio(a: StatePoint, b: StatePoint) -> float:
        return math.log(moving(b) / moving(a))

    def shift(a: StatePoint, b: StatePoint, own: Sampled) -> Shift:
        log = log_ratio(a, b)
        per_log = own.over(log).interval(confidence)
        return Shift(axis, a, b, log, own.interval(confidence), per_log, means[b] - means[a])

    means = {cell.state: cell.mean(count) for cell in cells}
    rows: dict[float, list[StatePoint]] = {}
    for state in sorted(means, key=moving):
        rows.setdefault(fixed(state), []).append(state)
    long_rows = [rows[key] for key in sorted(rows) if len(rows[key]) > 1]
    if not long_rows:
        return None
    ends = [(row[0], row[-1]) for row in long_rows]
    spans = [distances.between(a, b) for a, b in ends]
    logs = [log_ratio(a, b) for a, b in ends]
    longest = [s for s, log in zip(spans, logs, strict=True) if math.isclose(log, max(logs))]
    span, per_log = total(longest).over(len(longest)), total(spans).over(sum(logs))
    steps = [pair for row in long_rows for pair in itertools.pairwise(row)]
    return _Along(
        AxisResponse(
            spans=tuple(shift(a, b, own) for (a, b), own in zip(ends, spans, strict=True)),
            steps=tuple(shift(a, b, distances.between(a, b)) for a, b in steps),
            span=span.interval(confidence),
            per_log=per_log.interval(confidence),
        ),
        span,
        per_log,
    )
