"""Logs as LAMMPS writes them, whole and torn."""

from pathlib import Path

import numpy as np
import pytest

from lmp_thermo.analysis.thermo import column_averages, read_run_thermo, read_thermo
from lmp_thermo.errors import AnalysisError

KEYWORDS = "keywords: ['Step', 'Time', 'PotEng', ]\ndata:\n"


def block(rows: list[tuple[float, ...]], end: str = "...\nLoop time of 1 on 1 procs\n") -> str:
    lines = ["  - [" + ", ".join(f"{x:.15g}" for x in row) + ", ]" for row in rows]
    return "---\n" + KEYWORDS + "\n".join(lines) + "\n" + end


def write(folder: Path, *logs: str) -> Path:
    for number, text in enumerate(logs):
        (folder / f"log.{number}.lammps").write_text(text)
    return folder


def test_blocks_and_segments_are_joined_at_their_borders(tmp_path: Path) -> None:
    first = (
        "LAMMPS\n" + block([(0, 0, -1), (10, 0.04, -2)]) + block([(10, 0.04, -3), (20, 0.08, -4)])
    )
    second = block([(20, 0.08, -5), (30, 0.12, -6)])
    table = read_run_thermo(write(tmp_path, first, second))
    assert table.steps.tolist() == [0, 10, 20, 30]
    assert table["PotEng"].tolist() == [-1, -3, -5, -6]
    assert table.times_ps.tolist() == [0, 0.04, 0.08, 0.12]
    assert table.between(10, 20)["PotEng"].tolist() == [-3, -5]
    assert table.origin == "log.0.lammps, log.1.lammps"


def test_steps_run_again_after_a_kill_replace_the_old_ones(tmp_path: Path) -> None:
    killed = block([(step, step, 1.0) for step in range(0, 60, 10)], end="")
    restarted = block([(step, step, 2.0) for step in range(30, 90, 10)])
    table = read_run_thermo(write(tmp_path, killed, restarted))
    assert table.steps.tolist() == list(range(0, 90, 10))
    assert table["PotEng"].tolist() == [1, 1, 1, 2, 2, 2, 2, 2, 2]


def test_segments_are_ordered_by_number(tmp_path: Path) -> None:
    write(tmp_path, *(block([(10 * k, k, k), (10 * k + 5, k, k)]) for k in range(11)))
    (tmp_path / "log.lammps").write_text("not a segment")
    (tmp_path / "log.old.lammps").write_text("not a segment")
    table = read_run_thermo(tmp_path)
    assert np.all(np.diff(table.steps) == 5)
    assert len(table) == 22


@pytest.mark.parametrize("cut", range(1, 46, 3))
def test_log_that_ends_anywhere(tmp_path: Path, cut: int) -> None:
    text = "header\n" + block([(0, 0, -1), (10, 0.04, -2), (20, 0.08, -3.25)], end="")
    table = read_run_thermo(write(tmp_path, text[:-cut]))
    assert table.steps.tolist() in ([0, 10, 20], [0, 10], [0])
    assert set(table["PotEng"]) <= {-1.0, -2.0, -3.25}


def test_warnings_between_rows_are_passed_over(tmp_path: Path) -> None:
    text = block([(0, 0, -1), (10, 1, 1e-05)]).replace(
        "  - [10", "WARNING: bond stretched (src/x.cpp:1)\n  - [10"
    )
    table = read_run_thermo(write(tmp_path, text))
    assert table["PotEng"].tolist() == [-1, 1e-05]


def test_block_without_rows_and_columns_not_shared_are_left_out(tmp_path: Path) -> None:
    other = block([(0, 0.0, 5)]).replace("'PotEng'", "'Press'")
    table = read_run_thermo(write(tmp_path, "---\n" + KEYWORDS, other + block([(10, 1, 2)])))
    assert list(table.columns) == ["Step", "Time"]
    assert table.steps.tolist() == [0, 10]


def test_averages_of_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [(k, 0.1 * k, float(x)) for k, x in enumerate(rng.normal(5.0, 1.0, 30))]
    (energy,) = column_averages(read_run_thermo(write(tmp_path, block(rows))))
    assert energy.name == "PotEng"
    assert energy.origin == "log.0.lammps"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LAMMPS\nStep Temp\n0 1\n", "no thermodynamic output as YAML found"),
        ("", "no thermodynamic output as YAML found"),
        (block([(0, 0, 1)]).replace("'Step', ", ""), "no column Step, found"),
        (block([(0, 0, 1), (1, 1)]) + "x\n", r"log.0.lammps:5: corrupt row .*expected 3 numbers"),
        (block([(0, 0, 1)]).replace("0, 1,", "0, what,"), "log.0.lammps:4: corrupt row"),
        ("---\nkeywords: ['Step', ['}]\n", "keywords are no YAML list"),
    ],
)
def test_unusable_logs(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        read_run_thermo(write(tmp_path, text))


def test_missing_things_are_named(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"no log\.0\.lammps; run the deck first"):
        read_run_thermo(tmp_path)
    with pytest.raises(AnalysisError, match=r"other\.lammps: cannot be read \(No such file"):
        read_thermo([tmp_path / "other.lammps"])
    table = read_run_thermo(write(tmp_path, block([(0, 0, 1)])))
    with pytest.raises(AnalysisError, match="no column Press, found Step Time PotEng; add it"):
        table["Press"]


def test_binary_rubbish_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "log.0.lammps").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(AnalysisError, match="no thermodynamic output"):
        read_run_thermo(tmp_path)
