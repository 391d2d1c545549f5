r"""Terms of the loss that see what acts between molecules.

For a molecule :math:`m` with centre of mass :math:`\mathbf R_m` and atoms :math:`a`:

.. math::
    \mathbf F_m = \sum_{a \in m} \mathbf f_a, \qquad
    \mathbf T_m = \sum_{a \in m} (\mathbf r_a - \mathbf R_m) \times \mathbf f_a, \qquad
    W^\mathrm{mol} = -V \sigma
        - \sum_m \sum_{a \in m} (\mathbf r_a - \mathbf R_m) \otimes \mathbf f_a

with ASE's stress :math:`\sigma`. :math:`W^\mathrm{mol}` is the derivative of the energy when the
centres of mass alone are strained (Akkermans and Ciccotti, J. Phys. Chem. B 108, 6866 (2004),
doi:10.1021/jp0377642), so a molecule that is alone contributes nothing to any of the three.
The net force of what acts within a molecule is zero, which is why these terms see the small part
of the forces that makes the fluid.

nequip instantiates these classes by their dotted paths as ``field`` and ``metric`` of its
`MetricsManager`.
"""

from typing import Any

import ase.data
import torch
from nequip.data import AtomicDataDict, BaseModifier
from nequip.train import MeanSquaredError, RootMeanSquaredError

from lmp_thermo.frames import MOLECULE
from lmp_thermo.training.dataset import Graph


class SquaredError(MeanSquaredError):  # type: ignore[misc]
    """Mean squared error; zero for a batch in which no frame has the label."""

    def compute(self) -> torch.Tensor:
        """The mean."""
        return torch.as_tensor(self.sum / torch.clamp(self.count, min=1))


class RootSquaredError(RootMeanSquaredError):  # type: ignore[misc]
    """Root mean squared error; zero where no frame has the label."""

    def compute(self) -> torch.Tensor:
        """The root of the mean."""
        return torch.sqrt(self.sum / torch.clamp(self.count, min=1))


class _OfBoth(BaseModifier):  # type: ignore[misc]
    """A quantity of predictions and labels whose geometry and molecules are those of the labels."""

    def __init__(self, field: str) -> None:
        super().__init__(field)

    def __call__(
        self, data1: Graph, data2: Graph | None = None
    ) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        frame = data1 if data2 is None else data2
        if data2 is None:
            return self.quantity(data1, frame)
        return self.quantity(data1, frame), self.quantity(data2, frame)

    def quantity(self, labels: Graph, frame: Graph) -> torch.Tensor:
        """The quantity of `labels` in the geometry of `frame`."""
        raise NotImplementedError

    @property
    def type(self) -> str:
        """Kind of nequip field: all but forces go by graph."""
        return "graph"


def molecules_of_batch(frame: Graph) -> tuple[torch.Tensor, torch.Tensor]:
    """Molecule index that is unique in a batch.

    Args:
        frame: batch of graphs whose molecule indices begin at 0 in each graph.

    Returns:
        (n_atoms,) index of each atom's molecule in the batch; (n_graphs,) molecules a graph.
    """
    molecule = frame[MOLECULE].view(-1)
    batch = frame[AtomicDataDict.BATCH_KEY].view(-1)
    n_graphs = int(frame[AtomicDataDict.NUM_NODES_KEY].numel())
    count = torch.zeros(n_graphs, dtype=torch.long, device=molecule.device)
    count = count.scatter_reduce(0, batch, molecule + 1, reduce="amax")
    first = torch.cumsum(count, 0) - count
    return molecule + first[batch], count


def _sum(values: torch.Tensor, index: torch.Tensor, size: int) -> torch.Tensor:
    total = torch.zeros((size, *values.shape[1:]), dtype=values.dtype, device=values.device)
    return total.index_add(0, index, values)


