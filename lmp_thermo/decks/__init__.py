"""LAMMPS input folders that run without Python: one for each state point."""

from lmp_thermo.decks.protocol import Guards, Phase, Protocol, Schedule, Segment
from lmp_thermo.decks.write import write_deck

__all__ = ["Guards", "Phase", "Protocol", "Schedule", "Segment", "write_deck"]
