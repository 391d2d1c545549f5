"""A calculator of molecules of two atoms whose bond, zero of energy and interaction are known."""

from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

LENGTH_A = 1.1


class Springs(Calculator):  # type: ignore[misc]  # ase has no types
    """Atoms 0 and 1, 2 and 3, ... are bonded; atoms of different molecules repel as exp(-r).

    Args:
        stiffness: of the bond, eV/Å^2.
        zero: by the molecule's first atom, energy of a molecule at rest, eV.
    """

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, stiffness: float, zero: dict[str, float]) -> None:
        super().__init__()
        self.stiffness, self.zero = stiffness, zero

    def calculate(self, atoms: Atoms | None = None, *args: Any, **kwargs: Any) -> None:
        """Pair by pair."""
        super().calculate(atoms, *args, **kwargs)
        assert atoms is not None
        energy, virial = 0.0, np.zeros((3, 3))
        forces = np.zeros((len(atoms), 3))
        for a in range(len(atoms)):
            for b in range(a):
                vector = atoms.positions[a] - atoms.positions[b]
                r = float(np.linalg.norm(vector))
                if a // 2 == b // 2:
                    energy += 0.5 * self.stiffness * (r - LENGTH_A) ** 2
                    energy += self.zero[str(atoms.symbols[b])]
                    force = -self.stiffness * (r - LENGTH_A) * vector / r
                else:
                    energy += np.exp(-r)
                    force = np.exp(-r) * vector / r
                forces[a] += force
                forces[b] -= force
                virial += np.outer(vector, force)
        self.results = {"energy": energy, "forces": forces}
        if atoms.pbc.all():
            tensor = -virial / atoms.get_volume()
            self.results["stress"] = tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
