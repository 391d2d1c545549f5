"""Validation: what the potential's own runs show, and a verdict for each cell."""

from lmp_thermo.validation.verdict import Check, Verdict, compare_observables, judge_cell

__all__ = ["Check", "Verdict", "compare_observables", "judge_cell"]
