"""Names of `nmjmc.ending` at their former place."""

from __future__ import annotations

from nmjmc.ending import Interrupted, ending_on_request

__all__ = ["Interrupted", "ending_on_request"]
