"""What a model needs to know of its training frames before it starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matscipy.neighbours import neighbour_list

from lmp_thermo.errors import TrainingError
from lmp_thermo.frames import Frame


@dataclass(frozen=True)
class DataStatistics:
    """Normalisation of a model.

    Args:
        avg_num_neighbors: mean number of neighbours within the cutoff, by species.
        force_rms_eV_A: root mean square of the labelled force components.
        molecular: whether some molecule has more than one atom.
        has_stress: whether some frame has a labelled stress.
    """

    avg_num_neighbors: dict[str, float]
    force_rms_eV_A: float
    molecular: bool
    has_stress: bool

    @classmethod
    def of(
        cls, frames: Sequence[Frame], cutoffs_A: Mapping[str, Mapping[str, float]]
    ) -> "DataStatistics":
        """Statistics of labelled frames.

        Args:
            frames: to train on.
            cutoffs_A: cutoff of each pair of species, Å, by the two species.

        Raises:
            TrainingError: no frames, a species that is not in the list, or forces that are all 0.
        """
        if not frames:
            raise TrainingError("got no training frames, expected some; run `lmp-thermo label`")
        species = list(cutoffs_A)
        table = np.array([[cutoffs_A[a][b] for b in species] for a in species])
        neighbours = dict.fromkeys(species, 0)
        atoms = dict.fromkeys(species, 0)
        squares, components = 0.0, 0
        for frame in frames:
            symbols = np.array(frame.atoms.get_chemical_symbols())
            unknown = sorted(set(symbols) - set(species))
            if unknown:
                raise TrainingError(
                    f"frame {frame.tags}: has species {unknown[0]}, expected one of "
                    f"{', '.join(species)}; mend the species list"
                )
            kinds = np.array([species.index(symbol) for symbol in symbols])
            i, j, distance = neighbour_list(
                "ijd",
                positions=frame.atoms.positions,
                cell=np.asarray(frame.atoms.cell.complete()),  # a frame in open space has none
                pbc=frame.atoms.pbc,
                cutoff=float(table.max()),
            )
            near = i[distance < table[kinds[i], kinds[j]]]
            counts = np.bincount(near, minlength=len(symbols))
            for name in species:
                neighbours[name] += int(counts[symbols == name].sum())
                atoms[name] += int((symbols == name).sum())
            squares += float((frame.forces**2).sum())
            components += frame.forces.size
        rms = float(np.sqrt(squares / components))
        if not np.isfinite(rms) or rms == 0.0:
            raise TrainingError(
                f"rms of the labelled forces is {rms} eV/Å, expected above 0; look at the labels"
            )
        return cls(
            # no neighbours at all (isolated atoms only) must not divide by zero
            avg_num_neighbors={
                name: max(neighbours[name] / max(atoms[name], 1), 1.0) for name in species
            },
            force_rms_eV_A=rms,
            molecular=any(len(frame.atoms) > frame.n_molecules for frame in frames),
            has_stress=any(frame.stress is not None for frame in frames),
        )
