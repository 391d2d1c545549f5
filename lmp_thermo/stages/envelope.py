"""The envelope's parts, from judged cells and from the coordination of frames."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lmp_thermo.analysis.diversity import RARE
from lmp_thermo.analysis.environments import Cutoff, coordination_of, quantiles
from lmp_thermo.analysis.first_shell import first_shell, reference_liquid
from lmp_thermo.frames import Frame
from lmp_thermo.potential.envelope import Cell, TrainingCoordination
from lmp_thermo.states import StatePoint


def training_coordination(
    training: Sequence[Frame], labelled: Sequence[Frame], prescribed_A: float | None = None
) -> TrainingCoordination:
    """Coordination numbers of molecular centres in the training frames.

    Args:
        training: frames that the model learned from.
        labelled: all frames of the study; the cutoff is from the liquid among them, the same for
            every model of the study.
        prescribed_A: a cutoff instead, Å.

    Raises:
        AnalysisError: no first minimum of g(r), or no frame.
    """
    if prescribed_A is None:
        cutoff = first_shell(reference_liquid(labelled))
    else:
        cutoff = Cutoff("centres", prescribed_A)
    counted = coordination_of(training[0].tags.state, training, cutoff)
    return TrainingCoordination(
        cutoff_A=cutoff.value_A,
        half_width_A=cutoff.half_width_A,
        source=cutoff.source,
        probability=[float(p) for p in counted.probability],
        hard=quantiles(counted.hard),
        smooth=quantiles(counted.smooth),
        rare=RARE,
    )


def judged_cells(
    states: Iterable[StatePoint],
    judged: Mapping[str, Mapping[str, Any]],
    frames: Sequence[Frame],
    coordination: TrainingCoordination | None,
) -> list[Cell]:
    """The envelope's cells; what was not judged has neither passed nor failed.

    Args:
        states: of all cells.
        judged: by name of the state point, with its ``verdict``.
        frames: on which they were judged, all cells together.
        coordination: whose cutoff counts; None where none is known.
    """
    cells = []
    for state in states:
        own = [frame for frame in frames if frame.tags.state == state]
        neighbours = None
        if own and coordination is not None:
            cutoff = Cutoff(
                "centres",
                coordination.cutoff_A,
                coordination.source,
                coordination.half_width_A,
            )
            neighbours = coordination_of(state, own, cutoff).mean()
        verdict = judged.get(state.name, {}).get("verdict")
        cells.append(
            Cell(
                density_g_cm3=state.density_g_cm3,
                temperature_K=state.temperature_K,
                passed=None if verdict is None else bool(verdict["passed"]),
                neighbours=neighbours,
            )
        )
    return cells
