"""The library in a few names: simulate a synapse, load a result; what the command line calls too."""

from __future__ import annotations

from nmjmc.data.hdf5 import load
from nmjmc.numbers import whole_number
from nmjmc.seeds import SEEDS, draw_seed
from nmjmc.simulation.many import Point, simulate_many
from nmjmc.simulation.request import MOST_VESICLES, SimulateRequest, make_numerics
from nmjmc.simulation.simulate import Plan, plan, rerun, simulate
from nmjmc.sweeps.result import SweepResult
from nmjmc.sweeps.sweep import sweep

__all__ = [
    "MOST_VESICLES", "SEEDS", "Plan", "Point", "SimulateRequest", "SweepResult", "draw_seed", "load", "make_numerics",
    "plan", "rerun", "simulate", "simulate_many", "sweep", "whole_number",
]  # fmt: skip
