"""Page, tables and figures of a comparison of designs, from its result file alone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lmp_thermo.products import write_text
from lmp_thermo.progress import duration
from lmp_thermo.report.comparison_tables import sections
from lmp_thermo.report.comparison_verdict import verdict
from lmp_thermo.report.figures import (
    coverage_matrix,
    curriculum,
    errors_along_density,
    paired_ratios,
    why_density,
)
from lmp_thermo.report.figures.groups import group_title
from lmp_thermo.report.page import Page, Shown, render_page
from lmp_thermo.report.result import Result
from lmp_thermo.report.style import svg_text
from lmp_thermo.report.tables import markdown

ERRORS = {
    "interaction_energy": ("errors", "Interaction energy along density"),
    "net_force": ("errors-net-force", "Net force on molecules along density"),
}
"""Quantities whose errors are drawn: name and title of the figure."""


@dataclass(frozen=True)
class Drawn:
    """A figure, or in `caption` why there is none."""

    name: str
    title: str
    figure: Figure | None
    caption: str


def write_comparison(path: Path, folder: Path) -> list[Path]:
    """Page (``<study>.html``), tables (``<study>.md``) and figures (SVG) of a result file.

    Args:
        path: ``comparison.json`` of a study, or a copy of it.
        folder: where to; made where it is missing.

    Returns:
        What was written, the page first.

    Raises:
        AnalysisError: the file is no result of a comparison.
    """
    return write_result(Result.read(path), folder)


def write_result(result: Result, folder: Path) -> list[Path]:
    """The same, of a result that was read."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = draw(result)
    texts = {
        f"{result.study}.html": page(result, drawn),
        f"{result.study}.md": tables(result),
        **{
            f"{result.study}-{own.name}.svg": svg_text(own.figure)
            for own in drawn
            if own.figure is not None
        },
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in texts]


def draw(result: Result) -> list[Drawn]:
    """All figures in the order of the page."""
    return [
        Drawn(
            "coverage",
            "Where each design holds",
            coverage_matrix.coverage_matrix(result),
            coverage_matrix.caption(result),
        ),
        Drawn(
            "pairs",
            "Designs seed by seed",
            paired_ratios.paired_ratios(result),
            paired_ratios.caption(result)
            if result.tests
            else "a paired test needs two groups of arms with at least two seeds",
        ),
        *(
            Drawn(
                name,
                title,
                errors_along_density.errors_along_density(result, quantity),
                errors_along_density.caption(result, quantity),
            )
            for quantity, (name, title) in ERRORS.items()
        ),
        *(
            Drawn(
                f"curriculum-{group}",
                f"What {group_title(group)} bought, and why",
                curriculum.curriculum(result, group),
                curriculum.caption(result, group),
            )
            for group in curriculum.adaptive_groups(result)
        ),
        _coordination(result),
    ]


def _coordination(result: Result) -> Drawn:
    found, title = result.environments, "Why density matters"
    if found.response is None or not found.cells:
        return Drawn("coordination", title, None, found.missing or "no coordination was counted")
    moves = why_density.Moves.of(
        [cell.model_dump() for cell in found.cells], found.response.model_dump()
    )
    return Drawn("coordination", title, why_density.why_density(moves), why_density.caption(moves))


def tables(result: Result) -> str:
    """All tables as one Markdown page."""
    found = verdict(result)
    notes = "\n".join(f"- {note}" for note in found.notes)
    parts = [f"# {result.study}", found.meaning, notes]
    for section in sections(result):
        parts += [f"## {section.title}", section.text, markdown(section.table).rstrip()]
    return "\n\n".join(part for part in parts if part) + "\n"


def page(result: Result, drawn: list[Drawn]) -> str:
    """The comparison as one self-contained HTML page; the same result gives the same bytes."""
    return render_page(
        Page(
            title=result.study,
            subtitle=f"{', '.join(result.settings.molecules)}, labelled by "
            f"{result.settings.reference.get('name', 'its reference')}: designs compared",
            summary=_summary(result),
            banner=verdict(result),
            figures=[
                Shown(own.name, own.title, None, own.caption)
                if own.figure is None
                else Shown.of(own.figure, own.name, own.title, own.caption)
                for own in drawn
            ],
            sections=sections(result),
            facts={
                "What was asked": _asked(result),
                "How it was judged": _judged(result),
                "Provenance": {
                    "command": result.command,
                    **({"time in the workspace": _wall_time(result)} if result.seconds else {}),
                    **{f"{name} version": own for name, own in result.versions.items()},
                    **({"stages": ", ".join(result.stages)} if result.stages else {}),
                },
            },
        )
    )


def _summary(result: Result) -> list[str]:
    asked = result.settings.comparison
    frames = sum(cell.held_out for cell in result.grid.values())
    return [
        f"{len(result.groups)} groups of arms, seeds {', '.join(map(str, asked.seeds))}: "
        f"{len(result.arms)} models",
        f"{_range(arm.spent for arm in result.arms.values())} {asked.budget_unit} each",
        f"{len(result.grid)} cells, {frames} held-out frames of "
        f"{result.settings.atoms_per_frame} atoms",
    ]


def _range(values: Iterable[float]) -> str:
    known = list(values)
    low, high = min(known), max(known)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _wall_time(result: Result) -> str:
    """Of the calls that made the workspace, by step."""
    return ", ".join(f"{step} {duration(seconds)}" for step, seconds in result.seconds.items())


def _asked(result: Result) -> dict[str, str]:
    asked, training = result.settings.comparison, result.settings.training
    spent = _listed({arm.spent for arm in result.arms.values()})
    facts = {
        "designs": ", ".join(asked.designs),
        "losses": ", ".join(asked.losses),
        "seeds": ", ".join(map(str, asked.seeds)),
        "budget": f"{asked.budget:g} {asked.budget_unit}; spent: {spent}",
        "home": str(asked.home),
        "densities": f"{_listed(result.densities_g_cm3)} g/cm³",
        "temperatures": f"{_listed(result.temperatures_K)} K",
        "reference": json.dumps(result.settings.reference, ensure_ascii=False),
        "training": _spoken(training),
    }
    if asked.curriculum:
        facts["curriculum"] = _spoken(asked.curriculum)
    return facts


def _judged(result: Result) -> dict[str, str]:
    return {
        "frames": "held-out frames of every cell, the same for all arms, which no arm has seen",
        "gates": _spoken(result.settings.gates),
        "score": "a cell's largest error over that error's limit, of net force on molecules, "
        "interaction energy, bias of the pressure",
        "intervals": "95 %; bootstrap over frames, the same for all seeds, and over seeds; of "
        "three they hold the truth in about 76 % of cases, of eight in 90 %",
        "pairs": "arms of one seed take the same frames of a cell first; ratios of their errors, "
        "Student's t on logarithms, sign-flip test",
        "no interaction": "a model in which every molecule is alone, on the same frames",
    }


def _spoken(values: Mapping[str, Any]) -> str:
    """Settings in one line, by their names in a study file; what is not set is left out."""
    return ", ".join(
        f"{name} {own if isinstance(own, str) else json.dumps(own)}"
        for name, own in values.items()
        if own not in (None, {}, [])
    )


def _listed(values: Any) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))
