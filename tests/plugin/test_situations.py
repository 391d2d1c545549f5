"""Whatever LAMMPS does to the system, the last state is what nequip says of it.

One job walks through all situations with `clear` in between; each ends with a dump and a line of
thermo, which are compared with nequip's own calculator.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ase.io.lammpsdata import write_lammps_data

from tests.plugin.aoti import compile_own
from tests.plugin.comparison import note
from tests.plugin.lammps_run import SPECIES, launch
from tests.plugin.models import build_nequip
from tests.plugin.reference import nequip_reference
from tests.plugin.states import read_dump
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

pytestmark = pytest.mark.plugin

# ranks, who forms the edges, and the format of the model
WALKS = [
    pytest.param((2, "auto", "pth"), id="2"),
    *(
        pytest.param(walk, id=" ".join(map(str, walk)), marks=pytest.mark.slow)
        for walk in [
            (1, "auto", "pth"),
            (4, "auto", "pth"),
            (1, "device", "pth"),
            (3, "device", "pth"),
            (1, "auto", "pt2"),
            (3, "auto", "pt2"),
        ]
    ),
]
MODEL = {"num_layers": 2, "l_max": 1, "num_features": 4}
USE = "pair_style nequip\npair_coeff * * MODEL H C\n"
READ = f"read_data system.data\n{USE}"
HOT = "velocity all create 400 4711 mom yes\ntimestep 0.0005\nneighbor 0.5 bin\n"
NEIGHBOURS = "neigh_modify every 1 delay 0 check yes\n"
SITUATIONS = {
    "replicate": f"{READ}replicate 2 1 1\nrun 0",
    "balance by planes": f"{READ}{HOT}balance 0.9 shift xyz 5 1.0\nfix 1 all nve\nrun 8",
    "balance by tiles": f"comm_style tiled\n{READ}{HOT}balance 0.9 rcb\nfix 1 all nve\nrun 8",
    "fix balance": f"{READ}{HOT}fix b all balance 5 1.0 shift xyz 5 1.0\nfix 1 all nve\nrun 8",
    "rebuilds": f"{READ}{HOT}{NEIGHBOURS}velocity all scale 9000\nfix 1 all nve\nrun 12",
    "minimize": f"{READ}minimize 0 1e-3 4 8",
    "box relax iso": f"{READ}fix 1 all box/relax iso 0.0\nminimize 0 1e-3 4 8",
    "box relax aniso": f"{READ}fix 1 all box/relax aniso 0.0\nminimize 0 1e-3 4 8",
    "box relax tri": f"{READ}fix 1 all box/relax tri 0.0\nminimize 0 1e-3 4 8",
    "npt iso": f"{READ}{HOT}fix 1 all npt temp 400 400 0.05 iso 0 0 0.1\nrun 8",
    "npt aniso": f"{READ}{HOT}fix 1 all npt temp 400 400 0.05 aniso 0 0 0.1\nrun 8",
    "npt tri": f"{READ}{HOT}fix 1 all npt temp 400 400 0.05 tri 0 0 0.1\nrun 8",
    "restart": f"{READ}{HOT}fix 1 all nve\nrun 5\nwrite_restart state.restart\nclear\n"
    f"read_restart state.restart\n{USE}fix 1 all nve\nrun 5",
    "rerun": f"{READ}{HOT}fix 1 all nve\ndump r all custom 5 rerun.dump id type x y z\n"
    "dump_modify r format float %.17g\nrun 10\n"
    "rerun rerun.dump first 10 dump x y z",
    "atoms added": f"{READ}{HOT}fix 1 all nve\nrun 5\ncreate_atoms 1 single 2.0 4.0 0.7\nrun 5",
    "atoms deleted": f"{READ}{HOT}fix 1 all nve\nrun 5\ngroup gone id 3 8 9\n"
    "delete_atoms group gone compress no\nrun 5",
    "atoms deposited in a run": f"{READ}{HOT}fix 1 all nve\nregion top prism "
    "0 9 0 8 8 10 1.7 -0.9 2.1\n"
    "fix d all deposit 3 2 4 1234 region top near 1.5 attempt 50\nrun 10",
    "atoms evaporated in a run": f"{READ}{HOT}fix 1 all nve\n"
    "region whole block EDGE EDGE EDGE EDGE EDGE EDGE\nfix e all evaporate 3 2 whole 4321\nrun 10",
    "coeff given again": f"{READ}run 0\npair_coeff * * MODEL H C\nrun 0",
    "newton off": f"newton off\n{READ}{HOT}fix 1 all nve\nrun 8",
    "map and holes": f"atom_modify map hash\n{READ}reset_atoms id\nset group all image 0 0 0\n"
    "group few id 2 5\ndelete_atoms group few compress no\nrun 0",
}


def block(name: str, situation: str, model: Path, edges: str) -> str:
    """Return one situation with its energy printed and its state dumped at the end."""
    file = name.replace(" ", "_")
    situation = situation.replace("MODEL", str(model))
    situation = situation.replace("pair_style nequip", f"pair_style nequip edges {edges}")
    start, _, last = situation.rpartition("\n")
    return f"""clear
units metal
atom_style atomic
{start}
thermo 1
thermo_modify norm no
{last}
print "STATE {file} $(pe:%.17g)"
write_dump all custom {file}.dump id type x y z fx fy fz modify sort id format float %.17g
"""


@dataclass(frozen=True)
class Walk:
    """Folder of the dumps, energies by situation, the end of the output."""

    ranks: int
    folder: Path
    energies: dict[str, float]
    output: str


@pytest.fixture(scope="module", params=WALKS)
def walk(
    request: pytest.FixtureRequest,
    saved_nequip: Callable[..., Path],
    plugin: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Walk:
    """Run all situations."""
    ranks, edges, format_ = request.param
    folder = tmp_path_factory.mktemp("situations")
    atoms = random_system("triclinic", 40, closest=1.3)
    write_lammps_data(
        folder / "system.data",
        atoms,
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    if format_ == "pt2":
        model = compile_own(build_nequip(scripted=False, **MODEL), folder / "model.nequip.pt2")
    else:
        model = saved_nequip(**MODEL)
    deck = "".join(block(name, text, model, edges) for name, text in SITUATIONS.items())
    done = launch(folder, deck, plugin, ranks, timeout=400)
    energies = {}
    for line in done.stdout.splitlines():
        if line.startswith("STATE "):
            _, name, value = line.split()
            energies[name] = float(value)
    return Walk(ranks, folder, energies, done.stdout[-3000:])


@pytest.mark.parametrize("name", SITUATIONS)
def test_last_state(saved_nequip: Callable[..., Path], walk: Walk, name: str) -> None:
    file = name.replace(" ", "_")
    assert file in walk.energies, walk.output
    atoms, forces = read_dump(walk.folder / f"{file}.dump")
    expected = nequip_reference(saved_nequip(**MODEL), atoms)
    tolerance = PLUGIN_PARITY["float64"]
    energy_off = abs(walk.energies[file] - expected.energy)
    note(
        walk.ranks,
        tolerance,
        energy_eV=energy_off / len(atoms),
        force_eV_A=np.abs(forces - expected.forces).max(),
    )
    assert energy_off < tolerance.energy_eV * len(atoms)
    np.testing.assert_allclose(forces, expected.forces, rtol=0, atol=tolerance.force_eV_A)
