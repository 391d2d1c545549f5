r"""Errors of a potential in what acts between molecules: pure functions of arrays.

For a molecule :math:`m` with centre of mass :math:`\mathbf R_m` and atoms :math:`a`,

.. math::
    \mathbf F_m = \sum_{a \in m} \mathbf f_a, \qquad
    \mathbf T_m = \sum_{a \in m} (\mathbf r_a - \mathbf R_m) \times \mathbf f_a, \qquad
    W^\mathrm{mol} = -V \sigma
        - \sum_m \sum_{a \in m} (\mathbf r_a - \mathbf R_m) \otimes \mathbf f_a

with ASE's stress :math:`\sigma`; the pressure of rigidly scaled centres of mass is
:math:`N k_B T / V + \operatorname{tr} W^\mathrm{mol} / 3V` with :math:`N` molecules (Akkermans
and Ciccotti, J. Phys. Chem. B 108, 6866 (2004), doi:10.1021/jp0377642). Molecules must be whole.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.errors import FrameError
from lmp_thermo.frames import Frame, sum_by_molecule
from lmp_thermo.potential.evaluate import Prediction
from lmp_thermo.units import BAR_PER_EV_A3, voigt_to_tensor

Array = NDArray[np.float64]


def net_force(molecule: NDArray[np.int64], forces: Array) -> Array:
    """Net force on each molecule.

    Args:
        molecule: (n_atoms,) molecule index.
        forces: (n_atoms, 3), eV/Å.

    Returns:
        (n_molecules, 3), eV/Å.
    """
    return sum_by_molecule(molecule, forces)


def arms(molecule: NDArray[np.int64], positions: Array, masses: Array) -> Array:
    """Positions relative to the molecules' centres of mass.

    Args:
        molecule: (n_atoms,) molecule index.
        positions: (n_atoms, 3), Å, molecules whole.
        masses: (n_atoms,), any unit.

    Returns:
        (n_atoms, 3), Å.
    """
    centre = sum_by_molecule(molecule, positions * masses[:, None])
    centre /= sum_by_molecule(molecule, masses)[:, None]
    return np.asarray(positions - centre[molecule])


def torque(molecule: NDArray[np.int64], positions: Array, masses: Array, forces: Array) -> Array:
    """Torque on each molecule about its centre of mass; arguments as `arms` and `net_force`.

    Returns:
        (n_molecules, 3), eV.
    """
    return sum_by_molecule(molecule, np.cross(arms(molecule, positions, masses), forces))


def molecular_virial(
    molecule: NDArray[np.int64],
    positions: Array,
    masses: Array,
    forces: Array,
    *,
    stress: Array,
    volume_A3: float,
) -> Array:
    """Molecular virial of a frame, see the module; arguments as `arms` and `net_force`.

    Args:
        molecule, positions, masses, forces: see there.
        stress: (6,), ASE's Voigt order and sign, eV/Å^3.
        volume_A3: of the cell.

    Returns:
        (3, 3), eV; its antisymmetric part is half of the summed torques.
    """
    within = np.einsum("ai,aj->ij", arms(molecule, positions, masses), forces)
    return np.asarray(-volume_A3 * voigt_to_tensor(stress) - within)


@dataclass(frozen=True)
class Quantities:
    """What is compared, for one frame and one source (labels, a potential, no interaction).

    Args:
        energy_per_atom: eV/atom.
        forces: (n_atoms, 3), eV/Å.
        stress: (6,), eV/Å^3, or None.
        net_force: (n_molecules, 3), eV/Å.
        torque: (n_molecules, 3), eV.
        interaction_energy_per_atom: energy less that of the molecules alone, eV/atom.
        virial_pressure_bar: ``-tr(stress)/3`` in bar, without the kinetic part; None without
            stress.
        molecular_pressure_bar: ``tr W^mol / 3V`` in bar, without ``N kT/V``; None without stress.
    """

    energy_per_atom: float
    forces: Array
    stress: Array | None
    net_force: Array
    torque: Array
    interaction_energy_per_atom: float
    virial_pressure_bar: float | None
    molecular_pressure_bar: float | None


def quantities(
    frame: Frame, energy: float, forces: Array, stress: Array | None, alone_energy: float
) -> Quantities:
    """Quantities of one frame from energy (eV), forces (eV/Å), stress (eV/Å^3) of any source."""
    atoms, molecule = frame.atoms, frame.molecule
    masses = np.asarray(atoms.get_masses(), dtype=float)
    n_atoms = len(atoms)
    atomic = molecular = None
    if stress is not None:
        volume = float(atoms.get_volume())
        w = molecular_virial(
            molecule, atoms.positions, masses, forces, stress=stress, volume_A3=volume
        )
        atomic = float(-np.sum(stress[:3]) / 3.0 * BAR_PER_EV_A3)
        molecular = float(np.trace(w) / (3.0 * volume) * BAR_PER_EV_A3)
    return Quantities(
        energy_per_atom=energy / n_atoms,
        forces=forces,
        stress=stress,
        net_force=net_force(molecule, forces),
        torque=torque(molecule, atoms.positions, masses, forces),
        interaction_energy_per_atom=(energy - alone_energy) / n_atoms,
        virial_pressure_bar=atomic,
        molecular_pressure_bar=molecular,
    )


def labelled_quantities(frame: Frame) -> Quantities:
    """Quantities of a frame's labels."""
    return quantities(frame, frame.energy, frame.forces, frame.stress, frame.alone_energy)


