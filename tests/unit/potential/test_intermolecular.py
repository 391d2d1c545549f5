"""Quantities between molecules against sums over pairs of molecules."""

import dataclasses

import numpy as np
import pytest

from lmp_thermo.errors import FrameError
from lmp_thermo.frames import Frame
from lmp_thermo.potential.intermolecular import (
    Bias,
    Deviation,
    compare,
    labelled_quantities,
    molecular_virial,
    no_interaction_quantities,
    quantities,
    torque,
)
from lmp_thermo.units import BAR_PER_EV_A3
from tests.tolerances import ROUND_OFF
from tests.unit.potential.fluid_frames import known_fluid


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_net_force_is_the_sum_over_pairs_of_molecules(seed: int) -> None:
    known = known_fluid(seed)
    assert labelled_quantities(known.frame).net_force == pytest.approx(
        known.net_force, abs=ROUND_OFF
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_molecular_virial_is_the_sum_of_centre_distance_times_force(seed: int) -> None:
    known = known_fluid(seed)
    atoms = known.frame.atoms
    assert known.frame.stress is not None
    w = molecular_virial(
        known.frame.molecule,
        atoms.positions,
        atoms.get_masses(),
        known.frame.forces,
        stress=known.frame.stress,
        volume_A3=atoms.get_volume(),
    )
    assert w == pytest.approx(known.molecular_virial, abs=100 * ROUND_OFF)
    assert labelled_quantities(known.frame).molecular_pressure_bar == pytest.approx(
        np.trace(known.molecular_virial) / (3 * atoms.get_volume()) * BAR_PER_EV_A3, rel=1e-9
    )


def test_antisymmetric_part_of_molecular_virial_is_half_the_torques() -> None:
    known = known_fluid(4)
    w = known.molecular_virial
    antisymmetric = np.array([w[1, 2] - w[2, 1], w[2, 0] - w[0, 2], w[0, 1] - w[1, 0]])
    total = labelled_quantities(known.frame).torque.sum(axis=0)
    assert -antisymmetric == pytest.approx(total, abs=100 * ROUND_OFF)


def test_torque_against_a_loop_over_atoms() -> None:
    known = known_fluid(5)
    atoms, molecule = known.frame.atoms, known.frame.molecule
    expected = np.zeros((molecule.max() + 1, 3))
    for m in range(molecule.max() + 1):
        part = atoms[molecule == m]
        for position, force in zip(part.positions, known.frame.forces[molecule == m], strict=True):
            expected[m] += np.cross(position - part.get_center_of_mass(), force)
    computed = torque(molecule, atoms.positions, atoms.get_masses(), known.frame.forces)
    assert computed == pytest.approx(expected, abs=10 * ROUND_OFF)


def test_interaction_energy_is_that_of_the_pairs() -> None:
    known = known_fluid(6)
    per_atom = labelled_quantities(known.frame).interaction_energy_per_atom
    assert per_atom == pytest.approx(known.interaction_energy / len(known.frame.atoms), rel=1e-9)


def test_no_interaction_model_sees_nothing_between_molecules() -> None:
    known = known_fluid(7)
    q = no_interaction_quantities(known.frame)
    assert q.net_force == pytest.approx(np.zeros_like(q.net_force), abs=10 * ROUND_OFF)
    assert q.interaction_energy_per_atom == 0.0
    assert q.molecular_pressure_bar == pytest.approx(0.0, abs=1e-6)
    errors = compare([q], [labelled_quantities(known.frame)])
    assert errors.net_force.relative == pytest.approx(1.0)
    assert errors.interaction_energy.relative == pytest.approx(1.0)


def test_errors_of_a_shifted_prediction() -> None:
    known = [known_fluid(seed) for seed in (8, 9)]
    reference = [labelled_quantities(k.frame) for k in known]
    predicted = []
    for k, shift in zip(known, (0.3, -0.1), strict=True):
        frame: Frame = k.frame
        assert frame.stress is not None
        along_x = np.array([0.1, 0.0, 0.0])
        stress = frame.stress + shift / BAR_PER_EV_A3 * np.array([-1, -1, -1, 0, 0, 0])
        predicted.append(
            quantities(
                frame, frame.energy + shift, frame.forces + along_x, stress, frame.alone_energy
            )
        )
    errors = compare(predicted, reference)
    assert errors.n_frames == 2
    assert errors.force.rmse == pytest.approx(0.1 / np.sqrt(3))
    assert errors.force.mae == pytest.approx(0.1 / 3)
    n_atoms = len(known[0].frame.atoms)
    assert errors.energy.rmse == pytest.approx(np.sqrt((0.3**2 + 0.1**2) / 2) / n_atoms)
    assert errors.virial_pressure is not None
    assert errors.virial_pressure.mean == pytest.approx(0.1, rel=1e-6)
    assert errors.virial_pressure.standard_error == pytest.approx(0.2, rel=1e-6)


def test_without_stress_there_is_no_pressure() -> None:
    q = dataclasses.replace(
        labelled_quantities(known_fluid(1).frame),
        stress=None,
        virial_pressure_bar=None,
        molecular_pressure_bar=None,
    )
    errors = compare([q], [q])
    assert errors.stress is None
    assert errors.molecular_pressure is None


def test_comparison_of_nothing_is_refused() -> None:
    with pytest.raises(FrameError, match="got 0 predictions for 0 labelled frames"):
        compare([], [])


def test_relative_error_where_the_reference_is_zero() -> None:
    assert Deviation.of(np.ones(3), np.zeros(3)).relative == float("inf")
    assert Deviation.of(np.zeros(3), np.zeros(3)).relative == 0.0


def test_bias_of_one_frame_has_no_standard_error() -> None:
    assert Bias.of(np.array([2.0]), np.array([1.0])).standard_error == float("inf")
