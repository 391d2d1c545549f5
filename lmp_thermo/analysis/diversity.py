r"""How diverse the environments of a training set are, and how much of a grid they cover.

Let p_f(k) be the share of frame f's sites that have k neighbours.

- *Diversity* is the mean Wasserstein-1 distance between two different frames (Rao's quadratic
  entropy with that distance, DOI 10.1016/0040-5809(82)90004-1): how many neighbours an average
  site gains or loses from frame to frame. Frames of one state point have only their noise.
- *Effective number* is :math:`\exp(-\sum_k p(k) \ln p(k))` of the mean p over frames (Hill's
  number of order 1, DOI 10.2307/1934352): how many counts there would be, were all equally common.
- *Coverage* of a cell with distribution q is :math:`\sum_k q(k) [p(k) \ge s]`: the share of its
  sites that have a number of neighbours which is not rare in the training set. With s = 1 %, what
  is left out makes less than 1 % of the terms of a loss that averages over sites: a model has next
  to no reason to be right there.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.analysis.environments import Coordination, shares_by_frame
from lmp_thermo.errors import AnalysisError

Array = NDArray[np.float64]

RARE = 0.01


@dataclass(frozen=True)
class Diversity:
    """See the module.

    Args:
        n_frames: of the training set.
        mean_distance: between two frames, neighbours.
        effective_number: of different counts.
        probability: (k,) share of sites with 0, 1, 2, ... neighbours; every frame weighs the same.
    """

    n_frames: int
    mean_distance: float
    effective_number: float
    probability: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Coverage:
    """See the module.

    Args:
        cells: covered share of each cell of the grid, by name.
        mean: over cells.
        worst: name of the cell with the smallest share.
        rare: s, share of the training set's sites below which a count is not covered.
    """

    cells: dict[str, float]
    mean: float
    worst: str
    rare: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def diversity(training: Sequence[Coordination]) -> Diversity:
    """Diversity of the frames of a training set, given by cell.

    Raises:
        AnalysisError: fewer than two frames.
    """
    shares = _shares(training)
    n = len(shares)
    if n < 2:
        raise AnalysisError(f"diversity of a training set: {n} frame(s), expected at least 2")
    # Sum over pairs of |x_i - x_j| from sorted values: each is the larger one of i pairs and the
    # smaller one of n - 1 - i.
    ordered = np.sort(np.cumsum(shares, axis=1), axis=0)
    rank = 2.0 * np.arange(n) - (n - 1.0)
    mean_distance = float((rank @ ordered).sum() / (0.5 * n * (n - 1)))
    p = shares.mean(axis=0)
    entropy = -float(np.sum(p[p > 0] * np.log(p[p > 0])))
    return Diversity(n, mean_distance, float(np.exp(entropy)), tuple(p.tolist()))


def coverage(
    training: Sequence[Coordination], grid: Sequence[Coordination], rare: float = RARE
) -> Coverage:
    """How much of each cell of a grid a training set covers.

    Args:
        training: frames of the training set, by cell.
        grid: frames of the cells to be covered, which the training set need not have.
        rare: s in (0, 1).

    Raises:
        AnalysisError: nothing to cover or to cover it with, or different cutoffs.
    """
    if not training or not grid or len({c.cutoff for c in (*training, *grid)}) != 1:
        raise AnalysisError(
            f"coverage of a grid: {len(training)} cells of training frames, {len(grid)} of the "
            "grid, expected at least one of each, all counted with one cutoff"
        )
    common = _shares(training).mean(axis=0) >= rare
    cells = {}
    for cell in grid:
        q = cell.probability[: len(common)]
        cells[cell.state.name] = float(q[common[: len(q)]].sum())
    return Coverage(
        cells, float(np.mean(list(cells.values()))), min(cells, key=cells.__getitem__), rare
    )


def _shares(training: Sequence[Coordination]) -> Array:
    return shares_by_frame([numbers for cell in training for numbers in cell.hard])
