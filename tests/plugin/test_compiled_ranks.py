"""`.nequip.pt2` of our own export: exact on any number of ranks, and what nequip itself reads."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io.lammpsdata import write_lammps_data

from tests.plugin.aoti import MODELS, compile_own
from tests.plugin.comparison import assert_same
from tests.plugin.lammps_run import SPECIES, deck_for, evaluate, launch
from tests.plugin.models import build_nequip, save_torchscript
from tests.plugin.reference import nequip_reference
from tests.plugin.states import read_dump
from tests.plugin.systems import random_system
from tests.tolerances import HEAT_FLUX_RANKS_RELATIVE, PLUGIN_PARITY

pytestmark = pytest.mark.plugin

Files = tuple[Path, Path]
Compiled = Callable[[str], Files]

# five atoms in one corner: two pairs across the border of two ranks, two of four ranks empty
GAS = Atoms(
    "CHCHC",
    positions=[[14.4, 2.0, 3.1], [15.7, 2.7, 3.9], [16.8, 1.1, 2.6], [3.3, 4.0, 5.0], [0.9, 2, 4]],
    cell=[30.0, 28.0, 13.0],
    pbc=True,
)
QUARTERS = {1: "", 2: "processors 2 1 1", 4: "processors 2 2 1"}
QUICK = "repulsion and cutoffs per pair"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """Return a function that makes one model as `.nequip.pt2` and as `.nequip.pth`, once."""
    folder = tmp_path_factory.mktemp("compiled")
    made: dict[str, Files] = {}

    def make(name: str) -> Files:
        if name not in made:
            stem = f"model{len(made)}.nequip"
            made[name] = (
                compile_own(build_nequip(scripted=False, **MODELS[name]), folder / f"{stem}.pt2"),
                save_torchscript(build_nequip(**MODELS[name]), folder / f"{stem}.pth"),
            )
        return made[name]

    return make


def assert_exact(
    name: str, files: Files, atoms: Atoms, plugin: Path, folder: Path, ranks: int, before: str
) -> None:
    found = evaluate(folder, atoms, deck_for(files[0], before=before), plugin, ranks)
    tolerance = PLUGIN_PARITY[MODELS[name].get("model_dtype", "float64")]
    assert_same(found, nequip_reference(files[1], atoms), atoms, tolerance)


@pytest.mark.parametrize(("ranks", "newton"), [(1, "on"), (2, "on"), (3, "off"), (4, "on")])
def test_same_on_many_ranks(
    compiled: Compiled, plugin: Path, tmp_path: Path, ranks: int, newton: str
) -> None:
    atoms = random_system("wide", 90)
    assert_exact(QUICK, compiled(QUICK), atoms, plugin, tmp_path, ranks, f"newton {newton}")


@pytest.mark.slow
@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
@pytest.mark.parametrize("name", MODELS)
def test_every_model_on_every_number_of_ranks(
    compiled: Compiled, plugin: Path, tmp_path: Path, name: str, ranks: int, newton: str
) -> None:
    atoms = random_system("triclinic", 40)
    assert_exact(name, compiled(name), atoms, plugin, tmp_path, ranks, f"newton {newton}")


@pytest.mark.parametrize("name", [QUICK, pytest.param("l_max 2", marks=pytest.mark.slow)])
def test_box_thinner_than_the_cutoff_on_two_ranks(
    compiled: Compiled, plugin: Path, tmp_path: Path, name: str
) -> None:
    atoms = random_system("thin", 7)
    assert_exact(name, compiled(name), atoms, plugin, tmp_path, 2, "")


@pytest.mark.parametrize("newton", ["on", "off"])
def test_dilute_gas_with_ranks_without_atoms(
    compiled: Compiled, plugin: Path, tmp_path: Path, newton: str
) -> None:
    """Ranks of no atom, and of one atom with neighbours on another rank."""
    positions = [[14.4, 2.0, 3.1], [15.7, 2.7, 3.9], [16.8, 1.1, 2.6], [3.3, 4.0, 5.0], [0.9, 2, 4]]
    atoms = Atoms("CHCHC", positions=positions, cell=[30.0, 28.0, 13.0], pbc=True)
    before = f"newton {newton}\nprocessors 2 2 1"
    assert_exact(QUICK, compiled(QUICK), atoms, plugin, tmp_path, 4, before)
    pair = atoms[[0, 1]]
    assert_exact(
        QUICK, compiled(QUICK), pair, plugin, tmp_path, 2, before.replace("2 2 1", "2 1 1")
    )


def test_after_steps_of_a_changing_box(compiled: Compiled, plugin: Path, tmp_path: Path) -> None:
    """The parts follow new nodes, new owners, and steps that ask for per-atom virials."""
    file, scripted = compiled(QUICK)
    write_lammps_data(
        tmp_path / "system.data",
        random_system("triclinic", 40, closest=1.3),
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    deck = f"""units metal
atom_style atomic
read_data system.data
pair_style nequip
pair_coeff * * {file} H C
velocity all create 9000 4711 mom yes
timestep 0.0005
neighbor 0.4 bin
neigh_modify every 1 delay 0 check yes
compute s all stress/atom NULL virial
compute sum all reduce sum c_s[1]
thermo 3
thermo_style custom step pe c_sum
thermo_modify norm no
fix 1 all npt temp 9000 9000 0.05 tri 0 0 0.1
fix 2 all balance 4 1.0 shift xyz 5 1.0
run 11
print "STATE $(pe:%.17g)"
write_dump all custom last.dump id type x y z fx fy fz modify sort id format float %.17g
"""
    output = launch(tmp_path, deck, plugin, ranks=2).stdout
    assert "STATE " in output, output[-3000:]
    assert int(output.split(" node rebuilds")[0].split()[-1]) > 3
    atoms, forces = read_dump(tmp_path / "last.dump")
    expected = nequip_reference(scripted, atoms)
    tolerance = PLUGIN_PARITY["float64"]
    energy_off = abs(float(output.split("STATE ")[1].split()[0]) - expected.energy)
    assert energy_off < tolerance.energy_eV * len(atoms)
    np.testing.assert_allclose(forces, expected.forces, rtol=0, atol=tolerance.force_eV_A)


@pytest.mark.parametrize("name", [QUICK, pytest.param("four layers", marks=pytest.mark.slow)])
def test_atomic_virials_are_those_of_the_scripted_model(
    compiled: Compiled, plugin: Path, tmp_path: Path, name: str
) -> None:
    """What a heat flux is made of; test_heat_flux compares the scripted model with theory."""
    file, scripted = compiled(name)
    for atoms, ranks in ((random_system("thin", 7), 2), (GAS, 4)):
        expected = atomic_virials(scripted, atoms, plugin, tmp_path, 1)
        assert expected.shape == (len(atoms), 9)
        limit = HEAT_FLUX_RANKS_RELATIVE * np.abs(expected).max()
        for model, n in ((file, 1), (file, ranks), (scripted, ranks)):
            found = atomic_virials(model, atoms, plugin, tmp_path, n)
            assert np.abs(found - expected).max() < limit


def atomic_virials(model: Path, atoms: Atoms, plugin: Path, folder: Path, ranks: int) -> np.ndarray:
    more = "compute s all centroid/stress/atom NULL virial\n"
    more += "dump s all custom 1 stress.txt id c_s[*]\n"
    more += "dump_modify s sort id format float %.17g"
    evaluate(folder, atoms, deck_for(model, before=QUARTERS[ranks], after=more), plugin, ranks)
    return np.loadtxt(folder / "stress.txt", skiprows=9)[:, 1:]


def test_its_first_entry_is_that_of_nequip_compile(compiled: Compiled) -> None:
    """So upstream's pair style finds what it asks for."""
    from nequip.scripts._compile_utils import COMPILE_TARGET_DICT
    from torch._C._aoti import AOTIModelPackageLoader

    metadata = AOTIModelPackageLoader(str(compiled(QUICK)[0]), "model", False, 1, -1).get_metadata()
    target = COMPILE_TARGET_DICT["pair_nequip"]
    assert metadata["nequip_aoti_inputs"].split() == target["input"]
    assert metadata["nequip_aoti_outputs"].split() == target["output"]
    assert metadata["type_names"] == "C H"


