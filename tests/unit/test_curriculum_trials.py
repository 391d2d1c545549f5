"""The trials of rules: their sums over pairs, and what the docs say of their result."""

import itertools
import sys
from pathlib import Path
from typing import Any

import ase.build
import numpy as np
import pytest
import torch
from ase import Atoms

from lmp_thermo.frames import Frame, Tags, molecule_index
from lmp_thermo.products import read_json
from lmp_thermo.stages.label_checks import scaled
from lmp_thermo.units import BAR_PER_EV_A3

ROOT = Path(__file__).parents[2]
CUTOFFS = {"C": {"C": 8.0, "H": 5.0}, "H": {"C": 5.0, "H": 3.5}}


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The three files of the benchmark."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import curriculum_trials
    import pair_sums

    yield curriculum_trials, pair_sums, sys.modules["curriculum_rules"]
    for name in ("curriculum_trials", "curriculum_rules", "pair_sums"):
        sys.modules.pop(name)


def box() -> Frame:
    """Six methanes, turned and spread, in a box of edges below twice the longest cutoff."""
    random = np.random.default_rng(3)
    atoms = Atoms()
    for place in itertools.product((0, 1), (0, 1, 2)):
        own = ase.build.molecule("CH4")
        own.rotate(float(random.uniform(0, 180)), random.normal(size=3))
        own.positions += np.array([0.6 + 4.9 * place[0], 3.7 * place[1], random.uniform(0, 6)])
        atoms += own
    atoms.set_cell([9.9, 11.2, 12.7])
    atoms.pbc = True
    atoms.set_array("molecule", molecule_index([5] * 6))
    return Frame(atoms, Tags(0.1, 300.0, "packed", 0, 1, 0))


def test_sums_over_pairs_by_all_images(scripts: Any) -> None:
    """Against a loop over pairs and images, with one coefficient of its own for each spline."""
    basis = scripts[1].PairBasis(CUTOFFS)
    frame = box()
    random = np.random.default_rng(1)
    coefficients = random.normal(size=basis.size)
    found = basis.rows(frame).energy @ coefficients * len(frame.atoms)
    positions, edges = frame.atoms.positions, frame.atoms.cell.lengths()
    symbols = frame.atoms.get_chemical_symbols()
    pairs = list(basis.pairs)
    expected = 0.0
    for i, j in itertools.combinations(range(len(positions)), 2):
        if frame.molecule[i] == frame.molecule[j]:
            continue
        place = pairs.index(tuple(sorted((symbols[i], symbols[j]))))
        end = basis.pairs[pairs[place]]
        own = coefficients[place * basis._each : (place + 1) * basis._each]
        for shift in itertools.product((-1, 0, 1), repeat=3):
            r = np.linalg.norm(positions[j] - positions[i] + np.array(shift) * edges)
            if r < end:
                expected += float(basis._splines[place](max(r, 0.25 * end)) @ own)
    assert found == pytest.approx(expected, rel=1e-10)  # round-off of a thousand pairs


def test_forces_and_pressures_of_pairs_are_those_of_their_energy(scripts: Any) -> None:
    basis = scripts[1].PairBasis(CUTOFFS)
    frame = box()
    rows = basis.rows(frame)
    coefficients = np.random.default_rng(2).normal(size=basis.size)

    def energy(other: Frame) -> float:
        return float(basis.rows(other).energy @ coefficients) * len(frame.atoms)

    step = 1e-5  # errors of second order, some 1e-9 of these numbers, are above round-off
    force = (rows.net_force @ coefficients).reshape(-1, 3)
    for molecule, axis in ((0, 1), (3, 0), (5, 2)):
        ends = []
        for sign in (1, -1):
            atoms = frame.atoms.copy()
            atoms.positions[frame.molecule == molecule, axis] += sign * step
            ends.append(energy(Frame(atoms, frame.tags)))
        slope = -(ends[0] - ends[1]) / (2 * step)
        assert slope == pytest.approx(force[molecule, axis], rel=1e-5, abs=1e-6)
    slope = (energy(scaled(frame, 1 + step)) - energy(scaled(frame, 1 - step))) / (2 * step)
    pressure = -slope / (3 * frame.atoms.get_volume()) * BAR_PER_EV_A3
    assert pressure == pytest.approx(float(rows.pressure @ coefficients), rel=1e-5)


class Line:
    """A member whose word is linear in its two weights."""

    def __init__(self, *weights: float) -> None:
        self.weights = [torch.tensor(weight, requires_grad=True) for weight in weights]

    def says(self, frame: Frame) -> torch.Tensor:
        """Energy and one component."""
        return torch.stack([2.0 * self.weights[0], 3.0 * self.weights[1]])


def test_expected_length_of_gradients_of_lines(scripts: Any) -> None:
    members = [Line(1.0, 1.0), Line(2.0, 1.5), Line(1.0, 3.0)]
    lengths = []
    for one, other in itertools.permutations(members, 2):
        pairs = zip(one.weights, other.weights, strict=True)
        by = [float(b.detach() - a.detach()) for a, b in pairs]
        lengths.append(np.hypot(2 * 4 * by[0], 2 * 9 * by[1]))  # of (2 by)^2 + (3 by)^2
    found = scripts[2].expected_length(members, box())
    assert found == pytest.approx(np.mean(lengths), rel=1e-6)  # single precision


def test_ratios_are_to_a_rule_with_as_many_labels_or_to_an_arm(scripts: Any) -> None:
    trials = {
        "even, 8": {"1": "a"},
        "even, 18": {"1": "b"},
        "arm-density, 24": {"1": "c"},
        "arm-density, 23": {"2": "d"},
        "arm-density-plain, 24": {"3": "e"},
    }
    assert scripts[0].basis(trials, "even", 8) == {"1": "a"}
    assert scripts[0].basis(trials, "even", 24) == {}
    assert scripts[0].basis(trials, "arm-density", 12) == {"1": "c", "2": "d"}


@pytest.mark.parametrize(("name", "rules"), [("trials", 9), ("trials-methane", 3)])
def test_docs_say_what_the_trials_found(scripts: Any, name: str, rules: int) -> None:
    folder = ROOT / "docs" / "density"
    result = read_json(folder / f"curriculum-{name}.json")
    text = (folder / "curriculum-trials.md").read_text(encoding="utf-8")
    assert scripts[0].table(result) in text
    assert result["command"] in text
    assert len(result["trials"]) == rules


def test_all_rules_pass_with_eighteen_labels_of_argon() -> None:
    result = read_json(ROOT / "docs" / "density" / "curriculum-trials.json")
    own = [seeds for name, seeds in result["trials"].items() if name.endswith(", 18")]
    assert len(own) == 5
    for found in itertools.chain.from_iterable(seeds.values() for seeds in own):
        assert all(cell["score"] <= 1 for cell in found["cells"].values())
