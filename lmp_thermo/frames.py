"""Frames: configurations with their tags, and the labels that a reference gave them.

On disk a frame is an entry of an extended XYZ file. Energy (eV), forces (eV/Å) and stress
(eV/Å^3, ASE's sign) stand under ASE's standard names; beside them stand the atoms' molecules
and what the reference says of each molecule alone, from which the intermolecular part follows.
"""

import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from numpy.typing import NDArray

from lmp_thermo.errors import FrameError
from lmp_thermo.products import hash_of, write_text
from lmp_thermo.states import StatePoint

MOLECULE = "molecule"
"""Per-atom array: index of the atom's molecule, 0, 0, ..., 1, 1, ...; contiguous."""

ALONE_ENERGY = "alone_energy"
"""Tag: sum of the reference's energies of the frame's molecules, each alone in space (eV)."""

ALONE_FORCES = "alone_forces"
"""Per-atom array: the reference's forces on each molecule alone in space (eV/Å)."""


@dataclass(frozen=True)
class Tags:
    """Where a frame comes from."""

    density_g_cm3: float
    temperature_K: float
    origin: str
    """``packed``, ``reference-md``, ``model-md``, ``molecule``, ``cluster``, ``crystal``, or
    ``atom``."""
    round: int
    seed: int
    index: int
    """Place of the frame among those of its state point and round."""
    fidelity: str = ""
    """Name of the reference that labelled it; empty for a frame without labels."""

    @property
    def state(self) -> StatePoint:
        """The state point."""
        return StatePoint(self.density_g_cm3, self.temperature_K)


@dataclass(frozen=True)
class Frame:
    """One configuration.

    Args:
        atoms: whole molecules one after another, molecule index in ``arrays["molecule"]``;
            labels, where there are any, in a `SinglePointCalculator`.
        tags: origin of the frame.
    """

    atoms: Atoms
    tags: Tags

    @property
    def molecule(self) -> NDArray[np.int64]:
        """(n_atoms,) molecule index of each atom."""
        return np.asarray(self.atoms.arrays[MOLECULE], dtype=np.int64)

    @property
    def n_molecules(self) -> int:
        """Number of molecules."""
        return int(self.molecule.max()) + 1

    @property
    def energy(self) -> float:
        """Labelled energy, eV."""
        return float(self._label("energy"))

    @property
    def forces(self) -> NDArray[np.float64]:
        """(n_atoms, 3) labelled forces, eV/Å."""
        return np.asarray(self._label("forces"), dtype=float)

    @property
    def stress(self) -> NDArray[np.float64] | None:
        """(6,) labelled stress in ASE's Voigt order, eV/Å^3; None where not labelled."""
        calculator = self.atoms.calc
        if calculator is None or calculator.results.get("stress") is None:
            return None
        return np.asarray(calculator.results["stress"], dtype=float)

    @property
    def alone_energy(self) -> float:
        """Labelled energy of the molecules, each alone, eV."""
        return float(self.atoms.info[ALONE_ENERGY])

    @property
    def alone_forces(self) -> NDArray[np.float64]:
        """(n_atoms, 3) labelled forces of the molecules, each alone, eV/Å."""
        return np.asarray(self.atoms.arrays[ALONE_FORCES], dtype=float)

    @property
    def geometry_hash(self) -> str:
        """Hash of species, positions, cell, boundaries and molecules; not of tags or labels."""
        return hash_of(
            [
                self.atoms.numbers.tolist(),
                np.round(self.atoms.positions, 8).tolist(),
                np.round(np.asarray(self.atoms.cell), 10).tolist(),
                self.atoms.pbc.tolist(),
                self.molecule.tolist(),
            ]
        )

    def _label(self, name: str) -> Any:
        calculator = self.atoms.calc
        if calculator is None or calculator.results.get(name) is None:
            raise FrameError(
                f"frame {self.tags}: got no {name}, expected a label; run `lmp-thermo label` first"
            )
        return calculator.results[name]

    def labelled(
        self,
        fidelity: str,
        energy: float,
        forces: NDArray[np.float64],
        stress: NDArray[np.float64] | None,
        alone_energy: float,
        alone_forces: NDArray[np.float64],
    ) -> "Frame":
        """A copy with labels from the reference called `fidelity`; shapes as the properties."""
        atoms = self.atoms.copy()
        results: dict[str, Any] = {"energy": float(energy), "forces": np.array(forces, dtype=float)}
        if stress is not None:
            results["stress"] = np.array(stress, dtype=float)
        atoms.calc = SinglePointCalculator(atoms, **results)
        atoms.info[ALONE_ENERGY] = float(alone_energy)
        atoms.set_array(ALONE_FORCES, np.array(alone_forces, dtype=float))
        return Frame(atoms, replace(self.tags, fidelity=fidelity))


