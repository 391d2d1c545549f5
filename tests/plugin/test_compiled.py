"""Stock `.nequip.pt2` files: exact on one rank, refused on several where they would be wrong."""

from pathlib import Path

import pytest
from ase.io.lammpsdata import write_lammps_data

from tests.plugin.aoti import MODELS as OWN_MODELS
from tests.plugin.aoti import compile_stock
from tests.plugin.comparison import assert_same
from tests.plugin.lammps_run import SPECIES, deck_for, evaluate, launch
from tests.plugin.models import build_nequip, save_torchscript
from tests.plugin.reference import nequip_reference
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

# compiling one graph takes half a minute
pytestmark = [pytest.mark.plugin, pytest.mark.slow]

MODELS = {
    "plain": {"num_layers": 2, "l_max": 1, "num_features": 4},
    "repulsion and cutoffs per pair": OWN_MODELS["repulsion and cutoffs per pair"],
    "float32, l_max 3": {"num_layers": 2, "l_max": 3, "num_features": 2, "model_dtype": "float32"},
    "six layers, l_max 0": OWN_MODELS["six layers, l_max 0"],
}


def make(name: str, folder: Path) -> tuple[Path, Path]:
    compiled = compile_stock(MODELS[name], folder / "model.nequip.pt2")
    return compiled, save_torchscript(build_nequip(**MODELS[name]), folder / "model.nequip.pth")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return one model as `.nequip.pt2` and as `.nequip.pth`."""
    return make("plain", tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="module", params=MODELS)
def each(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, str]:
    """Return every model in both formats, and its precision."""
    precision = str(MODELS[request.param].get("model_dtype", "float64"))
    return *make(request.param, tmp_path_factory.mktemp("each")), precision


@pytest.mark.parametrize(("cell", "n_atoms"), [("thin", 7), ("triclinic", 40), ("wide", 1)])
def test_same_as_nequip(
    each: tuple[Path, Path, str], plugin: Path, tmp_path: Path, cell: str, n_atoms: int
) -> None:
    compiled, scripted, precision = each
    atoms = random_system(cell, n_atoms)
    found = evaluate(tmp_path, atoms, deck_for(compiled), plugin)
    assert_same(found, nequip_reference(scripted, atoms), atoms, PLUGIN_PARITY[precision])


def refusal(
    compiled: Path,
    plugin: Path,
    folder: Path,
    ranks: int = 1,
    more: str = "",
    style: str = "nequip",
) -> str:
    write_lammps_data(
        folder / "system.data",
        random_system("triclinic", 40),
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    deck = deck_for(compiled, style=f"pair_style {style}", after=more)
    done = launch(folder, deck, plugin, ranks)
    assert done.returncode != 0
    return done.stdout


def test_several_ranks_are_refused(files: tuple[Path, Path], plugin: Path, tmp_path: Path) -> None:
    output = refusal(files[0], plugin, tmp_path, ranks=2)
    assert "runs on one rank only; a stock .nequip.pt2 passes messages within one rank" in output
    assert "lmp-thermo potential export --compiled" in output


def test_atomic_virials_are_refused(files: tuple[Path, Path], plugin: Path, tmp_path: Path) -> None:
    stress = "compute s all stress/atom NULL virial\ncompute r all reduce sum c_s[1]\n"
    more = f"{stress}thermo_style custom step pe c_r"
    output = refusal(files[0], plugin, tmp_path, more=more)
    assert "cannot be had from this compiled graph; use the model as .nequip.pth" in output


def test_truncated_file_is_refused(files: tuple[Path, Path], plugin: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.nequip.pt2"
    cut.write_bytes(files[0].read_bytes()[:2000])
    assert "cut.nequip.pt2 is truncated or not an AOTInductor" in refusal(cut, plugin, tmp_path)


def test_allegro_style_is_refused(files: tuple[Path, Path], plugin: Path, tmp_path: Path) -> None:
    output = refusal(files[0], plugin, tmp_path, style="allegro")
    assert "is a message-passing model; use pair_style nequip" in output
