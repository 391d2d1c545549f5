"""Decks and a program in the place of LAMMPS, which does what the test says."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lmp_thermo.launch import Lammps
from tests.unit.decks.argon import argon_deck

MakeRun = Callable[..., Path]


@pytest.fixture
def lammps(tmp_path: Path) -> Lammps:
    """A program that does what ``behave.sh`` in the run's folder says."""
    program = tmp_path / "not lmp"
    program.write_text("#!/bin/sh\n. ./behave.sh\n")
    program.chmod(0o755)
    return Lammps(program, "none", {"PATH": os.environ["PATH"]}, None)


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a deck whose run does what is said in a shell's words."""

    def make(behaviour: str, name: str = "a run") -> Path:
        folder = argon_deck(tmp_path / name, production_ps=0.16, equilibration_ps=0.0, nve_ps=0.0)
        (folder / "behave.sh").write_text(behaviour + "\n")
        return folder

    return make
