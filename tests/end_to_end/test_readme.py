"""The driver script of the README runs as it stands there, on a miniature study."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.miniature import write_study

pytestmark = pytest.mark.end_to_end
README = Path(__file__).parents[2] / "README.md"


def test_the_driver_script(tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    study = write_study(tmp_path)
    own = script.replace("inputs/argon.yaml", str(study)).replace(
        "runs/argon", str(tmp_path / "runs")
    )
    assert own.count(str(tmp_path)) == 2
    (tmp_path / "driver.py").write_text(own)
    done = subprocess.run(
        [sys.executable, "driver.py"],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "export               done" in done.stdout
    assert "rho1.2_T240" in done.stdout
    assert done.stdout.strip().endswith("report.html")
