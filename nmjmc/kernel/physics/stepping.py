"""How long a step of fixed length may be, and the chances of capture that go with it, for flat and folded clefts."""

# Host arrays are put where device arrays are declared.
# pyright: reportArgumentType=false

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from nmjmc.errors import ValidationError
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import capture
from nmjmc.kernel.physics.tables import Folds, Stepping
from nmjmc.synapse.cleft import Folded
from nmjmc.synapse.model import Synapse

AWAY = 2.0 / 3.0
"""Part of a step that a release stands for: the mean square of its distance from the plane is 2/3 of s^2."""

_SHARE = 0.42  # of the cleft's height: largest s of the default; with _REDUCED errors stay below 0.5 % (test_capture)
_FOLD_SHARE = 1.0 / 3.0
_REDUCED = 0.06
_BITS = 8  # significant bits of a step, so that adding it to a time is exact in float32


class Surface(NamedTuple):
    """A capturing surface on the host.

    Attributes:
        field: the parameter whose sites it carries.
        plane: 0 receptor, 1 esterase.
        area: area of a tile [um^2].
        sides: 1 where it reflects, 2 where molecules cross it.
    """

    field: str
    plane: int
    area: float
    sides: int


def chosen(numerics: Numerics, s: Synapse) -> bool:
    """Whether a run takes fixed steps.

    Raises:
        ValidationError: If the settings contradict the cleft or each other.
    """
    folded = isinstance(s.cleft, Folded)
    if folded and numerics.transport == "exact":
        hint = "did you mean 'stepped'?"
        raise ValidationError("numerics.transport", "'exact'", "'auto' or 'stepped' for a folded cleft", hint)
    stepped = folded or numerics.transport == "stepped"
    if numerics.diffusion_step is not None and not stepped:
        hint = "did you mean numerics.transport=stepped?"
        value = f"{numerics.diffusion_step * 1e3:g} us"
        raise ValidationError("numerics.diffusion_step", value, "left out where transport is exact", hint)
    return stepped


def lower_stepping(
    s: Synapse,
    numerics: Numerics,
    surfaces: list[Surface],
    binding: Float[np.ndarray, " states"],
    fastest: list[float],
    lattice: Folds | None,
) -> tuple[Stepping, np.ndarray, np.ndarray]:
    """The numbers of stepped transport, and the chances of each state to accept and, once freed, to be left.

    Args:
        s: the synapse.
        numerics: the settings.
        surfaces: the surfaces (two in a flat cleft, four with folds).
        binding: binding rate of each state [um^3/ms].
        fastest: the fastest of each plane; 0 where there are no sites.
        lattice: the lattices of the folds.

    Raises:
        ValidationError: If the step is too long.
    """
    diffusion, height = float(s.cleft.diffusion), float(s.cleft.height)
    lamina = height * float(s.esterase.position)
    velocity = [fastest[f.plane] / f.area / f.sides for f in surfaces]
    step = _step(s, numerics, surfaces, velocity)
    spread = math.sqrt(2 * diffusion * step)
    chance = capture.probability(np.array(velocity) * step / spread)
    states = len(binding)
    accept = np.zeros((len(surfaces) // 2, states))
    leave = np.ones((len(surfaces) // 2, states))
    for number, surface in enumerate(surfaces):
        mine = _states_of(s, surface.plane, states) & (binding > 0)
        reduced = np.where(mine, binding / surface.area / surface.sides * step / spread, 0.0)
        row = number // 2
        accept[row] += (
            capture.probability(reduced) / max(float(chance[number]), 1e-300) * (chance[number] > 0)
        )
        leave[row] = np.where(mine & (chance[number] > 0), capture.leaving(reduced), leave[row])
    stepping = Stepping(
        np.float32(step),
        np.float32(spread),
        np.float32(height),
        np.float32(lamina),
        np.float32(height - float(s.vesicle.release_depth)),
        chance.astype(np.float32),
        lattice,
    )
    return stepping, accept.ravel().astype(np.float32), leave.ravel().astype(np.float32)


def _states_of(s: Synapse, plane: int, states: int) -> Bool[np.ndarray, " states"]:
    number = np.arange(states)
    receptors = len(s.receptor.scheme.states)
    return (number < receptors) if plane == 0 else (number >= receptors)


def _step(s: Synapse, numerics: Numerics, surfaces: list[Surface], velocity: list[float]) -> float:
    """The length of a step [ms]: the default, or the user's if it is allowed."""
    diffusion, height = float(s.cleft.diffusion), float(s.cleft.height)
    lamina = height * float(s.esterase.position)
    narrow = min(height, 2 * lamina, 2 * (height - lamina)) if velocity[1] > 0 else height
    limits = {"cleft.height": (_SHARE * narrow, height)}
    if isinstance(s.cleft, Folded):
        width = float(s.cleft.fold_width)
        limits["cleft.fold_width"] = (_FOLD_SHARE * width, width)
    usual = min(a * a for a, _ in limits.values()) / (2 * diffusion)
    usual = min(
        [usual]
        + [capture.longest(k * f.sides, diffusion, _REDUCED) for k, f in zip(velocity, surfaces, strict=True)]
    )
    if numerics.diffusion_step is None:
        return _rounded(usual * numerics.step_scale)
    step = numerics.diffusion_step * numerics.step_scale
    allowed = {
        f"the step's standard deviation may not pass {name}": b * b / (2 * diffusion)
        for name, (_, b) in limits.items()
    }
    for k, surface in zip(velocity, surfaces, strict=True):
        allowed[f"{surface.field} would capture too much in a step"] = capture.longest(k, diffusion)
    allowed["the surfaces together would capture more than all"] = _longest_together(velocity, diffusion)
    reason = min(allowed, key=lambda name: allowed[name])
    if step > allowed[reason]:
        most = f"at most {allowed[reason] * 1e3:.3g} us ({reason})"
        raise ValidationError("numerics.diffusion_step", f"{step * 1e3:.3g} us", most)
    return _rounded(step)


def _longest_together(velocity: list[float], diffusion: float) -> float:
    """The longest step at which the chances of all surfaces add up to one at most [ms]."""
    low, high = 0.0, min(capture.longest(k, diffusion) for k in velocity)
    if not math.isfinite(high):
        return math.inf
    for _ in range(60):
        middle = 0.5 * (low + high)
        total = sum(float(capture.probability(k * math.sqrt(middle / (2 * diffusion)))) for k in velocity)
        low, high = (middle, high) if total <= 1 else (low, middle)
    return low


def _rounded(step: float) -> float:
    """The step rounded down to a few significant bits."""
    mantissa, exponent = math.frexp(step)
    return math.ldexp(math.floor(mantissa * 2**_BITS) / 2**_BITS, exponent)
