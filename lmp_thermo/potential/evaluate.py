"""Predictions of an exported potential for frames, and for their molecules alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from ase import Atoms
from matscipy.neighbours import neighbour_list
from numpy.typing import NDArray

from lmp_thermo.errors import PotentialError
from lmp_thermo.frames import Frame

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """What a potential says of a frame.

    Args:
        energy: eV.
        forces: (n_atoms, 3), eV/Å.
        stress: (6,), ASE's Voigt order and sign, eV/Å^3; None without full periodicity.
        alone_energy: sum of the energies of the molecules, each alone in space, eV.
        alone_forces: (n_atoms, 3), forces on each molecule alone, eV/Å.
    """

    energy: float
    forces: Array
    stress: Array | None
    alone_energy: float
    alone_forces: Array


@dataclass(frozen=True)
class _Graph:
    """Atoms and edges of one or more frames in the arrays that nequip's models take."""

    positions: Array
    types: NDArray[np.int64]
    edges: NDArray[np.int64]
    shifts: Array
    cells: Array
    sizes: NDArray[np.int64]


class Evaluator:
    """An exported potential, loaded once.

    Args:
        model: TorchScript file (``.nequip.pth``).
        threads: of torch, for the whole process; None leaves them.

    Raises:
        PotentialError: the file is missing or no exported potential.
    """

    def __init__(self, model: Path, threads: int | None = None) -> None:
        import torch
        from nequip.model.inference_models.torchscript import load_torchscript_model

        if not model.is_file():
            raise PotentialError(f"{model}: no such file, expected an exported potential; export")
        if threads is not None:
            torch.set_num_threads(threads)
        try:
            # nequip's loader leaves the precision out of what it returns
            written = {"model_dtype": ""}
            torch.jit.load(str(model), map_location="cpu", _extra_files=written)  # type: ignore[no-untyped-call]
            self._module, metadata = load_torchscript_model(str(model), "cpu")
        except Exception as error:  # torch and nequip raise many kinds on a foreign file
            first = " ".join(str(error).split())[:200]
            raise PotentialError(
                f"{model}: cannot be loaded ({type(error).__name__}: {first}); expected a file "
                "written by `lmp-thermo potential export`; export again"
            ) from error
        self.r_max_A = float(metadata["r_max"])
        self.species: tuple[str, ...] = tuple(metadata["type_names"])
        # edges beyond a pair's own cutoff contribute nothing: leaving them out saves their cost
        by_pair = metadata.get("per_edge_type_cutoff") or {}
        self._cutoffs = np.array(
            [[by_pair.get(a, {}).get(b, self.r_max_A) for b in self.species] for a in self.species]
        )
        self.dtype: Literal["float32", "float64"] = (
            "float64" if "64" in str(written["model_dtype"]) else "float32"
        )

    def evaluate(
        self, frames: Iterable[Frame], alone: bool = True, batch_atoms: int = 400
    ) -> Iterator[Prediction]:
        """Predictions in the order of the frames.

        Args:
            frames: labelled or not.
            alone: whether molecules alone are evaluated too; else their fields are NaN.
            batch_atoms: frames are joined into one call until they hold so many atoms.
        """
        for batch in _batches(frames, batch_atoms):
            graphs = [self._graph(frame.atoms) for frame in batch]
            whole = self._call(_joined(graphs))
            single = self._call(_joined([self._alone_graph(f) for f in batch])) if alone else None
            first = 0
            for number, frame in enumerate(batch):
                last = first + len(frame.atoms)
                energy, forces, stress = whole
                n_atoms = len(frame.atoms)
                yield Prediction(
                    energy=float(energy[number]),
                    forces=forces[first:last],
                    stress=_voigt(stress[number]) if frame.atoms.pbc.all() else None,
                    alone_energy=float(single[0][number]) if single else float("nan"),
                    alone_forces=single[1][first:last] if single else np.full((n_atoms, 3), np.nan),
                )
                first = last

    def _types(self, atoms: Atoms) -> NDArray[np.int64]:
        symbols = atoms.get_chemical_symbols()
        try:
            return np.array([self.species.index(symbol) for symbol in symbols], dtype=np.int64)
        except ValueError:
            unknown = next(symbol for symbol in symbols if symbol not in self.species)
            raise PotentialError(
                f"frame with {unknown}: the potential knows {', '.join(self.species)} only; "
                "train one that knows it"
            ) from None

    def _graph(self, atoms: Atoms) -> _Graph:
        types = self._types(atoms)
        i, j, shift, distance = neighbour_list(
            "ijSd",
            positions=atoms.positions,
            cell=np.asarray(atoms.cell.complete()),  # a frame in open space has none
            pbc=atoms.pbc,
            cutoff=self.r_max_A,
        )
        near = distance < self._cutoffs[types[i], types[j]]
        i, j, shift = i[near], j[near], shift[near]
        cell = np.asarray(atoms.cell, dtype=float)
        if not atoms.pbc.any():
            cell = np.diag(np.ptp(atoms.positions, axis=0) + 2 * self.r_max_A)
            shift = np.zeros_like(shift)
        return _Graph(
            atoms.positions,
            types,
            np.stack([i, j]).astype(np.int64),
            shift.astype(float),
            cell[None],
            np.array([len(atoms)]),
        )

    def _alone_graph(self, frame: Frame) -> _Graph:
        # molecules are whole and contiguous, so that their edges need neither cell nor search
        molecule = frame.molecule
        same = molecule[:, None] == molecule[None, :]
        np.fill_diagonal(same, False)
        i, j = np.nonzero(same)
        vector = frame.atoms.positions[j] - frame.atoms.positions[i]
        types = self._types(frame.atoms)
        near = (vector**2).sum(axis=1) < self._cutoffs[types[i], types[j]] ** 2
        i, j = i[near], j[near]
        return _Graph(
            frame.atoms.positions,
            types,
            np.stack([i, j]).astype(np.int64),
            np.zeros((len(i), 3)),
            np.eye(3)[None] * 1000.0,
            np.array([len(frame.atoms)]),
        )

    def _call(self, graph: _Graph) -> tuple[Array, Array, Array]:
        n_frames = len(graph.sizes)
        out = self._module(_tensors(graph))
        energy = out["total_energy"].detach().numpy().reshape(n_frames).astype(float)
        forces = out["forces"].detach().numpy().astype(float)
        stress = out["stress"].detach().numpy().reshape(n_frames, 3, 3).astype(float)
        if not (np.isfinite(energy).all() and np.isfinite(forces).all()):
            raise PotentialError(
                "the potential gave energies or forces that are not finite; look at the frames "
                "for atoms on top of each other"
            )
        return energy, forces, stress


