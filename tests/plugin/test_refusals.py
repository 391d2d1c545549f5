"""What the pair style refuses: one line that names cause and remedy, on every rank, no hang."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.io.lammpsdata import write_lammps_data

from tests.plugin.lammps_run import SPECIES, launch
from tests.plugin.systems import random_system

pytestmark = pytest.mark.plugin

RANKS = 2
START = "units metal\natom_style atomic\nread_data system.data\n"
EXPECTED = {
    "units": r"units are real, but models are in eV and Angstrom; use units metal",
    "unknown type name": r"type name X is not in the model; it has C H",
    "too few names": r"names 1 model type\(s\), but the system has 2 atom type\(s\)",
    "too many names": r"names 3 model type\(s\), but the system has 2 atom type\(s\)",
    "only NULL": r"every name in pair_coeff is NULL",
    "no file": r"expected pair_coeff \* \* FILE followed by 2 model type name\(s\)",
    "missing file": r"nowhere.nequip.pth is missing or cannot be read; check the path",
    "missing file on one rank": r"of1.nequip.pth is missing or cannot be read; check the path",
    "truncated file": r"cut.nequip.pth is truncated or not a TorchScript file .*export it again",
    "foreign file": r"text.nequip.pth is truncated or not a TorchScript file .*export it again",
    "foreign model": r"other.nequip.pth is not a NequIP or Allegro model .*export the model again",
    "foreign compiled file": r"text.nequip.pt2 is truncated or not an AOTInductor .*export it",
    "foreign compiled model": r"other.nequip.pt2 is not a NequIP or Allegro model .*export the",
    "compiled for a GPU": r"gpu.nequip.pt2 was compiled for cuda, but device is cpu; compile it",
    "compiled long ago": r"old.nequip.pt2 does not name its inputs; compile it again with nequip",
    "wrong extension": r"model.pth ends neither in .nequip.pth nor in .nequip.pt2",
    "no atom IDs": r"atoms have no IDs; remove atom_modify id no",
    "respa": r"run_style respa is not supported; use run_style verlet",
    "allegro with messages": r"is a message-passing model; use pair_style nequip",
    "no GPU": r"device cuda asked for, but torch sees no CUDA GPU here; use device cpu",
    "unknown device": r"device tpu is not one of auto, cpu, cuda, cuda:N",
    "unknown edges": r"edges here is not one of auto, host, device",
    "unknown engine": r"engine magic is not one of auto, torch",
    "unknown keyword": r"unknown keyword colour; known are device, edges, engine",
    "keyword without value": r"keyword device needs a value",
    "bonded neighbours": r"special_bonds removes bonded neighbours .* lj/coul 1.0 1.0 1.0 or",
    "no such GPU": r"device cuda:3 asked for, but torch sees no CUDA GPU here; use device cpu",
    "NULL without hybrid": r"NULL for atom type 2 .* use pair_style hybrid/overlay",
}


COMPILED = {"AOTI_DEVICE_KEY": "cpu", "r_max": "4.0", "type_names": "C H"}


def write_package(path: Path, metadata: dict[str, str]) -> None:
    """Write what the pair style reads first of a `.nequip.pt2`; there is no graph in it."""
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("package/archive_format", "pt2")
        entry = "package/data/aotinductor/model/graph.wrapper_metadata.json"
        package.writestr(entry, json.dumps(metadata))


def decks(model: Path, folder: Path) -> dict[str, str]:
    use = f"pair_style nequip\npair_coeff * * {model} H C\n"
    body = model.read_bytes()
    (folder / "cut.nequip.pth").write_bytes(body[: len(body) // 2])
    (folder / "text.nequip.pth").write_text("not a model\n")
    (folder / "model.pth").write_bytes(body)
    (folder / "of0.nequip.pth").write_bytes(body)
    (folder / "text.nequip.pt2").write_text("not a model\n")
    write_package(folder / "other.nequip.pt2", {"AOTI_DEVICE_KEY": "cpu"})
    write_package(folder / "gpu.nequip.pt2", {**COMPILED, "AOTI_DEVICE_KEY": "cuda"})
    write_package(folder / "old.nequip.pt2", COMPILED)
    import torch

    from tests.plugin.models import deprecated_torchscript

    with deprecated_torchscript():
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), folder / "other.nequip.pth")

    def named(file: str, names: str = "H C", style: str = "nequip") -> str:
        return f"{START}pair_style {style}\npair_coeff * * {file} {names}\nrun 0\n"

    return {
        "units": f"units real\natom_style atomic\nread_data system.data\n{use}run 0\n",
        "unknown type name": named(str(model), "H X"),
        "too few names": named(str(model), "H"),
        "too many names": named(str(model), "H C C"),
        "only NULL": f"{START}pair_style hybrid/overlay nequip\n"
        f"pair_coeff * * nequip {model} NULL NULL\n",
        "no file": f"{START}pair_style nequip\npair_coeff * *\n",
        "missing file": named("nowhere.nequip.pth"),
        "missing file on one rank": named("ofRANK.nequip.pth"),
        "truncated file": named("cut.nequip.pth"),
        "foreign file": named("text.nequip.pth"),
        "foreign model": named("other.nequip.pth"),
        "foreign compiled file": named("text.nequip.pt2"),
        "foreign compiled model": named("other.nequip.pt2"),
        "compiled for a GPU": named("gpu.nequip.pt2"),
        "compiled long ago": named("old.nequip.pt2"),
        "wrong extension": named("model.pth"),
        "no atom IDs": "units metal\natom_style atomic\natom_modify id no\n"
        "region box block 0 9 0 9 0 9\ncreate_box 2 box\ncreate_atoms 1 single 1 1 1\n"
        f"mass * 1.0\n{use}run 0\n",
        "respa": f"{START}run_style respa 2 2\n{use}run 0\n",
        "allegro with messages": named(str(model), style="allegro"),
        "no GPU": named(str(model), style="nequip device cuda"),
        "unknown device": named(str(model), style="nequip device tpu"),
        "unknown edges": named(str(model), style="nequip edges here"),
        "no such GPU": named(str(model), style="nequip device cuda:3"),
        # LAMMPS's default of special_bonds drops them
        "bonded neighbours": "units metal\natom_style bond\nregion box block 0 9 0 9 0 9\n"
        "create_box 2 box bond/types 1 extra/bond/per/atom 2 extra/special/per/atom 4\n"
        "create_atoms 1 single 1 1 1\ncreate_atoms 2 single 2 1 1.3\nmass * 1.0\n"
        "create_bonds single/bond 1 1 2\nbond_style zero\nbond_coeff *\n"
        f"{use}run 0\n",
        "unknown engine": named(str(model), style="nequip engine magic"),
        "unknown keyword": named(str(model), style="nequip colour red"),
        "keyword without value": named(str(model), style="nequip device"),
        "NULL without hybrid": named(str(model), "H NULL"),
    }


@pytest.fixture(scope="module")
def messages(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """Return what each rank was told in each case."""
    folder = tmp_path_factory.mktemp("refusals")
    atoms = random_system("triclinic", 20)
    write_lammps_data(
        folder / "system.data",
        atoms,
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    cases = decks(saved_nequip(), folder)
    assert set(cases) == set(EXPECTED)
    (folder / "cases.json").write_text(json.dumps(cases))
    shutil.copy(Path(__file__).with_name("refusal_worker.py"), folder / "worker.py")
    done = subprocess.run(
        ["mpirun", "-np", str(RANKS), sys.executable, "worker.py", "cases.json"],
        cwd=folder,
        env={**os.environ, "LAMMPS_PLUGIN_PATH": str(plugin), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            told.update(json.loads(line))
    told["_output"] = [done.stdout[-2000:], done.stderr[-2000:]]
    return told


@pytest.mark.parametrize("case", EXPECTED)
def test_refused(messages: dict[str, list[str]], case: str) -> None:
    assert case in messages, messages["_output"]
    told = messages[case]
    assert len(told) == RANKS
    for message in told:
        assert re.search(EXPECTED[case], message), message
        assert message.count("\n") <= 1


@pytest.mark.parametrize("ranks", [1, 2])
def test_not_a_number_stops_all_ranks(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path, ranks: int
) -> None:
    """Two atoms in one place: a distance of zero has no direction."""
    deck = f"""{START}
