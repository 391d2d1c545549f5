"""Designs spend their budget, boxes are packed as asked, frames are drawn evenly."""

import warnings
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from lmp_thermo.comparison import Curriculum
from lmp_thermo.errors import FrameError, StudyError
from lmp_thermo.fluid.distortion import Vibrations
from lmp_thermo.fluid.molecules import Composition, bonds_of, van_der_waals_volume
from lmp_thermo.fluid.packing import box_length, check_packing, pack_box
from lmp_thermo.frames import (
    Frame,
    Tags,
    molecule_index,
    read_frames,
    sum_by_molecule,
    write_frames,
)
from lmp_thermo.sampling.designs import adaptive_budget, design_states, plan_round
from lmp_thermo.sampling.drawn import frames_from, spread_over
from lmp_thermo.sections import Dynamics, Sampling
from lmp_thermo.states import StateGrid, StatePoint
from lmp_thermo.units import (
    BOLTZMANN_EV_K,
    density_in_volume,
    ideal_gas_pressure_bar,
    lammps_to_tensor,
    voigt_to_tensor,
    volume_at_density,
)
from tests.tolerances import ROUND_OFF

GRID = StateGrid.of(StatePoint(d, t) for d in (0.1, 0.2, 0.4) for t in (100.0, 200.0))
DYNAMICS = Dynamics(timestep_fs=1.0, equilibration_ps=1.0, production_ps=1.0)


def sampling(design: str, budget: int, rounds: int = 1, **at: float) -> Sampling:
    return Sampling(
        design=design,  # type: ignore[arg-type]
        budget_frames=budget,
        rounds=rounds,
        held_out_per_cell=2,
        molecules=4,
        dynamics=DYNAMICS,
        **at,
    )


@pytest.mark.parametrize(
    ("own", "states"),
    [
        (sampling("none", 12, density_g_cm3=0.2, temperature_K=100.0), 1),
        (sampling("temperature", 12, density_g_cm3=0.2), 2),
        (sampling("density", 12, temperature_K=200.0), 3),
        (sampling("grid", 13), 6),
        (sampling("grid", 31, rounds=3), 6),
    ],
)
def test_budgets_are_spent_exactly(own: Sampling, states: int) -> None:
    assert len(design_states(own, GRID)) == states
    plans = [plan_round(own, GRID, number) for number in range(own.rounds)]
    assert sum(p.training for plan in plans for p in plan) == own.budget_frames
    assert [p.held_out for p in plans[-1]] == [2] * len(GRID)
    assert all(p.held_out == 0 for plan in plans[:-1] for p in plan)
    counts = [p.training for plan in plans for p in plan if p.state in design_states(own, GRID)]
    assert max(counts) - min(counts) <= 1


def test_a_budget_too_small_to_split() -> None:
    with pytest.raises(StudyError, match="too small to split, expected at least one frame"):
        plan_round(sampling("grid", 5), GRID, 0)


def test_an_adaptive_budget_may_be_smaller_than_the_grid() -> None:
    """It chooses among cells; the last round draws twice what one of them may get."""
    own = sampling("grid", 4).model_copy(
        update={"design": "adaptive", "curriculum": Curriculum(updates=5)}
    )
    plans = plan_round(own, GRID, 0)
    assert adaptive_budget(own, GRID) == 4
    assert {plan.training for plan in plans} == {2}  # a quarter of 4 is one
    assert len(plans) == len(GRID)


@pytest.mark.parametrize(("budget", "rounds", "left"), [(1, 1, 1), (3, 2, 1), (2, 3, 0)])
def test_a_budget_that_leaves_the_first_round_nothing_to_train_on(
    budget: int, rounds: int, left: int
) -> None:
    own = sampling("none", budget, rounds=rounds, density_g_cm3=0.2, temperature_K=100.0)
    with pytest.raises(StudyError, match=f"budget_frames = {budget}: leaves {left} frames to the"):
        plan_round(own, GRID, 0)
    molecules = own.model_copy(update={"molecule_frames": 2})
    assert plan_round(molecules, GRID, rounds - 1)


def methane(count: int) -> Composition:
    ch4 = molecule("CH4")
    return Composition((Atoms(numbers=ch4.numbers, positions=ch4.positions),), (count,))


