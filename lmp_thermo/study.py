"""The study file: typed, strict, with the unit of every quantity in its key.

`StudyFile.read` refuses whatever cannot be carried out as written, before any work, with one
line that names file, key, value, expectation and remedy.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from lmp_thermo.comparison import Comparison
from lmp_thermo.errors import StudyError
from lmp_thermo.reading import (
    Arguments,
    Name,
    NonNegative,
    Positive,
    Section,
    first_problem,
    merged,
    read_yaml,
)
from lmp_thermo.states import StateGrid, StatePoint


class Molecule(Section):
    """One kind of molecule of the fluid."""

    name: Name
    formula: str | None = Field(None, description="a molecule or atom that ASE knows, e.g. CH4")
    geometry: str | None = Field(None, description="XYZ file beside the study file, instead")
    proportion: int = Field(1, ge=1, description="how many for each repeat unit of the mixture")

    @model_validator(mode="after")
    def _one_source(self) -> "Molecule":
        if (self.formula is None) == (self.geometry is None):
            raise ValueError("expected one of formula and geometry; give exactly one")
        return self


class Fluid(Section):
    """Molecules and their proportions."""

    molecules: list[Molecule] = Field(min_length=1)


class GridBlock(Section):
    """Every density at every temperature of the block."""

    densities_g_cm3: list[Positive] = Field(min_length=1)
    temperatures_K: list[Positive] = Field(min_length=1)


class LammpsForceField(Section):
    """A reference that is a LAMMPS force field, given by its pair commands."""

    pair_commands: list[str] = Field(min_length=1)
    cutoff_A: Positive = Field(description="the largest distance at which atoms interact")
    files: list[str] = Field(
        default_factory=list,
        description="that the pair commands name: below the study file's folder, or among those "
        "that come with LAMMPS",
    )


class AseCalculator(Section):
    """A reference that is an ASE calculator, given by its dotted path."""

    calculator: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")
    arguments: Arguments = Field(default_factory=dict)
    reach_A: Positive | None = Field(
        None, description="range of direct interactions; label boxes must be twice as long"
    )
    alone_box_A: Positive | None = Field(
        None,
        description="edge of a periodic box for molecules alone, for calculators that know "
        "periodic boxes only",
    )


class Reference(Section):
    """Where energies come from."""

    name: Name
    lammps: LammpsForceField | None = None
    ase: AseCalculator | None = None
    min_box_A: Positive = Field(10.0, description="no label box may be shorter along any edge")
    max_force_eV_A: Positive = Field(50.0, description="a frame with a larger force is refused")
    energy_tolerance_eV: Positive = Field(
        1e-5, description="a reference is refused if two labels of one frame differ by more"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> "Reference":
        if (self.lammps is None) == (self.ase is None):
            raise ValueError("expected one of lammps and ase; give exactly one")
        return self


class Dynamics(Section):
    """A LAMMPS run that draws frames."""

    timestep_fs: Positive = Field(le=20)
    equilibration_ps: Positive
    production_ps: Positive
    spacing_ps: Positive | None = Field(
        None,
        description="least time between frames that are drawn; a run is lengthened where "
        "production_ps is too short for it",
    )


class Sampling(Section):
    """How the labelling budget is spent over the grid."""

    design: Literal["none", "temperature", "density", "grid"] = "grid"
    density_g_cm3: Positive | None = Field(None, description="for designs none and temperature")
    temperature_K: Positive | None = Field(None, description="for designs none and density")
    budget_frames: int | None = Field(
        None,
        gt=0,
        description="labelled frames to train on, over all rounds; of a comparison, over the "
        "rounds before the one that draws the pool",
    )
    held_out_per_cell: int = Field(3, ge=1, description="labelled frames a cell that only judge")
    rounds: int = Field(1, ge=1, le=20)
    molecules: int = Field(ge=1, description="molecules in a label box")
    molecule_frames: int = Field(
        0, ge=0, description="labelled frames of single molecules, in addition"
    )
    dynamics: Dynamics


class Training(Section):
    """How models are trained."""

    recipe: Literal["scratch"] = "scratch"
    architecture: Literal["nequip"] = "nequip"
    r_max_A: Positive = 5.0
    pair_r_max_A: dict[str, Positive] = Field(
        default_factory=dict, description="shorter cutoffs of single pairs, such as H-H"
    )
    layers: int = Field(2, ge=1, le=6)
    l_max: int = Field(1, ge=0, le=3)
    parity: bool = True
    features: int = Field(16, ge=1, le=256)
    radial_mlp_width: int = Field(64, ge=1, le=1024)
    dtype: Literal["float32", "float64"] = "float32"
    batch_size: int = Field(2, ge=1)
    learning_rate: Positive = 0.01
    apart_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.3,
        description="share of the training frames that stand a second time with their molecules "
        "apart",
    )
    packed_frames: Literal["first-round", "all"] = Field(
        "first-round",
        description="whether the frames packed for the first round train its model only, or all",
    )
    updates: list[int] | None = Field(None, description="updates in each round")
    minutes: list[Positive] | None = Field(
        None, description="wall time in each round, instead; not reproducible"
    )
    threads: int = Field(1, ge=1)
    compiled: bool = Field(
        False,
        description="whether torch compiles the model for training: needs a C++ compiler and a "
        "minute at the start, and makes updates faster",
    )
    energy_weight: NonNegative = Field(200.0, description="of the energy per atom, (eV/atom)^2")
    force_weight: NonNegative = Field(5.0, description="of force components, (eV/Å)^2")
    stress_weight: NonNegative = Field(20.0, description="of the virial per atom, (eV/atom)^2")
    net_force_weight: NonNegative = Field(
        10.0, description="of the net force on each molecule, (eV/Å)^2; drops out for atoms"
    )
    torque_weight: NonNegative = Field(
        5.0, description="of the torque on each molecule, eV^2; drops out for atoms"
    )
    molecular_virial_weight: NonNegative = Field(
        30.0, description="of the molecular virial per molecule, eV^2; drops out for atoms"
    )
    references: dict[str, float] | Literal["isolated-molecules", "isolated-atoms", "fit"] = Field(
        "isolated-molecules",
        description="per-element energies: given, fitted on molecules alone, of isolated atoms, or "
        "fitted on the training frames",
    )
    overrides: Arguments = Field(default_factory=dict, description="any key of nequip")

    @model_validator(mode="after")
    def _one_limit(self) -> "Training":
        if (self.updates is None) == (self.minutes is None):
            raise ValueError("expected one of updates and minutes; give exactly one")
        if any(u < 1 for u in self.updates or []):
            raise ValueError("updates: expected numbers above 0")
        if self.force_weight == 0 and self.energy_weight == 0:
            raise ValueError("expected energy_weight or force_weight above 0")
        return self


class Guards(Section):
    """Limits at which a run stops."""

    temperature_factor: Positive = Field(4.0, gt=1, description="times the asked temperature")
    min_distance_A: Positive = 0.6
    energy_rise_eV_atom: Positive = 1.0


class Production(Section):
    """The runs with the finished potential, one at each state point."""

    molecules: int = Field(ge=1)
    timestep_fs: Positive = Field(le=20)
    equilibration_ps: Positive
    production_ps: Positive
    gas_production_ps: Positive | None = Field(
        None, description="instead of production_ps where the gas thermostat is used"
    )
    nve_ps: NonNegative = 0.0
    trajectory_every_fs: Positive = 100.0
    thermo_every_fs: Positive = 10.0
    segment_ps: Positive = 1.0
    thermostat: Literal["langevin", "csvr", "nose-hoover"] = Field(
        "langevin",
        description="csvr and nose-hoover act on the whole box and leave it to collisions to share "
        "energy between the motion of molecules and their vibrations, which takes longer than most "
        "runs; for atoms all three do",
    )
    gas_thermostat: Literal["langevin", "csvr", "nose-hoover"] = "langevin"
    gas_below_g_cm3: NonNegative = Field(
        0.0, description="at and below this density the gas thermostat is used"
    )
    thermostat_damping_ps: Positive = 0.1
    guards: Guards = Guards()


class Gates(Section):
    """What a cell must meet; see `lmp_thermo.validation`."""

    net_force_relative: Positive = 0.25
    net_force_floor_meV_A: Positive = 10.0
    interaction_energy_relative: Positive = 0.10
    interaction_energy_floor_meV_atom: Positive = 0.2
    pressure_ideal_relative: Positive = 0.05
    pressure_relative: Positive = 0.03
    pressure_bar: Positive = Field(150.0, description="granted only in the liquid")
    liquid_above_g_cm3: NonNegative = 0.0


class Validation(Section):
    """How the potential's own runs are judged."""

    frames_per_cell: int = Field(6, ge=2, description="frames relabelled by the reference")
    reference_runs: bool = Field(
        False, description="carry out the same runs with the reference (LAMMPS force field)"
    )
    gates: Gates = Gates()


