"""How groups of arms are named and drawn: colours mean designs, dashes and symbols the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from lmp_thermo.report.style import DASHES, MARKERS, Dashes, short

TITLES = {
    "none": "No diversity",
    "temperature": "Temperature-diverse",
    "density": "Density-diverse",
    "grid": "Full grid",
    "adaptive": "Adaptive",
    "clusters": "Clusters only",
    "condensed": "Condensed only",
    "pool": "Whole pool",
    "no-interaction": "No interaction",
    "teacher": "Teacher",
}

MODELS = {
    "none": "models without diversity",
    "temperature": "temperature-diverse models",
    "density": "density-diverse models",
    "grid": "full-grid models",
    "adaptive": "adaptive models",
    "clusters": "models of clusters only",
    "condensed": "models of condensed phases only",
    "pool": "models of the whole pool",
}
"""In a sentence."""

COLOURS = {
    "none": "#6b727c",
    "temperature": "#d95f02",
    "density": "#1b6ca8",
    "grid": "#4d9221",
    "adaptive": "#762a83",
    "clusters": "#b8860b",
    "condensed": "#c51b7d",
    "pool": "#1f2328",
}
WORDS = {"plain": "plain loss", "distil": "student"}
OTHER_COLOURS = ("#01665e", "#8c510a", "#35978f", "#9e9ac8")


@dataclass(frozen=True)
class GroupStyle:
    """Of a group's lines and points."""

    colour: str
    dashes: Dashes
    marker: str


def group_title(name: str) -> str:
    """``density-plain`` is ``Density-diverse, plain loss``; what is not known stays as it is."""
    if name in TITLES:
        return TITLES[name]
    design, *more = name.split("-")
    if design not in TITLES:
        return short(name)
    return short(", ".join([TITLES[design], *(_word(part) for part in more)]))


def models_of(name: str) -> str:
    """``density-plain`` is ``density-diverse models with plain loss``; for a sentence."""
    design, *more = name.split("-")
    if design not in MODELS:
        return short(name)
    models = MODELS[design].replace("models", "students") if "distil" in more else MODELS[design]
    return " with ".join([models, *(_word(part) for part in more if part != "distil")])


def budget_of(name: str) -> str:
    """The part of a group's name that tells its budget; empty for the comparison's own."""
    return next((part for part in name.split("-") if _is_number(part)), "")


def drawn_together(names: Sequence[str]) -> list[str]:
    """Groups that share a figure: fixed designs with the comparison's budget, adaptive with any."""
    return [n for n in names if not budget_of(n) or n.startswith("adaptive")]


def _word(part: str) -> str:
    if part in WORDS:
        return WORDS[part]
    return f"budget {part}" if _is_number(part) else part


def _is_number(part: str) -> bool:
    return part.replace(".", "", 1).isdigit()


def group_styles(names: Sequence[str]) -> dict[str, GroupStyle]:
    """Styles of all groups of a figure."""
    designs, variants = {}, {}
    for name in names:
        design, _, variant = name.partition("-")
        if design not in COLOURS:
            design, variant = name, ""
        designs[name], variants[name] = design, variant
    others = [design for design in dict.fromkeys(designs.values()) if design not in COLOURS]
    colours = COLOURS | {
        own: OTHER_COLOURS[place % len(OTHER_COLOURS)] for place, own in enumerate(others)
    }
    order = list(dict.fromkeys(variants.values()))
    return {
        name: GroupStyle(
            colours[designs[name]],
            DASHES[order.index(variants[name]) % len(DASHES)],
            MARKERS[order.index(variants[name]) % len(MARKERS)],
        )
        for name in names
    }
