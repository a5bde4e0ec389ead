"""What a right muscle fibre shows at 37 degC: it fires once, follows trains, and comes back from long currents."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmjmc.junction.drive import Drive
from nmjmc.junction.membrane import GATES, build, gates
from nmjmc.junction.muscle import Muscle
from nmjmc.junction.passive import passive
from nmjmc.junction.potential import respond, step_of
from nmjmc.junction.response import FIRED, muscle_response

pytestmark = pytest.mark.unit

F32 = np.float32
STEP = 0.02
DECAY = 0.8
FULL, HALF = 2.0, 1.0  # uS; a healthy muscle's normal endplate current is 2 uS


def current(peak, longer, length):
    """An endplate conductance that begins 1.2 ms after the stimulus and decays so many times more slowly [uS]."""
    since = np.maximum(np.arange(0, length, STEP) - 1.2, 0)
    shape = (1 - np.exp(-since / 0.12)) * np.exp(-since / (DECAY * longer))
    return (peak * shape / shape.max()).astype(F32)


def warm(**changes):
    return Muscle(temperature=37.0, **changes)


def stacked(muscles):
    return jax.tree.map(lambda *v: np.asarray(v, F32), *muscles)


def drives(conductance, closing):
    count = len(conductance)
    rest = (np.full(count, x, F32) for x in (STEP, 0.0))
    last = (np.full(count, x, F32) for x in (0.0058, -80.0))
    return Drive(np.asarray(conductance, F32), *rest, np.asarray(closing, F32), *last)


LONG = (8.68, 16.0, 30.0)
KINDS = {
    "default": {}, "rest -88": {"resting_potential": -88.0}, "rest -80": {"resting_potential": -80.0},
    "faster": {"inactivation_slowness": 0.67}, "slower": {"inactivation_slowness": 2.0},
}  # fmt: skip
CASES = [(name, FULL, longer) for name in KINDS for longer in LONG]
CASES += [("default", peak, longer) for peak in (FULL, HALF) for longer in (1.0, 3.84)] + [
    ("default", HALF, 8.68)
]
LENGTH = 100.0


@pytest.fixture(scope="module")
def answers():
    """Two stimuli 333 ms apart; everything is integrated for 100 ms after each."""
    muscles = stacked([warm(**KINDS[name]) for name, _, _ in CASES])
    each = np.stack([current(peak, longer, LENGTH) for _, peak, longer in CASES])
    given = drives(each[:, None].repeat(2, axis=1), [1 / (DECAY * longer) for _, _, longer in CASES])
    response = muscle_response(muscles, given, np.array([0.0, 333.0]), LENGTH)
    whole = response._replace(time=np.zeros(len(CASES)))
    return {case: jax.tree.map(lambda x, i=i: x[i], whole) for i, case in enumerate(CASES)}


@pytest.mark.parametrize("longer", LONG)
@pytest.mark.parametrize("name", KINDS)
def test_a_fibre_comes_back_from_a_long_endplate_current_and_fires_again(answers, name, longer):
    found = answers[name, FULL, longer]
    assert found.spikes[0] >= 2 and not found.depolarised.any()
    # the closed form of the rest begins 100 ms after the stimulus: by then the fibre must be there by itself
    assert abs(found.course.endplate[1, 0] - KINDS[name].get("resting_potential", -84.0)) < 0.01
    assert found.spikes[1] >= 1


def test_a_healthy_fibre_fires_once_and_conducts_as_published(answers):
    for peak in (FULL, HALF):
        assert answers["default", peak, 1.0].spikes.tolist() == [1, 1]
    course = answers["default", FULL, 1.0].course
    step = 2 * step_of(warm())
    ahead, far = (np.argmax(np.asarray(x)[0] > FIRED) * step for x in (course.endplate, course.distant))
    # 3.3 to 5.2 m/s in man (Buchthal et al. 1955, abstract); 1.575 mm between the two
    assert 3.3 < 1.575 / (far - ahead) < 5.2


def test_repetition_goes_with_the_length_of_the_current_as_published(answers):
    """At half the current: none at 3.84 times the length, one more at 8.68 (Neurology 2020;95:e2781, abstract)."""
    assert answers["default", HALF, 3.84].spikes[0] == 1
    trace = np.asarray(answers["default", HALF, 8.68].course.distant)[0]
    up = np.flatnonzero((trace[1:] > FIRED) & (trace[:-1] <= FIRED)) * 2 * step_of(warm())
    assert up.size == 2
    assert 3.0 < np.diff(up)[0] < 5.0  # 3.5 to 4 ms in patients


def test_no_two_spikes_are_closer_than_the_refractory_period(answers):
    # absolute: 2.2 to 3.1 ms at 34 to 36.5 degC (Buchthal & Engbaek, abstract)
    for found in answers.values():
        for trace in np.asarray(found.course.distant):
            up = np.flatnonzero((trace[1:] > FIRED) & (trace[:-1] <= FIRED)) * 2 * step_of(warm())
            assert up.size < 2 or np.diff(up).min() > 2.2


def test_a_fibre_at_rest_has_the_passive_properties_that_were_read():
    found, muscle = passive(warm()), warm().effective()
    assert 0.4 < float(found.input_resistance) < 0.8
    assert float(muscle.axial_resistivity) == pytest.approx(1.23, rel=0.01)  # 123 ohm cm, Lipicky et al. 1971
    assert 0.52e5 < float(found.membrane) < 2.62e5  # 520 ohm cm^2 in rat, 2,619 in man
    assert 0.75 < float(found.chloride_share) < 0.96


@pytest.fixture(scope="module")
def freed():
    """Every compartment held at -55 mV for 100 ms, then freed [t]."""

    def one(muscle):
        membrane, start = build(muscle)
        held = jnp.full_like(start.voltage, -55.0) - membrane.rest
        found = gates(membrane.rest + held, membrane.gating, membrane.pace)
        moved = {
            name: steady + (getattr(start, name) - steady) * jnp.exp(-100.0 * rate)
            for name, steady, rate in zip(GATES, found.steady, found.rate, strict=True)
        }
        nothing = Drive(jnp.zeros(2), *(jnp.asarray(x) for x in (STEP, 0.0, 1.0, 0.0, -80.0)))
        return respond(
            membrane, start._replace(voltage=held, **moved), nothing, 20.0, 20.0, 3, step_of(warm())
        )[1]

    muscles = stacked([warm(**KINDS[name]) for name in ("default", "faster", "slower")])
    return jax.jit(jax.vmap(one))(jax.tree.map(jnp.asarray, muscles))


def test_a_fibre_held_at_55_mV_comes_back_within_20_ms(freed):
    assert (np.abs(np.asarray(freed.voltage)) < 8.0).all()


@pytest.fixture(scope="module")
def trains():
    """A second at 100 Hz and 50 ms after it, with all of the chloride conductance, half of it and a fifth."""
    normal = float(Muscle().chloride_conductance)
    muscles = stacked([warm(chloride_conductance=normal * part) for part in (1.0, 0.5, 0.2)])
    each = np.zeros((3, 105, 400), F32)
    each[:, :100] = current(FULL, 1.0, 8.0)
    return muscle_response(muscles, drives(each, np.full(3, 1 / DECAY)), 10.0 * np.arange(105), 10.0)


def test_a_healthy_fibre_follows_100_hz_for_a_second(trains):
    assert (trains.spikes[0, :100] == 1).all()
    assert not trains.spikes[0, 100:].any()


def test_a_fibre_with_a_fifth_of_its_chloride_conductance_is_myotonic(trains):
    """It fires on after the train; with half of the conductance it does not (myotonia at 0.38 in rat, abstract)."""
    assert (trains.spikes[1, :100] == 1).all() and not trains.spikes[1, 100:].any()
    assert trains.spikes[2, 100:].sum() >= 1
