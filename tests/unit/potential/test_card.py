"""Cards are written once and read as hostile."""

import json
from pathlib import Path

import pytest

from lmp_thermo.errors import PotentialError
from lmp_thermo.potential.card import CARD, MODEL, Card, Envelope, read_card, write_card
from lmp_thermo.potential.interaction import lammps_interaction
from lmp_thermo.products import hash_of_file
from lmp_thermo.states import StatePoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / MODEL).write_bytes(b"a model")
    write_card(
        tmp_path,
        Card(
            name="own",
            species=["C", "H"],
            masses_g_mol=[12.011, 1.008],
            r_max_A=5.0,
            model_dtype="float32",
            model_sha256=hash_of_file(tmp_path / MODEL),
            envelope=Envelope(
                density_g_cm3=[0.01, 0.42],
                temperature_K=[200.0, 400.0],
                failed_cells=[[0.15, 300.0]],
                shortest_distance_A={"C-H": 0.9},
            ),
        ),
    )
    return tmp_path


def test_what_decks_see(folder: Path) -> None:
    interaction = lammps_interaction(folder)
    assert interaction.pair_lines == ("pair_style nequip", f"pair_coeff * * {MODEL} C H")
    assert interaction.masses_g_mol == (12.011, 1.008)
    assert interaction.files == (folder / MODEL,)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (StatePoint(0.2, 300.0), None),
        (StatePoint(0.42, 400.0), None),
        (StatePoint(0.5, 300.0), r"density 0\.5 g/cm3 is outside 0\.01 to 0\.42"),
        (StatePoint(0.2, 150.0), "temperature 150 K is outside"),
        (StatePoint(0.15, 300.0), "did not pass on held-out frames"),
    ],
)
def test_envelope(folder: Path, state: StatePoint, reason: str | None) -> None:
    import re

    reasons = read_card(folder).outside(state)
    assert len(reasons) == (reason is not None)
    if reason is not None:
        assert re.search(reason, reasons[0])


def test_a_card_without_an_envelope_covers_nothing(folder: Path) -> None:
    card = read_card(folder).model_copy(update={"envelope": None})
    assert "no envelope" in card.outside(StatePoint(0.2, 300.0))[0]


def test_another_model_is_refused(folder: Path) -> None:
    (folder / MODEL).write_bytes(b"another")
    with pytest.raises(PotentialError, match="not the file that the card was written for"):
        read_card(folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("species", ["C; shell rm"], r"species\.0: string should match pattern"),
        ("species", ["C"], "2 masses, expected 1"),
        ("r_max_A", -1.0, "r_max_A: input should be greater than 0"),
        ("format", 2, "format: input should be 1"),
        ("extra", 1, "extra: extra inputs are not permitted"),
    ],
)
def test_hostile_cards(folder: Path, key: str, value: object, message: str) -> None:
    card = json.loads((folder / CARD).read_text())
    card[key] = value
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(PotentialError, match=message):
        read_card(folder)


def test_no_card(tmp_path: Path) -> None:
    with pytest.raises(PotentialError, match="no readable card"):
        read_card(tmp_path)
