"""Small systems of known structure, in memory."""

from collections.abc import Callable, Sequence
from pathlib import Path

import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.coordinates.memory import MemoryReader
from numpy.typing import NDArray

from lmp_thermo.analysis.molecules import Molecules
from lmp_thermo.analysis.trajectory import Trajectory

MASSES = {"Ar": 39.948, "C": 12.011, "H": 1.008, "O": 15.999}

TriclinicBox = tuple[NDArray[np.float64], NDArray[np.float64]]


@pytest.fixture
def triclinic() -> TriclinicBox:
    """A box with three different angles: vectors as rows, and MDAnalysis dimensions."""
    vectors = np.array([[19.0, 0.0, 0.0], [4.2, 17.0, 0.0], [-3.1, 2.3, 21.0]])
    return vectors, MDAnalysis.lib.mdamath.triclinic_box(*vectors)


MakeTrajectory = Callable[..., Trajectory]


@pytest.fixture
def make_trajectory() -> MakeTrajectory:
    """Build a trajectory from arrays; the first frame is the reference geometry."""

    def make(
        frames: NDArray[np.float64],
        dimensions: Sequence[float] | NDArray[np.float64],
        species: Sequence[str] | None = None,
        sizes: Sequence[int] | None = None,
    ) -> Trajectory:
        n_frames, n_atoms, _ = frames.shape
        species = species or ["Ar"] * n_atoms
        sizes = sizes or [1] * n_atoms
        universe = MDAnalysis.Universe.empty(
            n_atoms,
            n_residues=len(sizes),
            atom_resindex=np.repeat(np.arange(len(sizes)), sizes),
            residue_segindex=np.zeros(len(sizes), dtype=int),
            trajectory=True,
        )
        universe.add_TopologyAttr("elements", list(species))
        universe.add_TopologyAttr("masses", [MASSES[s] for s in species])
        universe.load_new(
            frames.astype(np.float32),
            format=MemoryReader,
            dimensions=np.asarray(dimensions, dtype=np.float32),
            dt=0.1,
        )
        return Trajectory(
            universe=universe,
            molecules=Molecules(universe),
            frames=np.arange(n_frames),
            steps=100 * np.arange(n_frames),
            origin="memory",
        )

    return make


@pytest.fixture
def write_data_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a LAMMPS data file of atom_style atomic."""

    def write(
        positions: NDArray[np.float64],
        vectors: NDArray[np.float64],
        types: Sequence[int],
        masses: Sequence[float],
        name: str = "data.lmp",
    ) -> Path:
        (ax, _, _), (bx, by, _), (cx, cy, cz) = vectors
        lines = [
            "made by a test",
            "",
            f"{len(positions)} atoms",
            f"{len(masses)} atom types",
            "",
            *(
                f"0.0 {length} {axis}lo {axis}hi"
                for length, axis in zip((ax, by, cz), "xyz", strict=True)
            ),
            f"{bx} {cx} {cy} xy xz yz",
            "",
            "Masses",
            "",
            *(f"{k} {mass}  # a comment" for k, mass in enumerate(masses, 1)),
            "",
            "Atoms  # atomic",
            "",
            *(
                f"{k} {kind} {x} {y} {z}"
                for k, (kind, (x, y, z)) in enumerate(zip(types, positions, strict=True), 1)
            ),
        ]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write