create_atoms 1 single 1.25 1.5 2.0
create_atoms 1 single 1.25 1.5 2.0
pair_style nequip
pair_coeff * * {saved_nequip()} H C
run 0
"""
    atoms = random_system("triclinic", 20)
    write_lammps_data(
        tmp_path / "system.data",
        atoms,
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    said = r"of atom \d+ at \(1\.2500, 1\.5000, 2\.0000\) is not finite; look for overlapping atoms"
    for _ in range(3):  # mpirun can lose the last line of a rank that aborts on a busy machine
        done = launch(tmp_path, deck, plugin, ranks, timeout=60)
        assert done.returncode != 0
        if re.search(said, done.stdout):
            return
    raise AssertionError(done.stdout)


# LAMMPS_NS::Comm::get_comm_cutoff(): another answer for the plugin only, since LAMMPS itself would
# look for neighbours beyond its ghosts
NARROW = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
double _ZN9LAMMPS_NS4Comm15get_comm_cutoffEv(void *comm)
{
  double (*real)(void *) = dlsym(RTLD_NEXT, "_ZN9LAMMPS_NS4Comm15get_comm_cutoffEv");
  Dl_info caller;
  if (dladdr(__builtin_return_address(0), &caller) && strstr(caller.dli_fname, "lmp_thermo_plugin"))
    return 1.5;
  return real(comm);
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler for a false LAMMPS")
def test_ghosts_too_near(
    saved_nequip: Callable[..., Path],
    plugin: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """LAMMPS widens a too small comm_modify cutoff: one that would not is refused."""
    source = tmp_path / "narrow.c"
    source.write_text(NARROW)
    library = tmp_path / "narrow.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    write_lammps_data(
        tmp_path / "system.data",
        random_system("triclinic", 20),
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    deck = f"{START}pair_style nequip\npair_coeff * * {saved_nequip()} H C\nrun 0\n"
    done = launch(tmp_path, deck, plugin, RANKS, timeout=60)
    assert done.returncode != 0
    assert re.search(
        r"ghost atoms reach to 1\.5 A, but the model sees 4 A; raise comm_modify cutoff",
        done.stdout,
    ), done.stdout
