"""Validation: what the potential's own runs show, and a verdict for each cell."""

from lmp_thermo.validation.verdict import (
    Check,
    Verdict,
    compare_observables,
    judge_cell,
    judge_run_pressure,
)

__all__ = ["Check", "Verdict", "compare_observables", "judge_cell", "judge_run_pressure"]
