"""compute heat/flux times volume is d/dt sum_i r_i E_i, for one, two and three layers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.io.lammpsdata import write_lammps_data

from tests.plugin.lammps_run import SPECIES, launch
from tests.plugin.models import build_allegro, save_torchscript
from tests.plugin.reference import nequip_reference
from tests.plugin.systems import random_system
from tests.tolerances import HEAT_FLUX_RANKS_RELATIVE, HEAT_FLUX_RELATIVE

pytestmark = pytest.mark.plugin

MODEL = {"l_max": 2, "num_features": 4}
STEP_PS = 1e-6
# eV per (g/mol (Å/ps)^2): LAMMPS's mvv2e in metal units
MASS_ENERGY = 1.0364269e-4

FLUX = """
compute ke all ke/atom
compute pe all pe/atom
compute st all centroid/stress/atom NULL virial
compute flux all heat/flux ke pe st
compute sum all reduce sum c_st[1] c_st[2] c_st[3] c_st[4] c_st[5] c_st[6]
compute press all pressure NULL virial
compute plain all stress/atom NULL virial
compute psum all reduce sum c_plain[1] c_plain[2] c_plain[3] c_plain[4] c_plain[5] c_plain[6]
thermo_style custom step c_flux[1] c_flux[2] c_flux[3]
thermo_modify norm no
run 0 post no
"""


def report(name: str) -> str:
    parts = [f"c_flux[{k}]" for k in (1, 2, 3)]
    parts += [f"c_sum[{k}]" for k in range(1, 7)] + [f"c_press[{k}]" for k in range(1, 7)]
    parts += [f"c_psum[{k}]" for k in range(1, 7)]
    values = " ".join(f"$({part}:%.17g)" for part in parts)
    return (
        f"thermo_style custom step {' '.join(parts)}\nrun 0 post no\n"
        f'print "FLUX {name} {values} $(vol:%.17g)"\n'
    )


def deck(name: str, model: Path, more: str = "", newton: str = "on") -> str:
    return f"""clear
