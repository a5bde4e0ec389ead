"""Steady states against concentration: open probability, EC50, Hill slope, and an enzyme's turnover."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nmjmc.errors import ValidationError
from nmjmc.kinetics.chain import equilibrium, generator
from nmjmc.kinetics.scheme import Scheme

# range in which a half-maximal concentration is looked for [uM]: a pM to a mole in a litre's thousandth
_LOW, _HIGH = 1e-6, 1e9


def occupancy(
    scheme: Scheme, rates: Mapping[str, Any], concentration: float, bath: Mapping[str, float] | None = None
) -> np.ndarray:
    """Equilibrium occupancy of the states at a constant concentration of transmitter, shape [s].

    States that cannot be reached from the resting state at these concentrations stay empty.

    Args:
        scheme: The scheme.
        rates: Every rate, internal units.
        concentration: Transmitter [uM].
        bath: Concentration of every other ligand [uM].

    Raises:
        ValidationError: If there is no unique equilibrium, because a path from the resting state leads nowhere back.
    """
    q = generator(scheme, rates, {scheme.transmitter: concentration, **(bath or {})})
    order = _reachable(q, scheme.index(scheme.resting))
    result = np.zeros(len(q))
    try:
        result[order] = equilibrium(q[np.ix_(order, order)])
    except ValidationError as error:
        value = "one in which a site at rest changes for good"
        hint = "give each of its transitions a way back with a rate above zero"
        raise ValidationError(
            f"scheme {scheme.name}", value, "one with an equilibrium at rest", hint
        ) from error
    return result


def _reachable(q: np.ndarray, first: int) -> list[int]:
    """The states that can be reached from one of them, that one first."""
    kept = [first]
    for state in kept:  # grows as it is read
        kept += [j for j in np.flatnonzero(q[state] > 0).tolist() if j not in kept]
    return kept


def p_open(
    scheme: Scheme, rates: Mapping[str, Any], concentration: float, bath: Mapping[str, float] | None = None
) -> float:
    """Mean conductance at equilibrium, relative to a channel that is always fully open.

    For the two-site scheme E a^2/(1 + 2a + a^2 (1 + E)), a = [ACh]/K_d, E = beta/alpha.

    Args:
        scheme: The scheme.
        rates: Every rate, internal units.
        concentration: Transmitter [uM].
        bath: Concentration of every other ligand [uM].
    """
    return float(occupancy(scheme, rates, concentration, bath) @ np.asarray(scheme.conductance))


def p_open_max(scheme: Scheme, rates: Mapping[str, Any], bath: Mapping[str, float] | None = None) -> float:
    """Largest open probability over all concentrations (at infinity unless the transmitter itself blocks)."""
    return _peak(scheme, rates, bath)[1]


def ec50(scheme: Scheme, rates: Mapping[str, Any], bath: Mapping[str, float] | None = None) -> float:
    """Concentration of transmitter that gives half the largest open probability, on the rising limb [uM]."""
    import scipy.optimize  # slow to import

    top, largest = _peak(scheme, rates, bath)

    def excess(log_c: float) -> float:
        return p_open(scheme, rates, np.exp(log_c), bath) - largest / 2

    half = scipy.optimize.root_scalar(excess, bracket=(np.log(_LOW), top), method="brentq", xtol=1e-12)
    return float(np.exp(half.root))


def hill_slope(
    scheme: Scheme, rates: Mapping[str, Any], concentration: float, bath: Mapping[str, float] | None = None
) -> float:
    """Local Hill slope d ln(p/(p_max - p)) / d ln c at a concentration [uM]; 2 at low doses of two sites."""
    largest = p_open_max(scheme, rates, bath)

    def logit(log_c: float) -> float:
        p = p_open(scheme, rates, np.exp(log_c), bath)
        return float(np.log(p / (largest - p)))

    # a symmetric difference over +-1e-4 in ln c: error of order 1e-8, far above rounding
    middle, step = np.log(concentration), 1e-4
    return (logit(middle + step) - logit(middle - step)) / (2 * step)


def turnover(scheme: Scheme, rates: Mapping[str, Any], concentration: float) -> float:
    """Molecules split per active site and ms at a constant concentration of transmitter [uM]."""
    state = occupancy(scheme, rates, concentration)
    q = generator(scheme, rates, {scheme.transmitter: concentration})
    pairs = {(t.source, t.target) for t in scheme.transitions if t.destroys == scheme.transmitter}
    return float(sum(state[scheme.index(a)] * q[scheme.index(a), scheme.index(b)] for a, b in pairs))


def michaelis_menten(scheme: Scheme, rates: Mapping[str, Any]) -> tuple[float, float]:
    """k_cat [1/ms] and K_M [uM] of an enzyme that binds one molecule in one step.

    Then 1/v is exactly linear in 1/c, and two concentrations give both numbers; for E, EA, acylE they are
    k_cat = k_ac k_deac/(k_ac + k_deac), K_M = (k_off + k_ac) k_deac/(k_on (k_ac + k_deac)).

    Raises:
        ValidationError: If the scheme splits no transmitter, or its turnover is no hyperbola.
    """
    levels = np.array([1.0, 100.0, 10000.0])
    speed = np.array([turnover(scheme, rates, c) for c in levels])
    if not (speed > 0).all():
        raise ValidationError("scheme", repr(scheme.name), "one that splits the transmitter")
    slope = (1 / speed[0] - 1 / speed[1]) / (1 / levels[0] - 1 / levels[1])
    k_cat = 1.0 / (1 / speed[1] - slope / levels[1])
    k_m = slope * k_cat
    if not np.isclose(k_cat * levels[2] / (k_m + levels[2]), speed[2], rtol=1e-6):
        raise ValidationError("scheme", repr(scheme.name), "an enzyme with one binding step")
    return float(k_cat), float(k_m)


def _peak(scheme: Scheme, rates: Mapping[str, Any], bath: Mapping[str, float] | None) -> tuple[float, float]:
    """Logarithm of the concentration of the largest open probability, and that probability."""
    import scipy.optimize  # slow to import

    if not scheme.open_states:
        raise ValidationError("scheme", repr(scheme.name), "one with a conducting state")
    grid = np.linspace(np.log(_LOW), np.log(_HIGH), 200)
    values = [p_open(scheme, rates, np.exp(x), bath) for x in grid]
    best = int(np.argmax(values))
    if best in (0, len(grid) - 1):
        return float(grid[best]), values[best]
    optimum = scipy.optimize.minimize_scalar(
        lambda x: -p_open(scheme, rates, np.exp(x), bath),
        bounds=(grid[best - 1], grid[best + 1]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(optimum.x), -float(optimum.fun)
