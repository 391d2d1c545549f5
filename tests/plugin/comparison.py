"""Compare a LAMMPS run with a reference, output by output."""

import numpy as np
from ase import Atoms

from tests.plugin.lammps_run import LammpsResult
from tests.plugin.reference import Reference
from tests.tolerances import PluginTolerance


def assert_same(
    found: LammpsResult, expected: Reference, atoms: Atoms, tolerance: PluginTolerance
) -> None:
    """Compare every output; atoms are in the order of their IDs."""
    assert abs(found.energy - expected.energy) < tolerance.energy_eV * len(atoms)
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=tolerance.force_eV_A)
    np.testing.assert_allclose(found.energies, expected.energies, rtol=0, atol=tolerance.energy_eV)
    if atoms.pbc.all():
        volume = atoms.get_volume()
        np.testing.assert_allclose(
            found.pressure * volume,
            expected.pressure * volume,
            rtol=0,
            atol=tolerance.virial_bar_A3 * len(atoms),
        )
