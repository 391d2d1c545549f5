"""An exported potential as an ASE calculator."""

from pathlib import Path
from typing import ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from lmp_thermo.frames import MOLECULE, Frame, Tags
from lmp_thermo.potential.card import MODEL, read_card
from lmp_thermo.potential.evaluate import Evaluator


class PotentialCalculator(Calculator):  # type: ignore[misc]
    """Energy (eV), forces (eV/Å) and, with full periodicity, stress (eV/Å^3) of a potential.

    Args:
        folder: an exported potential, with its card.
        threads: of torch; None leaves them.

    Raises:
        PotentialError: the folder is no exported potential.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "forces", "stress"]

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        super().__init__()
        self.card = read_card(folder)
        self._evaluator = Evaluator(folder / MODEL, threads)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Called by ASE."""
        super().calculate(atoms, properties, system_changes)
        bare = Atoms(
            self.atoms.numbers,
            positions=self.atoms.positions,
            cell=self.atoms.cell,
            pbc=self.atoms.pbc,
        )
        bare.set_array(MOLECULE, np.zeros(len(bare), dtype=int))
        tags = Tags(0.0, 0.0, "ase", 0, 0, 0)
        (prediction,) = self._evaluator.evaluate([Frame(bare, tags)], alone=False)
        self.results = {"energy": prediction.energy, "forces": prediction.forces}
        if prediction.stress is not None:
            self.results["stress"] = prediction.stress
