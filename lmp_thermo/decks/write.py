"""Writing a deck: a folder that plain LAMMPS runs, with no Python."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ase import Atoms

from lmp_thermo.data_file import Box, data_text
from lmp_thermo.decks.checks import check_density, check_molecules, check_names, check_species
from lmp_thermo.decks.protocol import Protocol, Schedule
from lmp_thermo.errors import DeckError
from lmp_thermo.interaction import Interaction
from lmp_thermo.products import hash_of_file, write_json, write_text
from lmp_thermo.rendering import template
from lmp_thermo.states import StatePoint
from lmp_thermo.units import density_in_volume

SKIN_A = 1.0
"""Neighbour skin; larger costs a model evaluations of pairs that do not interact."""

MINIMIZE_FORCE_EV_A = 0.05
MINIMIZE_STEPS = 200
"""A packed box needs its overlaps gone, not its minimum found."""

NOT_A_NUMBER = 1.0e300
"""What the guard on the energy reports for an energy that is not a number."""

LARGEST_RANDOM_SEED = 900_000_000
"""LAMMPS's limit (RanMars)."""

SEED_STRIDE = 10007
"""Between segments; LAMMPS adds the rank to a seed, so neighbours must be far apart."""

MOST_SEGMENTS = LARGEST_RANDOM_SEED // 2 // SEED_STRIDE

DECK_FILES = ("in.lmp", "data.lmp", "deck.json", "README.txt")


def write_deck(
    folder: Path,
    atoms: Atoms,
    molecule_sizes: Sequence[int],
    state: StatePoint,
    interaction: Interaction,
    protocol: Protocol,
) -> None:
    """Write ``in.lmp``, ``data.lmp``, ``deck.json``, ``README.txt`` and the interaction's files.

    The same arguments give the same bytes.

    Args:
        folder: made if it is not there; must not hold a run.
        atoms: whole molecules one after another, in a periodic box at the state's density.
        molecule_sizes: atoms of each molecule.
        state: density and temperature of the run.
        interaction: what makes the atoms interact.
        protocol: how the deck is run.

    Raises:
        DeckError: the arguments disagree, or the folder cannot be written.
    """
    check_names(interaction)
    check_species(atoms, interaction)
    check_density(atoms, interaction, state)
    check_molecules(atoms, molecule_sizes)
    if protocol.guards.max_temperature_K <= state.temperature_K:
        raise DeckError(
            f"protocol: guards.max_temperature_K = {protocol.guards.max_temperature_K:g} at a "
            f"state point of {state.temperature_K:g} K; expected a limit above it"
        )
    schedule = Schedule.of(protocol)
    if len(schedule.segments) > MOST_SEGMENTS:
        raise DeckError(
            f"protocol: segment_ps = {protocol.segment_ps:g} makes {len(schedule.segments)} "
            f"segments; expected at most {MOST_SEGMENTS}; raise it"
        )
    box = Box.of(atoms)
    names = {*DECK_FILES, *(path.name for path in interaction.files)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        other = sorted(path.name for path in folder.iterdir() if path.name not in names)
        if other:
            raise DeckError(
                f"{folder}: holds {other[0]}; expected an empty folder or an old deck that was "
                "never run; remove it"
            )
        title = f"{interaction.name}: {len(molecule_sizes)} molecules at {state}"
        write_text(folder / "data.lmp", data_text(title, atoms, box, interaction))
        for path in interaction.files:
            place_file(path, folder / path.name)
        values = template_values(
            n_atoms=len(atoms),
            n_molecules=len(molecule_sizes),
            state=state,
            interaction=interaction,
            protocol=protocol,
            schedule=schedule,
        )
        values["tilt_large"] = box.is_strongly_tilted
        write_text(folder / "README.txt", template("lammps/README.txt.j2").render(values))
        write_json(
            folder / "deck.json",
            deck_facts(
                atoms=atoms,
                molecule_sizes=molecule_sizes,
                state=state,
                interaction=interaction,
                protocol=protocol,
                schedule=schedule,
            ),
        )
        write_text(folder / "in.lmp", template("lammps/in.lmp.j2").render(values))
    except OSError as error:
        raise DeckError(f"{folder}: cannot be written ({error})") from error


def place_file(source: Path, target: Path) -> None:
    """Hard-link a file into a deck, or copy it where the file system cannot."""
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def template_values(
    *,
    n_atoms: int,
    n_molecules: int,
    state: StatePoint,
    interaction: Interaction,
    protocol: Protocol,
    schedule: Schedule,
) -> dict[str, Any]:
    """What the templates of a deck are filled in with."""
    base = protocol.seed % (LARGEST_RANDOM_SEED // 2) + 1
    return {
        "interaction": interaction,
        "n_atoms": n_atoms,
        "n_molecules": n_molecules,
        "density": repr(float(state.density_g_cm3)),
        "temperature": repr(float(state.temperature_K)),
        "skin_A": SKIN_A,
        "timestep_fs": f"{protocol.timestep_fs:g}",
        "timestep_ps": f"{protocol.timestep_fs / 1000:.15g}",
        "thermo_every": schedule.thermo_every,
        "trajectory_every": schedule.trajectory_every,
        "segment_steps": schedule.segment_steps,
        "phases": schedule.phases,
        "guards": protocol.guards,
        "not_a_number": NOT_A_NUMBER,
        "minimize": protocol.minimize,
        "minimize_force": MINIMIZE_FORCE_EV_A,
        "minimize_steps": MINIMIZE_STEPS,
        "velocity_seed": base,
        "thermostat": protocol.thermostat,
        "damping_ps": repr(float(protocol.thermostat_damping_ps)),
        "seed_stride": SEED_STRIDE,
    }


def deck_facts(
    *,
    atoms: Atoms,
    molecule_sizes: Sequence[int],
    state: StatePoint,
    interaction: Interaction,
    protocol: Protocol,
    schedule: Schedule,
) -> dict[str, Any]:
    """What ``deck.json`` says."""
    masses = dict(zip(interaction.species, interaction.masses_g_mol, strict=True))
    volume = float(atoms.get_volume())
    return {
        "interaction": interaction.name,
        "lines": list(interaction.lines),
        "files": {path.name: hash_of_file(path) for path in interaction.files},
        "n_atoms": len(atoms),
        "n_molecules": len(molecule_sizes),
        "molecule_sizes": [int(size) for size in molecule_sizes],
        "species": list(interaction.species),
        "symbols": list(atoms.symbols),
        "masses_g_mol": [float(mass) for mass in interaction.masses_g_mol],
        "temperature_K": float(state.temperature_K),
        "density_g_cm3": float(state.density_g_cm3),
        "box_density_g_cm3": density_in_volume(sum(masses[s] for s in atoms.symbols), volume),
        "volume_A3": volume,
        "protocol": asdict(protocol),
        "timestep_fs": float(protocol.timestep_fs),
        "trajectory_every_steps": schedule.trajectory_every,
        "thermo_every_steps": schedule.thermo_every,
        "segment_steps": schedule.segment_steps,
        "last_step": schedule.last_step,
        "phases": [asdict(phase) for phase in schedule.phases],
        "n_segments": len(schedule.segments),
        "segments": [asdict(segment) for segment in schedule.segments],
    }
