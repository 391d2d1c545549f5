"""Where tasks run: this machine; finding and starting LAMMPS."""

from lmp_thermo.launch.doctor import Finding, diagnose
from lmp_thermo.launch.events import RunEvent, RunResult
from lmp_thermo.launch.lammps import Lammps, find_lmp
from lmp_thermo.launch.local import run_decks
from lmp_thermo.launch.machine import require_free_space, usable_cores
from lmp_thermo.launch.run_folder import Failure, read_failure, run_state

__all__ = [
    "Failure",
    "Finding",
    "Lammps",
    "RunEvent",
    "RunResult",
    "diagnose",
    "find_lmp",
    "read_failure",
    "require_free_space",
    "run_decks",
    "run_state",
    "usable_cores",
]
