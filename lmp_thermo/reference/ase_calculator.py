"""A reference that is any ASE calculator."""

import importlib
import importlib.metadata
from functools import cached_property
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError

from lmp_thermo.errors import LabelError, StudyError
from lmp_thermo.reference.base import AloneCalculator, AloneLabel, Label


class AseReference:
    """Labels from an ASE calculator.

    Args:
        name: the reference's name, its fidelity.
        path: dotted path of the calculator's class, or of a function that returns a calculator.
        arguments: its keyword arguments.
        alone_box_A: edge of the periodic box in which a molecule alone is put; None for open
            space. The box of a wide cluster is wider: its images stay half of that apart.
    """

    def __init__(
        self,
        name: str,
        path: str,
        arguments: dict[str, Any],
        alone_box_A: float | None = None,
    ) -> None:
        self.name = name
        self._path = path
        self._arguments = arguments
        self._alone_box_A = alone_box_A

    molecules_only: tuple[tuple[str, ...], ...] = ()

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Dotted path, arguments, and version of the package that provides the calculator."""
        root = self._path.split(".", 1)[0]
        names = importlib.metadata.packages_distributions().get(root, [])
        versions = {name: importlib.metadata.version(name) for name in sorted(set(names))}
        identity: dict[str, Any] = {
            "ase": self._path,
            "arguments": self._arguments,
            "versions": versions,
        }
        if self._alone_box_A is not None:
            identity["alone_box_A"] = self._alone_box_A
        return identity

    @cached_property
    def calculator(self) -> Calculator:
        """For molecules in open space, or in the box that stands for it.

        Raises:
            StudyError: see `_own`.
        """
        own = self._own
        return own if self._alone_box_A is None else AloneCalculator(self)

    @cached_property
    def _own(self) -> Calculator:
        """The calculator, made at first use.

        Raises:
            StudyError: it cannot be imported or refuses its arguments.
        """
        module_name, _, attribute = self._path.rpartition(".")
        try:
            factory = getattr(importlib.import_module(module_name), attribute)
        except (ImportError, AttributeError) as error:
            raise StudyError(
                f"reference.ase.calculator = {self._path}: cannot be imported ({error}); expected "
                "the dotted path of an ASE calculator; install its package or mend the path"
            ) from error
        try:
            return factory(**self._arguments)
        except Exception as error:
            raise StudyError(
                f"reference.ase.arguments = {self._arguments}: refused by {self._path} "
                f"({type(error).__name__}: {_one_line(error)})"
            ) from error

    def label(self, atoms: Atoms) -> Label:
        """See `Reference.label`."""
        box = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
        energy, forces = self._energy_and_forces(box)
        try:
            stress = np.array(box.get_stress(voigt=True), dtype=float)
        except (PropertyNotImplementedError, NotImplementedError):
            stress = None
        except Exception as error:
            raise LabelError(f"stress: {type(error).__name__}: {_one_line(error)}") from error
        if stress is not None and not np.isfinite(stress).all():
            raise LabelError("stress that is not a number")
        return Label(energy, forces, stress)

    def label_alone(self, atoms: Atoms) -> AloneLabel:
        """See `Reference.label_alone`."""
        molecule = Atoms(numbers=atoms.numbers, positions=atoms.positions, pbc=False)
        if self._alone_box_A is not None:
            wide = float(np.ptp(molecule.positions, axis=0).max()) + self._alone_box_A / 2
            molecule.set_cell([max(self._alone_box_A, wide)] * 3)  # a cluster may be wide
            molecule.set_pbc(True)
        return AloneLabel(*self._energy_and_forces(molecule))

    def _energy_and_forces(self, atoms: Atoms) -> tuple[float, np.ndarray]:
        calculator = self._own
        calculator.reset()  # a label must not depend on the frame that was labelled before
        atoms.calc = calculator
        try:
            energy = float(atoms.get_potential_energy())
            forces = np.array(atoms.get_forces(), dtype=float)
        except Exception as error:
            raise LabelError(f"{type(error).__name__}: {_one_line(error)}") from error
        if not np.isfinite(energy) or not np.isfinite(forces).all():
            raise LabelError("energy or forces that are not numbers")
        return energy, forces


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