units metal
atom_style atomic
newton {newton}
read_data system.data
{more}
pair_style nequip
pair_coeff * * {model} {" ".join(SPECIES)}
{FLUX}{report(name)}"""


def fluxes(output: str) -> dict[str, np.ndarray]:
    """Return per deck: flux (3), sums of the centroid virial (6), pressure (6), volume..."""
    found = {}
    for line in output.splitlines():
        if line.startswith("FLUX "):
            _, name, *values = line.split()
            found[name] = np.array([float(v) for v in values])
    return found


def with_velocities(atoms: Atoms, folder: Path) -> np.ndarray:
    """Write system.data; return the velocities in Å/ps."""
    velocities = np.random.default_rng(8).normal(0.0, 6.0, (len(atoms), 3))
    atoms.set_velocities(velocities * units.Ang / (1000 * units.fs))
    write_lammps_data(
        folder / "system.data",
        atoms,
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
        velocities=True,
    )
    return velocities


def energy_moment(
    model: Path, atoms: Atoms, velocities: np.ndarray, forces: np.ndarray, time_ps: float
) -> np.ndarray:
    """Return sum_i r_i E_i at another time; second orders cancel in the central difference."""
    masses = atoms.get_masses()[:, None]
    acceleration = forces / (masses * MASS_ENERGY)
    moved = atoms.copy()
    moved.positions = atoms.positions + velocities * time_ps + 0.5 * acceleration * time_ps**2
    speeds = velocities + acceleration * time_ps
    energies = nequip_reference(model, moved).energies
    energies = energies + 0.5 * MASS_ENERGY * (masses * speeds**2).sum(axis=1)
    return (moved.positions * energies[:, None]).sum(axis=0)


@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_flux_of_a_free_cluster(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path, num_layers: int
) -> None:
    assert_flux_is_derivative(saved_nequip(num_layers=num_layers, **MODEL), plugin, tmp_path)


def test_flux_of_a_free_cluster_by_allegro(plugin: Path, tmp_path: Path) -> None:
    pytest.importorskip("allegro", reason="nequip-allegro is not installed")
    model = save_torchscript(build_allegro(), tmp_path / "allegro.nequip.pth")
    assert_flux_is_derivative(model, plugin, tmp_path)


def assert_flux_is_derivative(model: Path, plugin: Path, tmp_path: Path) -> None:
    atoms = random_system("triclinic", 24, pbc=False)
    atoms.cell = np.diag([30.0, 32.0, 34.0])
    atoms.pbc = True
    atoms.center()
    velocities = with_velocities(atoms, tmp_path)
    done = launch(tmp_path, deck("cluster", model), plugin)
    found = fluxes(done.stdout)
    assert "cluster" in found, done.stdout[-3000:]
    forces = nequip_reference(model, atoms).forces
    later, earlier = (
        energy_moment(model, atoms, velocities, forces, t) for t in (STEP_PS, -STEP_PS)
    )
    expected = (later - earlier) / (2 * STEP_PS)
    error = np.abs(found["cluster"][:3] - expected).max()
    assert error < HEAT_FLUX_RELATIVE * np.abs(expected).max()


def test_flux_in_a_periodic_box(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path
) -> None:
    """A box thinner than the cutoff has half the flux of two such boxes side by side."""
    model = saved_nequip(num_layers=3, **MODEL)
    atoms = random_system("thin", 7)
    with_velocities(atoms, tmp_path)
    text = deck("one", model) + deck("two", model, "replicate 1 2 1")
    text += deck("off", model, newton="off")
    outputs = {ranks: launch(tmp_path, text, plugin, ranks) for ranks in (1, 2, 4)}
    found = {ranks: fluxes(done.stdout) for ranks, done in outputs.items()}
    for ranks, by_name in found.items():
        assert set(by_name) == {"one", "two", "off"}, outputs[ranks].stdout[-3000:]
    reference = found[1]["one"]
    scale = np.abs(reference[:3]).max()
    for by_name in found.values():
        for name, copies in (("one", 1), ("two", 2), ("off", 1)):
            values = by_name[name]
            tolerance = HEAT_FLUX_RANKS_RELATIVE
            assert np.abs(values[:3] - copies * reference[:3]).max() < copies * scale * tolerance
            centroid, pressure, plain = values[3:9], values[9:15], values[15:21]
            volume = values[21]
            # stress is minus pressure times volume; both kinds of per-atom stress sum to it
            size = np.abs(pressure * volume).max()
            assert np.abs(centroid + pressure * volume).max() < size * tolerance
            assert np.abs(plain + pressure * volume).max() < size * tolerance


# what a Green-Kubo deck adds (plugin/README.md): the energy that atoms carry as references flows
# with them and is no heat
REFERENCES = {"H": -1.7, "C": -3.1}
CONDUCTIVE = """
group H type 1
group C type 2
compute vH H reduce sum vx vy vz
compute vC C reduce sum vx vy vz
variable Jx equal c_flux[1]-(-1.7)*c_vH[1]-(-3.1)*c_vC[1]
variable Jy equal c_flux[2]-(-1.7)*c_vH[2]-(-3.1)*c_vC[2]
variable Jz equal c_flux[3]-(-1.7)*c_vH[3]-(-3.1)*c_vC[3]
thermo_style custom step v_Jx v_Jy v_Jz
run 0 post no
print "FLUX less $(v_Jx:%.17g) $(v_Jy:%.17g) $(v_Jz:%.17g)"
"""


def test_references_taken_out_of_the_flux(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path
) -> None:
    """What is left is the flux of the same model without references."""
    with_velocities(random_system("triclinic", 40), tmp_path)
    model = saved_nequip(per_type_energy_shifts=REFERENCES, **MODEL)
    bare = saved_nequip(per_type_energy_shifts={"H": 0.0, "C": 0.0}, **MODEL)
    text = deck("whole", model) + CONDUCTIVE + deck("bare", bare)
    done = launch(tmp_path, text, plugin, ranks=2)
    found = fluxes(done.stdout)
    assert set(found) == {"whole", "less", "bare"}, done.stdout[-3000:]
    whole, less, expected = (found[name][:3] for name in ("whole", "less", "bare"))
    scale = np.abs(whole).max()
    assert np.abs(whole - expected).max() > 0.1 * scale, "a test of references needs references"
    assert np.abs(less - expected).max() < scale * HEAT_FLUX_RANKS_RELATIVE
