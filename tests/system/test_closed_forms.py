"""Whole runs against closed forms: decay at planes, escape, equilibria, enzyme, buffered diffusion."""

import functools

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import brentq

from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import run
from nmjmc.synapse import Esterase, Slab
from tests.models import DIFFUSION, HEIGHT, MOLAR, closed_box_moments, inert, sinks, two_site
from tests.statistics import assert_mean, assert_within, sigmas

# physics.md 5.4: kappa [um/s] and exact decay rate [1/s]
ROBIN = [(274, 9071), (548, 18019), (1096, 35554), (1660, 53111), (3300, 101496)]

# one size of batch for the wide runs, so that they share their programs
WIDE = Numerics(batch=1024)


def decay_rate(free, time, first, last):
    """Rate of an exponential decay from the numbers left at two times, with its standard error."""
    n0, n1 = float(free[:, first].sum()), float(free[:, last].sum())
    span = time[last] - time[first]
    return np.log(n0 / n1) / span, np.sqrt(1 / n1 - 1 / n0) / span


@pytest.mark.stat
@pytest.mark.parametrize(
    ("plane", "kappa", "rate"),
    [*(("receptor", *case) for case in ROBIN), ("esterase", *ROBIN[2]), ("esterase", *ROBIN[4])],
)
def test_robin_decay(plane, kappa, rate):
    # to 0.5 %: 4.9 standard errors (false-positive rate 1e-6) are less than that
    rate = 1e-3 * rate
    velocity = 1e-3 * kappa
    if plane == "esterase":
        # a transparent plane in the middle is a wall of half the velocity for half the cleft
        half = HEIGHT / 2
        q = brentq(lambda q: q * np.tan(q * half) - velocity / 2 / DIFFUSION, 1e-6, 0.4999 * np.pi / half)
        rate = DIFFUSION * q**2
    both = (velocity, 0.0) if plane == "receptor" else (0.0, velocity)
    # 32 records, whatever the rate: the sixth is past mixing across the cleft for all
    interval = 0.06 / rate
    # more at once would queue for the few tiles under the release, as no real site makes them
    synapse = sinks(*both, 2**10)
    record = run(
        synapse, vesicles=3072, seed=kappa, duration=32 * interval, record_interval=interval, numerics=WIDE
    )
    found, error = decay_rate(record.counts["free_ach"], record.time, 6, 32)
    assert sigmas() * error < 0.005 * rate
    assert_within(found, rate, error)


@pytest.mark.stat
def test_free_diffusion_to_the_edge():
    # the survival in a square with absorbing edges, sum of modes; <rho^2> = 4 D t stands in test_flat
    half, molecules = 0.25, 2**10
    synapse = inert(Slab(HEIGHT, 2 * half, DIFFUSION, "absorbing"), molecules)
    record = run(synapse, vesicles=1024, seed=4, duration=0.3, record_interval=0.01, numerics=WIDE)
    k = (2 * np.arange(400) + 1) * np.pi / (2 * half)
    weight = 2 / (half * k) * (-1.0) ** np.arange(400)
    for at in (2, 5, 10, 20, 30):
        stays = (weight * np.exp(-DIFFUSION * k**2 * record.time[at])).sum() ** 2
        error = np.sqrt(stays * (1 - stays) / (1024 * molecules))
        found = record.counts["free_ach"][:, at].sum() / (1024 * molecules)
        assert_within(found, stays, error, bias=1e-3 * stays)
    whole = record.counts["free_ach"] + record.counts["escaped"]
    np.testing.assert_array_equal(whole, molecules)


BOX = Slab(HEIGHT, 0.3, DIFFUSION, "reflecting")
SITES, CONTENT = 90, 120  # 1,000 per um^2 on 0.09 um^2


@functools.cache
def closed_box():
    """Reversible two-site receptors in a closed box, for several times of its slowest relaxation."""
    rates = {"binding_rate": 1.6e8 * MOLAR, "unbinding_rate": 6.0, "opening_rate": 10.0, "closing_rate": 8.0}
    synapse = two_site(1000.0, BOX, CONTENT, rates=rates)
    return rates, run(synapse, vesicles=128, seed=11, duration=5.0, record_interval=0.1)


