"""References against finite differences and against each other, on triclinic boxes."""

from pathlib import Path
from typing import ClassVar

import ase.build
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from ase.optimize import BFGS

from lmp_thermo.errors import LabelError, StudyError
from lmp_thermo.frames import Frame, Tags, molecule_index
from lmp_thermo.reference import Labeller, find_files
from lmp_thermo.reference.base import AloneLabel, Label, Reference, build_reference
from lmp_thermo.reference.labelling import atoms_evaluated, label_frame
from lmp_thermo.sections import Reference as Section
from lmp_thermo.stages.label_checks import STRAIN, scaled, strained, virial_less_energies
from lmp_thermo.units import BAR_PER_EV_A3, voigt_to_tensor
from tests.physics.references import LJ, XTB
from tests.tolerances import REFERENCE_FORCE_EV_A, REFERENCE_STRESS_EV_A3, ROUND_OFF

pytestmark = pytest.mark.physics


def triclinic(symbols: str, spacing: float) -> Atoms:
    random = np.random.default_rng(4)
    cell = np.array([[2.0, 0.3, -0.2], [0.5, 2.3, 0.1], [-0.4, 0.6, 2.6]]) * spacing
    atoms = Atoms(symbols, cell=cell, pbc=True)
    grid = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1]]) / 2
    atoms.set_scaled_positions(grid + 0.05 * random.random((6, 3)))
    return atoms


@pytest.fixture(scope="module")
def lj() -> Reference:
    return build_reference(LJ, ("Ar", "Kr"))


def check_derivatives(reference: Reference, atoms: Atoms, step: float) -> None:
    label = reference.label(atoms)
    assert label.stress is not None
    for atom, axis in ((0, 0), (3, 2), (5, 1)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * step
            energies.append(reference.label(moved).energy)
        force = -(energies[0] - energies[1]) / (2 * step)
        assert label.forces[atom, axis] == pytest.approx(force, abs=REFERENCE_FORCE_EV_A)
    stress = voigt_to_tensor(label.stress)
    for i, j in ((0, 0), (2, 2), (0, 1), (1, 2)):
        energies = []
        for sign in (1, -1):
            strain = np.eye(3)
            strain[i, j] += sign * step / 2
            strain[j, i] += sign * step / 2
            strained = atoms.copy()
            strained.set_cell(atoms.cell @ strain, scale_atoms=True)
            energies.append(reference.label(strained).energy)
        slope = (energies[0] - energies[1]) / (2 * step) / atoms.get_volume()
        assert stress[i, j] == pytest.approx(slope, abs=REFERENCE_STRESS_EV_A3)


def test_lammps_labels_are_derivatives(lj: Reference) -> None:
    check_derivatives(lj, triclinic("Ar3Kr3", 3.6), step=1e-4)


def test_lammps_agrees_with_ase() -> None:
    section = LJ.model_copy(
        update={
            "lammps": LJ.lammps.model_copy(  # type: ignore[union-attr]
                update={
                    "pair_commands": [
                        "pair_style lj/cut 6.0",
                        "pair_coeff 1 1 0.0103 3.4",
                        "pair_modify shift yes",
                    ]
                }
            )
        }
    )
    atoms = triclinic("Ar6", 3.7)
    label = build_reference(section, ("Ar",)).label(atoms)
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.0103, rc=6.0, smooth=False)
    assert label.energy == pytest.approx(atoms.get_potential_energy(), rel=ROUND_OFF * 1e3)
    assert label.forces == pytest.approx(atoms.get_forces(), abs=1e-9)
    assert label.stress == pytest.approx(atoms.get_stress(), abs=1e-10)


def test_an_atom_alone_has_no_energy(lj: Reference) -> None:
    alone = lj.label_alone(Atoms("Kr", positions=[[3.0, 1.0, 2.0]]))
    assert alone.energy == 0.0
    assert not alone.forces.any()


def test_a_dimer_alone_is_that_of_the_formula(lj: Reference) -> None:
    r = 3.9
    alone = lj.label_alone(Atoms("ArKr", positions=[[0, 0, 0], [0.6 * r, 0, 0.8 * r]]))

    def energy(x: float) -> float:
        return 4 * 0.012 * ((3.5 / x) ** 12 - (3.5 / x) ** 6)

    assert alone.energy == pytest.approx(energy(r) - energy(6.0), rel=1e-9)


def test_xtb_labels_are_derivatives() -> None:
    ch4 = ase.build.molecule("CH4")
    other = ch4.copy()
    other.rotate(40, (1, 2, 3))
    other.positions += [3.6, 0.7, 0.4]
    box = ch4 + other
    box.set_cell([[8.5, 0, 0], [0.6, 9.0, 0], [0.3, -0.5, 8.0]])
    box.pbc = True
    box.positions += np.random.default_rng(2).normal(scale=0.05, size=(10, 3))
    check_derivatives(build_reference(XTB, ("C", "H")), box, step=2e-3)


