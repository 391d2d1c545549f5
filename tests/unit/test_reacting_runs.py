"""Sampling runs end where molecules react, and runs that are to be longer are made again."""

from dataclasses import replace
from typing import Any

import MDAnalysis
import numpy as np
import pytest
from ase.build import molecule
from numpy.typing import NDArray

from lmp_thermo import Study
from lmp_thermo.analysis.trajectory import Trajectory
from lmp_thermo.fluid.molecules import Composition
from lmp_thermo.fluid.packing import box_length
from lmp_thermo.sampling.drawn import bond_between_molecules
from lmp_thermo.stages import sample
from lmp_thermo.stages.runs import until_molecules_react
from lmp_thermo.states import StatePoint
from tests.unit.designs import INPUTS

CARBON_DIOXIDE = Composition((molecule("CO2"),), (2,))
STATE = StatePoint(0.1, 300.0)
EDGE_A = box_length(CARBON_DIOXIDE, STATE)


def two_molecules(apart_A: float) -> NDArray[np.float64]:
    """Side by side, the second one across a boundary of the box."""
    one = molecule("CO2").positions
    return np.concatenate([one, one + np.array([apart_A - EDGE_A, 0.0, EDGE_A])])


@pytest.mark.parametrize(("apart_A", "bonded"), [(1.88, True), (1.93, False)])
def test_atoms_as_near_as_bonded_ones(apart_A: float, bonded: bool) -> None:
    """Carbons: 1.25 times twice 0.76 Å is 1.90 Å; the oxygens, just as near, 1.65 Å."""
    found = bond_between_molecules(
        two_molecules(apart_A), EDGE_A, CARBON_DIOXIDE.numbers, CARBON_DIOXIDE.molecule_sizes
    )
    assert (found is not None) is bonded
    if found is not None:
        assert sorted(found[:2]) == [0, 3]
        assert found[2] == pytest.approx(apart_A)


def test_single_atoms_do_not_react() -> None:
    """An ion in the shell of another molecule is where it should be."""
    positions = np.concatenate([molecule("H2O").positions, [[0.0, 0.0, 2.3]]])
    numbers = np.array([8, 1, 1, 11])
    assert bond_between_molecules(positions, 20.0, numbers, [3, 1]) is None
    assert bond_between_molecules(positions, 20.0, numbers, [2, 2]) is not None


def trajectory_with(apart_A: list[float]) -> Trajectory:
    universe = MDAnalysis.Universe.empty(6, trajectory=True)
    universe.load_new(np.array([two_molecules(own) for own in apart_A]), order="fac")
    n = len(apart_A)
    molecules: Any = None
    return Trajectory(universe, molecules, np.arange(n), 100 + 10 * np.arange(n), "a run")


def test_a_run_ends_where_molecules_react() -> None:
    run = trajectory_with([3.4, 2.9, 2.4, 1.85, 1.84, 3.0])
    early, cause = until_molecules_react(run, CARBON_DIOXIDE, STATE)
    assert cause == "molecules react at step 130: C and C of two of them are 1.85 Å apart"
    assert early.frames.tolist() == [0, 1, 2]
    assert early.steps.tolist() == [100, 110, 120]
    whole, none = until_molecules_react(trajectory_with([3.4, 2.9]), CARBON_DIOXIDE, STATE)
    assert none is None
    assert len(whole.frames) == 2


def test_a_run_that_is_to_be_longer_is_made_again(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A larger pool draws more frames, as far apart as asked, from a longer run."""
    keys: list[Any] = []

    class Deck:
        folder = tmp_path

        def __init__(self, folder: Any, sources: dict[str, Any]) -> None:
            keys.append(sources)

        def make(self, write: Any) -> None:
            pass

    monkeypatch.setattr(sample, "Product", Deck)
    monkeypatch.setattr(sample, "_run_sources", lambda *given: {})
    monkeypatch.setattr(sample, "_interaction", lambda *given: None)
    monkeypatch.setattr(sample, "carry_out_decks", lambda *given: {tmp_path: None})
    context = Study(INPUTS / "methane.yaml", tmp_path / "workspace")._context
    plans = [replace(context.plan(2)[0], training=count, held_out=0) for count in (3, 50)]
    for plan in plans:
        sample._make_from_runs(context, 2, [plan])
    lengths = [own["length_ps"] for own in keys if "length_ps" in own]
    assert lengths == [1.5, pytest.approx(0.2 * plans[1].drawn)]  # 0.2 ps between frames