@pytest.mark.parametrize("density", [0.01, 0.42])
def test_packed_boxes(density: float) -> None:
    state = StatePoint(density, 200.0)
    box = pack_box(methane(8), state, seed=3)
    again = pack_box(methane(8), state, seed=3)
    assert np.array_equal(box.positions, again.positions)
    assert not np.array_equal(box.positions, pack_box(methane(8), state, seed=4).positions)
    found = density_in_volume(float(box.get_masses().sum()), box.get_volume())
    assert found == pytest.approx(density, rel=ROUND_OFF)
    own = box.arrays["molecule"]
    between = box.get_all_distances(mic=True)[own[:, None] != own[None, :]]
    assert between.min() > 0.85 * 2.0 - 1e-3  # packmol's own precision
    # molecules are whole and have their own shape
    for number in range(8):
        shape = box[own == number].get_all_distances()
        assert shape == pytest.approx(methane(1).kinds[0].get_all_distances(), abs=1e-9)


def test_atoms_are_packed_without_overlap() -> None:
    argon = Composition((Atoms("Ar"),), (50,))
    box = pack_box(argon, StatePoint(1.4, 100.0), seed=1)
    distances = box.get_all_distances(mic=True)
    assert distances[~np.eye(50, dtype=bool)].min() > 2.5


def test_linear_molecules_keep_their_shape() -> None:
    """Their turn about their own axis is not defined, of which a reader need not be warned."""
    carbon_dioxide = Composition((molecule("CO2"),), (8,))
    box = pack_box(carbon_dioxide, StatePoint(1.1, 300.0), seed=5)
    for number in range(8):
        shape = box[box.arrays["molecule"] == number].get_all_distances()
        assert shape == pytest.approx(carbon_dioxide.kinds[0].get_all_distances(), abs=1e-9)


def test_a_density_that_cannot_be_packed() -> None:
    check_packing(methane(8), StatePoint(0.42, 200.0))
    with pytest.raises(StudyError, match="cannot be packed"):
        check_packing(methane(8), StatePoint(2.0, 200.0))


def test_box_length() -> None:
    assert box_length(methane(16), StatePoint(0.42, 200.0)) == pytest.approx(10.05, abs=0.005)


def test_van_der_waals_volume_of_a_sphere() -> None:
    # argon's Bondi radius 1.88 Å; the grid of 0.2 Å counts points, a surface error of some 1 %
    assert van_der_waals_volume(Atoms("Ar")) == pytest.approx(4 / 3 * np.pi * 1.88**3, rel=0.02)


def test_bonds() -> None:
    bonds = bonds_of(methane(1).kinds[0])
    assert {(i, j) for i, j, _ in bonds} == {(0, 1), (0, 2), (0, 3), (0, 4)}


def test_harmonic_draws_obey_equipartition() -> None:
    # one mode of stiffness k: <q^2> = k_B T / k; 4000 draws give it to 2.2 %, 5 sigma is 11 %
    shape = Vibrations(np.zeros((2, 3)), np.array([[[1.0, 0, 0], [-1.0, 0, 0]]]), np.array([3.0]))
    random = np.random.default_rng(1)
    amplitudes = np.array([shape.draw(500.0, random)[0, 0] for _ in range(4000)])
    assert np.mean(amplitudes**2) == pytest.approx(BOLTZMANN_EV_K * 500.0 / 3.0, rel=0.11)


def test_frames_are_spread_over_a_run() -> None:
    assert spread_over(100, 4).tolist() == [12, 37, 62, 87]
    assert spread_over(3, 3).tolist() == [0, 1, 2]
    with pytest.raises(FrameError, match="has 2 frames, expected at least 3"):
        spread_over(2, 3)


def test_drawn_molecules_stay_whole() -> None:
    cell = np.array([[9.0, 0, 0], [1.0, 8.0, 0], [0.5, -0.7, 7.0]])
    positions = np.array([[[10.5, 9.0, 7.5], [11.0, 9.2, 7.1], [-1.0, -2.0, -3.0]]])
    tags = Tags(0.1, 100.0, "model-md", 1, 7, 0)
    (frame,) = frames_from(positions, cell[None], np.array([6, 1, 18]), [2, 1], tags)
    own = frame.atoms.positions
    assert own[1] - own[0] == pytest.approx(positions[0, 1] - positions[0, 0])
    scaled = frame.atoms.cell.scaled_positions(own[[0, 2]])
    assert ((scaled >= 0) & (scaled < 1)).all()


