"""What the solvers of this folder share: one step at a time, nothing carried between steps, no error estimate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import diffrax


class SecondOrder(diffrax.AbstractSolver):
    """A solver of order two for one ODE; its `step` is left to the method."""

    term_structure: ClassVar[Any] = diffrax.ODETerm
    interpolation_cls: ClassVar[Callable[..., diffrax.LocalLinearInterpolation]] = (
        diffrax.LocalLinearInterpolation
    )

    def order(self, terms: Any) -> int:
        """Order of the error at the end of a run."""
        return 2

    def init(self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any) -> None:
        """There is nothing to carry but the state."""
        return None

    def func(self, terms: Any, t0: Any, y0: Any, args: Any) -> Any:
        """The vector field itself."""
        return terms.vf(t0, y0, args)
