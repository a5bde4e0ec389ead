"""The fibre against cable theory, its solver against an explicit one, and trains."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from nmjmc.errors import ValidationError
from nmjmc.junction.build import build_junction, describe_junction
from nmjmc.junction.drive import Drive
from nmjmc.junction.fibres import FIBRES, published
from nmjmc.junction.gating import SETS
from nmjmc.junction.membrane import GATES, build, currents, gates, pace_of
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.passive import passive as at_rest
from nmjmc.junction.potential import field, respond, step_of
from nmjmc.junction.response import find_spikes, muscle_response, settle
from nmjmc.junction.safety import safety
from nmjmc.junction.staggered import Staggered
from nmjmc.junction.stimulus import stimulus_times, train
from nmjmc.junction.whole import human as whole_junction

pytestmark = pytest.mark.unit

F32 = np.float32
STEP = 0.02


def drive(conductance, *, reversal=0.0, closing=1 / 3.2, sensitivity=0.0, reference=-80.0):
    values = (conductance, STEP, reversal, closing, sensitivity, reference)
    return Drive(*(jnp.asarray(v, jnp.float32) for v in values))


def endplate(quanta):
    """A conductance with the shape of an endplate current of some 50 nS a quantum."""
    since = np.maximum(np.arange(0, 30, STEP) - 0.3, 0)
    shape = (1 - np.exp(-since / 0.2)) * np.exp(-since / 3.2)
    return quanta * 0.05 * shape / shape.max()


def passive(**changes):
    """A fibre with a linear leak and nothing else: R_in 0.75 MOhm, a time constant of 8 ms."""
    wanted = {
        "sodium_conductance": 0.0, "potassium_conductance": 0.0, "chloride_conductance": 0.0, "pump_current": 0.0,
        "rectifier_conductance": 0.0, "leak_conductance": 1e-5 / 8.0, "radius": 27.0, "tubule_sodium": 0.0,
        "axial_resistivity": 4.63,
    }  # fmt: skip
    return Muscle(**{**wanted, **changes})


FORMER = published(
    "shorten_2007", temperature=37.0, radius=27.0, sodium_conductance=4e-3, potassium_conductance=9e-4,
    endplate_sodium_factor=5.0, perijunctional_sodium_factor=5.0, tubule_sodium=0.15, tubule_potassium=0.6,
    chloride_conductance=0.0, rectifier_conductance=0.0, leak_conductance=1.25e-6, chloride_q10=1.3,
    axial_resistivity=4.63, tubule_exchange=100.0, sodium_reversal=76.0, potassium_inside=151.9e3,
    potassium_outside=4.5e3, resting_potential=-84.0,
)  # fmt: skip
"""The fibre before it had chloride channels: one leak, and the fast inactivation of Shorten et al. 2007."""


def rows(tree, count):
    return jax.tree.map(lambda v: np.full(count, v, F32), tree)


def test_a_current_step_charges_the_cable_as_the_error_function():
    # infinite cable: V(0, t) = R_in I erf(sqrt(t / tau)); surface and tubules closely coupled
    muscle = passive(tubule_access=100.0)
    clamp = drive(np.full(10, 1e-6), reversal=1e6)
    membrane, start = build(muscle)
    course, _ = respond(membrane, start, clamp, 60.0, 60.0, 601)
    time = np.linspace(0, 60, 601)
    cable = at_rest(muscle)
    assert float(cable.time_constant) == pytest.approx(8.0)
    expected = float(cable.input_resistance) * erf(np.sqrt(time / 8.0))
    found = np.asarray(course.endplate) + 84.0
    # from 5 ms on: before, the compartments are too long; later, the sealed end comes to bear
    np.testing.assert_allclose(found[50:], expected[50:], rtol=0.03)


def test_endplate_conductances_add_as_in_a_voltage_divider():
    # at rest of everything, V = E g R / (1 + g R): R from a small conductance gives every other
    membrane, start = build(passive())

    def steady(g):
        course, _ = respond(membrane, start, drive(np.full(10, g)), 400.0, 400.0, 2)
        return float(course.endplate[-1]) + 84.0

    small = steady(1e-3)
    resistance = small / (84.0 - small) / 1e-3
    for g in (0.1, 1.0, 5.0):
        assert steady(g) == pytest.approx(84.0 * g * resistance / (1 + g * resistance), rel=1e-3)


def test_the_open_conductance_closes_at_the_rate_of_the_potential():
    # a conductance that decays at b0 at -80 mV decays at b0 exp(A (V + 80)) at any other
    rate, sensitivity = 0.4, 0.0058
    g0 = 1e-9 * np.exp(-rate * np.arange(0, 30, STEP))
    membrane, start = build(passive(resting_potential=-50.0))
    given = drive(g0, closing=rate, sensitivity=sensitivity)
    _, end = respond(membrane, start, given, 10.0, 10.0, 2)
    faster = rate * np.exp(sensitivity * 30.0)
    expected = 1e-9 * (np.exp(-faster * 10.0) - np.exp(-rate * 10.0))
    # the state stands half a step behind
    assert float(end.excess) == pytest.approx(expected, rel=0.02)


def test_rest_is_at_rest():
    membrane, start = build(Muscle())
    course, _ = respond(membrane, start, drive(np.zeros(10)), 30.0, 30.0, 31)
    np.testing.assert_allclose(course.endplate, -84.0, atol=1e-3)
    np.testing.assert_allclose(course.tubule, -84.0, atol=1e-3)


def test_a_warm_fibre_has_faster_gates_and_larger_conductances():
    muscle = Muscle(temperature=37.0)
    assert float(muscle.speed) == pytest.approx(2.5**1.5)
    warm, more = muscle.effective(), 1.3**1.5
    for name in ("sodium_conductance", "potassium_conductance", "rectifier_conductance"):
        assert float(getattr(warm, name) / getattr(muscle, name)) == pytest.approx(more)
    for name in ("axial_resistivity", "tubule_access"):
        assert float(getattr(warm, name) / getattr(muscle, name)) == pytest.approx(1 / more)
    assert float(warm.chloride_conductance) == float(muscle.chloride_conductance)
    # Nernst: E_Na in proportion to the absolute temperature
    assert float(warm.sodium_reversal) == pytest.approx(76.0 * 310.15 / 295.15)
    v = jnp.asarray([-70.0, -20.0])
    slow, fast = gates(v, muscle.gating, pace_of(Muscle())), gates(v, muscle.gating, pace_of(muscle))
    np.testing.assert_allclose(fast.steady, slow.steady)
    np.testing.assert_allclose(fast.rate, np.asarray(slow.rate) * float(muscle.speed), rtol=1e-5)
    membrane, start = build(muscle)
    course, _ = respond(membrane, start, drive(np.zeros(10)), 10.0, 10.0, 11, step_of(muscle))
    np.testing.assert_allclose(course.endplate, -84.0, atol=1e-3)
    assert step_of(muscle) == 0.0125
    assert step_of(Muscle()) == 0.025


def steady_current(muscle, above):
    """Steady current of a compartment far from the endplate, slow gates as at rest [nA/um^2 of surface]."""
    membrane, start = build(muscle)
    lifted = start._replace(voltage=start.voltage + above)
    found = gates(membrane.rest + lifted.voltage, membrane.gating, membrane.pace).steady
    moved = lifted._replace(**{n: x for n, x in zip(GATES, found, strict=True) if n != "s"})
    surface, tubule = currents(membrane, moved).total[:, -1]
    return float(surface + muscle.tubule_area * tubule)


@pytest.mark.parametrize(("preset", "stable"), [("human", True), ("shorten_2007", False)])
def test_a_warm_fibre_rests_well_below_its_own_firing(preset, stable):
    # outward from 3 mV above rest to -40 mV, or the fibre goes on by itself; Shorten's inactivation leaves a window
    muscle = published(preset, temperature=37.0)
    found = [steady_current(muscle, above) for above in np.arange(3.0, 45.0, 3.0)]
    assert (min(found) > 0) == stable


@pytest.mark.parametrize("name", SETS)
def test_gates_are_smooth_where_their_formulas_divide_zero_by_zero(name):
    for at in (-46.0, -40.0):
        values = [np.asarray(x) for x in gates(jnp.asarray([at - 1e-3, at, at + 1e-3]), name).rate]
        for value in values:
            assert abs(value[1] - 0.5 * (value[0] + value[2])) < 1e-4 * value[1]


@pytest.fixture(scope="module")
def convergence():
    # an explicit method cannot bear the sodium of a whole endplate, whose time constant falls below 1 us
    membrane, start = build(Muscle(endplate_sodium_factor=5.0))
    arguments = (membrane, drive(endplate(31), sensitivity=0.0058))
    times = jnp.linspace(0.0, 10.0, 401)

    def solve(solver, step):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(field),
            solver,
            0.0,
            10.0,
            step,
            start,
            arguments,
            saveat=diffrax.SaveAt(ts=times, fn=lambda t, y, a: y.voltage[0, 5] - 84.0),
            stepsize_controller=diffrax.ConstantStepSize(),
            max_steps=10_000,
        )
        return find_spikes(np.asarray(times), np.asarray(solution.ys)[None])[1][0]

    exact = solve(diffrax.Tsit5(), 0.00125)
    return {step: float(solve(Staggered(), step) - exact) for step in (0.05, 0.025)}


def test_the_staggered_solver_agrees_with_an_explicit_one(convergence):
    # latency, 1.5 mm away, within 20 us (an offset common to all stimuli)
    assert abs(convergence[0.025]) < 0.02


def test_the_staggered_solver_is_of_second_order(convergence):
    assert 3.0 < convergence[0.05] / convergence[0.025] < 5.0


def test_a_rest_in_closed_form_is_the_rest_integrated():
    membrane, start = build(Muscle())
    _, after = respond(membrane, start, drive(endplate(31)), 30.0, 30.0, 2)
    nothing = drive(np.zeros(10))
    _, integrated = respond(membrane, after, nothing, 100.0, 100.0, 2)
    closed = settle(membrane, start, after, jnp.asarray(100.0))
    # potassium of the tubules still depolarises by a quarter of a mV, which the closed form leaves out
    np.testing.assert_allclose(closed.voltage, integrated.voltage, atol=0.3)
    for name in GATES:
        # a quarter of a mV is a hundredth of h
        np.testing.assert_allclose(getattr(closed, name), getattr(integrated, name), atol=0.015)
    # the current of the tail, which the closed form leaves out, brings some K more
    np.testing.assert_allclose(closed.potassium, integrated.potassium, rtol=0.005)
    same = settle(membrane, start, after, jnp.asarray(0.0))
    assert all(np.array_equal(a, b) for a, b in zip(same, after, strict=True))


def test_a_fibre_stuck_on_a_plateau_is_still_there_at_the_next_stimulus():
    """A long endplate current leaves the former fibre where open sodium balances the leak: held as if integrated."""
    muscles = rows(FORMER, 2)
    both = np.stack([endplate(5), endplate(60)])[:, None].repeat(2, axis=1).astype(F32)
    drives = rows(drive(0.0), 2)._replace(conductance=both)
    whole, cut = (muscle_response(muscles, drives, np.array([0.0, 120.0]), t) for t in (120.0, 40.0))
    before = np.asarray(whole.course.endplate)[:, 1, 0]
    assert before[0] < -80 and before[1] > -60
    # what moves until then is slow inactivation, whose time constant is a second
    np.testing.assert_allclose(np.asarray(cut.course.endplate)[:, 1, 0], before, atol=0.5)
    np.testing.assert_array_equal(whole.spikes, cut.spikes)
    assert whole.spikes[1, 0] > 0 and whole.spikes[1, 1] == 0
    np.testing.assert_array_equal(cut.depolarised, [[False, False], [False, True]])


@pytest.fixture(scope="module")
def margins():
    count = 5
    quanta = np.array([3, 10, 15, 31, 60])
    drives = rows(drive(0.0), count)._replace(conductance=np.stack([endplate(m) for m in quanta]).astype(F32))
    muscles = rows(Muscle(), count)
    times = train("20 Hz", 3)
    repeated = drives._replace(conductance=np.repeat(drives.conductance[:, None], 3, axis=1))
    return safety(muscles, drives), muscle_response(muscles, repeated, times)


def test_a_fibre_fires_where_its_safety_factor_exceeds_one(margins):
    found, response = margins
    factor = np.asarray(found.factor)
    assert (np.diff(factor) > 0).all()
    # 3 quanta give a factor of about 0.5, 10 one of 1.5: neither is near the edge
    np.testing.assert_array_equal(response.spikes[:, 0] > 0, factor > 1)


def test_the_threshold_belongs_to_the_fibre_and_not_to_the_stimulus(margins):
    threshold = np.asarray(margins[0].threshold)
    # the bisection's last interval is 0.2 % of a conductance
    np.testing.assert_allclose(threshold, threshold.mean(), rtol=4e-3)


def test_a_larger_potential_fires_sooner(margins):
    latency = margins[1].latency[2:, 0]
    assert (np.diff(latency) < 0).all()


def test_spikes_are_counted_and_timed():
    time = np.arange(5.0)
    trace = np.array([[-80.0, -80, 20, -80, 20], [-80, -80, -80, -80, -80]])
    spikes, latency = find_spikes(time, trace, level=-30.0)
    assert spikes.tolist() == [2, 0]
    assert latency[0] == pytest.approx(1.5)
    assert np.isnan(latency[1])


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([3, 2], "rising"),
        ([], "a list"),
        ([-1, 2], "zero or later"),
        (["1 ms", "2 mV"], "ms"),
        ([1, 1.5], "apart"),
        ([0, float("nan")], "finite"),
    ],
)
def test_impossible_times_are_refused_in_one_sentence(times, words):
    with pytest.raises(ValidationError, match=words):
        stimulus_times(times)


def test_trains_are_regular():
    np.testing.assert_allclose(train(50, 3), [0, 20, 40])
    np.testing.assert_allclose(train("0.05 /ms", 2, 5.0), [5, 25])
    for frequency, stimuli in ((0, 3), ("3 mV", 3), (3, 0), (3, 1.5)):
        with pytest.raises(ValidationError):
            train(frequency, stimuli)


def test_impossible_fibres_are_refused():
    with pytest.raises(ValidationError, match=r"muscle\.radius"):
        Muscle(radius=-1.0)
    with pytest.raises(ValidationError, match=r"muscle\.gating.*shorten_2007"):
        Muscle(gating="shorten")
    with pytest.raises(ValidationError, match="no leak"):
        Muscle(chloride_conductance=0.0)
    with pytest.raises(ValidationError, match=r"muscle\.preset.*shorten_2007"):
        published("shorten")


def test_fibres_of_others_are_presets_of_a_junction():
    human = describe_junction(whole_junction())
    base = {"preset": "shorten_2007", "radius": "30 um"}
    built = build_junction({**human, "muscle": base}).muscle
    assert built.gating == "shorten_2007" and float(built.radius) == 30.0
    assert float(built.sodium_conductance) == FIBRES["shorten_2007"]["sodium_conductance"]
    described = describe_junction(build_junction({**human, "muscle": base}))
    again = build_junction(described).muscle
    assert jax.tree.leaves(again) == jax.tree.leaves(built) and again.gating == built.gating
    with pytest.raises(ValidationError, match=r"muscle\.input_resistance.*it follows from"):
        build_junction({**human, "muscle": {"input_resistance": "1 MOhm"}})
