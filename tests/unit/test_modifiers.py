"""Diseases and drugs: what they change, how they compose, and what is refused."""

import jax
import numpy as np
import pytest

from nmjmc.diagnostics.fibres import fibres_of
from nmjmc.errors import ValidationError
from nmjmc.junction.modifier import scale
from nmjmc.junction.occupancy import receptor_occupancy
from nmjmc.junction.solutes import Solute, free
from nmjmc.junction.whole import human
from nmjmc.kinetics.chain import equilibrium, generator
from nmjmc.pathology import DISEASES, disease
from nmjmc.pharmacology import DRUGS, drug
from nmjmc.pharmacology.competitive import DISSOCIATION
from nmjmc.synapse import preparation
from nmjmc.synapse.modifier import compose
from nmjmc.units import MICROMOLAR

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", DISEASES)
def test_every_disease_begins_at_health_and_changes_something(name):
    junction = human()
    same = disease(name, 0.0)(junction)
    for part in ("terminal", "muscle"):
        for field, value in vars(getattr(junction, part)).items():
            found = getattr(getattr(same, part), field)
            assert found == value if isinstance(value, str) else np.allclose(found, value), field
    assert float(same.synapse.receptor.density) == float(junction.synapse.receptor.density)
    worst = disease(name, 1.0)(junction)
    leaves, before = (jax.tree.leaves((j.terminal, j.synapse, j.muscle)) for j in (worst, junction))
    assert any(not np.array_equal(a, b) for a, b in zip(leaves, before, strict=True))


@pytest.mark.parametrize("name", DRUGS)
def test_no_dose_is_no_drug(name):
    treated = drug(name, 0.0)(human())
    assert float(treated.synapse.esterase.active_fraction) == 1.0
    assert float(treated.terminal.spike_width) == 0.25
    assert float(treated.muscle.resting_potential) == -84.0
    assert receptor_occupancy(treated) == pytest.approx(0.0, abs=1e-9)


def test_a_blocker_keeps_receptors_out_of_use_as_two_independent_sites():
    # half of the receptors at 17 nM (Liu & Dilger 2008), at either of two sites: K = 17 nM / (sqrt(2) - 1)
    assert receptor_occupancy(drug("rocuronium", "17 nM")(human())) == pytest.approx(0.5, rel=1e-6)
    for c in (0.015, 0.045):
        theta = c / (c + 0.017 / (np.sqrt(2) - 1))
        found = receptor_occupancy(drug("rocuronium", c)(human()))
        assert found == pytest.approx(1 - (1 - theta) ** 2, rel=1e-6)
        assert receptor_occupancy(drug("rocuronium", f"{1e3 * c} nM")(human())) == pytest.approx(found)


def test_two_blockers_add_at_the_same_sites():
    both = compose(*(drug(name, DISSOCIATION[name]) for name in ("rocuronium", "vecuronium")))(human())
    # each at its constant: free sites 1 / (1 + 1 + 1)
    assert receptor_occupancy(both) == pytest.approx(1 - 1 / 9, rel=1e-6)


def test_a_blocker_shifts_the_response_to_acetylcholine_in_parallel():
    # Gaddum and Schild: at equilibrium ACh (1 + c / K) does what ACh did
    dose = 2 * DISSOCIATION["rocuronium"]
    receptor = drug("rocuronium", dose)(human()).synapse.receptor
    plain = preparation("human").receptor
    index = receptor.scheme.index("A2Ro")
    for concentration in (5.0, 50.0):
        blocked = equilibrium(
            generator(receptor.scheme, receptor.rates, {"ACh": 3 * concentration, "antagonist": dose})
        )[index]
        free = equilibrium(generator(plain.scheme, plain.rates, {"ACh": concentration}))[3]
        assert blocked == pytest.approx(free, rel=1e-6)


