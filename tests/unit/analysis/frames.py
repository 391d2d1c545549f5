"""Frames and counts of known structure."""

import itertools
from collections.abc import Sequence

import numpy as np
from ase import Atoms

from lmp_thermo.analysis.environments import Coordination, Cutoff
from lmp_thermo.frames import MOLECULE, Frame, Tags
from lmp_thermo.states import StatePoint

TRICLINIC = np.array([[9.0, 0.0, 0.0], [2.2, 8.0, 0.0], [-1.6, 1.3, 10.0]])


def frame_of(
    positions: np.ndarray,
    cell: np.ndarray | None,
    species: Sequence[str] | None = None,
    sizes: Sequence[int] | None = None,
    state: StatePoint = StatePoint(1.0, 100.0),  # noqa: B008 (frozen)
    origin: str = "reference-md",
) -> Frame:
    """A frame; periodic where there is a cell; atoms are molecules where no sizes are given."""
    atoms = Atoms(species or ["Ar"] * len(positions), positions=positions)
    if cell is not None:
        atoms.set_cell(cell)
        atoms.pbc = True
    sizes = sizes or [1] * len(positions)
    atoms.set_array(MOLECULE, np.repeat(np.arange(len(sizes)), sizes))
    return Frame(atoms, Tags(state.density_g_cm3, state.temperature_K, origin, 0, 1, 0))


def ideal_gas(rng: np.random.Generator, n: int, cell: np.ndarray, **rest: object) -> Frame:
    """Points that know nothing of each other."""
    return frame_of(rng.uniform(size=(n, 3)) @ cell, cell, **rest)  # type: ignore[arg-type]


def brute_force_distances(positions: np.ndarray, cell: np.ndarray, reach: int) -> np.ndarray:
    """(n, n, images) distances to all images within `reach` cells, the home cell in the middle."""
    shifts = np.array(list(itertools.product(range(-reach, reach + 1), repeat=3))) @ cell
    vectors = positions[None, :, None] + shifts[None, None] - positions[:, None, None]
    return np.linalg.norm(vectors, axis=-1)


def cell_of(
    state: StatePoint, samples: Sequence[np.ndarray], cutoff: Cutoff | None = None
) -> Coordination:
    """A cell with these counts, frame by frame: as they are smooth, rounded hard."""
    hard = tuple(np.rint(s).astype(np.int64) for s in samples)
    smooth = tuple(np.asarray(s, dtype=float) for s in samples)
    return Coordination(state, cutoff or Cutoff("atoms", 5.0), hard, smooth)
