"""Labelling many frames in parallel, each label on disk as soon as it exists."""

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from lmp_thermo.errors import FrameError, LabelError
from lmp_thermo.frames import Frame, read_frames, write_frames
from lmp_thermo.products import hash_of, write_text
from lmp_thermo.reference.base import AloneLabel, Reference, build_reference
from lmp_thermo.sections import Reference as ReferenceSection

ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""One thread a worker: the machine's cores are shared out by processes, and sums are repeatable."""

SECONDS = ".seconds"
"""Suffix of the file beside a label that says how long it took."""


@dataclass(frozen=True)
class LabelFailure:
    """A frame that got no label."""

    frame: Frame
    cause: str


class Labeller:
    """Labels frames with one reference and keeps every label.

    Args:
        section: ``reference`` of the study.
        species: chemical symbols in the order of LAMMPS's atom types.
        store: folder of labels, one file a frame, named by the hash of reference and geometry.
        workers: processes.
    """

    def __init__(
        self, section: ReferenceSection, species: tuple[str, ...], store: Path, workers: int
    ) -> None:
        self._section = section
        self._species = species
        self._workers = workers
        self.reference = build_reference(section, species)
        self._identity = hash_of(self.reference.identity)
        self._store = store / section.name

    def label(
        self,
        frames: Sequence[Frame],
        on_done: Callable[[Frame | LabelFailure], None] | None = None,
    ) -> list[Frame | LabelFailure]:
        """Label frames; those in the store are read from there.

        Args:
            frames: unlabelled frames.
            on_done: called in this process for each frame, in the order in which they end.

        Returns:
            For each frame, in order, the labelled frame or why there is none.

        Raises:
            LabelError: a worker was killed.
        """
        results: list[Frame | LabelFailure | None] = [None] * len(frames)
        missing = []
        for number, frame in enumerate(frames):
            known = self._known(frame)
            if known is None:
                missing.append(number)
                continue
            results[number] = allowed = self._within_limit(known)
            if on_done:
                on_done(allowed)
        if missing:
            self._store.mkdir(parents=True, exist_ok=True)
            with self._pool(len(missing)) as pool:
                with _main_left_out():
                    waiting: dict[Future[str | None], int] = {
                        pool.submit(_label_to_file, frames[n], str(self._path(frames[n]))): n
                        for n in missing
                    }
                while waiting:
                    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in done:
                        number = waiting.pop(future)
                        cause = _outcome(future)
                        frame = frames[number]
                        result = LabelFailure(frame, cause) if cause else self._made(frame)
                        results[number] = result
                        if on_done:
                            on_done(result)
        return [result for result in results if result is not None]

    def _made(self, frame: Frame) -> Frame | LabelFailure:
        made = self._known(frame)
        if made is None:
            raise LabelError(f"{self._path(frame)}: was removed while in use")
        return self._within_limit(made)

    def _within_limit(self, frame: Frame) -> Frame | LabelFailure:
        """The label, or why it is refused; labels are kept whatever the limit is."""
        largest, limit = float(np.abs(frame.forces).max()), self._section.max_force_eV_A
        if largest <= limit:
            return frame
        return LabelFailure(
            frame,
            f"force of {largest:.4g} eV/Å, expected at most reference.max_force_eV_A = {limit:g}",
        )

    def _path(self, frame: Frame) -> Path:
        return self._store / f"{hash_of([self._identity, frame.geometry_hash])[:32]}.extxyz"

    def seconds(self, frame: Frame) -> float:
        """Wall time that the frame's label took when it was made, on one core.

        Raises:
            LabelError: the label is not in the store.
        """
        path = self._path(frame).with_suffix(SECONDS)
        try:
            return float(path.read_text())
        except (OSError, ValueError) as error:
            raise LabelError(
                f"{path}: no time of this label ({error}); remove {self._store} and label "
                "again, or give the budget in frames"
            ) from error

    def _known(self, frame: Frame) -> Frame | None:
        path = self._path(frame)
        if not path.is_file():
            return None
        try:
            (stored,) = read_frames(path)
            stress = stored.stress
            return frame.labelled(
                self._section.name,
                stored.energy,
                stored.forces,
                stress,
                stored.alone_energy,
                stored.alone_forces,
            )
        except (FrameError, KeyError, ValueError):
            path.unlink()  # a corrupt label is made again
            return None

    @contextmanager
    def _pool(self, n_tasks: int) -> Iterator[ProcessPoolExecutor]:
        saved = {name: os.environ.get(name) for name in ENVIRONMENT}
        os.environ.update(ENVIRONMENT)
        pool = ProcessPoolExecutor(
            max_workers=min(self._workers, n_tasks),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(os.getpid(), self._section, self._species),
        )
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for name, value in saved.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@contextmanager
def _main_left_out() -> Iterator[None]:
    """Start workers that do not import the program's main module.

    They need nothing of it; and a driver script without ``if __name__ == "__main__"`` would be
    run again in every worker.
    """
    main = sys.modules["__main__"]
    saved: dict[str, object] = {
        name: main.__dict__.pop(name) for name in ("__file__", "__spec__") if name in vars(main)
    }
    main.__spec__ = None
    try:
        yield
    finally:
        main.__dict__.update(saved)


