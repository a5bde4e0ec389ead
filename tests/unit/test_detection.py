"""Events put into noise are found again; hand-scored and published recordings give what their README says."""

from pathlib import Path

import numpy as np
import pytest

from nmjmc.analysis.alignment import align, measure_events
from nmjmc.analysis.detection import METHODS, biexponential, criterion, deconvolve, detect
from nmjmc.analysis.instrument import Instrument, instrument_of
from nmjmc.analysis.recording import Recording
from nmjmc.analysis.waveform import measure
from nmjmc.data.recordings import read_recording
from nmjmc.errors import ValidationError
from tests.statistics import assert_mean, assert_within

pytestmark = pytest.mark.unit

REAL = Path(__file__).parents[3] / "shared" / "recordings"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the recordings are not here")

STEP, RISE, DECAY, NOISE = 0.05, 0.3, 3.0, 5e-3
SHAPE = biexponential(np.arange(0.0, 20.0, STEP), RISE, DECAY)


def synthetic(seed=0, events=120, samples=400_000):
    """Twenty seconds of inward events of lognormal size in filtered noise: the record, onsets and amplitudes."""
    rng = np.random.default_rng(seed)
    white = Instrument(STEP, 2.0, spectrum=np.ones(2), frequency=np.array([0.0, 2.0])).noise(
        (1, samples), rng
    )
    record = NOISE * white / white.std()
    onset = np.sort(rng.choice(np.arange(500, samples - 2000, 800), events, replace=False))
    amplitude = rng.lognormal(np.log(0.04), 0.3, events)
    for size, at in zip(amplitude, onset, strict=True):
        record[0, at : at + SHAPE.size] -= size * SHAPE
    return Recording(record, STEP, bandwidth=2.0), onset, amplitude


def test_the_template_peaks_at_one():
    fine = biexponential(np.arange(-1.0, 20.0, 1e-4), RISE, DECAY)
    assert fine.max() == pytest.approx(1.0, abs=1e-6) and fine[:1000].max() == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_events_in_noise_are_found_at_their_onsets(method):
    record, onset, _ = synthetic()
    found = detect(record, SHAPE[:300], method=method, threshold=5.0 if method == "deconvolution" else 3.5)
    nearest = np.abs(found.sample[:, None] - onset[None, :]).min(axis=1) * STEP
    missed = np.abs(found.sample[:, None] - onset[None, :]).min(axis=0) * STEP > 1.0
    # the smallest events are eight times the noise; nothing else may be taken for one
    assert (nearest < 1.0).all() and missed.sum() <= 0.02 * onset.size
    assert np.median(nearest) <= 2 * STEP


def test_no_noise_no_events():
    rng = np.random.default_rng(3)
    quiet = Recording(1e-3 * rng.normal(size=(2, 100_000)), STEP)
    assert len(detect(quiet, SHAPE[:300], threshold=6.0)) == 0


@pytest.mark.stat
def test_aligned_events_have_the_amplitude_and_decay_they_were_made_with():
    record, onset, amplitude = synthetic(4)
    events = align(record, detect(record, SHAPE[:300], threshold=5.0), before=2.0, after=10.0)
    assert len(events) + events.left_out >= 0.98 * onset.size
    mean = events.mean()
    shape = measure(mean.time, mean.mean)
    # the mean of n events: amplitudes scatter by 30 %; noise and alignment blur the peak by less than 2 %
    error = amplitude.std(ddof=1) / np.sqrt(len(events))
    assert_within(float(shape.amplitude), amplitude.mean(), error, bias=0.02 * amplitude.mean())
    # the noise of the mean is 1.2 % of its peak, and of the fitted logarithm about 3 %
    assert float(shape.decay_time) == pytest.approx(DECAY, rel=0.09)
    table = measure_events(events, smooth=5)
    assert_mean(table["noise"], NOISE, bias=0.05 * NOISE)
    assert table.frequency == pytest.approx(len(events) / record.duration)


def test_deconvolution_by_the_template_itself_gives_an_impulse():
    trace = np.zeros(4000)
    trace[1000 : 1000 + SHAPE.size] = SHAPE
    assert deconvolve(trace, SHAPE[:300], STEP, (0.0, 0.5)).argmax() == pytest.approx(1000, abs=1)


