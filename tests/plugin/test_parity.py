"""LAMMPS gives what nequip's own calculator gives: energy, forces, pressure, atomic energies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from tests.plugin.comparison import assert_same
from tests.plugin.lammps_run import DEVICE, deck_for, evaluate
from tests.plugin.reference import nequip_reference
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

pytestmark = pytest.mark.plugin

Save = Callable[..., Path]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("cell", "n_atoms"), [("thin", 7), ("triclinic", 40)])
def test_same_as_nequip(
    saved_nequip: Save, plugin: Path, tmp_path: Path, dtype: str, cell: str, n_atoms: int
) -> None:
    model = saved_nequip(model_dtype=dtype)
    atoms = random_system(cell, n_atoms)
    found = evaluate(tmp_path, atoms, deck_for(model), plugin)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY[dtype])


ARCHITECTURES: dict[str, dict[str, Any]] = {
    "one layer, l_max 0": {"num_layers": 1, "l_max": 0},
    "two layers, l_max 1, no parity": {"num_layers": 2, "l_max": 1, "parity": False},
    "cutoffs per pair of types": {
        "num_layers": 2,
        "l_max": 1,
        "per_edge_type_cutoff": {"C": {"C": 3.1, "H": 2.3}, "H": 2.7},
    },
    "repulsion of nuclei": {
        "num_layers": 2,
        "l_max": 1,
        "pair_potential": {
            "_target_": "nequip.nn.pair_potential.ZBL",
            "units": "metal",
            "chemical_species": ["C", "H"],
        },
    },
}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures(saved_nequip: Save, plugin: Path, tmp_path: Path, name: str) -> None:
    model = saved_nequip(**ARCHITECTURES[name])
    atoms = random_system("triclinic", 40)
    found = evaluate(tmp_path, atoms, deck_for(model), plugin)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY["float64"])


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("parity", [True, False])
@pytest.mark.parametrize("l_max", [0, 1, 2, 3])
@pytest.mark.parametrize("num_layers", [1, 2, 3, 4, 5, 6])
def test_every_architecture(
    saved_nequip: Save,
    plugin: Path,
    tmp_path: Path,
    num_layers: int,
    l_max: int,
    parity: bool,
    dtype: str,
) -> None:
    model = saved_nequip(
        num_layers=num_layers, l_max=l_max, parity=parity, num_features=4, model_dtype=dtype
    )
    atoms = random_system("triclinic", 24)
    found = evaluate(tmp_path, atoms, deck_for(model), plugin)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY[dtype])


@pytest.mark.parametrize(
    "keywords",
    ["device auto engine auto edges auto", f"engine torch edges host device {DEVICE}"],
)
def test_keywords_change_nothing(
    saved_nequip: Save, plugin: Path, tmp_path: Path, keywords: str
) -> None:
    """Any order; the device of the tests by its name. `edges device`: test_device."""
    model = saved_nequip()
    atoms = random_system("triclinic", 40)
    found = evaluate(
        tmp_path, atoms, deck_for(model, style=f"pair_style nequip {keywords}"), plugin
    )
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY["float64"])


def test_newton_off_changes_nothing(saved_nequip: Save, plugin: Path, tmp_path: Path) -> None:
    model = saved_nequip()
    atoms = random_system("triclinic", 40)
    found = evaluate(tmp_path, atoms, deck_for(model, before="newton off"), plugin)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY["float64"])


@pytest.mark.parametrize("n_atoms", [1, 3])
def test_atoms_out_of_reach(saved_nequip: Save, plugin: Path, tmp_path: Path, n_atoms: int) -> None:
    """One atom alone, or a pair and a third atom that sees nobody."""
    model = saved_nequip()
    positions = [[2.1, 3.3, 4.2], [3.0, 3.9, 4.9], [10.4, 8.8, 11.1]][:n_atoms]
    atoms = Atoms("CHC"[:n_atoms], positions=positions, cell=[17.0, 15.0, 14.0], pbc=True)
    found = evaluate(tmp_path, atoms, deck_for(model), plugin)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY["float64"])


def test_open_boundaries(saved_nequip: Save, plugin: Path, tmp_path: Path) -> None:
    model = saved_nequip()
    atoms = random_system("wide", 30, pbc=False)
    atoms.pbc = (False, False, True)
    atoms.cell = np.diag(atoms.cell.diagonal()) * 1.4
    found = evaluate(tmp_path, atoms, deck_for(model, before="boundary s f p"), plugin)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY["float64"])
