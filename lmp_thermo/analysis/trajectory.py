"""Trajectories of LAMMPS runs in MDAnalysis: segments, times, molecules, masses."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import MDAnalysis
import numpy as np
from MDAnalysis.analysis.base import AnalysisBase
from MDAnalysis.lib.formats.libdcd import DCDFile
from numpy.typing import NDArray

from lmp_thermo.analysis.molecules import Molecules
from lmp_thermo.analysis.segments import not_superseded, segment_files
from lmp_thermo.errors import AnalysisError

UNREADABLE = (OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError)
"""What MDAnalysis raises when it opens files that are not what they should be."""

Analysis = TypeVar("Analysis", bound=AnalysisBase)


@dataclass(frozen=True)
class Trajectory:
    """A universe and the frames of it that count.

    Args:
        universe: topology and frames; residues are molecules.
        molecules: the molecules, bonded as in the geometry of the data file.
        frames: (n_frames,) indices of the frames that no later segment repeats.
        steps: (n_frames,) LAMMPS step of each of them.
        origin: the files they come from.
    """

    universe: MDAnalysis.Universe
    molecules: Molecules
    frames: NDArray[np.int64]
    steps: NDArray[np.int64]
    origin: str

    def between(self, first_step: int, last_step: int) -> NDArray[np.int64]:
        """Indices of the frames from `first_step` to `last_step`, both included."""
        return self.frames[(self.steps >= first_step) & (self.steps <= last_step)]


@dataclass(frozen=True)
class SegmentHeader:
    """What a DCD file says of itself: step of its first frame, steps between frames."""

    n_atoms: int
    n_frames: int
    first_step: int
    every_steps: int


def open_trajectory(
    data_file: Path,
    segments: Sequence[Path],
    *,
    timestep_fs: float,
    molecule_sizes: Sequence[int] | int = 1,
    species: Sequence[str] | None = None,
) -> Trajectory:
    """Open the DCD segments of a LAMMPS run with its data file (atom_style atomic or full).

    Frame times are step times timestep: LAMMPS writes the DCD time in its own unit, MDAnalysis
    would read it in another. Segments without a whole frame are passed over, and so is a last
    frame that was cut off.

    Args:
        data_file: LAMMPS data file, atoms in the order of their ids.
        segments: DCD files in the order they were written.
        timestep_fs: time between two steps.
        molecule_sizes: atoms in each molecule, contiguous; one number if all are alike.
        species: chemical symbol of each atom type, in the order of the types.

    Raises:
        AnalysisError: a file cannot be read, or the files do not belong together.
    """
    if not timestep_fs > 0.0:
        raise AnalysisError(f"timestep = {timestep_fs} fs, expected a positive number")
    headers = [read_header(path) for path in segments]
    present = [(p, h) for p, h in zip(segments, headers, strict=True) if h.n_frames]
    if not present:
        names = ", ".join(str(path) for path in segments) or "no trajectory"
        raise AnalysisError(f"{names}: no whole frame, expected at least one; run longer")
    universe = read_topology(data_file, molecule_sizes, species)
    check_headers(present, data_file, len(universe.atoms))
    molecules = Molecules(universe)
    every = present[0][1].every_steps
    with reading(present[0][0]), quiet():
        universe.load_new(
            [str(path) for path, _ in present],
            format="LAMMPS",
            timeunit="ps",
            dt=every * timestep_fs * 1e-3,
        )
    steps = [h.first_step + every * np.arange(h.n_frames, dtype=np.int64) for _, h in present]
    kept = np.concatenate(not_superseded(steps))
    return Trajectory(
        universe=universe,
        molecules=molecules,
        frames=np.flatnonzero(kept).astype(np.int64),
        steps=np.concatenate(steps)[kept],
        origin=", ".join(path.name for path, _ in present),
    )


def open_run_trajectory(
    folder: Path, *, timestep_fs: float, molecule_sizes: Sequence[int], species: Sequence[str]
) -> Trajectory:
    """Open ``data.lmp`` and ``traj.0.dcd``, ``traj.1.dcd``, ... of a deck's folder.

    Raises:
        AnalysisError: they are missing, corrupt, or do not belong together.
    """
    return open_trajectory(
        folder / "data.lmp",
        segment_files(folder, "traj", "dcd"),
        timestep_fs=timestep_fs,
        molecule_sizes=molecule_sizes,
        species=species,
    )


def read_header(path: Path) -> SegmentHeader:
    """Read the header of a DCD file.

    Raises:
        AnalysisError: the file is missing or is no DCD file.
    """
    if path.is_file() and path.stat().st_size == 0:
        return SegmentHeader(0, 0, 0, 0)  # opened by LAMMPS, header still in its buffer
    with reading(path), DCDFile(str(path)) as dcd:
        header = dcd.header
        return SegmentHeader(
            int(header["natoms"]), len(dcd), int(header["istart"]), int(header["nsavc"])
        )


def check_headers(
    present: Sequence[tuple[Path, SegmentHeader]], data_file: Path, n_atoms: int
) -> None:
    """Refuse segments that do not belong to the data file or to each other."""
    every = present[0][1].every_steps
    for path, header in present:
        if header.n_atoms != n_atoms:
            raise AnalysisError(
                f"{path}: {header.n_atoms} atoms, expected the {n_atoms} of {data_file}"
            )
        if header.every_steps != every or every < 1:
            raise AnalysisError(
                f"{path}: a frame every {header.every_steps} steps, expected every "
                f"{max(every, 1)} as in {present[0][0].name}; analyse the segments one by one"
            )


COLUMNS = {"atomic": "id type x y z", "full": "id resid type charge x y z"}
"""Of the lines of atoms in a data file, by LAMMPS's atom style."""

