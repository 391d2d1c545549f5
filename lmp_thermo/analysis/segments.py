"""Files of a run in segments: ``log.0.lammps``, ``log.1.lammps``, ...

A run that was killed goes on from its last restart, so the end of one segment and the start
of the next overlap; what the later segment says holds.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def segment_files(folder: Path, stem: str, suffix: str) -> list[Path]:
    """Files ``<stem>.<number>.<suffix>`` of a folder in the order of their numbers."""
    numbered = []
    for path in folder.glob(f"{stem}.*.{suffix}"):
        number = path.name[len(stem) + 1 : -len(suffix) - 1]
        if number.isdecimal():
            numbered.append((int(number), path))
    return [path for _, path in sorted(numbered)]


def not_superseded(pieces: Sequence[NDArray[np.int64]]) -> list[NDArray[np.bool_]]:
    """Which steps of each piece no later piece covers again.

    Args:
        pieces: increasing step numbers of each piece, in the order they were run.

    Returns:
        For each piece a mask: steps below the first step of every later piece.
    """
    masks: list[NDArray[np.bool_]] = []
    limit = np.iinfo(np.int64).max
    for steps in reversed(pieces):
        masks.append(steps < limit)
        if len(steps):
            limit = min(limit, int(steps[0]))
    return masks[::-1]
