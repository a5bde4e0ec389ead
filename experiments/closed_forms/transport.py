"""Closed forms of diffusion: free spread, escape, decay at a reactive plane, receptors as a buffer."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import j1, jn_zeros

from experiments.closed_forms.models import (
    DIFFUSION,
    HEIGHT,
    MOLAR,
    Ledger,
    decay_rate,
    inert,
    receptors,
    sinks,
)
from experiments.common import Report
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import run
from nmjmc.synapse import Disc, Slab

Points = list[tuple[float, float, float]]
"""What is drawn: abscissa, deviation and its standard error [%]."""

# physics.md 5.4: exact decay rates [1/s] of a slab whose floor takes up at kappa [um/s]
ROBIN = {274: 9071.0, 548: 18_019.0, 1096: 35_554.0, 1660: 53_111.0, 3300: 101_496.0}
MODES = 400


def spread(report: Report, ledger: Ledger) -> Points:
    """Mean square distance along the cleft, <rho^2> = 4 D t, of molecules that left one point."""
    number = 2**10 if report.fast else 2**18
    synapse = inert(Slab(HEIGHT, 6.0, DIFFUSION, "absorbing"), number)
    how = {"vesicles": 1, "seed": 31, "duration": 0.1, "record_interval": 0.005}
    record = run(synapse, **how, numerics=Numerics(view_interval=0.005))
    found = []
    for at in (0, 1, 4, 9, 19):
        time = float(record.view_time[at])
        square = (record.views[at][:, :2].astype(float) ** 2).sum(axis=1)
        square = square[np.isfinite(square)]
        error = square.std(ddof=1) / np.sqrt(square.size)
        words = f"<rho^2> after {1e3 * time:.0f} us"
        report.deviation(words, "um^2", "4 D t =", 4 * DIFFUSION * time, float(square.mean()), error, 1.0)
        found.append(_point(time, square.mean(), error, 4 * DIFFUSION * time))
    return found


def escape(report: Report, ledger: Ledger) -> dict[str, Points]:
    """Part still inside a square or a disc with an absorbing rim, by the series of modes."""
    half, radius = 0.25, 1.6
    cases = {
        "square": (Slab(HEIGHT, 2 * half, DIFFUSION, "absorbing"), 0.01, (1, 2, 5, 8)),
        "disc": (Disc(HEIGHT, radius, DIFFUSION), 0.1, (5, 10, 20, 25)),
    }
    found = {}
    for name, (cleft, interval, records) in cases.items():
        vesicles, molecules = (16, 64) if report.fast else (1024, 1024)
        record = ledger.run(inert(cleft, molecules), vesicles, 32, records[-1] * interval, interval)
        found[name] = []
        for at in records:
            time = float(record.time[at])
            inside = _square_part(time, half) if name == "square" else _disc_part(time, radius)
            part = record.counts["free_ach"][:, at].sum() / (vesicles * molecules)
            error = np.sqrt(inside * (1 - inside) / (vesicles * molecules))
            words = f"part inside a {name} after {time:.2g} ms"
            report.deviation(words, "", "series", inside, float(part), error, 1.0)
            found[name].append(_point(time, part, error, inside))
    return found


def _square_part(time: float, half: float) -> float:
    k = (2 * np.arange(MODES) + 1) * np.pi / (2 * half)
    weight = 2 / (half * k) * (-1.0) ** np.arange(MODES)
    return float((weight * np.exp(-DIFFUSION * k**2 * time)).sum() ** 2)


def _disc_part(time: float, radius: float) -> float:
    zero = jn_zeros(0, MODES)
    return float((2 / (zero * j1(zero)) * np.exp(-DIFFUSION * (zero / radius) ** 2 * time)).sum())


def robin(report: Report, ledger: Ledger) -> dict[str, Points]:
    """Decay in a slab with a reactive plane: D q^2 with q tan(q h) = kappa / D.

    A transparent plane in the middle of the cleft is a wall of half the speed for half the cleft.
    """
    found: dict[str, Points] = {"receptor": [], "esterase": []}
    for kappa, published in ROBIN.items():
        for plane in found:
            if plane == "esterase" and kappa not in (1096, 3300):
                continue
            speed = 1e-3 * kappa
            exact = 1e-3 * published if plane == "receptor" else _robin_rate(HEIGHT / 2, speed / 2)
            value, error = _robin_run(ledger, plane, speed, exact, report.fast)
            words = f"decay at the {plane} plane, kappa {kappa} um/s"
            report.deviation(words, "/ms", "exact", exact, value, error, 0.5)
            found[plane].append(_point(kappa, value, error, exact))
    return found


def _robin_rate(height: float, speed: float) -> float:
    q = brentq(lambda q: q * np.tan(q * height) - speed / DIFFUSION, 1e-6, 0.4999 * np.pi / height)
    return DIFFUSION * q**2


def _robin_run(ledger: Ledger, plane: str, speed: float, exact: float, fast: bool) -> tuple[float, float]:
    both = (speed, 0.0) if plane == "receptor" else (0.0, speed)
    interval = 0.06 / exact  # the sixth record is past mixing across the cleft for all
    # more molecules at once would queue for the few tiles under the release, as no real site makes them
    synapse = sinks(both, Slab(HEIGHT, 0.5, DIFFUSION, "reflecting"), 64 if fast else 1024)
    record = ledger.run(synapse, 16 if fast else 3072, round(1e3 * speed), 32 * interval, interval)
    return decay_rate(record.counts["free_ach"], record.time, 6, 32)


def buffered(report: Report, ledger: Ledger) -> Points:
    """Escape from the human cleft without esterase and gating: receptors slow it 6.2 times.

    The slowest mode is J0(j r / R) cos(m (h - z)) exp(-s t), with m^2 = s / D - (j / R)^2 and
    D m tan(m h) = -kappa s / (k- - s), kappa = 2 k+ sigma; for fast exchange D_eff = D / (1 + 2 sigma / (h K_d)).
    """
    radius, density, on, off = 1.6, 7500.0, 5e7 * MOLAR, 8.0
    rates = {"binding_rate": on, "unbinding_rate": off, "opening_rate": 1e-6, "closing_rate": 1.0}
    zero = float(jn_zeros(0, 1)[0])
    square = (zero / radius) ** 2

    def mismatch(rate: float) -> float:
        m = np.sqrt(complex(rate / DIFFUSION - square))
        return float((DIFFUSION * m * np.tan(m * HEIGHT) + 2 * on * density * rate / (off - rate)).real)

    exact = float(brentq(mismatch, 1e-4, 0.95 * off))
    vesicles, molecules = (4, 64) if report.fast else (1024, 128)
    synapse = receptors(rates, density, Disc(HEIGHT, radius, DIFFUSION), molecules)
    record = ledger.run(synapse, vesicles, 33, 15.0, 0.25)
    left = (record.content[:, None] - record.counts["escaped"]).astype(float)
    rate, error = decay_rate(left, record.time, 28, 60)
    report.deviation("escape past receptors", "/ms", "exact", exact, rate, error, 1.5)
    free = DIFFUSION * square
    ratio, wanted = free / rate - 1, free / exact - 1
    fast = 2 * density * on / (HEIGHT * off)
    report.deviation(
        f"D / D_eff - 1 ({fast:.2f} for exchange without delay)", "", "exact", wanted, ratio,
        free / rate**2 * error, 1.5,
    )  # fmt: skip
    return [_point(0, rate, error, exact)]


def _point(at: float, value: float, error: float, exact: float) -> tuple[float, float, float]:
    return float(at), float(100 * (value / exact - 1)), float(100 * error / abs(exact))
