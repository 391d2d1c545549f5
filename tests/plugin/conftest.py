"""Fixtures of the plugin tests: where the plugin is, and models made once per session."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lmp_thermo.plugin_folder import plugin_folder
from tests.plugin.comparison import NOTED
from tests.plugin.models import build_nequip, save_torchscript


@pytest.fixture(autouse=True)
def noted_deviations(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the deviations that a test notes go into its report."""
    NOTED.clear()
    yield
    request.node.user_properties.extend(NOTED.items())


@pytest.fixture(scope="session")
def plugin() -> Path:
    """Return the folder of the built plugin, or skip."""
    folders = [*os.environ.get("LAMMPS_PLUGIN_PATH", "").split(":"), plugin_folder()]
    for folder in filter(None, folders):
        if (Path(folder) / "lmp_thermo_plugin.so").exists():
            return Path(folder)
    pytest.skip("lmp_thermo_plugin.so is not built; run `make setup`")


@pytest.fixture(scope="session")
def saved_nequip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that makes a `.nequip.pth` from model settings, once for each."""
    folder = tmp_path_factory.mktemp("models")
    made: dict[str, Path] = {}

    def save(**settings: Any) -> Path:
        key = repr(sorted(settings.items()))
        if key not in made:
            path = folder / f"model{len(made)}.nequip.pth"
            made[key] = save_torchscript(build_nequip(**settings), path)
        return made[key]

    return save
