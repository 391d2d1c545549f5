"""Figures: what they show, what they leave out, and that they are the same every time."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from lmp_thermo.errors import AnalysisError
from lmp_thermo.report.data import ParityPoints, RdfCurve, ReportData, TrainingRound
from lmp_thermo.report.figures import (
    agreement,
    coordination,
    drift,
    entries,
    equation_of_state,
    error_map,
    headline,
    learning,
    parity,
    rdf,
    wall_time,
    write_figures,
)
from lmp_thermo.report.style import Key, inline_svg, svg_text
from tests.tolerances import ROUND_OFF
from tests.unit.report.methane import only


def texts(figure: Figure) -> list[str]:
    own = [text.get_text() for axes in figure.axes for text in axes.texts]
    return own + [axes.get_title(loc="left") for axes in figure.axes]


def drawn(data: ReportData) -> set[str]:
    return {entry.name for entry in entries(data) if entry.draw(data) is not None}


ALL = {
    "error-map",
    "equation-of-state",
    "rdf-1",
    "coordination",
    "parity",
    "learning-curves",
    "drift",
    "agreement",
    "wall-time",
}


@pytest.fixture(scope="module")
def figures(small_data: ReportData) -> dict[str, Figure]:
    """Every figure of three cells of a finished study, to be looked at only."""
    drawn_ones = {entry.name: entry.draw(small_data) for entry in entries(small_data)}
    return {name: figure for name, figure in drawn_ones.items() if figure is not None}


def test_a_finished_study_shows_everything(figures: dict[str, Figure]) -> None:
    assert set(figures) == ALL


def test_without_reference_runs_only_the_comparison_is_missing(
    quantum_data: ReportData,
) -> None:
    data = only(quantum_data, [(0.05, 300.0), (0.42, 300.0)])
    data = replace(data, training=quantum_data.training[:1])
    assert drawn(data) == ALL - {"agreement"}
    for caption in (equation_of_state.caption(data), coordination.caption(data)):
        assert "reference's own runs" not in caption
    assert "no runs of its own" in rdf.caption(data, "C-C")


def test_a_study_in_progress_shows_what_it_has(early_data: ReportData) -> None:
    assert drawn(early_data) == {"error-map", "learning-curves", "wall-time"}
    figure = error_map.error_map(early_data)
    assert figure is not None
    found = texts(figure)
    assert any(text.endswith("*") for text in found)
    assert "no frames" in found
    assert "not judged yet" in error_map.caption(early_data)


def test_an_empty_study_shows_nothing_and_says_why(empty_data: ReportData) -> None:
    assert drawn(empty_data) == set()
    assert all(entry.missing for entry in entries(empty_data))
    with pytest.raises(AnalysisError, match="no errors, pressures or RDFs"):
        headline(empty_data)


def test_every_axis_has_a_name_and_where_it_measures_a_unit(figures: dict[str, Figure]) -> None:
    counts = {"neighbours", "p / p of the ideal gas"}
    for title, figure in figures.items():
        names = {axes.get_xlabel() for axes in figure.axes} | {
            axes.get_ylabel() for axes in figure.axes
        }
        assert len(names - {""}) >= 1
        for name in names - {""} - counts:
            assert "(" in name or "standard error" in name, f"{title}: {name}"


def test_error_map_prints_the_errors_and_frames_what_failed(
    small_data: ReportData, figures: dict[str, Figure]
) -> None:
    figure = figures["error-map"]
    for cell in small_data.cells:
        force = cell.errors["net_force"]
        assert f"{100 * force['rmse'] / force['rms']:.0f} %" in texts(figure)
    frames = [p for p in figure.axes[0].patches if to_hex(p.get_facecolor(), True)[-2:] == "00"]
    assert len(frames) == sum(cell.passed is False for cell in small_data.cells) == 1
    frame = frames[0]
    key = Key(small_data)
    assert frame.get_x() < key.densities.index(0.42) < frame.get_x() + frame.get_width()
    assert frame.get_y() < key.temperatures.index(140.0) < frame.get_y() + frame.get_height()


def test_error_map_turns_red_at_the_limit(small_data: ReportData) -> None:
    def face(relative: float) -> tuple[float, ...]:
        cell = small_data.cells[1]
        force = {**cell.errors["net_force"], "rms": 0.1, "rmse": 0.1 * relative}
        one = replace(cell, errors={**cell.errors, "net_force": force})
        figure = error_map.error_map(replace(small_data, cells=[one], rdfs=[]))
        assert figure is not None
        return figure.axes[0].patches[0].get_facecolor()

    red, _, blue, _ = face(0.26)
    assert red > blue
    red, _, blue, _ = face(0.24)
    assert red < blue


def test_error_map_is_grey_where_forces_are_too_small_to_judge(
    small_data: ReportData, figures: dict[str, Figure]
) -> None:
    gas = small_data.cells[0]
    assert not gas.net_force_counts
    figure = figures["error-map"]
    assert to_hex(figure.axes[0].patches[0].get_facecolor()) == error_map.NOT_JUDGED


def test_no_interaction_map_prints_its_whole_error(
    small_data: ReportData, figures: dict[str, Figure]
) -> None:
    figure = figures["error-map"]
    side = [text.get_text() for text in figure.axes[1].texts]
    liquid = small_data.cells[1].no_interaction["net_force"]["rmse"]
    assert f"{1000 * liquid:.0f}" in side


def test_colours_mean_the_same_density_everywhere(
    small_data: ReportData, figures: dict[str, Figure]
) -> None:
    colour = Key(small_data).colour(0.42)
    figure = figures["rdf-1"]
    lines = {to_hex(line.get_color()) for axes in figure.axes for line in axes.lines}
    assert colour in lines
    figure = figures["drift"]
    assert colour in {to_hex(line.get_color()) for line in figure.axes[0].lines}
    assert Key(small_data).colour(0.419) == colour  # the nearest density's
    assert len({Key(small_data).marker(t) for t in small_data.temperatures_K}) == 2


def test_rdf_lines_are_shifted_by_their_density(
    small_data: ReportData, figures: dict[str, Figure]
) -> None:
    figure = figures["rdf-1"]
    curve = next(c for c in small_data.rdfs if c.density_g_cm3 == 0.42 and c.temperature_K == 200)
    shift = rdf.shift_of(list(small_data.rdfs))
    expected = curve.g + shift  # the second density
    ends = [line.get_ydata() for line in figure.axes[1].lines]
    same = [y for y in ends if len(y) == len(expected)]
    assert any(np.allclose(y, expected, rtol=0, atol=ROUND_OFF) for y in same)
    assert rdf.rdf_by_density(small_data, "no such pair") is None


def test_each_pair_has_a_figure_of_its_own(small_data: ReportData) -> None:
    other = replace(small_data.rdfs[0], pair="C-H")
    data = replace(small_data, rdfs=[*small_data.rdfs, other])
    own = [(e.title, e.folded) for e in entries(data) if e.name.startswith("rdf-")]
    assert own == [("Structure: C-C", False), ("Structure: C-H", True)]


def test_equation_of_state_draws_error_bars_and_ideal_gas(
    small_data: ReportData, figures: dict[str, Figure]
) -> None:
    figure = figures["equation-of-state"]
    left, right = figure.axes
    assert len(left.collections) == 2 * len(small_data.pressures)  # own and reference
    densest = max(small_data.pressures, key=lambda p: p.ideal_bar)
    ends = [line.get_ydata()[-1] for line in left.lines]
    assert any(abs(y - densest.ideal_bar / 1000) < ROUND_OFF for y in ends)
    assert right.get_xscale() == "log"
    labels = [handle.get_label() for handle in equation_of_state.legend(small_data)]
    assert labels == ["140 K", "200 K", "ideal gas, no symbols", "reference", "not converged"]


def test_pressures_without_a_run_are_left_out(small_data: ReportData) -> None:
    points = [replace(p, pressure_bar=None) for p in small_data.pressures]
    assert equation_of_state.equation_of_state(replace(small_data, pressures=points)) is None


def test_learning_curves_join_rounds_and_skip_what_is_zero() -> None:
    def line(update: int, seconds: float, force: float) -> dict[str, object]:
        validation = {"net_force": force, "torque": 0.0}
        return {"update": update, "seconds": seconds, "loss": {}, "validation": validation}

    first = TrainingRound.of(0, [line(1, 60.0, 0.2), line(2, 120.0, 0.1)])
    second = TrainingRound.of(1, [line(1, 60.0, 0.05)])
    data = ReportData("s", "", 0.25, training=[first, second])
    figure = learning.learning_curves(data)
    assert figure is not None
    assert len(figure.axes) == 1
    curves = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    assert [list(c.get_xdata()) for c in curves] == [[1.0, 2.0], [3.0]]
    assert np.allclose(curves[0].get_ydata(), [200.0, 100.0], rtol=ROUND_OFF)
    assert "3 updates" in learning.caption(data)


def test_parity_leaves_out_what_the_reference_does_not_give(small_data: ReportData) -> None:
    own = small_data.parity
    assert own is not None
    data = replace(small_data, parity=replace(own, molecular_pressure=None))
    figure = parity.parity_plots(data)
    assert figure is not None
    assert len(figure.axes) == 4
    x, y = own.net_force.reference, own.net_force.predicted
    rmse = 1000 * np.sqrt(np.mean((y - x) ** 2))
    assert any(text.startswith(f"RMSE {rmse:.3g} of ") for text in texts(figure))
    assert "no-interaction model" in texts(figure)
    assert parity.parity_plots(replace(small_data, parity=None)) is None


def test_drift_names_the_largest(small_data: ReportData) -> None:
    drifts = [replace(small_data.drifts[0], drift_meV_atom_ps=-0.5, standard_error=0.021)]
    text = drift.caption(replace(small_data, drifts=[*drifts, *small_data.drifts[1:]]))
    assert "−0.500(21) meV/atom/ps at 0.005 g/cm³, 200 K" in text


def test_agreement_counts_converged_observables_only(
    small_data: ReportData, figures: dict[str, Figure]
) -> None:
    assert "6 of 6 observables" in agreement.caption(small_data)
    figure = figures["agreement"]
    assert len(figure.axes[0].lines) == 1 + 9  # the zero line, three observables in three cells


def test_agreement_names_the_farthest(small_data: ReportData) -> None:
    first, *others = small_data.cells
    rows = [
        {"name": "pressure", "sigmas": sigmas, "agrees": abs(sigmas) <= 4}
        for sigmas in (0.3, -2.5, 3.25, -4.5)
    ]
    cells = [replace(first, comparisons=rows), *(replace(c, comparisons=[]) for c in others)]
    text = agreement.caption(replace(small_data, cells=cells))
    assert text.startswith("3 of 4 observables")
    assert "3 differ by more than 2, 2 by more than 3" in text
    place = f"{first.density_g_cm3:g} g/cm³, {first.temperature_K:g} K"
    assert f"(most: pressure at {place}, by 4.50)" in text


def test_coordination_without_distributions_shows_means(small_data: ReportData) -> None:
    bare = [replace(c, distribution=()) for c in small_data.coordination]
    figure = coordination.coordination_numbers(replace(small_data, coordination=bare))
    assert figure is not None
    assert len(figure.axes) == 1


@pytest.mark.parametrize(
    ("seconds", "label"),
    [(3.0, "wall time (s)"), (600.0, "wall time (min)"), (9000.0, "wall time (h)")],
)
def test_wall_time_chooses_its_unit(seconds: float, label: str) -> None:
    figure = wall_time.wall_time(ReportData("s", "", 0.25, step_seconds={"a": seconds, "b": 0.0}))
    assert figure is not None
    assert figure.axes[0].get_xlabel() == label
    assert len(figure.axes[0].patches) == 1


def test_headline_has_three_panels_or_what_there_is(small_data: ReportData) -> None:
    titles = [t for t in texts(headline(small_data)) if t[:1] in "abc" and t[1:2] == "\u2002"]
    assert [t[0] for t in titles] == ["a", "b", "c"]
    rest = headline(replace(small_data, cells=[], rdfs=[]))
    assert len(rest.axes) == 1


def test_files_are_the_same_every_time(small_data: ReportData, tmp_path) -> None:
    few = ReportData(
        small_data.title,
        small_data.subtitle,
        small_data.net_force_limit,
        step_seconds=small_data.step_seconds,
        rdfs=small_data.rdfs[:1],
    )
    first = write_figures(few, tmp_path / "a")
    second = write_figures(few, tmp_path / "b")
    assert [path.name for path in first] == ["rdf-1.svg", "wall-time.svg"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert b"<dc:date>" not in one.read_bytes()


def test_pixels_are_the_same_every_time(small_data: ReportData) -> None:
    forces = replace(small_data.parity, interaction_energy=None, molecular_pressure=None)
    data = replace(small_data, parity=forces)
    text, again = (svg_text(parity.parity_plots(data)) for _ in range(2))
    assert "data:image/png" in text
    assert text == again


def test_users_settings_change_nothing(small_data: ReportData) -> None:
    import matplotlib as mpl

    expected = svg_text(drift.nve_drift(small_data))
    with mpl.rc_context({"font.size": 20, "svg.fonttype": "path", "axes.facecolor": "red"}):
        assert svg_text(drift.nve_drift(small_data)) == expected


def test_long_names_leave_room_for_the_figure() -> None:
    data = ReportData("s", "", 0.25, step_seconds={"x" * 500: 3.0})
    figure = wall_time.wall_time(data)
    assert figure is not None
    svg_text(figure)  # the layout's warning that there is no room would be an error
    assert figure.axes[0].get_position().width > 0.25


def test_inline_figures_share_no_id(small_data: ReportData) -> None:
    figure = wall_time.wall_time(small_data)
    text = inline_svg(figure, "time", 'a "label" <b>')
    assert text.startswith('<svg role="img" aria-label="a &#34;label&#34; &lt;b&gt;"')
    assert ' id="time-' in text
    assert "url(#time-" in text
    assert "<metadata>" not in text
    assert "<?xml" not in text


def test_shapes_are_checked() -> None:
    r = np.linspace(1, 2, 5)
    with pytest.raises(AnalysisError, match=r"RDF C-C: shapes .*'g': \(4,\).*one length"):
        RdfCurve(0.1, 200.0, "C-C", r, r[:4], r)
    with pytest.raises(AnalysisError, match="parity: shapes"):
        ParityPoints(r, r, r, r[:2])
    with pytest.raises(AnalysisError, match=r"net_force_limit = 0.0, expected above 0"):
        ReportData("s", "", 0.0)
