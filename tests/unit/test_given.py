"""Numbers as users give them: of whatever type in the stated unit, with a unit of their own, or marked as internal."""

import datetime
from pathlib import Path

import jax
import jax.numpy as jnp
import neo
import numpy as np
import pint
import pytest
import quantities as pq
import xarray

import nmjmc
from nmjmc import internal
from nmjmc.analysis.alignment import align
from nmjmc.analysis.detection import biexponential, detect
from nmjmc.analysis.histogram_fit import fit_histogram
from nmjmc.analysis.instrument import Instrument
from nmjmc.analysis.observations import EventTable, Histogram, MeanWaveform, Statistic
from nmjmc.analysis.quantal import binomial, correct_summation, direct, variance, variance_mean
from nmjmc.analysis.recording import Recording
from nmjmc.api import plan
from nmjmc.diagnostics.dose import dose_response
from nmjmc.diagnostics.fibres import fibres_of
from nmjmc.diagnostics.rns import exercise
from nmjmc.diagnostics.sfemg import limits
from nmjmc.errors import ValidationError
from nmjmc.fitting import AverageTerm, Condition, CountsTerm, HistogramTerm, StatisticsTerm, WaveformTerm
from nmjmc.fitting.datasets.options import Options
from nmjmc.fitting.parameters import extra_value, free_parameters
from nmjmc.junction.modifier import scale, set_to, widen
from nmjmc.junction.stimulus import stimulus_times, train
from nmjmc.junction.terminal import Terminal
from nmjmc.junction.whole import human as junction
from nmjmc.kernel.numerics import Numerics
from nmjmc.meanfield import Grid
from nmjmc.pathology import disease
from nmjmc.pharmacology import drug

pytestmark = pytest.mark.unit
U = pint.UnitRegistry()
RATE = "receptor.closing_rate"  # stated in /s, inside in 1/ms


class WithUnit:
    """The convention of astropy and of many others: a value and a `unit` that is written as text."""

    def __init__(self, value, unit):
        self.value, self.unit = value, unit


class OfBrian:
    """The convention of Brian: only a dimension, and numbers that mean SI units."""

    dim = "metre"

    def __init__(self, value):
        self.value = value

    def __float__(self):
        return self.value


@pytest.fixture(scope="module")
def human():
    return nmjmc.preparation("human")


def replaced(human, path, value):
    return float(nmjmc.get(nmjmc.replace(human, path, value), path))


SAME_RATE = {
    "int": 675, "float": 675.0, "float64": np.float64(675), "float32": np.float32(675), "int64": np.int64(675),
    "0-d": np.array(675.0), "0-d int": np.array(675), "jax": jnp.array(675.0), "jax int": jnp.array(675),
    "float16": jnp.float16(675), "text": "675 /s", "np.str_": np.str_("675 /s"),
    "0-d text": np.array("675 /s"), "bare text": "675", "issue": np.linspace(675, 1350, 2)[0],
    "pint": U.Quantity(675, "1/s"), "pint ms": U.Quantity(0.675, "1/ms"), "pint Hz": U.Quantity(0.675, "kHz"),
    "quantities": 675 / pq.s, "xarray": xarray.DataArray(675.0, attrs={"units": "1/s"}),
    "of a unit": WithUnit(675.0, "1 / s"), "internal": internal(0.675), "internal numpy": internal(np.float64(0.675)),
}  # fmt: skip


@pytest.mark.parametrize("value", SAME_RATE.values(), ids=SAME_RATE)
def test_a_number_of_any_type_is_in_the_stated_unit(human, value):
    assert replaced(human, RATE, value) == 0.675
    built = nmjmc.preparation("human", receptor={"closing_rate": value})
    assert float(built.receptor.closing_rate) == 0.675


