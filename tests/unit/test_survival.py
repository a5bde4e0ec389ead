"""The tables of the next attempt against an independent finite-difference solution and closed forms."""

import numpy as np
import pytest
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import brentq

from nmjmc.kernel.physics import survival
from nmjmc.kernel.physics.survival import ENTRIES, Start, cleft_modes, survival_tables, wave_numbers

HEIGHT, DIFFUSION = 0.03, 0.4
CELLS = 2000  # even, so that the middle lies between two cells
# physics.md 5.4: exact decay rates [1/s] of a slab with a reactive floor, kappa in um/s
ROBIN = [(274, 9071), (548, 18019), (1096, 35554), (1660, 53111), (3300, 101496)]
CASES = [
    # plane, kappa_0, kappa_m [um/ms], release height
    (0.5, 1.33, 0.83, 0.0299),
    (0.5, 3.3, 0.0, 0.0299),
    (0.5, 0.0, 0.83, 0.0299),
    (0.3, 1.245, 0.598, 0.02),
    (0.8, 0.05, 3.0, 0.0),
]


class Differences:
    """Cell-centred finite differences in z; each plane's sink acts on the cells that touch it."""

    def __init__(self, plane, kappa_0, kappa_m):
        self.dz = HEIGHT / CELLS
        hop = DIFFUSION / self.dz**2
        self.sinks = np.zeros((2, CELLS))
        # a wall with sink kappa half a cell from the cell's centre
        self.sinks[0, 0] = kappa_0 / self.dz / (1 + kappa_0 * self.dz / (2 * DIFFUSION))
        self.middle = round(plane * CELLS)
        self.sinks[1, self.middle - 1 : self.middle + 1] = kappa_m / (2 * self.dz)
        diagonal = np.full(CELLS, 2 * hop)
        diagonal[[0, -1]] = hop
        off = np.full(CELLS - 1, -hop)
        self.rates, self.modes = eigh_tridiagonal(diagonal + self.sinks.sum(axis=0), off)

    def start(self, height):
        """Unit mass at a height, shared by the two nearest cells."""
        at = np.clip(height / self.dz - 0.5, 0, CELLS - 1)
        density = np.zeros(CELLS)
        low = min(int(at), CELLS - 2)
        density[low], density[low + 1] = 1 - (at - low), at - low
        return density

    def at(self, density, times):
        """Survival and flux to each plane at the times."""
        parts = (self.modes.T @ density)[:, None] * np.exp(-np.outer(self.rates, times))
        return self.modes.sum(axis=0) @ parts, (self.sinks @ self.modes) @ parts


@pytest.mark.unit
@pytest.mark.parametrize(("kappa", "rate"), ROBIN)
def test_robin_decay_rate_is_exact(kappa, rate):
    modes = cleft_modes(DIFFUSION, HEIGHT, 0.015, 1e-3 * kappa, 0.0, 0.0299)
    # q tan(q h) = kappa / D
    root = brentq(lambda q: q * np.tan(q * HEIGHT) - 1e-3 * kappa / DIFFUSION, 1e-6, 0.4999 * np.pi / HEIGHT)
    assert modes.rate[0] == pytest.approx(DIFFUSION * root**2, rel=1e-9)
    assert 1e3 * modes.rate[0] == pytest.approx(rate, abs=0.6)


@pytest.mark.unit
def test_plane_in_the_middle_is_two_half_slabs():
    # by symmetry each half of the cleft sees a wall with half the plane's sink
    kappa = 0.83
    modes = cleft_modes(DIFFUSION, HEIGHT, HEIGHT / 2, 0.0, kappa, 0.0299)
    half = HEIGHT / 2
    root = brentq(lambda q: q * np.tan(q * half) - kappa / 2 / DIFFUSION, 1e-6, 0.4999 * np.pi / half)
    assert modes.rate[0] == pytest.approx(DIFFUSION * root**2, rel=1e-9)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("b", "e"), [(0.0, 0.0), (3.3, 2.0), (8.0, 0.0), (0.0, 5.0), (1e-6, 1e-6), (500.0, 500.0)]
)
@pytest.mark.parametrize("m", [0.1, 0.5, 0.77])
def test_no_mode_is_missed(b, e, m):
    q = wave_numbers(HEIGHT, m * HEIGHT, b, e)
    index = np.arange(q.size)
    assert np.all(np.diff(q) > 0)
    # two rank-one perturbations shift an eigenvalue by at most two places
    assert np.all(q >= (index - 1e-6) * np.pi / HEIGHT)
    assert np.all(q <= (index + 2) * np.pi / HEIGHT)

    def mismatch(k):
        """Slope at the upper wall of what satisfies the other equations; zero at a mode."""
        at = np.cos(k * m * HEIGHT) + b / k * np.sin(k * m * HEIGHT)
        slope = -k * np.sin(k * m * HEIGHT) + b * np.cos(k * m * HEIGHT) + e * at
        rest = k * (1 - m) * HEIGHT
        return slope * np.cos(rest) - k * at * np.sin(rest)

    inside = q[q > 0]
    assert inside.size >= q.size - 1
    assert np.all(mismatch(inside * (1 - 1e-11)) * mismatch(inside * (1 + 1e-11)) < 0)


