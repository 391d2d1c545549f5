"""The study file: typed, strict, with the unit of every quantity in its key.

`StudyFile.read` refuses whatever cannot be carried out as written, before any work, with one
line that names file, key, value, expectation and remedy.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from lmp_thermo.comparison import FEWEST_HELD_OUT, Comparison
from lmp_thermo.errors import StudyError
from lmp_thermo.reading import (
    Name,
    Section,
    first_problem,
    merged,
    read_yaml,
)
from lmp_thermo.sections import (
    Fluid,
    GridBlock,
    Guards,
    Production,
    Reference,
    Sampling,
    Training,
    Validation,
)
from lmp_thermo.states import StateGrid, StatePoint


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
    _check_curriculum(study, refuse)
    needs = {
        "none": ("density_g_cm3", "temperature_K"),
        "temperature": ("density_g_cm3",),
        "density": ("temperature_K",),
        "grid": (),
        "adaptive": (),
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
    _check_output(study, refuse)


def _check_output(study: StudyFile, refuse: Callable[[str, object, str], None]) -> None:
    """How often runs write."""
    production = study.production
    for key in ("trajectory_every_fs", "thermo_every_fs"):
        ratio = getattr(production, key) / production.timestep_fs
        if abs(ratio - round(ratio)) > 1e-6 or round(ratio) < 1:
            refuse(
                f"production.{key}",
                getattr(production, key),
                f"a multiple of production.timestep_fs = {production.timestep_fs}",
            )


def _check_curriculum(study: StudyFile, refuse: Callable[[str, object, str], None]) -> None:
    """What a study whose own design is adaptive needs."""
    curriculum = study.sampling.curriculum
    if (study.sampling.design == "adaptive") != (curriculum is not None):
        refuse(
            "sampling.curriculum",
            "none" if curriculum is None else "one",
            "a curriculum exactly where sampling.design is adaptive; add or remove it",
        )
    if curriculum is None:
        return
    if curriculum.budgets is not None:
        refuse(
            "sampling.curriculum.budgets",
            curriculum.budgets,
            "nothing, for only a comparison has adaptive arms of several budgets; remove it",
        )
    if study.training.updates is None:
        refuse(
            "training.minutes",
            study.training.minutes,
            "updates for design adaptive, whose committees are trained by updates",
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
    if sampling.held_out_per_cell < FEWEST_HELD_OUT:
        refuse(
            "sampling.held_out_per_cell",
            sampling.held_out_per_cell,
            f"at least {FEWEST_HELD_OUT} in a comparison, which halves them to see how far apart "
            "cells are; raise it",
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
