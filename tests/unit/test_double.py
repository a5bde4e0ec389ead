"""JAX's 64-bit mode, which other packages switch on: the same bits of the kernel and of the junction."""

import contextlib

import jax
import numpy as np
import pytest

import nmjmc
from nmjmc.junction.pools import rows, run_train
from nmjmc.junction.terminal import Terminal

pytestmark = pytest.mark.unit


@contextlib.contextmanager
def sixty_four():
    """The mode of the whole process, which threads see too, as `jax.config.update` sets it."""
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", False)


def both(function):
    """What a function gives without the mode and with it."""
    plain = function()
    with sixty_four():
        return plain, function()


def test_the_kernel_gives_the_same_bits():
    slab = nmjmc.preparation("slab", **{"vesicle.content_mean": 200, "cleft.side": 0.3})
    plain, wide = both(lambda: nmjmc.simulate(slab, 4, 1, duration=0.1, record_interval=0.02))
    assert plain.counts["AR"].sum() > 0
    for name, counts in plain.counts.items():
        assert counts.dtype == wide.counts[name].dtype
        np.testing.assert_array_equal(counts, wide.counts[name], err_msg=name)


def test_the_junction_gives_the_same_bits():
    terminals = rows(Terminal(zones=4, sites_per_zone=2), 2)
    plain, wide = both(lambda: run_train(terminals, [0.0, 20.0], seed=1))
    assert np.isfinite(plain.time).any()
    for one, other in zip(plain, wide, strict=True):
        np.testing.assert_array_equal(one, other)