def test_the_cutoff_belongs_to_the_reference() -> None:
    """Molecules alone stand in a box of that size: another cutoff may give other energies."""
    assert LJ.lammps is not None
    shorter = LJ.model_copy(update={"lammps": LJ.lammps.model_copy(update={"cutoff_A": 5.0})})
    identities = [build_reference(own, ("Ar", "Kr")).identity for own in (LJ, shorter)]
    assert identities[0] != identities[1]


def test_a_single_molecule_has_the_virial_of_a_cluster(tmp_path: Path) -> None:
    atoms = ase.build.molecule("CH4")
    atoms.positions += np.random.default_rng(1).normal(scale=0.05, size=(5, 3)) + 5.0
    single = Atoms(atoms.numbers, atoms.positions, cell=[30.0] * 3, pbc=True)
    single.set_array("molecule", np.zeros(5, dtype=int))
    tags = Tags(0.001, 100.0, "molecule", 0, 1, 0)
    (labelled,) = Labeller(XTB, ("C", "H"), tmp_path, workers=1).label([Frame(single, tags)])
    assert isinstance(labelled, Frame)
    assert labelled.stress is not None
    box = build_reference(XTB, ("C", "H")).label(single)
    # methane has no dipole: images 30 Å away change the stress by less than 1e-8 eV/Å^3
    assert labelled.stress == pytest.approx(box.stress, abs=1e-7)
    # and the energy, by dispersion and multipoles, by some 1e-5 eV
    assert labelled.energy == pytest.approx(box.energy, abs=5e-5)


@pytest.mark.parametrize(
    ("ase_section", "message"),
    [
        ({"calculator": "tblite.ase.Missing"}, "cannot be imported"),
        ({"calculator": "no_such_package.Calculator"}, "cannot be imported"),
        ({"calculator": "tblite.ase.TBLite", "arguments": {"method": "magic"}}, "not available"),
    ],
)
def test_unknown_calculators(ase_section: dict[str, object], message: str) -> None:
    section = Section.model_validate({"name": "x", "ase": ase_section})
    with pytest.raises((StudyError, LabelError), match=message):
        build_reference(section, ("C",)).label_alone(Atoms("C"))


@pytest.mark.parametrize("line", ["shell rm -rf x", "pair_coeff 1 1 $(x)", "units real"])
def test_hostile_pair_commands(line: str) -> None:
    section = Section.model_validate(
        {"name": "x", "lammps": {"pair_commands": [line], "cutoff_A": 5.0}}
    )
    with pytest.raises(StudyError, match="pair_commands"):
        build_reference(section, ("Ar",))


AIREBO = {"pair_commands": ["pair_style airebo 3.0 1 0", "pair_coeff * * CH.airebo C H"]}


def test_files_of_a_force_field_are_found_and_belong_to_its_identity(tmp_path: Path) -> None:
    """Methane by AIREBO, which comes with LAMMPS: C-H near 1.09 Å, a well some 20 meV deep."""
    (shipped,) = find_files(["CH.airebo"], tmp_path)
    methane = ase.build.molecule("CH4")

    def reference(path: str) -> Reference:
        section = {"name": "airebo", "lammps": {**AIREBO, "cutoff_A": 10.2, "files": [path]}}
        return build_reference(Section.model_validate(section), ("C", "H"))

    own = reference(shipped)
    methane.calc = own.calculator
    BFGS(methane, logfile=None).run(fmax=1e-3)
    assert methane.get_distance(0, 1) == pytest.approx(1.09, abs=0.01)
    pair = methane + methane
    pair.positions[5:] += [3.9, 0.0, 0.0]
    well = own.label_alone(pair).energy - 2 * own.label_alone(methane).energy
    assert -0.03 < well < -0.015

    folder = tmp_path / "with a space"
    folder.mkdir()
    text = Path(shipped).read_text()
    (folder / "CH.airebo").write_text(text.replace("Brenner/Stuart", "changed", 1))
    changed = reference(find_files(["CH.airebo"], folder)[0])  # one's own comes first
    assert changed.label_alone(methane).energy == own.label_alone(methane).energy
    assert changed.identity != own.identity
    assert own.interaction.files == (Path(shipped),)


@pytest.mark.parametrize("name", ["missing.airebo", "../CH.airebo", "/etc/passwd"])
def test_files_of_a_force_field_that_are_not_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "CH.airebo").write_text("")
    (tmp_path / "study").mkdir()
    with pytest.raises(StudyError, match=r"reference.lammps.files: .*expected a file below"):
        find_files([name], tmp_path / "study")