REFUSED = {
    "bool": True, "np.bool": np.True_, "0-d bool": np.array(True), "jax bool": jnp.array(True), "complex": 1 + 0j,
    "np.complex": np.complex64(675), "bytes": b"675", "np.bytes": np.bytes_(b"675"), "None": None, "nan": np.nan,
    "list": [675.0], "array": np.array([675.0]), "jax array": jnp.array([675.0]), "object": object(), "dict": {},
    "pint length": U.Quantity(675, "nm"), "pint pure": U.Quantity(675, ""), "pint list": U.Quantity([675.0], "1/s"),
    "quantities length": 675 * pq.nm, "xarray length": xarray.DataArray(675.0, attrs={"units": "nm"}),
    "unknown unit": WithUnit(675.0, "furlong"), "no unit in the text": WithUnit(675.0, ""), "Brian": OfBrian(675.0),
    "duration": datetime.timedelta(seconds=1), "np.duration": np.timedelta64(675, "ms"),
    "a month": np.timedelta64(1, "M"), "date": np.datetime64("2020-01-01"), "overflow": 10**400,
}  # fmt: skip


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_what_is_no_number_of_that_unit_is_refused_in_one_sentence(human, value):
    with pytest.raises(ValidationError, match=r"^receptor\.closing_rate must be .*\.?") as caught:
        nmjmc.replace(human, RATE, value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        295.15 * pq.K,
        22 * pq.degC,
        U.Quantity(22, "degC"),
        U.Quantity(295.15, "kelvin"),
        WithUnit(22.0, "deg_C"),
        22,
    ],
)
def test_temperatures(human, value):
    assert replaced(human, "temperature", value) == 22.0


@pytest.mark.parametrize(
    "value",
    [
        [1, 2], (1.0, 2.0), np.array([1, 2]), jnp.array([1.0, 2.0]), ["1 ms", "2000 us"], [1 * pq.ms, U("2 ms")],
        U.Quantity([1000, 2000], "us"), pq.Quantity([1, 2], "ms"), np.array([1, 2], "timedelta64[ms]"),
        xarray.DataArray([0.001, 0.002], attrs={"units": "s"}), np.array(["1 ms", "2 ms"]),
        internal(np.array([1.0, 2.0])), [datetime.timedelta(milliseconds=1), internal(2.0)],
    ],
)  # fmt: skip
def test_lists(value):
    two = nmjmc.preparation("human", vesicle={"sites": [[0, 0], [0, 0]], "times": value})
    assert np.allclose(two.vesicle.times, [1.0, 2.0], rtol=1e-12)
    assert np.allclose(stimulus_times(value), [1.0, 2.0], rtol=1e-12)


def test_a_traced_number_is_in_the_stated_unit_and_the_door_leads_inside(human):
    def rate(value):
        return nmjmc.get(nmjmc.replace(human, RATE, value), RATE)

    assert float(jax.jit(rate)(675.0)) == pytest.approx(rate(675.0), rel=1e-6)
    assert float(jax.grad(rate)(675.0)) == pytest.approx(1e-3, rel=1e-6)
    assert float(jax.grad(lambda x: rate(internal(x)))(0.675)) == 1.0
    assert np.allclose(jax.vmap(rate)(jnp.array([675.0, 1350.0])), [0.675, 1.35], rtol=1e-6)
    assert float(jax.jit(lambda x: rate(U.Quantity(x, "1/ms")))(0.675)) == pytest.approx(0.675, rel=1e-6)
    times = jax.jit(lambda x: nmjmc.replace(human, "vesicle.times", [x]).vesicle.times)(
        np.timedelta64(1, "ms") / np.timedelta64(1, "us")
    )
    assert np.allclose(times, [1000.0])
    with pytest.raises(ValidationError, match=r"receptor\.closing_rate must be a real number"):
        jax.jit(rate)(True)


def test_the_door_takes_numbers_only(human):
    assert internal(internal(2.0)) == internal(2.0)
    assert replaced(human, RATE, internal(2 * nmjmc.get(human, RATE))) == 2 * float(nmjmc.get(human, RATE))
    for value in ("30 nm", 30 * pq.nm, U("30 nm")):
        with pytest.raises(ValidationError, match=r"internal must be given a number in the internal unit"):
            internal(value)


