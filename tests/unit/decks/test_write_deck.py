"""The files of a deck."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from lmp_thermo.data_file import Box
from lmp_thermo.decks import write_deck
from lmp_thermo.decks.protocol import THERMOSTATS, Thermostat
from lmp_thermo.errors import DeckError
from lmp_thermo.rendering import template
from lmp_thermo.states import StatePoint
from lmp_thermo.units import density_in_volume
from tests import tolerances
from tests.unit.decks.argon import ARGON, PROTOCOL, argon_box, argon_deck


@pytest.mark.parametrize("thermostat", THERMOSTATS)
def test_same_inputs_give_the_same_bytes(tmp_path: Path, thermostat: Thermostat) -> None:
    first = argon_deck(tmp_path / "first", thermostat=thermostat)
    second = argon_deck(tmp_path / "second of them", thermostat=thermostat)
    names = sorted(path.name for path in first.iterdir())
    assert names == ["README.txt", "data.lmp", "deck.json", "in.lmp"]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_facts(tmp_path: Path) -> None:
    facts = json.loads((argon_deck(tmp_path) / "deck.json").read_text())
    assert (facts["n_atoms"], facts["n_molecules"], facts["molecule_sizes"]) == (27, 27, [1] * 27)
    assert (facts["species"], facts["masses_g_mol"]) == (["Ar"], [39.948])
    assert (facts["temperature_K"], facts["density_g_cm3"]) == (300.0, 1.2)
    assert facts["volume_A3"] == pytest.approx(argon_box().get_volume(), rel=tolerances.ROUND_OFF)
    assert (facts["timestep_fs"], facts["trajectory_every_steps"]) == (4.0, 20)
    assert facts["phases"][1] == {
        "name": "production",
        "first_step": 200,
        "last_step": 1200,
        "first_segment": 1,
    }
    assert facts["n_segments"] == len(facts["segments"]) == 6
    assert facts["segments"][-1] == {
        "index": 5,
        "phase": "nve",
        "first_step": 1200,
        "last_step": 1300,
    }


def test_files_of_the_interaction_come_along(tmp_path: Path) -> None:
    (tmp_path / "potentials").mkdir()
    model = tmp_path / "potentials" / "m.table"
    model.write_text("numbers")
    link = tmp_path / "link.table"
    link.symlink_to(model)
    deck = argon_deck(tmp_path / "deck", interaction=replace(ARGON, files=(model, link)))
    assert (deck / "m.table").samefile(model)
    assert not (deck / "link.table").is_symlink()
    assert (deck / "link.table").read_text() == "numbers"
    argon_deck(deck, interaction=replace(ARGON, files=(model, link)))  # an unused deck, again


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeckError, match=r"cannot be written .*gone.table"):
        argon_deck(tmp_path, interaction=replace(ARGON, files=(Path("gone.table"),)))


def test_data_file_keeps_every_digit(tmp_path: Path) -> None:
    atoms = argon_box(tilt=0.3)
    argon_deck(tmp_path, tilt=0.3)
    lines = (tmp_path / "data.lmp").read_text().splitlines()
    rows = [line.split() for line in lines[lines.index("Atoms  # atomic") + 2 :]]
    assert [row[0] for row in rows] == [str(number) for number in range(1, 28)]
    assert np.array_equal(np.array([row[2:] for row in rows], dtype=float), atoms.positions)


def test_another_reader_understands_the_data_file(tmp_path: Path) -> None:
    atoms = argon_box(tilt=0.3)
    argon_deck(tmp_path, tilt=0.3)
    back = read(tmp_path / "data.lmp", format="lammps-data", atom_style="atomic", units="metal")
    back = back[np.argsort(back.arrays["id"])]
    assert back.positions == pytest.approx(atoms.positions, rel=tolerances.ROUND_OFF)
    assert np.asarray(back.cell) == pytest.approx(
        np.asarray(atoms.cell), rel=tolerances.ROUND_OFF, abs=tolerances.ROUND_OFF
    )
    assert back.get_masses() == pytest.approx(atoms.get_masses())


def test_any_orientation_becomes_lammps_frame() -> None:
    """A turned crystal with three different angles keeps its lengths, angles and distances."""
    rng = np.random.default_rng(3)
    atoms = argon_box(tilt=0.3)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    turned = Atoms(
        atoms.symbols, positions=atoms.positions @ turn, cell=atoms.cell @ turn, pbc=True
    )
    box = Box.of(turned)
    cell = np.array(
        [
            [box.lengths[0], 0, 0],
            [box.tilts[0], box.lengths[1], 0],
            [box.tilts[1], box.tilts[2], box.lengths[2]],
        ]
    )
    assert cell == pytest.approx(np.asarray(atoms.cell), abs=1e3 * tolerances.ROUND_OFF)
    assert box.positions == pytest.approx(atoms.positions, abs=1e3 * tolerances.ROUND_OFF)


@pytest.mark.parametrize(("tilt", "asked"), [(0.0, False), (0.3, False), (0.7, True)])
def test_strong_tilts_are_announced(tmp_path: Path, tilt: float, asked: bool) -> None:
    argon_deck(tmp_path, tilt=tilt)
    assert ("box tilt large" in (tmp_path / "in.lmp").read_text()) is asked
    assert ("xy xz yz" in (tmp_path / "data.lmp").read_text()) is (tilt != 0)


def test_species_without_atoms_keep_their_type(tmp_path: Path) -> None:
    """The order of types is the interaction's, whatever the box holds."""
    mixed = replace(
        ARGON, name="mixture", species=("Ne", "Ar", "Kr"), masses_g_mol=(20.18, 39.948, 83.8)
    )
    atoms = Atoms("KrAr2", positions=[[1, 1, 1], [5, 5, 5], [1, 5, 1]], cell=[9.0] * 3, pbc=True)
    state = StatePoint(density_in_volume(83.8 + 2 * 39.948, 729.0), 300.0)
    write_deck(tmp_path, atoms, [1, 1, 1], state, mixed, PROTOCOL)
    lines = (tmp_path / "data.lmp").read_text().splitlines()
    start = lines.index("Atoms  # atomic") + 2
    assert [line.split()[1] for line in lines[start:]] == ["3", "2", "2"]
    assert "3 atom types" in lines


def test_no_keyword_of_ours(tmp_path: Path) -> None:
    """The pair commands stand in the deck as they were given, and newton can be switched."""
    text = (argon_deck(tmp_path) / "in.lmp").read_text()
    assert "\n".join(ARGON.pair_lines) in text
    assert "variable newton index on" in text
    assert "plugin" not in text
    assert "python" not in text


def test_templates_refuse_what_is_not_given() -> None:
    with pytest.raises(Exception, match="is undefined"):
        template("lammps/in.lmp.j2").render()
