"""Training in a process of its own, which goes on from its last checkpoint after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lmp_thermo.errors import TrainingError
from lmp_thermo.training import files


@dataclass(frozen=True)
class Progress:
    """One line of ``progress.jsonl``.

    Args:
        update: updates done.
        epoch: epochs done before this one.
        seconds: wall time in updates and validation, over all parts of the training.
        share: share of the limit that is used, 0 to 1.
        learning_rate: of the last update.
        loss: terms of the last update's loss, in the squares of the validation's units.
        validation: RMSE on the validation frames at the last validation: ``energy`` eV/atom,
            ``force`` eV/Å, ``stress`` eV/atom (virial per atom), ``net_force`` eV/Å, ``torque``
            eV, ``molecular_virial`` eV per molecule.
    """

    update: int
    epoch: int
    seconds: float
    share: float
    learning_rate: float
    loss: Mapping[str, float]
    validation: Mapping[str, float]


@dataclass(frozen=True)
class TrainingResult:
    """What a training left.

    Args:
        checkpoint: of the averaged weights.
        progress: all lines, oldest first.
        messages: what a user should know, such as a corrupt checkpoint that was passed over.
    """

    checkpoint: Path
    progress: tuple[Progress, ...]
    messages: tuple[str, ...]

    @property
    def last(self) -> Progress:
        """The last line."""
        return self.progress[-1]


def sees_a_gpu() -> bool:
    """Whether torch can train on a GPU of this machine."""
    import torch

    return bool(torch.cuda.is_available())


def read_progress(folder: Path) -> tuple[Progress, ...]:
    """All whole lines of ``progress.jsonl``; none where there is no file."""
    path = folder / files.PROGRESS
    if not path.exists():
        return ()
    lines = []
    for line in path.read_text().splitlines():
        try:
            lines.append(Progress(**json.loads(line)))
        except (json.JSONDecodeError, TypeError):
            continue  # being written, or cut short by a kill
    return tuple(lines)


def train(
    folder: Path,
    on_progress: Callable[[Progress], None] | None = None,
    poll_seconds: float = 0.2,
    compiled: Path | None = None,
) -> TrainingResult:
    """Carry out the training that `write_configuration` wrote, or go on with it.

    A folder whose training is complete is left as it is. The training process is ended when this
    one ends, however it ends.

    Args:
        folder: with ``config.yaml``.
        on_progress: called for each epoch.
        poll_seconds: wall time between two looks at the process.
        compiled: folder for what torch makes of the model where it is compiled; trainings of one
            architecture that share it compile once. In `folder` by default.

    Raises:
        TrainingError: the training failed; the message names the cause and the log.
    """
    folder = folder.resolve()
    configuration = folder / files.CONFIGURATION
    if not configuration.is_file():
        raise TrainingError(f"{configuration}: no such file; run `lmp-thermo train`")
    settings = _settings(configuration)
    settings["TORCHINDUCTOR_CACHE_DIR"] = str((compiled or folder / files.COMPILED).resolve())
    if not (folder / files.FINAL).is_file():
        _run(folder, settings, on_progress or (lambda _: None), poll_seconds)
    progress = read_progress(folder)
    if not progress:
        raise TrainingError(
            f"{folder / files.PROGRESS}: missing or empty beside {files.FINAL}; remove the folder "
            "and train again"
        )
    return TrainingResult(folder / files.FINAL, progress, _messages(folder))


def _settings(configuration: Path) -> dict[str, str]:
    """Of the process, as variables of its environment; without a GPU where none is asked for."""
    try:
        asked: Any = yaml.safe_load(configuration.read_text())
        threads = str(int(asked["threads"]))
        settings = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        if asked["trainer"]["accelerator"] == "cpu":
            settings["CUDA_VISIBLE_DEVICES"] = ""
        return settings
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{configuration}: cannot be read ({type(error).__name__}); remove the folder and "
            "train again"
        ) from error


def _run(
    folder: Path,
    settings: Mapping[str, str],
    on_progress: Callable[[Progress], None],
    poll_seconds: float,
) -> None:
    failure = folder / files.FAILURE
    failure.unlink(missing_ok=True)
    package_root = str(Path(__file__).resolve().parents[2])
    search_path = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        **settings,
        "PYTHONPATH": os.pathsep.join(search_path),
        "PYTHONUNBUFFERED": "1",
    }
    with (folder / files.LOG).open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lmp_thermo.training.child", str(os.getpid())],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        seen = 0
        try:
            while True:
                code = process.poll()
                lines = read_progress(folder)
                if lines and lines[-1].update < seen:
                    seen = 0  # the process went back to a checkpoint
                for line in lines:
                    if line.update > seen:
                        on_progress(line)
                        seen = line.update
                if code is not None:
                    break
                time.sleep(poll_seconds)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if code != 0 or not (folder / files.FINAL).is_file():
        raise TrainingError(f"training failed: {_cause(folder, code)}; see {folder / files.LOG}")


def _cause(folder: Path, code: int) -> str:
    failure = folder / files.FAILURE
    if failure.is_file():
        return failure.read_text().strip()
    if code < 0:
        name = signal.Signals(-code).name
        hint = " (out of memory?)" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with status {code}"


def _messages(folder: Path) -> tuple[str, ...]:
    log = folder / files.LOG
    if not log.is_file():
        return ()
    return tuple(
        line
        for line in log.read_text(errors="replace").splitlines()
        if "trying an earlier one" in line or line.startswith("going on from")
    )
