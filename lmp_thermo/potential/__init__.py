"""Potentials: export, the card, errors on labelled frames, parity of Python and LAMMPS.

Importing this room imports neither torch nor nequip.
"""
