"""What a reference is to the rest of the package."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lmp_thermo.sections import Reference as ReferenceSection


@dataclass(frozen=True)
class Label:
    """What a reference says of a periodic box.

    Args:
        energy: eV.
        forces: (n_atoms, 3), eV/Å.
        stress: (6,) ASE's Voigt order and sign, eV/Å^3; None where the reference gives none.
    """

    energy: float
    forces: NDArray[np.float64]
    stress: NDArray[np.float64] | None


@dataclass(frozen=True)
class AloneLabel:
    """What a reference says of a molecule or cluster alone in space: eV and (n_atoms, 3) eV/Å."""

    energy: float
    forces: NDArray[np.float64]


class Reference(Protocol):
    """A source of labels."""

    name: str

    @property
    def identity(self) -> dict[str, Any]:
        """All that the labels depend on: definition and versions."""

    @property
    def calculator(self) -> Calculator:
        """The reference as an ASE calculator for molecules in open space."""

    @property
    def molecules_only(self) -> tuple[tuple[str, ...], ...]:
        """Symbols of the molecules that it knows; empty where it knows single atoms as well."""

    def label(self, atoms: Atoms) -> Label:
        """Label a periodic box.

        Raises:
            LabelError: the reference failed or did not converge.
        """

    def label_alone(self, atoms: Atoms) -> AloneLabel:
        """Label a whole molecule, or a cluster of them, in open space.

        Raises:
            LabelError: the reference failed or did not converge.
        """


class AloneCalculator(Calculator):  # type: ignore[misc]  # ase has no types
    """A reference as an ASE calculator for molecules in open space: energy and forces."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def __init__(self, reference: Reference) -> None:
        super().__init__()
        self._reference = reference

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """As ASE asks for it."""
        super().calculate(atoms, properties, system_changes)
        label = self._reference.label_alone(self.atoms)
        self.results = {"energy": label.energy, "forces": label.forces}


def build_reference(section: "ReferenceSection", species: tuple[str, ...]) -> Reference:
    """The reference that a study names.

    Args:
        section: ``reference`` of the study; files of a force field by paths that lead there.
        species: chemical symbols in the order of LAMMPS's atom types.

    Raises:
        StudyError: the calculator cannot be imported or refuses its arguments.
    """
    if section.ase is not None:
        from lmp_thermo.reference.ase_calculator import AseReference

        return AseReference(
            section.name, section.ase.calculator, section.ase.arguments, section.ase.alone_box_A
        )
    assert section.lammps is not None  # the schema has made sure
    from lmp_thermo.reference.lammps_force_field import LammpsReference

    return LammpsReference(
        section.name,
        tuple(section.lammps.pair_commands),
        section.lammps.cutoff_A,
        species,
        tuple(Path(name) for name in section.lammps.files),
        tuple(section.lammps.bonded_commands),
        tuple(Path(name) for name in section.lammps.molecules),
    )
