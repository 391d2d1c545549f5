"""What the files of a run say."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from lmp_thermo.errors import RunError
from lmp_thermo.launch import Failure, read_failure, run_state
from lmp_thermo.launch.run_folder import (
    current_step,
    dcd_frames,
    failure_in_logs,
    locked,
    missing_piece,
    read_deck,
    write_failure,
)
from tests.unit.decks.argon import argon_deck


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A deck."""
    return argon_deck(tmp_path / "deck", equilibration_ps=0.0, production_ps=2.0, nve_ps=0.0)


def test_states(folder: Path) -> None:
    assert run_state(folder) == "new"
    with locked(folder):
        assert run_state(folder) == "running"
    assert run_state(folder) == "new"
    (folder / "log.lammps").write_text("")
    assert run_state(folder) == "interrupted"
    (folder / "run.done").write_text("")
    assert run_state(folder) == "finished"
    write_failure(folder, Failure("guard", "hot", 3))
    assert run_state(folder) == "failed"
    assert read_failure(folder) == Failure("guard", "hot", 3)
    write_failure(folder, Failure("setup", "no pair style", 0))
    assert run_state(folder) == "interrupted"


@pytest.mark.parametrize("text", ["", "[]", '{"kind": "guard"}', '{"kind": "x", "cause": "", "s'])
def test_a_corrupt_failure_is_an_error(folder: Path, text: str) -> None:
    (folder / "failed.json").write_text(text)
    with pytest.raises(RunError, match=r"failed.json: corrupt; remove it to run the deck again"):
        run_state(folder)


def test_a_failure_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, value: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lmp_thermo.launch.run_folder.write_json", full)
    with pytest.raises(RunError, match=r"failed \(hot\), and that cannot be written down"):
        write_failure(folder, Failure("guard", "hot", 3))


def test_no_deck(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no in.lmp and deck.json; expected a deck"):
        read_deck(tmp_path)
    (tmp_path / "in.lmp").write_text("")
    (tmp_path / "deck.json").write_text("{}")
    with pytest.raises(RunError, match=r"deck.json: not the facts of a deck"):
        read_deck(tmp_path)


def test_two_writers(folder: Path) -> None:
    with (
        locked(folder),
        pytest.raises(RunError, match="another LAMMPS is running there; wait for it"),
        locked(folder),
    ):
        pass


def test_step_is_that_of_the_log_written_last(folder: Path) -> None:
    assert current_step(folder) == 0
    for index, (name, text) in enumerate(
        [
            ("log.10.lammps", "data:\n  - [100, 1.0, ]\n  - [120, 1.0, ]\n  - [1"),
            ("log.9.lammps", "data:\n  - [40, 1.0, ]\n"),
            ("log.lammps", "data:\n  - [7, 1.0, ]\n"),  # of the start of a phase
        ]
    ):
        (folder / name).write_text(text)
        os.utime(folder / name, (1000 - index, 1000 - index))
    assert current_step(folder) == 120
    os.utime(folder / "log.lammps", (3000, 3000))  # where a run ends
    assert current_step(folder) == 120
    os.utime(folder / "log.9.lammps", (2000, 2000))
    assert current_step(folder) == 40


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "ERROR: Fix halt condition for fix-id guard_temperature met on step 70 with value 3248"
            "\nLast input line: run ${last} upto",
            Failure(
                "guard",
                "guard_temperature: temperature 3248 K, limit 3000 K, at step 70 (log.1.lammps)",
                70,
            ),
        ),
        (
            "ERROR: Fix halt condition for fix-id guard_distance met on step 20 with value 1.25",
            Failure(
                "guard",
                "guard_distance: shortest distance 1.250 Å, limit 1.5 Å, at step 20 (log.1.lammps)",
                20,
            ),
        ),
        (
            "ERROR: Fix halt condition for fix-id guard_energy met on step 30 with value 1.5",
            Failure(
                "guard",
                "guard_energy: potential energy 1.5 eV/atom above the start of the phase, limit 1, "
                "at step 30 (log.1.lammps)",
                30,
            ),
        ),
        (
            "ERROR: Lost atoms: original 27 current 26\nLast input line: run ${last} upto",
            Failure(
                "error",
                "LAMMPS: ERROR: Lost atoms: original 27 current 26 at `run ${last} upto` "
                "(log.1.lammps)",
                40,
            ),
        ),
        (
            "ERROR on proc 1: not finite",
            Failure("error", "LAMMPS: ERROR on proc 1: not finite (log.1.lammps)", 40),
        ),
        (
            "ERROR: Unrecognized pair style 'x'\nLast input line: pair_style x",
            Failure(
                "setup",
                "LAMMPS: ERROR: Unrecognized pair style 'x' at `pair_style x` (log.1.lammps)",
                40,
            ),
        ),
        (
            "ERROR: Invalid LAMMPS restart file\nLast input line: read_restart restart.last",
            Failure(
                "restart",
                "LAMMPS: ERROR: Invalid LAMMPS restart file at `read_restart restart.last` "
                "(log.1.lammps)",
                40,
            ),
        ),
        ("all is well", None),
    ],
)
def test_causes(folder: Path, said: str, expected: Failure | None) -> None:
    (folder / "log.1.lammps").write_text(f"  - [40, 1.0, ]\n{said}\n")
    assert failure_in_logs(folder, since=0.0) == expected


def test_an_older_error_is_not_the_cause(folder: Path) -> None:
    (folder / "log.1.lammps").write_text("ERROR: long ago\n")
    os.utime(folder / "log.1.lammps", (1000, 1000))
    assert failure_in_logs(folder, since=1001.0) is None


def fake_dcd(path: Path, n_atoms: int, n_frames: float) -> None:
    """Records of the right lengths, as LAMMPS writes them."""

    def record(length: int) -> bytes:
        return struct.pack("i", length) + b"x" * length + struct.pack("i", length)

    frame = record(48) + 3 * record(4 * n_atoms)
    body = frame * (int(n_frames) + 1)
    header = record(84) + record(164) + record(4)
    path.write_bytes(header + body[: int(n_frames * len(frame))])


@pytest.mark.parametrize(("written", "whole"), [(0, 0), (1, 1), (2.5, 2), (3, 3)])
def test_frames_by_size(tmp_path: Path, written: float, whole: int) -> None:
    fake_dcd(tmp_path / "traj.1.dcd", 27, written)
    assert dcd_frames(tmp_path / "traj.1.dcd", 27) == whole
    (tmp_path / "traj.1.dcd").write_bytes(b"x" * 50)
    assert dcd_frames(tmp_path / "traj.1.dcd", 27) == 0


def test_what_a_finished_run_lacks(folder: Path) -> None:
    deck = json.loads((folder / "deck.json").read_text())
    assert [s["last_step"] for s in deck["segments"]] == [260, 500]
    assert missing_piece(folder, deck) == "log.0.lammps does not reach step 260"
    (folder / "log.0.lammps").write_text("  - [256, 1.0, ]\n  - [260, 1.0, ]\n...\n")
    assert missing_piece(folder, deck) == "traj.0.dcd has 0 frames, expected 13"
    fake_dcd(folder / "traj.0.dcd", 27, 13)
    (folder / "log.1.lammps").write_text("  - [500, 1.0, ]\n...\n")
    fake_dcd(folder / "traj.1.dcd", 27, 11.9)
    assert missing_piece(folder, deck) == "traj.1.dcd has 11 frames, expected 12"
    fake_dcd(folder / "traj.1.dcd", 27, 12)
    assert missing_piece(folder, deck) is None