def _tensors(graph: _Graph) -> "dict[str, torch.Tensor]":
    import torch

    return {
        "pos": torch.from_numpy(np.ascontiguousarray(graph.positions)),
        "atom_types": torch.from_numpy(graph.types),
        "edge_index": torch.from_numpy(graph.edges),
        "edge_cell_shift": torch.from_numpy(graph.shifts),
        "cell": torch.from_numpy(graph.cells),
        "batch": torch.from_numpy(np.repeat(np.arange(len(graph.sizes)), graph.sizes)),
        "num_atoms": torch.from_numpy(graph.sizes),
    }


def _batches(frames: Iterable[Frame], batch_atoms: int) -> Iterator[list[Frame]]:
    batch: list[Frame] = []
    size = 0
    for frame in frames:
        if batch and size + len(frame.atoms) > batch_atoms:
            yield batch
            batch, size = [], 0
        batch.append(frame)
        size += len(frame.atoms)
    if batch:
        yield batch


def _joined(graphs: Sequence[_Graph]) -> _Graph:
    sizes = np.concatenate([g.sizes for g in graphs])
    first = np.concatenate([[0], np.cumsum([len(g.positions) for g in graphs])[:-1]])
    return _Graph(
        np.concatenate([g.positions for g in graphs]),
        np.concatenate([g.types for g in graphs]),
        np.concatenate([g.edges + n for g, n in zip(graphs, first, strict=True)], axis=1),
        np.concatenate([g.shifts for g in graphs]),
        np.concatenate([g.cells for g in graphs]),
        sizes,
    )


def _voigt(tensor: Array) -> Array:
    t = 0.5 * (tensor + tensor.T)
    return np.array([t[0, 0], t[1, 1], t[2, 2], t[1, 2], t[0, 2], t[0, 1]])
