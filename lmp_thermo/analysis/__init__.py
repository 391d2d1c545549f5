"""Observables from logs and trajectories, each with unit, standard error and origin."""
