"""A torch or a LAMMPS that the plugin was not built for is refused, with both versions named."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.io.lammpsdata import write_lammps_data

from lmp_thermo.launch import find_lmp
from tests.plugin.lammps_run import SPECIES, launch
from tests.plugin.systems import random_system

pytestmark = pytest.mark.plugin

START = "units metal\natom_style atomic\nread_data system.data\npair_style nequip\n"


def write_data(folder: Path) -> None:
    write_lammps_data(
        folder / "system.data",
        random_system("triclinic", 5),
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )


def refused(folder: Path, plugin: Path, deck: str, ranks: int) -> str:
    write_data(folder)
    done = launch(folder, deck, plugin, ranks, timeout=60)
    assert done.returncode != 0
    return done.stdout


@pytest.mark.parametrize("ranks", [1, 2])
def test_another_torch(
    saved_nequip: Callable[..., Path],
    plugin: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ranks: int,
) -> None:
    (tmp_path / "torch" / "lib").mkdir(parents=True)
    (tmp_path / "torch" / "lib" / "libtorch_cpu.so").touch()
    (tmp_path / "torch" / "version.py").write_text("__version__ = '1.99.0+cpu'\n")
    monkeypatch.setenv("LMP_THERMO_TORCH_LIB", str(tmp_path / "torch" / "lib"))
    output = refused(tmp_path, plugin, f"{START}pair_coeff * * {saved_nequip()} H C\n", ranks)
    assert re.search(
        r"found torch 1\.99\.0\+cpu in .*, but this plugin was built for torch \d+\.\d+\.\d+.*; "
        r"install torch==",
        output,
    ), output


def test_torch_side_missing(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "plugin"
    alone.mkdir()
    shutil.copy(plugin / "lmp_thermo_plugin.so", alone)
    write_data(tmp_path)
    (tmp_path / "in.lmp").write_text(f"{START}pair_coeff * * {saved_nequip()} H C\n")
    lammps = find_lmp()  # the launcher `lmp` would add the folder of the installed plugin
    done = subprocess.run(
        [lammps.binary, "-in", "in.lmp"],
        cwd=tmp_path,
        env={**lammps.environment, "LAMMPS_PLUGIN_PATH": str(alone)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert re.search(r"the torch side of the plugin cannot be loaded: .*build the plugin", output)


OTHERS = {
    "int lammps_version(void *handle) { (void) handle; return 20200303; }\n": (
        r"built for LAMMPS \d{8}, but this is LAMMPS 20200303; build the plugin"
    ),
    "#include <string.h>\nint lammps_extract_setting(void *handle, const char *name)\n"
    '{ (void) handle; return strcmp(name, "tagint") == 0 ? 8 : 4; }\n': (
        r"with atom IDs of 32 bits, but this one has 64 \(LMP_THERMO_LAMMPS_SIZES\); build"
    ),
}


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler for a false LAMMPS")
@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("other", OTHERS, ids=["version", "sizes"])
def test_another_lammps(
    plugin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str, ranks: int
) -> None:
    """Refused on use, not on load: decks that use other styles must go on running."""
    source = tmp_path / "other.c"
    source.write_text(other)
    library = tmp_path / "other.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    deck = "units metal\nlattice fcc 4\nregion b block 0 3 0 3 0 3\ncreate_box 1 b\nmass 1 1\n"
    output = refused(tmp_path, plugin, f"{deck}pair_style nequip\n", ranks)
    assert re.search(OTHERS[other], output), output
    harmless = launch(tmp_path, f"{deck}pair_style zero 3.0\n", plugin)
    assert harmless.returncode == 0
