"""What a study is refused for before any work, once its molecules are known."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lmp_thermo import Study
from lmp_thermo.errors import StudyError

INPUTS = Path(__file__).parents[2] / "inputs"


@pytest.mark.parametrize(
    ("section", "changes", "message"),
    [
        (
            "training",
            {"pair_r_max_A": {"C-X": 4.0}},
            r"own\.yaml: training\.pair_r_max_A: C-X = 4\.0, expected two of C, H",
        ),
        (
            "training",
            {"pair_r_max_A": {"C-H": 8.5}},
            r"own\.yaml: training\.pair_r_max_A: C-H = 8\.5, .* at most r_max_A = 8\.0",
        ),
        (
            "sampling",
            {"molecules": 8},
            r"own\.yaml: sampling\.molecules = 8: the label box at 0\.25 g/cm3 would be 9\.48 Å, "
            r"expected at least 10 Å .*; use more molecules",
        ),
        (
            "reference",
            {"ase": {"calculator": "ase.calculators.lj.LennardJonse"}},
            r"own\.yaml: reference\.ase\.calculator = ase\.calculators\.lj\.LennardJonse: cannot",
        ),
    ],
)
def test_refusals(tmp_path: Path, section: str, changes: dict[str, Any], message: str) -> None:
    data = yaml.safe_load((INPUTS / "methane.yaml").read_text())
    data[section].update(changes)
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(data))
    with pytest.raises(StudyError, match=message):
        Study(path, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