def test_atoms_that_a_label_evaluates() -> None:
    """Counted by a reference that counts: boxes and molecules, single atoms once a species."""

    class Counting:
        name = "counting"
        identity: ClassVar[dict[str, str]] = {}
        calculator = LennardJones()
        atoms = 0

        def label(self, atoms: Atoms) -> Label:
            self.atoms += len(atoms)
            return Label(0.0, np.zeros((len(atoms), 3)), np.zeros(6))

        def label_alone(self, atoms: Atoms) -> AloneLabel:
            self.atoms += len(atoms)
            return AloneLabel(0.0, np.zeros((len(atoms), 3)))

    for symbols, sizes in (("ArArKr", [1, 1, 1]), ("CH4CH4Ar", [5, 5, 1]), ("CH4", [5])):
        atoms = Atoms(symbols, positions=np.random.default_rng(1).uniform(0, 9, (sum(sizes), 3)))
        atoms.set_cell([9.0] * 3)
        atoms.pbc = True
        atoms.arrays["molecule"] = molecule_index(sizes)
        frame = Frame(atoms, Tags(1.0, 100.0, "packed", 0, 1, 0))
        reference = Counting()
        label_frame(reference, frame)
        assert atoms_evaluated(frame) == reference.atoms


@pytest.mark.parametrize("shift", ["yes", "no"])
def test_pressures_of_an_energy_that_jumps_contradict_it(shift: str) -> None:
    """A pair that crosses the cutoff gives the energy of a jump, and the virial nothing.

    On average over a fluid without structure at the cutoff that is 2 pi/3 rho^2 r^3 u(r) of
    pressure (Frenkel and Smit, Understanding Molecular Simulation, section 3.2.2).
    """
    rho, cutoff, epsilon, sigma, n, count = 0.008, 6.0, 0.0103, 3.4, 400, 6
    edges = (n / rho) ** (1 / 3) * np.array([0.9, 1.0, 1 / 0.9])
    random = np.random.default_rng(8)
    frames = []
    for index in range(count):
        points: list[np.ndarray] = []
        while len(points) < n:
            point = random.random(3) * edges
            apart = np.array(points).reshape(-1, 3) - point
            apart -= edges * np.round(apart / edges)
            if not points or (apart**2).sum(1).min() > 3.4**2:
                points.append(point)
        atoms = Atoms(f"Ar{n}", positions=points, cell=edges, pbc=True)
        atoms.set_array("molecule", molecule_index([1] * n))
        frames.append(Frame(atoms, Tags(0.5, 300.0, "packed", 0, 1, index)))
    commands = [
        f"pair_style lj/cut {cutoff}",
        f"pair_coeff 1 1 {epsilon} {sigma}",
        f"pair_modify shift {shift}",
    ]
    section = Section.model_validate(
        {"name": "lj", "lammps": {"pair_commands": commands, "cutoff_A": cutoff}}
    )
    reference = build_reference(section, ("Ar",))
    known = [label_frame(reference, frame) for frame in frames]
    found = virial_less_energies(known, [label_frame(reference, f) for f in strained(known)])
    assert found is not None
    u = 4 * epsilon * ((sigma / cutoff) ** 12 - (sigma / cutoff) ** 6)
    expected = -2 * np.pi / 3 * rho**2 * cutoff**3 * u * BAR_PER_EV_A3
    crossed = count * n / 2 * rho * 4 * np.pi * cutoff**3 * 2 * STRAIN
    if shift == "yes":
        assert abs(found) < 0.02 * expected  # of second order in the strain
    else:  # as many pairs cross as chance has it; four standard errors
        assert found == pytest.approx(expected, rel=4 / crossed**0.5)


def test_a_scaled_box_keeps_the_shapes_of_molecules() -> None:
    atoms = ase.build.molecule("CH4")
    both = atoms + atoms
    both.positions[5:] += [3.0, 1.0, -0.5]
    both.set_cell([8.0, 9.0, 10.0])
    both.pbc = True
    both.set_array("molecule", molecule_index([5, 5]))
    larger = scaled(Frame(both, Tags(0.1, 300.0, "packed", 0, 1, 0)), 1.01).atoms
    assert np.allclose(larger.cell.lengths(), [8.08, 9.09, 10.1], atol=ROUND_OFF)
    for own in (slice(0, 5), slice(5, 10)):
        shape = [a.get_all_distances() for a in (both[own], larger[own])]
        assert np.allclose(*shape, atol=1e-12)  # round-off of a few Å
    between = [a[5:].get_center_of_mass() - a[:5].get_center_of_mass() for a in (both, larger)]
    assert np.allclose(1.01 * between[0], between[1], atol=1e-12)
