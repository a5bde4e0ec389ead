"""Quanta against the converged PDE and the mean-field twin, and closed forms read from the same runs."""

import functools
from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.waveform import measure
from nmjmc.kernel.simulate import run
from nmjmc.meanfield import solve
from nmjmc.synapse import replace
from tests.statistics import assert_within, sigmas

PDE = Path(__file__).parents[3] / "shared" / "reference" / "pde"
VARIANTS = {
    "std": {},
    "noE": {"esterase.active_fraction": 0.0},
    "myas": {"receptor.density": "3000 /um^2"},
}
# reference/README.md: escaped and hydrolysed by 3 ms
FATE = {"std": (1527, 6465), "noE": (5818, 0), "myas": (2807, None)}
VESICLES = 256
HUMAN = 512
# widest bound that the test may have, noise and all
WIDEST = {"amplitude": 0.007, "rise_20_80": 0.012, "decay_time": 0.015}
NAMES = {"ACh": "free_ach"}


@functools.cache
def quantum(variant):
    """One run of each variant, at default numerics, for all tests that look at it."""
    synapse = nmjmc.preparation("slab")
    for path, value in VARIANTS[variant].items():
        synapse = replace(synapse, path, value)
    return run(synapse, vesicles=VESICLES, seed=20, duration=3.0, record_interval=0.005)


@functools.cache
def reference(variant):
    path = PDE / f"{variant}.csv"
    if not path.exists():
        pytest.skip("the reference traces are not here")
    return np.genfromtxt(path, delimiter=",", names=True)


def bootstrap(record, name, statistic, draws=100):
    """Standard error of a statistic of the mean trace, over vesicles."""
    rng = np.random.default_rng(1)
    counts = record.counts[name].astype(float)
    number = len(counts)
    found = [
        statistic((rng.multinomial(number, np.full(number, 1 / number)) / number) @ counts)
        for _ in range(draws)
    ]
    return np.std(found, axis=0)


@pytest.mark.stat
@pytest.mark.parametrize("variant", VARIANTS)
def test_waveform_of_the_canonical_quantum(variant):
    # peak 1 %, 20-80 % rise 3 %, decay constant 2 %; 4.9 standard errors (false-positive rate 1e-6) are less
    # than these, so that the noise can neither hide nor feign a fault of that size
    record, expected = quantum(variant), reference(variant)
    target = measure(expected["t_us"] / 1e3, expected["A2Ro"])
    allowed = {"amplitude": 0.01, "rise_20_80": 0.03, "decay_time": 0.02}

    def features(trace):
        wave = measure(record.time, trace)
        return np.array([float(getattr(wave, name)) for name in allowed])

    found = features(record.counts["A2Ro"].mean(axis=0))
    errors = bootstrap(record, "A2Ro", features)
    for name, value, error in zip(allowed, found, errors, strict=True):
        aim = float(getattr(target, name))
        assert abs(value / aim - 1) < allowed[name], (name, value, aim)
        assert sigmas() * error < allowed[name] * aim, (name, error)


@pytest.mark.stat
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_species_at_all_times(variant):
    # within 1.5 % of its own maximum, noise included
    record, expected = quantum(variant), reference(variant)
    time = expected["t_us"] / 1e3
    at = np.searchsorted(record.time, time - 1e-9)
    np.testing.assert_allclose(record.time[at], time, atol=1e-9)
    for column in expected.dtype.names[1:]:
        counts = record.counts[NAMES.get(column, column)]
        scale = max(expected[column].max(), 1.0)
        error = np.abs(counts.mean(axis=0)[at] - expected[column]).max()
        assert error < 0.015 * scale, (column, error / scale)


@pytest.mark.stat
@pytest.mark.parametrize("variant", VARIANTS)
def test_where_the_transmitter_went(variant):
    # within 1.5 % of the PDE, where a rim that is tested at the ends of 0.1-us steps only is 3.4 % off
    reference(variant)
    for name, target in zip(("escaped", "hydrolysed"), FATE[variant], strict=True):
        if target is None:
            continue
        last = quantum(variant).counts[name][:, -1]
        error = last.std(ddof=1) / np.sqrt(VESICLES)
        assert abs(last.mean() - target) <= 0.015 * target, (name, last.mean(), target)
        assert sigmas() * error <= 0.015 * target, (name, error)


