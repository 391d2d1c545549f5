"""Allegro as `.nequip.pt2`: strictly local, exact on any number of ranks."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from tests.plugin.aoti import compile_own, compile_target
from tests.plugin.comparison import assert_same
from tests.plugin.lammps_run import deck_for, evaluate
from tests.plugin.models import build_allegro, save_torchscript
from tests.plugin.reference import nequip_reference
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

# compiling takes half a minute
pytestmark = [pytest.mark.plugin, pytest.mark.slow]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return one model of nequip-compile, of our export, and as `.nequip.pth`."""
    pytest.importorskip("allegro", reason="nequip-allegro is not installed")
    import allegro._compile  # noqa: F401  (registers the target)

    folder = tmp_path_factory.mktemp("allegro")
    return {
        "stock": compile_target(
            build_allegro(scripted=False), folder / "stock.nequip.pt2", "pair_allegro"
        ),
        "own": compile_own(build_allegro(scripted=False), folder / "own.nequip.pt2"),
        "scripted": save_torchscript(build_allegro(), folder / "scripted.nequip.pth"),
    }


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("kind", ["stock", "own"])
def test_same_as_nequip(
    files: dict[str, Path], plugin: Path, tmp_path: Path, kind: str, ranks: int, newton: str
) -> None:
    atoms = random_system("triclinic", 40)
    deck = deck_for(files[kind], style="pair_style allegro", before=f"newton {newton}")
    found = evaluate(tmp_path, atoms, deck, plugin, ranks)
    expected = nequip_reference(files["scripted"], atoms)
    assert_same(found, expected, atoms, PLUGIN_PARITY["float64"])


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("kind", ["stock", "own"])
def test_thin_box_and_ranks_without_atoms(
    files: dict[str, Path], plugin: Path, tmp_path: Path, kind: str, ranks: int
) -> None:
    for atoms in (
        random_system("thin", 7),
        Atoms("CH", positions=[[2.0, 2.0, 3.1], [3.3, 2.7, 3.9]], cell=[30, 20, 20], pbc=True),
    ):
        deck = deck_for(files[kind], style="pair_style allegro")
        found = evaluate(tmp_path, atoms, deck, plugin, ranks)
        expected = nequip_reference(files["scripted"], atoms)
        assert np.abs(expected.forces).max() > 0.01
        assert_same(found, expected, atoms, PLUGIN_PARITY["float64"])
