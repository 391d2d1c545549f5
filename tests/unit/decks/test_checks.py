"""What a deck refuses, message by message."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms

from lmp_thermo.decks import write_deck
from lmp_thermo.errors import DeckError
from lmp_thermo.states import StatePoint
from lmp_thermo.units import density_in_volume
from tests.unit.decks.argon import ARGON, PROTOCOL, STATE, argon_box, argon_deck


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"species": ("A r",)}, "species name 'A r'; expected letters"),
        ({"species": ("Ar$x",)}, "species name 'Ar[$]x'; expected letters"),
        ({"files": (Path("my model.pth"),)}, "file name 'my model.pth'; expected letters"),
        ({"files": (Path("a&b"),)}, "file name 'a&b'; expected letters"),
        ({"files": (Path("-in"),)}, "file name '-in'; expected letters"),
        ({"files": (Path("a/m.pth"), Path("b/m.pth"))}, "expected each name once"),
        ({"pair_lines": ("shell rm x",)}, "pair command 'shell rm x'; expected pair_style"),
        ({"pair_lines": ("pair_style $x",)}, "pair command 'pair_style [$]x'; expected"),
        ({"pair_lines": ("pair_style lj/cut 5 &",)}, "without quotes"),
        ({"pair_lines": ("pair_style lj/cut 5\nquit",)}, "on one line"),
        ({"name": "argon $(x)"}, "expected a name without"),
        ({"name": "argon\nquit"}, "expected a name without"),
        ({"species": ("Ne",)}, "the box holds Ar, but the interaction knows Ne only"),
        ({"species": ("Ar", "Ne")}, "2 species and 1 masses; expected a mass for each"),
        ({"species": ("Ar", "Ar"), "masses_g_mol": (1.0, 1.0)}, "Ar Ar; expected each once"),
        ({"masses_g_mol": (39.5,)}, "mass of Ar is 39.5 g/mol, but 39.948 g/mol in the box"),
    ],
)
def test_interactions_that_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeckError, match=message):
        argon_deck(tmp_path / "deck", interaction=replace(ARGON, **changes))
    assert not (tmp_path / "deck").exists()


def test_density_must_be_the_state_points(tmp_path: Path) -> None:
    with pytest.raises(DeckError, match=r"the box has 1.2 g/cm3; expected the state point's 1.21"):
        write_deck(tmp_path, argon_box(), [1] * 27, StatePoint(1.21, 300.0), ARGON, PROTOCOL)


@pytest.mark.parametrize("sizes", [[1] * 26, [1] * 28, [0, *[1] * 27]])
def test_sizes_must_add_up(tmp_path: Path, sizes: list[int]) -> None:
    with pytest.raises(DeckError, match="expected sizes of at least 1 that add up"):
        write_deck(tmp_path, argon_box(), sizes, STATE, ARGON, PROTOCOL)


def test_positions_must_be_numbers(tmp_path: Path) -> None:
    atoms = argon_box()
    atoms.positions[3, 1] = np.nan
    with pytest.raises(DeckError, match="a position in the box is not a number"):
        write_deck(tmp_path, atoms, [1] * 27, STATE, ARGON, PROTOCOL)


@pytest.mark.parametrize(
    ("pbc", "cell_sign"), [([True, True, False], 1), (True, -1)], ids=["slab", "left-handed"]
)
def test_box_must_be_periodic_and_right_handed(tmp_path: Path, pbc: Any, cell_sign: int) -> None:
    atoms = argon_box()
    atoms.set_cell(np.asarray(atoms.cell)[:, [0, 1, 2]] * [[1], [1], [cell_sign]])
    atoms.pbc = pbc
    with pytest.raises(DeckError, match="expected a right-handed box, periodic in x, y, z"):
        write_deck(tmp_path, atoms, [1] * 27, STATE, ARGON, PROTOCOL)


def test_limit_below_the_temperature_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeckError, match="max_temperature_K = 3000 at a state point of 3000 K"):
        argon_deck(tmp_path, state=StatePoint(1.2, 3000.0))


def test_too_many_segments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DeckError, match="makes 50015 segments; expected at most 44968"):
        argon_deck(tmp_path, segment_ps=0.08, production_ps=4000.0)


def chain(whole: bool) -> Atoms:
    """A chain of four atoms longer than half the box, across its boundary."""
    positions = np.array([[8.0 + 1.5 * k, 5.0, 5.0] for k in range(4)])
    atoms = Atoms("Ar4", positions=positions, cell=[10.0] * 3, pbc=True)
    atoms.set_masses([39.948] * 4)
    if not whole:
        atoms.wrap()
    return atoms


def test_molecules_must_be_whole(tmp_path: Path) -> None:
    state = StatePoint(density_in_volume(4 * 39.948, 1000.0), 300.0)
    write_deck(tmp_path / "whole", chain(whole=True), [4], state, ARGON, PROTOCOL)
    with pytest.raises(DeckError, match="molecule 0 is cut by a boundary of the box"):
        write_deck(tmp_path / "cut", chain(whole=False), [4], state, ARGON, PROTOCOL)


def test_a_folder_that_holds_a_run_is_refused(tmp_path: Path) -> None:
    argon_deck(tmp_path)
    (tmp_path / "log.lammps").write_text("")
    with pytest.raises(DeckError, match=r"holds log.lammps; expected an empty folder"):
        argon_deck(tmp_path)
