"""Time and memory of the pair style beside nequip's own calculator, in one run.

    python benchmarks/pair_style.py [--atoms 40 500 1000 4000] [--ranks 1 2] [--compiled]
                                    [--device cpu]

Engines: `.pth`, and with --compiled the `.pt2` of nequip-compile (on one rank) and our own; one
thread a rank. With `--device cuda` all of them, and the calculator, compute on a GPU, which the
ranks share. A model of 2 layers, l_max 1, 16 features, float32 with random weights; a gas of one
species at 38 edges an atom. Columns: microseconds an atom and step; the first three steps against
the rest; peak memory of a rank (not of the GPU). Needs the plugin (LAMMPS_PLUGIN_PATH or an
installed lmp_thermo). Run it on an idle machine from the root of the repository: with other jobs
beside it the numbers mean nothing.
"""

import argparse
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io.lammpsdata import write_lammps_data

sys.path.insert(0, str(Path(__file__).parents[1]))

from lmp_thermo.plugin_folder import plugin_folder
from tests.plugin.aoti import compile_own, compile_stock
from tests.plugin.models import (
    build_nequip,
    deprecated_torchscript,
    save_torchscript,
)

SETTINGS = {
    "model_dtype": "float32",
    "type_names": ["C"],
    "num_layers": 2,
    "l_max": 1,
    "num_features": 16,
    "radial_mlp_width": 32,
    "r_max": 5.0,
    "avg_num_neighbors": 38.0,
    "per_type_energy_scales": 0.05,
    "per_type_energy_shifts": 0.0,
}
STOCK = "stock .pt2"
# 38 neighbours within r_max
DENSITY_PER_A3 = 38.0 / (4.0 / 3.0 * np.pi * 5.0**3)


def lattice_gas(n_atoms: int) -> Atoms:
    """Return `n_atoms` on a shaken cubic lattice at the density of 38 edges an atom."""
    per_side = int(np.ceil(n_atoms ** (1 / 3)))
    side = (n_atoms / DENSITY_PER_A3) ** (1 / 3)
    grid = np.stack(np.meshgrid(*[np.arange(per_side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    rng = np.random.default_rng(1)
    chosen = grid[rng.permutation(len(grid))[:n_atoms]]
    positions = (chosen + 0.5 + 0.1 * rng.normal(size=chosen.shape)) * side / per_side
    return Atoms("C" * n_atoms, positions=positions, cell=[side] * 3, pbc=True)


def calculator_us(
    model: Path, atoms: Atoms, calls: int, device: str
) -> tuple[float, float, float, float]:
    """Time nequip's own calculator; in a process of its own, whose memory is then its peak.

    Returns:
        Microseconds an atom of a calculation, of the first three, of the model call within one,
        and peak memory in MB.
    """
    with deprecated_torchscript():
        import torch
        from nequip.integrations.ase import NequIPCalculator

        torch.set_num_threads(1)
        calculator = NequIPCalculator.from_compiled_model(
            str(model), device=device, chemical_species_to_atom_type_map={"C": "C"}
        )
        calculator.calculate(atoms)  # as the pair style, which warms up before the first step
        start = time.perf_counter()
        for _ in range(3):
            calculator.calculate(atoms)
        first = (time.perf_counter() - start) / 3
        start = time.perf_counter()
        for _ in range(calls):
            calculator.calculate(atoms)
        whole = (time.perf_counter() - start) / calls
        data = calculator.atoms_to_data(atoms)
        start = time.perf_counter()
        for _ in range(calls):
            # brought back, as a step needs it: on a GPU a call alone would return at once
            calculator.call_model(dict(data))["forces"].cpu()
        call = (time.perf_counter() - start) / calls
    us = 1e6 / len(atoms)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return us * whole, us * first, us * call, memory


def lammps_us(
    model: Path, atoms: Atoms, ranks: int, steps: int, device: str
) -> tuple[float, float, float]:
    """Return microseconds an atom and step, the same of the first three, and peak memory in MB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lammps_data(
            folder / "system.data",
            atoms,
            specorder=["C"],
            masses=True,
            units="metal",
            atom_style="atomic",
        )
        (folder / "in.lmp").write_text(
            f"""units metal
atom_style atomic
read_data system.data
pair_style nequip device {device}
pair_coeff * * {model} C
neighbor 0.5 bin
velocity all create 100 1
fix 1 all nve
timestep 0.0005
run 3
run {steps}
"""
        )
        folders = os.environ.get("LAMMPS_PLUGIN_PATH") or plugin_folder()
        environment = {**os.environ, "LAMMPS_PLUGIN_PATH": folders, "OMP_NUM_THREADS": "1"}
        command = ["mpirun", "-np", str(ranks)] if ranks > 1 else []
        done = subprocess.run(
            [*command, "lmp", "-in", "in.lmp", "-log", "none"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    loops = [float(t) for t in re.findall(r"Loop time of (\S+)", done.stdout)]
    memory = [float(m) for m in re.findall(r"peak memory \(MB\).*\| +(\S+)\n", done.stdout)]
    if len(loops) != 2:
        raise SystemExit(f"lmp failed:\n{done.stdout[-2000:]}{done.stderr[-500:]}")
    first, steady = (1e6 * loops[k] / n / len(atoms) for k, n in ((0, 3), (1, steps)))
    return steady, first, memory[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, nargs="+", default=[40, 500, 1000, 4000])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--compiled", action="store_true", help="also compile and time .pt2")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    chosen = parser.parse_args()
    import torch

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scripted = save_torchscript(build_nequip(**SETTINGS), folder / "model.nequip.pth")
        engines = {".pth": scripted}
        if chosen.compiled:
            # with more, nequip's graph adds atomically, also where one thread runs it
            torch.set_num_threads(1)
            model = build_nequip(scripted=False, **SETTINGS)
            engines[STOCK] = compile_stock(SETTINGS, folder / "stock.nequip.pt2", chosen.device)
            engines["our .pt2"] = compile_own(model, folder / "own.nequip.pt2", chosen.device)
        print(f"{'atoms':>6} {'what':<22}{'us/atom/step':>13}{'first 3':>9}{'MB':>7}")
        for n_atoms in chosen.atoms:
            atoms = lattice_gas(n_atoms)
            steps = max(40, 20_000 // n_atoms)
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
                calls = max(5, steps // 8)
                job = alone.submit(calculator_us, scripted, atoms, calls, chosen.device)
                whole, first, call, memory = job.result()
            print(f"{n_atoms:>6} {'ASE calculator':<22}{whole:>13.1f}{first:>9.1f}{memory:>7.0f}")
            print(f"{n_atoms:>6} {'model call alone':<22}{call:>13.1f}")
            for engine, model in engines.items():
                for ranks in chosen.ranks:
                    if engine == STOCK and ranks > 1:
                        continue
                    steady, first, memory = lammps_us(model, atoms, ranks, steps, chosen.device)
                    what = f"lmp {engine} {ranks} rank(s)"
                    print(f"{n_atoms:>6} {what:<22}{steady:>13.1f}{first:>9.1f}{memory:>7.0f}")


if __name__ == "__main__":
    main()
