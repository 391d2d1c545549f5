"""The page: whole, self-contained, escaped, and true to its data."""

import math
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from lmp_thermo.analysis.statistics import format_value
from lmp_thermo.report import tables
from lmp_thermo.report.banner import banner
from lmp_thermo.report.data import CellReport, Failure, FiniteSize, ReportData, relative_error
from lmp_thermo.report.page import render
from lmp_thermo.report.quantities import duration, plain, quoted, spoken
from tests.unit.report.methane import only
from tests.unit.report.reader import HOSTILE, Reader


@pytest.fixture(scope="module")
def page(small_data: ReportData) -> str:
    return render(only(small_data, [(0.005, 200.0), (0.42, 140.0)]))


def test_page_is_whole_and_needs_no_network(page: str) -> None:
    reader = Reader(page)
    assert reader.open == []
    assert reader.count("svg") == 9
    assert reader.count("script") == 1
    assert not {"link", "iframe", "img"} & {tag for tag, _ in reader.elements}
    for tag, attributes in reader.elements:
        for name in ("src", "href", "xlink:href", "action"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "data:image/png")), f"{tag} {name}={target[:60]}"
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_ids_are_unique_and_references_lead_somewhere(page: str) -> None:
    elements = Reader(page).elements
    ids = [a["id"] for _, a in elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = set(re.findall(r'(?:url\(#|xlink:href="#)([^)"]+)', page))
    assert targets
    assert targets <= set(ids)


def test_page_is_the_same_every_time(empty_data: ReportData) -> None:
    assert render(empty_data) == render(empty_data)


def test_page_of_an_empty_study_says_what_is_missing(empty_data: ReportData) -> None:
    text = "".join(Reader(render(empty_data)).text)
    assert "No cell judged yet" in text
    assert text.count("not shown, ") == 9
    assert "Nothing recorded." in text


def test_page_quotes_observables_and_marks_what_is_not_converged(page: str) -> None:
    text = "".join(Reader(page).text)
    assert "−0.02100(11)" in text
    assert "not converged, 6 independent" in text
    assert "1 of 2 cells passed" in text
    assert "9f2c4e0b7a1d5c38" in text


def test_hostile_names_stay_text(small_data: ReportData) -> None:
    cell = replace(
        small_data.cells[0],
        observables={HOSTILE: {**small_data.cells[0].observables["pressure"], "unit": HOSTILE}},
        comparisons=[{**small_data.cells[0].comparisons[0], "name": HOSTILE}],
        run_status="failed",
        run_cause=HOSTILE,
    )
    data = ReportData(
        title=HOSTILE,
        subtitle=HOSTILE,
        net_force_limit=0.25,
        summary=[HOSTILE],
        provenance={HOSTILE: HOSTILE},
        step_seconds={HOSTILE: 3.0},
        cells=[cell],
        rdfs=[small_data.rdfs[0], replace(small_data.rdfs[0], pair=HOSTILE)],
        failures=[Failure(HOSTILE, HOSTILE, HOSTILE)],
    )
    reader = Reader(render(data))
    assert reader.open == []
    assert reader.count("script") == 1
    assert reader.count("img") == 0
    assert reader.count("details") == 1
    assert not any(name.startswith("on") for _, a in reader.elements for name in a)
    # Title twice, subtitle, summary, provenance twice, failures three times, step, pair in its
    # figure's title and axis, observable, unit, comparison, cause in banner and table.
    assert "".join(reader.text).count("<script>alert('x')</script>") >= 15


def judged(passed: bool | None, density: float) -> CellReport:
    verdict = None
    if passed is not None:
        failures = [] if passed else ["bias of pressure"]
        verdict = {"passed": passed, "failures": failures, "checks": []}
    return CellReport(density, 300.0, verdict=verdict)


@pytest.mark.parametrize(
    ("passes", "kind", "count"),
    [
        ([True, True], "good", "2 of 2 cells passed"),
        ([True, False], "mixed", "1 of 2 cells passed"),
        ([False, False], "bad", "0 of 2 cells passed"),
        ([True, None], "open", "1 of 2 cells passed"),
        ([None, None], "open", "No cell judged yet"),
    ],
)
def test_banner(passes: list[bool | None], kind: str, count: str) -> None:
    cells = [judged(passed, 0.1 * (n + 1)) for n, passed in enumerate(passes)]
    own = banner(ReportData("s", "", 0.25, cells=cells))
    assert (own.kind, own.count) == (kind, count)
    assert len(own.failed) == passes.count(False)


def test_banner_says_where_to_trust_and_where_not() -> None:
    data = ReportData("s", "", 0.25, cells=[judged(True, 0.1), judged(False, 0.2)])
    own = banner(data)
    assert "0.1 g/cm³ and 300 K" in own.meaning
    assert own.failed == ("0.2 g/cm³, 300 K: bias of pressure",)
    none = banner(replace(data, cells=[judged(False, 0.1)]))
    assert none.meaning == "There is no state point at which the potential may be trusted."


def test_banner_counts_failures_beyond_a_handful() -> None:
    cells = [judged(False, 0.1 * (n + 1)) for n in range(12)]
    own = banner(ReportData("s", "", 0.25, cells=cells))
    assert len(own.failed) == 9
    assert own.failed[-1] == "and 4 more, see the table of cells"


def test_a_failed_run_is_no_pass() -> None:
    cell = replace(judged(True, 0.1), run_status="failed", run_cause="lost atoms")
    own = banner(ReportData("s", "", 0.25, cells=[cell]))
    assert own.count == "0 of 1 cells passed"
    assert own.failed == ("0.1 g/cm³, 300 K: its run failed (lost atoms)",)


def test_banner_notes(small_data: ReportData) -> None:
    notes = banner(small_data).notes
    assert notes[0] == (
        "Largest net-force error: 32 % of its rms (limit 25 %), at 0.42 g/cm³, 140 K."
    )
    assert "fails 2 of 3 of the same cells" in notes[1]
    assert "2 of 9 observables are not converged" in notes[2]


def test_relative_error_of_nothing() -> None:
    assert relative_error(None, "net_force") is None
    assert relative_error({"net_force": None}, "net_force") is None
    assert relative_error({"net_force": {"rmse": 0.0, "rms": 0.0}}, "net_force") is None
    assert relative_error({"net_force": {"rmse": 0.02, "rms": 0.08}}, "net_force") == 0.25


def test_cells_table_stands_beside_the_no_interaction_model(small_data: ReportData) -> None:
    table = tables.cells_table(small_data)
    names = [name for name, _ in table.columns]
    row = dict(zip(names, table.rows[1], strict=True))
    assert (row["density"].order, row["temperature"].order) == (0.42, 200.0)
    assert row["net force, RMSE"].note == "alone 118"
    assert row["net force, relative"].note == "alone 100"
    assert row["verdict"].mark == "passed"
    assert all(len(own) == len(table.columns) for own in table.rows)


def test_cells_table_of_what_is_not_known() -> None:
    table = tables.cells_table(ReportData("s", "", 0.25, cells=[CellReport(0.1, 300.0)]))
    texts = [entry.text for entry in table.rows[0]]
    assert texts == ["0.1", "300", "not judged", *["–"] * 7, "new", "–"]


def test_observables_table_joins_cells_with_different_observables() -> None:
    own = {
        "value": 1.5,
        "unit": "K",
        "standard_error": 0.0,
        "n_independent": 1,
        "imposed": True,
        "converged": True,
    }
    cells = [
        CellReport(0.1, 300.0, observables={"a": own}),
        CellReport(0.2, 300.0, observables={"a": {**own, "unit": "mK"}, "b": own}),
        CellReport(0.3, 300.0),
    ]
    table = tables.observables_table(ReportData("s", "", 0.25, cells=cells))
    assert table.columns[2:] == [("a", "unit beside"), ("b", "K")]
    assert [[entry.text for entry in row[2:]] for row in table.rows] == [
        ["1.5 K", "–"],
        ["1.5 mK", "1.5"],
    ]
    assert table.rows[0][2].note == "imposed"
    assert table.rows[0][3].order == -math.inf


@pytest.mark.parametrize(
    ("make", "marks"),
    [
        (tables.finite_size_table, {"not all doubled boxes could be labelled"}),
        (tables.sampling_table, {"temperature above 900 K"}),
        (tables.bought_table, set()),
        (tables.failures_table, set()),
    ],
)
def test_other_tables_have_their_notes(
    full_data: ReportData, make: Callable[[ReportData], tables.Table], marks: set[str]
) -> None:
    table = make(full_data)
    assert table.rows
    assert {entry.note for row in table.rows for entry in row} - {""} == marks
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_round_off_of_a_doubled_box_reads_zero() -> None:
    row = FiniteSize(0.1, 300.0, 20.0, 1.6e-15, -2e-7, 2e-6)
    table = tables.finite_size_table(ReportData("s", "", 0.25, finite_size=[row]))
    assert [entry.text for entry in table.rows[0][3:]] == ["0", "0", "2e−06"]


@pytest.mark.parametrize("value", [-1234.5678, -0.0123, 0.0, 0.98765, 31.4159, 2718.28, 99996.0])
@pytest.mark.parametrize("error", [0.0123, 0.0996, 0.56, 1.3, 9.96, 23.0, 456.0])
def test_numbers_are_quoted_as_analysis_quotes_them(value: float, error: float) -> None:
    assert quoted(value, error).replace("−", "-") == re.sub(
        r"^-(0\.?0*\()", r"\1", format_value(value, error)
    )


def test_numbers_without_an_uncertainty_say_so() -> None:
    assert quoted(12.345, math.inf) == "12.3, uncertainty unknown"
    assert quoted(-12.345, None) == "−12.3, uncertainty unknown"
    assert quoted(0.42, 0.0) == "0.42"


def test_plain_numbers_names_and_durations() -> None:
    assert spoken("rdf_peak.C-C") == "rdf peak C-C"
    assert [plain(x) for x in (-1234.5, 99.94, 0.01234, 0.0)] == ["−1234", "99.9", "0.0123", "0"]
    assert [duration(s) for s in (3.14, 48.2, 450.0, 7560.0)] == [
        "3.1 s",
        "48 s",
        "7.5 min",
        "2.1 h",
    ]


def test_summary_for_a_readme(small_data: ReportData) -> None:
    table = tables.summary_table(only(small_data, [(0.42, 140.0)]))
    (row,) = table.rows
    named = dict(zip((name for name, _ in table.columns), row, strict=False))
    cell = only(small_data, [(0.42, 140.0)]).cells[0]
    assert cell.errors is not None
    assert cell.verdict is not None
    limit = next(c["limit"] for c in cell.verdict["checks"] if c["name"] == "bias of pressure")
    assert named["limit"].text == plain(limit)
    assert named["pressure, bias"].order == abs(cell.errors["molecular_pressure"]["mean"])
    own = cell.observables["pressure"]  # the reference's error is 0.75 of it: 1.25^2 = 1 + 0.75^2
    reference = quoted(own["value"], 0.75 * own["standard_error"])
    assert named["reference's own run"].text == reference
    lines = tables.markdown(table).splitlines()
    assert lines[0].startswith("| density, g/cm³ | temperature, K | verdict |")
    assert lines[1] == "|" + " --- |" * len(table.columns)
    assert len(lines) == 3
    assert lines[2].startswith("| 0.42 | 140 |")
    assert lines[2].count("|") == len(table.columns) + 1


def test_markdown_keeps_its_columns_whatever_the_text() -> None:
    table = tables.Table(
        [("a", ""), ("b", "bar")], [[tables.Entry("x|y", note="n|m"), tables.NOTHING]]
    )
    assert tables.markdown(table).splitlines()[2] == "| x/y (n/m) | – |"
