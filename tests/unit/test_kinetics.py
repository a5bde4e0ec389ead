"""Schemes as data and their closed forms (physics.md, section 5)."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmjmc.errors import ValidationError
from nmjmc.kinetics import available_schemes, exact, load_scheme, scheme_to_mapping
from nmjmc.units import MICROMOLAR, to_internal

pytestmark = pytest.mark.unit

RECEPTORS = [n for n in available_schemes() if not n.startswith("esterase")]
VALUES = {
    "binding_rate": "1e8 /M/s", "unbinding_rate": "8000 /s", "opening_rate": "30000 /s",
    "closing_rate": "1000 /s",
    "binding_rate_a": "1e8 /M/s", "unbinding_rate_a": "15000 /s", "binding_rate_b": "5e7 /M/s",
    "unbinding_rate_b": "1000 /s", "desensitisation_rate": "25 /s", "recovery_rate": "0.3 /s",
    "priming_rate": "20000 /s", "unpriming_rate": "5000 /s", "blocking_rate": "2e7 /M/s",
    "antagonist_binding_rate": "4e7 /M/s", "antagonist_unbinding_rate": "40 /s",
    "agonist_binding_rate": "5e7 /M/s", "agonist_unbinding_rate": "9000 /s",
    "agonist_opening_rate": "4000 /s", "mixed_opening_rate": "11000 /s",
    "unblocking_rate": "50000 /s", "acylation_rate": "1.1e5 /s", "deacylation_rate": "2e4 /s",
}  # fmt: skip


def rates_of(scheme, **changed):
    usual = {"/s": "1000 /s", "/M/s": "1e8 /M/s"}  # of a new scheme
    values = {name: usual[scheme.unit(name)] for name in scheme.rate_names} | VALUES | changed
    return {name: to_internal(values[name], scheme.unit(name), name) for name in scheme.rate_names}


@pytest.fixture
def two_site():
    return load_scheme("two_site_sequential")


@pytest.mark.parametrize("name", available_schemes())
def test_a_shipped_scheme_is_consistent(name):
    scheme = load_scheme(name)
    assert scheme.name == name
    assert scheme.bound[scheme.index(scheme.resting)] == 0
    assert load_scheme(scheme_to_mapping(scheme)) == scheme
    assert {rate for rate, _ in scheme.q10} == set(scheme.rate_names)
    q = exact.generator(
        scheme, rates_of(scheme), {"ACh": 100.0, "blocker": 5.0, "antagonist": 5.0, "agonist": 5.0}
    )
    np.testing.assert_allclose(q.sum(axis=1), 0.0, atol=1e-12)
    assert (q[~np.eye(len(q), dtype=bool)] >= 0).all()


@pytest.mark.parametrize(
    ("name", "states", "bound"),
    [
        ("two_site_sequential", ("R", "AR", "A2R", "A2Ro"), [0, 1, 2, 2]),
        ("two_site_unequal", ("R", "AaR", "AbR", "A2R", "A2Ro"), [0, 1, 1, 2, 2]),
        ("two_site_desensitising", ("R", "AR", "A2R", "A2Ro", "A2D"), [0, 1, 2, 2, 2]),
        ("two_site_primed", ("R", "AR", "A2R", "A2F", "A2Ro"), [0, 1, 2, 2, 2]),
        ("open_channel_block", ("R", "AR", "A2R", "A2Ro", "A2RoB"), [0, 1, 2, 2, 3]),
        ("open_channel_block_drug", ("R", "AR", "A2R", "A2Ro", "A2RoB"), [0, 1, 2, 2, 2]),
        ("esterase", ("E", "EA", "acylE"), [0, 1, 0]),
        ("esterase_consuming", ("E", "EA"), [0, 0]),
    ],
)
def test_molecules_held(name, states, bound):
    scheme = load_scheme(name)
    assert scheme.states == states
    assert scheme.bound.tolist() == bound


def test_the_drug_is_a_bath_ligand():
    scheme = load_scheme("open_channel_block_drug")
    assert scheme.bath_ligands == ("blocker",)
    assert scheme.held("blocker").tolist() == [0, 0, 0, 0, 1]
    assert load_scheme("open_channel_block").bath_ligands == ()


@pytest.mark.parametrize("name", available_schemes())
def test_q_matrix_agrees_with_the_float64_generator(name):
    scheme, levels = load_scheme(name), {"ACh": 300.0, "blocker": 7.0, "antagonist": 7.0, "agonist": 7.0}
    traced = jax.jit(lambda r: scheme.q_matrix(r, {k: c * MICROMOLAR for k, c in levels.items()}))
    q = exact.generator(scheme, rates_of(scheme), levels)
    np.testing.assert_allclose(traced(rates_of(scheme)), q, rtol=1e-5, atol=1e-5 * np.abs(q).max())


def test_transition_rates_carry_the_statistical_factors(two_site):
    rates = {"binding_rate": 1.0, "unbinding_rate": 3.0, "opening_rate": 5.0, "closing_rate": 7.0}
    assert two_site.transition_rates(rates).tolist() == [2.0, 3.0, 1.0, 6.0, 5.0, 7.0]
    slope = jax.grad(lambda r: two_site.transition_rates(r).sum())(
        {k: jnp.float32(v) for k, v in rates.items()}
    )
    assert float(slope["binding_rate"]) == 3.0


# closed forms


def test_burst_of_the_frog_endplate(two_site):
    """Colquhoun & Sakmann 1985: 20.0 us, 1.9 gaps a burst, opening 1.4 ms, burst 4.1 ms."""
    rates = rates_of(two_site, unbinding_rate="8620 /s", opening_rate="32800 /s", closing_rate="714 /s")
    burst = exact.burst(two_site, rates)
    assert burst.gap == pytest.approx(0.0200, rel=2e-3)
    assert burst.gaps == pytest.approx(1.9, rel=5e-3)
    assert burst.open_time == pytest.approx(1.40, rel=1e-3)
    assert burst.length == pytest.approx(4.10, rel=2e-3)


def test_burst_of_the_human_default(two_site):
    """physics.md 5.8: alpha 1,500: 4.12 openings, 15.2 us, 2.80 ms; the preset with 1,350: 3.1 ms."""
    rates = rates_of(two_site, opening_rate="50000 /s", closing_rate="1500 /s")
    burst = exact.burst(two_site, rates)
    assert (burst.openings, burst.gap, burst.length) == pytest.approx((4.125, 0.01515, 2.7973), rel=1e-3)
    slower = exact.burst(two_site, rates | {"closing_rate": 1.35})
    assert slower.length == pytest.approx(3.1, rel=5e-3)


@given(unbinding=st.floats(0.1, 100), opening=st.floats(0.1, 100), closing=st.floats(0.1, 100))
def test_burst_formula(unbinding, opening, closing):
    scheme = load_scheme("two_site_sequential")
    rates = {
        "binding_rate": 1e-4,
        "unbinding_rate": unbinding,
        "opening_rate": opening,
        "closing_rate": closing,
    }
    burst = exact.burst(scheme, rates)
    openings, gap = 1 + opening / (2 * unbinding), 1 / (opening + 2 * unbinding)
    assert burst.openings == pytest.approx(openings, rel=1e-9)
    if openings > 1 + 1e-6:
        assert burst.gap == pytest.approx(gap, rel=1e-6)
    assert burst.length == pytest.approx(openings / closing + (openings - 1) * gap, rel=1e-9)


def test_unequal_sites_that_are_equal_give_the_same_burst(two_site):
    unequal = load_scheme("two_site_unequal")
    equal = {"binding_rate_a": "1e8 /M/s", "binding_rate_b": "1e8 /M/s"}
    equal |= {"unbinding_rate_a": "8000 /s", "unbinding_rate_b": "8000 /s"}
    one, other = exact.burst(unequal, rates_of(unequal, **equal)), exact.burst(two_site, rates_of(two_site))
    assert one.length == pytest.approx(other.length, rel=1e-12)
    assert exact.ec50(unequal, rates_of(unequal, **equal)) == pytest.approx(
        exact.ec50(two_site, rates_of(two_site))
    )


def test_a_primed_state_makes_gaps_of_two_kinds():
    """Means by hand: F opens with probability b/(b+u), A2R primes with probability p/(p+2k)."""
    scheme = load_scheme("two_site_primed")
    rates = rates_of(scheme)
    b, u, p, k2 = (rates[n] for n in ("opening_rate", "unpriming_rate", "priming_rate", "unbinding_rate"))
    k2 = 2 * k2
    opens, primes = b / (b + u), p / (p + k2)
    again = opens / (1 - (1 - opens) * primes)
    assert exact.burst(scheme, rates).openings == pytest.approx(1 / (1 - again), rel=1e-12)


def test_block_lengthens_the_burst_by_the_blocked_time():
    """A2Ro <-> A2RoB at block B, unblock U: openings of 1/(alpha + B), B/U ms blocked for each open ms."""
    scheme = load_scheme("open_channel_block_drug")
    rates, bath = rates_of(scheme), {"blocker": 50.0}
    free, blocked = exact.burst(scheme, rates, {"blocker": 0.0}), exact.burst(scheme, rates, bath)
    onset = rates["blocking_rate"] * 50.0 * MICROMOLAR
    assert blocked.open_time == pytest.approx(1 / (rates["closing_rate"] + onset), rel=1e-12)
    assert blocked.total_open_time == pytest.approx(free.total_open_time, rel=1e-12)
    longer = free.length + free.total_open_time * onset / rates["unblocking_rate"]
    assert blocked.length == pytest.approx(longer, rel=1e-12)


def test_gap_states_can_be_named():
    scheme = load_scheme("two_site_desensitising")
    rates = rates_of(scheme)
    without = exact.burst(scheme, rates, gap_states=["A2R"])
    leaving = 2 * rates["unbinding_rate"] + rates["desensitisation_rate"]
    assert without.openings == pytest.approx(1 + rates["opening_rate"] / leaving, rel=1e-12)
    through = exact.burst(
        scheme, rates
    )  # by default the desensitised state is a gap, from which it comes back
    assert through.openings == pytest.approx(
        1 + rates["opening_rate"] / (2 * rates["unbinding_rate"]), rel=1e-12
    )
    assert through.length > 2 * without.length


def test_dose_response(two_site):
    """physics.md 5.7: E 33.3, K_d 160 uM: P_max 0.971, EC50 32.4 uM, Hill 1.71, and 2.00 at low doses."""
    rates = rates_of(two_site, binding_rate="5e7 /M/s", opening_rate="50000 /s", closing_rate="1500 /s")
    half = exact.ec50(two_site, rates)
    assert exact.p_open_max(two_site, rates) == pytest.approx(0.971, abs=5e-4)
    assert half == pytest.approx(32.4, abs=0.05)
    assert exact.hill_slope(two_site, rates, half) == pytest.approx(1.71, abs=5e-3)
    assert exact.hill_slope(two_site, rates, 1e-3) == pytest.approx(2.0, abs=1e-4)


def test_dose_response_of_the_frog(two_site):
    """physics.md 5.7: K_d 242 uM, E 20: EC50 65.7 uM, Hill 1.65."""
    rates = rates_of(two_site, unbinding_rate="24200 /s", opening_rate="20000 /s")
    half = exact.ec50(two_site, rates)
    assert half == pytest.approx(65.7, rel=5e-3)
    assert exact.hill_slope(two_site, rates, half) == pytest.approx(1.65, abs=5e-3)


@given(dose=st.floats(-3, 5), efficacy=st.floats(0.01, 1000))
def test_open_probability_formula(dose, efficacy):
    scheme = load_scheme("two_site_sequential")
    rates = {"binding_rate": 1e-4, "unbinding_rate": 8.0, "opening_rate": efficacy, "closing_rate": 1.0}
    a = 10**dose * MICROMOLAR * rates["binding_rate"] / rates["unbinding_rate"]
    formula = efficacy * a**2 / (1 + 2 * a + a**2 * (1 + efficacy))
    assert exact.p_open(scheme, rates, 10**dose) == pytest.approx(formula, rel=1e-10)


def test_ach_that_blocks_has_a_largest_response_at_a_finite_dose():
    scheme = load_scheme("open_channel_block")
    rates = rates_of(scheme)
    largest = exact.p_open_max(scheme, rates)
    assert largest > exact.p_open(scheme, rates, 1e6)
    assert exact.p_open(scheme, rates, exact.ec50(scheme, rates)) == pytest.approx(largest / 2)


@pytest.mark.parametrize("name", RECEPTORS)
def test_every_receptor_obeys_microscopic_reversibility(name):
    scheme = load_scheme(name)
    q = exact.generator(
        scheme, rates_of(scheme), {"ACh": 40.0, "blocker": 3.0, "antagonist": 3.0, "agonist": 3.0}
    )
    assert exact.cycle_imbalance(q) < 1e-12


def test_a_driven_cycle_is_noticed():
    assert exact.cycle_imbalance(np.array([[-3.0, 2, 1], [1, -3, 2], [2, 1, -3]])) == pytest.approx(0.5)


def test_michaelis_menten():
    """physics.md 5.10."""
    scheme = load_scheme("esterase")
    rates = rates_of(scheme, binding_rate="2e8 /M/s", unbinding_rate="5e4 /s")
    k_cat, k_m = exact.michaelis_menten(scheme, rates)
    acyl, deacyl = rates["acylation_rate"], rates["deacylation_rate"]
    on = rates["binding_rate"] * MICROMOLAR
    assert k_cat == pytest.approx(acyl * deacyl / (acyl + deacyl), rel=1e-9)
    assert k_m == pytest.approx((rates["unbinding_rate"] + acyl) * deacyl / (on * (acyl + deacyl)), rel=1e-9)
    for c in (1.0, 50.0, 1e4):
        assert exact.turnover(scheme, rates, c) == pytest.approx(k_cat * c / (k_m + c), rel=1e-9)


def test_michaelis_menten_of_the_canonical_enzyme():
    scheme = load_scheme("esterase_consuming")
    rates = rates_of(scheme, binding_rate="2e8 /M/s", deacylation_rate="16000 /s")
    assert exact.michaelis_menten(scheme, rates) == pytest.approx((16.0, 80.0), rel=1e-9)


def test_michaelis_menten_refuses_a_receptor(two_site):
    with pytest.raises(ValidationError, match="splits the transmitter"):
        exact.michaelis_menten(two_site, rates_of(two_site))


@pytest.mark.parametrize("name", RECEPTORS)
def test_relaxation_ends_at_equilibrium(name):
    scheme = load_scheme(name)
    q = exact.generator(
        scheme, rates_of(scheme), {"ACh": 100.0, "blocker": 5.0, "antagonist": 5.0, "agonist": 5.0}
    )
    start = np.eye(len(q))[scheme.index(scheme.resting)]
    p = exact.relaxation(q, start, [0.0, 0.5, 1e5])
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(p[0], start, atol=1e-15)
    np.testing.assert_allclose(p[-1], exact.equilibrium(q), atol=1e-6)
    np.testing.assert_allclose(
        exact.occupancy(scheme, rates_of(scheme), 100.0, {"blocker": 5.0, "antagonist": 5.0, "agonist": 5.0}),
        p[-1],
        atol=1e-6,
    )


def test_dwell_and_first_passage(two_site):
    rates = rates_of(two_site)
    q = exact.generator(two_site, rates)
    assert exact.dwell_times(q)[two_site.index("A2R")] == pytest.approx(1 / (30 + 16))
    assert np.isinf(exact.dwell_times(q)[two_site.index("R")])
    shut = exact.first_passage(q, [two_site.index("AR")])
    assert shut[two_site.index("AR")] == 0.0
    # from A2R: burst of N - 1 openings on average, each 1/alpha, and N visits to A2R
    assert shut[two_site.index("A2R")] == pytest.approx((1 + 30 / 1.0) / 16)
    assert np.isinf(shut[two_site.index("R")])


def test_onset_at_saturation(two_site):
    """Liu & Dilger: at saturating ACh the 20-80 % onset is ln 4/(alpha + beta)."""
    rates = rates_of(two_site)
    q = exact.generator(two_site, rates, {"ACh": 1e9})
    opened = exact.relaxation(q, np.eye(4)[0], [0.01])[0, 3]
    total = rates["opening_rate"] + rates["closing_rate"]
    assert opened == pytest.approx(rates["opening_rate"] / total * (1 - np.exp(-total * 0.01)), rel=1e-4)


def test_equilibrium_keeps_the_digits_of_rare_states():
    q = np.array([[-1e-12, 1e-12, 0], [1.0, -1.0 - 1e-12, 1e-12], [0, 1.0, -1.0]])
    np.testing.assert_allclose(exact.equilibrium(q)[1:], [1e-12, 1e-24], rtol=1e-9)


# refusals


def mapping(**changed):
    base = {
        "name": "x", "states": ["R", "A"], "resting": "R", "conductance": {"A": 1},
        "transitions": [
            {"from": "R", "to": "A", "rate": "on", "binds": "ACh"},
            {"from": "A", "to": "R", "rate": "off", "releases": "ACh"},
        ],
    }  # fmt: skip
    return base | changed


def arrow(source, target, rate, **more):
    return {"from": source, "to": target, "rate": rate, **more}


BINDING = arrow("R", "A", "on", binds="ACh")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"states": ["R", "R"], "conductance": {}}, "different names"),
        ({"states": "RA"}, "a list"),
        ({"resting": "A2"}, "one of the states"),
        ({"conductance": {"B": 1}}, "a known key"),
        ({"conductance": {"A": -1}}, "zero or positive"),
        ({"conductance": {"A": "much"}}, "a number"),
        ({"statez": []}, "did you mean states"),
        ({"q10": {"onn": 2}}, "did you mean on?"),
        ({"transitions": []}, "joined to the others"),
        ({"transitions": [{"from": "R", "to": "A"}]}, "given"),
        ({"transitions": [arrow("R", "B", "on")]}, "between states of the scheme"),
        ({"transitions": [arrow("R", "R", "on")]}, "two different states"),
        ({"transitions": [arrow("R", "A", "on", factor=0)]}, "positive"),
        ({"transitions": [arrow("R", "A", "on", bind="ACh")]}, "did you mean binds?"),
        ({"transitions": [arrow("R", "A", "on", releases="ACh")]}, "zero or more"),
        ({"transitions": [BINDING, arrow("A", "R", "on")]}, "first or of second order"),
        ({"transitions": [BINDING, arrow("A", "R", "off")]}, "one number"),
        ({"transitions": [arrow("R", "A", "on", binds="ACh", releases="ACh")]}, "of one molecule"),
    ],
)
def test_inconsistent_schemes_are_refused(changed, words):
    with pytest.raises(ValidationError) as caught:
        load_scheme(mapping(**changed))
    assert words in str(caught.value)


def test_unknown_names_are_answered_with_the_nearest(two_site):
    with pytest.raises(ValidationError, match=r"did you mean two_site_primed\?"):
        load_scheme("two_site_primd")
    with pytest.raises(ValidationError, match=r"did you mean A2Ro\?"):
        two_site.index("a2ro")


def test_a_burst_needs_an_end():
    scheme = load_scheme("two_site_sequential")
    with pytest.raises(ValidationError, match="one that ends"):
        exact.burst(scheme, rates_of(scheme) | {"unbinding_rate": 0.0})
