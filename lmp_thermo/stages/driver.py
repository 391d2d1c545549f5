"""A study from Python: all that the command line does."""

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lmp_thermo.comparison import Comparison
from lmp_thermo.errors import LmpThermoError, StudyError, TrainingError, WorkspaceError
from lmp_thermo.fluid.packing import box_length, check_packing
from lmp_thermo.launch.machine import compiler, usable_cores
from lmp_thermo.launch.run_folder import read_failure
from lmp_thermo.products import hash_of_file, write_text
from lmp_thermo.progress import Progress, duration
from lmp_thermo.reference.ase_calculator import AseReference
from lmp_thermo.reference.lammps_force_field import LammpsReference
from lmp_thermo.reference.molecule_files import check_molecules
from lmp_thermo.stages import databases, makers
from lmp_thermo.stages.context import Context, versions
from lmp_thermo.stages.estimate import PlannedStep, planned_steps
from lmp_thermo.stages.plan import COMPARISON_STAGES, STAGES, Step, steps
from lmp_thermo.stages.train import architecture
from lmp_thermo.stages.workspace import Workspace
from lmp_thermo.study import StudyFile, teacher_training
from lmp_thermo.training.runner import sees_a_gpu


@dataclass(frozen=True)
class StepState:
    """One line of `Study.status`.

    Args:
        step: its name.
        state: see `Step.state`.
        seconds: wall time that it took; None where it has not run.
        why: it is refused; empty otherwise.
    """

    step: str
    state: str
    seconds: float | None
    why: str = ""


