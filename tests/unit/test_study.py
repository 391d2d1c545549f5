"""The study file refuses what cannot be done, naming file, key, value, expectation."""

import copy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from lmp_thermo.errors import StudyError
from lmp_thermo.states import StateGrid, StatePoint
from lmp_thermo.study import StudyFile, seed_for

INPUTS = Path(__file__).parents[2] / "inputs"


@pytest.fixture
def argon() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((INPUTS / "argon.yaml").read_text())
    return data


def read(tmp_path: Path, data: dict[str, Any], variant: str | None = None) -> StudyFile:
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(data))
    return StudyFile.read(path, variant)


def changed(data: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(data)
    section = data
    *parents, last = key.split(".")
    for part in parents:
        section = section[part]
    if value is ...:
        del section[last]
    else:
        section[last] = value
    return data


@pytest.mark.parametrize("path", sorted(INPUTS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_studies_are_valid(path: Path) -> None:
    study = StudyFile.read(path)
    for variant in study.variants:
        assert StudyFile.read(path, variant).name.startswith(study.name)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "sampling.budget",
            3,
            r"own\.yaml: sampling\.budget: unknown key, did you mean 'budget_fr",
        ),
        (
            "production.timestep",
            5,
            r"production\.timestep: unknown key, did you mean 'timestep_fs'",
        ),
        ("seed", "one", r"seed = 'one': input should be a valid integer"),
        ("grid", [], r"grid = .*: list should have at least 1 item"),
        ("sampling.budget_frames", ..., r"sampling\.budget_frames: missing, expected a value"),
        ("sampling.budget_frames", 0, r"sampling\.budget_frames = 0: .*greater than 0"),
        ("production.timestep_fs", 50.0, r"production\.timestep_fs = 50\.0: .*less than or equal"),
        ("production.timestep_fs", float("nan"), r"production\.timestep_fs = nan"),
        (
            "training.overrides",
            {"since": date(2026, 1, 2)},
            r"training\.overrides: expected text, finite numbers, .* put dates in quotes",
        ),
        ("training.overrides", {"a": [float("nan")]}, r"training\.overrides: .*leave \.nan"),
        ("training.recipe", "magic", r"training\.recipe = 'magic'"),
        ("training.minutes", [1.0], r"training: expected one of updates and minutes"),
        (
            "training.updates",
            [10, 10],
            r"training\.updates = \[10, 10\], expected a number for each",
        ),
        ("sampling.temperature_K", 241.0, r"sampling\.temperature_K = 241\.0, expected one of"),
        ("sampling.density_g_cm3", 0.25, r"sampling\.density_g_cm3 = 0\.25, expected nothing"),
        ("sampling.rounds", 2, r"sampling\.rounds = 2, expected 1 for a LAMMPS reference|updates"),
        ("reference.lammps", ..., r"reference: expected one of lammps and ase"),
        ("production.trajectory_every_fs", 7.0, r"expected a multiple of production\.timestep_fs"),
    ],
)
def test_refusals(
    tmp_path: Path, argon: dict[str, Any], key: str, value: Any, message: str
) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        read(tmp_path, changed(argon, key, value))
    assert "\n" not in str(caught.value)


def test_a_density_named_twice_is_refused(tmp_path: Path, argon: dict[str, Any]) -> None:
    argon["grid"][0]["densities_g_cm3"] = [0.1, 0.1]
    with pytest.raises(StudyError, match="names a value twice"):
        read(tmp_path, argon)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "no valid YAML"),
        ("- 1\n- 2", "got list, expected a mapping"),
        ("name: x\nname: y", "key 'name' is given twice"),
        ("name: !!python/object/apply:os.system [true]", "no valid YAML"),
    ],
)
def test_files_that_are_no_studies(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(StudyError, match=message):
        StudyFile.read(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no such file"):
        StudyFile.read(tmp_path / "none.yaml")


def test_mistakes_in_a_variant_are_found_before_it_is_needed(
    tmp_path: Path, argon: dict[str, Any]
) -> None:
    argon["variants"] = {"long": {"production": {"production": 99.0}}}
    message = r"own\.yaml: variants\.long: production\.production: unknown key"
    with pytest.raises(StudyError, match=message):
        read(tmp_path, argon)
    argon["variants"] = {"more": {"sampling": {"rounds": 2}}}
    with pytest.raises(StudyError, match=r"own\.yaml: variants\.more: training\.updates"):
        read(tmp_path, argon)


def test_variants_change_what_they_name(tmp_path: Path, argon: dict[str, Any]) -> None:
    argon["variants"] = {"long": {"production": {"production_ps": 99.0}}}
    assert read(tmp_path, argon, "long").production.production_ps == 99.0
    assert read(tmp_path, argon, "long").production.molecules == 64
    with pytest.raises(StudyError, match="variants: got 'short'"):
        read(tmp_path, argon, "short")


def test_an_ase_reference_needs_two_rounds(tmp_path: Path) -> None:
    data = yaml.safe_load((INPUTS / "methane.yaml").read_text())
    data["sampling"]["rounds"] = 1
    data["training"]["minutes"] = [1.0]
    with pytest.raises(StudyError, match=r"sampling\.rounds = 1, expected at least 2"):
        read(tmp_path, data)


def test_grid_is_the_union_of_blocks() -> None:
    states = StudyFile.read(INPUTS / "methane.yaml").states
    assert len(states) == 6 * 3 + 2
    assert StatePoint(0.42, 140.0) in list(states)
    assert list(states) == sorted(states)


def test_state_points() -> None:
    state = StatePoint(0.42, 200.0)
    assert state.name == "rho0.42_T200"
    assert StateGrid.of([state, state]).named("rho0.42_T200") == state
    with pytest.raises(StudyError, match=r"expected one of rho0\.42_T200"):
        StateGrid.of([state]).named("rho1_T1")
    with pytest.raises(StudyError, match="expected both above 0"):
        StatePoint(-1.0, 200.0)


def test_seeds_come_from_names() -> None:
    assert seed_for(1, "a", 2) == seed_for(1, "a", 2)
    assert len({seed_for(s, n) for s in (1, 2) for n in ("a", "b", "c")}) == 6
    assert 1 <= seed_for(0) <= 2**31 - 2
