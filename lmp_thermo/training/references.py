"""Elemental references: an energy for each element, taken off before a model sees energies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lmp_thermo.errors import TrainingError
from lmp_thermo.frames import Frame
from lmp_thermo.products import read_json, write_json


@dataclass(frozen=True)
class ElementalReferences:
    """Energy of each element, eV.

    Args:
        energies: by chemical symbol.
        origin: ``isolated-atoms``, ``fit`` or ``given``.
        fidelity: name of the reference whose energies they belong to.
    """

    energies: Mapping[str, float]
    origin: str
    fidelity: str = ""

    @classmethod
    def fit(
        cls,
        frames: Sequence[Frame],
        species: Sequence[str],
        towards: Mapping[str, float] | None = None,
    ) -> "ElementalReferences":
        r"""Least-squares energies of the elements in training frames.

        Minimises :math:`\sum_f (E_f - \sum_s n_{fs} \epsilon_s)^2 / n_f^2` over the frames'
        energies per atom. Where the frames do not tell elements apart (all of one composition),
        the solution closest to `towards` is taken (zero for elements that it does not name), so
        that it is unique. Frames must be those of the training part only.

        Args:
            frames: labelled frames of one fidelity.
            species: chemical symbols.
            towards: energies, eV, from which directions that the frames leave open are taken.

        Raises:
            TrainingError: no frames, frames of several fidelities, or an element outside `species`.
        """
        fidelities = sorted({frame.tags.fidelity for frame in frames})
        if len(fidelities) != 1:
            raise TrainingError(
                f"references: got frames of {len(fidelities)} fidelities "
                f"({', '.join(fidelities) or 'none'}), expected one; fit one set for each"
            )
        counts = composition(frames, species)
        n_atoms = counts.sum(axis=1)
        start = np.array([(towards or {}).get(name, 0.0) for name in species])
        energies = np.array([frame.energy for frame in frames])
        weighted = counts / n_atoms[:, None]
        residual = (energies - counts @ start) / n_atoms
        change, *_ = np.linalg.lstsq(weighted, residual, rcond=1e-8)
        values = start + change
        return cls(
            {name: float(value) for name, value in zip(species, values, strict=True)},
            origin="fit",
            fidelity=fidelities[0],
        )

    def of(self, frame: Frame) -> float:
        """Sum of the references of a frame's atoms, eV.

        Raises:
            TrainingError: an element has no reference.
        """
        symbols = frame.atoms.get_chemical_symbols()
        unknown = next((s for s in symbols if s not in self.energies), None)
        if unknown is not None:
            raise TrainingError(
                f"references: got none for {unknown}, expected one for every element of the "
                "frames; add it or fit again"
            )
        return float(sum(self.energies[symbol] for symbol in symbols))

    def residual(self, frame: Frame) -> float:
        """Labelled energy less references, eV."""
        return frame.energy - self.of(frame)

    def write(self, path: Path) -> None:
        """Write as JSON."""
        write_json(
            path,
            {
                "unit": "eV",
                "origin": self.origin,
                "fidelity": self.fidelity,
                "energies": dict(self.energies),
            },
        )

    @classmethod
    def read(cls, path: Path) -> "ElementalReferences":
        """Read what `write` wrote.

        Raises:
            TrainingError: the file is not of that kind.
        """
        data = read_json(path)
        try:
            if data["unit"] != "eV":
                raise ValueError(f"unit {data['unit']}")
            energies = {str(name): float(value) for name, value in data["energies"].items()}
            if not all(np.isfinite(list(energies.values()))):
                raise ValueError("an energy is not finite")
            return cls(energies, str(data["origin"]), str(data["fidelity"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TrainingError(
                f"{path}: no elemental references ({error}); remove it and run again"
            ) from error


def composition(frames: Sequence[Frame], species: Sequence[str]) -> NDArray[np.float64]:
    """(n_frames, n_species) number of atoms of each species."""
    counts = np.zeros((len(frames), len(species)))
    for row, frame in enumerate(frames):
        for symbol in frame.atoms.get_chemical_symbols():
            if symbol not in species:
                raise TrainingError(
                    f"frame {frame.tags}: has element {symbol}, expected one of "
                    f"{', '.join(species)}; mend the species list"
                )
            counts[row, species.index(symbol)] += 1
    return counts