@pytest.mark.unit
@pytest.mark.parametrize(("plane", "kappa_0", "kappa_m", "height"), CASES)
def test_tables_invert_the_survival(plane, kappa_0, kappa_m, height):
    fine = Differences(plane, kappa_0, kappa_m)
    table = survival_tables(DIFFUSION, HEIGHT, plane * HEIGHT, kappa_0, kappa_m, height)
    places = {Start.RELEASED: height, Start.RECEPTOR: 0.0, Start.ESTERASE: plane * HEIGHT}
    for start, place in places.items():
        hazard = np.arange(ENTRIES) / table.scale[start]
        survival, flux = fine.at(fine.start(place), table.time[start])
        late = table.time[start] > 30 * fine.dz**2 / DIFFUSION
        # below 0.2 ns the table is a straight line, which costs at most half of the 0.2 % who try so early
        np.testing.assert_allclose(survival[late], np.exp(-hazard)[late], atol=1e-3)
        after = table.time[start] > 1e-3 * HEIGHT**2 / DIFFUSION
        np.testing.assert_allclose(survival[after], np.exp(-hazard)[after], atol=1e-4)
        share = flux[0] / np.maximum(flux.sum(axis=0), 1e-300)
        # the plane matters where attempts are made: weigh by the flux
        weight = late & (flux.sum(axis=0) > 1e-3 * flux.sum(axis=0).max())
        np.testing.assert_allclose(share[weight], table.on_receptor[start][weight], atol=3e-3)
    assert 1 / table.slope == pytest.approx(fine.rates[0], rel=1e-3)


@pytest.mark.unit
@pytest.mark.parametrize(("plane", "kappa_0", "kappa_m", "height"), CASES)
def test_mixed_start_decays_at_one_rate(plane, kappa_0, kappa_m, height):
    table = survival_tables(DIFFUSION, HEIGHT, plane * HEIGHT, kappa_0, kappa_m, height)
    hazard = np.arange(ENTRIES) / table.scale[Start.MIXED]
    np.testing.assert_allclose(table.time[Start.MIXED], hazard * table.slope, rtol=1e-3, atol=1e-7)
    # the share of the receptor plane is that of the quasi-stationary flux
    fine = Differences(plane, kappa_0, kappa_m)
    flux = fine.sinks @ fine.modes[:, 0]
    expected = flux[0] / flux.sum()
    np.testing.assert_allclose(table.on_receptor[Start.MIXED], expected, atol=2e-3)


@pytest.mark.unit
def test_short_returns_to_the_plane_that_was_left():
    # next to a plane in free space the survival is exp(k^2 D t) erfc(k sqrt(D t)), k = kappa / D
    from scipy.special import erfcx

    kappa = 1.33
    table = survival_tables(DIFFUSION, HEIGHT, HEIGHT / 2, kappa, 0.0, 0.0299)
    time = table.time[Start.RECEPTOR]
    # before the far membrane is felt
    early = (time > 1e-6) & (time < 0.05 * HEIGHT**2 / DIFFUSION)
    expected = erfcx(kappa / DIFFUSION * np.sqrt(DIFFUSION * time[early]))
    found = np.exp(-np.arange(ENTRIES) / table.scale[Start.RECEPTOR])[early]
    assert early.sum() > 20
    np.testing.assert_allclose(found, expected, atol=3e-4)


@pytest.mark.unit
def test_nothing_to_bind_to():
    table = survival_tables(DIFFUSION, HEIGHT, HEIGHT / 2, 0.0, 0.0, 0.0299)
    assert float(table.slope) > 1e9
    for field in table:
        assert np.all(np.isfinite(field))


def averages(tables):
    """Mean waiting time, and chance of the receptor plane, of the draws that the tables give; for each start."""
    width = 1.0 / tables.scale
    left = np.exp(-width[:, None] * np.arange(tables.time.shape[1]))
    gone = left[:, :-1] - left[:, 1:]
    slope = np.diff(tables.time, axis=1) / width[:, None]
    rise = left[:, :-1] - left[:, 1:] * (1.0 + width[:, None])
    time = (tables.time[:, :-1] * gone + slope * rise).sum(axis=1)
    time += left[:, -1] * (tables.time[:, -1] + float(tables.slope))
    # the plane is that of the row below, as the kernel reads it
    plane = (tables.on_receptor[:, :-1] * gone).sum(axis=1) + tables.on_receptor[:, -1] * left[:, -1]
    return time, plane


@pytest.mark.unit
@pytest.mark.parametrize(("kappa_0", "kappa_m"), [(1.33, 0.83), (13.3, 8.3), (0.13, 0.08)])
def test_finer_tables_would_change_nothing_that_can_be_seen(monkeypatch, kappa_0, kappa_m):
    """What docs/numerics.md says that tables leave; sixteen times as many rows, computed from eight times the times."""
    make = survival.survival_tables.__wrapped__
    given = (DIFFUSION, HEIGHT, 0.5 * HEIGHT, kappa_0, kappa_m, 0.99 * HEIGHT)
    time, plane = averages(make(*given))
    monkeypatch.setattr(survival, "ENTRIES", 16 * ENTRIES)
    monkeypatch.setattr(survival, "TIMES", 8 * survival.TIMES)
    fine_time, fine_plane = averages(make(*given))
    np.testing.assert_allclose(time, fine_time, rtol=1e-5)
    np.testing.assert_allclose(plane, fine_plane, atol=3e-4)
