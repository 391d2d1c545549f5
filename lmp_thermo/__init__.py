"""Machine-learned potentials that hold over a fluid's whole thermodynamic range.

The package is lazy: importing it imports none of numpy, torch, LAMMPS and the rest, since every
`lmp` of an environment passes through here to find the plugin.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lmp_thermo.stages import Study

__version__ = "0.1.0"
__all__ = ["Study", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Study":
        from lmp_thermo.stages import Study

        return Study
    raise AttributeError(f"module 'lmp_thermo' has no attribute '{name}'")
