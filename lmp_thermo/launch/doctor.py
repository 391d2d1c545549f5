"""What fits together on this machine, what does not, and what to do about it."""

import importlib.metadata
import importlib.util
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lmp_thermo.errors import RunError
from lmp_thermo.launch.lammps import Lammps, find_lmp
from lmp_thermo.launch.machine import usable_cores

LEAST_PYTHON = (3, 11)
INSTALL_ALL = "pip install 'lmp-thermo[full]'"
TIMEOUT_S = 60

NO_MODEL = "none.nequip.pth"
TRIAL = """\
units metal
atom_style atomic
region box block 0 9 0 9 0 9
create_box 1 box
{line}
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        what: it was.
        found: what is there.
        ok: whether that is enough.
        remedy: what to do where it is not; empty otherwise.
    """

    what: str
    found: str
    ok: bool
    remedy: str


def diagnose(lmp: str | None = None) -> list[Finding]:
    """Look at Python, the packages, LAMMPS, its pair styles, MPI and GPUs.

    Args:
        lmp: LAMMPS program; None for the one of this Python environment.
    """
    findings = [
        python_finding(),
        Finding("cores", str(usable_cores()), True, ""),
        torch_finding(),
        package_finding("nequip"),
        package_finding("mpi4py"),
    ]
    try:
        lammps = find_lmp(lmp)
    except RunError as error:
        return [*findings, Finding("lammps", str(error), False, INSTALL_ALL), gpu_finding()]
    return [
        *findings,
        Finding("lammps", f"{lammps.version}, {lammps.binary}", True, ""),
        *plugin_findings(lammps),
        mpi_finding(lammps),
        mpi4py_finding(lammps),
        gpu_finding(),
    ]


def python_finding() -> Finding:
    """The version of Python."""
    least = ".".join(map(str, LEAST_PYTHON))
    ok = sys.version_info[:2] >= LEAST_PYTHON
    found = f"{platform.python_version()}, {sys.executable}"
    return Finding("python", found, ok, "" if ok else f"use Python {least} or later")


def installed_version(package: str) -> str | None:
    """The version of an installed package, which is not imported."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def package_finding(package: str) -> Finding:
    """Whether a package is installed."""
    version = installed_version(package)
    if version is None:
        return Finding(package, "not installed", False, INSTALL_ALL)
    return Finding(package, version, True, "")


def torch_finding() -> Finding:
    """The version of torch and the device that it was built for."""
    spec = importlib.util.find_spec("torch")
    version = installed_version("torch")
    if version is None or spec is None or spec.origin is None:
        return Finding("torch", "not installed", False, INSTALL_ALL)
    try:
        text = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    except OSError as error:
        return Finding("torch", f"{version}, damaged ({error})", False, INSTALL_ALL)
    cuda = cuda_of(text)
    return Finding("torch", f"{version}, {f'CUDA {cuda}' if cuda else 'CPU only'}", True, "")


def cuda_of(version_module: str) -> str | None:
    """The CUDA that torch was built for, from the text of its version module."""
    match = re.search(r"^cuda\b.*=\s*'([\d.]+)'", version_module, re.MULTILINE)
    return match.group(1) if match else None


def plugin_findings(lammps: Lammps) -> list[Finding]:
    """Whether LAMMPS knows ``pair_style nequip``, and whether that finds its torch."""
    said = tried(lammps, [str(lammps.binary)], "pair_style nequip")
    error = error_in(said)
    if error is None:
        known = Finding("pair_style nequip", "known to LAMMPS", True, "")
        return [known, plugin_torch_finding(lammps)]
    told = next((line.strip() for line in said.splitlines() if "built for" in line), None)
    if told is not None:
        remedy = "build it for this LAMMPS: pip install . in a checkout"
        return [Finding("pair_style nequip", told, False, remedy)]
    folders = [f for f in lammps.environment.get("LAMMPS_PLUGIN_PATH", "").split(":") if f]
    if not any(any(Path(folder).glob("*plugin.so")) for folder in folders):
        where = ":".join(folders) or "any folder (LAMMPS_PLUGIN_PATH is empty)"
        remedy = "install lmp-thermo with its plugin: pip install . in a checkout"
        return [Finding("pair_style nequip", f"no plugin in {where}", False, remedy)]
    remedy = "build it again: pip install . in a checkout"
    return [Finding("pair_style nequip", error, False, remedy)]


def plugin_torch_finding(lammps: Lammps) -> Finding:
    """Whether the plugin loads the torch that it was built for.

    It does so when it is given a model; what it says to one that is none tells how far it got.
    """
    line = f"pair_style nequip\npair_coeff * * {NO_MODEL} Ar"
    said = tried(lammps, [str(lammps.binary)], line)
    error = error_in(said) or last_line(said)
    if NO_MODEL in error:
        return Finding("plugin's torch", "loads", True, "")
    return Finding("plugin's torch", error, False, "see the message")


def mpi_finding(lammps: Lammps) -> Finding:
    """Whether mpiexec starts LAMMPS as ranks of one run: only that of the same MPI does."""
    if lammps.mpiexec is None:
        return Finding(
            "mpi", "no mpiexec", False, "install the MPI that LAMMPS was built with (mpich)"
        )
    command = [str(lammps.mpiexec), "-n", "2", str(lammps.binary)]
    said = tried(lammps, command, "print 'ranks $(extract_setting(world_size))'")
    if said.count("ranks 2") == 1:
        return Finding("mpi", f"2 ranks through {lammps.mpiexec}", True, "")
    found = "two runs of one rank each" if said.count("ranks 1") == 2 else last_line(said)
    return Finding(
        "mpi",
        f"{lammps.mpiexec}: {found}",
        False,
        "use the mpiexec of the MPI that LAMMPS was built with (mpich)",
    )


def mpi4py_finding(lammps: Lammps) -> Finding:
    """Which MPI library mpi4py loads: it must be LAMMPS's for LAMMPS inside Python."""
    code = "from mpi4py import MPI; print(MPI.Get_library_version().splitlines()[0])"
    said = output_of([sys.executable, "-c", code], lammps.environment).strip()
    ok = "MPICH" in said
    remedy = "" if ok else "reinstall mpi4py and mpich together: pip install mpi4py mpich"
    return Finding("mpi4py's MPI", last_line(said), ok, remedy)


def gpu_finding() -> Finding:
    """Graphics processors; none is fine."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return Finding("gpu", "none (no nvidia-smi)", True, "")
    said = output_of([program, "--query-gpu=name,memory.total", "--format=csv,noheader"], None)
    return Finding("gpu", "; ".join(said.split("\n")).strip("; ") or "none", True, "")


def tried(lammps: Lammps, command: Sequence[str], line: str) -> str:
    """What LAMMPS says to a line of input in a box without atoms."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NO_MODEL).write_text("no model", encoding="utf-8")
        (Path(folder) / "in.trial").write_text(TRIAL.format(line=line), encoding="utf-8")
        arguments = ["-in", "in.trial", "-log", "none", "-echo", "none"]
        return output_of([*command, *arguments], lammps.environment, Path(folder))


def output_of(
    command: Sequence[str], environment: Mapping[str, str] | None, folder: Path | None = None
) -> str:
    """Standard output and error of a command together; why it could not be run, otherwise."""
    try:
        answer = subprocess.run(
            list(command),
            env=None if environment is None else dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return answer.stdout


def error_in(said: str) -> str | None:
    """The error line of LAMMPS's output."""
    return next((line.strip() for line in said.splitlines() if line.startswith("ERROR")), None)


def last_line(said: str) -> str:
    """The last line of an output, shortened."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no output"
