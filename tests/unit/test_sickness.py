"""What each disease and each drug does in its own stage, and that any of them compose."""

import itertools

import numpy as np
import pytest

from nmjmc.errors import ValidationError
from nmjmc.junction.pools import rows, run_train
from nmjmc.junction.stimulus import train
from nmjmc.junction.whole import human
from nmjmc.kinetics.exact import burst
from nmjmc.pathology import DISEASES, disease
from nmjmc.pharmacology import DRUGS, drug
from nmjmc.pharmacology.competitive import DISSOCIATION
from nmjmc.pharmacology.drugs import SAME
from nmjmc.synapse.modifier import compose

pytestmark = pytest.mark.unit
WELL = human()


def content(*changes):
    """Quantal content of 40 like terminals: with 31 each, its mean has a standard error of 0.8."""
    return run_train(rows(compose(*changes)(WELL).terminal, 40), [0.0], 5).quanta[:, 0].mean()


@pytest.fixture(scope="module")
def normal():
    return content()


# Bounds stand at least four standard errors of the mean of 40 (Poisson at the most) from what the presets give, so
# that chance breaks one of these tests in 1e3 seeds at the most.
@pytest.mark.parametrize(
    ("changes", "least", "most"),
    [
        ((disease("myasthenia_gravis"),), 1.0, 2.0),
        ((disease("musk_myasthenia"),), 0.5, 1.0),
        ((disease("lambert_eaton"),), 0.05, 0.4),
        ((disease("presynaptic"),), 0.2, 0.9),
        ((disease("ageing"),), 0.5, 0.95),
        ((disease("botulism_a"),), 0.0, 0.2),
        ((disease("botulism_d"),), 0.0, 0.02),
        ((disease("botulism_d"), drug("diaminopyridine", "10 uM")), 0.0, 0.1),
        ((drug("diaminopyridine", "10 uM"),), 1.05, 4.0),
        ((disease("slow_channel"), drug("rocuronium", "30 nM")), 0.8, 1.2),
    ],
)
def test_quantal_content_of_the_sick_over_that_of_the_healthy(changes, least, most, normal):
    assert least <= content(*changes) / normal <= most


def test_diaminopyridine_helps_where_the_sensor_still_works(normal):
    drugged = drug("diaminopyridine", "10 uM")
    for name in ("lambert_eaton", "botulism_a"):
        sick = disease(name, 0.8)
        assert content(sick, drugged) > 1.5 * content(sick)


def test_lambert_eaton_facilitates_in_a_fast_train():
    """At 50 Hz, the eighth to tenth of 80 terminals with some 7 quanta each: 1.7 of the first, standard error 0.08."""
    sick = rows(disease("lambert_eaton")(WELL).terminal, 80)
    quanta = run_train(sick, train("50 Hz", 10), 6).quanta.sum(axis=0)
    assert quanta[7:].mean() > 1.3 * quanta[0]


def test_bursts_of_the_sick_receptor():
    def length(*changes):
        receptor = compose(*changes)(human(22.0)).synapse.receptor
        return burst(receptor.scheme, receptor.rates).length

    healthy = length()
    # eL221F: the decay is four to eight times slower
    assert 4 < length(disease("slow_channel")) / healthy < 8
    assert length(disease("fast_channel")) < 0.6 * healthy
    assert 2.5 < length(disease("denervation")) / healthy < 3.5
    assert length(disease("receptor_deficiency")) == pytest.approx(healthy)


def test_every_disease_composes_with_every_drug():
    for name, agent in itertools.product(DISEASES, DRUGS):
        assert compose(disease(name, 0.5), drug(agent, 0.01))(WELL).applied == (name, agent)


def test_drugs_compose_in_any_order():
    competing = [{"succinylcholine", name} for name in (*DISSOCIATION, "atracurium")]
    for pair in itertools.combinations(DRUGS, 2):
        both = [compose(*(drug(name, 0.01) for name in order)) for order in (pair, pair[::-1])]
        if set(pair) in competing:
            for change in both:
                with pytest.raises(ValidationError, match="receptors with one of each"):
                    change(WELL)
            continue
        if set(pair) == set(SAME):
            continue
        one, other = (change(WELL) for change in both)
        assert one.applied == other.applied[::-1]
        for part in ("esterase.active_fraction", "receptor.density"):
            group, field = part.split(".")
            values = [float(getattr(getattr(j.synapse, group), field)) for j in (one, other)]
            assert values[0] == pytest.approx(values[1], rel=1e-12)
        np.testing.assert_allclose(one.terminal.spike_width, other.terminal.spike_width)


def test_succinylcholine_acts_on_what_stands():
    """What changes receptors or fibre comes before it, and is refused after it; all else composes in any order."""
    late = drug("succinylcholine", "200 nM")
    for name in DISEASES:
        sick = disease(name, 0.7)
        try:
            after = compose(late, sick)(WELL)
        except ValidationError as error:
            assert "must be applied before succinylcholine, but is applied after it" in str(error)
            continue
        before = compose(sick, late)(WELL)
        assert after.muscle.resting_potential == before.muscle.resting_potential
        assert after.synapse.receptor.density == before.synapse.receptor.density
    with pytest.raises(ValidationError, match="myasthenia_gravis must be applied before"):
        compose(late, disease("myasthenia_gravis", 0.7))(WELL)


def active(*changes):
    return float(compose(*changes)(WELL).synapse.esterase.active_fraction)


def test_inhibitors_of_the_esterase_compete_for_its_site():
    """At c / K = 2 and 3, free sites are 1 / (1 + 2 + 3), in whatever order; a carbamate slows an organophosphate."""
    one, other = drug("pyridostigmine", "1 uM"), drug("neostigmine", "0.6 uM")
    assert active(one, other) == pytest.approx(1 / 6, rel=1e-12)
    assert active(other, one) == pytest.approx(1 / 6, rel=1e-12)
    # k c t = 1e-3 /uM/s * 20 uM * 60 s = 1.2; with c / K = 2 a third of its rate
    poison = drug("organophosphate", "20 uM")
    assert active(poison) == pytest.approx(np.exp(-1.2), rel=1e-9)
    for order in ((one, poison), (poison, one)):
        assert active(*order) == pytest.approx(np.exp(-0.4) / 3, rel=1e-9)
    assert active(drug("organophosphate", "1 M"), one) == pytest.approx(0, abs=1e-60)


def test_inhibition_comes_on_top_of_a_disease():
    half = disease("esterase_deficiency", 0.5)
    assert active(half, drug("pyridostigmine", "0.5 uM")) == pytest.approx(0.25, rel=1e-12)
