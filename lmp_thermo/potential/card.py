"""The card of an exported potential: what it is, what it came from, where it may be trusted.

It is written once, at export, and never edited afterwards; a validation has an envelope of its
own. Both are read as hostile where they come from others: strict types, bounded sizes, and the
model file must have the hash that they name.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from lmp_thermo.errors import PotentialError
from lmp_thermo.potential.envelope import (
    ENVELOPE,
    Envelope,
    FinalEnvelope,
    Part,
    Positive,
    Sha256,
    Short,
)
from lmp_thermo.products import hash_of_file, write_text
from lmp_thermo.states import StatePoint

CARD = "card.json"
MODEL = "model.nequip.pth"
COMPILED = "model.nequip.pt2"
MAX_CARD_BYTES = 5_000_000

Symbol = Annotated[str, Field(pattern=r"^[A-Z][a-z]?$")]

Read = TypeVar("Read", bound=Part)


class Card(Part):
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
        reference: name and definition of what the cells were judged by, and the labels' source
            unless `training` names a teacher.
        elemental_references_eV: energy of each species that the model adds.
        training: counts, hashes and settings of the training.
        versions: of the packages.
        cells: errors and verdicts on held-out labelled frames, by state point.
        envelope: see there; None where nothing is known (a checkpoint from elsewhere).
    """

    format: Literal[2] = 2
    name: Short
    units: Literal["metal"] = "metal"
    species: list[Symbol] = Field(min_length=1, max_length=100)
    masses_g_mol: list[Positive]
    r_max_A: Positive
    model_dtype: Literal["float32", "float64"]
    model_sha256: Sha256
    compiled_sha256: Sha256 | None = None
    reference: dict[str, Any] = Field(default_factory=dict)
    elemental_references_eV: dict[Symbol, float] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    cells: dict[Short, dict[str, Any]] = Field(default_factory=dict)
    envelope: Envelope | None = None

    def outside(self, state: StatePoint) -> list[str]:
        """Why a state point is not covered; empty where it lies inside the envelope."""
        if self.envelope is None:
            return ["the card has no envelope: nothing is known of where the potential holds"]
        return self.envelope.outside(state)


def write_card(folder: Path, card: Card) -> None:
    """Write ``card.json``."""
    write_text(folder / CARD, card.model_dump_json(indent=1) + "\n")


def read_card(folder: Path) -> Card:
    """Read and check the card of an exported potential.

    Raises:
        PotentialError: missing, not a card, or the model file is not the one it was written for.
    """
    path = folder / CARD
    card = _read(path, Card, "a card written by `lmp-thermo export`")
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


def write_final_envelope(folder: Path, final: FinalEnvelope) -> None:
    """Write ``envelope.json``."""
    write_text(folder / ENVELOPE, final.model_dump_json(indent=1) + "\n")


def read_final_envelope(folder: Path, card: Card) -> Envelope:
    """Read and check the envelope of a validation.

    Args:
        folder: of the validation.
        card: of the potential that was validated.

    Raises:
        PotentialError: missing, not an envelope, or of another model.
    """
    path = folder / ENVELOPE
    final = _read(path, FinalEnvelope, "an envelope written by `lmp-thermo validate`")
    if final.model_sha256 != card.model_sha256:
        raise PotentialError(
            f"{path}: of another model than the card's (SHA-256 differs); give the validation of "
            "this potential"
        )
    return final.envelope


def _read(path: Path, kind: type[Read], expected: str) -> Read:
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_CARD_BYTES + 1)
        if len(text) > MAX_CARD_BYTES:
            raise PotentialError(f"{path}: larger than {MAX_CARD_BYTES} bytes; not {expected}")
        return kind.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        # Keys of a stranger's file go to a terminal: one line, nothing but text.
        where = "".join(c if c.isprintable() else "?" for c in where)[:100]
        message = first["msg"].lower()
        raise PotentialError(f"{path}: {where}: {message}; expected {expected}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise PotentialError(f"{path}: cannot be read ({error}); expected {expected}") from None
