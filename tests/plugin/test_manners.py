"""What the pair style prints, and what it warns of: once, on rank 0."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from ase.io.lammpsdata import write_lammps_data

from tests.plugin.lammps_run import SPECIES, launch
from tests.plugin.systems import random_system

pytestmark = pytest.mark.plugin

MODEL = {"num_layers": 2, "l_max": 1, "num_features": 4}
ROWS = ["model (s)", "edges (s)", "exchange (s)", "scatter (s)", "sent (MB)", "peak memory (MB)"]
START = "units metal\natom_style atomic\nread_data system.data\n"


def write_data(folder: Path) -> None:
    write_lammps_data(
        folder / "system.data",
        random_system("triclinic", 40, closest=1.3),
        specorder=SPECIES,
        masses=True,
        units="metal",
        atom_style="atomic",
    )


def test_log_of_a_run(saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path) -> None:
    write_data(tmp_path)
    deck = f"""{START}pair_style nequip
pair_coeff * * {saved_nequip(**MODEL)} H C
velocity all create 400 4711
fix 1 all nve
timestep 0.0005
run 10
"""
    output = launch(tmp_path, deck, plugin, ranks=2).stdout
    log = (tmp_path / "log.lammps").read_text()
    for text in (output, log):
        assert text.count("pair_style nequip: TorchScript model, float64, cpu, r_max 4 A") == 1
        assert text.count("types C H, 2 convolution(s)") == 1
        assert text.count("pair_style nequip: doi:10.1038/s41467-022-29939-5") == 1
        assert text.count("pair_style nequip: 11 evaluations, ") == 1
    assert "@Article{Batzner2022," in log
    rebuilds = int(re.findall(r"11 evaluations, (\d+) node rebuilds", log)[0])
    assert 1 <= rebuilds <= 11
    for row in ROWS:
        (line,) = [line for line in log.splitlines() if line.startswith(row)]
        least, mean, most = (float(word) for word in line.split("|")[1:])
        assert 0 < least <= mean <= most, "both ranks have atoms, work and messages"
    loop = float(re.findall(r"Loop time of (\S+)", log)[0])
    model = float(re.findall(r"model \(s\) +\| +(\S+)", log)[0])
    assert model < 2 * loop, "11 evaluations cannot take twice as long as 10 steps"


EXCLUSIONS = {
    "all types": ("nequip", "nequip", "H C", "exclude type 1 2", 1),
    "groups": ("nequip", "nequip", "H C", "exclude group frozen frozen", 1),
    "groups without atoms": ("nequip", "nequip", "H C", "exclude group nobody nobody", 0),
    "a type not seen": (
        "hybrid/overlay nequip zero 4.0",
        "hybrid",
        "NULL C",
        "exclude type 1 2",
        0,
    ),
}


def test_exclusions_are_warned_of(
    saved_nequip: Callable[..., Path], plugin: Path, tmp_path: Path
) -> None:
    """Pairs that neigh_modify takes away are missing in the model: said once, not refused."""
    write_data(tmp_path)
    model = saved_nequip(**MODEL)
    deck = ""
    for name, (style, kind, types, exclusion, _) in EXCLUSIONS.items():
        coeff = f"pair_coeff * * {'nequip ' if kind == 'hybrid' else ''}{model} {types}\n"
        coeff += "pair_coeff * * zero\n" if kind == "hybrid" else ""
        deck += f"""clear
{START}pair_style {style}
{coeff}group frozen id 1 2 3
group nobody empty
neigh_modify {exclusion}
print "CASE {name}"
run 0
run 0 pre no
"""
    output = launch(tmp_path, deck, plugin, ranks=2).stdout
    # LAMMPS echoes no commands to the screen: each part begins where `print` wrote
    parts = output.split("CASE ")[1:]
    assert len(parts) == len(EXCLUSIONS), output[-3000:]
    for part, (name, (*_, warnings)) in zip(parts, EXCLUSIONS.items(), strict=True):
        assert part.startswith(name)
        assert "Loop time" in part, part
        assert part.count("neigh_modify exclude hides neighbours from the model") == warnings, part
