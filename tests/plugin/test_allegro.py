"""Allegro models, where nequip-allegro is installed."""

from pathlib import Path

import pytest

from tests.plugin.comparison import assert_same
from tests.plugin.lammps_run import deck_for, evaluate
from tests.plugin.models import TYPE_NAMES, deprecated_torchscript, save_torchscript
from tests.plugin.reference import nequip_reference
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

pytestmark = pytest.mark.plugin


@pytest.fixture(scope="module")
def allegro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small random-weight Allegro model."""
    pytest.importorskip("allegro", reason="nequip-allegro is not installed")
    with deprecated_torchscript():
        from allegro.model import AllegroModel
        from nequip.utils.compile import conditional_torchscript_mode
        from nequip.utils.global_state import set_global_state

        set_global_state(allow_tf32=False)
        with conditional_torchscript_mode(True):
            model = AllegroModel(
                seed=5,
                model_dtype="float64",
                r_max=4.0,
                type_names=TYPE_NAMES,
                l_max=1,
                num_layers=2,
                num_scalar_features=8,
                num_tensor_features=4,
                radial_chemical_embed={
                    "_target_": "allegro.nn.TwoBodyBesselScalarEmbed",
                    "num_bessels": 6,
                },
                avg_num_neighbors=4.0,
                per_type_energy_scales={"C": 1.3, "H": 0.7},
                per_type_energy_shifts={"C": -3.1, "H": -1.7},
            ).eval()
        path = tmp_path_factory.mktemp("allegro") / "allegro.nequip.pth"
        return save_torchscript(model, path)


@pytest.mark.parametrize(("style", "ranks"), [("allegro", 1), ("allegro", 3), ("nequip", 2)])
def test_same_as_nequip(
    allegro: Path, plugin: Path, tmp_path: Path, style: str, ranks: int
) -> None:
    atoms = random_system("triclinic", 40)
    deck = deck_for(allegro, style=f"pair_style {style}")
    found = evaluate(tmp_path, atoms, deck, plugin, ranks)
    assert_same(found, nequip_reference(allegro, atoms), atoms, PLUGIN_PARITY["float64"])
