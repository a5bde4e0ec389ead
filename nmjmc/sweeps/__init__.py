"""Sweeps: what is swept, the points of a design, the work on them by many processes, and what came of it."""
