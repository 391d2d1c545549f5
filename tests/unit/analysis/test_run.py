"""All observables of a synthetic run, and what comes of a run that is not whole."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from MDAnalysis.lib.formats.libdcd import DCDFile

from lmp_thermo.analysis.run import RunAnalysis, analyze_run, open_deck_trajectory, read_deck_facts
from lmp_thermo.analysis.tables import observable_lines, read_observables, write_run_analysis
from lmp_thermo.errors import AnalysisError
from lmp_thermo.units import density_in_volume
from tests.tolerances import K_SIGMA

BOX_A = 16.0
N_MOLECULES = 24
TEMPERATURE_K = 150.0
EQUILIBRATION, PRODUCTION, NVE = 1000, 5000, 6000
KEYWORDS = ["Step", "Time", "Temp", "PotEng", "KinEng", "TotEng", "Press", "Volume", "Density"]

Change = Callable[[Path], None]


def deck() -> dict[str, Any]:
    mass = N_MOLECULES * (12.011 + 15.999)
    return {
        "n_atoms": 2 * N_MOLECULES,
        "n_molecules": N_MOLECULES,
        "molecule_sizes": [2] * N_MOLECULES,
        "species": ["C", "O"],
        "masses_g_mol": [12.011, 15.999],
        "temperature_K": TEMPERATURE_K,
        "density_g_cm3": density_in_volume(mass, BOX_A**3),
        "timestep_fs": 0.5,
        "volume_A3": BOX_A**3,
        "trajectory_every_steps": 100,
        "phases": [
            {"name": "equilibration", "first_step": 0, "last_step": EQUILIBRATION},
            {"name": "production", "first_step": EQUILIBRATION, "last_step": PRODUCTION},
            {"name": "nve", "first_step": PRODUCTION, "last_step": NVE},
        ],
    }


def log_text(first: int, last: int, rng: np.random.Generator) -> str:
    """Temperature and pressure about 150 K and 300 bar; the energy drifts in NVE."""
    lines = ["---", f"keywords: {KEYWORDS}", "data:"]
    for step in range(first, last + 1, 20):
        time = 5e-4 * step
        temperature = TEMPERATURE_K + (100.0 if step < EQUILIBRATION else rng.normal(0.0, 4.0))
        total = -10.0 + 0.048 * max(0.0, time - 2.5) + 1e-4 * rng.normal()
        row = [step, time, temperature, -12.0 + 0.1 * rng.normal(), 2.0, total]
        row += [rng.normal(300.0, 50.0), BOX_A**3, deck()["density_g_cm3"]]
        lines.append("  - [" + ", ".join(f"{x:.15g}" for x in row) + ", ]")
    return "\n".join([*lines, "...", ""])


@pytest.fixture
def folder(tmp_path: Path, write_data_file: Callable[..., Path]) -> Path:
    """A finished run of molecules C-O at random places, in two segments."""
    rng = np.random.default_rng(0)
    (tmp_path / "deck.json").write_text(json.dumps(deck()))
    (tmp_path / "log.0.lammps").write_text(
        log_text(0, EQUILIBRATION, rng) + log_text(EQUILIBRATION, 3000, rng)
    )
    (tmp_path / "log.1.lammps").write_text(
        log_text(3000, PRODUCTION, rng) + log_text(PRODUCTION, NVE, rng)
    )

    def frame() -> np.ndarray:
        centres = rng.uniform(0.0, BOX_A, (N_MOLECULES, 1, 3))
        bond = rng.normal(size=(N_MOLECULES, 1, 3))
        bond *= 1.13 / np.linalg.norm(bond, axis=-1, keepdims=True)
        return np.concatenate([centres, centres + bond], axis=1).reshape(-1, 3)

    write_data_file(frame(), BOX_A * np.eye(3), [1, 2] * N_MOLECULES, [12.011, 15.999])
    for segment, (first, last) in enumerate(((1100, 3000), (3100, PRODUCTION))):
        with DCDFile(str(tmp_path / f"traj.{segment}.dcd"), "w") as dcd:
            dcd.write_header(
                remarks="test",
                natoms=2 * N_MOLECULES,
                istart=first,
                nsavc=100,
                delta=0.0005,
                is_periodic=1,
            )
            for _ in range(first, last + 1, 100):
                box = np.array([BOX_A, 0.0, BOX_A, 0.0, 0.0, BOX_A])
                dcd.write(xyz=frame().astype(np.float32), box=box)
    return tmp_path


def test_whole_run(folder: Path) -> None:
    result = analyze_run(folder, r_max=20.0, bin_width=0.1)
    found = result.observables
    for name, expected, unit in (
        ("temperature", TEMPERATURE_K, "K"),
        ("pressure", 300.0, "bar"),
        ("potential_energy", -12.0 / (2 * N_MOLECULES), "eV/atom"),
        ("energy_drift", 0.048 / (2 * N_MOLECULES), "eV/atom/ps"),
    ):
        assert found[name].unit == unit
        assert abs(found[name].value - expected) < K_SIGMA * found[name].standard_error
        assert found[name].converged
    assert found["density"].imposed
    assert found["energy_fluctuation"].value == pytest.approx(1e-4 / 48, rel=0.5)
    assert found["bond_length.C-O"].value == pytest.approx(1.13, rel=1e-5)
    assert result.molecules_intact is True
    assert set(result.curves) == {
        f"{kind}.{pair}"
        for kind in ("rdf", "coordination")
        for pair in ("centres-centres", "C-C", "C-O", "O-O")
    }
    rdf = result.curves["rdf.centres-centres"]
    deviations = (rdf.y - 1.0)[rdf.x > 3.0] / rdf.y_error[rdf.x > 3.0]
    assert np.abs(deviations).max() < K_SIGMA
    assert "rdf.C-C: range cut to 7.90 Å, half the smallest box height" in result.notes
    assert not any("bond" in note or "stationary" in note for note in result.notes)
    assert len(result.series["temperature"].times_ps) == 201
    lines = observable_lines(found)
    assert lines[3].startswith("density ")
    assert lines[3].endswith(" g/cm3 (imposed)")


def test_written_and_read(folder: Path, tmp_path: Path) -> None:
    result = analyze_run(folder, cutoffs={"centres-centres": 4.5})
    assert analyze_run(folder, cutoffs={"centres-centres": 4.5}).observables == result.observables
    out = tmp_path / "observables"
    write_run_analysis(result, out)
    assert read_observables(out / "observables.json") == result.observables
    table = (out / "observables.csv").read_text().splitlines()
    assert len(table) == len(result.observables) + 1
    assert table[0].startswith("name,value,standard_error,unit,n_independent,converged")
    curve = np.loadtxt(out / "rdf.C-O.csv", delimiter=",", skiprows=1)
    assert np.array_equal(curve[:, 1], result.curves["rdf.C-O"].y)
    header = (out / "series.pressure.csv").read_text().splitlines()[0]
    assert header == "time (ps),pressure (bar)"
    assert "cutoff 4.500 Å" in result.observables["coordination.centres-centres"].origin
    assert "cutoff: given" in result.curves["coordination.centres-centres"].origin


def test_run_killed_in_production(folder: Path) -> None:
    (folder / "log.1.lammps").unlink()
    (folder / "traj.1.dcd").unlink()
    result = analyze_run(folder)
    assert "production ended at step 3000 of 5000" in result.notes
    assert "0 rows of NVE: no energy drift" in result.notes
    assert "energy_drift" not in result.observables
    assert "rdf.C-C" in result.curves


def test_run_without_enough_frames(folder: Path) -> None:
    (folder / "traj.1.dcd").unlink()
    path = folder / "traj.0.dcd"
    frame = 3 * (4 * 2 * N_MOLECULES + 8) + 56
    header = path.stat().st_size - 20 * frame
    path.write_bytes(path.read_bytes()[: header + frame])
    result = analyze_run(folder)
    assert isinstance(result, RunAnalysis)
    assert result.molecules_intact is None
    assert "1 frame(s) of stationary production: no structure analysed" in result.notes
    assert not result.curves


def test_broken_bond_is_noted(folder: Path) -> None:
    trajectory = open_deck_trajectory(folder)
    frames = np.array([ts.positions.copy() for ts in trajectory.universe.trajectory])
    frames[25, 1] = frames[25, 0] + [2.0, 0.0, 0.0]
    with DCDFile(str(folder / "traj.0.dcd"), "w") as dcd:
        dcd.write_header(remarks="", natoms=48, istart=1100, nsavc=100, delta=0.0005, is_periodic=1)
        for frame in frames:
            dcd.write(xyz=frame, box=np.array([BOX_A, 0.0, BOX_A, 0.0, 0.0, BOX_A]))
    (folder / "traj.1.dcd").unlink()
    result = analyze_run(folder)
    assert result.molecules_intact is False
    assert any(note.startswith("a bond is broken: C1-O2 at 1.77") for note in result.notes)


def remove_key(key: str) -> Change:
    def change(folder: Path) -> None:
        values = deck()
        del values[key]
        (folder / "deck.json").write_text(json.dumps(values))

    return change


def without_production(folder: Path) -> None:
    values = deck()
    del values["phases"][1]
    (folder / "deck.json").write_text(json.dumps(values))


def without_rows(folder: Path) -> None:
    (folder / "log.1.lammps").unlink()
    (folder / "log.0.lammps").write_text(log_text(0, 980, np.random.default_rng(0)))


def with_nan(folder: Path) -> None:
    path = folder / "log.1.lammps"
    lines = path.read_text().splitlines()
    words = lines[10].split(", ")
    words[3] = "nan"
    lines[10] = ", ".join(words)
    path.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove_key("timestep_fs"), r"deck\.json: cannot be used \(KeyError: 'timestep_fs'\)"),
        (lambda f: (f / "deck.json").write_text("{"), r"deck\.json: cannot be used \(JSONDec"),
        (lambda f: (f / "deck.json").unlink(), r"deck\.json: cannot be used \(FileNotFound"),
        (without_production, "no phase production, expected one"),
        (
            without_rows,
            r"0 rows of production \(steps 1000 to 5000\), expected at least 2; the run",
        ),
        (with_nan, "potential_energy: sample 107 of 201 is nan"),
        (lambda f: (f / "data.lmp").unlink(), r"data\.lmp: cannot be read"),
        (lambda f: [p.unlink() for p in f.glob("traj.*")], "no trajectory: no whole frame"),
        (lambda f: [p.unlink() for p in f.glob("log.*")], r"no log\.0\.lammps; run the deck"),
    ],
)
def test_unusable_folder(folder: Path, change: Change, message: str) -> None:
    change(folder)
    with pytest.raises(AnalysisError, match=message):
        analyze_run(folder)


def test_unusable_results(tmp_path: Path) -> None:
    path = tmp_path / "observables.json"
    with pytest.raises(AnalysisError, match=r"observables\.json: cannot be used \(FileNotFound"):
        read_observables(path)
    path.write_text("[]")
    with pytest.raises(AnalysisError, match=r"observables\.json: cannot be used \(TypeError"):
        read_observables(path)


def test_folder_that_cannot_be_written(folder: Path) -> None:
    result = RunAnalysis(read_deck_facts(folder), {}, {}, {})
    with pytest.raises(AnalysisError, match=r"deck\.json: cannot be written \(.*exists\)"):
        write_run_analysis(result, folder / "deck.json")
