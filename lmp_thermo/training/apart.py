"""Frames of molecules apart, from labels that are already there.

A labelled frame says what the reference gives for each of its molecules alone. The same
molecules, moved apart until they cannot see each other, are therefore a labelled frame too: it
costs no new label and few edges, and it pins the model's energy of separate molecules, without
which the interaction energy of a liquid has no zero.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lmp_thermo.frames import Frame


def apart(frame: Frame, reach_A: float) -> Frame:
    """The molecules of a frame, each further than `reach_A` from all others, without boundaries.

    Args:
        frame: labelled, with the labels of its molecules alone.
        reach_A: the model's cutoff, Å.

    Returns:
        Frame with origin ``molecule``, energy and forces of the molecules alone, no stress.
    """
    molecule, positions = frame.molecule, frame.atoms.positions.copy()
    n = frame.n_molecules
    centres = np.array([positions[molecule == m].mean(axis=0) for m in range(n)])
    positions -= centres[molecule]
    spacing = 2.0 * float(np.linalg.norm(positions, axis=1).max()) + reach_A + 1.0
    side = int(np.ceil(n ** (1.0 / 3.0)))
    place = np.stack(np.unravel_index(np.arange(n), (side, side, side)), axis=1)
    atoms = frame.atoms.copy()
    atoms.positions = positions + spacing * place[molecule]
    atoms.cell = np.zeros((3, 3))
    atoms.pbc = False
    moved = Frame(atoms, replace(frame.tags, origin="molecule"))
    return moved.labelled(
        frame.tags.fidelity,
        frame.alone_energy,
        frame.alone_forces,
        None,
        frame.alone_energy,
        frame.alone_forces,
    )


def with_molecules_apart(frames: Sequence[Frame], share: float, reach_A: float) -> list[Frame]:
    """The frames, followed by evenly chosen ones with their molecules apart.

    Args:
        frames: labelled.
        share: frames to repeat so, relative to those with more than one molecule, 0 to 1.
        reach_A: the model's cutoff, Å.
    """
    several = [frame for frame in frames if frame.n_molecules > 1]
    count = round(share * len(several))
    chosen = [several[int((k + 0.5) * len(several) / count)] for k in range(count)]
    return [*frames, *(apart(frame, reach_A) for frame in chosen)]
