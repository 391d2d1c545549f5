"""Parity: Python and LAMMPS give the same energy, forces and stress on this machine."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lmp_thermo.decks.single_point import read_single_point, write_single_point
from lmp_thermo.errors import PotentialError, RunError
from lmp_thermo.frames import Frame
from lmp_thermo.launch import Lammps
from lmp_thermo.potential.card import MODEL, read_card
from lmp_thermo.potential.evaluate import Evaluator
from lmp_thermo.potential.interaction import lammps_interaction
from lmp_thermo.units import voigt_to_tensor

TIMEOUT_S = 600


@dataclass(frozen=True)
class Tolerance:
    """Largest differences that count as round-off.

    Args:
        energy_eV_atom: of the energy per atom.
        force_eV_A: of a force component.
        virial_eV_atom: of a component of stress times volume per atom.
    """

    energy_eV_atom: float
    force_eV_A: float
    virial_eV_atom: float


TOLERANCES = {
    # Sums of some 100 terms of order 1 to 10 eV in another order: eps times 10 times 100, where
    # eps is 6e-8 in single and 2e-16 in double precision; positions go through text with 17
    # digits. Edge vectors enter in another precision on the two sides, hence the factor 2 on top.
    "float32": Tolerance(2e-5, 1e-4, 2e-4),
    "float64": Tolerance(1e-10, 1e-9, 1e-9),
}


@dataclass(frozen=True)
class Parity:
    """Differences between Python and LAMMPS on one frame."""

    density_g_cm3: float
    temperature_K: float
    n_atoms: int
    energy_eV_atom: float
    force_eV_A: float
    virial_eV_atom: float


def check_parity(
    folder: Path, frames: Sequence[Frame], lammps: Lammps, model: str = MODEL
) -> list[Parity]:
    """Evaluate frames in Python and in LAMMPS.

    Args:
        folder: an exported potential.
        frames: with periodic boxes.
        lammps: the program.
        model: which of the potential's files LAMMPS reads.

    Raises:
        PotentialError: a difference is larger than round-off.
        RunError: LAMMPS stopped with an error.
    """
    card = read_card(folder)
    interaction = lammps_interaction(folder, model)
    predictions = Evaluator(folder / MODEL).evaluate(frames, alone=False)
    limit = TOLERANCES[card.model_dtype]
    rows = []
    for frame, own in zip(frames, predictions, strict=True):
        with tempfile.TemporaryDirectory(prefix="lmp-thermo-parity-") as name:
            run = Path(name)
            write_single_point(run, frame.atoms, interaction)
            _run(run, lammps)
            energy, forces, stress = read_single_point(run, frame.atoms)
        n = len(frame.atoms)
        if own.stress is None:
            raise PotentialError(f"{folder}: parity: a check frame is not periodic; export again")
        stress_difference = stress - voigt_to_tensor(own.stress)
        row = Parity(
            density_g_cm3=frame.tags.density_g_cm3,
            temperature_K=frame.tags.temperature_K,
            n_atoms=n,
            energy_eV_atom=abs(energy - own.energy) / n,
            force_eV_A=float(np.abs(forces - own.forces).max()),
            virial_eV_atom=float(np.abs(stress_difference).max() * frame.atoms.get_volume() / n),
        )
        rows.append(row)
        for quantity, tolerance in asdict(limit).items():
            found = getattr(row, quantity)
            if not found <= tolerance:
                raise PotentialError(
                    f"{folder}: parity: {quantity} differs by {found:.2g} between Python and "
                    f"LAMMPS at {frame.tags.state}, expected at most {tolerance:g}; do not use it; "
                    "run `lmp-thermo doctor`"
                )
    return rows


def _run(folder: Path, lammps: Lammps) -> None:
    try:
        done = subprocess.run(
            [str(lammps.binary), "-in", "in.lmp", "-screen", "none", "-nocite"],
            cwd=folder,
            env=dict(lammps.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RunError(f"parity: LAMMPS gave no result in {TIMEOUT_S} s") from None
    if done.returncode:
        log = folder / "log.lammps"
        text = log.read_text(errors="replace") if log.is_file() else done.stdout + done.stderr
        errors = [line for line in text.splitlines() if line.startswith("ERROR")]
        raise RunError(
            f"parity: LAMMPS stopped: {errors[0] if errors else text.strip()[-200:]}; run "
            "`lmp-thermo doctor`"
        )
