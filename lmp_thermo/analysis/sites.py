"""What distances are measured between: atoms, or centres of molecules."""

from typing import Protocol

import MDAnalysis
import numpy as np
from numpy.typing import NDArray

from lmp_thermo.analysis.molecules import Molecules
from lmp_thermo.analysis.trajectory import Trajectory
from lmp_thermo.errors import AnalysisError

CENTRES = "centres"
ALL = "all"


class Sites(Protocol):
    """Points that move with a trajectory.

    Attributes:
        label: name for tables and plots.
        universe: the MDAnalysis universe they belong to.
        identities: (n_sites,) equal numbers are the same site.
        molecules: (n_sites,) index of the molecule each belongs to.
    """

    label: str
    universe: MDAnalysis.Universe
    identities: NDArray[np.int64]
    molecules: NDArray[np.int64]

    def positions(self) -> NDArray[np.float32]:
        """(n_sites, 3) float32, Å, in the current frame, not wrapped."""
        ...


class AtomSites:
    """The atoms of a selection.

    Args:
        atoms: MDAnalysis atom group; its residues are the molecules.
        label: name for tables and plots.

    Raises:
        AnalysisError: the selection is empty.
    """

    def __init__(self, atoms: MDAnalysis.AtomGroup, label: str) -> None:
        if not len(atoms):
            raise AnalysisError(f"{label}: no atom selected, expected at least one")
        self.label = label
        self.universe = atoms.universe
        self.identities = atoms.indices.astype(np.int64)
        self.molecules = atoms.resindices.astype(np.int64)
        self._atoms = atoms

    def positions(self) -> NDArray[np.float32]:
        """(n_atoms, 3) float32, Å."""
        return np.asarray(self._atoms.positions)


class CentreSites:
    """The centres of mass of all molecules.

    Args:
        molecules: the molecules of a universe.
        label: name for tables and plots.
    """

    def __init__(self, molecules: Molecules, label: str = CENTRES) -> None:
        self.label = label
        self.universe = molecules.universe
        self.identities = np.arange(molecules.n_molecules, dtype=np.int64)
        self.molecules = self.identities
        self._molecules = molecules

    def positions(self) -> NDArray[np.float32]:
        """(n_molecules, 3) float32, Å."""
        return self._molecules.centres().astype(np.float32)


def named_sites(trajectory: Trajectory, name: str) -> Sites:
    """Sites by name: a species, ``centres`` of molecules, or ``all`` atoms.

    Raises:
        AnalysisError: there is no such species.
    """
    atoms = trajectory.universe.atoms
    if name == CENTRES:
        return CentreSites(trajectory.molecules)
    if name == ALL:
        return AtomSites(atoms, ALL)
    known = [str(element) for element in np.unique(atoms.elements)]
    if name not in known:
        raise AnalysisError(
            f"{trajectory.origin}: no species {name!r}, expected one of "
            f"{', '.join([*known, CENTRES, ALL])}"
        )
    return AtomSites(atoms[atoms.elements == name], name)
