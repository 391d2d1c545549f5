"""Edges formed where the model runs, and which rank runs where.

There need be no GPU: `edges device` takes the same way through the code on a CPU.
"""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.io.lammpsdata import write_lammps_data

from tests.plugin.aoti import compile_stock
from tests.plugin.comparison import assert_same
from tests.plugin.lammps_run import SPECIES, deck_for, evaluate, launch
from tests.plugin.models import build_nequip, save_torchscript
from tests.plugin.reference import nequip_reference
from tests.plugin.states import read_dump
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

pytestmark = pytest.mark.plugin

Save = Callable[..., Path]
DEVICE = "pair_style nequip edges device"
BY_PAIR = {
    "num_layers": 2,
    "l_max": 1,
    "per_edge_type_cutoff": {"C": {"C": 3.1, "H": 2.3}, "H": 2.7},
}


@pytest.mark.parametrize(
    ("cell", "n_atoms", "ranks", "newton", "settings"),
    [
        ("thin", 7, 1, "on", {}),
        ("triclinic", 40, 2, "off", BY_PAIR),
        pytest.param("wide", 1, 1, "on", {}, marks=pytest.mark.slow),
        pytest.param("wide", 90, 4, "on", {"model_dtype": "float32"}, marks=pytest.mark.slow),
    ],
)
def test_edges_of_the_device(
    saved_nequip: Save,
    plugin: Path,
    tmp_path: Path,
    cell: str,
    n_atoms: int,
    ranks: int,
    newton: str,
    settings: dict[str, Any],
) -> None:
    model = saved_nequip(**settings)
    atoms = random_system(cell, n_atoms)
    deck = deck_for(model, style=DEVICE, before=f"newton {newton}")
    found = evaluate(tmp_path, atoms, deck, plugin, ranks)
    dtype = settings.get("model_dtype", "float64")
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY[dtype])


def test_ranks_without_atoms(saved_nequip: Save, plugin: Path, tmp_path: Path) -> None:
    model = saved_nequip()
    positions = [[14.4, 2.0, 3.1], [15.7, 2.7, 3.9], [16.8, 1.1, 2.6], [3.3, 4.0, 5.0]]
    atoms = Atoms("CHCH", positions=positions, cell=[30.0, 28.0, 13.0], pbc=True)
    deck = deck_for(model, style=DEVICE, before="processors 2 2 1")
    found = evaluate(tmp_path, atoms, deck, plugin, ranks=4)
    assert_same(found, nequip_reference(model, atoms), atoms, PLUGIN_PARITY["float64"])


@pytest.mark.slow
def test_compiled_graph(plugin: Path, tmp_path: Path) -> None:
    """A `.nequip.pt2` gives forces itself: it only gets other edges."""
    settings = {"num_layers": 2, "l_max": 1, "num_features": 4}
    compiled = compile_stock(settings, tmp_path / "model.nequip.pt2")
    scripted = save_torchscript(build_nequip(**settings), tmp_path / "model.nequip.pth")
    atoms = random_system("triclinic", 40)
    found = evaluate(tmp_path, atoms, deck_for(compiled, style=DEVICE), plugin)
    assert_same(found, nequip_reference(scripted, atoms), atoms, PLUGIN_PARITY["float64"])


