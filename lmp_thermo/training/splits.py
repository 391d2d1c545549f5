"""Splits: which frames train and which only judge, as index files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lmp_thermo.errors import TrainingError
from lmp_thermo.frames import Frame
from lmp_thermo.products import read_json, write_json


@dataclass(frozen=True)
class Split:
    """Disjoint parts of a pool of frames that cover it.

    Args:
        parts: sorted indices into the pool, by the part's name.
        pool: number of frames in the pool.
        origin: how it was made.
    """

    parts: Mapping[str, tuple[int, ...]]
    pool: int
    origin: str

    def __post_init__(self) -> None:
        every = [index for part in self.parts.values() for index in part]
        if sorted(every) != list(range(self.pool)):
            raise TrainingError(
                f"split {self.origin}: {len(every)} indices in {len(self.parts)} parts do not "
                f"cover each of {self.pool} frames once; make the split again"
            )

    def frames(self, part: str, pool: Sequence[Frame]) -> list[Frame]:
        """Frames of a part.

        Raises:
            TrainingError: there is no such part, or the pool is not the one that was split.
        """
        if part not in self.parts or len(pool) != self.pool:
            raise TrainingError(
                f"split {self.origin}: asked for part {part} of {len(pool)} frames, expected one "
                f"of {', '.join(self.parts)} of {self.pool} frames; make the split again"
            )
        return [pool[index] for index in self.parts[part]]

    @classmethod
    def by_state(
        cls, frames: Sequence[Frame], held_out_per_state: int, seed: int, held_out: str = "held_out"
    ) -> "Split":
        """Random split with the same number of held-out frames at each state point.

        The random numbers of a state point do not depend on the other state points, so that a
        cell that is added leaves the split of the others alone.

        Args:
            frames: the pool.
            held_out_per_state: frames held out at each state point.
            seed: of the study.
            held_out: name of that part; the other is ``training``.

        Raises:
            TrainingError: a state point has no frame left to train on.
        """
        by_state: dict[str, list[int]] = {}
        for index, frame in enumerate(frames):
            by_state.setdefault(frame.tags.state.name, []).append(index)
        chosen: list[int] = []
        for name, indices in by_state.items():
            if len(indices) <= held_out_per_state:
                raise TrainingError(
                    f"split: {len(indices)} frames at {name}, expected more than the "
                    f"{held_out_per_state} to hold out; label more frames or hold out fewer"
                )
            generator = np.random.default_rng([seed, *name.encode()])
            chosen += generator.permutation(indices)[:held_out_per_state].tolist()
        rest = sorted(set(range(len(frames))) - set(chosen))
        return cls(
            {"training": tuple(rest), held_out: tuple(sorted(chosen))},
            len(frames),
            f"random by state point, seed {seed}",
        )

    def write(self, path: Path) -> None:
        """Write as JSON."""
        write_json(
            path,
            {
                "origin": self.origin,
                "pool": self.pool,
                "parts": {name: list(part) for name, part in self.parts.items()},
            },
        )

    @classmethod
    def read(cls, path: Path) -> "Split":
        """Read what `write` wrote.

        Raises:
            TrainingError: the file is no split.
        """
        data = read_json(path)
        try:
            parts = {str(n): tuple(int(i) for i in part) for n, part in data["parts"].items()}
            pool, origin = int(data["pool"]), str(data["origin"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TrainingError(f"{path}: no split ({error}); remove it and run again") from error
        return cls(parts, pool, origin)
