"""Small synapses with a closed form, and runs that keep account of every molecule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import Record, run
from nmjmc.kinetics import Scheme, load_scheme
from nmjmc.synapse import Cleft, Esterase, Fibre, Receptor, Slab, Synapse, Vesicle

MOLAR = 1.0 / 6.02214076e11
"""1 /M/s in um^3/ms per molecule."""
MICROMOLAR = 602.214076
"""1 uM in molecules per um^3."""
HEIGHT, DIFFUSION = 0.03, 0.4  # the cleft of physics.md section 5 [um, um^2/ms]
CONDUCTANCE = 6e-5
BOX = Slab(HEIGHT, 0.3, DIFFUSION, "reflecting")
BOX_VOLUME = 0.3**2 * HEIGHT
BOX_DENSITY, BOX_SITES = 1000.0, 90
WIDE = Numerics(batch=1024)


@dataclass
class Ledger:
    """Runs synapses and counts the records in which some molecule is missing.

    Attributes:
        records: records looked at.
        faults: those in which free + bound + hydrolysed + escaped differs from what was released.
    """

    records: int = 0
    faults: int = 0

    def run(self, synapse: Synapse, vesicles: int, seed: int, duration: float, interval: float) -> Record:
        """Simulate and check every record of every vesicle."""
        many = WIDE if vesicles >= 1024 else None
        record = run(
            synapse, vesicles=vesicles, seed=seed, duration=duration, record_interval=interval, numerics=many
        )
        counts = record.counts
        whole = counts["free_ach"] + counts["hydrolysed"] + counts["escaped"]
        for scheme in (synapse.receptor.scheme, synapse.esterase.scheme):
            whole = whole + sum(
                int(n) * counts[s] for s, n in zip(scheme.states, scheme.bound, strict=True) if n
            )
        self.records += whole.size
        self.faults += int((whole != counts["released"]).sum())
        return record


def _sink(states: tuple[str, str]) -> Scheme:
    """A surface that catches for ever at one rate: both states catch alike, so that no site is ever busy."""
    first, second = states
    catch = {"rate": "capture_rate", "binds": "ACh", "destroys": "ACh"}
    return load_scheme(
        {
            "name": "sink",
            "states": [first, second],
            "resting": first,
            "conductance": {second: 1},
            "transitions": [
                {"from": first, "to": second, **catch},
                {"from": second, "to": first, **catch},
                # hardly ever used: a scheme must have a way back to its resting state
                {"from": second, "to": first, "rate": "reset_rate"},
            ],
            "q10": {"capture_rate": 1, "reset_rate": 1},
        }
    )


def sinks(kappa: tuple[float, float], cleft: Cleft, molecules: int, density: float = 1e4) -> Synapse:
    """Planes that catch at the given speeds [um/ms] (receptors, esterase); all molecules leave at once."""
    rates = [{"capture_rate": speed / density, "reset_rate": 1e-9} for speed in kappa]
    receptor = Receptor(_sink(("S", "X")), rates[0], density, CONDUCTANCE)
    esterase = Esterase(_sink(("T", "Y")), rates[1], density if kappa[1] else 0.0)
    return Synapse(cleft, receptor, esterase, Vesicle(float(molecules)), Fibre())


def inert(cleft: Cleft, molecules: int) -> Synapse:
    """A cleft in which nothing binds."""
    return sinks((0.0, 0.0), cleft, molecules, 100.0)


def receptors(
    rates: dict[str, float],
    density: float,
    cleft: Cleft,
    molecules: int,
    esterase: Esterase | None = None,
) -> Synapse:
    """Two-site receptors [rates in um^3/ms and 1/ms], by default without esterase."""
    none = Esterase("esterase_consuming", {"binding_rate": 2e8 * MOLAR, "deacylation_rate": 16.0}, 0.0)
    receptor = Receptor("two_site_sequential", rates, density, CONDUCTANCE)
    return Synapse(cleft, receptor, esterase or none, Vesicle(float(molecules)), Fibre())


def decay_rate(left: np.ndarray, time: np.ndarray, first: int, last: int) -> tuple[float, float]:
    """Rate of an exponential decay from the numbers left at two records [v, t], and its standard error."""
    start, end = float(left[:, first].sum()), float(left[:, last].sum())
    span = float(time[last] - time[first])
    return np.log(start / end) / span, np.sqrt(1 / end - 1 / start) / span
