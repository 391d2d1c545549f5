"""The figure for the first screen of a README."""

from matplotlib.figure import Figure

from lmp_thermo.report.data import ReportData
from lmp_thermo.report.figures import equation_of_state, error_map, rdf
from lmp_thermo.report.style import new_figure, panel_title, short, styled

WIDTH, HEIGHT = 12.6, 3.6


@styled
def headline(data: ReportData) -> Figure:
    """Error map, equation of state and RDFs side by side, as far as there are data for them.

    Raises:
        AnalysisError: there is nothing to show.
    """
    from lmp_thermo.errors import AnalysisError

    with_map = any(cell.shown_errors for cell in data.cells)
    with_pressure = any(point.pressure_bar is not None for point in data.pressures)
    curves = [c for c in data.rdfs if c.pair == rdf.pairs(data)[0] and len(c.r_A)]
    widths = [1.55] * with_map + [1.0] * with_pressure + [0.85] * bool(curves)
    if not widths:
        raise AnalysisError(
            "headline figure: no errors, pressures or RDFs; run `lmp-thermo run` further"
        )
    figure = new_figure(WIDTH * sum(widths) / 3.4, HEIGHT)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(wspace=0.05)  # type: ignore[call-arg]
    panels = list(figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0])
    letters = iter("abc")
    if with_map:
        error_map.draw_error_map(panels.pop(0), data, next(letters))
    if with_pressure:
        axes = panels.pop(0)
        equation_of_state.draw_pressure(axes, data, next(letters))
        axes.legend(handles=equation_of_state.legend(data), loc="upper left", fontsize=7)
    if curves:
        axes = panels.pop(0)
        temperatures = [c.temperature_K for c in curves]
        # The temperature with most densities; of several, the one in the middle.
        most = max(temperatures.count(t) for t in temperatures)
        full = sorted({t for t in temperatures if temperatures.count(t) == most})
        chosen = full[len(full) // 2]
        own = [c for c in curves if c.temperature_K == chosen]
        densities = sorted(c.density_g_cm3 for c in own)
        rdf.draw_rdf(axes, data, own, rdf.shift_of(own), densities)
        axes.set_ylabel("g(r), shifted")
        panel_title(axes, next(letters), f"{short(own[0].pair)} RDF at {chosen:g} K")
    return figure
