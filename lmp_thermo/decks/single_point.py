"""One frame through LAMMPS: energy, forces, stress."""

import json
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from lmp_thermo.data_file import Box, data_text
from lmp_thermo.decks.checks import check_names, check_species
from lmp_thermo.decks.write import place_file
from lmp_thermo.errors import DeckError
from lmp_thermo.interaction import Interaction
from lmp_thermo.products import write_text
from lmp_thermo.rendering import template
from lmp_thermo.units import BAR_PER_EV_A3, lammps_to_tensor


def write_single_point(folder: Path, atoms: Atoms, interaction: Interaction) -> None:
    """Write an input that evaluates one frame and leaves its results in files.

    Args:
        folder: made where it is missing.
        atoms: in a periodic box.
        interaction: what makes the atoms interact.

    Raises:
        DeckError: species or names do not fit.
    """
    check_names(interaction)
    check_species(atoms, interaction)
    box = Box.of(atoms)
    folder.mkdir(parents=True, exist_ok=True)
    for path in interaction.files:
        place_file(path, folder / path.name)
    write_text(folder / "data.lmp", data_text(interaction.name, atoms, box, interaction))
    values = {"interaction": interaction, "tilt_large": box.is_strongly_tilted}
    write_text(folder / "in.lmp", template("lammps/single-point.lmp.j2").render(values))


def read_single_point(
    folder: Path, atoms: Atoms
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Results of an input that `write_single_point` wrote, after LAMMPS has run.

    Returns:
        Energy (eV), forces (n_atoms, 3) (eV/Å), stress (3, 3) (eV/Å^3, ASE's sign), in the frame
        of `atoms`.

    Raises:
        DeckError: LAMMPS left no results, or ones of another frame.
    """
    try:
        energy, *pressure = json.loads((folder / "single-point.json").read_text(encoding="utf-8"))
        table = np.loadtxt(folder / "forces.txt", skiprows=9, ndmin=2)
    except (OSError, ValueError) as error:
        raise DeckError(
            f"{folder}: no results of LAMMPS ({error}); see log.lammps there"
        ) from error
    if table.shape != (len(atoms), 4) or len(pressure) != 6:
        raise DeckError(f"{folder}: results of {len(table)} atoms, expected {len(atoms)}")
    _, rotation = atoms.cell.standard_form()
    stress = -lammps_to_tensor(pressure) / BAR_PER_EV_A3
    return float(energy), table[:, 1:] @ rotation, rotation.T @ stress @ rotation