class StudyFile(Section):
    """All that a study asks for."""

    name: Name
    seed: int = Field(1, ge=0, lt=2**31)
    fluid: Fluid
    grid: list[GridBlock] = Field(min_length=1)
    reference: Reference
    sampling: Sampling
    training: Training
    guards: Guards = Guards()
    production: Production
    validation: Validation = Validation()
    comparison: Comparison | None = Field(
        None, description="compare designs: the last round draws a pool that all arms share"
    )
    variants: dict[Name, dict[str, Any]] = Field(
        default_factory=dict,
        description="named sets of changes, chosen by --variant; nested like the study itself",
    )

    @field_validator("grid")
    @classmethod
    def _no_repetition(cls, grid: list[GridBlock]) -> list[GridBlock]:
        for block in grid:
            for key in ("densities_g_cm3", "temperatures_K"):
                values = getattr(block, key)
                if len(set(values)) != len(values):
                    raise ValueError(f"{key} = {values} names a value twice; give each once")
        return grid

    @property
    def states(self) -> StateGrid:
        """The grid."""
        return StateGrid.of(
            StatePoint(density, temperature)
            for block in self.grid
            for density in block.densities_g_cm3
            for temperature in block.temperatures_K
        )

    @classmethod
    def read(cls, path: Path, variant: str | None = None) -> "StudyFile":
        """Read and check a study file.

        Args:
            path: the YAML file.
            variant: one of the file's `variants`, whose changes are applied.

        Raises:
            StudyError: one line with file, key, value, expectation.
        """
        data = read_yaml(path)
        if variant is not None:
            variants = data.get("variants") or {}
            if not isinstance(variants, dict) or variant not in variants:
                known = ", ".join(map(str, variants)) or "none"
                raise StudyError(
                    f"{path}: variants: got '{variant}', expected one of those in the file: {known}"
                )
            study = cls._checked(merged(data, variants[variant]), path.name)
        else:
            study = cls._checked(data, path.name)
        for name, changes in study.variants.items():
            if name != variant:  # a mistake is found before somebody needs the variant
                cls._checked(merged(data, changes), f"{path.name}: variants.{name}")
        return study

    @classmethod
    def _checked(cls, data: dict[str, Any], where: str) -> "StudyFile":
        try:
            study = cls.model_validate(data)
        except ValidationError as error:
            raise StudyError(f"{where}: {first_problem(cls, error)}") from None
        _check_consistency(where, study)
        return study


