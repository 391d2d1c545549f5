"""The envelope of a comparison, whose potentials run in some of the cells only."""

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lmp_thermo.potential.envelope import Envelope
from lmp_thermo.progress import Progress
from lmp_thermo.stages import deck, export
from lmp_thermo.stages.envelope import judged_cells, training_coordination
from lmp_thermo.states import StatePoint
from tests.unit.analysis.frames import TRICLINIC, ideal_gas
from tests.unit.designs import comparison

GAS, LIQUID, DENSE = (StatePoint(density, 240.0) for density in (0.1, 0.8, 1.2))
VERDICTS = {GAS.name: {"verdict": {"passed": True}}, DENSE.name: {"verdict": {"passed": False}}}


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("final", StatePoint(0.4, 240.0), "no run was validated in the cell at 0.8 g/cm3, 240 K"),
        ("final", LIQUID, "no run was validated in the cell at 0.8 g/cm3, 240 K"),
        ("final", DENSE, "the cell at 1.2 g/cm3, 240 K did not pass"),
        ("provisional", LIQUID, "no held-out frame was judged in the cell at 0.8 g/cm3, 240 K"),
        ("final", GAS, None),
    ],
)
def test_a_cell_without_a_run_has_not_failed(
    status: Any, state: StatePoint, reason: str | None
) -> None:
    cells = judged_cells([GAS, LIQUID, DENSE], VERDICTS, [], None)
    assert [cell.passed for cell in cells] == [True, None, False]
    envelope = Envelope(status=status, cells=cells)
    again = Envelope.model_validate_json(envelope.model_dump_json())
    assert again.outside(state) == ([] if reason is None else [reason])


def test_a_prescribed_cutoff_counts_neighbours_in_the_envelope_too() -> None:
    random = np.random.default_rng(3)
    frames = [ideal_gas(random, 40, TRICLINIC) for _ in range(4)]  # it has no minimum of g(r)
    assert training_coordination(frames, frames, 4.2).cutoff_A == 4.2
    study = SimpleNamespace(comparison=comparison(coordination_cutoff_A=4.2), states=[GAS])
    told = io.StringIO()
    context: Any = SimpleNamespace(study=study, species=("Ar",), progress=Progress(told))
    envelope = export._envelope(context, {}, [], frames, frames)
    assert envelope.coordination is not None
    assert envelope.coordination.cutoff_A == 4.2
    assert envelope.coordination.source == "prescribed"
    study.comparison = None
    assert export._envelope(context, {}, [], frames, frames).coordination is None
    assert "no coordination numbers in the envelope" in told.getvalue()


def test_decks_outside_the_envelope_are_warned_of_and_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reference's own runs ask for no potential's envelope."""
    cells = judged_cells([GAS, DENSE], VERDICTS, [], None)
    card = SimpleNamespace(outside=Envelope(status="provisional", cells=cells).outside)
    told, written = io.StringIO(), []
    context: Any = SimpleNamespace(
        run_states=[GAS, DENSE],
        workspace=SimpleNamespace(potential=lambda arm: arm),
        progress=Progress(told),
    )
    monkeypatch.setattr(
        deck.export, "product", lambda context: SimpleNamespace(verify=lambda: None)
    )
    monkeypatch.setattr(deck, "arms", lambda context: ["density-1", deck.REFERENCE_ARM])
    monkeypatch.setattr(deck, "_interaction", lambda context, arm: None)
    monkeypatch.setattr(deck, "read_card", lambda folder: card)
    monkeypatch.setattr(
        deck,
        "product",
        lambda context, arm, state: SimpleNamespace(
            make=lambda write: written.append((arm, state))
        ),
    )
    deck.make(context)
    assert told.getvalue().splitlines() == [
        "warning: 1.2 g/cm3, 240 K: outside the envelope: the cell at 1.2 g/cm3, 240 K did not "
        "pass",
        "the decks are written all the same; their runs will show",
    ]
    assert written == [
        (arm, state) for arm in ("density-1", deck.REFERENCE_ARM) for state in (GAS, DENSE)
    ]
