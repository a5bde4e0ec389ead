"""Excitation-contraction coupling as parameters: calcium release, its buffers, and the cross-bridges."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np

from nmjmc import above
from nmjmc.synapse.parameter import check_parameters, parameter
from nmjmc.types import Scalar

_RATE = ("/ms", "0 /ms", "1e6 /ms")
_TOTAL = ("uM", "0 uM", "1e6 uM")


def _rate(default: float) -> Any:
    return parameter(*_RATE, default=default)


def _bind(default: float) -> Any:
    # 1/(uM ms): the package's own second-order unit is per molecule, while these concentrations stay in uM
    return parameter("", "0", "1e3", default=default)


def _total(default: float) -> Any:
    return parameter(*_TOTAL, default=default)


def _q10(default: float) -> Any:
    return parameter("", "0.5", "10", default=default)


class Contraction(eqx.Module):
    """Half a sarcomere of a human limb fibre at 37 degC: two compartments of myoplasm and two of reticulum.

    Concentrations [uM], rates [1/ms] and [1/(uM ms)], volumes [um^3]. Equations and, where nothing else is said,
    values are those of the slow fibre in the published code of Shorten et al. 2007, J Muscle Res Cell Motil 28:293
    [V]; phosphate, which does nothing in short trains, is left out. Those values were made for mouse at 20 degC; that
    they stand for man at 37 degC, whose muscles are slower, is a choice, and where that is not enough the
    parameter's comment says what was changed. `mouse` has the published sets as they are.

    Attributes:
        sensor_voltage: Vbar of the voltage sensor [mV].
        sensor_width: K of the voltage sensor [mV].
        sensor_rate: alpha_1 of its four moves.
        allosteric: f, the factor of each move on the opening of the release channel.
        channel_opening: k_L of the release channel with no sensor moved.
        channel_closing: k_-L of the same.
        release_flux: i_2, flux through an open channel [um^3/ms].
        uptake: nu_SR of the pump [uM um^3/ms].
        uptake_constant: K_SR [uM].
        reticulum_leak: L_e [um^3/ms].
        exchange: Of calcium between the parts of the myoplasm, and of the reticulum [um^3/ms].
        length, radius: of the half sarcomere [um].
        troponin_on, troponin_off, troponin_total: calcium on troponin.
        parvalbumin_on, parvalbumin_off, parvalbumin_total: calcium on parvalbumin.
        magnesium_on, magnesium_off: magnesium on parvalbumin.
        calsequestrin_on, calsequestrin_off, calsequestrin_total: calcium on calsequestrin.
        atp_on, atp_off: calcium on ATP.
        atp_magnesium_on, atp_magnesium_off: magnesium on ATP.
        atp_exchange, magnesium_exchange: between the parts of the myoplasm [um^3/ms].
        shift_off, shift_calcium_on, shift_calcium_off: k_0-, k_Ca+, k_Ca- of tropomyosin.
        attach, detach: f_o and f_p of the cross-bridge.
        stroke, unstroke: h_o and h_p.
        release: g_o.
        temperature: Of the fibre [degC].
        reference_temperature: Temperature at which all values hold [degC].
        sensor_q10: Of sensors and release channels.
        pump_q10: Of the pump.
        bridge_q10: Of cross-bridges and tropomyosin.
        diffusion_q10: Of diffusion, of the flux through channel and leak, and of the binding and unbinding of ions.
    """

    sensor_voltage: Scalar = parameter("mV", "-100 mV", "100 mV", default=-20.0)
    sensor_width: Scalar = parameter("mV", "0.5 mV", "50 mV", default=4.5)
    sensor_rate: Scalar = _rate(0.95)  # 0.2 at 20 degC [V], by its Q10 [C]
    allosteric: Scalar = parameter("", "0.01", "1", default=0.2)
    channel_opening: Scalar = _rate(0.002)
    channel_closing: Scalar = _rate(1000.0)
    release_flux: Scalar = parameter("um^3/ms", "0 um^3/ms", "1e5 um^3/ms", default=60.0)
    # 2.4375 in the slow and 4.875 in the fast fibre [V]; between them, as of mixed muscle [D]
    uptake: Scalar = parameter("", "0", "1e3", default=3.4)
    uptake_constant: Scalar = _total(1.0)
    reticulum_leak: Scalar = parameter("um^3/ms", "0 um^3/ms", "1 um^3/ms", default=4e-5)
    # 0.75 at 20 degC [V], by its Q10 [C]
    exchange: Scalar = parameter("um^3/ms", "0 um^3/ms", "100 um^3/ms", default=1.5)
    length: Scalar = parameter("um", "0.5 um", "3 um", default=1.0)
    radius: Scalar = parameter("um", "0.1 um", "5 um", default=0.5)
    troponin_on: Scalar = _bind(0.0885)
    troponin_off: Scalar = _rate(0.115)
    troponin_total: Scalar = _total(140.0)
    parvalbumin_on: Scalar = _bind(0.0417)
    parvalbumin_off: Scalar = _rate(0.0005)
    # at most 0.001 g/kg in human vastus and triceps [V-abs Heizmann et al. 1982, PNAS 79:7243]
    parvalbumin_total: Scalar = _total(0.0)
    magnesium_on: Scalar = _bind(3.3e-5)
    magnesium_off: Scalar = _rate(0.003)
    # 4e-6 and 0.005 [V]: so slow that a spike finds only the reticulum's free calcium; here 50 times as fast, tuned to
    # the twitch over the tetanus [D]
    calsequestrin_on: Scalar = _bind(2e-4)
    calsequestrin_off: Scalar = _rate(0.25)
    calsequestrin_total: Scalar = _total(31000.0)
    atp_on: Scalar = _bind(0.15)
    atp_off: Scalar = _rate(30.0)
    atp_magnesium_on: Scalar = _bind(0.0015)
    atp_magnesium_off: Scalar = _rate(0.15)
    # 0.375 [V], by Q10 [C]
    atp_exchange: Scalar = parameter("um^3/ms", "0 um^3/ms", "100 um^3/ms", default=0.75)
    # 1.5 at 20 degC [V], by its Q10 [C]
    magnesium_exchange: Scalar = parameter("um^3/ms", "0 um^3/ms", "100 um^3/ms", default=3.0)
    shift_off: Scalar = _rate(0.15)
    shift_calcium_on: Scalar = _rate(0.15)
    shift_calcium_off: Scalar = _rate(0.05)
    # 0.35 of the published 0.5, 5, 0.08, 0.06 and 0.04 [V], tuned to the time to the peak of a human
    # twitch: 35 to 80 ms in thenar units [V-abs Thomas et al. 1990, J Neurophysiol]
    attach: Scalar = _rate(0.175)
    detach: Scalar = _rate(1.75)
    stroke: Scalar = _rate(0.028)
    unstroke: Scalar = _rate(0.021)
    release: Scalar = _rate(0.014)
    temperature: Scalar = parameter("degC", "0 degC", "45 degC", default=37.0)
    reference_temperature: Scalar = parameter("degC", "0 degC", "45 degC", default=37.0)
    sensor_q10: Scalar = _q10(2.5)  # of rate constants [V] Cannon-Lab
    # 70 kJ/mol from 20 to 38 degC, of relaxation and of the pump alike [V-abs Stein et al. 1982, Biophys J 40:97]
    pump_q10: Scalar = _q10(2.5)
    # of the rise of force in a tetanus, rat and mouse [V-abs Stein et al. 1982]
    bridge_q10: Scalar = _q10(2.5)
    diffusion_q10: Scalar = _q10(1.5)  # of diffusion [V] Cannon-Lab; that ions bind alike is a choice

    def __repr__(self) -> str:
        return above.ask("text", self)

    def __check_init__(self) -> None:
        check_parameters(self, "contraction")

    def effective(self) -> Contraction:
        """The same fibre with every rate at its temperature."""
        tens = (self.temperature - self.reference_temperature) / 10.0
        faster = {name: getattr(self, q10) ** tens for q10, names in _PACE.items() for name in names}
        values = [getattr(self, name) * factor for name, factor in faster.items()]
        return eqx.tree_at(lambda c: [getattr(c, name) for name in faster], self, values)

    @property
    def greatest_force(self) -> Scalar:
        """Cross-bridges after the stroke over all troponin, in the steady state of much calcium.

        Then b2 / b1 = h_o / (h_p + g_o) and d2 f_o = b1 (f_p + h_o) - b2 h_p; d2 k_Ca- / k_Ca+ is not shifted.
        """
        after = self.stroke / (self.unstroke + self.release)
        before = self.attach / (self.detach + self.stroke - self.unstroke * after)
        unshifted = self.shift_calcium_off / self.shift_calcium_on
        return before * after / (1.0 + unshifted + before * (1.0 + after))

    @property
    def volumes(self) -> tuple[Scalar, Scalar, Scalar, Scalar]:
        """Myoplasm near the tubule and beyond, reticulum near the tubule and beyond [um^3]."""
        all_of_it = self.length * np.pi * self.radius**2
        myoplasm, reticulum = 0.95 * all_of_it, 0.05 * all_of_it
        return 0.01 * myoplasm, 0.99 * myoplasm, 0.01 * reticulum, 0.99 * reticulum


_PACE = {
    "sensor_q10": ("sensor_rate", "channel_opening", "channel_closing"),
    "pump_q10": ("uptake",),
    "bridge_q10": (
        "shift_off", "shift_calcium_on", "shift_calcium_off", "attach", "detach", "stroke", "unstroke", "release"
    ),
    "diffusion_q10": (
        "release_flux", "reticulum_leak", "exchange", "atp_exchange", "magnesium_exchange", "troponin_on",
        "troponin_off", "parvalbumin_on", "parvalbumin_off", "magnesium_on", "magnesium_off", "calsequestrin_on",
        "calsequestrin_off", "atp_on", "atp_off", "atp_magnesium_on", "atp_magnesium_off",
    ),
}  # fmt: skip
"""Which rate goes with which Q10."""

_MOUSE = {
    "sensor_rate": 0.2, "exchange": 0.75, "atp_exchange": 0.375, "magnesium_exchange": 1.5,
    "calsequestrin_on": 4e-6, "calsequestrin_off": 0.005, "temperature": 20.0, "reference_temperature": 20.0,
}  # fmt: skip
_FAST = {
    "release_flux": 300.0, "uptake": 4.875, "reticulum_leak": 2e-5, "length": 1.1, "troponin_on": 0.04425,
    "parvalbumin_total": 1500.0, "attach": 1.5, "detach": 15.0, "stroke": 0.24, "unstroke": 0.18, "release": 0.12,
}  # fmt: skip
_SLOW = {
    "release_flux": 60.0,
    "uptake": 2.4375,
    "attach": 0.5,
    "detach": 5.0,
    "stroke": 0.08,
    "unstroke": 0.06,
    "release": 0.04,
}


def mouse(*, slow: bool = False) -> Contraction:
    """A fast or a slow fibre of the mouse near 20 degC, with the constants of the published code [V].

    In a slow fibre parvalbumin does nothing.
    """
    return Contraction(**_MOUSE, **(_SLOW if slow else _FAST))
