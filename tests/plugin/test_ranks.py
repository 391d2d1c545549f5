"""Several ranks give what nequip gives on one: messages cross the ranks in both directions."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from tests.plugin.comparison import assert_same
from tests.plugin.lammps_run import deck_for, evaluate
from tests.plugin.reference import nequip_reference
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

pytestmark = pytest.mark.plugin

Save = Callable[..., Path]


@pytest.mark.parametrize(
    ("ranks", "newton", "dtype"),
    [(2, "on", "float64"), (4, "off", "float64"), (3, "on", "float32")],
)
def test_same_on_many_ranks(
    saved_nequip: Save, plugin: Path, tmp_path: Path, ranks: int, newton: str, dtype: str
) -> None:
    model = saved_nequip(model_dtype=dtype)
    atoms = random_system("wide", 90)
    deck = deck_for(model, before=f"newton {newton}")
    found = evaluate(tmp_path, atoms, deck, plugin, ranks)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY[dtype])


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("num_layers", [1, 2, 4, 6])
def test_every_number_of_ranks(
    saved_nequip: Save,
    plugin: Path,
    tmp_path: Path,
    ranks: int,
    newton: str,
    dtype: str,
    num_layers: int,
) -> None:
    model = saved_nequip(model_dtype=dtype, num_layers=num_layers, l_max=1)
    atoms = random_system("triclinic", 40)
    deck = deck_for(model, before=f"newton {newton}")
    found = evaluate(tmp_path, atoms, deck, plugin, ranks)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY[dtype])


def test_box_thinner_than_the_cutoff_on_two_ranks(
    saved_nequip: Save, plugin: Path, tmp_path: Path
) -> None:
    """An atom of the other rank is a neighbour through several of its images."""
    model = saved_nequip()
    atoms = random_system("thin", 7)
    found = evaluate(tmp_path, atoms, deck_for(model), plugin, ranks=2)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY["float64"])


@pytest.mark.parametrize("newton", ["on", "off"])
def test_dilute_gas_with_ranks_without_atoms(
    saved_nequip: Save, plugin: Path, tmp_path: Path, newton: str
) -> None:
    """Five atoms in one corner: two pairs across the border of two ranks, two ranks empty."""
    model = saved_nequip()
    positions = [[14.4, 2.0, 3.1], [15.7, 2.7, 3.9], [16.8, 1.1, 2.6], [3.3, 4.0, 5.0], [0.9, 2, 4]]
    atoms = Atoms("CHCHC", positions=positions, cell=[30.0, 28.0, 13.0], pbc=True)
    deck = deck_for(model, before=f"newton {newton}\nprocessors 2 2 1")
    found = evaluate(tmp_path, atoms, deck, plugin, ranks=4)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY["float64"])


def test_open_boundaries_on_two_ranks(saved_nequip: Save, plugin: Path, tmp_path: Path) -> None:
    model = saved_nequip()
    atoms = random_system("wide", 40, pbc=False)
    atoms.pbc = (False, False, True)
    atoms.cell = np.diag(atoms.cell.diagonal()) * 1.4
    found = evaluate(tmp_path, atoms, deck_for(model, before="boundary s f p"), plugin, ranks=2)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY["float64"])
