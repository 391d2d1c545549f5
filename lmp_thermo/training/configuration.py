"""nequip's own configuration, written from a plan."""

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lmp_thermo.errors import TrainingError
from lmp_thermo.frames import read_frames, write_frames
from lmp_thermo.products import write_text
from lmp_thermo.training import files
from lmp_thermo.training.apart import with_molecules_apart
from lmp_thermo.training.recipe import RADIAL_START, RAMP_START, TrainingPlan
from lmp_thermo.training.statistics import DataStatistics

_ROOM = "lmp_thermo.training"

ADAM_EPS = 1e-12
"""Below the gradients of a loss whose weights sum to one: theirs come down to 1e-8, which is Adam's
own choice. No amsgrad: it keeps the largest gradients ever seen, those of the ramp's start, and
with them steps that stay hundreds of times too short."""

ACCELERATORS = {"cpu": "cpu", "cuda": "gpu"}
"""Lightning's names of devices."""


def write_configuration(
    folder: Path,
    plan: TrainingPlan,
    training_file: Path,
    validation_file: Path,
    *,
    species: Sequence[str],
    references: Mapping[str, float],
    checkpoint: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``config.yaml`` and all that it names into a folder that can then be moved.

    Args:
        folder: made where it is missing; frames and checkpoint are copied into it.
        plan: what is asked for.
        training_file, validation_file: labelled frames (`lmp_thermo.frames.write_frames`).
        species: chemical symbols in the order of the model's types.
        references: energy of each species alone, eV; frozen as the per-type shift.
        checkpoint: of the earlier model, for the recipe ``fine-tune``.
        overrides: nequip's keys, nested or dotted, that replace those written here.

    Returns:
        Path of ``config.yaml``.

    Raises:
        TrainingError: frames, species, references, checkpoint and plan do not fit together.
    """
    if (plan.recipe == "fine-tune") != (checkpoint is not None):
        raise TrainingError(
            f"recipe {plan.recipe} with checkpoint {checkpoint}: expected a checkpoint for "
            "fine-tune and none for scratch; give the one that fits"
        )
    missing = [name for name in species if name not in references]
    if missing:
        raise TrainingError(
            f"references: got none for {missing[0]}, expected one for each of "
            f"{', '.join(species)}; add it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for source, name in ((training_file, files.TRAINING), (validation_file, files.VALIDATION)):
        _copy(source, folder / name)
    if checkpoint is not None:
        _copy(checkpoint, folder / files.START)
    frames = read_frames(folder / files.TRAINING)
    statistics = DataStatistics.of(frames, plan.architecture.cutoffs(species))
    if statistics.molecular and plan.apart_share > 0:
        every = with_molecules_apart(frames, plan.apart_share, plan.architecture.r_max_A)
        write_frames(folder / files.TRAINING, every)
    configuration = _configuration(plan, list(species), references, statistics)
    for key, value in (overrides or {}).items():
        _override(configuration, key.split("."), value)
    digest = hashlib.sha256(yaml.safe_dump(configuration, sort_keys=True).encode()).hexdigest()
    for callback in configuration["trainer"]["callbacks"]:
        if callback["_target_"] == f"{_ROOM}.callbacks.Checkpoints":
            callback["configuration"] = digest
    path = folder / files.CONFIGURATION
    write_text(path, yaml.safe_dump(configuration, sort_keys=False))
    return path


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise TrainingError(f"{source}: no such file; run the stage that makes it")
    if target.exists() and os.path.samefile(source, target):
        return
    shutil.copyfile(source, target)


def _configuration(
    plan: TrainingPlan,
    species: list[str],
    references: Mapping[str, float],
    statistics: DataStatistics,
) -> dict[str, Any]:
    by_pair: dict[str, Any] = {}
    if plan.architecture.pair_r_max_A:
        by_pair["per_edge_type_cutoff"] = plan.architecture.cutoffs(species)
    terms = _loss_terms(plan, statistics)
    return {
        "threads": plan.threads,
        "run": ["train"],
        "data": _data(plan, species, by_pair),
        "trainer": {
            "_target_": "lightning.Trainer",
            "accelerator": ACCELERATORS[plan.device],
            "devices": 1,
            "max_epochs": -1,
            "max_steps": plan.limit.updates if plan.limit.updates is not None else -1,
            "check_val_every_n_epoch": plan.validate_every,
            "num_sanity_val_steps": 0,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            "logger": False,
            "gradient_clip_val": plan.clip_gradient,
            "callbacks": _callbacks(plan, {term["name"]: term["coeff"] for term in terms}),
        },
        "training_module": {
            "_target_": "nequip.train.EMALightningModule",
            "ema_decay": plan.ema_decay,
            "loss": {
                "_target_": "nequip.train.MetricsManager",
                "metrics": terms,
            },
            "val_metrics": {
                "_target_": "nequip.train.MetricsManager",
                "metrics": _validation_terms(statistics),
            },
            "optimizer": {
                "_target_": "torch.optim.Adam",
                "lr": plan.learning_rate,
                "eps": ADAM_EPS,
            },
            "model": _model(plan, species, references, statistics, by_pair),
        },
    }


def _data(plan: TrainingPlan, species: list[str], by_pair: dict[str, Any]) -> dict[str, Any]:
    transforms = [
        {
            "_target_": "nequip.data.transforms.ChemicalSpeciesToAtomTypeMapper",
            "model_type_names": species,
        },
        {
            "_target_": "nequip.data.transforms.NeighborListTransform",
            "r_max": plan.architecture.r_max_A,
            "type_names": species,
            **by_pair,
        },
    ]

    def dataset(name: str) -> dict[str, Any]:
        return {
            "_target_": f"{_ROOM}.dataset.FrameDataset",
            "file_path": name,
            "transforms": transforms,
        }

    return {
        "_target_": "nequip.data.datamodule.NequIPDataModule",
        "seed": plan.seed,
        "train_dataset": dataset(files.TRAINING),
        "val_dataset": dataset(files.VALIDATION),
        "train_dataloader": {
            "_target_": f"{_ROOM}.dataset.frame_loader",
            "batch_size": plan.batch_size,
            "updates_per_epoch": plan.updates_per_epoch,
            "seed": plan.seed,
        },
        "val_dataloader": {
            "_target_": "torch.utils.data.DataLoader",
            "batch_size": max(plan.batch_size, 4),
        },
    }


def _callbacks(plan: TrainingPlan, weights: dict[str, float]) -> list[dict[str, Any]]:
    """Those of the schedule, of progress and checkpoints, and of the recipe's first weights."""
    found: list[dict[str, Any]] = [
        {
            "_target_": f"{_ROOM}.callbacks.Schedule",
            "learning_rate": plan.learning_rate,
            "warm_up": plan.warm_up,
            "decay_from": plan.decay_from,
            "final_rate": plan.final_rate,
            "updates": plan.limit.updates,
            "minutes": plan.limit.minutes,
        },
        {"_target_": f"{_ROOM}.callbacks.Progress"},
        {
            "_target_": f"{_ROOM}.callbacks.Checkpoints",
            "seconds": plan.checkpoint_seconds,
            "configuration": "",
        },
    ]
    if plan.recipe == "fine-tune":
        found.append({"_target_": f"{_ROOM}.callbacks.StartFrom", "checkpoint": files.START})
    else:
        found.append(
            {
                "_target_": f"{_ROOM}.callbacks.RadialStart",
                "r_max_A": plan.architecture.r_max_A,
                "factor": RADIAL_START,
            }
        )
    if plan.recipe == "scratch" and plan.ramp > 0 and "force" in weights and len(weights) > 1:
        found.append(
            {
                "_target_": f"{_ROOM}.callbacks.Ramp",
                "weights": weights,
                "kept": "force",
                "until": plan.ramp,
                "start": RAMP_START,
            }
        )
    return found


def _model(
    plan: TrainingPlan,
    species: list[str],
    references: Mapping[str, float],
    statistics: DataStatistics,
    by_pair: dict[str, Any],
) -> dict[str, Any]:
    architecture = plan.architecture
    return {
        "_target_": "nequip.model.NequIPGNNModel",
        "seed": plan.seed,
        "compile_mode": "compile" if plan.compiled else "eager",
        "model_dtype": architecture.dtype,
        "type_names": species,
        "r_max": architecture.r_max_A,
        **by_pair,
        "num_layers": architecture.layers,
        "l_max": architecture.l_max,
        "parity": architecture.parity,
        "num_features": architecture.features,
        "radial_mlp_depth": architecture.radial_mlp_depth,
        "radial_mlp_width": architecture.radial_mlp_width,
        "num_bessels": architecture.num_bessels,
        "polynomial_cutoff_p": architecture.cutoff_power,
        "avg_num_neighbors": statistics.avg_num_neighbors,
        "per_type_energy_scales": statistics.force_rms_eV_A,
        "per_type_energy_shifts": {name: float(references[name]) for name in species},
        "per_type_energy_scales_trainable": False,
        "per_type_energy_shifts_trainable": False,
    }


_ENERGY_PER_ATOM = {"_target_": "nequip.data.PerAtomModifier", "field": "total_energy"}


def _fields(statistics: DataStatistics) -> dict[str, Any]:
    """Quantities that these frames have, by the names of `LossWeights`."""
    fields: dict[str, Any] = {"energy": _ENERGY_PER_ATOM, "force": "forces"}
    if statistics.has_stress:
        fields["stress"] = {"_target_": f"{_ROOM}.loss.VirialPerAtom"}
    if statistics.molecular:
        fields["net_force"] = {"_target_": f"{_ROOM}.loss.NetForce"}
        fields["torque"] = {"_target_": f"{_ROOM}.loss.Torque"}
        if statistics.has_stress:
            fields["molecular_virial"] = {"_target_": f"{_ROOM}.loss.MolecularVirial"}
    return fields


def _loss_terms(plan: TrainingPlan, statistics: DataStatistics) -> list[dict[str, Any]]:
    terms = []
    for name, fld in _fields(statistics).items():
        weight = getattr(plan.loss, name)
        if weight > 0:
            terms.append(
                {
                    "name": name,
                    "field": fld,
                    "coeff": float(weight),
                    "metric": {"_target_": f"{_ROOM}.loss.SquaredError"},
                    "ignore_nan": name in ("stress", "molecular_virial"),
                }
            )
    if not terms:
        raise TrainingError(
            "loss: every weight above 0 is of a quantity that the frames do not have (stress "
            "without labels, molecules of one atom); set loss weights of energy or force"
        )
    return terms


def _validation_terms(statistics: DataStatistics) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "field": fld,
            "metric": {"_target_": f"{_ROOM}.loss.RootSquaredError"},
            "ignore_nan": name in ("stress", "molecular_virial"),
        }
        for name, fld in _fields(statistics).items()
    ]


def _override(tree: Any, path: list[str], value: Any) -> None:
    """Replace one value of the configuration; mappings are merged, all else replaced."""
    key = path[0]
    if not isinstance(tree, dict):
        raise TrainingError(
            f"training.overrides: {key} lies below a value that is no mapping; mend the key"
        )
    if len(path) > 1:
        _override(tree.setdefault(key, {}), path[1:], value)
    elif isinstance(value, Mapping) and isinstance(tree.get(key), dict) and "_target_" not in value:
        for inner, inner_value in value.items():
            _override(tree[key], inner.split("."), inner_value)
    else:
        tree[key] = value
