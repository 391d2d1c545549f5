"""A calculator's zero of energy is a constant of each kind of molecule, and takes no error away."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from lmp_thermo.comparison import Arm, OtherModel
from lmp_thermo.errors import FrameError
from lmp_thermo.frames import MOLECULE, Frame, Tags
from lmp_thermo.potential.evaluate import Prediction
from lmp_thermo.potential.zero_of_energy import energy_constants
from lmp_thermo.products import read_json
from lmp_thermo.progress import Progress
from lmp_thermo.reference.ase_calculator import AseReference
from lmp_thermo.reference.labelling import label_frame
from lmp_thermo.stages import coverage
from lmp_thermo.states import StatePoint
from tests.tolerances import ROUND_OFF
from tests.unit.springs import LENGTH_A

PATH = "tests.unit.springs.Springs"
REFERENCE = AseReference("own", PATH, {"stiffness": 20.0, "zero": {"N": -3.0, "C": 7.0}})
FOREIGN = {"stiffness": 26.0, "zero": {"N": 11.0, "C": 2.5}}
STATES = (StatePoint(0.1, 200.0), StatePoint(0.4, 300.0))


def frame(state: StatePoint, seed: int, first: str = "NNN") -> Frame:
    """Molecules N2, or CO, with stretched bonds of all directions, labelled by the reference."""
    random = np.random.default_rng(seed)
    positions = []
    for number in range(len(first)):
        direction = random.normal(size=3)
        direction *= (LENGTH_A + random.normal(scale=0.1)) / np.linalg.norm(direction)
        centre = np.array([2.3 * number, 0.9, 1.7]) + random.normal(scale=0.2, size=3)
        positions += [centre - direction / 2, centre + direction / 2]
    symbols = "".join({"N": "N2", "C": "CO"}[symbol] for symbol in first)
    atoms = Atoms(symbols, positions, cell=[9.0, 8.0, 7.0], pbc=True)
    atoms.set_array(MOLECULE, np.arange(len(atoms)) // 2)
    tags = Tags(state.density_g_cm3, state.temperature_K, "packed", 0, seed, 0)
    return label_frame(REFERENCE, Frame(atoms, tags))


def stretches(of: Frame) -> Any:
    """By molecule, how much its bond is longer than at rest, Å."""
    pairs = of.atoms.positions.reshape(-1, 2, 3)
    return np.linalg.norm(pairs[:, 0] - pairs[:, 1], axis=1) - LENGTH_A


def test_a_stiffer_bond_is_an_error_of_the_energy_and_another_zero_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = {state: [frame(state, 10 * k + i) for i in range(5)] for k, state in enumerate(STATES)}
    monkeypatch.setattr(coverage, "held_out", lambda context: cells)
    context: Any = SimpleNamespace(species=("C", "H"), progress=Progress(io.StringIO()))
    other = OtherModel(calculator=PATH, arguments=FOREIGN)
    coverage._other(context, "springs", other, tmp_path)
    made = read_json(tmp_path / coverage.ERRORS)
    everything = [f for own in cells.values() for f in own]
    too_much = (
        0.5 * (FOREIGN["stiffness"] - 20.0) * np.array([stretches(f) for f in everything]) ** 2
    )  # type: ignore[operator]
    per_frame = too_much.sum(axis=1).reshape(2, 5) - 3 * too_much.mean()
    for number, state in enumerate(STATES):
        errors = coverage.FrameErrors.from_dict(made["cells"][state.name]).errors()
        expected = np.sqrt(np.mean((per_frame[number] / 6) ** 2))
        assert expected > 1e-3
        assert errors["energy"]["rmse"] == pytest.approx(expected, rel=1e-6)  # seven digits kept
        for name in ("interaction_energy", "net_force"):
            assert errors[name]["rmse"] == pytest.approx(0.0, abs=ROUND_OFF)
        assert errors["molecular_pressure"]["mean"] == pytest.approx(0.0, abs=1e-2)  # 7 digits
        assert errors["force"]["rmse"] > 0.1


@pytest.mark.parametrize("foreign", [True, False])
def test_a_student_has_its_teachers_zero_and_keeps_its_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, foreign: bool
) -> None:
    cell = [frame(STATES[0], seed) for seed in range(4)]
    pool = [frame(STATES[1], seed) for seed in range(10, 16)]
    calculator = AseReference("foreign", PATH, FOREIGN)
    known = {f.geometry_hash: label_frame(calculator, f) for f in [*pool, *cell]}
    taught = [known[f.geometry_hash] for f in cell]
    off_by = 0.3  # eV a frame, which the student does not know from its teacher
    predictions = [
        Prediction(f.energy + off_by, f.forces, f.stress, f.alone_energy, f.alone_forces)
        for f in taught
    ]
    of_the_teacher = SimpleNamespace(training=None if foreign else {})
    for module, name, value in (
        (coverage, "held_out", {STATES[0]: cell}),
        (coverage.teacher, "labels", known),
        (coverage.teacher, "everything", [*pool, *cell]),
        (coverage.teacher, "teacher_of", of_the_teacher),
        (coverage.teacher, "us_per_atom", 1.0),
    ):
        monkeypatch.setattr(module, name, lambda context, value=value: value)
    monkeypatch.setattr(coverage.arms, "product", lambda *given: SimpleNamespace(folder=tmp_path))
    monkeypatch.setattr(coverage, "_predicted", lambda *given: ({STATES[0]: predictions}, 1.0))
    context: Any = SimpleNamespace(memory={}, chosen_arm=None)
    coverage._arm(context, Arm("grid", "intermolecular", 1, 6.0, recipe="distil"), tmp_path)
    made = read_json(tmp_path / coverage.ERRORS)
    student = coverage.FrameErrors.from_dict(made["cells"][STATES[0].name]).errors()
    against = coverage.FrameErrors.from_dict(made["against_teacher"][STATES[0].name]).errors()
    assert against["energy"]["rmse"] == pytest.approx(off_by / 6, rel=1e-6)
    assert student["interaction_energy"]["rmse"] == pytest.approx(off_by / 6, rel=1e-6)
    both = [*pool, *cell]
    mean = np.mean([(f.alone_energy - known[f.geometry_hash].alone_energy) / 3 for f in both])
    moved = 3 * mean if foreign else 0.0  # a model's energies have the reference's zero
    errors = [p.energy + moved - f.energy for p, f in zip(predictions, cell, strict=True)]
    expected = np.sqrt(np.mean((np.array(errors) / 6) ** 2))
    assert student["energy"]["rmse"] == pytest.approx(expected, rel=1e-6)
    if not foreign:
        return
    coverage._teacher(context, tmp_path)
    own = read_json(tmp_path / coverage.ERRORS)
    of_cell = coverage.FrameErrors.from_dict(own["cells"][STATES[0].name]).errors()
    errors = [t.energy + moved - f.energy for t, f in zip(taught, cell, strict=True)]
    expected = np.sqrt(np.mean((np.array(errors) / 6) ** 2))
    assert of_cell["energy"]["rmse"] == pytest.approx(expected, rel=1e-6)
    assert own["failed"] == {}


def test_constants_of_a_mixture_come_from_frames_of_different_composition() -> None:
    frames = [frame(STATES[0], 1, "NNC"), frame(STATES[0], 2, "NCCC"), frame(STATES[1], 3, "NN")]
    calculator = AseReference("foreign", PATH, {**FOREIGN, "stiffness": 20.0})
    found = energy_constants(frames, [label_frame(calculator, f) for f in frames])
    assert found == pytest.approx({"NN": -14.0, "CO": 4.5}, rel=1e-9)  # sums of exact numbers
    with pytest.raises(FrameError, match="got no frame with labels of both"):
        energy_constants([], [])


def test_frames_of_one_composition_are_moved_by_their_mean_all_the_same() -> None:
    frames = [frame(STATES[0], seed, "NNC") for seed in range(4)]
    calculator = AseReference("foreign", PATH, FOREIGN)
    own = [label_frame(calculator, f) for f in frames]
    found = energy_constants(frames, own)
    mean = np.mean([f.alone_energy - o.alone_energy for f, o in zip(frames, own, strict=True)])
    assert 2 * found["NN"] + found["CO"] == pytest.approx(mean, rel=1e-9)
