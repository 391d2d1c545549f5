"""The house style of figures: colours mean density, symbols and dashes mean temperature."""

import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, Literal, ParamSpec, Protocol, TypeAlias, TypeVar

import matplotlib as mpl
import numpy as np
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

INK = "#1d2127"
MUTED = "#6b727c"
PAPER = "#ffffff"
GOOD = "#2166ac"
BAD = "#b2182b"

FULL_WIDTH = 9.6
HALF_WIDTH = 4.7
"""Inches; the page shows full figures across and half figures in pairs, at one scale."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
Dashes: TypeAlias = Literal["-"] | tuple[float, tuple[float, ...]]

DASHES: tuple[Dashes, ...] = (
    "-",
    (0, (5, 1.5)),
    (0, (2.5, 1.2)),
    (0, (1, 1)),
    (0, (5, 1.2, 1, 1.2)),
)

DENSITY_MAP = "viridis"
DENSITY_RANGE = (0.83, 0.0)
"""Dilute light, dense dark; the yellow end is left out since it cannot be read on white."""

LONGEST_NAME = 32
"""Characters of the name of a step, an observable or a pair in a figure."""

RASTER_DPI = 220
"""Of what is drawn as pixels in an SVG."""

SCREEN_FONTS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
"""Fonts of the page; narrower than the DejaVu Sans with which the layout is made."""

HOUSE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.unicode_minus": True,
    "errorbar.capsize": 2.0,
    "figure.facecolor": PAPER,
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "grid.color": "#e3e5e8",
    "grid.linewidth": 0.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.title_fontsize": 8,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "none",
    "svg.hashsalt": "lmp_thermo",
    "text.color": INK,
    "text.parse_math": False,  # names come from study files: a $ is a $
    "xtick.color": INK,
    "xtick.labelsize": 8,
    "ytick.color": INK,
    "ytick.labelsize": 8,
}

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def house() -> Iterator[None]:
    """The house style, from matplotlib's own defaults: a user's settings change nothing."""
    with mpl.rc_context(mpl.rcParamsDefault), warnings.catch_warnings():
        # The layout lacks a glyph that the reader's fonts may have: no matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        mpl.rcParams.update(HOUSE)
        yield


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in the house style."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> R:
        with house():
            return draw(*args, **kwargs)

    return in_style


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, inches, whose parts make room for each other."""
    return Figure(figsize=(width, height), layout="constrained")


class Grid(Protocol):
    """What has densities and temperatures, ascending: `ReportData`, or the data of one figure."""

    @property
    def densities_g_cm3(self) -> Sequence[float]: ...

    @property
    def temperatures_K(self) -> Sequence[float]: ...


class Key:
    """Colour of each density, marker and dashes of each temperature, one way in all figures.

    Args:
        data: ranks of its densities and temperatures decide.
    """

    def __init__(self, data: Grid) -> None:
        self.densities = data.densities_g_cm3
        self.temperatures = data.temperatures_K
        places = np.linspace(*DENSITY_RANGE, max(len(self.densities), 2))
        self._colours = [to_hex(mpl.colormaps[DENSITY_MAP](x)) for x in places]

    def colour(self, density_g_cm3: float) -> str:
        """Colour of a density; one that no cell has takes the nearest cell's."""
        return self._colours[_nearest(self.densities, density_g_cm3)]

    def marker(self, temperature_K: float) -> str:
        """Marker of a temperature."""
        return MARKERS[_nearest(self.temperatures, temperature_K) % len(MARKERS)]

    def dashes(self, temperature_K: float) -> Dashes:
        """Line style of a temperature."""
        return DASHES[_nearest(self.temperatures, temperature_K) % len(DASHES)]

    def density_handles(self, densities: Sequence[float] | None = None) -> list[Line2D]:
        """Legend entries for densities, dense first as in the figures."""
        chosen = self.densities if densities is None else sorted(set(densities))
        return [
            Line2D([], [], color=self.colour(d), lw=3.5, label=f"{d:g}") for d in reversed(chosen)
        ]

    def temperature_handles(self, temperatures: Sequence[float], lines: bool) -> list[Line2D]:
        """Legend entries for temperatures, with their dashes where `lines`."""
        return [
            Line2D(
                [],
                [],
                color=MUTED,
                marker=self.marker(t),
                linestyle=self.dashes(t) if lines else "none",
                lw=1,
                label=f"{t:g} K",
            )
            for t in sorted(set(temperatures))
        ]


def _nearest(values: Sequence[float], value: float) -> int:
    return int(np.argmin([abs(own - value) for own in values])) if values else 0


def density_legend(figure: Figure, key: Key, densities: Sequence[float] | None = None) -> None:
    """The densities' colours, at the right of a figure."""
    figure.legend(
        handles=key.density_handles(densities),
        loc="outside right center",
        title="density\n(g/cm³)",
        handlelength=1.2,
        alignment="left",
    )


def plain_log(axes: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis with plain numbers, as many as can be read: 0.1, 1, 10.

    Args:
        axes: drawn into.
        which: axis.
    """
    axis: Axis
    if which == "x":
        axes.set_xscale("log")
        axis, (low, high) = axes.xaxis, axes.get_xlim()
    else:
        axes.set_yscale("log")
        axis, (low, high) = axes.yaxis, axes.get_ylim()
    decades = math.log10(high / low) if low > 0 else math.inf
    if decades < 2.5:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(LogLocator())
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def panel_title(axes: Axes, letter: str, text: str, longest: float | None = None) -> None:
    """Panel letter and title, as a paper has them.

    Args:
        axes: titled.
        letter: of the panel.
        text: of the title.
        longest: characters that there is room for; a longer title is set smaller.
    """
    size = HOUSE["axes.titlesize"] * min(1.0, (longest or len(text)) / max(1, len(text)))
    # en space: SVG joins plain ones
    axes.set_title(f"{letter}\u2002{text}" if letter else text, fontsize=size)


def short(name: str) -> str:
    """A name that fits beside an axis; figures must keep room for what they show."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def svg_text(figure: Figure) -> str:
    """The figure as an SVG file's text; the same figure gives the same bytes."""
    stream = io.StringIO()
    with house():
        figure.set_dpi(RASTER_DPI)
        canvas = FigureCanvasSVG(figure)
        # Draws once; `savefig` would lay out and draw everything twice.
        canvas.print_svg(stream, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
    text = re.sub(r' d="[^"]*"', _shorter_path, stream.getvalue())
    return text.replace("'DejaVu Sans'", SCREEN_FONTS)


def _shorter_path(path: re.Match[str]) -> str:
    """Coordinates to a hundredth of a point: half the size, no difference to see."""
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", path[0])


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """The figure as an ``<svg>`` element for a page that holds several.

    Args:
        figure: to show.
        name: of letters, digits and dashes; put before every id, which are unique only within
            one figure.
        label: what a screen reader says.
    """
    text = svg_text(figure)
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r' id="', f' id="{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = re.sub(r'xlink:href="#', f'xlink:href="#{name}-', text)
    text = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", text, count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)