def write_frames(path: Path, frames: Iterable[Frame]) -> None:
    """Write frames to an extended XYZ file, atomically; the same frames give the same bytes."""
    stream = io.StringIO()
    for frame in frames:
        atoms = frame.atoms.copy()
        atoms.calc = frame.atoms.calc
        atoms.info = {
            **asdict(frame.tags),
            **({ALONE_ENERGY: atoms.info[ALONE_ENERGY]} if ALONE_ENERGY in atoms.info else {}),
        }
        kept = ("numbers", "positions", MOLECULE, ALONE_FORCES)
        for name in [n for n in atoms.arrays if n not in kept]:
            del atoms.arrays[name]
        ase.io.write(stream, atoms, format="extxyz", write_results=True)
    write_text(path, stream.getvalue())


def read_frames(path: Path) -> list[Frame]:
    """Read a file written by `write_frames`.

    Raises:
        FrameError: the file is missing, is no extended XYZ file, or a frame lacks its tags.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # ase warns of what it cannot make sense of
            warnings.simplefilter("ignore", DeprecationWarning)  # and newer libraries of ase
            images = ase.io.read(path, index=":", format="extxyz")
    except Exception as error:  # ase raises many kinds on a corrupt file
        raise FrameError(
            f"{path}: cannot be read as frames ({type(error).__name__}: {error}); "
            "remove it and run the same command again"
        ) from error
    return [_from_atoms(path, number, atoms) for number, atoms in enumerate(_as_list(images))]


def _as_list(images: Atoms | list[Atoms]) -> list[Atoms]:
    return [images] if isinstance(images, Atoms) else images


def _from_atoms(path: Path, number: int, atoms: Atoms) -> Frame:
    info = dict(atoms.info)
    try:
        tags = Tags(
            density_g_cm3=float(info["density_g_cm3"]),
            temperature_K=float(info["temperature_K"]),
            origin=str(info["origin"]),
            round=int(info["round"]),
            seed=int(info["seed"]),
            index=int(info["index"]),
            fidelity=str(info.get("fidelity") or ""),
        )
        molecule = atoms.arrays[MOLECULE]
    except KeyError as error:
        raise FrameError(
            f"{path}: frame {number} has no {error}; expected tags and a molecule index for each "
            "atom; make the file again with `lmp-thermo sample`"
        ) from error
    steps = np.diff(molecule)
    if len(molecule) == 0 or molecule[0] != 0 or not np.isin(steps, (0, 1)).all():
        raise FrameError(
            f"{path}: frame {number} has molecules that are not contiguous; expected molecule "
            "indices 0, 0, ..., 1, 1, ...; order the atoms by molecule"
        )
    if not np.isfinite(atoms.positions).all() or not np.isfinite(np.asarray(atoms.cell)).all():
        raise FrameError(f"{path}: frame {number} has a position or cell that is not a number")
    return Frame(atoms, tags)


def molecule_index(sizes: Sequence[int]) -> NDArray[np.int64]:
    """(n_atoms,) molecule index for molecules of the given sizes, one after another."""
    return np.repeat(np.arange(len(sizes)), sizes)


def sum_by_molecule(
    molecule: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sum a per-atom quantity over each molecule.

    Args:
        molecule: (n_atoms,) molecule index.
        values: (n_atoms, ...)

    Returns:
        (n_molecules, ...)
    """
    total = np.zeros((int(molecule.max()) + 1, *values.shape[1:]))
    np.add.at(total, molecule, values)
    return total
