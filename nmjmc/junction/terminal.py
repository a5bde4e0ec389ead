"""The motor nerve terminal as parameters: action potential, calcium channels, sensor, pools of vesicles."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from nmjmc import above
from nmjmc.errors import ValidationError
from nmjmc.numbers import as_count
from nmjmc.synapse.parameter import check_parameters, parameter
from nmjmc.types import Scalar


class Terminal(eqx.Module):
    """A human motor nerve terminal.

    A zone here is a functional release site, which stands for some three active zones: a cluster of P/Q channels and
    several places for vesicles. One of them is near the channels, and only the vesicle there is released, almost
    surely. Between spikes the vesicles of a zone change places, so that what a spike finds near the channels is as
    full as all. Hence a count that varies as that of few and nearly certain sites (rat: n of 45 to 53, p of 0.82 to
    0.90 [V-abs]), from a store that loses some 14 % a spike (human: 200 to 240 vesicles, p about 0.15 [M]). Some
    releases leave their zone silent until it has been cleared: in trains n falls, while p falls hardly [V-abs]. Rates,
    conductance and diffusion hold at the reference temperature. One Q10, that of the synaptic delay, moves all that
    a spike does: its width, the channels' gating, the sensor. So a change of temperature stretches release in time
    and leaves the quantal content, which is about the same in humans at 22 degC [M].

    Attributes:
        zones: Functional release sites.
        sites_per_zone: Places for vesicles in a zone, of which one is near the channels.
        channels_per_zone: Calcium channels of a zone.
        zone_fraction: Part of the zones that is there (each at random, the same at every stimulus).
        channel_fraction: Part of the channels that is there (each at random, the same at every stimulus).
        channel_distance: From a zone's channels to the vesicle near them [um].
        disorder: Root mean square displacement of channels that have lost their places [um]; those of a zone go
            together, and every zone has its own, the same at every stimulus.
        delay: From the stimulus to the peak of the action potential in the terminal [ms].
        resting_potential: Of the terminal [mV].
        spike_height: Of the action potential [mV].
        spike_width: Full width at half height, a Gaussian in time [ms].
        half_activation: Potential at which a channel is open half the time [mV].
        activation_slope: e-fold change of its equilibrium constant [mV].
        gating_rate: Opening rate and closing rate at that potential [1/ms].
        channel_conductance: Of an open channel at 2 mM calcium outside [uS].
        calcium_reversal: [mV].
        calcium_outside: [uM].
        calcium_half: Concentration outside at which the current is half its greatest [uM].
        calcium_diffusion: In the cytoplasm [um^2/ms].
        buffer_length: Distance over which the mobile buffer catches calcium [um].
        sensor_binding: Of calcium at each of five sites [1/(uM ms)].
        sensor_unbinding: From the first site [1/ms].
        sensor_cooperativity: Factor on unbinding for each further ion bound, b.
        fusion_rate: With five ions bound [1/ms].
        facilitation: Residual calcium that a normal stimulus leaves in the components of the fast and the slow
            facilitation, augmentation and potentiation [uM]. It is what the release sensor feels, more than the
            free calcium of the terminal, and so stands for a second, more sensitive sensor too.
        facilitation_times: Their time constants [ms]; they and the pools have no temperature here.
        refilling_rate: Of an empty site, at rest and with a full recycling pool [1/ms].
        refilling_gain: How much the residual calcium of slow facilitation and augmentation speeds it [1/uM].
        occlusion: Chance that a release leaves its zone silent: the membrane and proteins of the vesicle that fused
            are in the way until they have been cleared (Neher 2010).
        clearing_rate: At which a silent zone can release again, at rest [1/ms].
        clearing_gain: How much the residual calcium of slow facilitation and augmentation speeds it [1/uM].
        recycling_pool: Vesicles that can refill sites.
        reserve_pool: All other vesicles.
        recycling_time: Of a vesicle, from fusion to the recycling pool [ms].
        mobilisation_rate: From the reserve, for each vacancy of the recycling pool [1/ms].
        spontaneous_rate: Of a full terminal at rest, miniatures [1/ms].
        temperature: Of the terminal [degC].
        reference_temperature: Temperature at which all values hold [degC].
        release_q10: Q10 of the spike, the channels' gating and the sensor.

    References:
        Sites that have to be cleared limit release in trains: Neher 2010, Front Synaptic Neurosci 2:144 [V-abs].
        Cut rat diaphragm, m, n and p at rest and in trains: physics.md 3.2 [V-abs].
        Five-site sensor: Schneggenburger & Neher 2000, Nature 406:889 [M]. Domain of an open channel in a fast
        buffer: Neher 1998, Cell Calcium 24:345 [M]. Facilitation: Brain Res 1981, 204:327 (mouse, 20 degC: 0.5
        at once, 35 and 163 ms) [V-abs]; augmentation 7 s, potentiation 30 s to minutes: Magleby & Zengel [V-abs].
        Q10 of the delay: Katz & Miledi 1965 [V-2nd].
    """

    zones: int = eqx.field(
        static=True, converter=as_count, default=38
    )  # 31 quanta at p 0.8; rat 45 to 53 for 40 to 45 [V-abs]
    sites_per_zone: int = eqx.field(
        static=True, converter=as_count, default=6
    )  # 228 in all, physics.md 2.2 and 3.4: 200 to 240 [M]
    channels_per_zone: int = eqx.field(
        static=True, converter=as_count, default=36
    )  # [D]; mouse has four an active zone [M]
    zone_fraction: Scalar = parameter("", "0", "1", default=1.0)
    channel_fraction: Scalar = parameter("", "0", "1", default=1.0)
    channel_distance: Scalar = parameter("nm", "5 nm", "500 nm", default=0.065)  # [D]
    disorder: Scalar = parameter("nm", "0 nm", "500 nm", default=0.0)
    delay: Scalar = parameter("ms", "0.2 ms", "20 ms", default=1.0)  # [D]
    resting_potential: Scalar = parameter("mV", "-110 mV", "-40 mV", default=-75.0)  # [D]
    spike_height: Scalar = parameter("mV", "0 mV", "160 mV", default=100.0)  # [D]
    spike_width: Scalar = parameter("ms", "0.02 ms", "20 ms", default=0.25)  # 0.2 to 0.3 at 37 degC [M]
    half_activation: Scalar = parameter("mV", "-80 mV", "60 mV", default=-5.0)  # [D]
    activation_slope: Scalar = parameter("mV", "1 mV", "50 mV", default=7.0)  # [D]
    gating_rate: Scalar = parameter(
        "/ms", "0 /ms", "100 /ms", default=0.25
    )  # [D]; 0.1 to 0.2 open in a spike [M]
    channel_conductance: Scalar = parameter("pS", "0 pS", "100 pS", default=2.7e-6)  # 2.7 pS [M]
    calcium_reversal: Scalar = parameter("mV", "0 mV", "200 mV", default=50.0)  # [D]
    calcium_outside: Scalar = parameter("mM", "0 mM", "100 mM", default=2000.0)
    calcium_half: Scalar = parameter("mM", "0.01 mM", "1000 mM", default=3000.0)  # [D]
    calcium_diffusion: Scalar = parameter("um^2/s", "1 um^2/s", "1000 um^2/s", default=0.22)  # [M]
    buffer_length: Scalar = parameter("nm", "1 nm", "10000 nm", default=0.1)  # [D]
    # at 22 degC 3.0e8 /M/s; the calyx's are 1e8 and 3e8 [M]; tuned to the quantal content [D]
    sensor_binding: Scalar = parameter("", "0", "100", default=1.13)
    # at 22 degC 9.5 and 6 /ms [M], warmed by 2.42^1.5
    sensor_unbinding: Scalar = parameter("/ms", "0 /ms", "1000 /ms", default=35.8)
    sensor_cooperativity: Scalar = parameter("", "0.001", "1", default=0.25)  # [M]
    fusion_rate: Scalar = parameter("/ms", "0 /ms", "1000 /ms", default=22.6)
    facilitation: Array | np.ndarray = parameter(
        "uM", "0 uM", "100 uM", ndim=1, default=(2.0, 0.33, 0.012, 0.006)
    )  # tuned to 0.5 in all [V-abs]; its split and the slow ones [D]
    facilitation_times: Array | np.ndarray = parameter(
        "ms", "1 ms", "1e7 ms", ndim=1, default=(35.0, 163.0, 7e3, 6e4)
    )  # mouse at 20 degC, then frog [V-abs]
    # these five are tuned together: 40 Hz falls to 0.75 to 0.80 and stays (mouse [M]), in trains n falls and p hardly
    # (cut rat diaphragm [V-abs])
    refilling_rate: Scalar = parameter("/s", "0 /s", "1000 /s", default=2.5e-3)  # [D], tuned
    refilling_gain: Scalar = parameter("", "0", "1000", default=10.0)  # [D], tuned
    occlusion: Scalar = parameter("", "0", "1", default=0.1)  # [D], tuned
    clearing_rate: Scalar = parameter("/s", "0 /s", "1000 /s", default=8e-4)  # [D], tuned
    clearing_gain: Scalar = parameter("", "0", "1000", default=3.5)  # [D], tuned
    recycling_pool: Scalar = parameter("", "1", "1e8", default=5e4)  # a tenth of all [D]
    reserve_pool: Scalar = parameter("", "0", "1e8", default=4.5e5)  # half a million vesicles in all
    recycling_time: Scalar = parameter("ms", "1 ms", "1e7 ms", default=3e4)  # [D]
    mobilisation_rate: Scalar = parameter("/s", "0 /s", "10 /s", default=1e-5)  # 0.01 /s [D]
    spontaneous_rate: Scalar = parameter("/s", "0 /s", "1000 /s", default=2e-4)  # 0.2 /s [D]
    temperature: Scalar = parameter("degC", "0 degC", "45 degC", default=37.0)
    reference_temperature: Scalar = parameter("degC", "0 degC", "45 degC", default=37.0)
    release_q10: Scalar = parameter("", "0.5", "10", default=2.42)  # of the synaptic delay [V-2nd]

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        check_parameters(self, "terminal")
        for name in ("zones", "sites_per_zone", "channels_per_zone"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10_000:
                raise ValidationError(f"terminal.{name}", value, "a whole number from 1 to 10000")
        for name in ("facilitation", "facilitation_times"):
            if np.shape(getattr(self, name))[-1] != 4:
                raise ValidationError(f"terminal.{name}", f"{np.shape(getattr(self, name))}", "four numbers")

    @property
    def sites(self) -> int:
        """Release sites of the terminal."""
        return self.zones * self.sites_per_zone

    @property
    def speed(self) -> Any:
        """How much faster the processes of a spike are than at the reference temperature."""
        return self.release_q10 ** ((self.temperature - self.reference_temperature) / 10.0)

    def effective(self) -> Terminal:
        """The same terminal with the width of its spike and all rates of a spike at its temperature.

        Conductance and diffusion of calcium both rise (Q10 1.3 [M]); only their quotient counts, which stays.
        """
        speed = self.speed
        rates = ("gating_rate", "sensor_binding", "sensor_unbinding", "fusion_rate")
        changed = {name: getattr(self, name) * speed for name in rates}
        changed |= {"spike_width": self.spike_width / speed, "reference_temperature": self.temperature}
        names = tuple(changed)
        return eqx.tree_at(lambda t: [getattr(t, n) for n in names], self, [changed[n] for n in names])

    @property
    def relative_current(self) -> Any:
        """Current of an open channel over that at 2 mM calcium outside."""
        return _saturation(self.calcium_outside, self.calcium_half) / _saturation(2000.0, self.calcium_half)

    def spike(self, time: Any) -> Any:
        """Potential of the terminal at a time after the stimulus [mV]."""
        away = (time - self.delay) / self.spike_width
        return self.resting_potential + self.spike_height * jnp.exp2(-4.0 * away**2)

    def domain(self, distance: Any) -> Any:
        """Steady calcium at a distance from a channel that passes 1 nA [uM].

        c = i / (8 pi F D r) exp(-r / lambda) (Neher 1998).
        """
        # nA / (F D um) = 1e-9 mol/s / 96485 / (1e-9 m^2/s 1e-6 m) = 1e6 / 96485 mol/m^3 = 1e9 / 96485 uM
        unit = 1e9 / (8.0 * np.pi * 96485.0)
        reach = jnp.exp(-distance / self.buffer_length)
        return unit * reach / (self.calcium_diffusion * distance)

    def channel_current(self, potential: Any) -> Any:
        """Inward current of an open channel, positive [nA]."""
        inward = jnp.maximum(self.calcium_reversal - potential, 0.0)
        return self.channel_conductance * self.relative_current * inward


def _saturation(outside: Any, half: Any) -> Any:
    return outside / (outside + half)
