"""The verbs of ``lmp-thermo observe`` on small files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from MDAnalysis.lib.formats.libdcd import DCDFile
from typer.testing import CliRunner

from lmp_thermo.cli.observe import app
from lmp_thermo.errors import AnalysisError

BOX_A = 14.0


@pytest.fixture
def files(tmp_path: Path, write_data_file: Callable[..., Path]) -> Path:
    """Six frames of molecules C-O on random places, and a log."""
    rng = np.random.default_rng(0)
    centres = rng.uniform(0.0, BOX_A, (6, 30, 1, 3))
    frames = np.concatenate([centres, centres + np.array([0.0, 0.0, 1.13])], axis=2).reshape(
        6, 60, 3
    )
    write_data_file(frames[0], BOX_A * np.eye(3), [1, 2] * 30, [12.011, 15.999])
    with DCDFile(str(tmp_path / "traj.0.dcd"), "w") as dcd:
        dcd.write_header(remarks="", natoms=60, istart=0, nsavc=10, delta=0.001, is_periodic=1)
        for frame in frames:
            dcd.write(
                xyz=frame.astype(np.float32), box=np.array([BOX_A, 0, BOX_A, 0, 0, BOX_A], float)
            )
    rows = "".join(
        f"  - [{10 * k}, {0.01 * k:.15g}, {1e-3 * rng.normal() - 5.0:.15g}, ]\n" for k in range(60)
    )
    log = f"---\nkeywords: ['Step', 'Time', 'TotEng', ]\ndata:\n{rows}...\n"
    (tmp_path / "log.0.lammps").write_text(log)
    return tmp_path


def observe(folder: Path, *arguments: str) -> str:
    """Standard output of a verb on the trajectory of the folder."""
    verb, *rest = arguments
    options = ["--data", str(folder / "data.lmp"), "--timestep-fs", "1"]
    found = CliRunner().invoke(
        app, [verb, str(folder / "traj.0.dcd"), *options, *rest], catch_exceptions=False
    )
    assert found.exit_code == 0, found.output
    return found.stdout


MOLECULES = ("--species", "C,O", "--molecule-size", "2")


def test_rdf_as_table_and_json(files: Path) -> None:
    table = observe(files, "rdf", *MOLECULES, "--of", "O", "--around", "C", "--r-max", "6")
    assert table.startswith("# r (Å)  g(C-O)  standard_error\n")
    rows = np.loadtxt(table.splitlines())
    found = json.loads(
        observe(files, "rdf", *MOLECULES, "--of", "O", "--around", "C", "--r-max", "6", "--json")
    )
    assert rows[:, 1] == pytest.approx(found["g"], abs=1e-6)
    inside = json.loads(observe(files, "rdf", *MOLECULES, "--same-molecule", "--json"))
    assert inside["label"] == "all-all"
    assert inside["peak"]["value"] > 10.0


def test_frames_are_selected(files: Path) -> None:
    arguments = ("density", "--json")
    whole = json.loads(observe(files, *arguments))["observables"]["density"]
    part = json.loads(observe(files, *arguments, "--first-step", "20", "--every", "2"))
    assert whole["origin"].startswith("box of 6 frames")
    assert part["observables"]["density"]["origin"].startswith("box of 2 frames")
    assert whole["imposed"] is True


def test_coordination_and_bonds(files: Path) -> None:
    text = observe(files, "coordination", *MOLECULES, "--of", "centres", "--cutoff", "5")
    assert text.startswith("coordination.centres-centres ")
    assert "not converged" in text
    with pytest.raises(AnalysisError, match=r"centres-centres: g\(r\) has no first minimum"):
        observe(files, "coordination", *MOLECULES, "--of", "centres")
    bonds = json.loads(observe(files, "bonds", *MOLECULES, "--json"))
    assert bonds["intact"] is True
    assert bonds["observables"]["bond_length.C-O"]["value"] == pytest.approx(1.13, abs=1e-5)


@pytest.mark.parametrize("target", ["", "log.0.lammps"])
def test_logs(files: Path, target: str) -> None:
    thermo = CliRunner().invoke(app, ["thermo", str(files / target), "--last-step", "400"])
    assert thermo.stdout.startswith("TotEng  -")
    drift = CliRunner().invoke(app, ["drift", str(files / target), "--atoms", "60"])
    assert [line.split()[0] for line in drift.stdout.splitlines()] == [
        "energy_drift",
        "energy_fluctuation",
    ]


def test_files_need_their_options(files: Path) -> None:
    found = CliRunner().invoke(app, ["density", str(files / "traj.0.dcd")])
    assert found.exit_code == 2
    assert "DCD files need --data and --timestep-fs" in found.output


@pytest.mark.parametrize(
    "verb", ["rdf", "coordination", "density", "bonds", "thermo", "drift", "run"]
)
def test_every_verb_shows_an_example(verb: str) -> None:
    found = CliRunner().invoke(app, [verb, "--help"])
    assert f"Example: lmp-thermo observe {verb} " in found.output