@pytest.mark.stat
def test_detailed_balance_in_a_closed_box():
    # the canonical ensemble at the conserved total, to 0.5 % and Student's t at 1e-6 over 128 boxes
    rates, record = closed_box()
    association = rates["binding_rate"] / rates["unbinding_rate"]
    opening = rates["opening_rate"] / rates["closing_rate"]
    weights = (2 * association, association**2 * (1 + opening))
    counts, late = record.counts, record.time > 2.0
    assert counts["R"][0, 0] == SITES
    mean, variance = closed_box_moments(weights, SITES, 0.3**2 * HEIGHT, CONTENT)
    two = counts["A2R"] + counts["A2Ro"]
    for found, aim in (
        (counts["AR"], mean[0]),
        (two, mean[1]),
        (counts["A2Ro"], mean[1] * opening / (1 + opening)),
    ):
        assert_mean(found[:, late].mean(axis=1), aim, bias=0.005 * aim)
    # fluctuations too: a variance of 128 boxes has a relative standard error of sqrt(2 / 127)
    for found, aim in ((counts["AR"], variance[0]), (two, variance[1])):
        assert_within(found[:, -1].var(ddof=1), aim, aim * np.sqrt(2 / 127), bias=0.01 * aim)


@pytest.mark.stat
def test_forward_and_reverse_fluxes_are_equal():
    # checks 3 to 5 of MCell's public suite: at equilibrium each arrow is as often used as its inverse
    _, record = closed_box()
    first = np.searchsorted(record.time, 2.0)
    used = (record.transitions[:, -1] - record.transitions[:, first]).astype(float)
    for forth, back in ((0, 1), (2, 3), (4, 5)):
        # a site's bindings and unbindings alternate: the surplus is a change of its state
        surplus = (used[:, forth] - used[:, back]).sum()
        assert abs(surplus) <= 2 * SITES * np.sqrt(128) * sigmas()
        assert used[:, forth].sum() > 1e4


@pytest.mark.system
def test_conservation_in_a_closed_box():
    # check 5: V + I = constant exactly at every row
    _, record = closed_box()
    counts = record.counts
    whole = counts["free_ach"] + counts["AR"] + 2 * (counts["A2R"] + counts["A2Ro"])
    np.testing.assert_array_equal(whole, CONTENT)
    assert counts["escaped"].max() == 0
    assert all(values.min() >= 0 for values in counts.values())


@pytest.mark.stat
def test_irreversible_binding_one_for_one():
    # check 2: n molecules meet n sites that keep them, n -> n - 1 at the rate k n^2 / V, whose master equation is
    # solved here; to 0.5 % and Student's t at 1e-6 over 256 boxes
    rates = {"binding_rate": 8e7 * MOLAR, "deacylation_rate": 1e-9}
    esterase = Esterase("esterase_consuming", rates, 1000.0)
    synapse = two_site(1000.0, BOX, SITES, rates={"binding_rate": 0.0}, esterase=esterase)
    record = run(synapse, vesicles=256, seed=6, duration=1.0, record_interval=0.1)
    left = np.arange(SITES + 1.0)
    death = rates["binding_rate"] / (0.3**2 * HEIGHT) * left**2
    generator = np.diag(-death) + np.diag(death[1:], 1)
    for at in (1, 2, 5, 10):
        mean = left @ expm(generator * record.time[at])[:, -1]
        assert_mean(record.counts["free_ach"][:, at], mean, bias=0.005 * mean)


@functools.cache
def enzyme():
    """An enzyme that saturates, in a closed well-mixed box; receptors that bind nothing."""
    constant = {
        "binding_rate": 8e7 * MOLAR,
        "unbinding_rate": 8.0,
        "acylation_rate": 24.0,
        "deacylation_rate": 16.0,
    }
    esterase = Esterase("esterase", constant, 1000.0)
    synapse = two_site(1000.0, BOX, 1000, rates={"binding_rate": 0.0}, esterase=esterase)
    return constant, run(synapse, vesicles=64, seed=5, duration=1.6, record_interval=0.02)


