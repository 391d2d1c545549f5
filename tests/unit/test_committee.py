"""What the disagreement of a committee says of a cell."""

import math

import numpy as np
import pytest
from ase import Atoms

from lmp_thermo.frames import Frame, Tags, molecule_index
from lmp_thermo.sections import Gates
from lmp_thermo.stages.committee import GATED, Opinions, calibrated, calibration, gated_of
from lmp_thermo.states import StatePoint
from tests.tolerances import ROUND_OFF

STATE = StatePoint(0.9, 300.0)
GATES = Gates(net_force_floor_meV_A=1e-6, interaction_energy_floor_meV_atom=1e-6)
NO_FACTORS = dict.fromkeys(GATED, 1.0)


def labelled(forces: np.ndarray, energy: float, pressure_bar: float) -> Frame:
    """Two argon atoms in a box of 1000 Å^3, with a stress."""
    atoms = Atoms("Ar2", [[1, 2, 3], [5, 4, 3]], cell=[10, 10, 10], pbc=True)
    frame = Frame(atoms, Tags(0.9, 300.0, "reference-md", 0, 1, 0))
    frame.atoms.set_array("molecule", molecule_index([1, 1]))
    stress = np.array([-pressure_bar / 1602176.634] * 3 + [0.0] * 3)
    return frame.labelled("lj", energy, forces, stress, 0.0, np.zeros((2, 3)))


FRAMES = [
    labelled(np.array([[0.1, 0.2, -0.3], [-0.1, -0.2, 0.3]]), -0.02, 40.0),
    labelled(np.array([[0.4, 0.0, 0.1], [-0.4, 0.0, -0.1]]), -0.06, 80.0),
]
TRUTH = np.array([np.ravel(f.forces) for f in FRAMES])
ENERGY = np.array([[-0.01], [-0.03]])


def opinions(force: list[float], energy: float = 0.0, pressure: float = 0.0) -> Opinions:
    """Two members, above and below the truth by so much: `force` for each frame."""
    off = np.array(force)[:, None]
    return Opinions(
        STATE,
        FRAMES,
        {
            "net_force": np.array([TRUTH + off, TRUTH - off]),
            "interaction_energy_per_atom": np.array([ENERGY + energy, ENERGY - energy]),
            "molecular_pressure_bar": np.array([[[40.0], [80.0]]] * 2)
            + np.array([pressure, -pressure])[:, None, None],
        },
    )


def test_disagreement_becomes_a_score() -> None:
    """Of two members x above and below, the standard deviation with one degree is sqrt(2) x."""
    rms = math.sqrt(np.mean(TRUTH**2))
    by_force = opinions([0.01, 0.03]).outlook(NO_FACTORS, GATES)
    spread = math.sqrt(2 * (0.01**2 + 0.03**2) / 2)
    assert by_force == pytest.approx(spread / rms / GATES.net_force_relative, rel=ROUND_OFF)
    energy = math.sqrt(2) * 0.004 / math.sqrt(np.mean(ENERGY**2))
    by_energy = opinions([0.0, 0.0], energy=0.004).outlook(NO_FACTORS, GATES)
    assert by_energy == pytest.approx(energy / GATES.interaction_energy_relative, rel=ROUND_OFF)
    twice = {**NO_FACTORS, "interaction_energy_per_atom": 2.0}
    doubled = opinions([0.0, 0.0], energy=0.004).outlook(twice, GATES)
    assert doubled == pytest.approx(2 * by_energy, rel=ROUND_OFF)
    by_pressure = opinions([0.0, 0.0], pressure=300.0).outlook(NO_FACTORS, GATES)
    assert by_pressure == pytest.approx(
        opinions([0.0, 0.0], pressure=100.0).outlook(NO_FACTORS, GATES) * 3, rel=ROUND_OFF
    )


def test_calibration_leaves_out_cells_in_which_nobody_sees_a_neighbour() -> None:
    assert calibration([(2.0, 1.0), (0.08, 0.01)]) == pytest.approx(4.0, rel=ROUND_OFF)
    thin_gas = (6.7e-5, 2.0e-16)  # eV/Å, found in methane at 0.005 g/cm³
    assert calibration([(2.0, 1.0), thin_gas, (0.08, 0.01)]) == pytest.approx(4.0, rel=ROUND_OFF)
    assert calibration([thin_gas]) is calibration([]) is None


def test_a_quantity_without_labels_has_no_say() -> None:
    """A reference without stress: members disagree on pressures that nobody can check."""
    assert gated_of(FRAMES) == GATED
    without = [f.labelled("lj", f.energy, f.forces, None, 0.0, np.zeros((2, 3))) for f in FRAMES]
    names = gated_of(without)
    assert names == ("net_force", "interaction_energy_per_atom")
    far_off = opinions([0.01, 0.03], energy=1e-5, pressure=900.0)
    asked = Opinions(STATE, without, {name: far_off.values[name] for name in names})
    right = opinions([0.01, 0.03], energy=1e-5).outlook(NO_FACTORS, GATES)
    assert asked.outlook(NO_FACTORS, GATES) == pytest.approx(right, rel=ROUND_OFF)
    assert far_off.outlook(NO_FACTORS, GATES) > 2 * right
    assert set(calibrated([asked])) == set(names)


def test_errors_seen_on_labels_calibrate_the_disagreement() -> None:
    """Members on both sides of the truth: spread over error is sqrt(2)."""
    found = opinions([0.02, 0.02], energy=0.004, pressure=6.0)
    seen = found.seen()
    for name, (error, spread) in seen.items():
        assert spread == pytest.approx(math.sqrt(2) * error, rel=1e-6), name
    factors = calibrated([found])
    assert factors == pytest.approx(dict.fromkeys(GATED, 1 / math.sqrt(2)), abs=1e-5)  # 5 digits
    wrong = Opinions(STATE, FRAMES, {**found.values, "net_force": found.values["net_force"] + 0.06})
    assert calibrated([wrong])["net_force"] > 2 * factors["net_force"]
