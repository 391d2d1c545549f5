"""Numbers as a reader wants them."""

import math
from decimal import ROUND_HALF_EVEN, Decimal


def quoted(value: float, standard_error: float | None) -> str:
    """``value(uncertainty)``: the standard error with two digits, in units of the last place.

    ``201.0(1.3)`` and ``1620(30)``: an uncertainty of 1 and above stands as it is.

    Args:
        value: in any unit.
        standard_error: in the same; None or not finite where it is unknown.
    """
    if standard_error is None or not math.isfinite(standard_error):
        return f"{plain(value)}, uncertainty unknown"
    if standard_error <= 0.0:
        return _minus(f"{value:.6g}")
    error = Decimal(f"{standard_error:.1e}")
    place = int(error.as_tuple().exponent)
    step = Decimal(1).scaleb(place)
    rounded = (Decimal(value) / step).quantize(Decimal(1), ROUND_HALF_EVEN) * step
    if rounded == 0:
        rounded = abs(rounded)  # no -0.0
    decimals = max(-place, 0)
    last_place = (
        f"{error:.{decimals}f}" if error >= 1 else "".join(map(str, error.as_tuple().digits))
    )
    return _minus(f"{rounded:.{decimals}f}({last_place})")


def plain(value: float) -> str:
    """Three figures, without an exponent between 0.0001 and a billion."""
    text = f"{value:.0f}" if 100.0 <= abs(value) < 1e9 else f"{value:.3g}"
    return _minus(text)


def spoken(name: str) -> str:
    """An observable's name for reading: ``rdf_peak.C-C`` is ``rdf peak C-C``."""
    return name.replace("_", " ").replace(".", " ")


def duration(seconds: float) -> str:
    """Wall time in the unit that suits it: ``48 s``, ``7.5 min``, ``2.1 h``."""
    if seconds < 100.0:
        return f"{seconds:.2g} s" if seconds < 10.0 else f"{seconds:.0f} s"
    if seconds < 6000.0:
        return f"{seconds / 60.0:.1f} min"
    return f"{seconds / 3600.0:.1f} h"


def _minus(text: str) -> str:
    return text.replace("-", "−")