class Study:
    """A study file and its workspace.

    Args:
        path: the study file.
        workspace: folder for everything that is made; ``runs/<study>`` by default, and
            ``runs/<study>-<variant>`` where a variant keeps the study's name.
        variant: one of the file's variants.
        lmp: path of the LAMMPS program; None for the one of this Python environment.
        cores: processes at a time; None for all that this process may use.
        progress: whom to tell; None for standard error.

    Raises:
        StudyError: the file asks for something that cannot be done.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        workspace: str | os.PathLike[str] | None = None,
        *,
        variant: str | None = None,
        lmp: str | None = None,
        cores: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.path = Path(path)
        self.file = StudyFile.read(self.path, variant)
        name = self.file.name
        if variant is not None and not name.endswith(f"-{variant}"):
            name += f"-{variant}"
        self._name = name
        self.workspace = Workspace(Path(workspace) if workspace else Path("runs") / name)
        self._context = Context(
            study=self.file,
            folder=self.path.resolve().parent,
            workspace=self.workspace,
            progress=progress or Progress(),
            lmp=lmp,
            cores=cores or usable_cores(),
        )
        self._check()

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the study's stages in order."""
        return STAGES if self.file.comparison is None else COMPARISON_STAGES

    @property
    def steps(self) -> list[Step]:
        """All steps in order."""
        return steps(self._context)

    def run(self, until: str | None = None) -> None:
        """Carry out all stages up to and including `until`; what is current is kept.

        Raises:
            LmpThermoError: a stage failed; what was made before is kept.
        """
        if until is not None:
            self._check_stage(until)
        chosen = self.steps
        if until is not None:
            last = max(i for i, step in enumerate(chosen) if step.stage == until)
            chosen = chosen[: last + 1]
        self._carry_out(chosen)

    def carry_out(self, stage: str) -> None:
        """Carry out one stage: its first step that is not done, all earlier ones being done.

        Raises:
            WorkspaceError: an earlier step is not done.
        """
        self._check_stage(stage)
        self._context.memory.clear()
        for step in self.steps:
            if step.state == "done":
                continue
            if step.stage != stage:
                if any(s.stage == stage and s.state != "done" for s in self.steps):
                    raise WorkspaceError(
                        f"{stage}: needs '{step.name}', which is {step.state}; run `lmp-thermo "
                        f"{step.stage} {self.path}` first, or `lmp-thermo run {self.path}`"
                    )
                return
            self._carry_out([step])
            return

    def status(self) -> list[StepState]:
        """What is done, stale, or still to do, with the wall time that each step took."""
        self._context.memory.clear()
        times = self.workspace.times
        looks = [(step.name, *step.look()) for step in self.steps]
        return [StepState(name, state, times.get(name), why) for name, state, why in looks]

    def observables(self) -> dict[str, dict[str, Any]]:
        """Observables by state point.

        Raises:
            WorkspaceError: `analyze` has not been carried out.
        """
        from lmp_thermo.stages import analyze

        return analyze.read(self._context)

    def validation(self) -> dict[str, Any]:
        """The verdicts by state point.

        Raises:
            WorkspaceError: `validate` has not been carried out.
        """
        from lmp_thermo.stages import validate

        return validate.read(self._context)

    def comparison(self) -> dict[str, Any]:
        """What the comparison of designs says: coverage matrix, verdicts by arm, tests.

        Raises:
            WorkspaceError: `compare` has not been carried out.
        """
        from lmp_thermo.stages import compare

        return compare.read(self._context)

    def failed_runs(self) -> dict[str, str]:
        """Why runs failed, by arm and state point."""
        from lmp_thermo.stages import deck

        found = {}
        for own in self._context.potentials:
            for arm in deck.arms(own):
                for state in own.run_states:
                    failure = read_failure(self.workspace.production(arm, state))
                    if failure is not None:
                        found[f"{arm}/{state.name}"] = failure.cause
        return found

    def resubmit(self) -> None:
        """Carry out again, from their last restarts, the production runs that failed.

        Raises:
            WorkspaceError: no run failed.
        """
        from lmp_thermo.stages import simulate

        if not self.failed_runs():
            raise WorkspaceError(f"{self.workspace.path}: no run failed; nothing to resubmit")
        with self.workspace.locked():
            for own in self._context.potentials:
                simulate.make(own, retry_failed=True)

    def plan(self) -> list[PlannedStep]:
        """What a run would do: every step, its amount of work, and about how long it takes."""
        return planned_steps(self._context, self.steps)

    def _carry_out(self, chosen: Sequence[Step]) -> None:
        progress = self._context.progress
        self._check_device(chosen)
        self._check_compiler(chosen)
        with self.workspace.locked():
            makers.check(self.workspace, self._name, chosen)
            self._write_resolved()
            for step in chosen:
                self._context.memory.clear()
                makers.check(self.workspace, self._name, [step])
                if step.state == "done":
                    progress.note(f"{step.name}: current")
                    continue
                started = time.monotonic()
                progress.note(f"{step.name}: begins")
                try:
                    with makers.recorded(self.workspace, self._name, step):
                        try:
                            step.make()
                        finally:
                            self._context.memory.clear()
                except OSError as error:
                    raise WorkspaceError(
                        f"{step.name}: {error.strerror or error} "
                        f"({error.filename or self.workspace.path}); mend it and run the same "
                        "command again: it goes on"
                    ) from error
                finally:
                    seconds = time.monotonic() - started
                    with suppress(OSError):  # a full disk has its own message
                        self.workspace.add_time(step.name, seconds)
                progress.note(f"{step.name}: done in {duration(seconds)}")

    def _check_device(self, chosen: Sequence[Step]) -> None:
        """Where nothing is left to train, as on a login node, a GPU is not asked for."""
        own = ("training.device", self.file.training.device)
        asked = {"train": own, "curriculum": own}
        teacher = None if self.file.comparison is None else self.file.comparison.teacher
        if teacher is not None and teacher.training is not None:
            device = teacher_training(self.file).device
            asked["teacher"] = ("comparison.teacher.training.device", device)
        wanted = [asked[s.stage] for s in chosen if s.stage in asked and s.state != "done"]
        keys = [key for key, device in wanted if device == "cuda"]
        if keys and not sees_a_gpu():
            raise StudyError(
                f"{self.path.name}: {keys[0]} = cuda, but torch sees no GPU on this machine, "
                "expected one; train where there is one, or set it to cpu"
            )

    def _check_compiler(self, chosen: Sequence[Step]) -> None:
        """Where nothing is left to compile, none is asked for."""
        trained = ("training.compiled", self.file.training.compiled)
        asked = {
            "train": trained,
            "curriculum": trained,
            "export": ("production.compiled", self.file.production.compiled),
        }
        wanted = [asked[s.stage] for s in chosen if s.stage in asked and s.state != "done"]
        keys = [key for key, compiled in wanted if compiled]
        if keys and shutil.which(compiler()) is None:
            raise StudyError(
                f"{self.path.name}: {keys[0]} = true, but there is no {compiler()} here, "
                "expected a C++ compiler; install one, name it in CXX, or set it to false"
            )

    def _check_stage(self, stage: str) -> None:
        known = {step.stage for step in self.steps}
        if stage not in known:
            listed = ", ".join(name for name in self.stages if name in known)
            raise StudyError(f"stage: got '{stage}', expected one of this study's: {listed}")

    def _write_resolved(self) -> None:
        resolved = {
            "study": self.file.model_dump(),
            "study_file_sha256": hash_of_file(self.path),
            "versions": {
                **versions("lmp-thermo", "lammps", "torch", "nequip", "ase", "MDAnalysis", "numpy"),
                **self._context.reference.identity["versions"],
            },
        }
        write_text(self.workspace.resolved, yaml.safe_dump(resolved, sort_keys=False))

    def _check(self) -> None:
        """What can be refused before any work and needs the fluid's molecules."""
        study, context = self.file, self._context
        label_box = context.composition(study.sampling.molecules)
        context.composition(study.production.molecules)
        for number in range(study.sampling.rounds):
            context.plan(number)
        try:
            architecture(study.training).cutoffs(context.species)
        except TrainingError as error:
            raise StudyError(f"{self.path.name}: training.{error}") from None
        reach = study.reference.min_box_A
        if study.reference.ase is not None and study.reference.ase.reach_A is not None:
            reach = max(reach, 2 * study.reference.ase.reach_A)
        for state in study.states:
            check_packing(label_box, state)
            edge = box_length(label_box, state)
            if edge < reach:
                raise StudyError(
                    f"{self.path.name}: sampling.molecules = {study.sampling.molecules}: the "
                    f"label box at {state.density_g_cm3:g} g/cm3 would be {edge:.2f} Å, "
                    f"expected at least {reach:g} Å for reference {study.reference.name}; "
                    "use more molecules"
                )
        if study.comparison is not None:
            self._check_comparison(study.comparison)
        try:
            _ = context.reference.identity
            if study.reference.ase is not None:
                _ = context.reference.calculator
            elif isinstance(context.reference, LammpsReference):
                topology = context.reference.interaction.topology
                if topology is not None:
                    if study.training.references == "isolated-atoms":
                        raise StudyError(
                            "training.references = isolated-atoms, expected another choice: the "
                            "reference's force field knows whole molecules only"
                        )
                    check_molecules(topology, label_box.kinds, label_box.counts)
                    for kind in label_box.kinds:
                        context.reference.label_alone(kind)  # LAMMPS misses no coefficient
        except LmpThermoError as error:
            raise StudyError(f"{self.path.name}: {error}") from error

    def _check_comparison(self, comparison: Comparison) -> None:
        """What its counts, calculators, teacher, and stand-ins for databases need."""
        context = self._context
        kinds = context.composition(self.file.sampling.molecules).kinds
        if (
            comparison.coordination_sites == "atoms"
            and comparison.coordination_cutoff_A is None
            and any(len(kind) > 1 for kind in kinds)
        ):
            raise StudyError(
                f"{self.path.name}: comparison.coordination_cutoff_A: missing, expected a distance "
                "where coordination_sites = atoms and molecules have several, for they have "
                "several first shells; add it"
            )
        calculators = {
            f"comparison.calculators.{name}": (other.calculator, other.arguments)
            for name, other in comparison.calculators.items()
        }
        teacher = comparison.teacher
        if teacher is not None and teacher.calculator is not None:
            calculators["comparison.teacher"] = (teacher.calculator, teacher.arguments)
        for key, (path, arguments) in calculators.items():
            try:
                _ = AseReference(key, path, arguments).calculator
            except LmpThermoError as error:
                cause = str(error).replace("reference.ase", key)
                raise StudyError(f"{self.path.name}: {cause}") from error
        try:
            databases.check(context)
            if "condensed" in comparison.designs:
                self._check_crystals()
            if teacher is not None and teacher.training is not None:
                architecture(teacher_training(self.file)).cutoffs(context.species)
        except TrainingError as error:
            raise StudyError(f"{self.path.name}: comparison.teacher.training.{error}") from None
        except StudyError as error:
            raise StudyError(f"{self.path.name}: {error}") from None

    def _check_crystals(self) -> None:
        for state in databases.crystal_counts(self._context):
            try:
                check_packing(databases.composition_of(self._context, state), state)
            except StudyError as error:
                key = "comparison.crystal_densities_g_cm3:"
                raise StudyError(str(error).replace("grid:", key)) from None