def predicted_quantities(frame: Frame, prediction: Prediction) -> Quantities:
    """Quantities of a potential's prediction; its own molecules alone are the energy's zero."""
    return quantities(
        frame, prediction.energy, prediction.forces, prediction.stress, prediction.alone_energy
    )


def no_interaction_quantities(frame: Frame) -> Quantities:
    """Quantities of the model in which every molecule is alone, from the labels.

    Its molecular virial is zero by construction; its virial is that of the forces within.
    """
    atoms = frame.atoms
    stress = None
    if frame.stress is not None:
        masses = np.asarray(atoms.get_masses(), dtype=float)
        arm = arms(frame.molecule, atoms.positions, masses)
        t = -np.einsum("ai,aj->ij", arm, frame.alone_forces) / atoms.get_volume()
        t = 0.5 * (t + t.T)
        stress = np.array([t[0, 0], t[1, 1], t[2, 2], t[1, 2], t[0, 2], t[0, 1]])
    return quantities(frame, frame.alone_energy, frame.alone_forces, stress, frame.alone_energy)


@dataclass(frozen=True)
class Deviation:
    """Errors of one quantity over all its components.

    Args:
        rmse: root mean square error.
        mae: mean absolute error.
        rms: root mean square of the reference.
        count: number of components.
    """

    rmse: float
    mae: float
    rms: float
    count: int

    @property
    def relative(self) -> float:
        """``rmse / rms``; infinite where the reference is zero and the error is not."""
        if self.rms == 0.0:
            return 0.0 if self.rmse == 0.0 else float("inf")
        return self.rmse / self.rms

    @classmethod
    def of(cls, predicted: Array, reference: Array) -> "Deviation":
        """Errors of arrays of one shape."""
        error = np.ravel(predicted) - np.ravel(reference)
        return cls(
            rmse=float(np.sqrt(np.mean(error**2))),
            mae=float(np.mean(np.abs(error))),
            rms=float(np.sqrt(np.mean(np.ravel(reference) ** 2))),
            count=int(error.size),
        )


@dataclass(frozen=True)
class Bias:
    """Mean signed error of one number a frame.

    Args:
        mean: mean of prediction less reference.
        standard_error: sample standard deviation over frames by the root of their number, which
            holds for independent frames; infinite for one frame.
        rmse: root mean square error of single frames.
        reference: mean of the reference.
        count: number of frames.
    """

    mean: float
    standard_error: float
    rmse: float
    reference: float
    count: int

    @classmethod
    def of(cls, predicted: Array, reference: Array) -> "Bias":
        """Bias of (n_frames,) arrays."""
        error = np.asarray(predicted) - np.asarray(reference)
        spread = float(np.std(error, ddof=1)) if len(error) > 1 else float("inf")
        return cls(
            mean=float(error.mean()),
            standard_error=spread / float(np.sqrt(len(error))),
            rmse=float(np.sqrt(np.mean(error**2))),
            reference=float(np.mean(reference)),
            count=len(error),
        )


@dataclass(frozen=True)
class Errors:
    """Errors over a set of frames, usually one cell of the grid.

    Units: energies eV/atom, forces eV/Å, torques eV, stress eV/Å^3, pressures bar. For
    interaction energy `Deviation.rms` is that of the reference's interaction energies themselves.
    Pressures are None where no frame has a stress.
    """

    n_frames: int
    energy: Deviation
    force: Deviation
    stress: Deviation | None
    net_force: Deviation
    torque: Deviation
    interaction_energy: Deviation
    virial_pressure: Bias | None
    molecular_pressure: Bias | None

    def as_dict(self) -> dict[str, Any]:
        """Nested mapping of numbers for JSON."""
        return asdict(self)


def compare(predicted: Sequence[Quantities], reference: Sequence[Quantities]) -> Errors:
    """Errors of predictions against labels, frame by frame.

    Raises:
        FrameError: no frames, or lists of different lengths.
    """
    if not reference or len(predicted) != len(reference):
        raise FrameError(
            f"got {len(predicted)} predictions for {len(reference)} labelled frames, expected as "
            "many, above 0; label frames first"
        )
    pairs = list(zip(predicted, reference, strict=True))
    with_stress = [(p, r) for p, r in pairs if p.stress is not None and r.stress is not None]

    def deviation(name: str) -> Deviation:
        return Deviation.of(
            np.concatenate([np.ravel(getattr(p, name)) for p, _ in pairs]),
            np.concatenate([np.ravel(getattr(r, name)) for _, r in pairs]),
        )

    def bias(name: str) -> Bias | None:
        if not with_stress:
            return None
        return Bias.of(
            np.array([getattr(p, name) for p, _ in with_stress]),
            np.array([getattr(r, name) for _, r in with_stress]),
        )

    return Errors(
        n_frames=len(pairs),
        energy=deviation("energy_per_atom"),
        force=deviation("forces"),
        stress=Deviation.of(
            np.array([p.stress for p, _ in with_stress]),
            np.array([r.stress for _, r in with_stress]),
        )
        if with_stress
        else None,
        net_force=deviation("net_force"),
        torque=deviation("torque"),
        interaction_energy=deviation("interaction_energy_per_atom"),
        virial_pressure=bias("virial_pressure_bar"),
        molecular_pressure=bias("molecular_pressure_bar"),
    )
