"""Molecules of a universe: bonds by distance, whole across the box, centres of mass."""

import MDAnalysis
import numpy as np
from ase.data import atomic_numbers, covalent_radii
from MDAnalysis.lib.distances import minimize_vectors
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lmp_thermo.analysis.neighbours import neighbour_pairs
from lmp_thermo.errors import AnalysisError

BOND_REACH = 1.3
"""Bonded below this times the sum of covalent radii (DOI 10.1039/b801115j)."""


class Molecules:
    """Molecules as the residues of a universe, made whole along their bonds.

    Two atoms of one molecule are bonded where the reference geometry (the frame that the
    universe stands at then) has them closer than `BOND_REACH` times the sum of their covalent
    radii. Each atom is then placed at the periodic image nearest to an atom it is bonded to,
    walking out from the first atom of its molecule: right for molecules longer than half the
    box, wrong once a bond is longer than half the box height.

    Args:
        universe: residues are molecules, contiguous in atom order; elements and masses known.

    Raises:
        AnalysisError: an element is unknown, or a molecule is in pieces.
    """

    def __init__(self, universe: MDAnalysis.Universe) -> None:
        self.universe = universe
        self.of_atom = universe.atoms.resindices.astype(np.int64)
        self.n_molecules = len(universe.residues)
        self.starts = np.flatnonzero(np.diff(self.of_atom, prepend=-1))
        if len(self.starts) != self.n_molecules:
            raise AnalysisError(
                f"{self.n_molecules} molecules in {len(self.starts)} runs of atoms, expected the "
                "atoms of each molecule side by side; sort the data file by molecule"
            )
        self.sizes = np.diff(self.starts, append=len(self.of_atom))
        self.masses = np.asarray(universe.atoms.masses, dtype=np.float64)
        self.bonds = self._find_bonds()
        self._steps = self._walk()
        self.reference_lengths = self.bond_lengths()

    def whole(self) -> NDArray[np.float64]:
        """(n_atoms, 3) float64, Å: positions of the current frame, molecules not cut."""
        positions = self.universe.atoms.positions.astype(np.float64)
        box = self.universe.dimensions
        for parents, children in self._steps:
            reach = minimize_vectors(positions[children] - positions[parents], box)
            positions[children] = positions[parents] + reach
        return np.asarray(positions)

    def centres(self) -> NDArray[np.float64]:
        """(n_molecules, 3) float64, Å: centres of mass in the current frame, not wrapped."""
        weighted = self.masses[:, None] * self.whole()
        totals = np.add.reduceat(self.masses, self.starts)
        return np.asarray(np.add.reduceat(weighted, self.starts, axis=0) / totals[:, None])

    def bond_lengths(self) -> NDArray[np.float64]:
        """(n_bonds,) float64, Å: bond lengths in the current frame."""
        positions = self.universe.atoms.positions.astype(np.float64)
        vectors = positions[self.bonds[:, 1]] - positions[self.bonds[:, 0]]
        if not len(vectors):
            return np.zeros(0)
        vectors = minimize_vectors(vectors, self.universe.dimensions)
        return np.asarray(np.linalg.norm(vectors, axis=1))

    def _find_bonds(self) -> NDArray[np.int64]:
        """(n_bonds, 2) atom indices, the smaller first."""
        if np.all(self.sizes == 1):
            return np.zeros((0, 2), dtype=np.int64)
        radii = np.array([covalent_radius(e) for e in self.universe.atoms.elements])
        positions = self.universe.atoms.positions
        matrix = self.universe.trajectory.ts.triclinic_dimensions
        reach = 2.0 * BOND_REACH * float(radii.max())
        found = []
        for i, j, distance in neighbour_pairs(positions, positions, matrix, reach):
            near = distance < BOND_REACH * (radii[i] + radii[j])
            keep = near & (i < j) & (self.of_atom[i] == self.of_atom[j])
            found.append(np.stack([i[keep], j[keep]], axis=1).astype(np.int64))
        return np.concatenate(found)

    def _walk(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Pairs (parents, children) to go through in order, from each molecule's first atom."""
        n_atoms = len(self.of_atom)
        graph = coo_array((np.ones(len(self.bonds)), self.bonds.T), shape=(n_atoms, n_atoms))
        n_pieces, piece_of_atom = connected_components(graph, directed=False)
        if n_pieces != self.n_molecules:
            first = piece_of_atom[self.starts][self.of_atom]
            broken = int(self.of_atom[np.flatnonzero(piece_of_atom != first)[0]])
            raise AnalysisError(
                f"molecule {broken + 1} of {self.n_molecules} is in pieces in the reference "
                f"geometry ({n_pieces} pieces in all), expected bonds shorter than {BOND_REACH} "
                "times the covalent radii; check molecule sizes and species"
            )
        both = np.concatenate([self.bonds, self.bonds[:, ::-1]])
        placed = np.zeros(n_atoms, dtype=bool)
        placed[self.starts] = True
        steps = []
        while not placed.all():
            outward = both[placed[both[:, 0]] & ~placed[both[:, 1]]]
            children, first_bond = np.unique(outward[:, 1], return_index=True)
            steps.append((outward[first_bond, 0], children))
            placed[children] = True
        return steps


def covalent_radius(element: str) -> float:
    """Covalent radius in Å.

    Raises:
        AnalysisError: not a chemical element.
    """
    if element not in atomic_numbers or element == "X":
        raise AnalysisError(
            f"species {element!r} is no chemical element, expected a symbol such as C; "
            "name the species of each atom type in order"
        )
    return float(covalent_radii[atomic_numbers[element]])
