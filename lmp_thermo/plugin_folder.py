"""Where the LAMMPS plugin lies. `lmp` calls this at the start of every deck."""

import os


def plugin_folder() -> str:
    """Return the folder that LAMMPS searches for `*plugin.so`.

    The LAMMPS launcher calls this in every rank of every deck, unguarded: standard library
    only, no exception, and a folder without a plugin is a valid answer.
    """
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
