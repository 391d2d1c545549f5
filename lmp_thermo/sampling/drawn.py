"""Frames drawn from the trajectory of a run, spread out in time."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import NDArray

from lmp_thermo.errors import FrameError
from lmp_thermo.fluid.molecules import BOND_FACTOR
from lmp_thermo.frames import MOLECULE, Frame, Tags, molecule_index


@dataclass(frozen=True)
class Spacing:
    """How far apart in time frames were drawn, and how far they had to be.

    Args:
        spacing_ps: time between frames drawn.
        inefficiency_ps: statistical inefficiency of the potential energy, the time between
            independent samples.
    """

    spacing_ps: float
    inefficiency_ps: float

    @property
    def decorrelated(self) -> bool:
        """Whether neighbouring frames are independent by this measure."""
        return bool(self.spacing_ps >= self.inefficiency_ps)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "decorrelated": self.decorrelated}


def spread_over(n_available: int, count: int) -> NDArray[np.int64]:
    """(count,) indices spread evenly over a trajectory, the first and last half spacing left out.

    Raises:
        FrameError: the trajectory is shorter than the number of frames wanted.
    """
    if n_available < count:
        raise FrameError(f"sampling run: has {n_available} frames, expected at least {count}")
    return np.asarray(((np.arange(count) + 0.5) * n_available / count).astype(np.int64))


def bond_between_molecules(
    positions: NDArray[np.float64],
    edge: float,
    numbers: NDArray[np.int64],
    molecule_sizes: list[int],
) -> tuple[int, int, float] | None:
    """Two atoms of different molecules that are as near as bonded ones.

    Atoms that are molecules of their own (noble gases, ions, metals) bind nothing by this measure:
    their covalent radii say little of how near others come.

    Args:
        positions: (n_atoms, 3), Å.
        edge: of the periodic cube, Å.
        numbers: (n_atoms,) atomic numbers.
        molecule_sizes: atoms of each molecule.

    Returns:
        The pair that is nearest for its radii, and its distance in Å; None where none is bonded.
    """
    molecule = molecule_index(molecule_sizes)
    vectors = positions[:, None] - positions[None, :]
    vectors -= edge * np.round(vectors / edge)
    distances = np.linalg.norm(vectors, axis=-1)
    radii = covalent_radii[numbers]
    near = distances / (BOND_FACTOR * (radii[:, None] + radii[None, :]))
    single = np.repeat(np.asarray(molecule_sizes) == 1, molecule_sizes)
    near[molecule[:, None] == molecule[None, :]] = np.inf
    near[single[:, None] | single[None, :]] = np.inf
    i, j = np.unravel_index(int(near.argmin()), near.shape)
    return (int(i), int(j), float(distances[i, j])) if near[i, j] < 1 else None


def frames_from(
    positions: NDArray[np.float64],
    cells: NDArray[np.float64],
    numbers: NDArray[np.int64],
    molecule_sizes: list[int],
    tags: Tags,
) -> list[Frame]:
    """Frames from arrays of a trajectory.

    Args:
        positions: (n_frames, n_atoms, 3), molecules whole, Å.
        cells: (n_frames, 3, 3), Å.
        numbers: (n_atoms,) atomic numbers.
        molecule_sizes: atoms of each molecule.
        tags: of the run; the index is counted up from it.
    """
    frames = []
    for index, (own, cell) in enumerate(zip(positions, cells, strict=True)):
        atoms = Atoms(numbers=numbers, positions=own, cell=cell, pbc=True)
        molecule = molecule_index(molecule_sizes)
        atoms.set_array(MOLECULE, molecule)
        _into_the_box(atoms, molecule)
        frames.append(Frame(atoms, Tags(**{**asdict(tags), "index": tags.index + index})))
    return frames


def _into_the_box(atoms: Atoms, molecule: NDArray[np.int64]) -> None:
    """Move whole molecules by lattice vectors so that each has its first atom in the box."""
    first = np.searchsorted(molecule, np.arange(molecule.max() + 1))
    shift = np.floor(atoms.cell.scaled_positions(atoms.positions[first]))
    atoms.positions -= (shift @ np.asarray(atoms.cell))[molecule]
