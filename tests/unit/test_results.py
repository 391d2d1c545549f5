"""What README and docs say of the density studies is what their result files say."""

import re
from pathlib import Path

import pytest

from lmp_thermo.report.across import NAME, page, rows
from lmp_thermo.report.comparison import tables
from lmp_thermo.report.comparison_verdict import verdict
from lmp_thermo.report.result import Result

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "results").rglob("*.json"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOUND = (ROOT / "docs" / "density" / "README.md").read_text(encoding="utf-8")

QUOTED = ("argon", "carbon-tetrafluoride", "ethane", "methane")
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
    """README's of any table, those of docs/density of the tables that their section links."""
    start = README.index("## Which configurations should a budget buy?")
    short = INTERVAL.findall(README[start : README.index("## The pair style", start)])
    pages = {
        page.name: page.read_text(encoding="utf-8").replace("**", "")
        for page in ROOT.glob("docs/density/*.md")
        if page.name != "README.md"
    }
    assert len(short) > 10
    assert not [own for own in short if own not in "".join(pages.values())]
    long = 0
    for section in FOUND.split("\n## ")[1:]:
        linked = "".join(text for name, text in pages.items() if f"]({name}" in section)
        quoted = INTERVAL.findall(section)
        long += len(quoted)
        assert not [own for own in quoted if own not in linked], section.splitlines()[0]
    assert long > 30


def test_what_stands_across_studies_follows_from_their_results() -> None:
    (named,) = re.findall(r"`lmp-thermo draw ((?:results/density/\S+ ){2,})--out docs/dens", README)
    blocks = rows([Result.read(ROOT / name) for name in named.split()])
    folder = ROOT / "docs" / "density"
    assert (folder / f"{NAME}.md").read_text(encoding="utf-8") == page(blocks)
    drawn = (folder / f"{NAME}.svg").read_text(encoding="utf-8")
    for row in (row for own in blocks.values() for row in own):
        assert f">{row.label}<" in drawn
