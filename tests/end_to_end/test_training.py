"""Training in its own process: kill and resume, corrupt checkpoints, fine-tuning, export."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones

from lmp_thermo.errors import PotentialError, TrainingError
from lmp_thermo.frames import MOLECULE, Frame, Tags, write_frames
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.potential.export import export_compiled, export_torchscript
from lmp_thermo.potential.intermolecular import compare, labelled_quantities, predicted_quantities
from lmp_thermo.training import files
from lmp_thermo.training.configuration import write_configuration
from lmp_thermo.training.recipe import Architecture, Limit, LossWeights, TrainingPlan
from lmp_thermo.training.references import ElementalReferences
from lmp_thermo.training.runner import read_progress, train
from tests.tolerances import FLOAT32_ENERGY_EV_ATOM, FLOAT32_FORCE_EV_A
from tests.unit.potential.fluid_frames import known_fluid

torch = pytest.importorskip("torch")
pytest.importorskip("nequip")
pytestmark = pytest.mark.end_to_end

MIXTURE = ["C", "H", "O", "Ar"]
ZERO = dict.fromkeys(MIXTURE, 0.0)
PLAN = TrainingPlan(
    Architecture(r_max_A=4.0, layers=1, l_max=1, features=4, radial_mlp_width=8),
    Limit(updates=30),
    LossWeights(100.0, 1.0, 10.0, 10.0, 5.0, 10.0),
    batch_size=2,
    learning_rate=0.005,
    updates_per_epoch=5,
    validate_every=2,
    checkpoint_seconds=0.0,
)


def _prepared(folder: Path, plan: TrainingPlan, **more: Any) -> Path:
    folder.mkdir()
    frames = [known_fluid(seed).frame for seed in range(5)]
    write_frames(folder / "t.xyz", frames)
    write_frames(folder / "v.xyz", frames[:2])
    write_configuration(
        folder,
        plan,
        folder / "t.xyz",
        folder / "v.xyz",
        species=MIXTURE,
        references=ZERO,
        **more,
    )
    return folder


def _weights(checkpoint: Path) -> Mapping[str, Any]:
    state: Mapping[str, Any] = torch.load(checkpoint, weights_only=False)["state_dict"]
    return {k: v for k, v in state.items() if isinstance(v, torch.Tensor)}


def _assert_same_weights(one: Path, other: Path) -> None:
    first, second = _weights(one), _weights(other)
    assert first.keys() == second.keys()
    assert any("ema_weight" in name for name in first)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of a mixture with every term of the loss, never stopped."""
    folder = _prepared(tmp_path_factory.mktemp("training") / "whole", PLAN)
    seen: list[int] = []
    result = train(folder, lambda progress: seen.append(progress.update))
    assert seen == [5, 10, 15, 20, 25, 30]
    assert result.last.share == 1.0
    assert set(result.last.validation) == {
        "energy",
        "force",
        "stress",
        "net_force",
        "torque",
        "molecular_virial",
    }
    assert result.messages == ()
    return folder


def test_killed_training_ends_bit_for_bit_the_same(uninterrupted: Path, tmp_path: Path) -> None:
    folder = _prepared(tmp_path / "killed", PLAN)
    script = f"from pathlib import Path; from lmp_thermo.training.runner import train; train(Path({str(folder)!r}))"  # noqa: E501
    parent = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    deadline = time.monotonic() + 120
    while not (folder / files.PREVIOUS).exists():
        assert time.monotonic() < deadline
        assert parent.poll() is None
        time.sleep(0.02)
    parent.send_signal(signal.SIGKILL)  # the trainer itself must follow its parent
    parent.wait()
    updates = read_progress(folder)[-1].update
    time.sleep(2.0)
    assert read_progress(folder)[-1].update <= updates + PLAN.updates_per_epoch
    assert not (folder / files.FINAL).exists()
    result = train(folder)
    assert any("going on from" in message for message in result.messages)
    assert [p.update for p in result.progress] == [5, 10, 15, 20, 25, 30]
    _assert_same_weights(folder / files.FINAL, uninterrupted / files.FINAL)


