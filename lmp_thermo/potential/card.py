"""The card of an exported potential: what it is, what it came from, where it may be trusted.

It is written once, at export, and never edited afterwards. Cards of others are read as hostile:
strict types, bounded sizes, and the model file must have the hash that the card names.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lmp_thermo.errors import PotentialError
from lmp_thermo.products import hash_of_file, write_text
from lmp_thermo.states import StatePoint

CARD = "card.json"
MODEL = "model.nequip.pth"
COMPILED = "model.nequip.pt2"
MAX_CARD_BYTES = 5_000_000

Symbol = Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Short = Annotated[str, Field(max_length=500)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=())


class Envelope(_Part):
    """The region in which the potential was found right, as far as is known at export.

    Args:
        status: ``provisional`` at export.
        density_g_cm3: lowest and highest density of cells that passed.
        temperature_K: lowest and highest temperature of cells that passed.
        failed_cells: (density, temperature) of cells inside it that did not pass.
        shortest_distance_A: by pair of species, shortest distance in the training frames.
    """

    status: Literal["provisional"] = "provisional"
    density_g_cm3: list[Positive] = Field(max_length=2)
    temperature_K: list[Positive] = Field(max_length=2)
    failed_cells: list[list[Positive]]
    shortest_distance_A: dict[Short, Positive]


class Card(_Part):
    """See the module.

    Args:
        format: version of this layout.
        name: what decks call the potential.
        species: chemical symbols in the order of the model's types.
        masses_g_mol: a mass for each species.
        r_max_A: cutoff of an edge.
        model_dtype: precision inside the model.
        model_sha256: of the model file.
        compiled_sha256: of the file compiled ahead of time; None where there is none.
        reference: name and definition of where the labels came from.
        elemental_references_eV: energy of each species that the model adds.
        training: counts, hashes and settings of the training.
        versions: of the packages.
        cells: errors and verdicts on held-out labelled frames, by state point.
        envelope: see there; None where nothing is known (a checkpoint from elsewhere).
    """

    format: Literal[1] = 1
    name: Short
    units: Literal["metal"] = "metal"
    species: list[Symbol] = Field(min_length=1, max_length=100)
    masses_g_mol: list[Positive]
    r_max_A: Positive
    model_dtype: Literal["float32", "float64"]
    model_sha256: Hash
    compiled_sha256: Hash | None = None
    reference: dict[str, Any] = {}
    elemental_references_eV: dict[Symbol, float] = {}
    training: dict[str, Any] = {}
    versions: dict[str, str] = {}
    cells: dict[Short, dict[str, Any]] = {}
    envelope: Envelope | None = None

    def outside(self, state: StatePoint) -> list[str]:
        """Why a state point is not covered; empty where it lies inside the envelope."""
        if self.envelope is None:
            return ["the card has no envelope: nothing is known of where the potential holds"]
        reasons = []
        for name, value, bounds, unit in (
            ("density", state.density_g_cm3, self.envelope.density_g_cm3, "g/cm3"),
            ("temperature", state.temperature_K, self.envelope.temperature_K, "K"),
        ):
            if len(bounds) != 2:
                reasons.append(f"no cell passed at export, so no {name} is covered")
            elif not bounds[0] <= value <= bounds[1]:
                reasons.append(
                    f"{name} {value:g} {unit} is outside {bounds[0]:g} to {bounds[1]:g} {unit}"
                )
        if [state.density_g_cm3, state.temperature_K] in self.envelope.failed_cells:
            reasons.append("the cell did not pass on held-out frames at export")
        return reasons


def write_card(folder: Path, card: Card) -> None:
    """Write ``card.json``."""
    write_text(folder / CARD, card.model_dump_json(indent=1) + "\n")


def read_card(folder: Path) -> Card:
    """Read and check the card of an exported potential.

    Raises:
        PotentialError: missing, not a card, or the model file is not the one it was written for.
    """
    path = folder / CARD
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            raise PotentialError(f"{path}: larger than {MAX_CARD_BYTES} bytes; not a card")
        card = Card.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise PotentialError(
            f"{path}: {key}: {first['msg'].lower()}; expected a card written by `lmp-thermo export`"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise PotentialError(
            f"{path}: no readable card ({error}); expected the folder of an exported potential"
        ) from None
    if len(card.masses_g_mol) != len(card.species):
        raise PotentialError(
            f"{path}: {len(card.masses_g_mol)} masses, expected {len(card.species)}"
        )
    for name, sha256 in ((MODEL, card.model_sha256), (COMPILED, card.compiled_sha256)):
        model = folder / name
        if sha256 and (not model.is_file() or hash_of_file(model) != sha256):
            raise PotentialError(
                f"{model}: missing, or not the file that the card was written for (SHA-256 "
                "differs); get the potential again"
            )
    return card
