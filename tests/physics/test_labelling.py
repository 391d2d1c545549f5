"""Labels on disk: kept, refused, timed, and made beside calculators that fail."""

import os
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from lmp_thermo.errors import LabelError
from lmp_thermo.frames import Frame, Tags, molecule_index
from lmp_thermo.reference import LabelFailure, Labeller
from lmp_thermo.sections import Reference as Section
from tests.physics.references import LJ

pytestmark = pytest.mark.physics


def frame(positions: list[list[float]], index: int) -> Frame:
    atoms = Atoms("Ar2", positions, cell=[20.0] * 3, pbc=True)
    atoms.set_array("molecule", molecule_index([1, 1]))
    return Frame(atoms, Tags(0.1, 100.0, "packed", 0, 1, index))


def test_labels_are_kept_and_absurd_ones_refused(tmp_path: Path) -> None:
    good, absurd = frame([[0, 0, 0], [0, 0, 4.0]], 0), frame([[0, 0, 0], [0, 0, 1.2]], 1)
    tool = Labeller(LJ, ("Ar", "Kr"), tmp_path, workers=2)
    first, second = tool.label([good, absurd])
    assert isinstance(first, Frame)
    assert first.tags.fidelity == "lj"
    assert isinstance(second, LabelFailure)
    assert "expected at most reference.max_force_eV_A" in second.cause
    stored = tool._path(good)
    before = stored.stat().st_mtime_ns
    assert isinstance(tool.label([good])[0], Frame)
    assert stored.stat().st_mtime_ns == before
    stored.write_text("corrupt")
    again = tool.label([good])[0]
    assert isinstance(again, Frame)
    assert again.energy == first.energy


def test_a_stored_label_obeys_the_limit_of_today(tmp_path: Path) -> None:
    close = frame([[0, 0, 0], [0, 0, 3.6]], 0)
    (label,) = Labeller(LJ, ("Ar", "Kr"), tmp_path, workers=1).label([close])
    assert isinstance(label, Frame)
    limit = 0.5 * float(np.abs(label.forces).max())
    stricter = LJ.model_copy(update={"max_force_eV_A": limit})
    told: list[Frame | LabelFailure] = []
    (refused,) = Labeller(stricter, ("Ar", "Kr"), tmp_path, workers=1).label([close], told.append)
    assert isinstance(refused, LabelFailure)
    assert f"reference.max_force_eV_A = {limit:g}" in refused.cause
    assert told == [refused]


START_S = 1.0
SLOW_START = f"""
import time
from ase.calculators.lj import LennardJones

class SlowStart(LennardJones):
    def __init__(self, **given):
        time.sleep({START_S})
        super().__init__(**given)
"""


def test_a_label_does_not_pay_for_the_start_of_its_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_start.py").write_text(SLOW_START)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    section = Section.model_validate(
        {"name": "slow", "ase": {"calculator": "slow_start.SlowStart", "arguments": {"rc": 5.0}}}
    )
    tool = Labeller(section, ("Ar",), tmp_path / "store", workers=2)
    frames = [frame([[0, 0, 0], [0, 0, 3.9 + 0.1 * k]], k) for k in range(3)]
    assert all(isinstance(label, Frame) for label in tool.label(frames))
    assert max(tool.seconds(own) for own in frames) < START_S  # it would take that and more


FRAGILE = """
import os, signal
from ase.calculators.lj import LennardJones

class Fragile(LennardJones):
    def calculate(self, atoms=None, *args, **kwargs):
        if atoms is not None and len(atoms) == 2 and atoms.get_distance(0, 1) > self.parameters.rc:
            raise RuntimeError("did not converge")
        if atoms is not None and len(atoms) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        super().calculate(atoms, *args, **kwargs)
"""


def test_a_calculator_that_throws_and_a_worker_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fragile.py").write_text(FRAGILE)
    monkeypatch.syspath_prepend(tmp_path)
    section = Section.model_validate(
        {
            "name": "fragile",
            "ase": {"calculator": "fragile.Fragile", "arguments": {"sigma": 3.4, "rc": 6.0}},
        }
    )
    tool = Labeller(section, ("Ar",), tmp_path / "store", workers=1)
    good, bad = frame([[0, 0, 0], [0, 0, 4.0]], 0), frame([[0, 0, 0], [0, 0, 8.0]], 1)
    first, second = tool.label([good, bad])
    assert isinstance(first, Frame)
    assert isinstance(second, LabelFailure)
    assert second.cause == "RuntimeError: did not converge"
    atoms = Atoms("Ar3", [[0, 0, 0], [0, 0, 4.0], [0, 4.0, 0]], cell=[20.0] * 3, pbc=True)
    atoms.set_array("molecule", molecule_index([1, 1, 1]))
    with pytest.raises(LabelError, match="a worker process was killed"):
        tool.label([Frame(atoms, good.tags)])
    assert len(list((tmp_path / "store").rglob("*.extxyz"))) == 1
