"""Every experiment runs from end to end, with a few vesicles; its numbers are judged by its full run only."""

import importlib
import json
import math
from pathlib import Path

import numpy as np
import pytest

from experiments import common
from experiments.colquhoun_sakmann_1985.gillespie import simulate_bursts
from nmjmc.kinetics import load_scheme
from nmjmc.kinetics.exact import burst, generator
from tests.statistics import assert_mean

QUICK = {"wathey_1979", "colquhoun_sakmann_1985"}  # the others compile many programs


@pytest.mark.parametrize(
    "name",
    [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in common.EXPERIMENTS],
)
def test_smoke(name, tmp_path):
    module = importlib.import_module(f"experiments.{name}.run")
    report = common.main(name, module.run, ["--fast", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "result.json").read_text())
    assert found["fast"] and found["experiment"] == name
    assert len(found["lines"]) == len(report.lines) > 0
    assert all(math.isfinite(line.simulated.value) for line in report.lines)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "table.md").read_text().count("\n") == len(report.lines) + 2


@pytest.mark.system
def test_no_experiment_is_left_out():
    folders = {path.parent.name for path in Path(common.__file__).parent.glob("*/run.py")}
    assert folders == set(common.EXPERIMENTS)


@pytest.mark.system
@pytest.mark.parametrize(
    ("interval", "limits", "expected"),
    [
        ((1.0, 0.9, 1.1), (0.5, 1.5), "yes"),
        ((2.0, 1.9, 2.1), (0.5, 1.5), "no"),
        ((1.49, 1.4, 1.58), (0.5, 1.5), "on the limit"),
        ((1.0, 0.9, 1.1), None, "not judged"),
        ((3.0, 3.0, 3.0), (2, math.inf), "yes"),
        ((math.nan, math.nan, math.nan), (0, 1), "no"),
    ],
)
def test_verdict(interval, limits, expected):
    line = common.Line("q", "", "p", "V", limits, common.Estimate(*interval))
    assert line.within == expected


@pytest.mark.stat
def test_intervals_cover_the_truth():
    # 200 intervals of 95 %: the binomial says 176 to 200 with a false-positive rate below 1e-4
    generator_ = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        estimate = common.of_mean(generator_.normal(5.0, 2.0, 20))
        covered += estimate.low <= 5.0 <= estimate.high
    assert 176 <= covered <= 200


@pytest.mark.stat
@pytest.mark.parametrize("name", ["two_site_sequential", "two_site_desensitising"])
def test_gillespie_agrees_with_closed_form(name):
    rates = {"binding_rate": 166.0, "unbinding_rate": 8.0, "opening_rate": 30.0, "closing_rate": 1.5}
    rates |= {"desensitisation_rate": 2.0, "recovery_rate": 1.0}
    scheme = load_scheme(name)
    rates = {k: rates[k] for k in scheme.rate_names}
    expected = burst(scheme, rates)
    seen = simulate_bursts(scheme, generator(scheme, rates), 4000, seed=11)
    assert_mean(seen.openings, expected.openings)
    assert_mean(seen.open_times, expected.open_time)
    assert_mean(seen.gaps, expected.gap)
    assert_mean(seen.length, expected.length)


@pytest.mark.system
def test_a_deviation_is_in_per_cent_of_what_was_expected(tmp_path):
    report = common.Report("x", tmp_path)
    report.deviation("decay", "ms", "exact", 2.0, 2.01, 0.01, 0.5)
    line = report.lines[0]
    assert line.quantity == "decay: simulated 2.010 ms, standard error 0.010"
    assert line.published == "exact 2.000 ms"
    assert line.simulated.value == pytest.approx(0.5)
    assert line.simulated.high == pytest.approx(0.5 + 1.96 * 0.5, abs=1e-3)
    assert line.within == "on the limit"


@pytest.mark.system
def test_publish_replaces_its_own_table_only(tmp_path):
    page = tmp_path / "validation.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- end x -->\nb\n")
    (tmp_path / "figure.png").write_bytes(b"png")
    report = common.Report("x", tmp_path)
    report.say("q", "us", "80 us", "V-abs", (40, 120), common.Estimate(90.0, 89.0, 91.0))
    for _ in range(2):
        common.publish(report, tmp_path)
        lines = page.read_text().splitlines()
        assert lines[0] == "a" and lines[-1] == "b" and "old" not in lines
        assert lines[4] == "| q | 80 us (V-abs) | 40 to 120 | 90.0 ± 1.0 us | yes |"
    assert (tmp_path / "figures" / "x.png").read_bytes() == b"png"