def _from_centres(frame: Graph, molecule: torch.Tensor, n_molecules: int) -> torch.Tensor:
    """Positions relative to the molecules' centres of mass, (n_atoms, 3); molecules are whole."""
    position = frame[AtomicDataDict.POSITIONS_KEY].detach()
    numbers = frame[AtomicDataDict.ATOMIC_NUMBERS_KEY].view(-1)
    mass = torch.as_tensor(ase.data.atomic_masses, dtype=position.dtype)[numbers.cpu()]
    mass = mass.to(position.device)
    centre = _sum(position * mass[:, None], molecule, n_molecules)
    centre = centre / _sum(mass, molecule, n_molecules)[:, None]
    return position - centre[molecule]


def _virial(labels: Graph, frame: Graph) -> torch.Tensor:
    cell = frame[AtomicDataDict.CELL_KEY].view(-1, 3, 3).detach()
    volume = torch.linalg.det(cell).abs()
    stress: torch.Tensor = labels[AtomicDataDict.STRESS_KEY]
    virial: torch.Tensor = -stress.view(-1, 3, 3) * volume[:, None, None]
    return virial


class VirialPerAtom(_OfBoth):
    """Virial ``-V * stress`` per atom, (n_graphs, 3, 3), eV/atom."""

    def __init__(self) -> None:
        super().__init__(AtomicDataDict.STRESS_KEY)

    def quantity(self, labels: Graph, frame: Graph) -> torch.Tensor:
        """See the class."""
        n_atoms = frame[AtomicDataDict.NUM_NODES_KEY].view(-1)
        return _virial(labels, frame) / n_atoms[:, None, None]

    def __str__(self) -> str:
        return "virial_per_atom"


class NetForce(_OfBoth):
    """Net force on each molecule, (n_molecules, 3), eV/Å."""

    def __init__(self) -> None:
        super().__init__(AtomicDataDict.FORCE_KEY)

    def quantity(self, labels: Graph, frame: Graph) -> torch.Tensor:
        """See the class."""
        molecule, count = molecules_of_batch(frame)
        return _sum(labels[AtomicDataDict.FORCE_KEY], molecule, int(count.sum()))

    def __str__(self) -> str:
        return "net_force"


class Torque(_OfBoth):
    """Torque on each molecule about its centre of mass, (n_molecules, 3), eV."""

    def __init__(self) -> None:
        super().__init__(AtomicDataDict.FORCE_KEY)

    def quantity(self, labels: Graph, frame: Graph) -> torch.Tensor:
        """See the class."""
        molecule, count = molecules_of_batch(frame)
        n_molecules = int(count.sum())
        arm = _from_centres(frame, molecule, n_molecules)
        return _sum(
            torch.linalg.cross(arm, labels[AtomicDataDict.FORCE_KEY].to(arm.dtype)),
            molecule,
            n_molecules,
        )

    def __str__(self) -> str:
        return "torque"


class MolecularVirial(_OfBoth):
    """Molecular virial per molecule, (n_graphs, 3, 3), eV; see the module."""

    def __init__(self) -> None:
        super().__init__(AtomicDataDict.STRESS_KEY)

    def quantity(self, labels: Graph, frame: Graph) -> torch.Tensor:
        """See the class."""
        molecule, count = molecules_of_batch(frame)
        arm = _from_centres(frame, molecule, int(count.sum()))
        force = labels[AtomicDataDict.FORCE_KEY]
        batch = frame[AtomicDataDict.BATCH_KEY].view(-1)
        within = _sum(arm[:, :, None] * force[:, None, :], batch, len(count))
        return (_virial(labels, frame) - within) / count[:, None, None]

    def __str__(self) -> str:
        return "molecular_virial"


TERMS: dict[str, Any] = {
    "stress": "lmp_thermo.training.loss.VirialPerAtom",
    "net_force": "lmp_thermo.training.loss.NetForce",
    "torque": "lmp_thermo.training.loss.Torque",
    "molecular_virial": "lmp_thermo.training.loss.MolecularVirial",
}
"""Dotted path of the quantity behind each weight of `LossWeights` that nequip does not have."""
