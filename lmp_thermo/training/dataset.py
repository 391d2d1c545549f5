"""Frames as nequip's training data: molecule index included, neighbour lists made once.

nequip instantiates `FrameDataset` and `frame_loader` by their dotted paths in its configuration.
"""

from collections.abc import Callable, Iterator
from typing import Any

import ase.io
import numpy as np
import torch
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from nequip.data import register_fields
from nequip.data.ase import from_ase
from nequip.data.dataset import AtomicDataset
from torch.utils.data import DataLoader, Dataset, Sampler

from lmp_thermo.frames import MOLECULE

register_fields(node_fields=[MOLECULE], long_fields=[MOLECULE])

Graph = dict[str, torch.Tensor]

VACUUM_A = 20.0
"""Edge that is added around a frame without boundaries, so that its volume is not zero."""


class FrameDataset(AtomicDataset):  # type: ignore[misc]
    """Labelled frames of an extended XYZ file, transformed once and kept in memory.

    A frame without stress gets NaN, which the loss leaves out.

    Args:
        file_path: file written by `lmp_thermo.frames.write_frames`.
        transforms: nequip's transforms; the neighbour list is among them.
    """

    def __init__(self, file_path: str, transforms: list[Callable[[Graph], Graph]]) -> None:
        super().__init__(transforms=[])
        self.graphs: list[Graph] = []
        for atoms in ase.io.iread(file_path, index=":", format="extxyz"):
            graph: Graph = from_ase(_only_what_is_trained_on(atoms), include_keys=[MOLECULE])
            for transform in transforms:
                graph = transform(graph)
            self.graphs.append(graph)

    def __len__(self) -> int:
        return len(self.graphs)

    def _get_data_list(self, indices: list[int] | torch.Tensor | slice) -> list[Graph]:
        if isinstance(indices, slice):
            return self.graphs[indices]
        return [self.graphs[int(index)].copy() for index in indices]


def _only_what_is_trained_on(atoms: Atoms) -> Atoms:
    cell = np.asarray(atoms.cell)
    if not atoms.pbc.any():
        cell = np.diag(np.ptp(atoms.positions, axis=0) + VACUUM_A)
    bare = Atoms(atoms.numbers, positions=atoms.positions, cell=cell, pbc=atoms.pbc)
    bare.set_array(MOLECULE, atoms.arrays[MOLECULE])
    stress = atoms.calc.results.get("stress")
    if stress is None or not atoms.pbc.all():
        stress = np.full(6, np.nan)
    bare.calc = SinglePointCalculator(
        bare,
        energy=atoms.calc.results["energy"],
        forces=atoms.calc.results["forces"],
        stress=np.asarray(stress),
    )
    return bare


class FrameOrder(Sampler[int]):
    """Endless passes over the frames, each in a new order, cut into epochs of equal length.

    The order is a function of seed and epoch alone, so that a training that goes on from a
    checkpoint sees the frames that it would have seen.

    Args:
        n_frames: frames in a pass.
        per_epoch: frames in an epoch.
        seed: of the orders.
    """

    def __init__(self, n_frames: int, per_epoch: int, seed: int) -> None:
        self.n_frames = n_frames
        self.per_epoch = per_epoch
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.per_epoch

    def __iter__(self) -> Iterator[int]:
        first = self.epoch * self.per_epoch
        orders: dict[int, list[int]] = {}
        for place in range(first, first + self.per_epoch):
            turn, index = divmod(place, self.n_frames)
            if turn not in orders:
                generator = np.random.default_rng([self.seed, turn])
                orders = {turn: generator.permutation(self.n_frames).tolist()}
            yield orders[turn][index]


def frame_loader(
    dataset: Dataset[Graph],
    generator: torch.Generator,
    collate_fn: Callable[[list[Graph]], Any],
    *,
    batch_size: int,
    updates_per_epoch: int,
    seed: int,
) -> DataLoader[Graph]:
    """The loader of training frames; nequip gives the first three arguments."""
    n_frames = len(dataset)  # type: ignore[arg-type]
    return DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=FrameOrder(n_frames, batch_size * updates_per_epoch, seed),
        generator=generator,
        collate_fn=collate_fn,
    )
