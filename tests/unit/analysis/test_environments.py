"""Coordination numbers of frames against brute force, crystals and the ideal gas."""

import json

import numpy as np
import pytest
from scipy.stats import binom

from lmp_thermo.analysis.environments import (
    Cutoff,
    coordination_by_cell,
    coordination_of,
    count_neighbours,
)
from lmp_thermo.analysis.first_shell import first_shell, reference_liquid
from lmp_thermo.errors import AnalysisError
from lmp_thermo.states import StatePoint
from tests.tolerances import K_SIGMA, ROUND_OFF
from tests.unit.analysis.frames import TRICLINIC, brute_force_distances, frame_of, ideal_gas

FCC_A = 5.3


def fcc_frames(n_frames: int, displacement: float) -> list:
    """Crystals of 108 atoms whose atoms are displaced at random."""
    rng = np.random.default_rng(1)
    basis = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    corners = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1)
    sites = FCC_A * (corners.reshape(-1, 1, 3) + basis).reshape(-1, 3)
    cell = 3 * FCC_A * np.eye(3)
    return [
        frame_of(sites + rng.normal(scale=displacement, size=sites.shape), cell)
        for _ in range(n_frames)
    ]


def test_a_crystal_has_twelve_within_the_first_minimum() -> None:
    frames = fcc_frames(6, 0.08)
    cutoff = first_shell(frames, "atoms")
    # Shells at a / sqrt(2) and a; the minimum of the smoothed g lies between them.
    assert FCC_A / np.sqrt(2) + 0.3 < cutoff.value_A < FCC_A - 0.3
    assert "first minimum of g(r) of atoms at 1 g/cm3, 100 K, 6 frames" in cutoff.source
    assert cutoff.standard_error_A is not None
    assert cutoff.standard_error_A < 0.1
    cell = coordination_of(StatePoint(1.0, 100.0), frames, cutoff)
    assert all((numbers == 12).all() for numbers in cell.hard)
    assert cell.probability[12] == 1.0
    assert cell.mean() == 12.0


def test_ideal_gas_counts_the_density_in_the_sphere() -> None:
    rng = np.random.default_rng(2)
    n, n_frames, cutoff = 100, 60, Cutoff("atoms", 3.0)
    frames = [ideal_gas(rng, n, TRICLINIC) for _ in range(n_frames)]
    cell = coordination_of(StatePoint(1.0, 100.0), frames, cutoff)
    share = 4.0 / 3.0 * np.pi * cutoff.value_A**3 / np.linalg.det(TRICLINIC)
    expected = (n - 1) * share
    pairs = n_frames * n * (n - 1) / 2
    error = 2.0 * np.sqrt(pairs * share * (1.0 - share)) / (n_frames * n)
    assert cell.mean() == pytest.approx(expected, abs=K_SIGMA * error)
    # Smooth: the same to second order in w / r_c, since s(r) is odd about the cutoff.
    w = cutoff.half_width_A
    excess = 1.0 + 3.0 * (1.0 - 8.0 / np.pi**2) * (w / cutoff.value_A) ** 2
    assert cell.mean("smooth") == pytest.approx(expected * excess, abs=K_SIGMA * error)
    # Pairs of sites are independent of each other, so counts are binomial and all but uncorrelated.
    theory = binom.pmf(np.arange(len(cell.probability)), n - 1, share)
    likely = theory > 1e-3
    noise = np.sqrt(theory * (1.0 - theory) / (n * n_frames))
    assert likely.sum() > 15
    assert (np.abs(cell.probability - theory) < K_SIGMA * noise)[likely].all()


@pytest.mark.parametrize("kind", ["centres", "atoms"])
@pytest.mark.parametrize("value", [3.1, 9.5])  # less than half the box, more than its height
def test_images_and_molecules_against_brute_force(kind: str, value: float) -> None:
    rng = np.random.default_rng(3)
    sizes = [3, 1, 2, 3]
    species = ["O", "H", "H", "Ar", "C", "O", "O", "H", "H"]
    centres = rng.uniform(-1.0, 2.0, size=(4, 3)) @ TRICLINIC  # not wrapped
    positions = np.repeat(centres, sizes, axis=0) + rng.normal(scale=0.6, size=(9, 3))
    frame = frame_of(positions, TRICLINIC, species, sizes)
    molecule = np.repeat(np.arange(4), sizes)
    if kind == "centres":
        masses = frame.atoms.get_masses()
        positions = np.stack(
            [
                np.average(positions[molecule == m], axis=0, weights=masses[molecule == m])
                for m in range(4)
            ]
        )
        molecule = np.arange(4)
    reach = 5
    distances = brute_force_distances(positions, TRICLINIC, reach)
    home = distances.shape[-1] // 2
    distances[molecule[:, None] == molecule[None, :], home] = np.inf
    cutoff = Cutoff(kind, value, half_width_A=0.4)
    hard, smooth = count_neighbours(frame, cutoff)
    assert hard.tolist() == (distances < value).sum(axis=(1, 2)).tolist()
    switched = np.where(distances < value - 0.4, 1.0, 0.0)
    between = np.abs(distances - value) <= 0.4
    switched[between] = np.cos(np.pi * (distances[between] - value + 0.4) / 1.6) ** 2
    np.testing.assert_allclose(smooth, switched.sum(axis=(1, 2)), rtol=100 * ROUND_OFF)
    if value > 9.0:
        assert hard.min() > len(hard)  # images were needed


