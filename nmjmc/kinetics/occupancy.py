"""How many molecules of a ligand each state of a scheme holds, derived from its transitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nmjmc.errors import ValidationError

if TYPE_CHECKING:
    from nmjmc.kinetics.scheme import Transition


def gain(transition: Transition, ligand: str) -> int:
    """Molecules of the ligand that the site holds more after the transition (-1, 0 or 1)."""
    taken = transition.binds == ligand
    lost = (transition.releases == ligand) + (transition.destroys == ligand)
    return int(taken) - int(lost)


def bound_molecules(
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
    ahead = [(t.target, gain(t, ligand)) for t in transitions if t.source == state]
    behind = [(t.source, -gain(t, ligand)) for t in transitions if t.target == state]
    return ahead + behind
