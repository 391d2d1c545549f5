"""What figures over the grid of state points have in common."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.lines import Line2D
from matplotlib.typing import ColorType

from lmp_thermo.report.style import INK, PAPER, Key

DOUBLINGS = 2
"""The colours end at the limit over and times 2 to this power."""


def grid_axes(axes: Axes, key: Key) -> None:
    """Axes with a place for each density and temperature, the densities' colours below."""
    axes.set_xlim(-0.5, len(key.densities) - 0.5)
    axes.set_ylim(-0.5, len(key.temperatures) - 0.5)
    axes.set_xticks(range(len(key.densities)), [f"{d:g}" for d in key.densities])
    axes.set_yticks(range(len(key.temperatures)), [f"{t:g}" for t in key.temperatures])
    axes.set_xlabel("density (g/cm³)")
    axes.set_ylabel("temperature (K)")
    axes.grid(False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    # The colours of the densities, as in every other figure, stand below their columns.
    for place, density in enumerate(key.densities):
        axes.add_line(
            Line2D(
                [place - 0.44, place + 0.44],
                [-0.5, -0.5],
                color=key.colour(density),
                lw=3,
                clip_on=False,
                solid_capstyle="butt",
                zorder=5,
            )
        )


def limit_colours() -> ListedColormap:
    """Blue below the middle, red above, with a step there: right and wrong differ at a glance."""
    places = [np.linspace(0.08, 0.41, 128), np.linspace(0.60, 0.92, 128)]
    return ListedColormap(colormaps["RdBu_r"](np.concatenate(places)))


def ink_on(face: ColorType) -> str:
    """Ink that can be read on a colour."""
    red, green, blue = to_rgb(face)
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else PAPER
