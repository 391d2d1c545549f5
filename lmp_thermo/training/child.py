"""The process that trains: nequip's own ``nequip-train``, ended with its parent.

Run as ``python -m lmp_thermo.training.child <parent's process id>`` in the folder of a training.
"""

import ctypes
import logging
import os
import signal
import sys
import traceback
import warnings
from pathlib import Path

from lmp_thermo.training import files

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends; leave at once if that has happened."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def usable_checkpoint(folder: Path) -> str | None:
    """Name of the newest checkpoint of this training that can be read; None for a fresh start."""
    import torch

    for name in (files.LAST, files.PREVIOUS):
        path = folder / name
        if not path.exists():
            continue
        try:
            torch.load(path, map_location="cpu", weights_only=False)
        except Exception as error:  # torch raises many kinds on a corrupt file
            print(
                f"{path}: cannot be read ({type(error).__name__}); trying an earlier one",
                flush=True,
            )
            continue
        return name
    return None


def main() -> int:
    """Train; on failure write its cause, in one line, to ``failure.txt``."""
    die_with_parent(int(sys.argv[1]))
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    folder = Path.cwd()
    try:
        checkpoint = usable_checkpoint(folder)
        sys.argv = [
            "nequip-train",
            "--config-path",
            str(folder),
            "--config-name",
            files.CONFIGURATION.removesuffix(".yaml"),
            "hydra.run.dir=.",
            "hydra.output_subdir=null",
            "hydra.job.chdir=false",
            "hydra/job_logging=stdout",
        ]
        if checkpoint is not None:
            print(f"going on from {checkpoint}", flush=True)
            sys.argv.append(f"++ckpt_path={checkpoint}")
        import torch
        from nequip.scripts.train import main as nequip_train

        torch.set_num_interop_threads(1)
        os.environ["HYDRA_FULL_ERROR"] = "1"
        nequip_train()
    except BaseException as error:
        traceback.print_exc()
        text = " ".join(str(_root(error)).split()) or "no message"
        (folder / files.FAILURE).write_text(f"{type(_root(error)).__name__}: {text}\n")
        return 1
    return 0


def _root(error: BaseException) -> BaseException:
    while (cause := error.__cause__) is not None:
        error = cause
    return error


if __name__ == "__main__":
    sys.exit(main())