def _outcome(future: "Future[str | None]") -> str | None:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise LabelError(
            "label: a worker process was killed (out of memory?); the labels made so far are kept; "
            "run the same command again"
        ) from error


_reference: Reference | None = None


def _start_worker(parent: int, section: ReferenceSection, species: tuple[str, ...]) -> None:
    global _reference
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # die with the parent
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _reference = build_reference(section, species)
    warm_up(_reference, species)


def _label_to_file(frame: Frame, path: str) -> str | None:
    """Label one frame and its molecules alone; returns the cause where there is no label."""
    assert _reference is not None
    started = time.monotonic()
    try:
        labelled = label_frame(_reference, frame)
    except LabelError as error:
        return str(error)
    write_text(Path(path).with_suffix(SECONDS), f"{time.monotonic() - started:.4f}\n")
    write_frames(Path(path), [labelled])
    return None


def warm_up(reference: Reference, species: tuple[str, ...]) -> None:
    """Let a reference import and build what it needs, so that no label's time holds that."""
    with suppress(Exception):  # what cannot do so little may well do a box
        symbols = next(iter(reference.molecules_only), species[:1])
        in_a_row = [[1.5 * place, 0.0, 0.0] for place in range(len(symbols))]
        reference.label_alone(Atoms(symbols, positions=in_a_row))


def atoms_evaluated(frame: Frame) -> int:
    """How many atoms `label_frame` gives to the reference, for times per atom."""
    sizes = np.bincount(frame.molecule)
    single = {str(frame.atoms.symbols[k]) for k in np.flatnonzero(sizes[frame.molecule] == 1)}
    whole = len(frame.atoms) if frame.n_molecules > 1 else 0
    return whole + int(sizes[sizes > 1].sum()) + len(single)


def label_frame(reference: Reference, frame: Frame) -> Frame:
    """Label a frame as a whole and each of its molecules alone.

    A frame of a single molecule is labelled in open space; its stress is the exact one of an
    isolated cluster, sum_a r_a (x) f_a / V with ASE's sign, symmetric because no torque acts.
    A frame without boundaries has no stress.

    Raises:
        LabelError: the reference failed.
    """
    atoms, molecule = frame.atoms, frame.molecule
    alone_energy, alone_forces = 0.0, np.zeros((len(atoms), 3))
    isolated: dict[str, AloneLabel] = {}  # an atom alone is the same wherever it is
    for number in range(frame.n_molecules):
        members = molecule == number
        single = atoms[members]
        formula = str(single.symbols)
        alone = isolated.get(formula) or reference.label_alone(single)
        if len(single) == 1:
            isolated[formula] = alone
        alone_energy += alone.energy
        alone_forces[members] = alone.forces
    if not atoms.pbc.any():
        whole = AloneLabel(alone_energy, alone_forces)
        if frame.n_molecules > 1:
            whole = reference.label_alone(atoms)
        return frame.labelled(
            reference.name, whole.energy, whole.forces, None, alone_energy, alone_forces
        )
    if frame.n_molecules == 1:
        virial = np.einsum("ai,aj->ij", atoms.positions, alone_forces)
        virial = (virial + virial.T) / 2
        stress = -virial[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] / atoms.get_volume()
        return frame.labelled(
            reference.name, alone_energy, alone_forces, stress, alone_energy, alone_forces
        )
    label = reference.label(atoms)
    return frame.labelled(
        reference.name, label.energy, label.forces, label.stress, alone_energy, alone_forces
    )
