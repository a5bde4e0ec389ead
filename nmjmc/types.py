"""Types of arrays, with the axis letters that are fixed for the whole package.

Axis letters: n molecules, s states, k transitions, t times, v vesicles, b parameter sets.
"""

from __future__ import annotations

from typing import TypeAlias

import jax
import numpy as np
from jaxtyping import Array, Float, Int

Scalar: TypeAlias = float | np.ndarray | np.floating | jax.Array
"""A number that may be a plain float, a 0-d array, or a traced value."""

RateVector: TypeAlias = Float[Array, " k"]
"""One rate a transition, internal units."""

RateMatrix: TypeAlias = Float[Array, "s s"]
"""Generator Q [1/ms]: Q[i, j] is the rate from state i to state j, rows add up to zero."""

Occupancy: TypeAlias = Float[Array, " s"]
"""Probability of each state."""

Counts: TypeAlias = Int[np.ndarray, "v t"]
"""Molecules or sites in one state: one row a vesicle, one column a time."""

Trace: TypeAlias = Float[np.ndarray, "... t"]
"""Values against time."""

Sites: TypeAlias = Float[Array, "v 2"]
"""Release sites in the plane of the membrane [um]."""
