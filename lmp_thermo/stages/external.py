"""Potentials from elsewhere: export of any nequip checkpoint, and the parity check of a folder."""

import shutil
from itertools import cycle, islice
from pathlib import Path

import ase.build
import numpy as np
from ase.data import atomic_masses, atomic_numbers

from lmp_thermo.errors import PotentialError
from lmp_thermo.frames import MOLECULE, Frame, Tags, read_frames, write_frames
from lmp_thermo.launch import find_lmp
from lmp_thermo.potential.card import COMPILED, MODEL, Card, read_card, write_card
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.potential.export import export_compiled, export_torchscript
from lmp_thermo.products import hash_of_file
from lmp_thermo.stages.context import versions
from lmp_thermo.stages.export import CHECK_FRAMES
from lmp_thermo.stages.parity import Parity, check_parity
from lmp_thermo.units import density_in_volume

SPACINGS_OVER_CUTOFF = (0.55, 0.75, 1.2)
"""Nearest-neighbour distances of the check frames over the cutoff: dense, thin, no edges."""


def export_folder(
    checkpoint: Path, out: Path, name: str | None = None, compiled: str | None = None
) -> Path:
    """Export any nequip checkpoint or package as a folder that LAMMPS users can run.

    Nothing is known of where it holds, so its card has no envelope.

    Args:
        checkpoint: ``.ckpt`` or ``.nequip.zip``.
        out: folder to make; must not exist.
        name: of the potential; the checkpoint's by default.
        compiled: device to compile for as well, cpu or cuda; takes minutes, and needs a C++
            compiler.

    Raises:
        PotentialError: `out` exists, or the checkpoint cannot be exported.
    """
    if out.exists():
        raise PotentialError(f"{out}: exists already; choose another --out, or remove it")
    temporary = out.with_name(f".{out.name}.making")
    if temporary.exists():
        shutil.rmtree(temporary)
    try:
        export_torchscript(checkpoint, temporary / MODEL)
        if compiled:
            export_compiled(checkpoint, temporary / COMPILED, compiled)
        model = Evaluator(temporary / MODEL)
        write_frames(temporary / CHECK_FRAMES, _check_frames(model.species, model.r_max_A))
        write_card(
            temporary,
            Card(
                name=name or checkpoint.name.split(".")[0][:100],
                species=list(model.species),
                masses_g_mol=[float(atomic_masses[atomic_numbers[s]]) for s in model.species],
                r_max_A=model.r_max_A,
                model_dtype=model.dtype,
                model_sha256=hash_of_file(temporary / MODEL),
                compiled_sha256=hash_of_file(temporary / COMPILED) if compiled else None,
                versions=versions("lmp-thermo", "nequip", "torch"),
            ),
        )
        temporary.rename(out)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)
    return out


def check_folder(folder: Path, lmp: str | None = None) -> dict[str, list[Parity]]:
    """Parity of Python and LAMMPS on the check frames of an exported folder, by model file.

    Raises:
        PotentialError: the folder is corrupt, or the two differ by more than round-off.
    """
    card = read_card(folder)
    models = [MODEL, COMPILED] if card.compiled_sha256 else [MODEL]
    frames, lammps = read_frames(folder / CHECK_FRAMES), find_lmp(lmp)
    return {model: check_parity(folder, frames, lammps, model) for model in models}


def _check_frames(species: tuple[str, ...], r_max_A: float) -> list[Frame]:
    """Displaced fcc crystals of all species in turn, from dense to atoms without neighbours."""
    random = np.random.default_rng(1)
    frames = []
    for index, spacing in enumerate(SPACINGS_OVER_CUTOFF):
        edge = spacing * r_max_A * np.sqrt(2)
        atoms = ase.build.bulk(species[0], "fcc", a=edge, cubic=True).repeat(2)
        atoms.symbols = list(islice(cycle(species), len(atoms)))
        atoms.positions += random.normal(scale=0.04 * spacing * r_max_A, size=(len(atoms), 3))
        atoms.set_array(MOLECULE, np.arange(len(atoms)))
        density = density_in_volume(float(atoms.get_masses().sum()), atoms.get_volume())
        frames.append(Frame(atoms, Tags(density, 1.0, "packed", 0, 1, index)))
    return frames
