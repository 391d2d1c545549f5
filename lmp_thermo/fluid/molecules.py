"""The molecules of a fluid and the composition of a box."""

from dataclasses import dataclass
from pathlib import Path

import ase.build
import ase.io
import numpy as np
from ase import Atoms
from ase.data import chemical_symbols, covalent_radii, vdw_radii
from numpy.typing import NDArray

from lmp_thermo.errors import StudyError
from lmp_thermo.sections import Molecule
from lmp_thermo.study import StudyFile

BOND_FACTOR = 1.25
"""Atoms closer than this times the sum of their covalent radii are bonded."""


@dataclass(frozen=True)
class Composition:
    """Molecules of one box, one after another.

    Args:
        kinds: (n_kinds) geometry of each kind, centred on its centre of mass.
        counts: (n_kinds) how many of each.
    """

    kinds: tuple[Atoms, ...]
    counts: tuple[int, ...]

    @property
    def molecule_sizes(self) -> list[int]:
        """Number of atoms of each molecule of the box."""
        return [
            len(kind)
            for kind, count in zip(self.kinds, self.counts, strict=True)
            for _ in range(count)
        ]

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(n_atoms,) atomic numbers of the box."""
        pairs = zip(self.kinds, self.counts, strict=True)
        return np.concatenate([np.tile(kind.numbers, count) for kind, count in pairs])

    @property
    def mass_g_mol(self) -> float:
        """Mass of the box."""
        masses = [float(kind.get_masses().sum()) for kind in self.kinds]
        return float(np.dot(masses, self.counts))

    @property
    def atomic(self) -> bool:
        """True where every molecule is a single atom."""
        return all(len(kind) == 1 for kind in self.kinds)


def load_molecule(molecule: Molecule, folder: Path) -> Atoms:
    """Geometry of a molecule of the study, centred on its centre of mass.

    Args:
        molecule: its section in the study file.
        folder: where the study file is; geometry files are looked for there.

    Raises:
        StudyError: ASE does not know the formula, or the file cannot be read.
    """
    if molecule.geometry is not None:
        path = (folder / molecule.geometry).resolve()
        if folder.resolve() not in path.parents:
            raise StudyError(
                f"fluid.molecules.{molecule.name}.geometry = {molecule.geometry}: expected a file "
                f"below {folder}; move it there"
            )
        try:
            atoms = ase.io.read(path, format="xyz")
        except Exception as error:
            raise StudyError(
                f"fluid.molecules.{molecule.name}.geometry = {molecule.geometry}: no readable XYZ "
                f"file ({error})"
            ) from None
        if not isinstance(atoms, Atoms):
            raise StudyError(f"{path}: expected one molecule")
    elif molecule.formula in chemical_symbols[1:]:
        atoms = Atoms(molecule.formula)
    else:
        try:
            atoms = ase.build.molecule(molecule.formula)
        except KeyError:
            raise StudyError(
                f"fluid.molecules.{molecule.name}.formula = {molecule.formula}: not a molecule "
                "that ASE knows; give an XYZ file as geometry"
            ) from None
    atoms.positions -= atoms.get_center_of_mass()
    return Atoms(numbers=atoms.numbers, positions=atoms.positions)


def compose(study: StudyFile, folder: Path, n_molecules: int) -> Composition:
    """A box of `n_molecules` in the fluid's proportions.

    Raises:
        StudyError: the number is no multiple of the sum of the proportions.
    """
    proportions = [molecule.proportion for molecule in study.fluid.molecules]
    unit = sum(proportions)
    if n_molecules % unit:
        raise StudyError(
            f"molecules = {n_molecules}: expected a multiple of {unit}, the sum of the fluid's "
            "proportions"
        )
    kinds = tuple(load_molecule(molecule, folder) for molecule in study.fluid.molecules)
    return Composition(kinds, tuple(p * n_molecules // unit for p in proportions))


def species_of(kinds: tuple[Atoms, ...]) -> tuple[str, ...]:
    """Chemical symbols of the fluid, in the order in which they first appear."""
    return tuple(dict.fromkeys(symbol for kind in kinds for symbol in kind.symbols))


def bonds_of(kind: Atoms) -> list[tuple[int, int, float]]:
    """Bonded pairs of a molecule: indices and length in Å, by covalent radii."""
    radii = covalent_radii[kind.numbers]
    distances = kind.get_all_distances()
    return [
        (i, j, float(distances[i, j]))
        for i in range(len(kind))
        for j in range(i + 1, len(kind))
        if distances[i, j] < BOND_FACTOR * (radii[i] + radii[j])
    ]


def van_der_waals_volume(kind: Atoms) -> float:
    """Volume in Å^3 of the union of the atoms' van der Waals spheres, by a grid of points."""
    radii = vdw_radii[kind.numbers]
    radii = np.where(np.isfinite(radii), radii, 1.3 * covalent_radii[kind.numbers] + 0.8)
    low, high = (kind.positions - radii[:, None]).min(0), (kind.positions + radii[:, None]).max(0)
    step = 0.2
    axes = [np.arange(a, b, step) + step / 2 for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = np.zeros(len(points), dtype=bool)
    for position, radius in zip(kind.positions, radii, strict=True):
        inside |= ((points - position) ** 2).sum(1) < radius**2
    return float(inside.sum() * step**3)
