"""A kinetic scheme as data: states, transitions, ligands, conductance, and how many molecules each state holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from nmjmc.errors import ValidationError, nearest
from nmjmc.types import RateMatrix, RateVector

FIRST_ORDER = "/s"
SECOND_ORDER = "/M/s"


@dataclass(frozen=True)
class Transition:
    """One arrow of a scheme; at most one molecule is taken or given in it.

    Attributes:
        source: State it leaves.
        target: State it enters.
        rate: Name of its rate.
        factor: Statistical factor (2 for the first of two equal sites).
        binds: Ligand that is taken from solution; the rate is then of second order.
        releases: Ligand that goes back to solution.
        destroys: Held ligand that is split in this transition.
    """

    source: str
    target: str
    rate: str
    factor: float = 1.0
    binds: str | None = None
    releases: str | None = None
    destroys: str | None = None


class Scheme(eqx.Module):
    """A Markov scheme of a receptor or an enzyme; data only, so that the kernel knows none by name.

    Attributes:
        name: Name, for messages and files.
        states: Names of the states; their order is the state's number in the kernel.
        transitions: The arrows.
        resting: State in the absence of every ligand.
        conductance: Conductance of each state relative to the full open channel (0 closed).
        transmitter: Ligand that is followed as particles; any other is a bath at a stated concentration.
        q10: Default Q10 of each rate that has one, as pairs (rate name, value).
    """

    name: str = eqx.field(static=True)
    states: tuple[str, ...] = eqx.field(static=True, converter=tuple)
    transitions: tuple[Transition, ...] = eqx.field(static=True, converter=tuple)
    resting: str = eqx.field(static=True)
    conductance: tuple[float, ...] = eqx.field(static=True, converter=lambda v: tuple(float(x) for x in v))
    transmitter: str = eqx.field(static=True, default="ACh")
    q10: tuple[tuple[str, float], ...] = eqx.field(static=True, default=())

    def __check_init__(self) -> None:
        _check_names(self)
        _check_transitions(self)
        self.held(self.transmitter)

    @property
    def rate_names(self) -> tuple[str, ...]:
        """Names of the rates, in the order of their first use."""
        return tuple(dict.fromkeys(t.rate for t in self.transitions))

    @property
    def ligands(self) -> tuple[str, ...]:
        """Ligands that bind in some transition, in the order of their first use."""
        return tuple(dict.fromkeys(t.binds for t in self.transitions if t.binds))

    @property
    def bath_ligands(self) -> tuple[str, ...]:
        """Ligands that are held at a stated concentration."""
        return tuple(name for name in self.ligands if name != self.transmitter)

    @property
    def bound(self) -> np.ndarray:
        """Molecules of transmitter held by each state, int [s]."""
        return self.held(self.transmitter)

    def held(self, ligand: str) -> np.ndarray:
        """Molecules of a ligand held by each state, int [s].

        Raises:
            ValidationError: If two paths to one state disagree, or a state would hold less than none.
        """
        return np.array(_bound_molecules(self.name, self.states, self.transitions, self.resting, ligand))

    @property
    def open_states(self) -> tuple[str, ...]:
        """States that conduct."""
        return tuple(s for s, g in zip(self.states, self.conductance, strict=True) if g > 0)

    def index(self, state: str) -> int:
        """Number of a state.

        Raises:
            ValidationError: If the scheme has no such state.
        """
        if state not in self.states:
            raise ValidationError(
                f"state of {self.name}", repr(state), "a state of the scheme", nearest(state, self.states)
            )
        return self.states.index(state)

    def binds_by_rate(self) -> dict[str, bool]:
        """Whether each rate is of second order."""
        return {t.rate: t.binds is not None for t in self.transitions}

    def unit(self, rate: str) -> str:
        """Stated unit of a rate at the edge: `/M/s` if it binds, else `/s`."""
        return SECOND_ORDER if self.binds_by_rate()[rate] else FIRST_ORDER

    def transition_rates(self, rates: Mapping[str, Any]) -> RateVector:
        """Factor times rate of each transition [um^3/ms if it binds, else 1/ms], shape [k].

        Args:
            rates: Value of every rate, internal units.
        """
        return jnp.stack([t.factor * jnp.asarray(rates[t.rate], _float()) for t in self.transitions])

    def transition_values(self, rates: Mapping[str, Any]) -> np.ndarray:
        """`transition_rates` of known values, computed on the host to the same bits; float64 [k]."""
        kind = np.dtype(_float())
        values = [kind.type(t.factor) * np.asarray(rates[t.rate], kind) for t in self.transitions]
        return np.array(values, np.float64)

    def q_matrix(self, rates: Mapping[str, Any], concentrations: Mapping[str, Any]) -> RateMatrix:
        """Generator of the chain at constant concentrations [1/ms], shape [s, s]; rows add up to zero.

        Args:
            rates: Value of every rate, internal units.
            concentrations: Molecules per um^3 of every ligand.
        """
        flux = self.transition_rates(rates) * self._driving(concentrations)
        return jnp.einsum("k,kij->ij", flux, jnp.asarray(self._stoichiometry(), flux.dtype))

    def _driving(self, concentrations: Mapping[str, Any]) -> jax.Array:
        one = jnp.ones((), _float())
        levels = [
            jnp.asarray(concentrations[t.binds], _float()) if t.binds else one for t in self.transitions
        ]
        return jnp.stack(levels)

    def _stoichiometry(self) -> np.ndarray:
        """For each transition, the matrix by which its rate enters Q, [k, s, s]."""
        matrix = np.zeros((len(self.transitions), len(self.states), len(self.states)))
        for k, t in enumerate(self.transitions):
            i, j = self.states.index(t.source), self.states.index(t.target)
            matrix[k, i, j] += 1.0
            matrix[k, i, i] -= 1.0
        return matrix


def _float() -> Any:
    """The default float type: float32, or float64 where the user has switched it on."""
    return jax.dtypes.canonicalize_dtype(float)


def _check_names(scheme: Scheme) -> None:
    where = f"scheme {scheme.name}"
    if len(scheme.states) < 2 or len(set(scheme.states)) != len(scheme.states):
        raise ValidationError(f"{where}: states", list(scheme.states), "two or more different names")
    if len(scheme.conductance) != len(scheme.states):
        raise ValidationError(
            f"{where}: conductance", list(scheme.conductance), f"{len(scheme.states)} numbers, one a state"
        )
    if not all(np.isfinite(g) and g >= 0 for g in scheme.conductance):
        raise ValidationError(f"{where}: conductance", list(scheme.conductance), "zero or positive")
    if scheme.resting not in scheme.states:
        hint = nearest(scheme.resting, scheme.states)
        raise ValidationError(f"{where}: resting", repr(scheme.resting), "one of the states", hint)
    for name, _ in scheme.q10:
        if name not in scheme.rate_names:
            hint = nearest(name, scheme.rate_names)
            raise ValidationError(f"{where}: q10", repr(name), "one of the rates", hint)


def _check_transitions(scheme: Scheme) -> None:
    order: dict[str, bool] = {}
    for t in scheme.transitions:
        where = f"scheme {scheme.name}: transition {t.source} -> {t.target}"
        for state in (t.source, t.target):
            if state not in scheme.states:
                hint = nearest(state, scheme.states)
                raise ValidationError(where, repr(state), "between states of the scheme", hint)
        if t.source == t.target:
            raise ValidationError(where, t.source, "between two different states")
        if not (np.isfinite(t.factor) and t.factor > 0):
            raise ValidationError(f"{where}: factor", t.factor, "positive")
        if (t.binds and t.releases) or (t.releases and t.destroys):
            raise ValidationError(where, "binding or splitting and releasing at once", "of one molecule")
        if order.setdefault(t.rate, t.binds is not None) != (t.binds is not None):
            raise ValidationError(
                f"{where}: rate", repr(t.rate), "either of first or of second order wherever it is used"
            )


def _gain(transition: Transition, ligand: str) -> int:
    """Molecules of the ligand that the site holds more after the transition (-1, 0 or 1)."""
    taken = transition.binds == ligand
    lost = (transition.releases == ligand) + (transition.destroys == ligand)
    return int(taken) - int(lost)


def _bound_molecules(
    name: str, states: tuple[str, ...], transitions: tuple[Transition, ...], resting: str, ligand: str
) -> list[int]:
    """Molecules held by each state, counted along the arrows from the resting state, which holds none.

    Args:
        name: The scheme's name, for the message.
        states: Its states.
        transitions: Its arrows.
        resting: The state that holds nothing.
        ligand: The ligand to count.

    Returns:
        One number a state.

    Raises:
        ValidationError: If two paths disagree, a state would hold less than none or cannot be reached.
    """
    held = {resting: 0}
    frontier = [resting]
    while frontier:
        here = frontier.pop()
        for other, more in _neighbours(transitions, here, ligand):
            if other not in held:
                held[other] = held[here] + more
                frontier.append(other)
            elif held[other] != held[here] + more:
                raise ValidationError(
                    f"scheme {name}: {ligand} held by {other}",
                    f"{held[other]} along one path and {held[here] + more} along another",
                    "one number",
                    "look at binds, releases and destroys of its transitions",
                )
    for state in states:
        if state not in held:
            raise ValidationError(f"scheme {name}: state {state}", "unreachable", "joined to the others")
        if held[state] < 0:
            raise ValidationError(f"scheme {name}: {ligand} held by {state}", held[state], "zero or more")
    return [held[state] for state in states]


def _neighbours(transitions: tuple[Transition, ...], state: str, ligand: str) -> list[tuple[str, int]]:
    ahead = [(t.target, _gain(t, ligand)) for t in transitions if t.source == state]
    behind = [(t.source, -_gain(t, ligand)) for t in transitions if t.target == state]
    return ahead + behind
