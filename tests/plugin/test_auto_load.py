"""`lmp` loads the plugin for every deck in the environment: that must cost next to nothing."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tolerances import AUTO_LOAD_OVERHEAD_S

pytestmark = pytest.mark.plugin

HEAVY = ("torch", "nequip", "MDAnalysis", "numpy", "ase", "lightning")


def test_entry_point_imports_the_standard_library_only() -> None:
    code = (
        "import sys; from lmp_thermo.plugin_folder import plugin_folder; plugin_folder();"
        "print(' '.join(m.split('.')[0] for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stdout.split())


def test_entry_point_names_a_folder_and_never_raises(tmp_path: Path) -> None:
    code = "from lmp_thermo.plugin_folder import plugin_folder; print(plugin_folder())"
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().endswith(os.path.join("lmp_thermo", "lib"))


def fastest_s(command: list[str], environment: dict[str, str], folder: Path) -> float:
    """Return the least processor time of five runs: wall time would judge the other jobs here."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(times)


def test_overhead_of_entry_point_and_plugin(plugin: Path, tmp_path: Path) -> None:
    entry = "from lmp_thermo.plugin_folder import plugin_folder; plugin_folder()"
    python = [sys.executable, "-c"]
    environment = dict(os.environ)
    overhead = fastest_s([*python, entry], environment, tmp_path)
    overhead -= fastest_s([*python, "import os"], environment, tmp_path)
    (tmp_path / "in.empty").write_text("units metal\n")
    lmp = ["lmp", "-in", "in.empty", "-log", "none"]
    overhead += fastest_s(lmp, {**environment, "LAMMPS_PLUGIN_PATH": str(plugin)}, tmp_path)
    overhead -= fastest_s(lmp, {**environment, "LAMMPS_PLUGIN_PATH": ""}, tmp_path)
    assert overhead < AUTO_LOAD_OVERHEAD_S


def test_nothing_heavy_is_mapped_until_the_style_is_used(plugin: Path, tmp_path: Path) -> None:
    # the shell that LAMMPS starts may or may not stand between it and this script
    script = """
    grandparent=$(awk '{print $4}' /proc/$PPID/stat)
    maps=$(cat /proc/$PPID/maps /proc/$grandparent/maps)
    echo "COUNT $(echo "$maps" | grep -c liblammps) $(echo "$maps" | grep -c libtorch)"
    """
    (tmp_path / "count.sh").write_text(script)
    (tmp_path / "in.idle").write_text("units metal\nshell sh count.sh\nplugin list\n")
    done = subprocess.run(
        ["lmp", "-in", "in.idle", "-log", "none"],
        cwd=tmp_path,
        env={**os.environ, "LAMMPS_PLUGIN_PATH": str(plugin)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pair style plugin nequip" in " ".join(done.stdout.split()), (
        "the plugin was not loaded at all"
    )
    lammps, torch = (int(n) for n in done.stdout.split("COUNT ")[1].split()[:2])
    assert lammps > 0, "looked into the wrong process"
    assert torch == 0
