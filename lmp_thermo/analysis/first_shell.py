"""The default cutoff of coordination numbers: the first minimum of the reference liquid's g(r)."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lmp_thermo.analysis.environments import HALF_WIDTH_A, Cutoff, Kind, site_pairs
from lmp_thermo.analysis.neighbours import box_heights
from lmp_thermo.errors import AnalysisError
from lmp_thermo.frames import Frame

Array = NDArray[np.float64]

BIN_A = 0.05

SMOOTHING_A = 0.25
"""Standard deviation of the Gaussian that smooths g(r) of few small frames, Å. The well between
two shells of a liquid is over 1 Å wide: it is hardly moved, and noise of single bins is gone."""

WITHIN_HEIGHTS = 0.7
"""How far a minimum is looked for, in smallest box heights. Beyond half of it all images are
counted; the false shell of every site's own images stands at a whole height."""

LIQUID_ORIGINS = ("reference-md", "model-md", "production")
"""Packed boxes and single molecules are no liquid."""

SIGNIFICANT = 4.0
"""Standard errors by which a minimum must lie below 1 and below what follows it. Some ten
independent stretches of g(r) are looked at; none of 4500 simulated ideal gases had a minimum."""

RESAMPLES = 200


def reference_liquid(frames: Iterable[Frame]) -> list[Frame]:
    """Frames of the densest cell; of several temperatures, the coldest. Only frames of dynamics.

    Raises:
        AnalysisError: there is none.
    """
    drawn = [f for f in frames if f.tags.origin in LIQUID_ORIGINS and f.atoms.pbc.all()]
    if not drawn:
        raise AnalysisError(
            "cutoff of coordination numbers: no frame of a periodic box drawn from dynamics, "
            "expected some of the reference liquid; give a cutoff in Å"
        )
    key = min((-f.tags.density_g_cm3, f.tags.temperature_K) for f in drawn)
    return [f for f in drawn if (-f.tags.density_g_cm3, f.tags.temperature_K) == key]


def first_shell(
    frames: Sequence[Frame], kind: Kind = "centres", half_width_A: float = HALF_WIDTH_A
) -> Cutoff:
    """The cutoff at the first minimum of g(r) over frames of one cell.

    g(r) of each frame is smoothed by a Gaussian of `SMOOTHING_A`. The minimum is the first one
    beyond the highest peak that lies below 1, and from which the mean over frames rises again,
    both by more than `SIGNIFICANT` standard errors: the larger of the frames' scatter and
    `_counting_noise`. The standard error of its position is the scatter over `RESAMPLES`
    bootstrap samples of frames. Frames count as independent of each other.

    Args:
        frames: of the reference liquid, see `reference_liquid`; periodic boxes.
        kind: of the sites; ``atoms`` only where every molecule is an atom.
        half_width_A: of the smooth count.

    Raises:
        AnalysisError: molecules of several atoms with ``atoms``, fewer than two frames, or no
            minimum (a gas, too few frames, or too small a box).
    """
    state = frames[0].tags.state if frames else "no cell"
    where = f"cutoff of {kind} from g(r) at {state}"
    if len(frames) < 2 or any(f.n_molecules < 2 for f in frames):
        raise AnalysisError(
            f"{where}: {len(frames)} frame(s), expected at least 2, of at least 2 molecules each; "
            "give a cutoff in Å"
        )
    if kind == "atoms" and any(f.n_molecules < len(f.atoms) for f in frames):
        raise AnalysisError(
            f"{where}: molecules of several atoms have several kinds of first minima; count "
            "centres, or give a cutoff in Å"
        )
    height = min(float(box_heights(np.asarray(f.atoms.cell)).min()) for f in frames)
    edges = np.arange(0.0, WITHIN_HEIGHTS * height, BIN_A)
    curves = np.stack([_smoothed_rdf(frame, kind, edges) for frame in frames])
    found = _first_minimum(curves, _counting_noise(frames, edges))
    if found is None:
        raise AnalysisError(
            f"{where}: no first minimum up to {edges[-1]:.2f} Å, {WITHIN_HEIGHTS} of the box "
            f"height ({len(frames)} frames: a gas, too few, or too small a box); give a cutoff in Å"
        )
    peak, lowest, rise = found
    random = np.random.default_rng(0)
    samples = random.integers(len(frames), size=(RESAMPLES, len(frames)))
    positions = np.argmin(curves[samples].mean(axis=1)[:, peak:rise], axis=1)
    value = round(float(0.5 * (edges[lowest] + edges[lowest + 1])), 6)
    text = f"first minimum of g(r) of {kind} at {state}, {len(frames)} frames"
    if value > 0.5 * height:
        text += f", beyond half the box ({0.5 * height:.2f} Å): all images counted"
    return Cutoff(kind, value, text, half_width_A, float(BIN_A * positions.std(ddof=1)))


def _smoothed_rdf(frame: Frame, kind: Kind, edges: Array) -> Array:
    r"""g(r) of one frame, :math:`V n(r) / (N(N-1) \, 4\pi (r_+^3 - r_-^3)/3)`, smoothed."""
    _, distance, n = site_pairs(frame, kind, float(edges[-1]))
    counts = np.histogram(distance, edges)[0]
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    g = counts * frame.atoms.get_volume() / (max(n * (n - 1), 1) * shells)
    return np.asarray(gaussian_filter1d(g, SMOOTHING_A / BIN_A, mode="nearest"))


def _counting_noise(frames: Sequence[Frame], edges: Array) -> Array:
    r"""Standard error of the smoothed mean g where g = 1, by counting.

    Pairs that come independently (Poisson) and are weighed by a Gaussian of width s count like
    those in a window of :math:`2 \sqrt\pi s`. The scatter over a handful of frames is now and
    then much too small; this is not.
    """
    r = 0.5 * (edges[:-1] + edges[1:])
    window = 4.0 * np.pi * r**2 * 2.0 * np.sqrt(np.pi) * SMOOTHING_A
    sites = [(f.n_molecules, f.atoms.get_volume()) for f in frames]
    pairs = sum(0.5 * n * (n - 1) / volume for n, volume in sites) * window
    return np.asarray(1.0 / np.sqrt(pairs))


def _first_minimum(curves: Array, noise: Array) -> tuple[int, int, int] | None:
    """Bins of the highest peak, of the first minimum beyond it, and where its rise is certain.

    Args:
        curves: (n_frames, n_bins)
        noise: (n_bins,) see `_counting_noise`.
    """
    g = curves.mean(axis=0)
    peak = lowest = int(np.argmax(g))
    for k in range(peak, len(g)):
        if g[k] < g[lowest]:
            lowest = k
        rises = curves[:, k] - curves[:, lowest]
        scatter = float(rises.std(ddof=1) / np.sqrt(len(rises)))
        error = max(scatter, float(np.hypot(noise[k] * g[k] ** 0.5, noise[lowest])))
        if g[lowest] < 1.0 - SIGNIFICANT * noise[lowest] and rises.mean() > SIGNIFICANT * error:
            return peak, lowest, k
    return None
