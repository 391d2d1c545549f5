"""Molecules of a fluid, boxes packed with them, and distortions of their shapes."""
