"""Result files of comparisons: what is read, and what is refused with one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lmp_thermo.errors import AnalysisError
from lmp_thermo.report.result import MAX_BYTES, Result
from lmp_thermo.report.result_parts import PairedTest
from tests.tolerances import ROUND_OFF
from tests.unit.report.compared import compared


def saved(folder: Path, values: Any) -> Path:
    path = folder / "comparison.json"
    path.write_text(json.dumps(values))
    return path


def test_a_result_is_read(tmp_path: Path) -> None:
    result = Result.read(saved(tmp_path, compared()))
    assert result.groups == ["none", "temperature", "density", "adaptive"]
    assert result.densities_g_cm3 == [0.03, 0.3, 0.9, 1.2]
    assert set(result.of_group("density")) == {f"density-{seed}" for seed in range(1, 7)}
    own = [arm.passed for arm in result.of_group("none").values()]
    assert result.passes("none") == pytest.approx(sum(own) / 6, rel=ROUND_OFF)
    assert result.state("rho0.3_T240") == "0.3 g/cm³, 240 K"
    cell = result.matrix["none"]["rho0.3_T240"]
    assert set(cell.errors) == {"interaction_energy", "energy", "net_force", "stress"}


def test_what_older_and_newer_versions_have_is_no_obstacle(tmp_path: Path) -> None:
    values = compared()
    del values["environments"]
    values["something new"] = {"x": [1]}
    error = values["matrix"]["none"]["rho0.3_T240"]["net_force"]
    values["matrix"]["none"]["rho0.3_T240"]["against_teacher"] = {"net_force": error}
    result = Result.read(saved(tmp_path, values))
    assert result.environments.response is None
    cell = result.matrix["none"]["rho0.3_T240"]
    assert "against_teacher" not in cell.errors
    assert cell.against_teacher["net_force"].rmse == error["rmse"]


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Put a value at a dotted path; a number is a place in a list."""

    def do(values: Any) -> None:
        *parts, last = [int(p) if p.isdigit() else p for p in path.split("/")]
        for part in parts:
            values = values[part]
        if value is None:
            del values[last]
        else:
            values[last] = value

    return do


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (change("study", "../up"), r"study = '../up'"),
        (change("matrix", None), r"matrix: missing"),
        (change("matrix/none/rho0.3_T240", None), r"matrix.none and grid name different cells"),
        (change("matrix/none/rho0.3_T240/net_force/rmse", -1.0), r"net_force.rmse = -1.0"),
        (change("matrix/none/rho0.3_T240/net_force", 3), r"matrix.none.rho0.3_T240.net_force"),
        (change("grid/rho0.3_T240/density_g_cm3", 0), r"density_g_cm3 = 0"),
        (change("tests/0/ratio", 0.0), r"tests.0.ratio = 0.0"),
        (change("tests/0/first", "nobody"), r"'nobody' is named but not there"),
        (change("arms/none-1/group", "nobody"), r"'nobody' is named but not there"),
        (change("arms/none-1/worst/state", "rho9_T9"), r"'rho9_T9' is named but not there"),
        (change("curriculum/adaptive-1/0/bought", {"rho9_T9": 1}), r"'rho9_T9' is named"),
        (change("curriculum/nobody-1", []), r"curriculum.nobody-1"),
        (change("settings/comparison/seeds", []), r"settings.comparison.seeds"),
        (
            change("grid", {f"c{n}": {} for n in range(400)}),
            r"grid",
        ),
    ],
)
def test_what_is_no_result_is_refused_in_one_line(
    tmp_path: Path, do: Callable[[dict[str, Any]], None], message: str
) -> None:
    values = compared()
    do(values)
    with pytest.raises(AnalysisError, match=message) as caught:
        Result.read(saved(tmp_path, values))
    text = str(caught.value)
    assert "no result of a comparison" in text
    assert "expected comparison.json of a study that compares designs" in text
    assert "\n" not in text
    assert len(text) < 400 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no valid JSON"),
        ("{", "no valid JSON"),
        ("[" * 100_000, "no valid JSON"),
        ('{"study": NaN}', "NaN is no number of JSON"),
        ('{"study": ' + "1" * 5000 + "}", "no valid JSON"),
        ("\udcff", "no valid JSON"),
        ("[]", "got list"),
        (" " * (MAX_BYTES + 1), f"larger than {MAX_BYTES} bytes"),
    ],
)
def test_hostile_text_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "comparison.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(AnalysisError, match=message) as caught:
        Result.read(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"no such file; expected comparison\.json"):
        Result.read(tmp_path / "nothing.json")
    with pytest.raises(AnalysisError, match="cannot be read"):
        Result.read(tmp_path)
    with pytest.raises(AnalysisError, match="larger than"):
        Result.read(Path("/dev/zero"))  # says that it has no bytes, and has no end


def test_a_pair_is_seen_from_either_side() -> None:
    test = PairedTest(
        cells="all cells",
        quantity="q",
        first="a",
        second="b",
        ratios=[2.0, 4.0],
        ratio=8.0**0.5,
        interval=[1.5, 6.0],
        p_value=0.01,
    )
    assert test.seen_from("a") is test
    other = test.seen_from("b")
    assert (other.first, other.second) == ("b", "a")
    assert other.ratios == [0.5, 0.25]
    assert other.ratio == pytest.approx(1 / test.ratio, rel=ROUND_OFF)
    assert other.interval == pytest.approx([1 / 6.0, 1 / 1.5], rel=ROUND_OFF)


@pytest.mark.parametrize(
    ("interval", "p", "decided"),
    [
        ([1.1, 2.0], 0.01, True),
        ([0.5, 0.9], 0.05, True),
        ([0.9, 2.0], 0.01, False),
        ([1.1, 2.0], 0.25, False),  # three seeds: the exact test cannot say more
    ],
)
def test_a_difference_is_found_where_interval_and_exact_test_agree(
    interval: list[float], p: float, decided: bool
) -> None:
    test = PairedTest(
        cells="c",
        quantity="q",
        first="a",
        second="b",
        ratios=[1.0, 1.0],
        ratio=1.0,
        interval=interval,
        p_value=p,
    )
    assert test.decided is decided
