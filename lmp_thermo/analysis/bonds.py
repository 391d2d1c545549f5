"""Whether molecules stay what they are: bond lengths against the reference geometry."""

import numpy as np
from MDAnalysis.analysis.base import AnalysisBase

from lmp_thermo.analysis.molecules import Molecules
from lmp_thermo.analysis.statistics import Observable, estimate

BROKEN = 1.4
"""A bond this many times its reference length is broken: C-H at 400 K reaches 1.25."""


class BondStretch(AnalysisBase):  # type: ignore[misc]  # MDAnalysis has no types
    """Longest bond of each frame in units of its length in the reference geometry.

    Args:
        molecules: with bonds and reference lengths.

    Attributes of ``results`` after ``run``:
        stretch: (n_frames,) largest ratio of a bond to its reference length;
        worst_bond: (n_frames,) its index in ``molecules.bonds``;
        mean_length: (n_frames, n_kinds) Å; kinds: labels such as C-H.
        Without bonds (atomic fluid) stretch is 1.
    """

    def __init__(self, molecules: Molecules) -> None:
        super().__init__(molecules.universe.trajectory)
        self._molecules = molecules
        elements = molecules.universe.atoms.elements[molecules.bonds]
        labels = ["-".join(sorted(pair)) for pair in elements]
        self._kinds, self._kind_of_bond = np.unique(labels, return_inverse=True)

    def _prepare(self) -> None:
        self.results.kinds = [str(kind) for kind in self._kinds]
        self.results.stretch = np.ones(self.n_frames)
        self.results.worst_bond = np.zeros(self.n_frames, dtype=np.int64)
        self.results.mean_length = np.zeros((self.n_frames, len(self._kinds)))

    def _single_frame(self) -> None:
        if not len(self._molecules.bonds):
            return
        lengths = self._molecules.bond_lengths()
        ratios = lengths / self._molecules.reference_lengths
        worst = int(np.argmax(ratios))
        self.results.stretch[self._frame_index] = ratios[worst]
        self.results.worst_bond[self._frame_index] = worst
        sums = np.bincount(self._kind_of_bond, weights=lengths)
        self.results.mean_length[self._frame_index] = sums / np.bincount(self._kind_of_bond)

    @property
    def intact(self) -> bool:
        """Whether every bond stayed below `BROKEN` in every frame."""
        return self.max_stretch < BROKEN

    @property
    def max_stretch(self) -> float:
        """The largest ratio over all frames."""
        return float(self.results.stretch.max())

    def worst(self) -> str:
        """The most stretched bond in words."""
        if not len(self._molecules.bonds):
            return "no bonds"
        frame = int(np.argmax(self.results.stretch))
        i, j = self._molecules.bonds[self.results.worst_bond[frame]]
        elements = self._molecules.universe.atoms.elements
        return (
            f"{elements[i]}{i + 1}-{elements[j]}{j + 1} at {self.max_stretch:.3f} times its "
            f"reference length at {self.times[frame]:.4g} ps"
        )

    def lengths(self) -> list[Observable]:
        """Mean length of each kind of bond; estimator as in `statistics.estimate`."""
        return [
            estimate(
                self.results.mean_length[:, k],
                name=f"bond_length.{kind}",
                unit="Å",
                origin=f"{self.n_frames} frames",
                detect_equilibration=False,
            )
            for k, kind in enumerate(self.results.kinds)
        ]