def test_between_rebuilds(saved_nequip: Save, plugin: Path, tmp_path: Path) -> None:
    """A changing box, hot atoms, steps in between that ask for per-atom virials: as on the host.

    Both runs start alike; what differs is round-off, which cannot grow tenfold in 5 fs.
    """
    model = saved_nequip(**BY_PAIR)
    atoms = random_system("triclinic", 40, closest=1.3)
    write_lammps_data(
        tmp_path / "system.data",
        atoms,
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    deck = ""
    for edges in ("host", "device"):
        deck += f"""clear
units metal
atom_style atomic
read_data system.data
pair_style nequip edges {edges}
pair_coeff * * {model} H C
velocity all create 9000 4711 mom yes
timestep 0.0005
neighbor 0.4 bin
neigh_modify every 1 delay 0 check yes
compute s all centroid/stress/atom NULL virial
compute sum all reduce sum c_s[1] c_s[5] c_s[9]
thermo 3
thermo_style custom step pe pxx pyz c_sum[1] c_sum[2] c_sum[3]
thermo_modify norm no
fix 1 all npt temp 9000 9000 0.05 tri 0 0 0.1
run 11
print "STATE {edges} $(pe:%.17g) $(pxx:%.17g) $(pyz:%.17g) $(c_sum[1]:%.17g) $(c_sum[2]:%.17g)"
write_dump all custom {edges}.dump id type x y z fx fy fz modify sort id format float %.17g
"""
    done = launch(tmp_path, deck, plugin, ranks=2)
    states = [line.split() for line in done.stdout.splitlines() if line.startswith("STATE ")]
    values = {name: np.array(words, dtype=float) for _, name, *words in states}
    assert set(values) == {"host", "device"}, done.stdout[-3000:]
    rebuilds = [line for line in done.stdout.splitlines() if "node rebuilds" in line]
    assert all(int(line.split()[4]) > 3 for line in rebuilds), rebuilds
    np.testing.assert_allclose(values["device"], values["host"], rtol=1e-9)
    tolerance = PLUGIN_PARITY["float64"].force_eV_A
    _, host = read_dump(tmp_path / "host.dump")
    _, device = read_dump(tmp_path / "device.dump")
    np.testing.assert_allclose(device, host, rtol=0, atol=tolerance)


CHOICES = {
    # asked, GPUs, rank of the node: GPU (-1: CPU) or what is said
    ("auto", 0, 3): "-1",
    ("auto", 2, 0): "0",
    ("auto", 2, 3): "1",
    ("cpu", 2, 1): "-1",
    ("cuda", 4, 2): "2",
    ("cuda", 4, 6): "2",
    ("cuda:1", 2, 0): "1",
    ("cuda", 0, 0): "device cuda asked for, but torch sees no CUDA GPU here; use device cpu",
    ("cuda:0", 0, 0): "device cuda:0 asked for, but torch sees no CUDA GPU here; use device cpu",
    ("cuda:2", 2, 0): "device cuda:2 asked for, but torch sees 2 GPU(s); use device cuda",
    ("cuda:99999999999", 2, 0): "device cuda:99999999999 asked for, but torch sees 2 GPU(s); "
    "use device cuda",
}
SHARING = {
    ("a 0", "a 1", "b 0", "b 1"): "",
    ("", "", ""): "",
    ("a 0", ""): "",
    (
        "a 0",
        "a 1",
        "a 0",
        "b 0",
        "a 0",
        "",
    ): "5 ranks share 3 GPU(s), up to 3 on one; "
    "start as many ranks as there are GPUs, or give each rank its own",
}
PROGRAM = """
#include "device_choice.h"
#include <iostream>
int main() {
  for (std::string what; std::getline(std::cin, what);) {
    std::string first, second;
    if (what == "choose") {
      std::getline(std::cin, what); std::getline(std::cin, first); std::getline(std::cin, second);
      const auto c = lmp_thermo::choose_device(what, std::stoi(first), std::stoi(second));
      std::cout << (c.error.empty() ? std::to_string(c.gpu) : c.error) << std::endl;
    } else {
      std::getline(std::cin, first);
      std::vector<std::string> names(std::stoul(first));
      for (auto &name : names) std::getline(std::cin, name);
      std::cout << lmp_thermo::sharing_warning(names) << std::endl;
    }
  }
}
"""


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
def test_device_of_a_rank(tmp_path: Path) -> None:
    """The choice is a function of plain values, so that it is tested without a GPU."""
    source = Path(__file__).parents[2] / "plugin"
    (tmp_path / "choice.cpp").write_text(PROGRAM)
    command = ["c++", "-std=c++20", f"-I{source}", "choice.cpp", str(source / "device_choice.cpp")]
    subprocess.run([*command, "-o", "choice"], cwd=tmp_path, check=True)
    asked = [f"choose\n{device}\n{gpus}\n{rank}\n" for device, gpus, rank in CHOICES]
    asked += ["share\n" + "\n".join([str(len(names)), *names, ""]) for names in SHARING]
    done = subprocess.run(
        [tmp_path / "choice"], input="".join(asked), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [*CHOICES.values(), *SHARING.values()]
