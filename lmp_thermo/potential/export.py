"""Export of a checkpoint to the model files that LAMMPS and Python load alike.

TorchScript: ``nequip-compile`` refuses it for torch 2.10 and later, while nequip's own scripting of
the model works there; so nequip's function behind it is called. Compiled ahead of time: see
``compiled.py``. Both set process-wide state (default precision), so they run in a process of their
own.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from lmp_thermo.errors import PotentialError

SUFFIX: Final = ".nequip.pth"
COMPILED_SUFFIX: Final = ".nequip.pt2"


def export_torchscript(checkpoint: Path, out: Path) -> None:
    """Write the averaged model of a checkpoint (or of a nequip package) as TorchScript.

    Args:
        checkpoint: ``.ckpt`` of nequip, or ``.nequip.zip``.
        out: file to write; its name ends in ``.nequip.pth``, by which nequip and the pair style
            know it.

    Raises:
        PotentialError: the name is wrong, the checkpoint is missing or corrupt.
    """
    _export(checkpoint, out, SUFFIX, "cpu", "a checkpoint of nequip; train again")


def export_compiled(checkpoint: Path, out: Path, device: str = "cpu") -> None:
    """Compile the averaged model of a checkpoint (or of a nequip package) ahead of time.

    Args:
        checkpoint: ``.ckpt`` of nequip, or ``.nequip.zip``.
        out: file to write; its name ends in ``.nequip.pt2``. It runs on processors of this
            machine's kind, on one rank and on many.
        device: ``cpu`` or ``cuda``.

    Raises:
        PotentialError: the name is wrong, the checkpoint is missing or corrupt, or it cannot be
            compiled.
    """
    expected = "a checkpoint of nequip, a C++ compiler, and a GPU in this machine for cuda"
    _export(checkpoint, out, COMPILED_SUFFIX, device, expected)


def _export(checkpoint: Path, out: Path, suffix: str, device: str, expected: str) -> None:
    if not out.name.endswith(suffix):
        raise PotentialError(f"{out}: expected a name that ends in {suffix}; rename it")
    if not checkpoint.is_file():
        raise PotentialError(f"{checkpoint}: no such file, expected a checkpoint; train first")
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{os.getpid()}.{out.name}")
    root = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "lmp_thermo.potential.export",
                str(checkpoint.resolve()),
                str(temporary.resolve()),
                device,
            ],
            env={**os.environ, "PYTHONPATH": search_path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            cause = lines[-1] if lines else "no message"
            raise PotentialError(f"{checkpoint}: cannot be exported ({cause}); expected {expected}")
        temporary.replace(out)
    finally:
        temporary.unlink(missing_ok=True)


def _save(checkpoint: str, out: str, device: str) -> None:
    import warnings

    warnings.filterwarnings("ignore")
    from nequip.model.inference_models.torchscript import save_torchscript_model
    from nequip.model.saved_models import load_saved_model
    from nequip.utils.global_state import get_latest_global_state, set_global_state

    set_global_state()
    model = load_saved_model(checkpoint, "eager", "sole_model")
    metadata = dict(model.metadata)
    metadata.update(get_latest_global_state(only_metadata_related=True))
    metadata = {
        key: str(int(value)) if isinstance(value, bool) else value
        for key, value in metadata.items()
    }
    if out.endswith(SUFFIX):
        save_torchscript_model(model, metadata, out, device)
    else:
        from lmp_thermo.potential.compiled import compile_model

        compile_model(model, metadata, device, Path(out))


if __name__ == "__main__":
    try:
        _save(*sys.argv[1:])
    except Exception as error:  # torch's messages go on for pages
        first, *_ = str(error).strip().splitlines() or ["no message"]
        sys.exit(f"{type(error).__name__}: {first}")
