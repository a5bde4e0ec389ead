"""Stepped transport in whole runs: against exact transport, at equilibrium, and at the rim."""

import numpy as np
import pytest

from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import run
from nmjmc.synapse import Slab
from nmjmc.synapse.presets import preparation
from tests.models import DIFFUSION, HEIGHT, MOLAR, closed_box_moments, inert_disc, two_site
from tests.statistics import assert_mean, assert_within
from tests.unit.test_flat import disc_survival

STEPPED = Numerics(transport="stepped")


@pytest.fixture(scope="module")
def quanta():
    """64 quanta of a quarter of the canonical content, by both transports."""
    synapse = preparation("slab", **{"vesicle.content_mean": "2500 molecules"})
    return [
        run(
            synapse,
            vesicles=64,
            seed=seed,
            duration=1.0,
            record_interval=0.01,
            numerics=Numerics(transport=kind),
        )
        for kind, seed in (("exact", 1), ("stepped", 2))
    ]


@pytest.mark.stat
@pytest.mark.parametrize("name", ["A2Ro", "A2R", "AR", "EA", "free_ach", "hydrolysed", "escaped"])
def test_stepped_and_exact_transport_give_the_same_traces(quanta, name):
    # at each of 100 times within the standard error (1e-8 each, so 1e-6 a trace) and 1 % of the trace's largest
    exact, stepped = (quantum.counts[name] for quantum in quanta)
    largest = exact.mean(axis=0).max()
    for at in range(1, exact.shape[1]):
        error = np.hypot(*(v[:, at].std(ddof=1) / np.sqrt(len(v)) for v in (exact, stepped)))
        assert_within(
            float(stepped[:, at].mean()), float(exact[:, at].mean()), float(error) + 0.02,
            bias=0.01 * float(largest), false_positive=1e-8,
        )  # fmt: skip


@pytest.mark.stat
def test_peak_rise_and_decay_are_those_of_exact_transport(quanta):
    # jackknife standard errors over vesicles; 1e-6 each; 1 % of systematic difference
    found = []
    for quantum in quanta:
        traces = quantum.counts["A2Ro"].astype(float)
        whole = np.array(waveform(quantum.time, traces.mean(axis=0)))
        left_out = (traces.sum(axis=0) - traces) / (len(traces) - 1)
        jack = np.array([waveform(quantum.time, trace) for trace in left_out])
        found.append((whole, np.sqrt((len(jack) - 1) * jack.var(axis=0))))
    (exact, first), (stepped, second) = found
    for a, b, error in zip(exact, stepped, np.hypot(first, second), strict=True):
        assert_within(float(b), float(a), float(error), bias=0.01 * float(a))


def waveform(time, trace):
    """Peak, 20-80 % rise time, and the part that is left at 1 ms."""
    top = int(trace.argmax())
    peak = trace[max(0, top - 5) : top + 6].mean()
    rising = trace[: top + 1]
    rise = np.interp(0.8 * peak, rising, time[: top + 1]) - np.interp(0.2 * peak, rising, time[: top + 1])
    return peak, rise, trace[-1] / peak


@pytest.mark.stat
@pytest.mark.parametrize(
    ("binding", "step", "executor"), [(1.0, None, "warp"), (4.0, 5e-4, "warp"), (4.0, 5e-4, "jax")]
)
def test_equilibrium_in_a_closed_box(binding, step, executor):
    # the canonical ensemble of sites with two places; k' of the free site about 0.025, and 0.13 at a long step
    molecules, side, density = 150, 0.14, 1e4
    numerics = Numerics(executor=executor, transport="stepped", diffusion_step=step)
    rates = {"binding_rate": binding * 4e7 * MOLAR, "unbinding_rate": 10.0 * binding}
    rates = rates | {"opening_rate": 0.0, "closing_rate": 1.0}
    synapse = two_site(density, Slab(HEIGHT, side, DIFFUSION, "reflecting"), molecules, rates=rates)
    found = run(synapse, vesicles=16, seed=3, duration=1.2, record_interval=0.02, numerics=numerics)
    ratio = rates["binding_rate"] / rates["unbinding_rate"]
    mean, _ = closed_box_moments((2 * ratio, ratio**2), round(density * side**2), side**2 * HEIGHT, molecules)
    late = found.time > 0.4
    for name, expected in zip(("AR", "A2R"), mean, strict=True):
        # each vesicle's average over time is one sample; t-test at 1e-6; no bias allowed
        assert_mean(found.counts[name][:, late].mean(axis=1), float(expected))


@pytest.mark.stat
def test_escape_from_a_disc():
    # survival at four times against the Bessel series; 1e-6 each; the rim's curvature is neglected within a step
    radius, molecules = 0.3, 3000
    found = run(
        inert_disc(radius, molecules),
        vesicles=8,
        seed=4,
        duration=0.2,
        record_interval=0.01,
        numerics=STEPPED,
    )
    for time in (0.02, 0.05, 0.1, 0.2):
        at = int(np.argmin(np.abs(found.time - time)))
        stays = float(disc_survival(time, radius))
        left = float(found.counts["free_ach"][:, at].mean()) / molecules
        assert_within(left, stays, np.sqrt(stays * (1 - stays) / (8 * molecules)), bias=0.003)


@pytest.mark.system
def test_the_same_bits_for_any_batch():
    synapse = two_site(1e4, Slab(HEIGHT, 0.3, DIFFUSION), 300)
    runs = [
        run(synapse, vesicles=2, seed=6, duration=0.2, record_interval=0.02,
            numerics=Numerics(transport="stepped", batch=batch, chunk=chunk))
        for batch, chunk in ((2, 32), (1, 4))
    ]  # fmt: skip
    np.testing.assert_array_equal(runs[0].transitions, runs[1].transitions)
