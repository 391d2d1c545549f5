r"""The zero of a foreign calculator's energies: a constant for each kind of molecule.

A calculator counts its energies from a zero of its own, which is no error. It is taken off by one
constant :math:`c_k` for each kind :math:`k` of molecule, those that minimise

.. math::
    \sum_f \frac{1}{N_f} \Bigl(A_f - B_f - \sum_k n_{fk} c_k\Bigr)^2

over frames :math:`f` of :math:`N_f = \sum_k n_{fk}` molecules, each of which alone, in the shape
that it has there, gives :math:`A_f` by the reference and :math:`B_f` by the calculator, summed over
the frame. For one kind :math:`c` is the mean difference of a molecule. What the calculator gets
wrong of a molecule's distortion is no constant, and stays an error of its energies. Interaction
energies, forces and pressures do not depend on it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lmp_thermo.errors import FrameError
from lmp_thermo.frames import Frame
from lmp_thermo.potential.intermolecular import Quantities


def energy_constants(reference: Sequence[Frame], calculator: Sequence[Frame]) -> dict[str, float]:
    """What to add to a calculator's energy of each kind of molecule, see the module.

    Where frames do not tell kinds apart (all of one composition), the smallest constants are
    taken; their sum over a frame of that composition is unique.

    Args:
        reference: frames with the reference's labels.
        calculator: the same frames with the calculator's.

    Returns:
        By the molecule's atoms in alphabetical order, such as ``CHHHH``, eV.

    Raises:
        FrameError: no frames.
    """
    if not reference:
        raise FrameError(
            "zero of energy: got no frame with labels of both reference and calculator, expected "
            "one at least; choose another calculator"
        )
    counts = [kinds_of(frame) for frame in reference]
    kinds = sorted(set().union(*counts))
    weight = 1.0 / np.sqrt([frame.n_molecules for frame in reference])
    numbers = np.array([[count[kind] for kind in kinds] for count in counts], dtype=float)
    pairs = zip(reference, calculator, strict=True)
    difference = np.array([ref.alone_energy - own.alone_energy for ref, own in pairs])
    found, *_ = np.linalg.lstsq(numbers * weight[:, None], difference * weight, rcond=1e-8)
    return {kind: float(value) for kind, value in zip(kinds, found, strict=True)}


def moved(own: Quantities, frame: Frame, constants: Mapping[str, float]) -> Quantities:
    """Quantities of a calculator with its energy moved by the constants; nothing else changes."""
    total = sum(constants[kind] * count for kind, count in kinds_of(frame).items())
    return replace(own, energy_per_atom=own.energy_per_atom + total / len(frame.atoms))


def kinds_of(frame: Frame) -> "Counter[str]":
    """How many molecules of each kind a frame has."""
    symbols = np.array(frame.atoms.get_chemical_symbols())
    molecule = frame.molecule
    order = np.argsort(molecule, kind="stable")
    bounds = np.searchsorted(molecule[order], np.arange(1, frame.n_molecules))
    return Counter("".join(sorted(own)) for own in np.split(symbols[order], bounds))
