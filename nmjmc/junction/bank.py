"""Endplate conductance from quanta: a bank of single quanta that the kernel simulated for exactly this synapse.

Where the esterase keeps quanta apart, the current of many is the sum of each one's, at its own time (Hartzell,
Kuffler & Yoshikami 1975 [V-abs]). Where it is weak, quanta share their patch and are simulated together. The
result says which was done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nmjmc.errors import ValidationError
from nmjmc.junction.drive import Drive
from nmjmc.kernel import simulate as kernel
from nmjmc.kinetics.burst import burst
from nmjmc.synapse.model import Synapse

INTERVAL = 0.04
"""Between records of a quantum [ms]; it rises in some 0.1 ms."""
WEAK_ESTERASE = 0.3
"""Active esterase, over 1,800 sites per um^2, below which quanta are taken to overlap; a choice."""
PRIMARY_DENSITY = 1800.0


@dataclass(frozen=True)
class Bank:
    """Single quanta.

    Attributes:
        conductance: open conductance of each quantum [b t] [uS]; the last sample is zero.
        interval: between samples [ms].
        synapse: what was simulated.
        seed: seed of the kernel.
    """

    conductance: Float[np.ndarray, "b t"]
    interval: float
    synapse: Synapse
    seed: int

    @property
    def quanta(self) -> int:
        """Quanta of the bank."""
        return self.conductance.shape[0]

    @property
    def peak(self) -> float:
        """Mean of the quanta's peaks [uS]."""
        return float(self.conductance.max(axis=1).mean())

    @property
    def relative_error(self) -> float:
        """Standard error of the mean peak over the mean peak: what drawing from so few quanta may be off."""
        peaks = self.conductance.max(axis=1)
        if peaks.mean() <= 0 or self.quanta < 2:
            return float("inf")
        return float(peaks.std(ddof=1) / peaks.mean() / np.sqrt(self.quanta))

    def __str__(self) -> str:
        return (
            f"{self.quanta} quanta of {self.synapse.name}, mean peak {1e3 * self.peak:.3g} nS "
            f"+- {100 * self.relative_error:.2g} %"
        )


def simulate_bank(
    synapse: Synapse,
    quanta: int = 48,
    seed: int = 0,
    *,
    duration: float = 15.0,
    devices: Sequence | None = None,
) -> Bank:
    """Simulate single quanta with the kernel.

    Args:
        synapse: One vesicle; its receptors may stand in a bath.
        quanta: How many.
        seed: Seed.
        duration: Length of each [ms]; what is open then is cut off, and a tenth of the peak is refused.
        devices: As for the kernel.

    Raises:
        ValidationError: If there are several vesicles, or the channels are still open at the end.
    """
    if np.shape(synapse.vesicle.sites)[0] != 1:
        found = f"{np.shape(synapse.vesicle.sites)[0]} vesicles"
        raise ValidationError("vesicle.sites", found, "one site for a bank of single quanta")
    conductance = _open_conductance(synapse, quanta, seed, duration, devices)
    tonic = tonic_conductance(synapse)
    conductance = conductance - tonic
    mean = conductance.mean(axis=0)
    if mean[-1] > 0.1 * mean.max() > 0:
        allowed = "long enough for the channels to close"
        raise ValidationError("duration", f"{duration:g} ms", allowed, f"try {4 * duration:g} ms")
    conductance[:, -1] = 0.0
    return Bank(conductance.astype(np.float32), INTERVAL, synapse, seed)


def _open_conductance(
    synapse: Synapse, patches: int, seed: int, duration: float, devices: Sequence | None
) -> Float[np.ndarray, "b t"]:
    """Open conductance of each patch [uS]."""
    record = kernel.run(
        synapse, vesicles=patches, seed=seed, duration=duration, record_interval=INTERVAL, devices=devices
    )
    scheme = synapse.receptor.scheme
    relative = dict(zip(scheme.states, scheme.conductance, strict=True))
    total = sum(g * np.asarray(record.counts[state], np.float64) for state, g in relative.items() if g)
    return float(synapse.effective().receptor.channel_conductance) * np.asarray(total)


def tonic_conductance(synapse: Synapse, area: float | None = None) -> float:
    """Conductance that a bath keeps open, of the patch or of an area of membrane [um^2] [uS]."""
    from nmjmc.kinetics.chain import equilibrium, generator

    warm = synapse.effective()
    scheme = warm.receptor.scheme
    if not scheme.bath_ligands:
        return 0.0
    q = generator(scheme, warm.receptor.rates, {k: float(v) for k, v in warm.receptor.bath.items()})
    open_share = float(equilibrium(q) @ np.asarray(scheme.conductance))
    if area is None:
        area = np.pi * float(getattr(warm.cleft, "exit_radius", 0.0)) ** 2
    return open_share * float(warm.receptor.density) * area * float(warm.receptor.channel_conductance)


