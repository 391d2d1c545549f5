"""Two molecules of a force field with bonded terms, as files, as commands and as geometries."""

from pathlib import Path

from ase import Atoms

# Hydrogen peroxide, which has a dihedral, and carbon dioxide, whose oxygen is of another type.
PEROXIDE = """hydrogen peroxide

4 atoms
3 bonds
2 angles
1 dihedrals
2 atom types
2 bond types
1 angle types
1 dihedral types

0 9 xlo xhi
0 9 ylo yhi
0 9 zlo zhi

Masses

1 1.008
2 15.999

Atoms # full

1 1 1 0.4 0 0 0
2 1 2 -0.4 0 0 0
3 1 2 -0.4 0 0 0
4 1 1 0.4 0 0 0

Bonds

1 1 1 2
2 2 2 3
3 1 3 4

Angles

1 1 1 2 3
2 1 2 3 4

Dihedrals

1 1 1 2 3 4
"""
DIOXIDE = """carbon dioxide

3 atoms
2 bonds
1 angles

4 atom types
3 bond types
2 angle types

0 9 xlo xhi
0 9 ylo yhi
0 9 zlo zhi

Masses

3 16.0
4 12.01

Atoms

1 1 3 -0.3 0 0 0
2 1 4 0.6 0 0 0
3 1 3 -0.3 0 0 0

Bonds

1 3 1 2
2 3 2 3

Angles

1 2 1 2 3
"""
BONDED = (
    "bond_style harmonic",
    "bond_coeff 1 20.0 0.97",
    "bond_coeff 2 12.0 1.45",
    "bond_coeff 3 50.0 1.15",
    "angle_style hybrid harmonic cosine",
    "angle_coeff 1 harmonic 2.0 101.0",
    "angle_coeff 2 cosine 12.0",
    "dihedral_style harmonic",
    "dihedral_coeff 1 0.05 1 2",
    "special_bonds lj/coul 0.0 0.0 0.5",
)


def molecule_files(folder: Path) -> tuple[Path, Path]:
    """The data files of both, written into a folder."""
    found = (folder / "peroxide.data", folder / "dioxide.data")
    for path, text in zip(found, (PEROXIDE, DIOXIDE), strict=True):
        path.write_text(text)
    return found


def peroxide() -> Atoms:
    return Atoms("HOOH", [[0.1, 0.9, 0.3], [0, 0, 0], [1.4, 0.1, 0], [1.7, -0.5, 0.7]])


def dioxide() -> Atoms:
    return Atoms("OCO", [[-1.1, 0.1, 0], [0, 0, 0.05], [1.15, 0.2, -0.1]])
