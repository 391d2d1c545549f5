"""Who made what in a workspace that several studies share.

Where products are kept by name, one study's settings would take the place of another's: of a
variant that trains other arms of the same names, say. Nobody replaces what somebody else has made.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from lmp_thermo.errors import LmpThermoError, WorkspaceError
from lmp_thermo.products import Product, read_json, write_json
from lmp_thermo.stages.plan import Step
from lmp_thermo.stages.workspace import Workspace

KEPT = (
    "sample",
    "label",
    "teacher",
    "databases",
    "curriculum",
    "train",
    "export",
    "deck",
    "simulate",
)
"""Stages whose products are dear."""


def check(workspace: Workspace, study: str, steps: Iterable[Step]) -> None:
    """Refuse steps that would replace what another study has made.

    Args:
        workspace: that the studies share.
        study: name of the one that is to be carried out.
        steps: of it; those that wait for others are passed over.

    Raises:
        WorkspaceError: a product of theirs is there, from other sources, by another study.
    """
    makers = _read(workspace)
    for step in steps:
        for product in _products(step):
            maker = makers.get(_place(workspace, product), study)
            if maker != study and product.state == "stale":
                raise WorkspaceError(
                    f"{workspace.path}: {study} would make {_place(workspace, product)} anew, "
                    f"which {maker} made from other settings or versions; give {study} a "
                    f"--workspace of its own, or carry out {maker} first if that is what changed"
                )


@contextmanager
def recorded(workspace: Workspace, study: str, step: Step) -> Iterator[None]:
    """Note what a step makes, also where it does not come to its end.

    So is what is there from these sources and nobody is known to have made: a killed run's.
    """

    def current() -> set[str]:
        return {_place(workspace, p) for p in _products(step) if p.state == "current"}

    before = current()
    try:
        yield
    finally:
        known = _read(workspace)
        made = [place for place in sorted(current()) if place not in before or place not in known]
        if made:
            write_json(workspace.makers, {**known, **dict.fromkeys(made, study)})


def _products(step: Step) -> list[Product]:
    if step.stage not in KEPT:
        return []
    try:
        return step.products()
    except LmpThermoError:  # it waits for an earlier step, or is refused with its own message
        return []


def _place(workspace: Workspace, product: Product) -> str:
    return os.path.relpath(product.folder, workspace.path)


def _read(workspace: Workspace) -> dict[str, str]:
    if not workspace.makers.is_file():
        return {}
    values = read_json(workspace.makers)
    if not isinstance(values, dict):
        raise WorkspaceError(f"{workspace.makers}: not what was written there; remove it")
    return {str(place): str(name) for place, name in values.items()}
