"""The process between this one and LAMMPS."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import lmp_thermo.launch
from tests.unit.launch.test_run_decks import is_alive

CHILD = Path(lmp_thermo.launch.__file__).with_name("child.py")


def started(*arguments: str) -> list[str]:
    """The command that becomes a program."""
    return [sys.executable, "-I", "-S", str(CHILD), *arguments]


def test_becomes_the_program() -> None:
    command = started(str(os.getpid()), "/bin/sh", "-c", "echo $$ $PPID")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate()
    assert said.split() == [str(process.pid), str(os.getpid())]


def test_does_not_start_where_the_parent_is_gone() -> None:
    answer = subprocess.run(
        started("1", "/bin/echo", "started"), capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (1, "")


def test_a_program_that_is_not_there() -> None:
    answer = subprocess.run(
        started("0", "/nowhere/lmp"), capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert "/nowhere/lmp: cannot be started (No such file or directory)" in answer.stderr


def test_dies_with_its_parent(tmp_path: Path) -> None:
    """A parent that is killed outright takes the program with it."""
    script = (
        "import os, subprocess, sys, time\n"
        f"subprocess.Popen([*{started()!r}, str(os.getpid()), '/bin/sh', '-c',"
        " 'echo $$ > pid; exec sleep 600'], start_new_session=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path)
    deadline = time.monotonic() + 10
    while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    program = int((tmp_path / "pid").read_text())
    assert is_alive(program)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    while is_alive(program):
        assert time.monotonic() < deadline
        time.sleep(0.01)