def test_a_cluster_in_open_space() -> None:
    positions = np.array([[0.0, 0.0, 0.0], [50.0, 0.0, 0.0], [52.0, 0.0, 0.0], [-3.0, 1.0, 0.0]])
    hard, _ = count_neighbours(frame_of(positions, None), Cutoff("atoms", 4.0))
    assert hard.tolist() == [1, 1, 1, 1]
    alone = frame_of(positions[:1], None, origin="atom")
    hard, smooth = count_neighbours(alone, Cutoff("centres", 4.0))
    assert hard.tolist() == smooth.tolist() == [0]


@pytest.mark.parametrize(
    ("distance", "hard", "smooth"),
    [
        (3.4, 1, 1.0),
        (4.0 - 1e-9, 1, 0.5),
        (4.0 + 1e-9, 0, 0.5),
        (4.25, 0, 0.5 - 2**-1.5),
        (4.6, 0, 0),
    ],
)
def test_limits_of_the_smooth_count(distance: float, hard: int, smooth: float) -> None:
    frame = frame_of(np.array([[0.0, 0.0, 0.0], [0.0, distance, 0.0]]), None)
    counted = count_neighbours(frame, Cutoff("atoms", 4.0, half_width_A=0.5))
    assert counted[0].tolist() == [hard, hard]
    assert counted[1] == pytest.approx([smooth, smooth], abs=1e-8)  # slope times 1e-9


def test_cells_are_told_apart_and_written() -> None:
    rng = np.random.default_rng(4)
    states = [StatePoint(0.5, 200.0), StatePoint(0.1, 300.0), StatePoint(0.5, 100.0)]
    frames = [ideal_gas(rng, 20 + k, TRICLINIC, state=s) for k, s in enumerate(states * 3)]
    cells = coordination_by_cell(frames, Cutoff("centres", 4.0))
    assert [cell.state for cell in cells] == sorted(states)
    written = json.loads(json.dumps([cell.to_dict() for cell in cells], allow_nan=False))
    assert [cell["n_frames"] for cell in written] == [3, 3, 3]
    assert sum(written[0]["hard"]["probability"]) == pytest.approx(1.0, abs=ROUND_OFF)
    assert written[0]["smooth"]["quantiles"]["0.5"] == np.median(np.concatenate(cells[0].smooth))


def test_a_minimum_beyond_half_the_box_counts_images_and_says_so() -> None:
    # Simple cubic, 2 x 2 x 2: shells of 6 and 12 at 0.5 and 0.71 of the box, and a neighbour's two
    # nearest images both belong to the first.
    rng = np.random.default_rng(5)
    sites = 4.0 * np.stack(np.meshgrid(*[np.arange(2)] * 3), axis=-1).reshape(-1, 3)
    frames = [
        frame_of(sites + rng.normal(scale=0.1, size=sites.shape), 8.0 * np.eye(3))
        for _ in range(10)
    ]
    cutoff = first_shell(frames)
    assert 4.3 < cutoff.value_A < 5.3
    assert cutoff.source.endswith("beyond half the box (4.00 Å): all images counted")
    assert all((count_neighbours(frame, cutoff)[0] == 6).all() for frame in frames)
    # In a box of 4 x 4 x 8 Å one shell is all that can be seen.
    small = [frame_of(frame.atoms.positions[:2], np.diag([4.0, 8.0, 4.0])) for frame in frames]
    with pytest.raises(AnalysisError, match=r"no first minimum up to 2\.75 Å, 0\.7 of the box"):
        first_shell(small)


def test_gases_have_no_shell() -> None:
    rng = np.random.default_rng(6)
    for _ in range(40):
        frames = [ideal_gas(rng, 30, 15.0 * np.eye(3)) for _ in range(8)]
        with pytest.raises(AnalysisError, match="no first minimum"):
            first_shell(frames, "atoms")


def test_the_reference_liquid_is_dense_and_cold_and_drawn_from_dynamics() -> None:
    rng = np.random.default_rng(7)

    def gas(density: float, temperature: float, origin: str) -> object:
        state = StatePoint(density, temperature)
        return ideal_gas(rng, 5, TRICLINIC, state=state, origin=origin)

    frames = [
        gas(0.4, 300.0, "model-md"),
        gas(0.4, 140.0, "model-md"),
        gas(0.4, 140.0, "reference-md"),
        gas(0.3, 100.0, "model-md"),
        gas(0.5, 100.0, "packed"),
        gas(0.6, 100.0, "molecule"),
    ]
    assert reference_liquid(frames) == frames[1:3]
    with pytest.raises(AnalysisError, match=r"no frame of a periodic box .* give a cutoff in Å"):
        reference_liquid(frames[4:])


def test_refusals() -> None:
    rng = np.random.default_rng(8)
    frame = ideal_gas(rng, 6, TRICLINIC)
    with pytest.raises(AnalysisError, match=r"cutoff of centres from g\(r\) .* 1 frame\(s\)"):
        first_shell([frame])
    lonely = frame_of(frame.atoms.positions[:1], TRICLINIC)
    with pytest.raises(AnalysisError, match=r"at least 2, of at least 2 molecules each"):
        first_shell([lonely, lonely])
    molecules = frame_of(frame.atoms.positions, TRICLINIC, sizes=[3, 3])
    with pytest.raises(AnalysisError, match="molecules of several atoms have several kinds"):
        first_shell([molecules, molecules], "atoms")
    with pytest.raises(AnalysisError, match=r"cutoff = 0\.2 Å with half width 0\.25 Å"):
        Cutoff("atoms", 0.2)
    with pytest.raises(AnalysisError, match="no frame, expected at least one"):
        coordination_of(StatePoint(1.0, 1.0), [], Cutoff("atoms", 3.0))
    frame.atoms.positions[2, 1] = np.nan
    with pytest.raises(AnalysisError, match="a position is not finite"):
        count_neighbours(frame, Cutoff("atoms", 3.0))
