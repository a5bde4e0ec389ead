"""Fits to recordings, from file to estimate. The recordings are of central synapses: they test the path, and whether a
two-site scheme can take the shape of such a current at all; nothing is learnt about the neuromuscular junction."""

from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.analysis.alignment import align
from nmjmc.analysis.detection import Detected, biexponential, detect
from nmjmc.analysis.instrument import instrument_of
from nmjmc.data.recordings import read_recording
from nmjmc.fitting import Condition, WaveformTerm, fit
from nmjmc.meanfield import Grid

REAL = Path(__file__).parents[3] / "shared" / "recordings"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the recordings are not here")
COARSE = Grid(elements=4, degree=4, vertical_degree=2, growth=0.1, longest_step=0.02, first_step=2e-5)


def _described(data, model, time):
    """From half the rise on within an eighth of the peak; the foot, which alignment on noise smears, within a fifth."""
    away, peak = np.abs(data - model), np.abs(data).max()
    assert away[time > 0].max() < 0.125 * peak
    assert away.max() < 0.2 * peak


@real
def test_mossy_fibre_miniatures_fit_a_receptor_scheme():
    """Central synapse: 43 miniatures at 50 kHz, aligned, through the same terms as a MEPC."""
    record = read_recording(
        REAL / "miniml_gc_mepsc/gc_mini_trace_results.h5", dataset="events", unit="pA", sampling_interval=0.02
    )
    onset = np.full(record.sweeps, 195)
    chosen = Detected(np.arange(record.sweeps), onset, np.ones(record.sweeps), -1, 0.0)
    events = align(record, chosen, before=2.0, after=6.0, refine=1.0)
    assert len(events) >= 40
    term = WaveformTerm(
        "mossy fibre miniatures", events.time, events.traces, Condition(duration=8.0), aligned="half_rise",
        edges=np.array([-0.21, -0.09, -0.03, 0.03, 0.11, 0.21, 0.35, 0.6, 1.0, 1.6, 2.6, 4.0]),
        model_error=0.05,
    )  # fmt: skip
    free = {
        "receptor.closing_rate": {"start": "1500 /s", "low": "200 /s"},
        "receptor.unbinding_rate": {"start": "15000 /s"},
        "receptor.opening_rate": {"median": "50000 /s", "factor": 1.5},
        "recording.scale": {"start": 0.003, "low": 1e-5, "high": 1.0}, "vesicle.content_cv": {"start": 0.3},
    }  # fmt: skip
    found = fit(nmjmc.preparation("human"), [term], free, grid=COARSE, estimator="mean_field")
    assert found.converged
    shown = found.datasets[0]
    _described(shown.data[:-1], shown.model[:-1], shown.position[:-1])


@real
def test_an_axon_file_from_import_to_fit():
    """Central synapse: import, detect, align, and fit with the file's filter (2 kHz) applied to the model."""
    pytest.importorskip("pyabf")
    record = read_recording(REAL / "pyabf_psc/17o05026_vc_stim.abf")
    assert record.bandwidth == 2.0
    template = biexponential(np.arange(0.0, 10.0, record.sampling_interval), 0.4, 2.5)
    events = align(
        record, detect(record, template, threshold=6.0, dead_time=2.0), before=3.0, after=12.0, refine=3.0
    )
    term = WaveformTerm(
        "spontaneous currents", events.time, events.traces, Condition(duration=15.0), aligned="half_rise",
        instrument=instrument_of(record), model_error=0.05,
        edges=np.array([-0.52, -0.22, -0.08, 0.08, 0.33, 0.68, 1.2, 2.0, 3.2, 5.0, 8.0]),
        with_variance=False,
    )  # fmt: skip
    free = {
        "receptor.closing_rate": {"start": "1500 /s", "low": "100 /s"},
        "receptor.unbinding_rate": {"start": "8000 /s"},
        "recording.scale": {"start": 0.003, "low": 1e-5, "high": 1.0},
    }
    found = fit(nmjmc.preparation("human"), [term], free, grid=COARSE, estimator="mean_field")
    assert found.converged
    shown = found.datasets[0]
    _described(shown.data, shown.model, shown.position)
