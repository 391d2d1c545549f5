"""Within one process: two instances of LAMMPS, torch's threads, memory over many steps."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.io.lammpsdata import write_lammps_data

from tests.plugin.lammps_run import SPECIES
from tests.plugin.reference import nequip_reference
from tests.plugin.systems import random_system
from tests.tolerances import MEMORY_GROWTH_KB, PLUGIN_PARITY

pytestmark = pytest.mark.plugin


def found(folder: Path, plugin: Path, arguments: list[str], ranks: int = 1) -> Any:
    shutil.copy(Path(__file__).with_name("process_worker.py"), folder / "worker.py")
    environment = {**os.environ, "LAMMPS_PLUGIN_PATH": str(plugin)}
    environment.pop("OMP_NUM_THREADS", None)
    command = ["mpirun", "-np", str(ranks)] if ranks > 1 else []
    done = subprocess.run(
        [*command, sys.executable, "worker.py", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert "FOUND " in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout.split("FOUND ")[1])


def write_data(folder: Path, n_atoms: int) -> Any:
    atoms = random_system("triclinic", n_atoms, closest=1.3)
    write_lammps_data(
        folder / "system.data",
        atoms,
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )
    return atoms


def test_two_instances(saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path) -> None:
    """Each keeps its own model and state; torch has as many threads as the last LAMMPS."""
    models = {
        "first": saved_nequip(num_layers=2, l_max=1, num_features=4),
        "second": saved_nequip(num_layers=1, l_max=2, num_features=4, seed=8),
    }
    models["second alone"] = models["second"]
    atoms = write_data(tmp_path, 30)
    values = found(tmp_path, plugin, ["two", *map(str, list(models.values())[:2]), "system.data"])
    assert values.pop("threads") == [1, 2]
    assert set(values) == set(models)
    tolerance = PLUGIN_PARITY["float64"]
    for name, state in values.items():
        atoms.positions = np.array(state["positions"])
        expected = nequip_reference(models[name], atoms)
        assert abs(state["energy"] - expected.energy) < tolerance.energy_eV * len(atoms)
        np.testing.assert_allclose(
            state["forces"], expected.forces, rtol=0, atol=tolerance.force_eV_A
        )


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_memory_over_many_steps(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path, ranks: int
) -> None:
    """A hot fluid whose edges and messages change in number at every step."""
    model = saved_nequip(num_layers=2, l_max=1, num_features=4)
    write_data(tmp_path, 20)
    for early, late in found(tmp_path, plugin, ["memory", str(model), "system.data"], ranks):
        assert early > 50_000, "a process with torch in it"
        assert late - early < MEMORY_GROWTH_KB
