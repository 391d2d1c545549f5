"""Segments of a trajectory with their data file, whole and torn."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from MDAnalysis.lib.formats.libdcd import DCDFile
from numpy.typing import NDArray

from lmp_thermo.analysis.density import Density
from lmp_thermo.analysis.trajectory import open_run_trajectory, open_trajectory, run_analysis
from lmp_thermo.errors import AnalysisError
from lmp_thermo.units import density_in_volume
from tests.tolerances import FLOAT32_LENGTH_A, ROUND_OFF

WriteDataFile = Callable[..., Path]
WATERS = [8, 1, 1] * 4


@pytest.fixture
def positions() -> NDArray[np.float64]:
    """Four bent molecules far from each other, (12, 3) Å."""
    one = np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])
    corners = np.array([[1.0, 2, 3], [9, 3, 4], [5, 9, 8], [8, 8, 15]])
    return (corners[:, None] + one).reshape(12, 3)


@pytest.fixture
def folder(tmp_path: Path, write_data_file: WriteDataFile, positions, triclinic) -> Path:
    """A data file of four waters; species O, H."""
    write_data_file(positions, triclinic[0], [1, 2, 2] * 4, [15.999, 1.008])
    return tmp_path


def write_dcd(
    path: Path,
    frames: Sequence[NDArray[np.float64]],
    dimensions: NDArray[np.float64],
    *,
    first_step: int = 0,
    every: int = 100,
) -> Path:
    """As LAMMPS writes it: cosines of the angles, time in units of the run."""
    a, b, c, alpha, beta, gamma = np.asarray(dimensions, dtype=float)
    cosines = np.cos(np.radians([gamma, beta, alpha]))
    cell = np.array([a, cosines[0], b, cosines[1], cosines[2], c])
    with DCDFile(str(path), "w") as dcd:
        dcd.write_header(
            remarks="test",
            natoms=len(frames[0]),
            istart=first_step,
            nsavc=every,
            delta=0.001,
            is_periodic=1,
        )
        for frame in frames:
            dcd.write(xyz=frame.astype(np.float32), box=cell)
    return path


def test_times_box_masses_and_molecules(folder: Path, positions, triclinic) -> None:
    vectors, dimensions = triclinic
    write_dcd(
        folder / "traj.0.dcd", [positions + 0.1 * k for k in range(3)], dimensions, first_step=500
    )
    trajectory = open_run_trajectory(
        folder, timestep_fs=0.5, molecule_sizes=[3] * 4, species=["O", "H"]
    )
    universe = trajectory.universe
    assert trajectory.steps.tolist() == [500, 600, 700]
    assert [ts.time for ts in universe.trajectory] == pytest.approx([0.25, 0.3, 0.35], rel=1e-9)
    assert universe.atoms.masses.tolist() == [15.999, 1.008, 1.008] * 4
    assert list(universe.atoms.elements[:3]) == ["O", "H", "H"]
    assert universe.residues.n_residues == 4
    assert len(trajectory.molecules.bonds) == 8
    matrix = universe.trajectory[2].triclinic_dimensions
    assert matrix == pytest.approx(vectors, abs=FLOAT32_LENGTH_A)
    assert universe.atoms.positions == pytest.approx(positions + 0.2, abs=FLOAT32_LENGTH_A)
    density = run_analysis(Density(trajectory), trajectory, trajectory.frames).density()
    expected = density_in_volume(4 * (15.999 + 2 * 1.008), float(np.linalg.det(vectors)))
    assert density.value == pytest.approx(expected, rel=1e-6)


def test_segments_overlap_after_a_kill(folder: Path, positions, triclinic) -> None:
    _, dimensions = triclinic
    write_dcd(folder / "traj.0.dcd", [positions + 0.0] * 5, dimensions)
    write_dcd(folder / "traj.1.dcd", [positions + 1.0] * 4, dimensions, first_step=300)
    (folder / "traj.2.dcd").touch()
    trajectory = open_run_trajectory(
        folder, timestep_fs=1.0, molecule_sizes=[3] * 4, species=["O", "H"]
    )
    assert trajectory.steps.tolist() == [0, 100, 200, 300, 400, 500, 600]
    shifts = [
        float(trajectory.universe.trajectory[f].positions[0, 0] - positions[0, 0])
        for f in trajectory.frames
    ]
    assert shifts == pytest.approx([0, 0, 0, 1, 1, 1, 1], abs=FLOAT32_LENGTH_A)
    assert trajectory.between(200, 400).tolist() == [2, 5, 6]
    times = [trajectory.universe.trajectory[f].time for f in trajectory.frames]
    assert times == pytest.approx(0.001 * trajectory.steps, rel=ROUND_OFF)


@pytest.mark.parametrize("cut", [1, 30, 100, 200])
def test_last_frame_cut_off_is_passed_over(folder: Path, positions, triclinic, cut: int) -> None:
    path = write_dcd(folder / "traj.0.dcd", [positions] * 3, triclinic[1])
    path.write_bytes(path.read_bytes()[:-cut])
    trajectory = open_trajectory(folder / "data.lmp", [path], timestep_fs=1.0)
    assert trajectory.steps.tolist() == [0, 100]
    found = run_analysis(Density(trajectory), trajectory, trajectory.frames).results.density
    assert len(found) == 2


@pytest.mark.parametrize("size", [10, 100, 300])
def test_torn_or_foreign_trajectory(folder: Path, positions, triclinic, size: int) -> None:
    path = write_dcd(folder / "traj.0.dcd", [positions] * 3, triclinic[1])
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(AnalysisError, match=r"traj\.0\.dcd: (cannot be read|no whole frame)"):
        open_trajectory(folder / "data.lmp", [path], timestep_fs=1.0)
    path.write_bytes(b"no trajectory at all " * size)
    with pytest.raises(AnalysisError, match=r"traj\.0\.dcd: cannot be read \(.*check that it is"):
        open_trajectory(folder / "data.lmp", [path], timestep_fs=1.0)


def test_frame_damaged_in_the_middle(folder: Path, positions, triclinic) -> None:
    path = write_dcd(folder / "traj.0.dcd", [positions] * 5, triclinic[1])
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 120] = b"\xff" * 120
    path.write_bytes(bytes(content))
    trajectory = open_trajectory(folder / "data.lmp", [path], timestep_fs=1.0)
    with pytest.raises(AnalysisError, match=r"traj\.0\.dcd: cannot be read"):
        run_analysis(Density(trajectory), trajectory, trajectory.frames)


def test_files_that_do_not_belong_together(folder: Path, positions, triclinic) -> None:
    _, dimensions = triclinic
    data = folder / "data.lmp"
    good = write_dcd(folder / "traj.0.dcd", [positions] * 2, dimensions)
    fewer = write_dcd(folder / "traj.1.dcd", [positions[:6]] * 2, dimensions)
    with pytest.raises(AnalysisError, match=r"traj\.1\.dcd: 6 atoms, expected the 12 of .*data"):
        open_trajectory(data, [good, fewer], timestep_fs=1.0)
    denser = write_dcd(folder / "traj.2.dcd", [positions] * 2, dimensions, every=50)
    with pytest.raises(AnalysisError, match="a frame every 50 steps, expected every 100 as in"):
        open_trajectory(data, [good, denser], timestep_fs=1.0)
    with pytest.raises(AnalysisError, match="12 atoms, expected 10 in 2 molecules; correct the"):
        open_trajectory(data, [good], timestep_fs=1.0, molecule_sizes=5, species=["O", "H"])
    with pytest.raises(AnalysisError, match="12 atoms, expected 12 in 3 molecules"):
        open_trajectory(data, [good], timestep_fs=1.0, molecule_sizes=[12, 1, -1])
    with pytest.raises(AnalysisError, match=r"atom type 2, expected at most 1 \(O\); name the"):
        open_trajectory(data, [good], timestep_fs=1.0, species=["O"])
    with pytest.raises(AnalysisError, match="species '1' is no chemical element"):
        open_trajectory(data, [good], timestep_fs=1.0, molecule_sizes=3)
    with pytest.raises(AnalysisError, match="timestep = 0 fs, expected a positive number"):
        open_trajectory(data, [good], timestep_fs=0)
    with pytest.raises(AnalysisError, match="no trajectory: no whole frame, expected at least one"):
        open_trajectory(data, [], timestep_fs=1.0)
    with pytest.raises(AnalysisError, match=r"gone\.dcd: cannot be read"):
        open_trajectory(data, [folder / "gone.dcd"], timestep_fs=1.0)
    with pytest.raises(AnalysisError, match=r"gone\.lmp: cannot be read"):
        open_trajectory(folder / "gone.lmp", [good], timestep_fs=1.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Masses", "Nothing", r"data\.lmp: cannot be read .*mass inf"),
        ("Atoms  #", "Velocities  #", r"data\.lmp: cannot be read"),
        ("15.999", "heavy", r"data\.lmp: cannot be read"),
        ("\n12 2 ", "\n13 2 ", "atom ids are not 1 to 12; number them so"),
        ("xlo xhi", "", r"data\.lmp: cannot be read"),
    ],
)
def test_damaged_data_file(folder: Path, old: str, new: str, message: str) -> None:
    data = folder / "data.lmp"
    path = write_dcd(
        folder / "traj.0.dcd", [np.ones((12, 3))] * 2, np.array([20.0] * 3 + [90.0] * 3)
    )
    data.write_text(data.read_text().replace(old, new))
    with pytest.raises(AnalysisError, match=message):
        open_trajectory(data, [path], timestep_fs=1.0)
