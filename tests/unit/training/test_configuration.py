"""nequip's configuration says what the plan, the frames and the overrides say."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from lmp_thermo.errors import TrainingError
from lmp_thermo.frames import Frame, write_frames
from lmp_thermo.sections import Training
from lmp_thermo.stages.train import architecture
from lmp_thermo.training import runner
from lmp_thermo.training.configuration import write_configuration
from lmp_thermo.training.recipe import Architecture, Limit, LossWeights, TrainingPlan
from lmp_thermo.training.runner import read_progress, train
from lmp_thermo.training.statistics import DataStatistics
from tests.unit.potential.fluid_frames import known_fluid

SPECIES = ["C", "H", "O", "Ar"]
REFERENCES = {"C": -3.0, "H": -1.0, "O": -2.0, "Ar": -4.0}
PLAN = TrainingPlan(
    Architecture(r_max_A=5.0, pair_r_max_A={"H-C": 3.0}),
    Limit(updates=10),
    LossWeights(2.0, 1.0, 3.0, 4.0, 5.0, 6.0),
)


def _written(folder: Path, plan: TrainingPlan = PLAN, **more: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    write_frames(folder / "labels.xyz", [known_fluid(seed).frame for seed in (1, 2)])
    path = write_configuration(
        folder,
        plan,
        folder / "labels.xyz",
        folder / "labels.xyz",
        species=more.pop("species", SPECIES),
        references=more.pop("references", REFERENCES),
        **more,
    )
    configuration: dict[str, Any] = yaml.safe_load(path.read_text())
    return configuration


def test_loss_has_every_term_with_its_weight(tmp_path: Path) -> None:
    metrics = _written(tmp_path / "t")["training_module"]["loss"]["metrics"]
    assert {m["name"]: m["coeff"] for m in metrics} == {
        "energy": 2.0,
        "force": 1.0,
        "stress": 3.0,
        "net_force": 4.0,
        "torque": 5.0,
        "molecular_virial": 6.0,
    }


@pytest.mark.parametrize("name", ["energy", "stress", "net_force", "torque", "molecular_virial"])
def test_term_of_weight_zero_is_left_out(tmp_path: Path, name: str) -> None:
    plan = replace(PLAN, loss=replace(PLAN.loss, **{name: 0.0}))
    metrics = _written(tmp_path / "t", plan)["training_module"]["loss"]["metrics"]
    assert name not in {m["name"] for m in metrics}
    assert len(metrics) == 5


def test_the_folder_can_be_moved(tmp_path: Path) -> None:
    text = yaml.safe_dump(_written(tmp_path / "t"))
    assert str(tmp_path) not in text
    assert {p.name for p in (tmp_path / "t").iterdir()} >= {"training.xyz", "validation.xyz"}


def test_the_study_says_how_large_the_model_is(tmp_path: Path) -> None:
    """Every size differs from its default, and from the others."""
    asked = Training(
        layers=3,
        l_max=0,
        parity=False,
        features=5,
        num_bessels=11,
        radial_mlp_width=7,
        dtype="float64",
        r_max_A=4.5,
        updates=[1],
    )
    plan = replace(PLAN, architecture=architecture(asked))
    model = _written(tmp_path / "t", plan)["training_module"]["model"]
    assert {
        "num_layers": 3,
        "l_max": 0,
        "parity": False,
        "num_features": 5,
        "num_bessels": 11,
        "radial_mlp_width": 7,
        "model_dtype": "float64",
        "r_max": 4.5,
    }.items() <= model.items()


def test_model_has_references_and_cutoffs_of_pairs(tmp_path: Path) -> None:
    configuration = _written(tmp_path / "t")
    model = configuration["training_module"]["model"]
    assert model["per_type_energy_shifts"] == REFERENCES
    assert model["per_type_energy_shifts_trainable"] is False
    assert model["per_edge_type_cutoff"]["C"]["H"] == 3.0
    assert model["per_edge_type_cutoff"]["H"]["C"] == 3.0
    assert model["per_edge_type_cutoff"]["H"]["H"] == 5.0
    neighbours = configuration["data"]["train_dataset"]["transforms"][1]
    assert neighbours["per_edge_type_cutoff"] == model["per_edge_type_cutoff"]


def test_normalisation_against_a_brute_force_over_images() -> None:
    frames = [known_fluid(seed).frame for seed in (3, 4)]
    cutoffs = PLAN.architecture.cutoffs(SPECIES)
    statistics = DataStatistics.of(frames, cutoffs)
    for name in SPECIES:
        counts = [
            _neighbours(frame, atom, cutoffs[name])
            for frame in frames
            for atom, symbol in enumerate(frame.atoms.get_chemical_symbols())
            if symbol == name
        ]
        assert statistics.avg_num_neighbors[name] == pytest.approx(np.mean(counts))
    forces = np.concatenate([frame.forces for frame in frames])
    assert statistics.force_rms_eV_A == pytest.approx(np.sqrt((forces**2).mean()))
    assert statistics.molecular
    assert statistics.has_stress


def _neighbours(frame: Frame, atom: int, cutoffs: dict[str, float]) -> int:
    count = 0
    symbols = frame.atoms.get_chemical_symbols()
    for images in product((-2, -1, 0, 1, 2), repeat=3):
        shift = np.array(images) @ np.asarray(frame.atoms.cell)
        for other, position in enumerate(frame.atoms.positions):
            r = np.linalg.norm(position + shift - frame.atoms.positions[atom])
            count += int(1e-9 < r < cutoffs[symbols[other]])
    return count


def test_overrides_replace_nested_and_dotted_keys(tmp_path: Path) -> None:
    configuration = _written(
        tmp_path / "t",
        overrides={
            "training_module.model.num_layers": 3,
            "trainer": {"gradient_clip_val": 2.5},
            "training_module.optimizer": {"_target_": "torch.optim.AdamW", "lr": 0.1},
        },
    )
    assert configuration["training_module"]["model"]["num_layers"] == 3
    assert configuration["training_module"]["model"]["l_max"] == 1
    assert configuration["trainer"]["gradient_clip_val"] == 2.5
    assert configuration["trainer"]["max_steps"] == 10
    assert configuration["training_module"]["optimizer"] == {
        "_target_": "torch.optim.AdamW",
        "lr": 0.1,
    }
    with pytest.raises(TrainingError, match="lies below a value that is no mapping"):
        _written(tmp_path / "u", overrides={"threads.more": 3})


def test_fine_tuning_copies_its_start(tmp_path: Path) -> None:
    (tmp_path / "old.ckpt").write_bytes(b"weights")
    plan = replace(PLAN, recipe="fine-tune")
    configuration = _written(tmp_path / "t", plan, checkpoint=tmp_path / "old.ckpt")
    callbacks = {c["_target_"].rsplit(".", 1)[1]: c for c in configuration["trainer"]["callbacks"]}
    assert callbacks["StartFrom"]["checkpoint"] == "start.ckpt"
    assert (tmp_path / "t" / "start.ckpt").read_bytes() == b"weights"
    assert "Ramp" not in callbacks
    assert "RadialStart" not in callbacks
    with pytest.raises(TrainingError, match="expected a checkpoint for fine-tune"):
        _written(tmp_path / "u", plan)
    with pytest.raises(TrainingError, match=r"nowhere.ckpt: no such file"):
        _written(tmp_path / "u", plan, checkpoint=tmp_path / "nowhere.ckpt")


def test_weights_between_molecules_rise_in_a_training_from_scratch(tmp_path: Path) -> None:
    callbacks = _written(tmp_path / "t")["trainer"]["callbacks"]
    (ramp,) = [c for c in callbacks if c["_target_"].endswith("Ramp")]
    assert ramp["kept"] == "force"
    assert ramp["weights"]["net_force"] == 4.0
    (start,) = [c for c in callbacks if c["_target_"].endswith("RadialStart")]
    assert start["r_max_A"] == PLAN.architecture.r_max_A
    without = _written(tmp_path / "u", replace(PLAN, ramp=0.0))["trainer"]["callbacks"]
    assert not [c for c in without if c["_target_"].endswith("Ramp")]


@pytest.mark.parametrize(("compiled", "mode"), [(False, "eager"), (True, "compile")])
def test_compiled_is_nequips_mode(tmp_path: Path, compiled: bool, mode: str) -> None:
    model = _written(tmp_path / "t", replace(PLAN, compiled=compiled))["training_module"]["model"]
    assert model["compile_mode"] == mode


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="references: got none for Ar"):
        _written(tmp_path / "a", references={"C": 0.0, "H": 0.0, "O": 0.0})
    with pytest.raises(TrainingError, match="has species Ar, expected one of C, H, O"):
        _written(tmp_path / "b", replace(PLAN), species=["C", "H", "O"])
    wrong = replace(PLAN, architecture=Architecture(r_max_A=5.0, pair_r_max_A={"H-X": 3.0}))
    with pytest.raises(TrainingError, match=r"pair_r_max_A: H-X = 3\.0"):
        _written(tmp_path / "c", wrong)
    longer = replace(PLAN, architecture=Architecture(r_max_A=5.0, pair_r_max_A={"H-H": 6.0}))
    with pytest.raises(TrainingError, match=r"at most r_max_A = 5.0"):
        _written(tmp_path / "d", longer)
    with pytest.raises(TrainingError, match="got no training frames"):
        DataStatistics.of([], PLAN.architecture.cutoffs(SPECIES))


def test_impossible_plans_are_refused() -> None:
    with pytest.raises(TrainingError, match="expected one of them, above 0"):
        Limit()
    with pytest.raises(TrainingError, match="expected one of them, above 0"):
        Limit(updates=3, minutes=1.0)
    with pytest.raises(TrainingError, match=r"loss weight torque = -1\.0"):
        LossWeights(torque=-1.0)
    with pytest.raises(TrainingError, match="all 0"):
        LossWeights(energy=0.0, force=0.0)
    for name, value in (
        ("threads", 0),
        ("batch_size", 0),
        ("apart_share", 1.5),
        ("learning_rate", 0.0),
        ("warm_up", 1.0),
        ("ramp", 1.0),
        ("decay_from", 0.0),
        ("final_rate", 0.0),
        ("ema_decay", 1.0),
        ("updates_per_epoch", 0),
        ("validate_every", 0),
        ("checkpoint_seconds", -1.0),
    ):
        with pytest.raises(TrainingError, match=f"training plan: {name} = "):
            replace(PLAN, **{name: value})


def test_only_a_limit_of_updates_on_one_thread_is_reproducible() -> None:
    assert PLAN.reproducible
    assert not replace(PLAN, threads=2).reproducible
    assert not replace(PLAN, limit=Limit(minutes=1.0)).reproducible
    assert not replace(PLAN, device="cuda").reproducible  # sums over edges come in any order


@pytest.mark.parametrize(("device", "accelerator"), [("cpu", "cpu"), ("cuda", "gpu")])
def test_device_is_lightnings_accelerator(tmp_path: Path, device: Any, accelerator: str) -> None:
    trainer = _written(tmp_path / "t", replace(PLAN, device=device))["trainer"]
    assert trainer["accelerator"] == accelerator
    assert trainer["devices"] == 1


@pytest.mark.parametrize(("device", "visible"), [("cpu", ""), ("cuda", "1")])
def test_environment_of_the_training_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: Any, visible: str
) -> None:
    """It sees the user's GPUs only if it is to train on one, and keeps compiled code as told."""
    seen = []

    def begin(*_: Any, env: dict[str, str], **__: Any) -> None:
        seen.append(env)
        raise OSError("this is as far as the test goes")

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setattr(runner.subprocess, "Popen", begin)
    _written(tmp_path / "t", replace(PLAN, device=device, threads=3))
    for told in (tmp_path / "shared", None):
        with pytest.raises(OSError, match="as far as"):
            train(tmp_path / "t", compiled=told)
    assert [own["TORCHINDUCTOR_CACHE_DIR"] for own in seen] == [
        str(tmp_path / "shared"),
        str(tmp_path / "t" / "compiled"),
    ]
    assert {own["CUDA_VISIBLE_DEVICES"] for own in seen} == {visible}
    assert {own["OMP_NUM_THREADS"] for own in seen} == {"3"}


def test_training_without_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"config.yaml: no such file"):
        train(tmp_path)
    (tmp_path / "config.yaml").write_text("threads: [")
    with pytest.raises(TrainingError, match="cannot be read"):
        train(tmp_path)


def test_progress_passes_over_a_line_that_a_kill_cut_short(tmp_path: Path) -> None:
    whole = (
        '{"update": 5, "epoch": 0, "seconds": 1.0, "share": 0.5, "learning_rate": 0.1, '
        '"loss": {}, "validation": {}}'
    )
    (tmp_path / "progress.jsonl").write_text(whole + "\n" + whole[:30])
    assert [p.update for p in read_progress(tmp_path)] == [5]
    assert read_progress(tmp_path / "nowhere") == ()
