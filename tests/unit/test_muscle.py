"""The fibre against cable theory, its solver against an explicit one, and trains."""

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from nmjmc.errors import ValidationError
from nmjmc.junction.drive import Drive
from nmjmc.junction.membrane import build, currents, gates
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.potential import field, respond, step_of
from nmjmc.junction.response import find_spikes, muscle_response, settle
from nmjmc.junction.safety import safety
from nmjmc.junction.staggered import Staggered
from nmjmc.junction.stimulus import stimulus_times, train

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
    return Muscle(sodium_conductance=0.0, potassium_conductance=0.0, **changes)


def rows(tree, count):
    return jax.tree.map(lambda v: np.full(count, v, F32), tree)


def test_a_current_step_charges_the_cable_as_the_error_function():
    # infinite cable: V(0, t) = R_in I erf(sqrt(t / tau)); surface and tubules closely coupled
    muscle = passive(tubule_access=100.0)
    clamp = drive(np.full(10, 1e-6), reversal=1e6)
    membrane, start = build(muscle)
    course, _ = respond(membrane, start, clamp, 60.0, 60.0, 601)
    time = np.linspace(0, 60, 601)
    expected = 0.75 * erf(np.sqrt(time / 8.0))
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
    assert float(muscle.speed) == pytest.approx(2.5**1.7)
    warm, more = muscle.effective(), 1.3**1.7
    for name in ("sodium_conductance", "potassium_conductance", "leak"):
        assert float(getattr(warm, name) / getattr(muscle, name)) == pytest.approx(more)
    # R_in = sqrt(r_m r_i) / 2: both resistances fall alike
    assert float(warm.input_resistance) == pytest.approx(0.75 / more)
    assert float(warm.axial_resistance / muscle.axial_resistance) == pytest.approx(1 / more)
    # Nernst: E_Na in proportion to the absolute temperature
    assert float(warm.sodium_reversal) == pytest.approx(76.0 * 310.15 / 293.15)
    v = jnp.asarray([-70.0, -20.0])
    slow, fast = gates(v), gates(v, muscle.speed)
    np.testing.assert_allclose(fast.steady, slow.steady)
    np.testing.assert_allclose(fast.rate, np.asarray(slow.rate) * float(muscle.speed), rtol=1e-5)
    membrane, start = build(muscle)
    course, _ = respond(membrane, start, drive(np.zeros(10)), 10.0, 10.0, 11, step_of(muscle))
    np.testing.assert_allclose(course.endplate, -84.0, atol=1e-3)
    assert step_of(muscle) == 0.0125
    assert step_of(Muscle()) == 0.025


@pytest.mark.parametrize(("slower", "stable"), [(1.0, True), (15 / 8, False)])
def test_a_warm_fibre_rests_well_below_its_own_firing(slower, stable):
    # steady current at 3 to 8 mV above rest, slow gates as at rest: outward, or the fibre goes on by itself
    membrane, start = build(
        Muscle(temperature=37.0, time_constant=8.0 * slower, resting_potential=-82.0 - 2 * stable)
    )
    for above in (3.0, 5.0, 8.0):
        lifted = start._replace(voltage=start.voltage + above)
        m, h, _, n, _ = gates(membrane.rest + lifted.voltage).steady
        surface, tubule = sum(c[:, -1] for c in currents(membrane, lifted._replace(m=m, h=h, n=n)))
        outward = surface + float(Muscle().tubule_area) * tubule
        assert (outward > 0) == stable


def test_gates_are_smooth_where_their_formulas_divide_zero_by_zero():
    for at in (-46.0, -40.0):
        values = [np.asarray(x) for x in gates(jnp.asarray([at - 1e-3, at, at + 1e-3])).rate]
        for value in values:
            assert abs(value[1] - 0.5 * (value[0] + value[2])) < 1e-4 * value[1]


@pytest.fixture(scope="module")
def convergence():
    membrane, start = build(Muscle())
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

    exact = solve(diffrax.Tsit5(), 0.0025)
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
    np.testing.assert_allclose(closed.voltage, integrated.voltage, atol=0.1)
    for name in ("m", "h", "s", "n", "k"):
        np.testing.assert_allclose(getattr(closed, name), getattr(integrated, name), atol=3e-3)
    # the current of the tail, which the closed form leaves out, brings some K more
    np.testing.assert_allclose(closed.potassium, integrated.potassium, rtol=0.005)
    same = settle(membrane, start, after, jnp.asarray(0.0))
    assert all(np.array_equal(a, b) for a, b in zip(same, after, strict=True))


def test_a_fibre_stuck_on_a_plateau_is_still_there_at_the_next_stimulus():
    """A long endplate current leaves a warm fibre where open sodium balances the leak: held as if integrated."""
    muscles = rows(Muscle(temperature=37.0), 2)
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
