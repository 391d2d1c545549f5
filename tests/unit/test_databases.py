"""Clusters and crystals, the stand-ins for databases, with answers that are known."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.lj import LennardJones
from ase.neighborlist import neighbor_list

from lmp_thermo.errors import LabelError, StudyError
from lmp_thermo.fluid.distortion import Vibrations, vibrations
from lmp_thermo.frames import MOLECULE, Frame, Tags, molecule_index, read_frames, write_frames
from lmp_thermo.potential.intermolecular import net_force
from lmp_thermo.reference.ase_calculator import AseReference
from lmp_thermo.reference.labelling import label_frame
from lmp_thermo.sampling.clusters import cluster_frames, cluster_sizes, cluster_state, cut_cluster
from lmp_thermo.sampling.crystals import (
    crystal,
    crystal_composition,
    displacement,
    lattice_sites,
    neighbour_distance,
)
from lmp_thermo.states import StatePoint
from lmp_thermo.training.statistics import DataStatistics
from lmp_thermo.units import density_in_volume
from tests.tolerances import ROUND_OFF
from tests.unit.potential.fluid_frames import known_fluid

COLD = StatePoint(0.8, 100.0)
METHANE = molecule("CH4")
METHANE.positions -= METHANE.get_center_of_mass()


def centres_of_mass(atoms: Atoms) -> np.ndarray:
    index = atoms.arrays[MOLECULE]
    return np.array([atoms[index == m].get_center_of_mass() for m in range(index.max() + 1)])


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clusters_are_the_nearest_whole_molecules_across_boundaries(seed: int, size: int) -> None:
    frame = known_fluid(seed).frame
    cell, centres = np.asarray(frame.atoms.cell), centres_of_mass(frame.atoms)
    images = np.array(list(itertools.product(range(-3, 4), repeat=3))) @ cell
    for centre in range(frame.n_molecules):
        around = centres[:, None] + images[None] - centres[centre]
        distances = np.linalg.norm(around, axis=2)
        nearest = np.argsort(distances.min(axis=1))[:size]
        cluster = cut_cluster(frame, centre, size)
        assert not cluster.pbc.any()
        found = centres_of_mass(cluster)
        for place, m in enumerate(nearest):
            members = cluster[cluster.arrays[MOLECULE] == place]
            original = frame.atoms[frame.molecule == m]
            assert (members.numbers == original.numbers).all()
            # whole: moved as a body, to the image that brute force finds
            shift = members.positions - original.positions
            assert np.abs(shift - shift[0]).max() < 100 * ROUND_OFF
            expected = around[m, distances[m].argmin()]
            assert np.abs(found[place] - expected).max() < 100 * ROUND_OFF


def argon_box(n: int, edge: float, seed: int) -> Atoms:
    box = Atoms("Ar" * n, cell=[edge] * 3, pbc=True)
    box.positions = np.random.default_rng(seed).random((n, 3)) * edge
    box.set_array(MOLECULE, molecule_index([1] * n))
    return box


def test_clusters_are_even_over_sizes_and_temperatures_and_use_no_centre_twice() -> None:
    frames = {
        StatePoint(rho, t): [
            Frame(argon_box(6, edge, seed), Tags(rho, t, "reference-md", 0, 1, seed))
            for seed in (1, 2)
        ]
        for rho, edge in ((0.1, 20.0), (0.8, 12.0))
        for t in (100.0, 200.0)
    }
    cut = cluster_frames(frames, cluster_sizes(3, atomic=True), 24, 39.9, seed=4)
    counts = {(f.n_molecules, f.tags.temperature_K): 0 for f in cut}
    for frame in cut:
        counts[frame.n_molecules, frame.tags.temperature_K] += 1
        assert frame.tags.state == cluster_state(frame.n_molecules, 39.9, frame.tags.temperature_K)
    assert counts == dict.fromkeys(itertools.product((2, 3), (100.0, 200.0)), 24)
    # 24 places are all there are: each molecule of the four frames is the centre of one
    trimers = [f for f in cut if f.n_molecules == 3 and f.tags.temperature_K == 100.0]
    assert len({f.geometry_hash for f in trimers}) == 24
    with pytest.raises(StudyError, match=r"wants 25 clusters of 2 molecules at 100 K.*have 24"):
        cluster_frames(frames, [2], 25, 39.9, seed=4)
    assert cluster_sizes(3, atomic=False) == [1, 2, 3]


def rigid(kind: Atoms) -> Vibrations:
    return Vibrations(kind.positions.copy(), np.zeros((0, len(kind), 3)), np.zeros(0))


def test_crystals_have_twelve_neighbours_at_the_density_that_was_asked_for() -> None:
    state = StatePoint(0.5, 100.0)
    composition = crystal_composition([METHANE], [1], state, least_edge_A=15.0)
    box = crystal(composition, [rigid(METHANE)], state, 0.0, np.random.default_rng(1))
    assert box.cell.lengths().min() >= 15.0
    assert density_in_volume(float(box.get_masses().sum()), box.get_volume()) == pytest.approx(0.5)
    n = sum(composition.counts)
    centres = Atoms("C" * n, positions=centres_of_mass(box), cell=box.cell, pbc=True)
    spacing = neighbour_distance(n, float(box.cell.lengths()[0]))
    i, distance = neighbor_list("id", centres, 1.2 * spacing)
    assert (np.bincount(i, minlength=n) == 12).all()
    assert np.abs(distance - spacing).max() < 1e3 * ROUND_OFF
    # every molecule keeps its shape and has an orientation of its own
    bonds = box.positions.reshape(n, 5, 3)[:, 1:] - box.positions.reshape(n, 5, 3)[:, :1]
    lengths = np.linalg.norm(METHANE.positions[1:] - METHANE.positions[0], axis=1)
    assert np.abs(np.linalg.norm(bonds, axis=2) - lengths).max() < 1e3 * ROUND_OFF
    assert np.linalg.norm(bonds[0, 0] - bonds[1, 0]) > 0.1


def test_crystals_are_shaken_as_much_as_asked_and_mixtures_keep_their_proportions() -> None:
    argon, krypton = Atoms("Ar"), Atoms("Kr")
    composition = crystal_composition([argon, krypton], [2, 1], COLD, least_edge_A=20.0)
    n = sum(composition.counts)
    assert composition.counts == (round(2 * n / 3), n - round(2 * n / 3))
    shapes = [rigid(argon), rigid(krypton)]
    still, moved = (
        crystal(composition, shapes, COLD, shaken, np.random.default_rng(1))
        for shaken in (0.0, 0.08)
    )
    edge = float(still.cell.lengths()[0])
    own = displacement(still.positions, moved.positions, edge) / neighbour_distance(n, edge)
    # mean of 3 n squares of Gaussians: relative error of the root is 1 / sqrt(6 n)
    assert abs(own / 0.08 - 1) < 5 / np.sqrt(6 * n)
    drifted = still.positions + np.array([3.0, 0.0, edge])
    left = displacement(still.positions, drifted, edge)
    assert left == pytest.approx(0.0, abs=1e3 * ROUND_OFF)
    assert len(np.unique(lattice_sites(n, edge).round(6), axis=0)) == n


def cluster_of_three() -> Frame:
    atoms = Atoms("Ar3", positions=[[0.0, 0.0, 0.0], [3.7, 0.4, 0.0], [1.1, 3.9, -0.6]])
    atoms.set_array(MOLECULE, molecule_index([1, 1, 1]))
    return Frame(atoms, Tags(0.01, 100.0, "cluster", 0, 1, 0))


def test_open_frames_are_labelled_in_open_space_and_have_no_stress() -> None:
    arguments = {"sigma": 3.4, "epsilon": 0.0103, "rc": 8.0}
    frame = cluster_of_three()
    labelled = label_frame(AseReference("lj", "ase.calculators.lj.LennardJones", arguments), frame)
    free = Atoms(frame.atoms.numbers, positions=frame.atoms.positions)
    free.calc = LennardJones(**arguments)
    assert labelled.energy == pytest.approx(free.get_potential_energy())
    assert labelled.forces == pytest.approx(free.get_forces())
    assert labelled.stress is None
    assert labelled.alone_energy == 0.0
    assert np.abs(net_force(np.zeros(3, dtype=int), labelled.forces)).max() < ROUND_OFF


class Periodic(LennardJones):  # type: ignore[misc]  # ase has no types
    """Knows periodic boxes only."""

    def calculate(self, atoms: Atoms | None = None, *args: Any, **kwargs: Any) -> None:
        """As the calculator that it is made from."""
        if atoms is None or not atoms.pbc.all():
            raise ValueError("no open space, please")
        super().calculate(atoms, *args, **kwargs)


def test_a_calculator_of_periodic_boxes_labels_clusters_and_relaxes_molecules() -> None:
    arguments = {"sigma": 3.4, "epsilon": 0.0103, "rc": 8.0}
    free = AseReference("lj", "ase.calculators.lj.LennardJones", arguments)
    path = f"{__name__}.Periodic"
    with pytest.raises(LabelError, match="no open space, please"):
        label_frame(AseReference("boxed", path, arguments), cluster_of_three())
    # images of a cluster of 4 Å are 16 Å apart, those of one of 40 Å half of 20 Å: beyond rc
    boxed = AseReference("boxed", path, arguments, alone_box_A=20.0)
    for stretch in (1.0, 10.0):
        frame = cluster_of_three()
        frame.atoms.positions[2] *= stretch
        found, expected = (label_frame(own, frame) for own in (boxed, free))
        assert found.energy == pytest.approx(expected.energy, rel=ROUND_OFF)
        assert np.abs(found.forces - expected.forces).max() < ROUND_OFF
        assert found.stress is None
    dimer = Atoms("Ar2", positions=[[0.0, 0.0, 0.0], [0.3, 3.7, 0.2]])
    rest = vibrations(dimer, boxed.calculator).positions
    # Lennard-Jones: the minimum is at 2^(1/6) sigma, reached to fmax / stiffness
    stiffness = 72 * 0.0103 / (2 ** (1 / 3) * 3.4**2)
    distance = float(np.linalg.norm(rest[1] - rest[0]))
    assert distance == pytest.approx(2 ** (1 / 6) * 3.4, abs=1e-3 / stiffness)


def test_open_frames_survive_the_file_and_their_neighbours_are_counted(tmp_path: Path) -> None:
    arguments = {"sigma": 3.4, "epsilon": 0.0103, "rc": 8.0}
    frame = cluster_of_three()
    labelled = label_frame(AseReference("lj", "ase.calculators.lj.LennardJones", arguments), frame)
    path = tmp_path / "frames.extxyz"
    write_frames(path, [labelled])
    (read,) = read_frames(path)
    assert read.geometry_hash == labelled.geometry_hash
    assert not read.atoms.pbc.any()
    statistics = DataStatistics.of([read], {"Ar": {"Ar": 4.0}})
    distances = frame.atoms.get_all_distances()
    within = (distances < 4.0).sum() - 3
    assert statistics.avg_num_neighbors["Ar"] == pytest.approx(max(within / 3, 1.0))
    assert not statistics.has_stress
