"""Results: derived traces, conservation, summaries, printed forms."""

import dataclasses
import json

import numpy as np
import pytest

import nmjmc
from nmjmc.errors import ValidationError
from tests.records import formula_result

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def result():
    return formula_result()


def test_current_is_inward_and_scales_with_open_channels(result):
    # 60 pS at -80 mV from 0 mV: -4.8 pA a channel
    np.testing.assert_allclose(result.current, -4.8e-3 * result.open_channels, rtol=1e-6)
    np.testing.assert_array_equal(result.open_channels, result.counts["A2Ro"])


def test_bound_counts_every_held_molecule(result):
    c = result.counts
    expected = c["AR"] + 2 * c["A2R"] + 2 * c["A2Ro"] + c["EA"]
    np.testing.assert_array_equal(result.bound, expected)


def test_conservation_is_seen_and_its_breach_too(result):
    assert result.conserved()
    lost = {**result.counts, "escaped": result.counts["escaped"] - 1}
    assert not dataclasses.replace(result, counts=lost).conserved()
    assert "NOT conserved" in str(dataclasses.replace(result, counts=lost))


def test_summary_gives_mean_sd_and_standard_error(result):
    summary = result.summary()
    amplitude = summary["features"]["amplitude"]
    peaks = -result.current.min(axis=1)
    assert amplitude["mean"] == pytest.approx(peaks.mean())
    assert amplitude["sd"] == pytest.approx(peaks.std(ddof=1))
    assert amplitude["standard_error"] == pytest.approx(peaks.std(ddof=1) / np.sqrt(6))
    assert sum(part["fraction"] for part in summary["fate_of_ach"].values()) == pytest.approx(1.0)
    json.dumps(summary, allow_nan=False)


def test_one_vesicle_has_no_standard_error():
    summary = formula_result(vesicles=1).summary()
    assert summary["features"]["amplitude"]["standard_error"] is None
    assert " - " in str(formula_result(vesicles=1))
    json.dumps(summary, allow_nan=False)


def test_a_vesicle_without_a_feature_is_counted_not_hidden(result):
    silent = {name: values.copy() for name, values in result.counts.items()}
    silent["A2Ro"][0] = 0
    summary = dataclasses.replace(result, counts=silent).summary()
    assert summary["features"]["amplitude"]["measured"] == 5
    assert "amplitude (5 of 6)" in str(dataclasses.replace(result, counts=silent))


def test_printed_forms_are_short_tables(result):
    text = str(result)
    assert text.startswith("human: 6 vesicles, 6 ms, seed 3")
    assert all(word in text for word in ("amplitude", "decay constant", "hydrolysed", "escaped", "SE"))
    assert max(map(len, text.splitlines())) < 80
    assert repr(result) == text
    assert result._repr_html_().count("<table>") == 2


def test_a_late_release_and_a_patch_of_several_vesicles(result):
    later = nmjmc.build(
        nmjmc.describe(result.synapse)
        | {"vesicle": {**nmjmc.describe(result.synapse)["vesicle"], "times": ["0.2 ms", "0.3 ms"],
                       "sites": [["0 um", "0 um"], ["0.1 um", "0 um"]]}}
    )  # fmt: skip
    shifted = dataclasses.replace(result, synapse=later)
    np.testing.assert_allclose(shifted.waveform.time_to_peak, result.waveform.time_to_peak - 0.2)
    np.testing.assert_allclose(shifted.mean_waveform.time_to_peak, result.mean_waveform.time_to_peak - 0.2)
    assert str(shifted).startswith("human: 6 patches of 2 vesicles, 6 ms")


def test_missing_or_misshapen_counts_are_refused(result):
    with pytest.raises(ValidationError, match="escaped"):
        dataclasses.replace(result, counts={k: v for k, v in result.counts.items() if k != "escaped"})
    with pytest.raises(ValidationError, match="shape"):
        dataclasses.replace(result, counts={**result.counts, "AR": result.counts["AR"][:, :5]})


def test_plot_gives_a_figure_and_writes_it_whole(result, tmp_path):
    figure = result.plot(tmp_path / "mepc.png")
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["current (nA)", "receptors", "ACh"] and figure.axes[-1].get_xlabel() == "time (ms)"
    assert (tmp_path / "mepc.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["mepc.png"]
