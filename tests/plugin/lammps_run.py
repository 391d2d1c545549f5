"""Run a deck with plain `lmp` and read back what it printed and dumped.

`LMP_THERMO_TEST_DEVICE=cuda` puts the tests of this folder on a GPU: models that are compiled are
compiled for it, and a run whose log names another device is an error. Without it no deck sees one.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io.lammpsdata import write_lammps_data

DEVICE = os.environ.get("LMP_THERMO_TEST_DEVICE", "cpu")
SPECIES = ["H", "C"]  # LAMMPS types 1 and 2: not the order of the model's type names
THERMO = "step pe pxx pyy pzz pxy pxz pyz"


@dataclass(frozen=True)
class LammpsResult:
    """Last thermo line and last dump of a run, in LAMMPS metal units, sorted by atom ID."""

    energy: float
    pressure: np.ndarray  # (6,) bar, xx yy zz xy xz yz
    ids: np.ndarray
    positions: np.ndarray
    forces: np.ndarray
    energies: np.ndarray
    log: str
    ranks: int


def launch(
    folder: Path, deck: str, plugin: Path, ranks: int = 1, timeout: float = 200.0
) -> subprocess.CompletedProcess[str]:
    """Run `deck` in `folder`; output and errors of LAMMPS are in `stdout`."""
    (folder / "in.lmp").write_text(deck)
    command = ["lmp", "-in", "in.lmp", "-log", "log.lammps"]
    if ranks > 1:
        command = ["mpirun", "-np", str(ranks), *command]
    if shutil.which(command[0]) is None:
        raise FileNotFoundError(f"{command[0]} is not on the PATH; install lammps and mpich")
    environment = {
        **os.environ,
        "LAMMPS_PLUGIN_PATH": str(plugin),
        "OMP_NUM_THREADS": "1",
        "MALLOC_PERTURB_": "128",  # memory that nobody set reads as 1e306, not as a lucky zero
    }
    if DEVICE == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def deck_for(
    model: Path,
    *,
    before: str = "",
    style: str = "pair_style nequip",
    coeff: str | None = None,
    after: str = "",
    run: str = "run 0 post no",
) -> str:
    """Return a deck that reads system.data, evaluates `model` and dumps all per-atom results."""
    return f"""units metal
atom_style atomic
{before}
read_data system.data
{style}
{coeff or f"pair_coeff * * {model} {' '.join(SPECIES)}"}
compute energies all pe/atom
thermo_style custom {THERMO}
thermo_modify format float %.17g norm no
dump all all custom 1 dump.txt id x y z fx fy fz c_energies
dump_modify all sort id format float %.17g
{after}
{run}
"""


def evaluate(folder: Path, atoms: Atoms, deck: str, plugin: Path, ranks: int = 1) -> LammpsResult:
    """Write `atoms` as system.data, run `deck`, return the last step."""
    write_lammps_data(
        folder / "system.data",
        atoms,
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    done = launch(folder, deck, plugin, ranks)
    if done.returncode != 0:
        raise RuntimeError(f"lmp failed:\n{done.stdout[-3000:]}")
    if "pair_style nequip: " in done.stdout and f", {DEVICE}" not in done.stdout:
        raise RuntimeError(f"the model did not run on {DEVICE}:\n{done.stdout[-3000:]}")
    return read_result(folder, ranks)


def read_result(folder: Path, ranks: int) -> LammpsResult:
    """Parse log.lammps and dump.txt of a finished run."""
    log = (folder / "log.lammps").read_text()
    lines = log.splitlines()
    header = max(k for k, line in enumerate(lines) if line.strip().startswith("Step "))
    values = np.array([])
    for line in lines[header + 1 :]:
        try:
            values = np.array([float(word) for word in line.split()])
        except ValueError:
            break
    dump = (folder / "dump.txt").read_text().split("ITEM: TIMESTEP")[-1]
    rows = dump.split("ITEM: ATOMS")[1].split("\n", 1)[1].split()
    table = np.array(rows, dtype=float).reshape(-1, 8)
    return LammpsResult(
        energy=float(values[1]),
        pressure=values[2:8],
        ids=table[:, 0].astype(int),
        positions=table[:, 1:4],
        forces=table[:, 4:7],
        energies=table[:, 7],
        log=log,
        ranks=ranks,
    )