def refusal(model: Path, plugin: Path, folder: Path, style: str = "nequip", ranks: int = 2) -> str:
    write_lammps_data(
        folder / "system.data",
        random_system("triclinic", 40),
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    done = launch(folder, deck_for(model, style=f"pair_style {style}"), plugin, ranks)
    assert done.returncode != 0
    return done.stdout


def test_a_file_without_a_part_is_refused(compiled: Compiled, plugin: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.nequip.pt2"
    with zipfile.ZipFile(compiled(QUICK)[0]) as whole, zipfile.ZipFile(cut, "w") as rest:
        for entry in whole.infolist():
            if "part02" not in entry.filename:
                rest.writestr(entry, whole.read(entry))
    output = refusal(cut, plugin, tmp_path)
    assert "has no part02 for several ranks" in output
    assert "export it again" in output


def test_allegro_style_is_refused(compiled: Compiled, plugin: Path, tmp_path: Path) -> None:
    output = refusal(compiled(QUICK)[0], plugin, tmp_path, style="allegro", ranks=1)
    assert "is a message-passing model; use pair_style nequip" in output


def test_wrong_extension_is_refused(compiled: Compiled, plugin: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "model.pt2"
    shutil.copyfile(compiled(QUICK)[0], renamed)
    assert "ends neither in .nequip.pth nor in .nequip.pt2" in refusal(renamed, plugin, tmp_path)