def test_parts_refuse_what_carries_a_unit(human):
    for value in (U("30 nm"), 30 * pq.nm, xarray.DataArray(0.03, attrs={"units": "um"})):
        with pytest.raises(ValidationError, match=r"cleft\.height must be a number in nm.*nmjmc\.replace"):
            type(human.cleft)(value, human.cleft.exit_radius, human.cleft.diffusion)


# runs


def test_arguments_of_a_run(human):
    plain = plan(human, 10, duration=2.0, record_interval=0.02)
    for duration, interval in (
        (2 * pq.ms, 20 * pq.us),
        (U("2 ms"), U("20 us")),
        (np.float32(2), np.float64(0.02)),
    ):
        found = plan(human, np.int64(10), np.int64(0), duration=duration, record_interval=interval)
        assert found.records == plain.records
    assert (
        plan(human, U.Quantity(10, ""), duration=np.timedelta64(2, "ms"), record_interval="20 us").records
        == plain.records
    )
    for name, value in (
        ("duration", U("2 mV")), ("record_interval", 3 * pq.nm), ("vesicles", 5 * pq.ms), ("vesicles", np.True_),
        ("seed", U("1 s")), ("vesicles", 2.5), ("vesicles", np.float64(2.5)),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=f"^{name} must be"):
            plan(human, **{name: value})


def test_settings_of_kernel_and_mean_field():
    for step in (U("0.2 us"), "0.2 us", np.float64(2e-4), 2e-4, internal(2e-4)):
        assert Numerics(shortest_step=step) == Numerics(shortest_step=2e-4)
        assert Grid(first_step=step) == Grid(first_step=2e-4)
    assert Numerics(batch=np.int64(4)).batch == 4 and Grid(elements=np.int32(4)).elements == 4
    for wrong in ({"shortest_step": U("1 nm")}, {"batch": True}, {"chunk": 1.5}, {"step_scale": U("1 ms")}):
        with pytest.raises(ValidationError, match=r"^numerics\."):
            Numerics(**wrong)
    for wrong in ({"first_step": U("1 nm")}, {"elements": True}, {"age": 1 * pq.ms}, {"duration": 1j}):
        with pytest.raises(ValidationError, match=r"^grid\."):
            Grid(**wrong)


# traces

TIME = np.arange(0.0, 10.0, 0.01)
TRACE = -3.0 * biexponential(TIME, 0.2, 1.5)


@pytest.mark.parametrize(
    ("time", "trace"),
    [
        (TIME, TRACE), (TIME * pq.ms, TRACE * pq.nA), (1e-3 * TIME * pq.s, 1e3 * TRACE * pq.pA),
        (U.Quantity(1e3 * TIME, "us"), U.Quantity(1e3 * TRACE, "pA")), (list(TIME), list(TRACE)),
        (jnp.asarray(TIME, jnp.float32), xarray.DataArray(1e3 * TRACE, attrs={"units": "pA"})),
        (WithUnit(1e-3 * TIME, "s"), neo.AnalogSignal(1e3 * TRACE[:, None], units="pA", sampling_rate=100 * pq.kHz)),
    ],
)  # fmt: skip
def test_measure_takes_units(time, trace):
    found, plain = nmjmc.measure(time, trace), nmjmc.measure(TIME, TRACE)
    assert float(np.squeeze(found.amplitude)) == pytest.approx(3.0, rel=1e-3)
    for name, value in plain.as_dict().items():
        assert float(np.squeeze(found.as_dict()[name])) == pytest.approx(float(value), rel=1e-4), name


