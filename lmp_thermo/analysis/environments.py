"""Coordination numbers of labelled frames, cell by cell of the grid.

`coordination.CoordinationNumber` does the same for the trajectory of one run. Frames are small:
boxes of few molecules, often narrower than twice the cutoff. So neighbours are counted with all
their periodic images, exactly, for any cutoff and any boundaries.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from matscipy.neighbours import neighbour_list
from numpy.typing import NDArray

from lmp_thermo.analysis.coordination import switched
from lmp_thermo.errors import AnalysisError
from lmp_thermo.frames import Frame, sum_by_molecule
from lmp_thermo.states import StatePoint

Array = NDArray[np.float64]
Kind = Literal["centres", "atoms"]
"""What counts and is counted: centres of mass of molecules, or atoms of other molecules."""

Count = Literal["hard", "smooth"]

HALF_WIDTH_A = 0.25
"""Of the smooth count, where nothing else is asked for."""

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Cutoff:
    """One cutoff for all cells, and where it comes from.

    Args:
        kind: sites between which it counts.
        value_A: r_c, Å.
        source: in words, for tables.
        half_width_A: half of the range over which the smooth count switches, Å.
        standard_error_A: of `value_A`; None where it was prescribed.
    """

    kind: Kind
    value_A: float
    source: str = "prescribed"
    half_width_A: float = HALF_WIDTH_A
    standard_error_A: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.half_width_A < self.value_A < np.inf:
            raise AnalysisError(
                f"cutoff = {self.value_A} Å with half width {self.half_width_A} Å, expected the "
                "half width above 0 and below the cutoff; change one of them"
            )

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Coordination:
    """Coordination numbers of the frames of one cell, frame by frame.

    Args:
        state: the cell.
        cutoff: with which they were counted.
        hard: for each frame (n_sites,) integers, sites with r < r_c.
        smooth: for each frame (n_sites,) sums of the switching function.
    """

    state: StatePoint
    cutoff: Cutoff
    hard: tuple[NDArray[np.int64], ...]
    smooth: tuple[Array, ...]

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.hard)

    @cached_property
    def shares(self) -> Array:
        """(n_frames, k) share of each frame's sites that have 0, 1, 2, ... neighbours."""
        return shares_by_frame(self.hard)

    @property
    def probability(self) -> Array:
        """(k,) share of sites with 0, 1, 2, ... neighbours; every frame weighs the same."""
        return np.asarray(self.shares.mean(axis=0))

    def samples(self, count: Count) -> tuple[NDArray[Any], ...]:
        """`hard` or `smooth`."""
        return self.hard if count == "hard" else self.smooth

    def mean(self, count: Count = "hard") -> float:
        """Mean coordination number, every frame weighing the same."""
        return float(np.mean([own.mean() for own in self.samples(count)]))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; the samples themselves are left out.

        Standard errors are those of frames that are independent of each other.
        """
        return {
            "density_g_cm3": self.state.density_g_cm3,
            "temperature_K": self.state.temperature_K,
            "n_frames": self.n_frames,
            "n_sites": sum(len(numbers) for numbers in self.hard),
            "hard": {**_mean(self.hard), "probability": self.probability.tolist()},
            "smooth": {**_mean(self.smooth), "quantiles": quantiles(self.smooth)},
        }


def _mean(samples: Sequence[NDArray[Any]]) -> dict[str, float | None]:
    means = np.array([np.mean(sample) for sample in samples])
    error = float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else None
    return {"mean": float(means.mean()), "standard_error": error}


def quantiles(samples: Sequence[NDArray[Any]]) -> dict[str, float]:
    """`QUANTILES` of samples pooled over frames."""
    pooled = np.concatenate(samples)
    return {f"{q:g}": float(np.quantile(pooled, q)) for q in QUANTILES}


def shares_by_frame(hard: Sequence[NDArray[np.int64]]) -> Array:
    """(n_frames, k) share of each frame's sites that have 0, 1, ..., k - 1 neighbours."""
    width = max(int(numbers.max()) for numbers in hard) + 1
    return np.stack([np.bincount(n, minlength=width) / len(n) for n in hard])


