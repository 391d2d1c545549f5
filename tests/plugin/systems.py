"""Asymmetric systems: triclinic cells, two species, distinct random positions."""

import numpy as np
from ase import Atoms
from ase.geometry import find_mic

CELLS = {
    # every height below one cutoff (4 Å) in two directions, below two in the third
    "thin": np.array([[3.6, 0.0, 0.0], [0.7, 3.9, 0.0], [-0.9, 1.1, 7.2]]),
    "triclinic": np.array([[9.1, 0.0, 0.0], [1.7, 8.3, 0.0], [-0.9, 2.1, 10.2]]),
    "wide": np.array([[17.1, 0.0, 0.0], [2.3, 13.3, 0.0], [-1.9, 3.1, 15.2]]),
}


def random_system(
    cell: str, n_atoms: int, seed: int = 3, closest: float = 1.1, pbc: bool = True
) -> Atoms:
    """Return `n_atoms` atoms, one in three H, no two closer than `closest`.

    Args:
        cell: a key of CELLS; vectors in Å as rows, lower triangular as LAMMPS wants them.
        closest: Å.
    """
    matrix = CELLS[cell]
    rng = np.random.default_rng(seed)
    positions: list[np.ndarray] = []
    for _ in range(100_000):
        if len(positions) == n_atoms:
            break
        trial = rng.random(3) @ matrix
        if positions:
            vectors = np.array(positions) - trial
            distances = (
                find_mic(vectors, matrix, pbc)[1] if pbc else np.linalg.norm(vectors, axis=1)
            )
            if distances.min() < closest:
                continue
        positions.append(trial)
    if len(positions) < n_atoms:
        raise ValueError(f"{n_atoms} atoms do not fit into cell {cell}; ask for fewer")
    symbols = ["H" if k % 3 == 0 else "C" for k in range(n_atoms)]
    return Atoms(symbols, positions=positions, cell=matrix, pbc=pbc)
