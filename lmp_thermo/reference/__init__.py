"""Where energies come from: ASE calculators and LAMMPS force fields, and labelling with them."""

from lmp_thermo.reference.base import AloneLabel, Label, Reference, build_reference
from lmp_thermo.reference.labelling import LabelFailure, Labeller
from lmp_thermo.reference.lammps_force_field import find_files

__all__ = [
    "AloneLabel",
    "Label",
    "LabelFailure",
    "Labeller",
    "Reference",
    "build_reference",
    "find_files",
]
