"""Compare a LAMMPS run with a reference, output by output, and note how far they are apart.

What is noted goes with the test into the report of the run, for matrix.py.
"""

import numpy as np
from ase import Atoms

from tests.plugin.lammps_run import LammpsResult
from tests.plugin.reference import Reference
from tests.tolerances import PLUGIN_PARITY, PluginTolerance

NOTED: dict[str, str] = {}


def note(
    ranks: int,
    tolerance: PluginTolerance,
    *,
    energy_eV: float,
    force_eV_A: float,
    virial_bar_A3: float = float("nan"),
) -> None:
    """Note deviations, energy and virial per atom; they are asserted elsewhere."""
    (precision,) = (name for name, known in PLUGIN_PARITY.items() if known is tolerance)
    NOTED.update(
        ranks=str(ranks),
        precision=precision,
        energy_eV=f"{energy_eV:.3e}",
        force_eV_A=f"{force_eV_A:.3e}",
        virial_bar_A3=f"{virial_bar_A3:.3e}",
    )


def assert_same(
    found: LammpsResult, expected: Reference, atoms: Atoms, tolerance: PluginTolerance
) -> None:
    """Compare every output; atoms are in the order of their IDs."""
    volume = atoms.get_volume() if atoms.pbc.all() else np.nan
    virial = (found.pressure - expected.pressure) * volume / len(atoms)
    note(
        found.ranks,
        tolerance,
        energy_eV=abs(found.energy - expected.energy) / len(atoms),
        force_eV_A=np.abs(found.forces - expected.forces).max(),
        virial_bar_A3=np.abs(virial).max(),
    )
    assert abs(found.energy - expected.energy) < tolerance.energy_eV * len(atoms)
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=tolerance.force_eV_A)
    np.testing.assert_allclose(found.energies, expected.energies, rtol=0, atol=tolerance.energy_eV)
    if atoms.pbc.all():
        np.testing.assert_allclose(virial, 0.0, rtol=0, atol=tolerance.virial_bar_A3)