def test_sugammadex_takes_rocuronium_out_of_the_bath():
    orders = (("rocuronium", "sugammadex"), ("sugammadex", "rocuronium"))
    doses = {"rocuronium": 0.3, "sugammadex": 0.5}
    one, other = (compose(*(drug(name, doses[name]) for name in order))(human()) for order in orders)
    level = float(one.synapse.receptor.bath["antagonist"])
    assert level == float(other.synapse.receptor.bath["antagonist"])
    # (free blocker)(free host) = K (complex)
    assert level * (0.5 - (0.3 - level)) == pytest.approx(0.026 * (0.3 - level), rel=1e-9)
    spared = compose(drug("sugammadex", 50), drug("cisatracurium", 0.02))(human())
    assert receptor_occupancy(spared) == pytest.approx(
        receptor_occupancy(drug("cisatracurium", 0.02)(human()))
    )
    alone = drug("sugammadex", 5)(human())
    assert receptor_occupancy(alone) == 0 and alone.synapse.receptor.scheme.name == "two_site_sequential"


def test_two_guests_share_a_host():
    three = free(
        [Solute("a", 1.0, 0.1), Solute("b", 2.0, 0.1), Solute("h", 1.5, guests=(("a", 0.01), ("b", 0.1)))]
    )
    host = 1.5 - (1.0 - three["a"]) - (2.0 - three["b"])
    assert three["h"] == pytest.approx(host) and host > 0
    assert three["a"] * host == pytest.approx(0.01 * (1.0 - three["a"]))
    assert three["b"] * host == pytest.approx(0.1 * (2.0 - three["b"]))
    assert (
        free([]) == {} and free([Solute("a", 0.0, 0.1), Solute("h", 0.0, guests=(("a", 1.0),))])["a"] == 0.0
    )


def test_two_names_of_one_drug_are_given_once():
    with pytest.raises(ValidationError, match="the same drug"):
        compose(drug("diaminopyridine", 1), drug("amifampridine", 1))(human())


def test_inhibitors_of_the_esterase_follow_their_laws():
    assert float(drug("pyridostigmine", 0.5)(human()).synapse.esterase.active_fraction) == pytest.approx(0.5)
    twice = compose(drug("pyridostigmine", 0.5), drug("neostigmine", 0.6))(human())
    # they compete: 1 / (1 + 0.5 / 0.5 + 0.6 / 0.2)
    assert float(twice.synapse.esterase.active_fraction) == pytest.approx(0.2)
    # exp(-k c t): 1e-3 /(uM s) 10 uM 60 s = 0.6
    poisoned = drug("organophosphate", "10 uM", exposure="1 min")(human())
    assert float(poisoned.synapse.esterase.active_fraction) == pytest.approx(np.exp(-0.6))


def test_diaminopyridine_widens_the_spike():
    assert float(drug("diaminopyridine", "1 uM")(human()).terminal.spike_width) == pytest.approx(0.25 * 1.5)


@pytest.mark.parametrize("concentration", [1.0, 10.0, 100.0])
def test_succinylcholine_opens_by_its_two_sites(concentration):
    receptor = drug("succinylcholine", concentration, exposure=0)(human()).synapse.receptor
    p = equilibrium(generator(receptor.scheme, receptor.rates, {"agonist": concentration}))
    rates = {name: float(value) for name, value in receptor.rates.items()}
    # of ACh at the same receptor: affinity 2.9 times less, potency at low concentrations 7.6 times
    own = rates["unbinding_rate"] / rates["binding_rate"] / MICROMOLAR
    a, e = concentration / (2.9 * own), (2.9 / 7.6) ** 2 * rates["opening_rate"] / rates["closing_rate"]
    # p = E a^2 / (1 + 2 a + a^2 (1 + E))
    share = p[receptor.scheme.index("S2Ro")]
    assert share == pytest.approx(e * a**2 / (1 + 2 * a + (1 + e) * a**2), rel=1e-6)
    if concentration == 1.0:
        ach = equilibrium(generator(receptor.scheme, receptor.rates, {"ACh": 1.0 / 7.6}))
        assert share == pytest.approx(ach[receptor.scheme.index("A2Ro")], rel=0.01)


def test_two_agonists_at_equal_sites_keep_detailed_balance():
    receptor = drug("succinylcholine", 5.0)(human()).synapse.receptor
    q = generator(receptor.scheme, receptor.rates, {"agonist": 5.0, "ACh": 20.0})
    flow = equilibrium(q)[:, None] * q
    np.testing.assert_allclose(flow, flow.T, atol=1e-12)


