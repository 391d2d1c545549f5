"""Boxes packed with molecules at a density."""

import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from lmp_thermo.errors import StudyError
from lmp_thermo.fluid.molecules import Composition, van_der_waals_volume
from lmp_thermo.frames import MOLECULE, molecule_index
from lmp_thermo.states import StatePoint
from lmp_thermo.units import volume_at_density

MAX_PACKING_FRACTION = 0.85
"""Van der Waals volume over box volume above which no liquid of molecules exists: liquids at
their triple points lie at 0.55 to 0.65, and spheres cannot be packed beyond 0.74."""

PACKMOL_SECONDS = 120


def box_length(composition: Composition, state: StatePoint) -> float:
    """Edge in Å of the cubic box that holds the composition at the state point's density."""
    return float(np.cbrt(volume_at_density(composition.mass_g_mol, state.density_g_cm3)))


def check_packing(composition: Composition, state: StatePoint) -> None:
    """Refuse a density at which the molecules do not fit.

    Raises:
        StudyError: the van der Waals volume fills too much of the box.
    """
    filled = sum(
        count * van_der_waals_volume(kind)
        for kind, count in zip(composition.kinds, composition.counts, strict=True)
    )
    fraction = filled / box_length(composition, state) ** 3
    if fraction > MAX_PACKING_FRACTION:
        raise StudyError(
            f"grid: density {state.density_g_cm3:g} g/cm3 cannot be packed: the molecules' van der "
            f"Waals volume would be {fraction:.2f} of the box, expected at most "
            f"{MAX_PACKING_FRACTION}; lower the density"
        )


def pack_box(
    composition: Composition, state: StatePoint, seed: int, tolerance_A: float = 2.0
) -> Atoms:
    """A periodic cubic box of whole molecules with random places and orientations.

    Single atoms are put on a face-centred cubic lattice with vacancies and displaced at random;
    molecules are placed by packmol under periodic boundaries.

    Args:
        composition: what the box holds.
        state: its density counts.
        seed: of the random numbers.
        tolerance_A: smallest distance between atoms of different molecules; it is lowered in
            steps where packmol cannot keep it.

    Raises:
        StudyError: no packing was found.
    """
    length = box_length(composition, state)
    if composition.atomic:
        positions = _lattice(sum(composition.counts), length, np.random.default_rng(seed))
        numbers = np.concatenate(
            [
                np.repeat(k.numbers, c)
                for k, c in zip(composition.kinds, composition.counts, strict=True)
            ]
        )
        box = Atoms(numbers=numbers, positions=positions, cell=[length] * 3, pbc=True)
    else:
        box = _packmol(composition, length, seed, tolerance_A)
    box.set_array(MOLECULE, molecule_index(composition.molecule_sizes))
    return box


def _lattice(n_atoms: int, length: float, random: np.random.Generator) -> NDArray[np.float64]:
    cells = int(np.ceil((n_atoms / 4) ** (1 / 3) - 1e-9))
    corners = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    sites = ((grid + corners).reshape(-1, 3) + 0.25) * (length / cells)
    chosen = sites[random.permutation(len(sites))[:n_atoms]]
    spacing = length / cells / np.sqrt(2)
    return np.asarray(chosen + random.normal(scale=0.04 * spacing, size=chosen.shape))


def _packmol(composition: Composition, length: float, seed: int, tolerance: float) -> Atoms:
    program = shutil.which("packmol", path=str(Path(sys.executable).parent)) or shutil.which(
        "packmol"
    )
    if program is None:
        raise StudyError(
            "packmol: not found, expected the program of the packmol package; install it"
        )
    for attempt, distance in enumerate((tolerance, 0.92 * tolerance, 0.85 * tolerance)):
        with tempfile.TemporaryDirectory(prefix="lmp-thermo-pack-") as name:
            folder = Path(name)
            lines = [
                f"tolerance {distance:.4f}",
                f"seed {(seed + attempt) % 2_000_000_000}",
                "filetype xyz",
                "output box.xyz",
                f"pbc {length:.10f} {length:.10f} {length:.10f}",
            ]
            for kind_number, (kind, count) in enumerate(
                zip(composition.kinds, composition.counts, strict=True)
            ):
                ase.io.write(folder / f"kind{kind_number}.xyz", kind, format="xyz")
                lines += [f"structure kind{kind_number}.xyz", f"  number {count}", "end structure"]
            commands = folder / "packmol.inp"  # packmol reads its input twice: a pipe is not enough
            commands.write_text("\n".join(lines) + "\n")
            try:
                with commands.open() as stream:
                    done = subprocess.run(
                        [program],
                        cwd=folder,
                        stdin=stream,
                        capture_output=True,
                        timeout=PACKMOL_SECONDS,
                        check=False,
                    )
            except subprocess.TimeoutExpired:
                continue
            output = folder / "box.xyz"
            if done.returncode == 0 and output.is_file():
                return _rebuilt(composition, ase.io.read(output, format="xyz"), length)
    raise StudyError(
        f"packing: packmol found no arrangement in a box of {length:.2f} Å with atoms of "
        f"different molecules at least {0.85 * tolerance:.2f} Å apart; lower the density "
        "or use more molecules"
    )


def _rebuilt(composition: Composition, packed: Atoms, length: float) -> Atoms:
    """Exact molecules at packmol's places, since its files carry few digits and may wrap atoms."""
    pieces, start = [], 0
    for kind, count in zip(composition.kinds, composition.counts, strict=True):
        for _ in range(count):
            found = packed.positions[start : start + len(kind)]
            found = found[0] + (found - found[0] + length / 2) % length - length / 2
            centre = found.mean(0)
            own_centre = kind.positions.mean(0)
            positions = kind.positions - own_centre
            if len(kind) > 1:
                with warnings.catch_warnings():  # about a linear molecule's axis any turn will do
                    warnings.filterwarnings("ignore", "Optimal rotation is not uniquely")
                    rotation, _ = Rotation.align_vectors(found - centre, positions)
                positions = rotation.apply(positions)
            pieces.append(positions + centre)
            start += len(kind)
    return Atoms(
        numbers=packed.numbers, positions=np.concatenate(pieces), cell=[length] * 3, pbc=True
    )
