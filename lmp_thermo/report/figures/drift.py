"""Energy conservation: drift of the total energy in NVE runs."""

import numpy as np
from matplotlib.figure import Figure

from lmp_thermo.report.data import ReportData
from lmp_thermo.report.quantities import quoted
from lmp_thermo.report.style import HALF_WIDTH, INK, Key, new_figure, styled


@styled
def nve_drift(data: ReportData) -> Figure | None:
    """Drift of every cell with its error, by density and temperature."""
    if not data.drifts:
        return None
    key = Key(data)
    densities = sorted({d.density_g_cm3 for d in data.drifts})
    temperatures = sorted({d.temperature_K for d in data.drifts})
    places = np.linspace(-0.27, 0.27, len(temperatures)) if len(temperatures) > 1 else [0.0]
    figure = new_figure(HALF_WIDTH, 2.9)
    axes = figure.subplots()
    axes.axhline(0.0, color=INK, lw=0.7, zorder=1)
    for drift in data.drifts:
        colour = key.colour(drift.density_g_cm3)
        axes.errorbar(
            densities.index(drift.density_g_cm3) + places[temperatures.index(drift.temperature_K)],
            drift.drift_meV_atom_ps,
            yerr=drift.standard_error,
            marker=key.marker(drift.temperature_K),
            color=colour,
            ecolor=colour,
            zorder=3,
        )
    axes.set_xticks(range(len(densities)), [f"{d:g}" for d in densities])
    axes.set_xlim(-0.5, len(densities) - 0.5)
    axes.grid(False, axis="x")
    axes.set_xlabel("density (g/cm³)")
    axes.set_ylabel("drift (meV/atom/ps)")
    figure.legend(
        handles=key.temperature_handles(temperatures, lines=False),
        loc="outside upper left",
        ncols=min(len(temperatures), 5),
        columnspacing=1.0,
        handletextpad=0.2,
    )
    return figure


def caption(data: ReportData) -> str:
    """What to see in the drift."""
    worst = max(data.drifts, key=lambda d: abs(d.drift_meV_atom_ps))
    return (
        "A model whose forces are the gradient of its energy keeps the total energy: error bars "
        "(one standard error) should reach the line at 0. Largest: "
        f"{quoted(worst.drift_meV_atom_ps, worst.standard_error)} meV/atom/ps at "
        f"{worst.density_g_cm3:g} g/cm³, {worst.temperature_K:g} K."
    )
