"""One file per stage: joins the rooms; nothing else does."""

from lmp_thermo.stages.driver import StepState, Study

__all__ = ["StepState", "Study"]
