"""What README and docs say of the density studies is what their result files say."""

from pathlib import Path

import pytest

from lmp_thermo.report.comparison import tables
from lmp_thermo.report.comparison_verdict import verdict
from lmp_thermo.report.result import Result

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "results").rglob("*.json"))


@pytest.mark.parametrize("path", RESULTS, ids=[path.stem for path in RESULTS])
def test_pages_follow_from_the_result_files(path: Path) -> None:
    result = Result.read(path)
    assert path.stat().st_size < 1_000_000
    assert result.command.startswith("lmp-thermo run inputs/")
    assert result.seconds
    drawn = ROOT / "docs" / path.parent.name / f"{result.study}.md"
    assert drawn.read_text(encoding="utf-8") == tables(result)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert verdict(result).meaning in readme
    for note in verdict(result).notes:
        assert f"- {note}\n" in readme
