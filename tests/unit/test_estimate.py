"""What `--dry-run` says a study costs."""

from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from matscipy.neighbours import neighbour_list

from lmp_thermo.comparison import OtherModel
from lmp_thermo.errors import LabelError
from lmp_thermo.fluid.molecules import Composition
from lmp_thermo.reference import lammps_force_field
from lmp_thermo.reference.lammps_force_field import LammpsReference
from lmp_thermo.sampling.designs import CellPlan
from lmp_thermo.sections import Dynamics, Production, Training
from lmp_thermo.stages import estimate
from lmp_thermo.stages.estimate import _calculators_s, _edges_an_atom, box_volume
from lmp_thermo.states import StatePoint
from tests.tolerances import K_SIGMA

CUTOFFS = {("C", "C"): 6.5, ("C", "H"): 4.5, ("H", "C"): 4.5, ("H", "H"): 3.0}


def test_edges_are_those_of_atoms_spread_evenly() -> None:
    state = StatePoint(0.31, 200.0)
    context = SimpleNamespace(
        study=SimpleNamespace(
            training=Training(r_max_A=6.5, pair_r_max_A={"C-H": 4.5, "H-H": 3.0}, updates=[1])
        ),
        species=("C", "H"),
        composition=lambda n: Composition((molecule("CH4"), molecule("C2H6")), (n, 2 * n)),
    )
    symbols = ["C", "H", "H", "H", "H"] * 5 + ["C", "C", *6 * "H"] * 10
    edge = box_volume(context, 5, state) ** (1 / 3)  # type: ignore[arg-type]
    counts = []
    for seed in range(40):
        places = np.random.default_rng(seed).uniform(0, edge, (len(symbols), 3))
        atoms = Atoms(symbols, positions=places, cell=[edge] * 3, pbc=True)
        counts.append(len(neighbour_list("i", atoms, CUTOFFS)) / len(atoms))
    error = np.std(counts, ddof=1) / np.sqrt(len(counts))
    expected = _edges_an_atom(context, 5, state)  # type: ignore[arg-type]
    # an atom is no neighbour of itself: at most one of the same kind in C + H is missing
    own = 1 / symbols.count("C")
    assert abs(np.mean(counts) - expected) < K_SIGMA * error + own * expected
    assert expected > 5


def test_calculators_that_are_only_judged_cost_what_their_labels_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All held-out frames, or as many of a cell as are looked at."""
    monkeypatch.setattr(estimate, "_seconds_a_label", lambda context, reference: 2.0)
    context = SimpleNamespace(
        study=SimpleNamespace(
            sampling=SimpleNamespace(held_out_per_cell=8),
            states=[StatePoint(0.1, 200.0), StatePoint(0.2, 200.0), StatePoint(0.3, 200.0)],
        )
    )
    path = "ase.calculators.lj.LennardJones"
    comparison = SimpleNamespace(
        calculators={
            "all": OtherModel(calculator=path),
            "some": OtherModel(calculator=path, frames_per_cell=4),
        }
    )
    assert _calculators_s(context, comparison) == 3 * (8 + 4) * 2.0  # type: ignore[arg-type]


def test_sampling_by_a_force_field_costs_what_its_steps_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """8 ps of 0.5 fs in each of three cells, on two cores; frames far apart make a run longer."""
    monkeypatch.setattr(estimate, "_reference_step_s", lambda context, molecules: 0.01)
    monkeypatch.setattr(estimate, "RUN_START_S", 0.0)
    force_field = LammpsReference("lj", ("pair_style lj/cut 6.5",), 6.5, ("Ar",))
    dynamics = Dynamics(timestep_fs=0.5, equilibration_ps=2.0, production_ps=6.0, spacing_ps=0.4)
    context = SimpleNamespace(
        reference=force_field,
        cores=2,
        study=SimpleNamespace(sampling=SimpleNamespace(dynamics=dynamics, molecules=64)),
    )
    cells = [CellPlan(StatePoint(0.1 * k, 200.0), 2, 4) for k in (1, 2)]
    longer = CellPlan(StatePoint(0.3, 200.0), 96, 4)
    work, seconds = estimate._work_of_sampling(context, [*cells, longer], True)  # type: ignore[arg-type]
    drawn = sum(plan.drawn for plan in [*cells, longer])
    assert work == f"{drawn} frames from 3 runs"
    assert seconds == pytest.approx((8.0 + 8.0 + 2.0 + 0.4 * longer.drawn) * 2000 * 0.01 / 2)


def test_a_force_field_tells_what_a_step_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of the test: two looks at it, and as many steps between them as are divided by."""
    lines = ("pair_style lj/cut 8.5", "pair_coeff 1 1 0.0103 3.4")
    force_field = LammpsReference("lj", lines, 8.5, ("Ar",))
    box = bulk("Ar", "fcc", 5.3, cubic=True).repeat(2)
    looks = iter([7.0, 9.0])
    clock = SimpleNamespace(monotonic=lambda: next(looks))
    monkeypatch.setattr(lammps_force_field, "time", clock)
    found = force_field.seconds_a_step(box)
    assert found == pytest.approx(2.0 / lammps_force_field.TIMED_STEPS)
    assert next(looks, None) is None
    unknown = LammpsReference("lj", ("pair_style no/such",), 8.5, ("Ar",))
    with pytest.raises(LabelError, match=r"LAMMPS: .*no/such"):
        unknown.seconds_a_step(box)


@pytest.mark.parametrize("compiled", [False, True])
def test_runs_cost_their_steps_and_compiled_models_take_shorter_ones(
    monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    """Two potentials and the reference at a thin and a dense state, on two cores."""
    monkeypatch.setattr(estimate, "_reference_step_s", lambda context, molecules: 1e-4)
    monkeypatch.setattr(estimate, "_step_s", lambda context, molecules, state: 0.018)
    production = Production(
        molecules=8,
        timestep_fs=0.5,
        equilibration_ps=1.0,
        production_ps=3.0,
        gas_production_ps=9.0,
        gas_below_g_cm3=0.1,
        compiled=compiled,
    )
    context = SimpleNamespace(
        cores=2,
        run_states=[StatePoint(0.1, 200.0), StatePoint(0.4, 200.0)],
        study=SimpleNamespace(
            production=production, validation=SimpleNamespace(reference_runs=True)
        ),
    )
    each = (estimate.STEP_S + 0.018) / (estimate.COMPILED_RUN if compiled else 1.0)
    steps = 2000 * (10.0 + 4.0)
    found = estimate._simulation_s(context, 2)  # type: ignore[arg-type]
    assert found == pytest.approx(steps * (2 * each + 1e-4) / 2)
