"""Cards are written once and read as hostile."""

import json
from pathlib import Path

import pytest

from lmp_thermo.errors import PotentialError
from lmp_thermo.potential.card import (
    CARD,
    MAX_CARD_BYTES,
    MODEL,
    Card,
    read_card,
    read_final_envelope,
    write_card,
    write_final_envelope,
)
from lmp_thermo.potential.envelope import (
    ENVELOPE,
    Cell,
    Envelope,
    FinalEnvelope,
    TrainingCoordination,
)
from lmp_thermo.potential.interaction import lammps_interaction
from lmp_thermo.products import hash_of_file
from lmp_thermo.states import StatePoint


def cells(**rows: str) -> list[Cell]:
    """Cells by temperature: ``T200="0.1+ 0.2-"`` passed at 0.1 and failed at 0.2 g/cm3."""
    return [
        Cell(
            density_g_cm3=float(cell[:-1]),
            temperature_K=float(name[1:]),
            passed=cell[-1] == "+",
            neighbours=30 * float(cell[:-1]),
        )
        for name, row in rows.items()
        for cell in row.split()
    ]


# A grid as methane's: below the critical temperature only the liquid, since the rest is two phases.
GRID = cells(
    T140="0.38+ 0.42+",
    T200="0.01+ 0.05+ 0.15+ 0.25+ 0.35+ 0.42+",
    T300="0.01+ 0.05- 0.15+ 0.25+ 0.35+ 0.42+",
    T400="0.01+ 0.05+ 0.15+ 0.25+ 0.35+ 0.42-",
)


def coordination(unseen: tuple[int, ...] = ()) -> TrainingCoordination:
    return TrainingCoordination(
        cutoff_A=5.6,
        half_width_A=0.25,
        source="first minimum of g(r)",
        probability=[0.0 if k in unseen else 0.05 for k in range(14)],
        hard={"0.5": 6.0},
        smooth={"0.5": 6.1},
        rare=0.01,
    )


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
                status="provisional",
                cells=GRID,
                coordination=coordination(),
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
    ("density", "temperature"),
    [
        (0.2, 200.0),  # between two cells
        (0.15, 300.0),  # on a cell beside a failed one
        (0.15 * (1 + 1e-12), 300.0),
        (0.4, 170.0),  # liquid between a short row and a long one
        (0.38, 140.0),
        (0.2, 350.0),
        (0.35, 400.0),
    ],
)
def test_inside(folder: Path, density: float, temperature: float) -> None:
    assert read_card(folder).outside(StatePoint(density, temperature)) == []


@pytest.mark.parametrize(
    ("density", "temperature", "reasons"),
    [
        (0.2, 130.0, ["temperature 130 K is outside 140 to 400 K"]),
        (0.2, 401.0, ["temperature 401 K is outside 140 to 400 K"]),
        (0.5, 200.0, ["density 0.5 g/cm3 is outside 0.01 to 0.42 g/cm3, the row at 200 K"]),
        # the two-phase dome: inside the box around all cells, in no row below 200 K
        (0.2, 140.0, ["density 0.2 g/cm3 is outside 0.38 to 0.42 g/cm3, the row at 140 K"]),
        (0.2, 170.0, ["density 0.2 g/cm3 is outside 0.38 to 0.42 g/cm3, the row at 140 K"]),
        (0.05, 300.0, ["the cell at 0.05 g/cm3, 300 K did not pass"]),
        (0.1, 300.0, ["the cell at 0.05 g/cm3, 300 K did not pass"]),
        (0.02, 250.0, ["the cell at 0.05 g/cm3, 300 K did not pass"]),
        (
            0.005,
            350.0,
            [
                f"density 0.005 g/cm3 is outside 0.01 to 0.42 g/cm3, the row at {t} K"
                for t in (300, 400)
            ],
        ),
        (0.4, 400.0, ["the cell at 0.42 g/cm3, 400 K did not pass"]),
    ],
)
def test_outside(folder: Path, density: float, temperature: float, reasons: list[str]) -> None:
    assert read_card(folder).outside(StatePoint(density, temperature)) == reasons


