"""A teacher that does not know everything: Lennard-Jones argon, but no wide periodic boxes."""

from typing import Any

from ase import Atoms
from ase.calculators.lj import LennardJones

WIDEST_A = 20.0
"""Edge of a box above which it fails: the miniature's gas cells."""


class NoGas(LennardJones):  # type: ignore[misc]  # ase has no types
    """Refuses periodic boxes that are wider than `WIDEST_A`."""

    def calculate(self, atoms: Atoms | None = None, *args: Any, **kwargs: Any) -> None:
        """As the calculator that it is made from."""
        if atoms is not None and atoms.pbc.any() and atoms.cell.lengths().max() > WIDEST_A:
            raise ValueError("no gas, please")
        super().calculate(atoms, *args, **kwargs)
