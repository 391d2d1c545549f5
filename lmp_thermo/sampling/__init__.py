"""Designs (how a budget is spent over the grid) and the drawing of frames."""