def site_positions(frame: Frame, kind: Kind) -> tuple[Array, NDArray[np.int64]]:
    """Sites of a frame.

    Returns:
        positions: (n_sites, 3) Å, not wrapped; molecules of the frame are whole.
        molecule: (n_sites,) index of the molecule each belongs to.
    """
    positions = np.asarray(frame.atoms.positions, dtype=float)
    if kind == "atoms":
        return positions, frame.molecule
    masses = np.asarray(frame.atoms.get_masses(), dtype=float)[:, None]
    total = sum_by_molecule(frame.molecule, masses)
    return sum_by_molecule(frame.molecule, masses * positions) / total, np.arange(len(total))


def site_pairs(frame: Frame, kind: Kind, reach_A: float) -> tuple[NDArray[np.int64], Array, int]:
    """Ordered pairs of sites of different molecules, each periodic image a site of its own.

    An image of a site's own molecule, a lattice vector away, is another molecule.

    Returns:
        i: (n_pairs,) the site that counts.
        distance: (n_pairs,) Å, below `reach_A`.
        n_sites: in the frame.

    Raises:
        AnalysisError: a position is not finite.
    """
    positions, molecule = site_positions(frame, kind)
    if not np.isfinite(positions).all():
        raise AnalysisError(
            f"frame {frame.tags}: a position is not finite, expected numbers in Å; leave it out"
        )
    i, j, shift, distance = neighbour_list(
        "ijSd",
        positions=positions,
        cell=np.asarray(frame.atoms.cell.complete()),
        pbc=frame.atoms.pbc,
        cutoff=reach_A,
    )
    other = (molecule[i] != molecule[j]) | shift.any(axis=1)
    return i[other], distance[other], len(positions)


def count_neighbours(frame: Frame, cutoff: Cutoff) -> tuple[NDArray[np.int64], Array]:
    r"""Hard and smooth coordination number of each site of a frame.

    Hard: neighbours with r < r_c. Smooth: the sum of

    .. math:: s(r) = \tfrac12 [1 + \cos(\pi (r - r_c + w) / 2w)]

    between r_c - w and r_c + w, 1 below, 0 above (`coordination.switched`): it changes
    continuously as neighbours cross the cutoff. Neither tells structure from density where there
    is no shell: in a gas they are the density in the sphere and nothing more.

    Returns:
        hard: (n_sites,) integers.
        smooth: (n_sites,)
    """
    i, distance, n = site_pairs(frame, cutoff.kind, cutoff.value_A + cutoff.half_width_A)
    weight = switched(distance, cutoff.value_A, cutoff.half_width_A)
    hard = np.bincount(i[distance < cutoff.value_A], minlength=n)
    smooth = np.bincount(i, weights=weight, minlength=n)
    return hard.astype(np.int64), smooth.astype(np.float64)


def coordination_of(state: StatePoint, frames: Iterable[Frame], cutoff: Cutoff) -> Coordination:
    """Coordination numbers of frames taken together under one state point.

    Raises:
        AnalysisError: there is no frame.
    """
    counted = [count_neighbours(frame, cutoff) for frame in frames]
    if not counted:
        raise AnalysisError(f"coordination at {state}: no frame, expected at least one")
    return Coordination(state, cutoff, tuple(h for h, _ in counted), tuple(s for _, s in counted))


def coordination_by_cell(frames: Iterable[Frame], cutoff: Cutoff) -> list[Coordination]:
    """Coordination numbers of each cell that the frames are of, by density, then temperature."""
    cells: dict[StatePoint, list[Frame]] = {}
    for frame in frames:
        cells.setdefault(frame.tags.state, []).append(frame)
    return [coordination_of(state, cells[state], cutoff) for state in sorted(cells)]
