"""The study sections of docs/designs.md are valid as they stand there."""

import re
from pathlib import Path

import pytest
import yaml

from lmp_thermo.reading import merged
from lmp_thermo.study import StudyFile

ROOT = Path(__file__).parents[2]
SECTIONS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/designs.md").read_text(), re.DOTALL)


def test_all_of_them_are_found() -> None:
    assert len(SECTIONS) == 7


@pytest.mark.parametrize("section", SECTIONS)
def test_sections_of_the_guide_are_valid(section: str, tmp_path: Path) -> None:
    study = yaml.safe_load((ROOT / "inputs/density/methane.yaml").read_text())
    del study["variants"]
    own = yaml.safe_load(section)
    if "designs" in own.get("comparison", {"designs": None}):  # whole; others are changes
        del study["comparison"]
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(merged(study, own)))
    read = StudyFile.read(path)
    for name, keys in own.items():
        for key in keys:
            assert getattr(getattr(read, name), key)