def test_measure_refuses_what_it_cannot_read():
    for time, trace, field in (
        (TIME * pq.mV, TRACE, "time"), (TIME, WithUnit(TRACE, "furlong"), "trace"), (TIME, TRACE + 0j, "trace"),
        (TIME > 1, TRACE, "time"), (TIME, ["a"] * TIME.size, "trace"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=f"^{field}"):
            nmjmc.measure(time, trace)
    for wrong in ({"polarity": 0}, {"polarity": 2}, {"onset": 1 * pq.mV}):
        with pytest.raises(ValidationError):
            nmjmc.measure(TIME, TRACE, **wrong)


def test_a_recording_takes_units_and_refuses_others():
    plain = Recording(
        TRACE, 0.01, holding_potential=-70.0, bandwidth=5.0, series_resistance=3.0, temperature=22.0
    )
    signal = neo.AnalogSignal(1e3 * TRACE[:, None], units="pA", sampling_rate=100 * pq.kHz)
    for given in (
        Recording(
            signal, 10 * pq.us, holding_potential=-0.07 * pq.V, bandwidth=5000 * pq.Hz,
            series_resistance=U("3 megaohm"), temperature=295.15 * pq.K,
        ),
        Recording(
            U.Quantity(1e3 * TRACE, "pA"), "10 us", holding_potential="-70 mV", bandwidth="5 kHz",
            series_resistance="3 MOhm", temperature="22 degC",
        ),
    ):  # fmt: skip
        assert np.allclose(given.signal, plain.signal) and given.signal.shape == plain.signal.shape
        for name in (
            "sampling_interval",
            "holding_potential",
            "bandwidth",
            "series_resistance",
            "temperature",
        ):
            assert getattr(given, name) == pytest.approx(getattr(plain, name), rel=1e-9), name
    two = neo.AnalogSignal(np.stack([TRACE, 2 * TRACE], axis=1), units="nA", sampling_rate=100 * pq.kHz)
    assert Recording(two, 0.01).signal.shape == (2, TIME.size)
    for wrong in (
        {"signal": TRACE * pq.mV}, {"sampling_interval": 10 * pq.mV}, {"bandwidth": 5 * pq.ms},
        {"holding_potential": U("-70 pA")}, {"temperature": U("22 mV")}, {"sweep_start": [1 * pq.mV]},
        {"signal": two, "sampling_interval": 0.02}, {"signal": np.ma.masked_less(TRACE, -1.0)},
    ):  # fmt: skip
        with pytest.raises(ValidationError) as caught:
            Recording(**{"signal": TRACE, "sampling_interval": 0.01, **wrong})
        assert "\n" not in str(caught.value)


def test_detection_takes_units():
    rng = np.random.default_rng(1)
    trace = rng.normal(0.0, 0.05, 4000)
    trace[1000:2000] += TRACE
    record = Recording(trace, 0.01)
    template = biexponential(TIME[:600], 0.2, 1.5)
    same = biexponential(TIME[:600] * pq.ms, 200 * pq.us, U("1.5 ms"))
    assert np.allclose(same, template)
    plain = detect(record, template, dead_time=1.0)
    assert np.array_equal(detect(record, template, dead_time=1 * pq.ms).sample, plain.sample)
    cut = align(record, plain, before=U("2 ms"), after=0.006 * pq.s)
    assert np.allclose(cut.traces, align(record, plain, before=2.0, after=6.0).traces)
    with pytest.raises(ValidationError, match=r"^before"):
        align(record, plain, before=2 * pq.mV)


def test_observations_take_units_and_refuse_others():
    table = EventTable({"amplitude": [1000.0, 2000.0] * pq.pA, "rise": [200, 300] * pq.us}, duration=2 * pq.s)
    assert (
        table["amplitude"].tolist() == [1.0, 2.0]
        and table["rise"].tolist() == [0.2, 0.3]
        and table.duration == 2000.0
    )
    mean = MeanWaveform(TIME * pq.ms, 1e3 * TRACE * pq.pA)
    assert np.allclose(mean.mean, TRACE)
    histogram = Histogram(U.Quantity([0, 1000, 2000], "uV"), [3, 4])
    assert histogram.edges.tolist() == [0.0, 1.0, 2.0]
    assert Histogram([0.0, 1.0, 2.0] * pq.nA, [3, 4], unit="pA").edges.tolist() == [0.0, 1000.0, 2000.0]
    number = Statistic("decay_time", 1500 * pq.us, "0.1 ms", unit="ms")
    assert (number.value, number.standard_error) == (1.5, 0.1)
    instrument = Instrument(20 * pq.us, 5000 * pq.Hz, series_resistance=U("3 megaohm"))
    assert (instrument.sampling_interval, instrument.bandwidth) == (0.02, 5.0)
    for wrong in (
        lambda: EventTable({"amplitude": [1.0] * pq.mV}), lambda: EventTable({"amplitude": [1.0]}, unit="pA"),
        lambda: MeanWaveform(TIME, TRACE * pq.mV), lambda: MeanWaveform(TIME, TRACE, unit="pA"),
        lambda: Histogram([0, 1, 2] * pq.ms, [1, 2]), lambda: Statistic("x", 3 * pq.mV, unit="ms"),
        lambda: Instrument(20 * pq.mV), lambda: Instrument(0.02, 5 * pq.ms),
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            wrong()


def test_quantal_analysis_does_not_mix_units():
    evoked, quanta = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.4, 0.5, 0.6])
    plain = direct(evoked, quanta).value
    assert direct(1e3 * evoked * pq.uV, quanta * pq.mV).value == pytest.approx(plain)
    assert variance(evoked * pq.mV, noise_sd=100 * pq.uV).value == pytest.approx(
        variance(evoked, noise_sd=0.1).value
    )
    assert correct_summation(5 * pq.mV, 0.08 * pq.V) == pytest.approx(correct_summation(np.array(5.0), 80.0))
    for wrong in (
        lambda: direct(evoked * pq.mV, quanta), lambda: variance(evoked, noise_sd=1 * pq.uV),
        lambda: variance(evoked * pq.mV, noise_sd=0.1), lambda: binomial(evoked, quanta * pq.mV),
        lambda: variance_mean(evoked * pq.mV, evoked), lambda: correct_summation(5 * pq.nA, 80.0),
        lambda: fit_histogram(Histogram(np.arange(8.0), [2] * 7), noise_sd=1 * pq.nA),
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            wrong()


# fits


def test_terms_and_options_of_fits(human):
    condition = Condition((("esterase.active_fraction", np.float64(0.5)),), duration=U("8 ms"))
    assert condition.duration == 8.0 and float(condition.of(human).esterase.active_fraction) == 0.5
    events = TRACE * (1.0 + 0.1 * np.random.default_rng(0).normal(size=(40, 1)))
    plain = WaveformTerm("a", TIME, events, Condition(duration=10.0))
    given = WaveformTerm("a", TIME * pq.ms, 1e3 * events * pq.pA, Condition(duration=10 * pq.ms))
    assert np.allclose(given.data, plain.data)
    found = free_parameters(human, {RATE: {"start": np.float64(675), "low": 300 / pq.s, "high": U("2 /ms")}})
    assert (found.start[0], found.low[0], found.high[0]) == (0.675, 0.3, 2.0)
    assert extra_value("recording.gain", U("250 kiloohm")) == 0.25
    options = Options(
        "x", "recording", {"before": 2000 * pq.us, "edges": [1, 2, 3] * pq.ms, "bins": np.int64(5)}, Path()
    )
    assert (
        options.number("before") == 2.0
        and options.edges().tolist() == [1, 2, 3]
        and options.whole("bins", 4) == 5
    )
    published = StatisticsTerm(
        "s", {"amplitude": Statistic("a", 3950 * pq.pA, 100 * pq.pA, unit="nA")}, Condition()
    )
    assert published.data == pytest.approx([3.95])
    counts = np.array([10, 20, 30])
    for wrong in (
        lambda: WaveformTerm("a", TIME, events * pq.mV, Condition(duration=10.0)),
        lambda: WaveformTerm("a", TIME * pq.mV, events, Condition(duration=10.0)),
        lambda: AverageTerm("a", MeanWaveform(TIME, TRACE, unit="mV"), Condition(duration=10.0)),
        lambda: HistogramTerm("a", Histogram(np.arange(4.0), counts, unit="pA"), Condition()),
        lambda: HistogramTerm("a", Histogram(np.arange(4.0), counts), Condition(), gain=3 * pq.mV),
        lambda: HistogramTerm("a", Histogram(np.arange(4.0), counts), Condition(), noise_sd=3 * pq.nA),
        lambda: CountsTerm("a", counts * pq.ms, Condition()), lambda: Condition(duration=3 * pq.mV),
        lambda: free_parameters(human, {RATE: {"start": 675 * pq.nm}}),
        lambda: extra_value("recording.gain", 3 * pq.s),
        lambda: nmjmc.fit(human, [plain], [RATE], level=95 * pq.ms),
        lambda: nmjmc.fit(human, [plain], [RATE], steps=2.5),
        lambda: nmjmc.fit(human, [plain], [RATE], fixed={"recording.gain": 3 * pq.s}),
    ):  # fmt: skip
        with pytest.raises(ValidationError) as caught:
            wrong()
        assert "\n" not in str(caught.value)


# the junction, its diseases, drugs and tests


def test_changes_of_a_junction_take_stated_units():
    healthy = junction("25 degC")
    assert (
        float(healthy.muscle.temperature)
        == 25.0
        == float(junction(U.Quantity(298.15, "kelvin")).terminal.temperature)
    )
    for value in (70, np.float64(70), "70 nm", U("0.07 um"), internal(0.07)):
        assert float(set_to("terminal.disorder", value)(healthy).terminal.disorder) == 0.07
        assert float(set_to("synapse.cleft.height", value)(healthy).synapse.cleft.height) == 0.07
    assert float(widen("spread.conduction", 800 * pq.us)(healthy).spread.conduction) == pytest.approx(1.0)
    assert Terminal(zones=np.int64(4)).zones == 4
    for wrong in (
        lambda: set_to("terminal.disorder", 7 * pq.ms)(healthy), lambda: scale("muscle.radius", 2 * pq.um)(healthy),
        lambda: set_to("terminal.disordr", 7)(healthy), lambda: junction(25 * pq.mV), lambda: Terminal(zones=True),
        lambda: scale("synapse.receptor.density", U("2 mm"))(healthy),
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            wrong()


def test_doses_severities_and_stimuli():
    for dose in (
        np.float64(0.2),
        "0.2 uM",
        WithUnit(200.0, "nM"),
        U("0.2 micromolar"),
        WithUnit(2e-7, "mol / l"),
    ):
        assert float(drug("neostigmine", dose)(junction()).synapse.esterase.active_fraction) == pytest.approx(
            0.5
        )
    same = [
        drug("organophosphate", 1, exposure=t)(junction()).inhibition[1]
        for t in ("60 s", 60 * pq.s, np.timedelta64(1, "m"))
    ]
    assert same[0] == same[1] == same[2]
    assert np.allclose(train(3 * pq.Hz, np.int64(4)), train(3, 4)) and np.allclose(
        exercise(1 * pq.s), exercise("1 s")
    )
    for wrong in (
        lambda: drug("neostigmine", 0.2 * pq.ms), lambda: drug("neostigmine", U("1 nm")),
        lambda: drug("neostigmine", True),
        lambda: drug("organophosphate", 1, exposure=60 * pq.mV), lambda: disease("myasthenia_gravis", 0.5 * pq.ms),
        lambda: disease("myasthenia_gravis", np.True_), lambda: train(3 * pq.ms, 4), lambda: train(3, 4 * pq.ms),
        lambda: stimulus_times([1, 2] * pq.mV), lambda: exercise(10 * pq.nm), lambda: limits(40 * pq.nm, "frontalis"),
        lambda: fibres_of(junction(), 3 * pq.ms), lambda: fibres_of(junction(), 2.5),
        lambda: dose_response(junction(), lambda c: drug("neostigmine", c), [1, 2] * pq.ms),
    ):  # fmt: skip
        with pytest.raises(ValidationError) as caught:
            wrong()
        assert "\n" not in str(caught.value)