def test_environments_that_training_lacks_are_outside() -> None:
    row = cells(T200="0.1+ 0.4+")  # 3 and 12 neighbours
    seen = Envelope(status="provisional", cells=row, coordination=coordination())
    assert seen.outside(StatePoint(0.2, 200.0)) == []
    gap = Envelope(status="provisional", cells=row, coordination=coordination((5, 6, 7)))
    assert gap.outside(StatePoint(0.2, 200.0)) == [
        "about 6.0 neighbours within 5.60 Å are expected at 0.2 g/cm3, 200 K, and fewer than 1% "
        "of the molecules in training have so many"
    ]
    assert gap.outside(StatePoint(0.3, 200.0)) == []
    # A cell that passed is right, whatever training had; what is not known is not asked for.
    assert gap.outside(StatePoint(0.1, 200.0)) == []
    unknown = Envelope(status="provisional", cells=row)
    assert unknown.outside(StatePoint(0.2, 200.0)) == []
    blank = [cell.model_copy(update={"neighbours": None}) for cell in row]
    without = Envelope(status="provisional", cells=blank, coordination=coordination((5, 6, 7)))
    assert without.outside(StatePoint(0.2, 200.0)) == []
    beyond = cells(T200="0.4+ 0.6+")  # 12 and 18 neighbours, more than any molecule in training has
    dense = Envelope(status="provisional", cells=beyond, coordination=coordination())
    assert "about 15.0 neighbours" in dense.outside(StatePoint(0.5, 200.0))[0]


def test_nothing_passed() -> None:
    envelope = Envelope(status="provisional", cells=cells(T200="0.1- 0.4-"))
    assert envelope.outside(StatePoint(0.2, 200.0)) == ["no cell passed, so nothing is covered"]
    assert Envelope(status="final", cells=[]).outside(StatePoint(0.2, 200.0))


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
        ("format", 1, "format: input should be 2"),
        ("extra", 1, "extra: extra inputs are not permitted"),
        ("ex\x1b[2J\ntra", 1, r"json: ex\?\[2J\?tra: extra inputs are not permitted; expected a"),
    ],
)
def test_hostile_cards(folder: Path, key: str, value: object, message: str) -> None:
    card = json.loads((folder / CARD).read_text())
    card[key] = value
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(PotentialError, match=message):
        read_card(folder)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("cells", [{"density_g_cm3": 0.1, "temperature_K": "200"}], "temperature_K: input should"),
        ("cells", [GRID[0].model_dump()] * 2, "envelope: value error, a cell is named twice"),
        ("cells", [GRID[0].model_dump()] * 10_001, "cells: list should have at most 10000 items"),
        ("status", "certain", "status: input should be 'provisional' or 'final'"),
        ("coordination", {"cutoff_A": 5.0}, "coordination.half_width_A: field required"),
    ],
)
def test_hostile_envelopes(folder: Path, key: str, value: object, message: str) -> None:
    card = json.loads((folder / CARD).read_text())
    card["envelope"][key] = value
    (folder / CARD).write_text(json.dumps(card))
    with pytest.raises(PotentialError, match=message):
        read_card(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "cannot be read .*; expected a card"),
        ('{"r_max_A": ' + "9" * 5000 + "}", "cannot be read .*; expected a card"),
        (" " * (MAX_CARD_BYTES + 1), "larger than 5000000 bytes; not a card"),
        ("\xff", "card.json: .*; expected a card"),
    ],
)
def test_what_is_no_card(folder: Path, text: str, message: str) -> None:
    (folder / CARD).write_bytes(text.encode("latin-1"))
    with pytest.raises(PotentialError, match=message):
        read_card(folder)


def test_no_card(tmp_path: Path) -> None:
    with pytest.raises(PotentialError, match=r"card\.json: cannot be read"):
        read_card(tmp_path)


def test_a_final_envelope_belongs_to_its_model(folder: Path, tmp_path: Path) -> None:
    card = read_card(folder)
    validation = tmp_path / "validation"
    validation.mkdir()
    final = Envelope(status="final", cells=cells(T200="0.1+ 0.2+"))
    write_final_envelope(validation, FinalEnvelope(model_sha256=card.model_sha256, envelope=final))
    assert read_final_envelope(validation, card) == final
    other = card.model_copy(update={"model_sha256": "0" * 64})
    with pytest.raises(PotentialError, match="of another model than the card's"):
        read_final_envelope(validation, other)
    written = json.loads((validation / ENVELOPE).read_text())
    written["envelope"]["status"] = "provisional"
    (validation / ENVELOPE).write_text(json.dumps(written))
    with pytest.raises(PotentialError, match="the envelope is not final; expected an envelope"):
        read_final_envelope(validation, card)
