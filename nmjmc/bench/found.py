"""What the analyses of one source have found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from nmjmc.analysis.bench.measured import Measured
from nmjmc.data.quantal import Curve


@dataclass
class Found:
    """Rows, curves and sentences, in the order in which they are told."""

    rows: list[Measured] = field(default_factory=list)
    curves: dict[str, Curve] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