def labelled_frame(index: int) -> Frame:
    random = np.random.default_rng(index)
    atoms = Atoms("CH4Ar", random.random((6, 3)) * 5, cell=[5, 6, 7], pbc=True)
    atoms.set_array("molecule", molecule_index([5, 1]))
    return Frame(atoms, Tags(0.25, 300.0, "packed", 0, 11, index)).labelled(
        "own", -1.5, random.random((6, 3)), random.random(6), -1.25, random.random((6, 3))
    )


def test_frames_survive_the_disk(tmp_path: Path) -> None:
    frames = [labelled_frame(i) for i in range(3)]
    write_frames(tmp_path / "a.extxyz", frames)
    back = read_frames(tmp_path / "a.extxyz")
    write_frames(tmp_path / "b.extxyz", back)
    assert (tmp_path / "a.extxyz").read_bytes() == (tmp_path / "b.extxyz").read_bytes()
    for one, other in zip(frames, back, strict=True):
        assert one.tags == other.tags
        assert one.stress == pytest.approx(other.stress, abs=1e-8)
        assert one.forces == pytest.approx(other.forces, abs=1e-8)
        assert one.alone_forces == pytest.approx(other.alone_forces, abs=1e-8)
        assert (one.energy, one.alone_energy) == (other.energy, other.alone_energy)
        assert one.geometry_hash == other.geometry_hash
    assert len({frame.geometry_hash for frame in frames}) == 3


def test_libraries_that_ase_is_older_than_spoil_no_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """numpy 2.5 warns of how ase 3.29 makes every Atoms."""
    write_frames(tmp_path / "a.extxyz", [labelled_frame(0)])
    read = ase.io.read

    def warn_and_read(*given: Any, **named: Any) -> Any:
        warnings.warn("Setting the shape has been deprecated", DeprecationWarning, stacklevel=2)
        return read(*given, **named)

    monkeypatch.setattr("ase.io.read", warn_and_read)
    assert len(read_frames(tmp_path / "a.extxyz")) == 1


def test_corrupt_frame_files(tmp_path: Path) -> None:
    path = tmp_path / "a.extxyz"
    with pytest.raises(FrameError, match="cannot be read as frames"):
        read_frames(path)
    write_frames(path, [labelled_frame(0)])
    text = path.read_text()
    path.write_text(text[: len(text) // 2])
    with pytest.raises(FrameError, match="cannot be read as frames"):
        read_frames(path)
    path.write_text(text.replace("round=0", ""))
    with pytest.raises(FrameError, match="has no 'round'"):
        read_frames(path)


def test_an_unlabelled_frame_says_so() -> None:
    frame = Frame(labelled_frame(0).atoms.copy(), labelled_frame(0).tags)
    with pytest.raises(FrameError, match="got no energy, expected a label"):
        _ = frame.energy


def test_sums_over_molecules() -> None:
    own = np.array([0, 0, 1, 2, 2, 2])
    values = np.arange(12.0).reshape(6, 2)
    assert sum_by_molecule(own, values).tolist() == [[2, 4], [4, 5], [24, 27]]


def test_tensors_by_name() -> None:
    tensor = np.array([[1.0, 4, 5], [4, 2, 6], [5, 6, 3]])  # xy = 4, xz = 5, yz = 6
    assert np.array_equal(voigt_to_tensor([1, 2, 3, 6, 5, 4]), tensor)
    assert np.array_equal(lammps_to_tensor([1, 2, 3, 4, 5, 6]), tensor)


def test_units_against_known_values() -> None:
    # water at 0.997 g/cm3: 29.96 Å^3 a molecule; 1 mol of ideal gas at 273.15 K in 22.71 l: 1 bar
    assert volume_at_density(18.015, 0.997) == pytest.approx(30.0, abs=0.05)
    assert ideal_gas_pressure_bar(1, 273.15, 22.711e27 / 6.02214076e23) == pytest.approx(
        1.0, rel=1e-4
    )