def test_the_criterion_is_the_scale_over_its_error():
    rng = np.random.default_rng(8)
    trace, template = rng.normal(size=300) + 0.1, SHAPE[:40]
    design = np.stack([template, np.ones(40)], axis=1)
    for at in (0, 77, 250):
        fit, rest, _, _ = np.linalg.lstsq(design, trace[at : at + 40], rcond=None)
        assert criterion(trace, template)[at] == pytest.approx(fit[0] / np.sqrt(rest[0] / 39), rel=1e-9)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"template": np.zeros(50)}, "template"),
        ({"template": np.ones(2)}, "template"),
        ({"method": "neural"}, "method"),
        ({"threshold": -1.0}, "threshold and polarity"),
    ],
)
def test_impossible_settings_are_refused(change, names):
    record = Recording(np.random.default_rng(0).normal(size=(1, 1000)), STEP)
    with pytest.raises(ValidationError, match=f"^{names} must be"):
        detect(record, **{"template": SHAPE[:100], **change})


def test_the_filter_has_its_corner_and_passes_a_steady_current():
    instrument = Instrument(0.02, bandwidth=2.0)
    time = np.arange(0.0, 20.0, 0.01)
    wave = np.sin(2 * np.pi * 2.0 * time)
    late = instrument.apply(time, wave, np.arange(10.0, 19.0, 0.003))
    assert np.sqrt(2.0) * late.std() == pytest.approx(1 / np.sqrt(2.0), rel=5e-3)
    assert instrument.apply(time, np.ones_like(time), np.array([15.0])) == pytest.approx([1.0], rel=1e-6)


def test_series_resistance_makes_large_currents_smaller():
    instrument = Instrument(0.02, series_resistance=10.0)
    # 4 nA at -80 mV are 50 nS; with 10 MOhm in series g R = 0.5
    assert float(instrument.through_series_resistance(np.array(-4.0), -80.0)) == pytest.approx(-4.0 / 1.5)


def test_noise_has_the_spectrum_of_the_recording():
    record, _, _ = synthetic(7, events=1)
    quiet = record.signal[0, 20_000:380_000].reshape(-1, 4000)
    made = instrument_of(record, quiet)
    assert made.noise_sd == pytest.approx(NOISE, rel=0.03)
    again = made.noise((60, 4000), np.random.default_rng(1))
    assert again.std() == pytest.approx(NOISE, rel=0.03)
    lag = [np.mean(x[:, 3:] * x[:, :-3]) for x in (quiet, again)]
    assert lag[1] == pytest.approx(lag[0], abs=0.05 * NOISE**2)


@real
def test_hand_scored_snippets_are_told_apart():
    h5py = pytest.importorskip("h5py")
    with h5py.File(REAL / "miniml_gc_mepsc/B_2020-06-09_002_example_training_data.h5") as file:
        snippets, scores = file["events"][:], file["scores"][:]
    template = biexponential(np.arange(0.0, 5.0, 0.02), 0.15, 1.2)
    best = np.array([criterion(-row, template).max() for row in snippets])
    event, none = best[scores == 1], best[scores == 0]
    # area under the ROC curve; the scorer's 2s are left out
    assert (event[:, None] > none[None, :]).mean() > 0.99


@real
def test_mossy_fibre_events_have_the_published_shape():
    path = REAL / "miniml_gc_mepsc/gc_mini_trace_results.h5"
    waves = read_recording(path, dataset="events", unit="pA", sampling_interval=0.02)
    mean = waves.signal.mean(axis=0) - waves.signal[:, :150].mean()
    shape = measure(waves.time, mean)
    # README: 9.7 pA, 10-90 rise 0.24 ms, tau 1.2 to 1.5 ms; the mean of the peaks is above the peak of the mean
    assert 1e3 * float(shape.amplitude) == pytest.approx(9.7, abs=0.7)
    assert 0.15 < float(shape.rise_10_90) < 0.45
    assert 0.7 < float(shape.decay_time) < 1.6


@real
@pytest.mark.parametrize(
    ("name", "decay", "range_of_decay"),
    [("17o05026_vc_stim", 2.5, (2.1, 2.9)), ("171116sh_0020", 5.8, (4.9, 6.4))],
)
def test_spontaneous_currents_of_axon_files_end_to_end(name, decay, range_of_decay):
    """Central synapses: import, detect, align, measure; the README has about 20 and 4 events a second."""
    pytest.importorskip("pyabf")
    record = read_recording(REAL / "pyabf_psc" / f"{name}.abf")
    template = biexponential(np.arange(0.0, 4 * decay, record.sampling_interval), 0.4, decay)
    table = measure_events(
        align(record, detect(record, template, dead_time=2.0), before=3.0, after=15.0, refine=3.0), smooth=5
    )
    assert len(table) > 200
    assert range_of_decay[0] < np.nanmedian(table["decay"]) < range_of_decay[1]
    assert 8.0 < 1e3 * np.nanmedian(table["amplitude"]) < 15.0