def test_corrupt_checkpoint_falls_back_to_the_one_before(
    uninterrupted: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "corrupt"
    shutil.copytree(uninterrupted, folder)
    (folder / files.FINAL).unlink()
    content = (folder / files.LAST).read_bytes()
    (folder / files.LAST).write_bytes(content[: len(content) // 2])
    result = train(folder)
    assert any("last.ckpt: cannot be read" in message for message in result.messages)
    _assert_same_weights(folder / files.FINAL, uninterrupted / files.FINAL)


def test_finished_training_is_left_as_it_is(uninterrupted: Path) -> None:
    before = (uninterrupted / files.FINAL).stat().st_mtime_ns
    train(uninterrupted)
    assert (uninterrupted / files.FINAL).stat().st_mtime_ns == before


def test_fine_tuning_starts_from_the_earlier_model_and_stands_alone(
    uninterrupted: Path, tmp_path: Path
) -> None:
    plan = replace(PLAN, recipe="fine-tune", limit=Limit(updates=1), learning_rate=1e-12)
    folder = _prepared(tmp_path / "tuned", plan, checkpoint=uninterrupted / files.FINAL)
    train(folder)
    (folder / files.START).unlink()
    moved = folder.rename(tmp_path / "moved")
    for name, source in (("before", uninterrupted), ("after", moved)):
        export_torchscript(source / files.FINAL, tmp_path / f"{name}.nequip.pth")
    frame = known_fluid(9).frame
    before, after = (
        next(Evaluator(tmp_path / f"{name}.nequip.pth").evaluate([frame]))
        for name in ("before", "after")
    )
    # a rate of 1e-12 moves no float32 weight
    assert after.energy == pytest.approx(before.energy, abs=1e-12)
    assert after.forces == pytest.approx(before.forces, abs=1e-12)


@pytest.mark.slow
def test_compiled_training_is_the_same_training(uninterrupted: Path, tmp_path: Path) -> None:
    folder = _prepared(tmp_path / "compiled", replace(PLAN, compiled=True))
    shared = tmp_path / "shared"
    train(folder, compiled=shared)
    libraries = set(shared.rglob("*.so"))
    other = _prepared(tmp_path / "other", replace(PLAN, compiled=True, seed=PLAN.seed + 1))
    train(other, compiled=shared)
    assert libraries
    assert set(shared.rglob("*.so")) == libraries  # the second training compiled nothing
    for name, source in (("eager", uninterrupted), ("compiled", folder)):
        export_torchscript(source / files.FINAL, tmp_path / f"{name}.nequip.pth")
    frame = known_fluid(9).frame
    eager, compiled = (
        next(Evaluator(tmp_path / f"{name}.nequip.pth").evaluate([frame]))
        for name in ("eager", "compiled")
    )
    largest = np.abs(eager.forces).max()
    assert largest > 0.001
    # 30 updates amplify the round-off of float32 that differs between the two
    assert compiled.forces == pytest.approx(eager.forces, abs=1e-3 * largest)


def test_evaluation_in_batches_agrees_with_nequips_calculator(
    uninterrupted: Path, tmp_path: Path
) -> None:
    from nequip.integrations.ase import NequIPCalculator

    model = tmp_path / "m.nequip.pth"
    export_torchscript(uninterrupted / files.FINAL, model)
    frames = [known_fluid(seed).frame for seed in (11, 12, 13)]
    calculator = NequIPCalculator.from_compiled_model(
        str(model), device="cpu", chemical_species_to_atom_type_map=True
    )
    for frame, own in zip(frames, Evaluator(model).evaluate(frames), strict=True):
        atoms = frame.atoms.copy()
        atoms.calc = calculator
        n = len(atoms)
        assert own.energy == pytest.approx(
            atoms.get_potential_energy(), abs=n * FLOAT32_ENERGY_EV_ATOM
        )
        assert own.forces == pytest.approx(atoms.get_forces(), abs=FLOAT32_FORCE_EV_A)
        assert own.stress == pytest.approx(
            atoms.get_stress(), abs=n * FLOAT32_ENERGY_EV_ATOM / atoms.get_volume()
        )
        alone = 0.0
        for m in range(frame.n_molecules):
            molecule = Atoms(
                atoms.numbers[frame.molecule == m], atoms.positions[frame.molecule == m]
            )
            molecule.calc = calculator
            alone += molecule.get_potential_energy()
            assert own.alone_forces[frame.molecule == m] == pytest.approx(
                molecule.get_forces(), abs=FLOAT32_FORCE_EV_A
            )
        assert own.alone_energy == pytest.approx(alone, abs=n * FLOAT32_ENERGY_EV_ATOM)


def test_failure_is_one_line_with_its_cause(tmp_path: Path) -> None:
    overrides = {"training_module.model.num_layers": 0}
    folder = _prepared(tmp_path / "wrong", PLAN, overrides=overrides)
    with pytest.raises(TrainingError, match="at least one convnet layer required") as caught:
        train(folder)
    assert "\n" not in str(caught.value)


def test_export_of_a_corrupt_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.ckpt").write_bytes(b"not a checkpoint")
    with pytest.raises(PotentialError, match="cannot be exported"):
        export_torchscript(tmp_path / "bad.ckpt", tmp_path / "m.nequip.pth")
    with pytest.raises(PotentialError, match=r"bad\.ckpt: cannot be exported .* a C\+\+ compiler"):
        export_compiled(tmp_path / "bad.ckpt", tmp_path / "m.nequip.pt2")
    with pytest.raises(PotentialError, match=r"expected a name that ends in \.nequip\.pt2"):
        export_compiled(tmp_path / "bad.ckpt", tmp_path / "m.nequip.pth")
    assert not list(tmp_path.glob("*.pt*"))
    (tmp_path / "bad.nequip.pth").write_bytes(b"not a model")
    with pytest.raises(PotentialError, match="cannot be loaded"):
        Evaluator(tmp_path / "bad.nequip.pth")


def _argon(shift_eV: float) -> list[Frame]:
    """Lennard-Jones argon, 8 atoms, with a constant on the energy of each atom."""
    frames = []
    for index in range(12):
        rng = np.random.default_rng(index)
        edge = 8.0 + 0.2 * index
        grid = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * edge / 2
        atoms = Atoms("Ar8", positions=grid + rng.normal(scale=0.25, size=(8, 3)), cell=[edge] * 3)
        atoms.pbc = True
        atoms.set_array(MOLECULE, np.arange(8))
        atoms.calc = LennardJones(sigma=3.4, epsilon=0.0103, rc=6.0, smooth=True)
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        stress = atoms.get_stress()
        atoms.calc = None
        frame = Frame(atoms, Tags(0.5, 100.0, "packed", 0, 1, index))
        frames.append(
            frame.labelled("lj", energy + 8 * shift_eV, forces, stress, 8 * shift_eV, 0 * forces)
        )
    return frames


def _trained_on_argon(folder: Path, shift_eV: float, loss: LossWeights) -> Evaluator:
    folder.mkdir()
    frames = _argon(shift_eV)
    write_frames(folder / "t.xyz", frames[:8])
    write_frames(folder / "v.xyz", frames[8:9])
    references = ElementalReferences.fit(frames[:8], ["Ar"])
    plan = replace(
        PLAN,
        architecture=Architecture(
            r_max_A=6.0, layers=1, l_max=1, features=8, radial_mlp_width=16, dtype="float64"
        ),
        loss=loss,
        limit=Limit(updates=400),
        updates_per_epoch=50,
        learning_rate=0.02,
        checkpoint_seconds=1e9,
    )
    write_configuration(
        folder,
        plan,
        folder / "t.xyz",
        folder / "v.xyz",
        species=["Ar"],
        references=references.energies,
    )
    # molecules of one atom: their terms say nothing that the forces do not, and are left out
    text = (folder / files.CONFIGURATION).read_text()
    assert "NetForce" not in text
    export_torchscript(train(folder).checkpoint, folder / "m.nequip.pth")
    return Evaluator(folder / "m.nequip.pth")


ARGON_LOSS = LossWeights(energy=1.0, force=10.0, stress=1.0, net_force=10.0)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Evaluator:
    """A model of argon, trained on energies, forces and stress."""
    return _trained_on_argon(tmp_path_factory.mktemp("argon") / "plain", 0.0, ARGON_LOSS)


def test_a_constant_for_each_element_changes_no_force(plain: Evaluator, tmp_path: Path) -> None:
    # a power of two, so that the labels lose no digits
    shifted = _trained_on_argon(tmp_path / "shifted", 64.0, ARGON_LOSS)
    frame = _argon(0.0)[10]
    first, second = next(plain.evaluate([frame])), next(shifted.evaluate([frame]))
    largest = np.abs(first.forces).max()
    assert largest > 0.001
    # labels carry 8 digits behind the point in the file; 100 updates amplify round-off
    assert second.forces == pytest.approx(first.forces, abs=1e-3 * largest)
    assert second.energy - first.energy == pytest.approx(8 * 64.0, abs=1e-4)


def test_energy_only_model_is_flagged_by_its_force_error(plain: Evaluator, tmp_path: Path) -> None:
    only_energy = _trained_on_argon(tmp_path / "energy", 0.0, LossWeights(energy=1.0, force=0.0))
    frames = _argon(0.0)[:8]
    truth = [labelled_quantities(frame) for frame in frames]
    errors = {
        name: compare(
            [
                predicted_quantities(f, p)
                for f, p in zip(frames, model.evaluate(frames), strict=True)
            ],
            truth,
        )
        for name, model in (("energy", only_energy), ("both", plain))
    }
    assert errors["energy"].force.relative > 2.0 * errors["both"].force.relative


def test_progress_is_json_lines(uninterrupted: Path) -> None:
    lines = (uninterrupted / files.PROGRESS).read_text().splitlines()
    assert [json.loads(line)["update"] for line in lines] == [5, 10, 15, 20, 25, 30]
    assert os.path.getsize(uninterrupted / files.LOG) < 20_000
