"""Files and page of a comparison, from its result alone."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lmp_thermo.analysis.environments import Cutoff
from lmp_thermo.analysis.response import response
from lmp_thermo.report import comparison, comparison_tables
from lmp_thermo.report.result import Result
from lmp_thermo.report.tables import Table
from lmp_thermo.states import StatePoint
from tests.unit.analysis.frames import cell_of
from tests.unit.report.compared import compared
from tests.unit.report.reader import HOSTILE, Reader


def row_of(table: Table, name: str) -> dict[str, Any]:
    row = next(row for row in table.rows if row[0].text == name)
    return {column: entry for (column, _), entry in zip(table.columns, row, strict=True)}


def written(folder: Path, values: dict[str, Any]) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    path = folder / "comparison.json"
    path.write_text(json.dumps(values))
    files = comparison.write_comparison(path, folder / "out")
    return {file.name: file.read_text(encoding="utf-8") for file in files}


@pytest.fixture(scope="module")
def few() -> dict[str, Any]:
    """Four cells and two seeds: drawing is what takes the time."""
    return compared(("none", "density", "adaptive"), (1, 2), (0.3, 0.9), (240.0, 300.0))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> dict[str, str]:
    return written(tmp_path_factory.mktemp("report"), values)


def test_files(files: dict[str, str]) -> None:
    assert list(files) == [
        "made-up.html",
        "made-up.md",
        "made-up-coverage.svg",
        "made-up-pairs.svg",
        "made-up-errors.svg",
        "made-up-errors-net-force.svg",
        "made-up-curriculum-adaptive.svg",
    ]


def test_page_is_whole_and_says_what_was_asked(files: dict[str, str]) -> None:
    reader = Reader(files["made-up.html"])
    assert reader.open == []
    assert reader.count("svg") == 5
    assert reader.count("script") == 1
    ids = [a["id"] for _, a in reader.elements if "id" in a]
    assert len(ids) == len(set(ids))
    text = "".join(reader.text)
    for said in (
        "argon, labelled by lj-argon: designs compared",
        "24 models",
        "0.9 g/cm³, 240 K",
        "What was asked",
        "How it was judged",
        "interaction_energy_relative 0.1",
        "lmp-thermo run made-up.yaml",
        "torch version",
        "Why density matters: not shown, not counted.",
        "lost atoms",
    ):
        assert said in re.sub(r"\s+", " ", text), said


def test_page_is_the_same_every_time(tmp_path: Path, few: dict[str, Any]) -> None:
    assert written(tmp_path / "a", few) == written(tmp_path / "b", few)


def test_coordination_is_drawn_where_it_was_counted(tmp_path: Path, few: dict[str, Any]) -> None:
    random = np.random.default_rng(1)
    cells = [
        cell_of(
            StatePoint(density, temperature),
            list(random.poisson(12.0 * density + 1, size=(6, 50))),
            Cutoff("centres", 5.3, "first minimum of g(r)", standard_error_A=0.1),
        )
        for density in (0.3, 0.9)
        for temperature in (240.0, 300.0)
    ]
    seen = {"diversity": {"mean_distance": 1.25}, "coverage": {"mean": 0.5}}
    environments = {
        "cells": [
            {**cell.to_dict(), "density_g_cm3": d, "temperature_K": t}
            for cell, (d, t) in zip(
                cells, [(0.3, 240.0), (0.3, 300.0), (0.9, 240.0), (0.9, 300.0)], strict=True
            )
        ],
        "response": response(cells).to_dict(),
        "arms": dict.fromkeys(few["arms"], seen),
    }
    own = json.loads(json.dumps({**few, "environments": environments}))
    made = written(tmp_path, own)
    assert "made-up-coordination.svg" in made
    row = row_of(comparison_tables.training_table(Result.model_validate(own)), "density")
    assert (row["diversity"].text, row["covered"].text) == ("1.25", "50")


def test_hostile_texts_stay_text(tmp_path: Path, few: dict[str, Any]) -> None:
    own = copy.deepcopy(few)
    own["command"] = own["settings"]["reference"]["name"] = HOSTILE
    own["settings"]["molecules"] = [HOSTILE]
    own["units"]["interaction_energy"] = HOSTILE
    own["curriculum"]["adaptive-1"][-1]["stopped"] = HOSTILE
    own["arms"]["none-1"]["worst"] = {"state": "rho0.3_T240", "score": 99.0, "gate": HOSTILE}
    own["runs"]["none-1"]["rho0.3_T240"]["cause"] = HOSTILE
    for test in own["tests"]:
        test["cells"] = HOSTILE
        test["quantity"] = HOSTILE
    made = written(tmp_path, own)
    reader = Reader(made["made-up.html"])
    assert reader.open == []
    assert reader.count("script") == 1
    assert reader.count("img") == 0
    assert not any(name.startswith("on") for _, a in reader.elements for name in a)
    assert "".join(reader.text).count("<script>alert('x')</script>") >= 6
