"""Cells whose runs end early, and cells of two phases: said, and the comparison goes on."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from ase import Atoms

from lmp_thermo import Study
from lmp_thermo.errors import FrameError
from lmp_thermo.frames import MOLECULE, Frame, Tags, read_frames
from lmp_thermo.products import read_json
from lmp_thermo.progress import Progress
from lmp_thermo.stages import compare, sample
from lmp_thermo.stages.context import Context
from lmp_thermo.states import StatePoint
from lmp_thermo.units import BAR_PER_EV_A3, BOLTZMANN_EV_K
from tests.unit.decks.argon import argon_deck
from tests.unit.designs import INPUTS, argon

LOST = "LAMMPS: ERROR: Lost atoms: original 192 current 190 at `run 100` (log.0.lammps)"


def context_of(path: Path, workspace: Path, told: io.StringIO) -> Context:
    return Study(path, workspace, progress=Progress(told))._context


def draw_one(context: Context, monkeypatch: pytest.MonkeyPatch, round_number: int) -> Path:
    """Draw from a run that has left nothing, and give the folder of the cell's frames."""
    plan = context.plan(round_number)[0]
    monkeypatch.setattr(
        sample, "carry_out_decks", lambda context, title, folders: dict.fromkeys(folders, LOST)
    )
    sample._make_from_runs(context, round_number, [plan])
    made = sample.cell_product(context, round_number, plan)
    assert made.state == "current"
    return made.folder


def test_a_pool_goes_without_a_cell_whose_run_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, path = io.StringIO(), tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(argon()))
    folder = draw_one(context_of(path, tmp_path / "workspace", told), monkeypatch, 0)
    assert not (folder / sample.FRAMES).exists()
    summary = read_json(folder / sample.SUMMARY)
    assert summary["stopped"] == LOST
    assert summary["missing"].startswith(f"its run gave no frames ({LOST})")
    assert f"0.03 g/cm3, 180 K: its run gave no frames ({LOST})" in told.getvalue()
    assert "the comparison goes on without the cell" in told.getvalue()


def test_a_main_job_needs_its_reference_to_be_stable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = io.StringIO()
    context = context_of(INPUTS.parent / "argon.yaml", tmp_path / "workspace", told)
    with pytest.raises(FrameError, match=r"the reference's own run at .* gave no frames \(LAMMPS:"):
        draw_one(context, monkeypatch, 0)


def test_before_the_pool_packed_frames_take_the_place_of_a_run_that_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = io.StringIO()
    context = context_of(INPUTS / "methane.yaml", tmp_path / "workspace", told)
    packed: list[Any] = []

    def pack(composition: Any, shapes: Any, state: StatePoint, count: int, *rest: Any) -> Any:
        packed.append(count)
        atoms = Atoms("Ar", cell=[5.0] * 3, pbc=True)
        atoms.set_array(MOLECULE, np.array([0]))
        return [Frame(atoms, Tags(state.density_g_cm3, state.temperature_K, "packed", 1, 1, 0))]

    monkeypatch.setattr(sample, "packed_frames", pack)
    monkeypatch.setattr(sample, "molecule_shapes", lambda context: [])
    monkeypatch.setattr(sample, "_run_sources", lambda *given: {})
    monkeypatch.setattr(sample, "_interaction", lambda *given: None)  # there is no model
    monkeypatch.setattr(sample, "_write_run", lambda *given: argon_deck(given[-1]))
    folder = draw_one(context, monkeypatch, 1)
    assert packed == [context.plan(1)[0].drawn]
    assert [frame.tags.origin for frame in read_frames(folder / sample.FRAMES)] == ["packed"]
    assert f"{LOST}; packed frames are taken instead" in told.getvalue()


def frames_at(state: StatePoint, pressure_bar: float, seed: int) -> list[Frame]:
    """Atoms whose forces make so much pressure, less that of the ideal gas."""
    random = np.random.default_rng(seed)
    found = []
    for index in range(6):
        atoms = Atoms("Ar4", random.random((4, 3)) * 9, cell=[9.0, 10.0, 11.0], pbc=True)
        atoms.set_array(MOLECULE, np.arange(4))
        value = -(pressure_bar + random.normal(scale=0.1)) / BAR_PER_EV_A3
        stress = np.array([value, value, value, 0.0, 0.0, 0.0])
        tags = Tags(state.density_g_cm3, state.temperature_K, "reference-md", 0, seed, index)
        zeros = np.zeros((4, 3))
        found.append(Frame(atoms, tags).labelled("own", 0.0, zeros, stress, 0.0, zeros))
    return found


def test_a_fluid_of_two_phases_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    gas, dome, liquid = (StatePoint(density, 100.0) for density in (0.1, 0.4, 1.2))
    excess = {gas: 20.0, dome: -200.0, liquid: 300.0}
    pool = {dome: frames_at(dome, -200.0, 3)}  # where no arm may spend there is no pool
    held_out = {s: frames_at(s, value, k) for k, (s, value) in enumerate(excess.items())}
    monkeypatch.setattr(compare, "pool", lambda context: pool)
    monkeypatch.setattr(compare, "held_out", lambda context: held_out)
    told = io.StringIO()
    context: Any = SimpleNamespace(progress=Progress(told))
    (fall,) = compare._pressure_falls(context)
    assert (fall["lower"], fall["higher"]) == (gas.name, dome.name)
    ideal = 4 * BOLTZMANN_EV_K * 100.0 / (9 * 10 * 11) * BAR_PER_EV_A3
    assert ideal > 50  # the same in all cells, whose boxes are the same
    assert fall["fall_bar"] == pytest.approx(220.0, abs=0.5)  # ten errors of 0.1 bar over root 6
    assert "warning: the reference's pressure falls by 220 bar" in told.getvalue()
    # too few frames say nothing
    held_out[gas] = held_out[gas][:3]
    assert compare._pressure_falls(context) == []


def test_a_curriculum_tells_of_the_cells_that_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that lost its held-out labels has bought labels, and no place in the result."""
    kept, lost = StatePoint(0.4, 100.0), StatePoint(0.1, 100.0)
    one = {"bought": {kept.name: 2, lost.name: 1}, "scores": {lost.name: 0.5}, "stopped": None}
    monkeypatch.setattr(compare, "held_out", lambda context: {kept: []})
    monkeypatch.setattr(compare, "buyers", lambda context: [SimpleNamespace(name="adaptive-1")])
    monkeypatch.setattr(compare.curriculum, "rounds", lambda context, arm: [one])
    context: Any = None
    assert compare._curriculum(context) == {
        "adaptive-1": [{"bought": {kept.name: 2}, "scores": {}, "stopped": None}]
    }
