"""hybrid/overlay on several ranks: what nequip adds to other styles is what nequip says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.io.lammpsdata import write_lammps_data

from tests.plugin.comparison import note
from tests.plugin.lammps_run import SPECIES, launch
from tests.plugin.reference import nequip_reference
from tests.plugin.states import read_dump
from tests.plugin.systems import random_system
from tests.tolerances import PLUGIN_PARITY

pytestmark = pytest.mark.plugin

# more values an atom than any style of LAMMPS exchanges: hybrid sizes its buffers before it knows
WIDE = {"num_layers": 2, "l_max": 2, "num_features": 24}
OTHERS = {
    "zbl": ("zbl 1.5 2.5", "pair_coeff * * zbl 1.0 1.0\npair_coeff 2 2 zbl 6.0 6.0", ""),
    "coul/long": ("coul/long 5.0", "pair_coeff * * coul/long", "kspace_style ewald 1e-6"),
    "dispersion/d3": ("dispersion/d3 bj pbe 12.0 8.0", "pair_coeff * * dispersion/d3 H C", ""),
}


def block(file: str, styles: list[str], coefficients: list[str], more: list[str]) -> str:
    lines = "\n".join
    return f"""clear
units metal
atom_style charge
read_data system.data
set type 1 charge 0.3
set type 2 charge -0.15
pair_style hybrid/overlay {" ".join(styles)}
{lines(coefficients)}
{lines(more)}
thermo_modify norm no
run 0 post no
print "STATE {file} $(pe:%.17g)"
write_dump all custom {file}.dump id type x y z fx fy fz modify sort id format float %.17g
"""


@pytest.mark.parametrize(
    "ranks", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4))]
)
def test_overlay_adds_exactly_the_model(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path, ranks: int
) -> None:
    model = saved_nequip(**WIDE)
    atoms = random_system("triclinic", 30)
    write_lammps_data(
        tmp_path / "system.data",
        atoms,
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="charge",
    )
    ours = f"pair_coeff * * nequip {model} H C"
    deck = ""
    for name, (style, coefficient, kspace) in OTHERS.items():
        file = name.replace("/", "_")
        deck += block(f"{file}_alone", [style], [coefficient], [kspace])
        deck += block(f"{file}_with", [style, "nequip"], [coefficient, ours], [kspace])
    done = launch(tmp_path, deck, plugin, ranks)
    states = [line.split() for line in done.stdout.splitlines() if line.startswith("STATE ")]
    energy = {name: float(value) for _, name, value in states}
    expected = nequip_reference(model, atoms)
    tolerance = PLUGIN_PARITY["float64"]
    energy_off, force_off = [], []
    for name in OTHERS:
        file = name.replace("/", "_")
        assert f"{file}_with" in energy, done.stdout[-3000:]
        added = energy[f"{file}_with"] - energy[f"{file}_alone"]
        energy_off.append(abs(added - expected.energy) / len(atoms))
        assert abs(added - expected.energy) < tolerance.energy_eV * len(atoms)
        _, alone = read_dump(tmp_path / f"{file}_alone.dump")
        _, together = read_dump(tmp_path / f"{file}_with.dump")
        force_off.append(np.abs(together - alone - expected.forces).max())
        np.testing.assert_allclose(
            together - alone, expected.forces, rtol=0, atol=tolerance.force_eV_A
        )
    note(ranks, tolerance, energy_eV=max(energy_off), force_eV_A=max(force_off))


def test_null_types_are_not_seen(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path
) -> None:
    """The model acts on C alone; H has a Lennard-Jones interaction with everything."""
    model = saved_nequip(**WIDE)
    atoms = random_system("triclinic", 40)
    write_lammps_data(
        tmp_path / "system.data",
        atoms,
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="charge",
    )
    lj = "pair_coeff 1 * lj/cut 0.003 2.1"
    none = "pair_coeff 2 2 none"
    deck = block("alone", ["lj/cut 6.0"], [lj, none], [])
    deck += block(
        "with", ["lj/cut 6.0", "nequip"], [lj, f"pair_coeff * * nequip {model} NULL C"], []
    )
    done = launch(tmp_path, deck, plugin, ranks=2)
    states = [line.split() for line in done.stdout.splitlines() if line.startswith("STATE ")]
    energy = {name: float(value) for _, name, value in states}
    assert set(energy) == {"alone", "with"}, done.stdout[-3000:]
    seen = np.array(atoms.get_chemical_symbols()) == "C"
    expected = nequip_reference(model, atoms[seen])
    tolerance = PLUGIN_PARITY["float64"]
    assert abs(energy["with"] - energy["alone"] - expected.energy) < tolerance.energy_eV * 40
    forces = read_dump(tmp_path / "with.dump")[1] - read_dump(tmp_path / "alone.dump")[1]
    np.testing.assert_allclose(forces[seen], expected.forces, rtol=0, atol=tolerance.force_eV_A)
    np.testing.assert_allclose(forces[~seen], 0, rtol=0, atol=tolerance.force_eV_A)
