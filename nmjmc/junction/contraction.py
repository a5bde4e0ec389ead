"""Excitation-contraction coupling as parameters: calcium release, its buffers, and the cross-bridges."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import numpy as np

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


class Contraction(eqx.Module):
    """Half a sarcomere of a fast fibre near 20 degC: two compartments of myoplasm and two of reticulum.

    Concentrations [uM], rates [1/ms] and [1/(uM ms)], volumes [um^3]. All values are those of the published
    code of Shorten et al. 2007, J Muscle Res Cell Motil 28:293 [V]; phosphate, which does nothing in short
    trains, is left out.

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
    """

    sensor_voltage: Scalar = parameter("mV", "-100 mV", "100 mV", default=-20.0)
    sensor_width: Scalar = parameter("mV", "0.5 mV", "50 mV", default=4.5)
    sensor_rate: Scalar = _rate(0.2)
    allosteric: Scalar = parameter("", "0.01", "1", default=0.2)
    channel_opening: Scalar = _rate(0.002)
    channel_closing: Scalar = _rate(1000.0)
    release_flux: Scalar = parameter("um^3/ms", "0 um^3/ms", "1e5 um^3/ms", default=300.0)
    uptake: Scalar = parameter("", "0", "1e3", default=4.875)
    uptake_constant: Scalar = _total(1.0)
    reticulum_leak: Scalar = parameter("um^3/ms", "0 um^3/ms", "1 um^3/ms", default=2e-5)
    exchange: Scalar = parameter("um^3/ms", "0 um^3/ms", "100 um^3/ms", default=0.75)
    length: Scalar = parameter("um", "0.5 um", "3 um", default=1.1)
    radius: Scalar = parameter("um", "0.1 um", "5 um", default=0.5)
    troponin_on: Scalar = _bind(0.04425)
    troponin_off: Scalar = _rate(0.115)
    troponin_total: Scalar = _total(140.0)
    parvalbumin_on: Scalar = _bind(0.0417)
    parvalbumin_off: Scalar = _rate(0.0005)
    parvalbumin_total: Scalar = _total(1500.0)
    magnesium_on: Scalar = _bind(3.3e-5)
    magnesium_off: Scalar = _rate(0.003)
    calsequestrin_on: Scalar = _bind(4e-6)
    calsequestrin_off: Scalar = _rate(0.005)
    calsequestrin_total: Scalar = _total(31000.0)
    atp_on: Scalar = _bind(0.15)
    atp_off: Scalar = _rate(30.0)
    atp_magnesium_on: Scalar = _bind(0.0015)
    atp_magnesium_off: Scalar = _rate(0.15)
    atp_exchange: Scalar = parameter("um^3/ms", "0 um^3/ms", "100 um^3/ms", default=0.375)
    magnesium_exchange: Scalar = parameter("um^3/ms", "0 um^3/ms", "100 um^3/ms", default=1.5)
    shift_off: Scalar = _rate(0.15)
    shift_calcium_on: Scalar = _rate(0.15)
    shift_calcium_off: Scalar = _rate(0.05)
    attach: Scalar = _rate(1.5)
    detach: Scalar = _rate(15.0)
    stroke: Scalar = _rate(0.24)
    unstroke: Scalar = _rate(0.18)
    release: Scalar = _rate(0.12)

    def __check_init__(self) -> None:
        check_parameters(self, "contraction")

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
