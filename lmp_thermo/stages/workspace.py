"""The workspace of a study: its folders and the lock that keeps a second run out."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lmp_thermo.errors import WorkspaceError
from lmp_thermo.products import read_json, write_json
from lmp_thermo.states import StatePoint

TIMES = "times.json"


class Workspace:
    """Folders of a study.

    Args:
        path: ``runs/<study>`` by default.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def frames(self, round_number: int, state: StatePoint) -> Path:
        """Frames that a round drew at a state point."""
        return self.path / "frames" / f"round-{round_number}" / state.name

    def molecule_frames(self) -> Path:
        """Frames of single molecules."""
        return self.path / "frames" / "molecules"

    def sampling_run(self, round_number: int, state: StatePoint) -> Path:
        """Deck and run from which a round draws its frames."""
        return self.path / "frames" / "runs" / f"round-{round_number}" / state.name

    def database_frames(self, kind: str) -> Path:
        """Clusters or crystals of a comparison."""
        return self.path / "frames" / kind

    def crystal_run(self, state: StatePoint) -> Path:
        """Deck and run that equilibrate a crystal."""
        return self.path / "frames" / "runs" / "crystals" / state.name

    def database_labels(self, kind: str) -> Path:
        """Labelled clusters or crystals."""
        return self.path / "labels" / kind

    def teacher_labels(self) -> Path:
        """What the teacher says of the pool's frames."""
        return self.path / "labels" / "teacher"

    def label_store(self) -> Path:
        """Every single label, by reference."""
        return self.path / "labels" / "store"

    def labels(self, round_number: int) -> Path:
        """Labelled frames of a round."""
        return self.path / "labels" / f"round-{round_number}"

    def finite_size(self) -> Path:
        """Finite-size error of labels."""
        return self.path / "labels" / "finite-size"

    def model(self, arm: str, round_number: int) -> Path:
        """A trained model."""
        return self.path / "models" / arm / f"round-{round_number}"

    @property
    def compiled(self) -> Path:
        """What torch made of the models for faster updates, for all trainings of the study."""
        return self.path / "models" / ".compiled"

    def curriculum(self, arm: str, round_number: int) -> Path:
        """What an adaptive arm has bought after a round."""
        return self.path / "curriculum" / arm / f"round-{round_number}"

    def committee(self, arm: str, round_number: int, member: int) -> Path:
        """A member of the committee that decides what a round buys."""
        return self.path / "models" / arm / f"committee-{round_number}-{member}"

    def coverage(self, arm: str) -> Path:
        """Errors of an arm on every cell."""
        return self.path / "coverage" / arm

    def comparison(self) -> Path:
        """What the comparison of all arms says."""
        return self.path / "comparison"

    def potential(self, arm: str) -> Path:
        """The exported potential."""
        return self.path / "potentials" / arm

    def production(self, arm: str, state: StatePoint) -> Path:
        """Deck and run of a state point."""
        return self.path / "production" / arm / state.name

    def observables(self, arm: str) -> Path:
        """Observables of an arm's runs."""
        return self.path / "observables" / arm

    def validation(self, arm: str) -> Path:
        """Validation of an arm."""
        return self.path / "validation" / arm

    @property
    def report(self) -> Path:
        """The report page."""
        return self.path / "report.html"

    @property
    def resolved(self) -> Path:
        """The study as it was last carried out here, with every default filled in."""
        return self.path / "study.resolved.yaml"

    @property
    def makers(self) -> Path:
        """Which study made each product."""
        return self.path / "makers.json"

    @property
    def times(self) -> dict[str, float]:
        """Wall time of each step in seconds, over all calls that worked on it."""
        path = self.path / TIMES
        return dict(read_json(path)) if path.is_file() else {}

    def add_time(self, step: str, seconds: float) -> None:
        """Count a call's time on a step."""
        times = self.times
        times[step] = round(times.get(step, 0.0) + seconds, 1)
        write_json(self.path / TIMES, times)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace for this process.

        Raises:
            WorkspaceError: another process holds it, or it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise WorkspaceError(
                f"{self.path}: cannot be written ({error.strerror}); choose another --workspace"
            ) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.pread(descriptor, 64, 0).decode(errors="replace").strip() or "unknown"
                raise WorkspaceError(
                    f"{self.path}: in use by process {holder}; wait for it, or choose another "
                    "--workspace"
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(descriptor)
