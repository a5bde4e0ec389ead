"""The diseases by name: which knob of the junction each one turns, and how far at severity 1.

Severity 0 is health and 1 the worst of the given range; a factor f at severity 1 is 1 - s (1 - f) at severity s
(a choice). Ranges: M from memory, D a choice, V read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nmjmc.carried import internal
from nmjmc.errors import ValidationError, nearest
from nmjmc.junction.modifier import Change, named, scale, set_to, severity, widen
from nmjmc.synapse.modifier import compose


def _toward(factor: float, s: float) -> float:
    return 1.0 - s * (1.0 - factor)


def myasthenia_gravis(s: float) -> Change:
    """Myasthenia gravis, antibodies to the receptor: receptors to 0.1 [M 0.1 to 0.4].

    Endplate sodium goes to 0.5 [M 0.5 to 0.7]. Folds are lost: the cleft is taken to be half as high again [D].
    Endplates are not struck alike: within a muscle some have suprathreshold potentials, others hardly any (Albuquerque
    et al. 1976, Exp Neurol 51:536 [V-abs]); the quantal conductance varies by 0.55 more between them, tuned to a graded
    decrement [D].
    Quantal content is raised (1.2 to 2 [M]) by channels nearer to their vesicles, by 15 % [D]; it cannot rise beyond
    one a zone, which is 1.2 times.
    """
    return compose(
        scale("synapse.receptor.density", _toward(0.1, s)),
        scale("synapse.cleft.height", _toward(1.5, s)),
        scale("muscle.endplate_sodium_factor", _toward(0.5, s)),
        scale("terminal.channel_distance", _toward(0.85, s)),
        widen("spread.quantum", 0.55 * s),
    )


def musk_myasthenia(s: float) -> Change:
    """Myasthenia with antibodies to MuSK: receptors to 0.3 [M], no compensation, fewer filled sites.

    Refilling goes to 0.5, channels stand 5 % further from their vesicles [D].
    """
    return compose(
        scale("synapse.receptor.density", _toward(0.3, s)),
        scale("terminal.refilling_rate", _toward(0.5, s)),
        scale("terminal.channel_distance", _toward(1.05, s)),
    )


def lambert_eaton(s: float) -> Change:
    """Lambert-Eaton, antibodies to P/Q channels: to 0.5 of their number [M 0.2 to 0.5], displaced.

    The channels of each zone are displaced by a vector of their own, 70 nm at the root mean square: tuned to a small
    first response [D]. So a few zones still release almost surely, and lose vesicles, while most are far from it.
    """
    return compose(
        scale("terminal.channel_fraction", _toward(0.5, s)), set_to("terminal.disorder", internal(0.07 * s))
    )


def slow_channel(s: float) -> Change:
    """Slow-channel syndrome, eL221F: unbinding to a quarter [V-abs], opening 1.3 faster, closing 1.3 slower [D]."""
    return compose(
        scale("synapse.receptor.unbinding_rate", _toward(0.25, s)),
        scale("synapse.receptor.opening_rate", _toward(1.3, s)),
        scale("synapse.receptor.closing_rate", _toward(1 / 1.3, s)),
    )


def fast_channel(s: float) -> Change:
    """Fast-channel syndrome, low efficacy: opening to a tenth (eE184K: gating efficiency 11 times lower [V-abs])."""
    return scale("synapse.receptor.opening_rate", _toward(1 / 11, s))


def receptor_deficiency(s: float) -> Change:
    """Receptor deficiency: to 0.1 to 0.3 [M]; 0.15 at severity 1."""
    return scale("synapse.receptor.density", _toward(0.15, s))


def esterase_deficiency(s: float) -> Change:
    """Esterase deficiency, ColQ: no esterase at severity 1 [V qualitative]; a small terminal is not modelled."""
    return scale("synapse.esterase.active_fraction", _toward(0.0, s))


def presynaptic(s: float) -> Change:
    """A presynaptic congenital syndrome: calcium binds the sensor 0.7 as fast, sites refill half as fast [D]."""
    return compose(
        scale("terminal.sensor_binding", _toward(0.7, s)), scale("terminal.refilling_rate", _toward(0.5, s))
    )


def botulism_a(s: float) -> Change:
    """Botulism, type A, which cuts SNAP-25 short: release to 0.01 to 0.05, miniatures to 0.05 to 0.3 [M].

    The sensor needs more calcium (binding to 0.17 [D]), so that more calcium helps.
    """
    return compose(
        scale("terminal.sensor_binding", _toward(0.17, s)),
        scale("terminal.spontaneous_rate", _toward(0.1, s)),
    )


def botulism_d(s: float) -> Change:
    """Botulism, types D and E: release hardly at all, whatever the calcium [V-abs]: fusion to 1e-3 [D]."""
    return compose(
        scale("terminal.fusion_rate", _toward(1e-3, s)), scale("terminal.spontaneous_rate", _toward(0.05, s))
    )


def inhibitor_toxicity(s: float) -> Change:
    """Cholinesterase-inhibitor toxicity: esterase to 0.05 [D]."""
    return scale("synapse.esterase.active_fraction", _toward(0.05, s))


def denervation(s: float) -> Change:
    """Denervation, fetal receptors and up-regulation: twice as many [D], 40 of 60 pS, open three times as long [M]."""
    return compose(
        scale("synapse.receptor.channel_conductance", _toward(40 / 60, s)),
        scale("synapse.receptor.closing_rate", _toward(1 / 3, s)),
        scale("synapse.receptor.density", _toward(2.0, s)),
    )


def ageing(s: float) -> Change:
    """Ageing: receptors and release to 0.8 [M 0.7 to 0.9]."""
    return compose(
        scale("synapse.receptor.density", _toward(0.8, s)),
        scale("terminal.channel_fraction", _toward(0.8, s)),
    )


DISEASES: dict[str, Callable[[float], Change]] = {
    f.__name__: f
    for f in (
        myasthenia_gravis, musk_myasthenia, lambert_eaton, slow_channel, fast_channel, receptor_deficiency,
        esterase_deficiency, presynaptic, botulism_a, botulism_d, inhibitor_toxicity, denervation, ageing,
    )
}  # fmt: skip


def disease(name: str, how_severe: Any = 1.0) -> Change:
    """A disease as a change of a junction.

    Args:
        name: One of `DISEASES`.
        how_severe: 0 (healthy) to 1.

    Raises:
        ValidationError: For an unknown disease or an impossible severity; when applied, if applied twice.
    """
    if name not in DISEASES:
        raise ValidationError("pathology", repr(name), "a known disease", nearest(name, DISEASES))
    return named(name, DISEASES[name](severity(how_severe, f"pathology.{name}")))