def seed_for(study_seed: int, *names: object) -> int:
    """A seed in [1, 2^31 - 2] from the study's seed and an item's name, never from the clock."""
    text = "/".join([str(study_seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % (2**31 - 2) + 1


def teacher_training(study: StudyFile) -> Training:
    """The training of a teacher that is a model: the study's with what the teacher changes.

    Raises:
        ValidationError: the changes are none of a training.
    """
    teacher = study.comparison.teacher if study.comparison is not None else None
    assert teacher is not None
    assert teacher.training is not None
    changes = dict(teacher.training)
    if "updates" in changes:
        changes["updates"] = [changes["updates"]] * study.sampling.rounds
    return Training.model_validate({**study.training.model_dump(), **changes})


def _check_consistency(where: str, study: StudyFile) -> None:
    """What needs more than one section; physics of boxes is checked by `lmp_thermo.fluid`."""
    sampling, training, states = study.sampling, study.training, study.states

    def refuse(key: str, got: object, expected: str) -> None:
        raise StudyError(f"{where}: {key} = {got}, expected {expected}")

    limits, limit_key = (
        (training.updates, "training.updates")
        if training.updates is not None
        else (training.minutes, "training.minutes")
    )
    if limits is not None and len(limits) != sampling.rounds:
        refuse(limit_key, limits, f"a number for each of sampling.rounds = {sampling.rounds}")
    if study.reference.ase is not None and sampling.rounds < 2:
        refuse(
            "sampling.rounds",
            sampling.rounds,
            "at least 2 for an ASE reference, since the first round's frames are packed, not drawn "
            "from dynamics",
        )
    if study.reference.lammps is not None and sampling.rounds != 1:
        refuse(
            "sampling.rounds",
            sampling.rounds,
            "1 for a LAMMPS reference, which draws its own equilibrium frames",
        )
    if study.comparison is not None:
        _check_comparison(study.comparison, study, refuse)
        _check_teacher(where, study, refuse)
    elif sampling.budget_frames is None:
        raise StudyError(f"{where}: sampling.budget_frames: missing, expected a value; add it")
    needs = {
        "none": ("density_g_cm3", "temperature_K"),
        "temperature": ("density_g_cm3",),
        "density": ("temperature_K",),
        "grid": (),
    }[sampling.design]
    for key, known in (
        ("density_g_cm3", states.densities_g_cm3),
        ("temperature_K", states.temperatures_K),
    ):
        value = getattr(sampling, key)
        if key in needs and value not in known:
            refuse(
                f"sampling.{key}",
                value,
                f"one of the grid's {list(known)} for design {sampling.design}",
            )
        if key not in needs and value is not None:
            refuse(
                f"sampling.{key}",
                value,
                f"nothing, since design {sampling.design} has no use for it",
            )
    if study.validation.reference_runs and study.reference.lammps is None:
        refuse(
            "validation.reference_runs",
            True,
            "false for an ASE reference; its runs would take days",
        )
    production = study.production
    for key in ("trajectory_every_fs", "thermo_every_fs"):
        ratio = getattr(production, key) / production.timestep_fs
        if abs(ratio - round(ratio)) > 1e-6 or round(ratio) < 1:
            refuse(
                f"production.{key}",
                getattr(production, key),
                f"a multiple of production.timestep_fs = {production.timestep_fs}",
            )


def _check_teacher(
    where: str, study: StudyFile, refuse: Callable[[str, object, str], None]
) -> None:
    teacher = study.comparison.teacher if study.comparison is not None else None
    if teacher is None or teacher.training is None:
        return
    try:
        training = teacher_training(study)
    except ValidationError as error:
        line = first_problem(Training, error)
        raise StudyError(f"{where}: comparison.teacher.training: {line}") from None
    if training.updates is None:
        refuse("comparison.teacher.training.minutes", training.minutes, "updates instead")


def _check_comparison(
    comparison: Comparison, study: StudyFile, refuse: Callable[[str, object, str], None]
) -> None:
    """What a comparison needs of the other sections."""
    sampling, states = study.sampling, study.states
    if sampling.design != "grid":
        refuse("sampling.design", sampling.design, "grid, since the comparison names the designs")
    if (sampling.budget_frames is None) != (sampling.rounds == 1):
        refuse(
            "sampling.budget_frames",
            sampling.budget_frames,
            "frames for the rounds before the pool's, and nothing where there is no such round",
        )
    if study.training.updates is None:
        refuse("training.minutes", study.training.minutes, "updates, so that all arms have as many")
    for key, values, known in (
        ("densities_g_cm3", comparison.densities_g_cm3, states.densities_g_cm3),
        ("temperatures_K", comparison.temperatures_K, states.temperatures_K),
    ):
        for value in values or []:
            if value not in known:
                refuse(f"comparison.{key}", value, f"values of the grid, {list(known)}")
    named = [("home", comparison.home.state)]
    named += [("runs.states", s.state) for s in (comparison.runs.states if comparison.runs else [])]
    for key, state in named:
        if state not in states.points:
            refuse(f"comparison.{key}", state, "a state point of the grid; add it to the grid")
    if not comparison.may_spend(comparison.home.state):
        refuse("comparison.home", comparison.home.state, "a state point on which designs may spend")
