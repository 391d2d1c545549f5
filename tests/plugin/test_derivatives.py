"""Forces and pressure are derivatives of the energy, all three taken from LAMMPS."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.plugin.lammps_run import deck_for, evaluate
from tests.plugin.reference import EV_PER_A3_IN_BAR
from tests.plugin.systems import random_system
from tests.tolerances import FINITE_DIFFERENCE_FORCE_EV_A, FINITE_DIFFERENCE_VIRIAL_EV

pytestmark = pytest.mark.plugin

STEP_A = 1e-4
STRAIN = 1e-5
ATOMS = [1, 5, 12]


def energies_in_log(log: str) -> dict[str, float]:
    lines = [line.split() for line in log.splitlines() if line.startswith("ENERGY ")]
    return {name: float(value) for _, name, value in lines}


def displaced(atom: int, axis: int, sign: int) -> str:
    shift = ["0", "0", "0"]
    shift[axis] = f"{sign * STEP_A:.1e}"
    back = ["0", "0", "0"]
    back[axis] = f"{-sign * STEP_A:.1e}"
    return f"""
group one id {atom}
displace_atoms one move {" ".join(shift)} units box
run 0 post no
print "ENERGY {atom}:{axis}:{sign} $(pe:%.17g)"
displace_atoms one move {" ".join(back)} units box
group one delete
"""


def test_forces_are_minus_the_gradient(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path
) -> None:
    model = saved_nequip()
    atoms = random_system("thin", 12, closest=1.0)
    moves = "".join(displaced(a, k, s) for a in ATOMS for k in range(3) for s in (1, -1))
    # the dump holds the first run alone: LAMMPS writes each timestep once
    found = evaluate(tmp_path, atoms, deck_for(model, run=f"run 0 post no\n{moves}"), plugin)
    energy = energies_in_log(found.log)
    gradient = np.array(
        [
            [(energy[f"{a}:{k}:1"] - energy[f"{a}:{k}:-1"]) / (2 * STEP_A) for k in range(3)]
            for a in ATOMS
        ]
    )
    forces = found.forces[[list(found.ids).index(a) for a in ATOMS]]
    assert np.abs(forces).max() > 0.1, "a test of forces needs forces"
    np.testing.assert_allclose(forces, -gradient, rtol=0, atol=FINITE_DIFFERENCE_FORCE_EV_A)


def strained(name: str, box: str, back: str) -> str:
    return f"""
change_box all {box} remap units box
run 0 post no
print "ENERGY {name} $(pe:%.17g)"
change_box all {back} remap units box
"""


def test_pressure_is_minus_the_strain_derivative(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path
) -> None:
    """p_ab V = -dE/d(strain_ab): six strains of a triclinic box thinner than the cutoff."""
    model = saved_nequip()
    atoms = random_system("thin", 12, closest=1.0)
    lengths = atoms.cell.diagonal()
    moves = ""
    for sign in (1, -1):
        for k, axis in enumerate("xyz"):
            factor = 1 + sign * STRAIN
            moves += strained(
                f"{k}:{sign}", f"{axis} scale {factor:.17g}", f"{axis} scale {1 / factor:.17g}"
            )
        # shears change one tilt by strain times the length of the sheared vector
        for k, (tilt, row) in enumerate([("xy", 1), ("xz", 2), ("yz", 2)], start=3):
            change = sign * STRAIN * lengths[row]
            moves += strained(
                f"{k}:{sign}", f"{tilt} delta {change:.17g}", f"{tilt} delta {-change:.17g}"
            )
    found = evaluate(tmp_path, atoms, deck_for(model, run=f"{moves}\nrun 0 post no"), plugin)
    energy = energies_in_log(found.log)
    derivative = np.array([(energy[f"{k}:1"] - energy[f"{k}:-1"]) / (2 * STRAIN) for k in range(6)])
    virial = found.pressure * atoms.get_volume() / EV_PER_A3_IN_BAR
    # the tilts of the cell join the strains: dE/d(cell) = -virial . cell^-T, row by row
    expected = derivative_from_virial(virial, np.asarray(atoms.cell))
    np.testing.assert_allclose(derivative, expected, rtol=0, atol=FINITE_DIFFERENCE_VIRIAL_EV)


def derivative_from_virial(virial: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Return dE/d(parameter) for the six changes above, from dE = -W : strain.

    A change dh of the cell (rows) that carries the atoms along is the strain h^-1 dh.
    """
    xx, yy, zz, xy, xz, yz = virial
    tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    lengths = cell.diagonal()
    result = []
    for row, column in [(0, 0), (1, 1), (2, 2), (1, 0), (2, 0), (2, 1)]:
        change = np.zeros((3, 3))
        change[row, column] = lengths[row]
        result.append(-np.sum(tensor * (np.linalg.inv(cell) @ change)))
    return np.array(result)
