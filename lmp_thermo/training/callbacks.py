"""What happens beside the updates: learning rate, the end, progress, checkpoints, a given start.

nequip instantiates these Lightning callbacks by their dotted paths in its configuration.
"""

import json
import math
import os
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from lmp_thermo.errors import TrainingError
from lmp_thermo.training.files import FINAL, LAST, PREVIOUS, PROGRESS


class Schedule(Callback):  # type: ignore[misc]
    """Learning rate from the share of the limit that is used; stops at the limit.

    The rate rises linearly in the warm-up, stays, and from `decay_from` on falls along a cosine
    to `final_rate` of its highest value. Wall time counts the updates' loop only, from the end of
    the first update on, which may compile the model, and goes on counting where a training goes on
    from a checkpoint.

    Args:
        learning_rate: highest rate.
        warm_up, decay_from: shares of the limit.
        final_rate: share of `learning_rate`.
        updates, minutes: the limit; one is None.
    """

    def __init__(
        self,
        *,
        learning_rate: float,
        warm_up: float,
        decay_from: float,
        final_rate: float,
        updates: int | None,
        minutes: float | None,
    ) -> None:
        self.learning_rate = learning_rate
        self.warm_up = warm_up
        self.decay_from = decay_from
        self.final_rate = final_rate
        self.updates = updates
        self.minutes = minutes
        self.seconds_before = 0.0
        self.started = time.monotonic()
        self.first = True

    @property
    def seconds(self) -> float:
        """Wall time spent on updates, over all parts of this training."""
        return self.seconds_before + time.monotonic() - self.started

    def share(self, updates_done: int) -> float:
        """Share of the limit that is used, 0 to 1."""
        if self.updates is not None:
            used = updates_done / self.updates
        else:
            assert self.minutes is not None  # the plan gives one of the two
            used = self.seconds / (60.0 * self.minutes)
        return min(1.0, used)

    def factor(self, share: float) -> float:
        """Rate at a share of the limit, relative to the highest."""
        if share < self.warm_up:
            return max(share / self.warm_up, 1e-3)
        if share <= self.decay_from:
            return 1.0
        fallen = (share - self.decay_from) / (1.0 - self.decay_from)
        return self.final_rate + (1.0 - self.final_rate) * 0.5 * (1.0 + math.cos(math.pi * fallen))

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self.started = time.monotonic()
        self.first = True

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the rate of the update to come."""
        rate = self.learning_rate * self.factor(self.share(trainer.global_step))
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop at the limit; refuse to go on from a loss that is not finite."""
        if self.first:
            self.started = time.monotonic()
            self.first = False
        loss = outputs["loss"] if isinstance(outputs, dict) else outputs
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {float(loss)} after {trainer.global_step} updates; "
                "reduce training.learning_rate or look for absurd labels"
            )
        if self.share(trainer.global_step) >= 1.0:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        """Seconds spent."""
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Seconds spent before the checkpoint."""
        self.seconds_before = float(state_dict["seconds"])


def _schedule(trainer: Trainer) -> Schedule:
    return next(c for c in trainer.callbacks if isinstance(c, Schedule))


class Ramp(Callback):  # type: ignore[misc]
    """Raises the weights of the loss, but for one term, geometrically over a share of the limit.

    Args:
        weights: final weight of each term, by name.
        kept: term whose weight stays.
        until: share of the limit at which the weights are reached.
        start: first weight relative to the final one.
    """

    def __init__(self, weights: dict[str, float], kept: str, until: float, start: float) -> None:
        self.weights = weights
        self.kept = kept
        self.until = until
        self.start = start

    def factor(self, share: float) -> float:
        """Weight at a share of the limit, relative to the final one."""
        return self.start ** (1.0 - share / self.until) if share < self.until else 1.0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the weights of the update to come."""
        factor = self.factor(_schedule(trainer).share(trainer.global_step))
        pl_module.loss.set_coeffs(
            {
                name: weight * (1.0 if name == self.kept else factor)
                for name, weight in self.weights.items()
            }
        )


class Progress(Callback):  # type: ignore[misc]
    """A line of JSON in ``progress.jsonl`` for each epoch.

    Args:
        folder: of the training.
    """

    def __init__(self, folder: str = ".") -> None:
        self.path = Path(folder) / PROGRESS

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Drop lines of updates that a checkpoint went back behind."""
        kept = []
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                try:
                    if json.loads(line)["update"] <= trainer.global_step:
                        kept.append(line)
                except (json.JSONDecodeError, KeyError, TypeError):
                    continue  # the line that a kill cut short
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        temporary.write_text("".join(line + "\n" for line in kept))
        temporary.replace(self.path)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the line."""
        schedule = _schedule(trainer)
        metrics = {k: float(v) for k, v in trainer.callback_metrics.items()}

        def named(prefix: str) -> dict[str, float]:
            return {
                key.removeprefix(prefix): value
                for key, value in metrics.items()
                if key.startswith(prefix) and math.isfinite(value)
            }

        line = {
            "update": trainer.global_step,
            "epoch": trainer.current_epoch,
            "seconds": round(schedule.seconds, 2),
            "share": round(schedule.share(trainer.global_step), 4),
            "learning_rate": trainer.optimizers[0].param_groups[0]["lr"],
            "loss": named("train_loss_step/"),
            "validation": named("val0_epoch/"),
        }
        with self.path.open("a") as stream:
            stream.write(json.dumps(line) + "\n")
            stream.flush()


