"""Tiles: how many, where, and that a point of a tile lies on it."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmjmc.kernel.physics import lattice as lattices
from nmjmc.kernel.physics.lattice import ESTERASE, RECEPTOR

densities = st.floats(1.0, 3e4)
halves = st.floats(0.05, 2.0)


@pytest.mark.unit
@given(density=densities, half=halves, disc=st.booleans())
def test_number_of_sites_is_density_times_area(density, half, disc):
    across = lattices.tiles_across(density, 2 * half)
    live = lattices.live_tiles(across, half, density, half if disc else None)
    area = math.pi * half**2 if disc else 4 * half**2
    assert live.sum() == round(density * area)
    assert live.size == across**2


@pytest.mark.unit
def test_every_disc_holds_the_sites_asked_for():
    # at 1500 /um^2 and 0.4 um only 749 tiles have their middle inside, for 754 sites
    for half in (0.4, *np.geomspace(0.05, 1.6, 40)):
        for density in (1.0, 30.0, 300.0, 1500.0, 1800.0, 5000.0, 8500.0, 20_000.0):
            across = lattices.tiles_across(density, 2 * half)
            live = lattices.live_tiles(across, half, density, half)
            assert live.sum() == round(density * math.pi * half**2), (half, density)
            pitch = 2 * half / across
            x, y = (pitch * (n + 0.5) - half for n in np.divmod(np.flatnonzero(live), across))
            # a tile beyond the rim is reached from within
            nearest = np.hypot(np.maximum(np.abs(x) - 0.5 * pitch, 0), np.maximum(np.abs(y) - 0.5 * pitch, 0))
            assert (nearest < half).all(), (half, density)


@pytest.mark.unit
def test_added_and_taken_sites_are_evenly_spread():
    inside = np.arange(10) < 8
    away = np.where(inside, 0.0, [0] * 8 + [2.0, 1.0])
    every_second = inside & (np.arange(10) % 2 == 0)
    assert np.flatnonzero(lattices.exactly(every_second, inside, away, 2)).tolist() == [0, 4]
    assert np.flatnonzero(lattices.exactly(every_second, inside, away, 6)).tolist() == [0, 2, 3, 4, 6, 7]
    assert np.flatnonzero(lattices.exactly(inside, inside, away, 9)).tolist() == [*range(8), 9]


@pytest.mark.unit
@given(density=st.floats(100.0, 2e4))
def test_vacancies_are_even(density):
    # 101 tiles along a side hold fewer sites than tiles; no row is short of its share by two
    side = math.sqrt(10_000.0 / density)
    across = lattices.tiles_across(density, side) + 1
    live = lattices.live_tiles(across, side / 2, density, None).reshape(across, across)
    share = live.sum() / across
    assert np.all(np.abs(live.sum(axis=1) - share) <= 1.0)


@pytest.mark.unit
@given(
    receptor=densities,
    esterase=st.one_of(st.just(1e-6), densities),
    half=st.floats(0.05, 0.8),
    pick=st.lists(st.floats(0.0, 0.999999), min_size=8, max_size=8),
    u=st.floats(0.01, 0.99),
    v=st.floats(0.01, 0.99),
)
def test_a_point_of_a_tile_lies_on_it(receptor, esterase, half, pick, u, v):
    host, tiles = lattices.build((receptor, esterase), half)
    lattice = lattices.Lattice(*(jnp.asarray(field) for field in host))
    tile = jnp.asarray([int(p * tiles) for p in pick], jnp.int32)
    x, y, plane = lattices.point_on_tile(
        lattice, tile, jnp.full(8, u, jnp.float32), jnp.full(8, v, jnp.float32)
    )
    expected = np.where(np.asarray(tile) < int(host.offset[1]), RECEPTOR, ESTERASE)
    np.testing.assert_array_equal(plane, expected)
    back, there = lattices.tile_under(lattice, plane, x, y)
    assert np.asarray(there).all()
    np.testing.assert_array_equal(back, tile)


@pytest.mark.unit
def test_points_beyond_the_lattice_have_no_tile():
    host, _ = lattices.build((100.0, 100.0), 0.5)
    lattice = lattices.Lattice(*(jnp.asarray(field) for field in host))
    x = jnp.asarray([0.51, -0.6, 0.0, 0.0, 0.5, -0.5], jnp.float32)
    y = jnp.asarray([0.0, 0.0, 0.7, -0.5001, 0.5, -0.5], jnp.float32)
    tile, there = lattices.tile_under(lattice, jnp.zeros(6, jnp.int32), x, y)
    np.testing.assert_array_equal(there, [False, False, False, False, True, True])
    assert np.all((np.asarray(tile) >= 0) & (np.asarray(tile) < int(host.offset[1])))