@pytest.mark.stat
def test_michaelis_menten():
    # v = kcat E A / (KM + A), KM = (k_off + k_ac) k_deac / (k_on (k_ac + k_deac)), physics.md 5.10, along the
    # whole progress curve; Student's t at 1e-6, and 1 % for the quasi-steady state and mixing
    k, record = enzyme()
    volume, sites = 0.3**2 * HEIGHT, record.counts["E"][0, 0]
    km = (k["unbinding_rate"] + k["acylation_rate"]) * k["deacylation_rate"]
    km = km / (k["binding_rate"] * (k["acylation_rate"] + k["deacylation_rate"])) * volume
    kcat = k["acylation_rate"] * k["deacylation_rate"] / (k["acylation_rate"] + k["deacylation_rate"])
    level = record.counts["free_ach"].astype(float)
    speed = kcat * sites * level / (km + level)
    assert level[:, 10].mean() / km > 1.0 > level[:, 80].mean() / km
    for first, last in ((10, 30), (30, 50), (50, 80)):
        done = (record.counts["hydrolysed"][:, last] - record.counts["hydrolysed"][:, first]).astype(float)
        expected = np.trapezoid(speed[:, first : last + 1], record.time[first : last + 1], axis=1)
        assert_mean(done - expected, 0.0, bias=0.01 * float(done.mean()))


@pytest.mark.stat
def test_an_enzyme_that_holds_its_substrate_branches():
    # check 6: EA lets go or splits, as 2 to 6 here; normal limit of a martingale, false-positive rate 1e-6
    k, record = enzyme()
    count = record.transitions[:, -1].sum(axis=0)
    freed, split = int(count[7]), int(count[8])
    chance = k["acylation_rate"] / (k["acylation_rate"] + k["unbinding_rate"])
    error = np.sqrt(chance * (1 - chance) / (freed + split))
    assert_within(split / (freed + split), chance, error)


@pytest.mark.stat
def test_unimolecular_decay():
    # check 1: after all have bound irreversibly, the enzyme's held molecules decay as exp(-k t)
    rates = {
        "binding_rate": 2e9 * MOLAR,
        "unbinding_rate": 0.0,
        "acylation_rate": 5.0,
        "deacylation_rate": 0.01,
    }
    esterase = Esterase("esterase", rates, 20_000.0)
    synapse = two_site(1000.0, BOX, 1000, rates={"binding_rate": 0.0}, esterase=esterase)
    record = run(synapse, vesicles=128, seed=6, duration=1.0, record_interval=0.1)
    held, free = (record.counts[name].sum(axis=0).astype(float) for name in ("EA", "free_ach"))
    first = 2
    assert free[first] == 0
    for at in (4, 6, 8, 10):
        part = np.exp(-5.0 * (record.time[at] - record.time[first]))
        assert_within(held[at] / held[first], part, np.sqrt(part * (1 - part) / held[first]))


@pytest.mark.stat
def test_buffered_diffusion():
    # receptors slow the escape: the slowest mode c = cos(pi x / L) cos(pi y / L) cos(m (h - z)) exp(-s t), with
    # m^2 = s / D - q^2 and D m tan(m h) = -kappa s / (k- - s); for fast exchange D / (1 + 2 sigma / (h K_d))
    side, on, off, density = 0.5, 1.6e8 * MOLAR, 20.0, 1000.0
    rates = {"binding_rate": on / 2, "unbinding_rate": off, "opening_rate": 1.0, "closing_rate": 8.0}
    q2 = 2 * (np.pi / side) ** 2

    def mismatch(s):
        m = np.sqrt(complex(s / DIFFUSION - q2))
        return (DIFFUSION * m * np.tan(m * HEIGHT) + on * density * s / (off - s)).real

    rate = brentq(mismatch, 1e-3, 0.95 * off)
    free = q2 * DIFFUSION
    assert rate < 0.5 * free
    cleft = Slab(HEIGHT, side, DIFFUSION, "absorbing")
    record = run(
        two_site(density, cleft, 16, rates=rates), vesicles=4096, seed=8, duration=0.4, record_interval=0.01
    )
    left = (record.content[:, None] - record.counts["escaped"]).astype(float)
    found, error = decay_rate(left, record.time, 12, 40)
    # 16 molecules on 250 receptors: at most 2 % are taken
    assert_within(found, rate, error, bias=0.015 * rate)
    assert sigmas() * error < 0.1 * rate
