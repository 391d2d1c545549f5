"""What nequip itself says: its ASE calculator, in LAMMPS's conventions."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from tests.plugin.models import deprecated_torchscript

# LAMMPS metal: 1 eV/Å^3 in bar (force->nktv2p; ASE's constant differs in the eighth digit)
EV_PER_A3_IN_BAR = 1.6021765e6


@dataclass(frozen=True)
class Reference:
    """Energy eV, forces eV/Å, pressure bar (xx yy zz xy xz yz, virial part), energies eV."""

    energy: float
    forces: np.ndarray
    pressure: np.ndarray
    energies: np.ndarray


@cache
def calculator_of(model: Path) -> Any:
    """Return nequip's calculator for a compiled model, loaded once."""
    with deprecated_torchscript():
        from nequip.integrations.ase import NequIPCalculator

        return NequIPCalculator.from_compiled_model(
            str(model), device="cpu", chemical_species_to_atom_type_map={"C": "C", "H": "H"}
        )


def nequip_reference(model: Path, atoms: Atoms) -> Reference:
    """Evaluate `atoms` with nequip's own calculator.

    The pressure of a non-periodic system is left as NaN.
    """
    copy = atoms.copy()
    copy.calc = calculator_of(model)
    energy = float(copy.get_potential_energy())
    pressure = np.full(6, np.nan)
    if atoms.pbc.all():
        # ASE's stress: positive under tension, Voigt order xx yy zz yz xz xy
        stress = copy.get_stress(voigt=False)
        pressure = -EV_PER_A3_IN_BAR * stress[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    return Reference(energy, copy.get_forces(), pressure, copy.get_potential_energies())
