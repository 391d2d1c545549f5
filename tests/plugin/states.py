"""Read a dumped state with its box and forces."""

from pathlib import Path

import numpy as np
from ase import Atoms

from tests.plugin.lammps_run import SPECIES


def read_dump(path: Path) -> tuple[Atoms, np.ndarray]:
    """Return the dumped state and its forces, in the order of the IDs."""
    lines = path.read_text().splitlines()
    bounds = np.array([[float(w) for w in line.split()] for line in lines[5:8]])
    tilted = "xy xz yz" in lines[4]
    xy, xz, yz = bounds[:, 2] if tilted else (0.0, 0.0, 0.0)
    low = bounds[:, 0] - [min(0, xy, xz, xy + xz), min(0, yz), 0]
    high = bounds[:, 1] - [max(0, xy, xz, xy + xz), max(0, yz), 0]
    lx, ly, lz = high - low
    table = np.array([[float(w) for w in line.split()] for line in lines[9:]])
    atoms = Atoms(
        [SPECIES[int(t) - 1] for t in table[:, 1]],
        positions=table[:, 2:5] - low,
        cell=[[lx, 0, 0], [xy, ly, 0], [xz, yz, lz]],
        pbc=True,
    )
    return atoms, table[:, 5:8]
