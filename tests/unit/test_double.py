"""JAX's 64-bit mode, which other packages switch on: the same bits, and derivatives with it and without."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nmjmc
from nmjmc.fitting.quanta import COARSE
from nmjmc.junction.pools import rows, run_train
from nmjmc.junction.terminal import Terminal
from nmjmc.meanfield import solve
from nmjmc.meanfield.double import in_double

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
    assert plain.counts["hydrolysed"].sum() > 0
    for name, counts in plain.counts.items():
        assert counts.dtype == wide.counts[name].dtype
        np.testing.assert_array_equal(counts, wide.counts[name], err_msg=name)


def test_the_junction_gives_the_same_bits():
    terminals = rows(Terminal(zones=4, sites_per_zone=2), 2)
    plain, wide = both(lambda: run_train(terminals, [0.0, 20.0], seed=1))
    assert np.isfinite(plain.time).any()
    for one, other in zip(plain, wide, strict=True):
        np.testing.assert_array_equal(one, other)


def wave(given):
    x, y = (jnp.asarray(given[name], jnp.float64) for name in ("x", "y"))
    return (jnp.sin(x) * y).astype(jnp.float32)


def test_derivatives_of_a_function_in_double():
    made = in_double(wave)
    given = {"x": jnp.arange(3.0), "y": jnp.float32(2.0)}
    change = jax.tree.map(jnp.ones_like, given)
    x = np.arange(3.0)
    slope = 2.0 * np.cos(x) + np.sin(x)
    for way in (lambda f: f, jax.jit):
        np.testing.assert_allclose(
            way(lambda g, c: jax.jvp(made, (g,), (c,))[1])(given, change), slope, rtol=1e-6
        )
        back = way(jax.grad(lambda g: made(g).sum()))(given)
        np.testing.assert_allclose(back["x"], 2.0 * np.cos(x), rtol=1e-6)
        np.testing.assert_allclose(back["y"], np.sin(x).sum(), rtol=1e-6)
        many = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf]), given)
        rows_of = way(jax.vmap(jax.grad(lambda g: made(g).sum())))(many)
        np.testing.assert_allclose(rows_of["y"], [np.sin(x).sum(), np.sin(2 * x).sum()], rtol=1e-6)
    curve = jax.hessian(lambda a: made({"x": a, "y": given["y"]}).sum())(given["x"])
    np.testing.assert_allclose(curve, np.diag(-2.0 * np.sin(x)), atol=1e-6)


def test_the_mean_field_is_differentiated_both_ways():
    human = nmjmc.preparation("human")

    def peak(rate):
        changed = nmjmc.replace(human, "receptor.closing_rate", rate)
        return solve(changed, np.array([0.2, 0.5]), grid=COARSE).open_channels[1]

    rate = 675.0
    forwards = jax.jvp(peak, (jnp.float32(rate),), (jnp.float32(1.0),))[1]
    backwards = jax.grad(peak)(jnp.float32(rate))
    assert forwards == pytest.approx(float(backwards), rel=1e-5)
    with sixty_four():
        wide = jax.jvp(peak, (rate,), (1.0,))[1]
        width = 1e-3 * rate
        steps = (peak(rate + width) - peak(rate - width)) / (2 * width)
    assert forwards == pytest.approx(float(wide), rel=1e-4)
    assert wide == pytest.approx(float(steps), rel=1e-4)
