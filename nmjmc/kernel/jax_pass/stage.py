"""Stages: values that are computed once and written down, where XLA would compute them again for every use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool

Stage = Callable[[Callable[[], Any]], Any]


def stages(some: Bool[Array, ""]) -> Stage:
    """A function `stage(compute)` that gives `compute()`, computed once.

    On a CPU, XLA fuses a value into each of its users, and so computes it (a gather, ten rounds of the random
    generator) again for each of them; it does not fuse across a branch. `some` must be a traced condition that
    always holds; the other branch is never taken. Other devices fuse for themselves: there it does nothing.
    """
    device = getattr(jax.config, "jax_default_device", None) or jax.default_backend()
    if getattr(device, "platform", device) != "cpu":
        return lambda compute: compute()

    def stage(compute: Callable[[], Any]) -> Any:
        shapes = jax.eval_shape(compute)
        return lax.cond(some, compute, lambda: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes))

    return stage