class Checkpoints(Callback):  # type: ignore[misc]
    """``last.ckpt`` from time to time, ``previous.ckpt`` before it, ``final.ckpt`` at the end.

    Checkpoints are written between epochs, where order of frames, optimiser and averaged weights
    are all defined: a training that goes on from one is the training that was never stopped.

    Args:
        seconds: wall time between checkpoints.
        configuration: hash of nequip's configuration, kept in the checkpoint.
        folder: of the training.
    """

    def __init__(self, seconds: float, configuration: str, folder: str = ".") -> None:
        self.seconds = seconds
        self.configuration = configuration
        self.folder = Path(folder)
        self.written = time.monotonic()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock."""
        self.written = time.monotonic()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write ``last.ckpt`` when it is time."""
        if time.monotonic() - self.written < self.seconds:
            return
        self._write(trainer, self.folder / LAST, keep=self.folder / PREVIOUS)
        self.written = time.monotonic()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write ``final.ckpt``."""
        if _schedule(trainer).share(trainer.global_step) >= 1.0:
            self._write(trainer, self.folder / FINAL)

    def _write(self, trainer: Trainer, path: Path, keep: Path | None = None) -> None:
        temporary = path.with_name(f".{path.name}.tmp")
        trainer.save_checkpoint(temporary)
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        if keep is not None and path.exists():
            path.replace(keep)
        temporary.replace(path)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Say that the epoch is over.

        Lightning counts an epoch as complete only after the hook that writes the checkpoint, and
        would begin the next one in the middle of this one's batches.
        """
        loop = checkpoint["loops"]["fit_loop"]
        for progress in loop["epoch_progress"].values():
            progress["completed"] = progress["processed"] = progress["ready"]
        batches = loop["epoch_loop.batch_progress"]
        batches["current"] = dict.fromkeys(batches["current"], 0)
        batches["is_last_batch"] = False

    def state_dict(self) -> dict[str, Any]:
        """Hash of the configuration."""
        return {"configuration": self.configuration}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Refuse a checkpoint of another configuration."""
        if state_dict["configuration"] != self.configuration:
            raise TrainingError(
                f"{self.folder.resolve()}: config.yaml is not the one that the checkpoint was "
                "made with; remove the folder and train again"
            )


class RadialStart(Callback):  # type: ignore[misc]
    """Starts the radial networks at a scale that does not depend on the cutoff.

    nequip multiplies the radial basis by ``2 pi / r_max^2``: with a long cutoff the networks
    begin with inputs close to zero, where they are linear, and learn slowly. The first weights
    are multiplied by what takes that factor to `factor`.

    Args:
        r_max_A: the model's largest cutoff.
        factor: of the basis ``sin(n pi x) / x``, as the networks see it at the start.
    """

    def __init__(self, r_max_A: float, factor: float) -> None:
        self.scale = factor * r_max_A**2 / (2.0 * math.pi)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Scale the weights, unless this training goes on from a checkpoint."""
        if trainer.ckpt_path is not None:
            return
        first = [
            weight
            for name, weight in pl_module.model.named_parameters()
            if name.endswith("edge_mlp.mlp.0.weight")
        ]
        if not first:
            raise TrainingError(
                "no radial network found in the model, expected one in each layer; use the nequip "
                "that pyproject.toml names"
            )
        with torch.no_grad():
            for weight in first:
                weight.mul_(self.scale)
        pl_module.ema.num_updates = 0
        pl_module.ema.update_parameters(pl_module.model)


class StartFrom(Callback):  # type: ignore[misc]
    """Begin with the averaged weights of an earlier model instead of random ones.

    The weights are copied in, so that the new checkpoint stands alone when the earlier one is
    moved or removed.

    Args:
        checkpoint: of nequip, of a model of the same architecture.
    """

    def __init__(self, checkpoint: str) -> None:
        self.checkpoint = checkpoint

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Copy the weights, unless this training itself goes on from a checkpoint."""
        if trainer.ckpt_path is not None:
            return
        from nequip.model.saved_models import ModelFromCheckpoint

        state = ModelFromCheckpoint(self.checkpoint, compile_mode="eager").state_dict()
        try:
            pl_module.model.load_state_dict(state, strict=True)
        except RuntimeError as error:
            raise TrainingError(
                f"{self.checkpoint}: weights do not fit the architecture of this training "
                f"({str(error).splitlines()[-1].strip()}); keep the architecture or train from "
                "scratch"
            ) from error
        pl_module.ema.num_updates = 0
        pl_module.ema.update_parameters(pl_module.model)
