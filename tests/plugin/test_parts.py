"""The parts of a cut model, run uncompiled by two ranks of numpy arrays, are the model."""

import numpy as np
import pytest
import torch
from ase.neighborlist import neighbor_list

from lmp_thermo.potential.parts import cut_at_exchanges
from tests.plugin.models import build_nequip
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

R_MAX_A = 4.0


class Rank:
    """Values by name, and which atoms of the whole system the rows stand for."""

    def __init__(
        self,
        local: np.ndarray,
        types: np.ndarray,
        centre: np.ndarray,
        neighbour: np.ndarray,
        vectors: np.ndarray,
    ) -> None:
        self.edges = np.flatnonzero(np.isin(centre, local))
        remote = np.setdiff1d(neighbour[self.edges], local)
        self.n_local = len(local)
        self.atoms = np.concatenate([local, remote])
        row = {atom: index for index, atom in enumerate(self.atoms)}
        pairs = [[row[a] for a in index[self.edges]] for index in (centre, neighbour)]
        self.values = {
            "types_local": torch.tensor(types[local]),
            "types_remote": torch.tensor(types[remote]),
            "edge_index": torch.tensor(pairs),
            "edge_vectors": torch.tensor(vectors[self.edges]),
            "weights": torch.ones(len(local), dtype=torch.float64),
        }


@pytest.fixture(scope="module")
def ranks_and_whole() -> tuple[list[Rank], dict[str, torch.Tensor]]:
    """Return two ranks after all parts, and what the whole model gives."""
    layers = 3
    model = build_nequip(scripted=False, num_layers=layers, l_max=0, parity=False, num_features=4)
    atoms = random_system("triclinic", 24)
    centre, neighbour, vectors = neighbor_list("ijD", atoms, R_MAX_A)
    types = np.array([model.type_names.index(s) for s in atoms.symbols])
    whole = model(
        {
            "atom_types": torch.tensor(types),
            "edge_index": torch.tensor(np.stack([centre, neighbour])),
            "edge_vectors": torch.tensor(vectors),
        }
    )
    left = atoms.get_scaled_positions()[:, 0] < 0.4
    ranks = [
        Rank(np.flatnonzero(part), types, centre, neighbour, vectors) for part in (left, ~left)
    ]
    for index, part in enumerate(cut_at_exchanges(model)):
        for rank in ranks:
            inputs = [rank.values[name] for name in part.inputs]
            rank.values.update(zip(part.outputs, part.graph(*inputs), strict=True))
        if index < layers - 1:
            k = index + 1
            rows = torch.zeros(len(atoms), ranks[0].values[f"send{k}"].size(1)).double()
            for rank in ranks:
                rows[rank.atoms[: rank.n_local]] = rank.values[f"send{k}"]
            for rank in ranks:
                rank.values[f"remote{k}"] = rows[rank.atoms[rank.n_local :]]
        elif index < 2 * layers - 2:
            k = 2 * layers - 2 - index
            rows = torch.zeros(len(atoms), ranks[0].values[f"send{k}"].size(1)).double()
            for rank in ranks:
                home = torch.tensor(rank.atoms[rank.n_local :])
                rows.index_add_(0, home, rank.values[f"gradient{k}"])
            for rank in ranks:
                rank.values[f"home{k}"] = rows[rank.atoms[: rank.n_local]]
    return ranks, whole


@pytest.mark.filterwarnings("ignore:`isinstance:FutureWarning")
def test_energies_and_gradients_are_those_of_the_whole(
    ranks_and_whole: tuple[list[Rank], dict[str, torch.Tensor]],
) -> None:
    ranks, whole = ranks_and_whole
    energies = whole["atomic_energy"].detach().numpy().ravel()
    gradients = whole["edge_forces"].detach().numpy()
    tolerance = PLUGIN_PARITY["float64"]
    for rank in ranks:
        local = rank.atoms[: rank.n_local]
        assert 0 < rank.n_local < len(energies)
        np.testing.assert_allclose(
            rank.values["energy"], energies[local], rtol=0, atol=tolerance.energy_eV
        )
        np.testing.assert_allclose(
            rank.values["edge_gradient"], gradients[rank.edges], rtol=0, atol=tolerance.force_eV_A
        )
