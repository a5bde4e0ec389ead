"""The diseases by name: which knob of the junction each one turns, and how far at severity 1.

Severity 0 is health and 1 the worst of the given range; a factor f at severity 1 is 1 - s (1 - f) at severity s
(a choice). Ranges: M from memory, D a choice, V read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nmjmc.carried import Number, internal
from nmjmc.errors import ValidationError, similar
from nmjmc.folders import config_dir, names_in
from nmjmc.junction.modifier import Change, alter, named, scale, set_to, widen
from nmjmc.junction.modifier import severity as checked_severity
from nmjmc.junction.recipe import is_own, read_own, refuse_taken
from nmjmc.junction.treatment import Treatment
from nmjmc.pathology.own import read_disease
from nmjmc.synapse.modifier import compose
from nmjmc.yaml_file import read_yaml


def _toward(factor: float, s: float) -> float:
    return 1.0 - s * (1.0 - factor)


def myasthenia_gravis(s: float) -> Change:
    """Myasthenia gravis, antibodies to the receptor: receptors to 0.1 [M 0.1 to 0.4].

    Endplate sodium goes to 0.5 [M 0.5 to 0.7]. Folds are lost: the cleft is taken to be half as high again [D].
    Endplates are not struck alike: within a muscle some have suprathreshold potentials, others hardly any
    (Albuquerque et al. 1976, Exp Neurol 51:536 [V-abs]); the quantal conductance varies by 0.55 more between them,
    tuned to a graded decrement [D]. Quantal content is raised (1.2 to 2 [M]) by channels nearer to their vesicles,
    by 15 % [D]; it cannot rise beyond one a zone, which is 1.2 times.
    """
    return compose(
        scale("synapse.receptor.density", _toward(0.1, s)),
        scale("synapse.cleft.height", _toward(1.5, s)),
        scale("muscle.endplate_sodium_factor", _toward(0.5, s)),
        scale("terminal.channel_distance", _toward(0.85, s)),
        widen("spread.quantum", 0.55 * s),
    )


def musk_myasthenia(s: float) -> Change:
    """Myasthenia with antibodies to MuSK: receptors to 0.22, no compensation, fewer release sites.

    In mice given patients' IgG the stain of receptors fell to as little as 22 % (Cole et al. 2008 [V-abs]), with no
    rise of the quantal content (Viegas et al. 2012 [V-abs]); in immunised mice sites and release probability fell,
    and the esterase was less active (Patel et al. 2014 [V-abs]): zones to 0.7, refilling to 0.5, channels 3 %
    further from their vesicles, esterase to 0.7 [D]. Endplates are struck unevenly: 78, 4 and 18 % of them answered
    alike, at times and not at all there [V-abs]; the quantal conductance varies by 0.5 more [D].
    """
    return compose(
        scale("synapse.receptor.density", _toward(0.22, s)),
        scale("synapse.esterase.active_fraction", _toward(0.7, s)),
        scale("terminal.zone_fraction", _toward(0.7, s)),
        scale("terminal.refilling_rate", _toward(0.5, s)),
        scale("terminal.channel_distance", _toward(1.03, s)),
        widen("spread.quantum", 0.5 * s),
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


def sarcopenia(s: float) -> Change:
    """Sarcopenia, ageing that shows: ageing, and muscle fibres adopted by the branches of other neurones.

    By 71 years some 40 % of the motor units are lost and the others are 50 % larger (Piasecki et al. 2016 [V-abs]): so
    a third of the fibres have been adopted, half of these lately [D]. A young junction has 0.6 of the zones and of the
    quantal conductance [D]; fibres of 0.8 of the radius [M] have a higher input resistance.
    """
    return compose(ageing(s), sprouting(0.17 * s, 0.6, 0.6), thin(_toward(0.8, s)))


def spinal_muscular_atrophy(s: float) -> Change:
    """Spinal muscular atrophy, SMN: small, immature junctions with fewer sites and fetal receptors in part.

    The junction's postnatal development stops, terminals branch poorly and transmission fails at times (Kariya et
    al. 2008 [V-abs]); the quantal content is modestly reduced (Ling et al. 2010 [V-abs]): zones to 0.6, receptors
    to 0.6, of which a third are fetal, refilling to 0.6 [D]. Units are lost: 0.4 of the fibres are on young
    branches [D].
    """
    return compose(
        scale("terminal.zone_fraction", _toward(0.6, s)),
        scale("terminal.refilling_rate", _toward(0.6, s)),
        scale("synapse.receptor.density", _toward(0.6, s)),
        fetal(s / 3.0),
        sprouting(0.4 * s, 0.6, 0.5),
        thin(_toward(0.7, s)),
    )


def amyotrophic_lateral_sclerosis(s: float) -> Change:
    """Amyotrophic lateral sclerosis: terminals that withdraw, and others that sprout to the fibres which they leave.

    Decrement in 29 % of the patients, of 10 to 43 % (Killian et al. 1994 [V-abs]): zones and refilling to 0.8 in
    all junctions, half of the fibres on young branches with 0.4 of the zones and half of the quantal conductance, a
    fifth of the receptors fetal [D].
    """
    return compose(
        scale("terminal.zone_fraction", _toward(0.8, s)),
        scale("terminal.refilling_rate", _toward(0.8, s)),
        fetal(0.2 * s),
        sprouting(0.5 * s, 0.5, 0.4),
    )


def choline_acetyltransferase(s: float) -> Change:
    """CHAT: quanta that shrink with use, because transmitter is made too slowly; at rest they are nearly normal.

    Not followed from stimulus to stimulus: the junction is that after a long subtetanic exercise, with quanta of
    0.35 of their content [D]. A decrement may appear only after conditioning (Mayo Clinic 2019, Front Neurol 10:257
    [V-abs]).
    """
    return scale("synapse.vesicle.content_mean", _toward(0.35, s))


def fetal(share: float) -> Change:
    """A share of the receptors with the fetal subunit: 40 of 60 pS, open three times as long, half the calcium [M].

    One kind stands for the mixture: conductance, closing time and calcium by their means [D].
    """
    return compose(
        scale("synapse.receptor.channel_conductance", 1.0 - share * (1.0 - 40.0 / 60.0)),
        scale("synapse.receptor.closing_rate", 1.0 / (1.0 + 2.0 * share)),
        scale("synapse.ions.calcium_permeability", 1.0 - 0.5 * share),
    )


def sprouting(share: float, quantum: float, release: float) -> Change:
    """Collateral sprouting: a share of the fibres on young branches, with a part of conductance and zones."""
    return compose(
        alter("spread.immature", lambda old: old + share * (1.0 - old)),
        scale("spread.immature_quantum", quantum if share else 1.0),
        scale("spread.immature_release", release if share else 1.0),
    )


def thin(factor: float) -> Change:
    """Thin fibres, whose input resistance is higher: radius by a factor."""
    return scale("muscle.radius", factor)


BUILT_IN: dict[str, Callable[[float], Change]] = {
    f.__name__: f
    for f in (
        myasthenia_gravis, musk_myasthenia, lambert_eaton, slow_channel, fast_channel, receptor_deficiency,
        esterase_deficiency, presynaptic, botulism_a, botulism_d, inhibitor_toxicity, denervation, ageing, sarcopenia,
        spinal_muscular_atrophy, amyotrophic_lateral_sclerosis, choline_acetyltransferase,
    )
}  # fmt: skip
SHIPPED = {
    name: read_disease(read_yaml(config_dir() / "diseases" / f"{name}.yaml", name), name)
    for name in names_in("diseases")
}
"""Diseases that are data alone: congenital syndromes by gene."""
DISEASES: dict[str, Callable[[float], Change]] = {**BUILT_IN, **SHIPPED}


def disease(name: str, severity: Number = 1.0, *, definition: Mapping[str, Any] | None = None) -> Treatment:
    """A disease, to be applied to a junction or a synapse by `|` or `with_`.

    Args:
        name: One of `nmjmc.available_diseases()`, or a YAML file of your own (docs/junction.md).
        severity: 0 (healthy) to 1.
        definition: What such a file holds, for a disease called `name`.

    Raises:
        ValidationError: For an unknown disease or an impossible severity; when applied, if applied twice.

    Example:
        >>> import nmjmc
        >>> patient = nmjmc.junction("human") | nmjmc.disease("myasthenia_gravis", 0.6)
        >>> patient.applied
        ('myasthenia_gravis',)
    """
    if definition is None and is_own(name):
        name, definition = read_own(name, "pathology")
        refuse_taken(name, "pathology", DISEASES)
    if definition is None and name not in DISEASES:
        raise ValidationError("pathology", repr(name), "a known disease", similar(name, DISEASES))
    made = DISEASES[name] if definition is None else read_disease(definition, name)
    how_severe = checked_severity(severity, f"pathology.{name}")
    return Treatment("pathology", name, how_severe, named(name, made(how_severe)), None, definition)


def available_diseases() -> tuple[str, ...]:
    """Names of the diseases that are known."""
    return tuple(sorted(DISEASES))
