"""What README and docs say of the density studies is what their result files say."""

import re
from pathlib import Path

import pytest

from lmp_thermo.report.comparison import tables
from lmp_thermo.report.comparison_verdict import verdict
from lmp_thermo.report.result import Result

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "results").rglob("*.json"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOUND = (ROOT / "docs" / "density" / "README.md").read_text(encoding="utf-8")

QUOTED = ("argon", "ethane", "methane")
"""Studies whose verdict README and docs/density quote; the others are variants of them."""

INTERVAL = re.compile(r"\d+(?:\.\d+)? \(\d+(?:\.\d+)? to \d+(?:\.\d+)?")


@pytest.mark.parametrize("path", RESULTS, ids=[path.stem for path in RESULTS])
def test_pages_follow_from_the_result_files(path: Path) -> None:
    result = Result.read(path)
    assert path.stat().st_size < 1_000_000
    assert result.command.startswith("lmp-thermo run inputs/")
    assert result.seconds
    drawn = ROOT / "docs" / path.parent.name / f"{result.study}.md"
    assert drawn.read_text(encoding="utf-8") == tables(result)
    assert f"]({path.relative_to(ROOT)})" in README
    assert f"]({drawn.relative_to(ROOT)})" in README
    assert f"]({drawn.name})" in FOUND
    for text in (README, FOUND):
        assert (verdict(result).meaning in text) == (path.stem in QUOTED)


def test_every_interval_that_is_quoted_is_one_of_the_tables() -> None:
    start = README.index("## Which configurations should a budget buy?")
    short = INTERVAL.findall(README[start : README.index("## The pair style", start)])
    long = INTERVAL.findall(FOUND)
    pages = [page for page in ROOT.glob("docs/density/*.md") if page.name != "README.md"]
    drawn = "".join(page.read_text(encoding="utf-8") for page in pages).replace("**", "")
    assert len(short) > 10
    assert len(long) > 30
    assert not [own for own in short + long if own not in drawn]
