"""A linearly implicit Runge-Kutta method for small stiff systems: two stages, order two, L-stable.

ROS2 of Verwer et al. 1999, SIAM J Sci Comput 20:1456 [M], gamma = 1 - 1/sqrt(2): (1 - gamma h J) k1 = f(t, y),
(1 - gamma h J) k2 = f(t + h, y + h k1) - 2 k1, y' = y + h (3 k1 + k2) / 2, here for real states in one vector. No
iteration, so that it compiles in a fraction of the time of diffrax's implicit methods and batches well.
"""

from __future__ import annotations

from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from nmjmc.junction.solver import SecondOrder

GAMMA = 1.0 - 1.0 / np.sqrt(2.0)


class Rosenbrock(SecondOrder):
    """The solver; the state is any PyTree of real arrays of one type."""

    def step(
        self, terms: Any, t0: Any, t1: Any, y0: Any, args: Any, solver_state: None, made_jump: Any
    ) -> tuple[Any, None, dict, None, diffrax.RESULTS]:
        """One step; no error estimate."""
        flat, unravel = ravel_pytree(y0)
        h = t1 - t0

        def slope(time: Any, y: jax.Array) -> jax.Array:
            return ravel_pytree(terms.vf(time, unravel(y), args))[0]

        jacobian = jax.jacfwd(lambda y: slope(t0, y))(flat)
        factors = jax.scipy.linalg.lu_factor(jnp.eye(flat.size, dtype=flat.dtype) - GAMMA * h * jacobian)
        first = jax.scipy.linalg.lu_solve(factors, slope(t0, flat))
        second = jax.scipy.linalg.lu_solve(factors, slope(t1, flat + h * first) - 2.0 * first)
        y1 = unravel(flat + h * (1.5 * first + 0.5 * second))
        return y1, None, {"y0": y0, "y1": y1}, None, diffrax.RESULTS.successful