def drive_of(synapse: Synapse, conductance: Any, interval: float) -> Drive:
    """The drive of one or many fibres with this synapse's channels.

    Args:
        synapse: Whose reversal potential, closing rate and holding potential count.
        conductance: [... t] [uS].
        interval: Of its grid [ms].
    """
    warm = synapse.effective()
    receptor = warm.receptor
    try:
        closing = 1.0 / burst(receptor.scheme, receptor.rates, _bath(warm)).length
    except ValidationError:  # a burst without an end: closing by the rate itself
        closing = float(receptor.rates.get("closing_rate", 1.0))
    # bursts are as long as the channel's open time times a number of openings that has no voltage in it
    values = (
        interval, receptor.reversal_potential, closing, receptor.closing_voltage_sensitivity,
        warm.fibre.holding_potential,
    )  # fmt: skip
    return Drive(np.asarray(conductance, np.float32), *(np.float32(float(v)) for v in values))


def _bath(synapse: Synapse) -> dict[str, float] | None:
    bath = {name: float(value) for name, value in synapse.receptor.bath.items()}
    return bath or None


def overlapping(synapse: Synapse) -> bool:
    """Whether the esterase is so weak that quanta must be simulated together."""
    active = float(synapse.esterase.density) * float(synapse.esterase.active_fraction)
    return active < WEAK_ESTERASE * PRIMARY_DENSITY


def superpose(
    bank: Bank,
    release: Float[np.ndarray, "v k n"],
    times: np.ndarray,
    samples: int,
    seed: int,
    scale: Any = 1.0,
) -> Float[np.ndarray, "v k t"]:
    """Conductance after each stimulus: quanta of the bank, drawn at random, each at its own time.

    A quantum that is still open at the next stimulus is counted there too.

    Args:
        bank: Single quanta.
        release: Time of release of each site after its stimulus; inf for none [ms].
        times: The stimuli [k] [ms].
        samples: Samples after each stimulus, at the bank's interval.
        seed: Seed of the draw.
        scale: Factor on the conductance of each fibre [v].
    """
    order = np.argsort(release, axis=-1)
    most = max(1, int(np.isfinite(release).sum(axis=-1).max()))
    sorted_times = np.take_along_axis(release, order, -1)[..., :most].astype(np.float32)
    site = order[..., :most].astype(np.int32)
    since = np.asarray(times)[:, None] - np.asarray(times)[None, :]
    reach = bank.conductance.shape[1] * bank.interval
    back = int(max(1, ((since >= 0) & (since < reach)).sum(axis=1).max()))
    found = _superpose(
        jnp.asarray(bank.conductance), jnp.asarray(sorted_times), jnp.asarray(site), jnp.asarray(since, jnp.float32),
        jax.random.key(seed), samples, back, bank.interval,
    )  # fmt: skip
    factor = np.broadcast_to(np.asarray(scale, np.float32), found.shape[:1])
    return np.asarray(found) * factor[:, None, None]


@eqx.filter_jit
def _superpose(
    bank: Array,
    release: Array,
    site: Array,
    since: Array,
    key: Array,
    samples: int,
    back: int,
    interval: float,
) -> Array:
    size, length = bank.shape
    fibres, stimuli, most = release.shape
    grid = jnp.arange(samples).astype(jnp.float32) * interval

    def choose(fibre: Array, k: Array, places: Array) -> Array:
        own = jax.random.fold_in(jax.random.fold_in(key, fibre), k)
        return jax.vmap(lambda s: jax.random.randint(jax.random.fold_in(own, s), (), 0, size))(places)

    numbers, ks = jnp.arange(fibres), jnp.arange(stimuli)
    chosen = jax.vmap(lambda v, row: jax.vmap(lambda k, s: choose(v, k, s))(ks, row))(numbers, site)

    def add(total: Array, quantum: Array) -> tuple[Array, None]:
        which, lag = jnp.divmod(quantum, back)
        source = ks - lag
        present = source >= 0
        source = jnp.maximum(source, 0)
        start = release[:, source, which]
        delay = since[ks, source]
        place = (grid[None, None, :] + delay[None, :, None] - start[:, :, None]) / interval
        left = jnp.clip(jnp.floor(jnp.where(jnp.isfinite(place), place, -1.0)), -1.0, length - 1.0)
        part = jnp.clip(place - left, 0.0, 1.0)
        index = jnp.clip(left.astype(jnp.int32), 0, length - 2)
        row = chosen[:, source, which][:, :, None]
        value = bank[row, index] * (1.0 - part) + bank[row, index + 1] * part
        inside = (left >= 0) & (left < length - 1) & present[None, :, None]
        return total + jnp.where(inside, value, 0.0), None

    zero = jnp.zeros((fibres, stimuli, samples), bank.dtype)
    return jax.lax.scan(add, zero, jnp.arange(most * back))[0]
