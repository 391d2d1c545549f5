"""Decks of a force field with bonded terms through the real LAMMPS: CF4 as it ships."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule

from lmp_thermo import Study
from lmp_thermo.analysis.thermo import read_run_thermo
from lmp_thermo.decks import write_deck
from lmp_thermo.errors import StudyError
from lmp_thermo.fluid.molecules import Composition
from lmp_thermo.fluid.packing import pack_box
from lmp_thermo.frames import Frame, Tags
from lmp_thermo.launch import find_lmp, run_decks
from lmp_thermo.launch.run_folder import current_step
from lmp_thermo.reference.base import build_reference
from lmp_thermo.reference.labelling import label_frame
from lmp_thermo.reference.lammps_force_field import LammpsReference
from lmp_thermo.stages.runs import trajectory_of
from lmp_thermo.stages.train import elemental_references
from lmp_thermo.states import StatePoint
from lmp_thermo.study import StudyFile
from tests.tolerances import ROUND_OFF
from tests.unit.decks.argon import PROTOCOL

pytestmark = pytest.mark.physics

INPUTS = Path(__file__).parents[2] / "inputs/density"
STATE = StatePoint(0.6, 320.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that came to its end."""
    section = StudyFile.read(INPUTS / "carbon-tetrafluoride.yaml").reference
    assert section.lammps is not None
    files = {"molecules": [str(INPUTS / name) for name in section.lammps.molecules]}
    section = section.model_copy(update={"lammps": section.lammps.model_copy(update=files)})
    reference = build_reference(section, ("C", "F"))
    assert isinstance(reference, LammpsReference)
    box = pack_box(Composition((molecule("CF4"),), (12,)), STATE, seed=3)
    protocol = replace(
        PROTOCOL,
        timestep_fs=1.0,
        equilibration_ps=0.2,
        production_ps=0.4,
        nve_ps=0.4,
        trajectory_every_fs=10.0,
        thermo_every_fs=5.0,
        segment_ps=0.2,
        guards=replace(PROTOCOL.guards, min_distance_A=0.8),
    )
    found = tmp_path_factory.mktemp("bonded") / "deck"
    write_deck(found, box, [5] * 12, STATE, reference.interaction, protocol)
    result = run_decks([found], find_lmp())[0]
    assert (result.status, result.cause) == ("finished", "")
    assert current_step(found) == 1000  # all of it, for the speed that is told
    return found


def test_energy_is_conserved(folder: Path) -> None:
    """Over 400 steps of 1 fs, but for what the velocity Verlet scheme makes of fast vibrations.

    The energy E of a harmonic vibration oscillates by E (omega dt)^2 / 4 from end to end under it
    (Hairer, Lubich and Wanner, doi:10.1017/S0962492902000144), which is E / (8 sqrt(2)) times
    (omega dt)^2 of standard deviation; E is kT on average. Each molecule has three fast vibrations,
    at 1331 per cm by this force field's Hessian; all begin at the minimum, in phase, so that in the
    worst case their deviations add up.
    """
    kT, omega_dt = 0.0276, 2 * np.pi * 1331 * 2.998e-5
    thermo = read_run_thermo(folder)
    rows = thermo.steps >= 600
    total = (thermo["PotEng"] + thermo["KinEng"])[rows]
    expected = 12 * 3 * kT * omega_dt**2 / (8 * np.sqrt(2))
    assert total.std() < expected
    assert abs(total[:40].mean() - total[-40:].mean()) < expected / 4
    assert thermo["KinEng"][rows].std() > 5 * total.std()  # what is exchanged is much more


def test_molecules_hold_together(folder: Path) -> None:
    trajectory = trajectory_of(folder)
    lengths = []
    for step in trajectory.universe.trajectory:
        whole = step.positions.reshape(12, 5, 3)
        lengths.append(np.linalg.norm(whole[:, 1:] - whole[:, :1], axis=-1))
    # k (r - 1.332)^2 with kT = 0.0276 eV: deviations of about sqrt(kT / 2k) = 0.029 Å
    assert np.mean(lengths) == pytest.approx(1.332, abs=0.01)
    assert 0.015 < np.std(lengths) < 0.06


def test_a_run_goes_on_from_its_restart(folder: Path, tmp_path: Path) -> None:
    """Bonds and charges are in the restart file; the last segment is the same again."""
    again = tmp_path / "deck"
    shutil.copytree(folder, again)
    before = read_run_thermo(folder)
    (again / "run.done").unlink()
    (again / "log.4.lammps").unlink()
    (again / "restart.previous").replace(again / "restart.last")
    result = run_decks([again], find_lmp())[0]
    assert (result.status, result.cause) == ("finished", "")
    after = read_run_thermo(again)
    assert after.steps.tolist() == before.steps.tolist()
    assert after["PotEng"] == pytest.approx(before["PotEng"], rel=ROUND_OFF)


def test_a_study_trains_on_molecules_only(tmp_path: Path) -> None:
    """The force field has no energy of an atom alone: references follow from molecules."""
    study = Study(INPUTS / "carbon-tetrafluoride.yaml", tmp_path)
    context = study._context
    box = pack_box(context.composition(4), STATE, seed=1)
    frame = label_frame(context.reference, Frame(box, Tags(0.6, 320.0, "packed", 0, 1, 0)))
    energies = elemental_references(context, [frame])
    alone = 4 * (energies["C"] + 4 * energies["F"])
    assert alone == pytest.approx(frame.alone_energy, rel=ROUND_OFF * 1e3)


def test_isolated_atoms_are_refused(tmp_path: Path) -> None:
    text = (INPUTS / "carbon-tetrafluoride.yaml").read_text()
    shutil.copy(INPUTS / "carbon-tetrafluoride.data", tmp_path)
    path = tmp_path / "study.yaml"
    path.write_text(text.replace("  layers: 2", "  references: isolated-atoms\n  layers: 2"))
    with pytest.raises(StudyError, match=r"references = isolated-atoms, .*knows whole molecules"):
        Study(path, tmp_path / "runs")