def test_succinylcholine_depolarises_and_then_desensitises():
    from nmjmc.junction.bank import tonic_conductance
    from nmjmc.junction.passive import passive
    from nmjmc.pharmacology import depolarising

    early, late = (drug("succinylcholine", "8 uM", exposure=t)(human()) for t in ("0 s", "60 s"))
    load = float(passive(human().muscle).input_resistance) * tonic_conductance(early.synapse, 800.0)
    assert load > 0.05
    assert float(early.muscle.resting_potential) == pytest.approx(-84 / (1 + load))
    assert float(early.synapse.receptor.density) == pytest.approx(7500)
    # soon after, before any has gone deeper: entry 25 /s of those with two, recovery 0.3 /s
    receptor = early.synapse.receptor
    p = equilibrium(generator(receptor.scheme, receptor.rates, {"agonist": 8.0}))
    two = p[receptor.scheme.index("S2R")] + p[receptor.scheme.index("S2Ro")]
    share = 0.025 * two / (0.025 * two + 3e-4)
    soon = share * (1 - np.exp(-100 * (0.025 * two + 3e-4)))
    assert depolarising.desensitised(receptor, 100.0) == pytest.approx(soon, rel=0.01)
    # and at last: for each that is left, x desensitised ones and five times as many that went deeper
    x = 0.025 * two / 3e-4
    assert depolarising.desensitised(receptor, 1e8) == pytest.approx(6 * x / (1 + 6 * x), rel=1e-3)
    assert float(late.muscle.resting_potential) < float(early.muscle.resting_potential)
    # graded in dose: some mV at 5 uM, and the fibres of a muscle do not all have the same
    rest = [
        float(drug("succinylcholine", c, exposure=0)(human()).muscle.resting_potential) for c in (3, 5, 8, 10)
    ]
    assert np.diff(rest).min() > 2 and rest[0] < -81 and rest[-1] < -60
    own = fibres_of(early, 40).muscles.resting_potential
    assert np.ptp(own) > 3 and np.median(own) == pytest.approx(float(early.muscle.resting_potential), abs=1)
    much = drug("succinylcholine", "100 uM", exposure=0)(human())
    assert float(much.muscle.resting_potential) == -50.0
    with pytest.raises(ValidationError, match="competitive blocker"):
        compose(drug("rocuronium", 0.1), drug("succinylcholine", 1))(human())


def test_diseases_and_drugs_compose_and_are_remembered():
    junction = compose(disease("myasthenia_gravis", 0.5), drug("pyridostigmine", 0.2))(human())
    assert junction.applied == ("myasthenia_gravis", "pyridostigmine")
    assert float(junction.synapse.receptor.density) == pytest.approx(7500 * 0.55)
    assert human().applied == ()


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: disease("myasthenia_gravs"), "did you mean myasthenia_gravis"),
        (lambda: disease("ageing", 40), "did you mean 0.4"),
        (lambda: disease("ageing", -1), "between 0 and 1"),
        (lambda: drug("rocuroniun", 1), "did you mean rocuronium"),
        (lambda: drug("rocuronium", -1), "zero or more"),
        (lambda: drug("rocuronium", "3 mV"), "uM"),
        (lambda: compose(disease("ageing"), disease("ageing"))(human()), "applied twice"),
        (lambda: scale("muscle.radios", 2)(human()), "unknown"),
        (lambda: scale("muscle.radius", -2)(human()), r"muscle\.radius"),
        (lambda: scale("synapse.receptor.densty", 2)(human()), "density"),
    ],
)
def test_impossible_diseases_and_drugs_are_refused_in_one_sentence(act, words):
    with pytest.raises(ValidationError, match=words):
        act()


def test_a_blocker_needs_two_equal_sites():
    import equinox as eqx

    receptor = {
        "scheme": "two_site_desensitising",
        "desensitisation_rate": "25 /s",
        "recovery_rate": "0.3 /s",
    }
    other = eqx.tree_at(lambda j: j.synapse, human(), preparation("human", receptor=receptor))
    with pytest.raises(ValidationError, match="two_site_sequential"):
        drug("rocuronium", 1)(other)