STYLE_OF_WIDTH = {5: "atomic", 8: "atomic", 7: "full", 10: "full"}
"""By the columns of a line, without and with the numbers of the atom's image."""


def columns_of(data_file: Path) -> str:
    """What the lines of atoms hold: by the style named behind ``Atoms``, or by their number.

    Raises:
        AnalysisError: it is another style.
    """
    with data_file.open(encoding="utf-8", errors="replace") as stream:
        title = next((line for line in stream if line.split()[:1] == ["Atoms"]), "")
        first = next((line for line in stream if line.strip()), "")
    if not title:
        return COLUMNS["atomic"]  # a reader says what is wrong with such a file
    width = len(first.partition("#")[0].split())
    style = title.partition("#")[2].strip() or STYLE_OF_WIDTH.get(width, f"with {width} columns")
    if style not in COLUMNS:
        raise AnalysisError(f"{data_file}: atom_style {style}, expected {' or '.join(COLUMNS)}")
    return COLUMNS[style]


def read_topology(
    data_file: Path, molecule_sizes: Sequence[int] | int, species: Sequence[str] | None
) -> MDAnalysis.Universe:
    """A universe of the data file's atoms, standing at its geometry.

    Raises:
        AnalysisError: the file cannot be read, or sizes or species do not fit it.
    """
    with reading(data_file), quiet():
        data = MDAnalysis.Universe(
            str(data_file),
            topology_format="DATA",
            format="DATA",
            atom_style=columns_of(data_file),
            to_guess=(),
        )
        masses = np.array(data.atoms.masses)
        types = data.atoms.types.astype(int)
        ids = data.atoms.ids
    n_atoms = len(ids)
    if not np.array_equal(ids, np.arange(1, n_atoms + 1)):
        raise AnalysisError(f"{data_file}: atom ids are not 1 to {n_atoms}; number them so")
    if isinstance(molecule_sizes, int):
        molecule_sizes = [molecule_sizes] * max(1, n_atoms // molecule_sizes)
    sizes = np.asarray(molecule_sizes, dtype=int)
    if sizes.sum() != n_atoms or np.any(sizes < 1):
        raise AnalysisError(
            f"{data_file}: {n_atoms} atoms, expected {sizes.sum()} in {len(sizes)} molecules; "
            "correct the molecule sizes"
        )
    if species is not None and types.max() > len(species):
        raise AnalysisError(
            f"{data_file}: atom type {types.max()}, expected at most {len(species)} "
            f"({' '.join(species)}); name the species of every type"
        )
    names = [str(t) if species is None else species[t - 1] for t in types]
    universe = MDAnalysis.Universe.empty(
        n_atoms,
        n_residues=len(sizes),
        atom_resindex=np.repeat(np.arange(len(sizes)), sizes),
        residue_segindex=np.zeros(len(sizes), dtype=int),
        trajectory=True,
    )
    universe.add_TopologyAttr("masses", masses)
    universe.add_TopologyAttr("types", types.astype(str).astype(object))
    universe.add_TopologyAttr("names", names)
    universe.add_TopologyAttr("elements", names)
    universe.atoms.positions = data.atoms.positions
    universe.dimensions = data.dimensions
    return universe


def run_analysis(analysis: Analysis, trajectory: Trajectory, frames: NDArray[np.int64]) -> Analysis:
    """Run an analysis over frames of a trajectory, and return it.

    Raises:
        AnalysisError: no frame is selected, or one cannot be read.
    """
    if not len(frames):
        raise AnalysisError(f"{trajectory.origin}: no frame selected, expected at least one")
    with reading(trajectory.origin, (OSError, EOFError)), quiet():
        analysis.run(frames=frames)
    return analysis


@contextmanager
def reading(source: object, unreadable: tuple[type[Exception], ...] = UNREADABLE) -> Iterator[None]:
    """Turn what a reader raises into one line that names the file."""
    try:
        yield
    except unreadable as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise AnalysisError(
            f"{source}: cannot be read ({reason}); check that it is whole and of the right format"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Silence, by name, the warnings of MDAnalysis that say nothing about the data."""
    with warnings.catch_warnings():
        for message, category in QUIET:
            warnings.filterwarnings("ignore", message=message, category=category)
        yield


QUIET: tuple[tuple[str, type[Warning]], ...] = (
    ("DCDReader currently makes independent timesteps", DeprecationWarning),
    ("Reader has no dt information", UserWarning),
)