@pytest.mark.system
@pytest.mark.parametrize("variant", VARIANTS)
def test_conservation_at_every_record(variant):
    record = quantum(variant)
    counts = record.counts
    bound = counts["AR"] + 2 * counts["A2R"] + 2 * counts["A2Ro"]
    whole = counts["free_ach"] + bound + counts["hydrolysed"] + counts["escaped"]
    np.testing.assert_array_equal(whole, counts["released"])
    np.testing.assert_array_equal(counts["released"], 10_000)
    receptors = sum(counts[name] for name in ("R", "AR", "A2R", "A2Ro"))
    np.testing.assert_array_equal(receptors, receptors[0, 0])
    np.testing.assert_array_equal(counts["E"] + counts["EA"], counts["E"][0, 0])
    assert all(values.min() >= 0 for values in counts.values())
    for name in ("hydrolysed", "escaped"):
        assert np.diff(counts[name], axis=1).min() >= 0


def passages(record):
    """Number of each transition of the two-site scheme in the whole run, by its ends."""
    names = ("R-AR", "AR-R", "AR-A2R", "A2R-AR", "A2R-A2Ro", "A2Ro-A2R", "E-EA", "EA-E", "escape")
    return dict(zip(names, record.transitions[:, -1].sum(axis=0).tolist(), strict=True))


@pytest.mark.stat
@pytest.mark.parametrize("variant", VARIANTS)
def test_openings_of_a_burst(variant):
    # a doubly bound receptor opens with the chance beta / (beta + 2 k-), so that a burst has 1 + beta / 2k-
    # openings; Colquhoun & Sakmann 1985. Normal limit of a martingale; false-positive rate 1e-6
    count = passages(quantum(variant))
    trials = count["A2R-A2Ro"] + count["A2R-AR"]
    chance = 25.0 / (25.0 + 10.0)
    error = np.sqrt(chance * (1 - chance) / trials)
    assert error < 2e-3
    assert_within(count["A2R-A2Ro"] / trials, chance, error)


@pytest.mark.stat
@pytest.mark.parametrize(
    ("state", "exits", "rate"),
    [
        ("A2R", ("A2R-AR", "A2R-A2Ro"), 35.0),  # gaps of 1 / (beta + 2 k-)
        ("A2Ro", ("A2Ro-A2R",), 1.2),  # openings of 1 / alpha
        ("EA", ("EA-E",), 16.0),
    ],
)
def test_dwell_times(state, exits, rate):
    # exits per time in the state; its relative standard error is 1 / sqrt(exits); false-positive rate 1e-6.
    # An event waits for the next pass if its site changed in the same one: that and the trapezoidal rule cost
    # less than 0.5 % of the shortest dwell
    record = quantum("std")
    count = sum(passages(record)[name] for name in exits)
    spent = np.trapezoid(record.counts[state].astype(float), record.time, axis=1).sum()
    assert_within(count / spent, rate, rate / np.sqrt(count), bias=0.005 * rate)


@functools.cache
def human():
    """The human quantum without the spread of contents, which the mean field does not average."""
    synapse = replace(nmjmc.preparation("human"), "vesicle.content_cv", 0.0)
    return synapse, run(synapse, vesicles=HUMAN, seed=3, duration=6.0, record_interval=0.01)


@pytest.mark.stat
def test_human_quantum_is_that_of_the_mean_field():
    # 0.2 % about the mean field, and 4.9 standard errors (false-positive rate 1e-6), which are
    # about 0.4 % of the peak, 0.8 % of the rise and 1.1 % of the decay; 0.5 % for the fates
    synapse, record = human()
    field = solve(synapse, record.time)

    def features(trace):
        wave = measure(record.time, trace)
        return np.array([float(getattr(wave, name)) for name in WIDEST])

    found = features(record.counts["A2Ro"].mean(axis=0))
    expected = features(np.asarray(field.open_channels, float))
    errors = bootstrap(record, "A2Ro", features)
    for name, value, aim, error in zip(WIDEST, found, expected, errors, strict=True):
        assert_within(value, aim, error, bias=0.002 * aim)
        assert sigmas() * error + 0.002 * aim < WIDEST[name] * aim, (name, error)
    for name, aim in (("escaped", field.escaped), ("hydrolysed", field.hydrolysed)):
        last = record.counts[name][:, -1]
        assert_within(last.mean(), float(aim[-1]), last.std() / np.sqrt(HUMAN), bias=0.005 * float(aim[-1]))


@pytest.mark.system
def test_conservation_with_an_enzyme_that_holds_its_substrate():
    _, record = human()
    counts = record.counts
    held = counts["AR"] + 2 * counts["A2R"] + 2 * counts["A2Ro"] + counts["EA"]
    whole = counts["free_ach"] + held + counts["hydrolysed"] + counts["escaped"]
    np.testing.assert_array_equal(whole, counts["released"])
    # the pore lets all out in time
    assert np.all(counts["released"][:, -1] == record.content)
    assert np.all(record.content == 4800)
