"""Allegro models, where nequip-allegro is installed."""

from pathlib import Path

import pytest

from tests.plugin.comparison import assert_same
from tests.plugin.lammps_run import deck_for, evaluate
from tests.plugin.models import build_allegro, save_torchscript
from tests.plugin.reference import nequip_reference
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

pytestmark = pytest.mark.plugin


@pytest.fixture(scope="module")
def allegro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small random-weight Allegro model."""
    pytest.importorskip("allegro", reason="nequip-allegro is not installed")
    path = tmp_path_factory.mktemp("allegro") / "allegro.nequip.pth"
    return save_torchscript(build_allegro(), path)


@pytest.mark.parametrize(("style", "ranks"), [("allegro", 1), ("allegro", 3), ("nequip", 2)])
def test_same_as_nequip(
    allegro: Path, plugin: Path, tmp_path: Path, style: str, ranks: int
) -> None:
    atoms = random_system("triclinic", 40)
    deck = deck_for(allegro, style=f"pair_style {style}")
    found = evaluate(tmp_path, atoms, deck, plugin, ranks)
    assert_same(found, nequip_reference(allegro, atoms), atoms, PLUGIN_PARITY["float64"])
