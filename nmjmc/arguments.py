"""Names at their former place."""

from __future__ import annotations

from nmjmc.numbers import whole_number
from nmjmc.seeds import SEEDS, draw_seed

__all__ = ["SEEDS", "draw_seed", "whole_number"]
