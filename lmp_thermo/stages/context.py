"""What every stage is given: the study, its workspace, and the means to work with."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from lmp_thermo.comparison import Arm
from lmp_thermo.fluid.molecules import Composition, compose, load_molecule, species_of
from lmp_thermo.launch import Lammps, find_lmp
from lmp_thermo.products import Product
from lmp_thermo.progress import Progress
from lmp_thermo.reference import Reference, build_reference, find_files
from lmp_thermo.sampling.designs import CellPlan, plan_study_round
from lmp_thermo.sections import Reference as ReferenceSection
from lmp_thermo.stages.workspace import Workspace
from lmp_thermo.states import StatePoint
from lmp_thermo.study import StudyFile

P = ParamSpec("P")
T = TypeVar("T")


def remembered(
    function: "Callable[Concatenate[Context, P], T]",
) -> "Callable[Concatenate[Context, P], T]":
    """Compute once in a step what is the same for all arms of a study.

    Products derive from all the products before them; what lies before a step does not change
    while it is carried out.
    """
    return _remembered(function, by_arm=False)


def remembered_by_arm(
    function: "Callable[Concatenate[Context, P], T]",
) -> "Callable[Concatenate[Context, P], T]":
    """The same for what differs from arm to arm."""
    return _remembered(function, by_arm=True)


def _remembered(
    function: "Callable[Concatenate[Context, P], T]", by_arm: bool
) -> "Callable[Concatenate[Context, P], T]":
    @wraps(function)
    def remember(context: "Context", /, *args: P.args, **kwargs: P.kwargs) -> T:
        key = (
            function.__module__,
            function.__qualname__,
            context.chosen_arm if by_arm else None,
            args,
            tuple(sorted(kwargs.items())),
        )
        if key not in context.memory:
            context.memory[key] = function(context, *args, **kwargs)
        found: T = context.memory[key]
        return found

    return remember


@dataclass(frozen=True)
class Context:
    """One study on one machine.

    Args:
        study: the checked study file.
        folder: where the study file is.
        workspace: where everything is written.
        progress: whom to tell.
        lmp: path of the LAMMPS program; None for the one of this Python environment.
        cores: processes at a time.
        chosen_arm: the arm of a comparison that a stage is about; None in a study without one.
        memory: what `remembered` functions returned, shared by the contexts of all arms; emptied
            at the beginning of each step.
    """

    study: StudyFile
    folder: Path
    workspace: Workspace
    progress: Progress
    lmp: str | None
    cores: int
    chosen_arm: Arm | None = None
    memory: dict[Any, Any] = field(default_factory=dict, compare=False)

    @property
    def arm(self) -> str:
        """Name of the arm: design, recipe and seed."""
        return self.own_model if self.chosen_arm is None else self.chosen_arm.name

    @property
    def own_model(self) -> str:
        """Name of the study's own model; in a comparison it draws the pool of all arms."""
        return f"{self.study.sampling.design}-{self.study.training.recipe}-{self.study.seed}"

    def of(self, arm: Arm) -> "Context":
        """The same for one arm of the comparison."""
        return replace(self, chosen_arm=arm)

    @property
    def potentials(self) -> "list[Context]":
        """One for each potential that is exported and runs: the study's, or some arms'."""
        comparison = self.study.comparison
        if comparison is None:
            return [self]
        return [self.of(arm) for arm in comparison.arms if comparison.carries_out(arm)]

    @property
    def last_round(self) -> int:
        """The round whose model, or whose models, are the study's result."""
        return self.study.sampling.rounds - 1

    @property
    def adaptive(self) -> bool:
        """Whether the study's own design buys the labels of its last round in rounds."""
        return self.study.sampling.design == "adaptive"

    @property
    def run_states(self) -> list[StatePoint]:
        """State points at which a potential runs: all, or those that a comparison names."""
        comparison = self.study.comparison
        if comparison is None:
            return list(self.study.states)
        return [] if comparison.runs is None else [s.state for s in comparison.runs.states]

    def plan(self, round_number: int) -> list[CellPlan]:
        """Frames that a round draws, cell by cell."""
        n_atoms = sum(self.composition(self.study.sampling.molecules).molecule_sizes)
        return plan_study_round(self.study, round_number, n_atoms)

    @cached_property
    def lammps(self) -> Lammps:
        """The LAMMPS program."""
        return find_lmp(self.lmp)

    @cached_property
    def species(self) -> tuple[str, ...]:
        """Chemical symbols in the order of LAMMPS's atom types and of the model's."""
        return species_of(tuple(load_molecule(m, self.folder) for m in self.study.fluid.molecules))

    @cached_property
    def reference_section(self) -> ReferenceSection:
        """The study's reference; files of a force field by their absolute paths."""
        section = self.study.reference
        if section.lammps is None:
            return section
        own = section.lammps
        found = {
            "files": find_files(own.files, self.folder),
            "molecules": find_files(own.molecules, self.folder, "molecules"),
        }
        force_field = own.model_copy(update=found)
        return section.model_copy(update={"lammps": force_field})

    @cached_property
    def reference(self) -> Reference:
        """The reference."""
        return build_reference(self.reference_section, self.species)

    def composition(self, n_molecules: int) -> Composition:
        """A box of the fluid."""
        return compose(self.study, self.folder, n_molecules)

    def fluid_identity(self, n_molecules: int) -> dict[str, Any]:
        """All that a box of the fluid depends on, for product keys."""
        composition = self.composition(n_molecules)
        return {
            "kinds": [[str(k.symbols), k.positions.round(10).tolist()] for k in composition.kinds],
            "counts": list(composition.counts),
        }


def versions(*packages: str) -> dict[str, str]:
    """Versions of installed packages, for product keys."""
    found = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def content_of(products: list[Product]) -> list[str]:
    """Content hashes of products that a stage reads.

    Raises:
        WorkspaceError: one is missing or stale.
    """
    return [product.content for product in products]


def count_states(products: list[Product]) -> dict[str, int]:
    """How many products are current, stale, missing."""
    counts = {"current": 0, "stale": 0, "missing": 0}
    for product in products:
        counts[product.state] += 1
    return counts
