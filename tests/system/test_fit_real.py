"""Fits to published data: Boyd and Martin's counts, MEPC values of man and lizard."""

import dataclasses

import numpy as np
import pytest

import nmjmc
from nmjmc.data import published
from nmjmc.fitting import Condition, HistogramTerm, StatisticsTerm, fit
from nmjmc.meanfield import Grid
from nmjmc.viz.fit import plot_data, plot_descent, plot_pairs, plot_profiles

COARSE = Grid(elements=4, degree=4, vertical_degree=2, growth=0.1, longest_step=0.02, first_step=2e-5)


def test_vesicle_content_and_release_from_boyd_and_martins_counts(tmp_path):
    """The physical fit finds the quantal content of the classical one; the gain (0.1 mV/nA) is a choice, as nobody
    measured the current of that fibre, so the content is known only relative to it."""
    evoked = published.histogram("boyd_martin_1956", "epp_amplitude")
    small = published.histogram("boyd_martin_1956", "mepp_amplitude")
    condition, gain = Condition(duration=2.0), "0.1 MOhm"
    terms = [
        HistogramTerm("evoked", evoked, condition, release="poisson"),
        HistogramTerm("miniature", small, condition),
    ]
    free = {
        "vesicle.content_mean": {"start": 4000}, "vesicle.content_cv": {"start": 0.2},
        "release.quantal_content": {"start": 2.0},
    }  # fmt: skip
    found = fit(
        nmjmc.preparation("human"), terms, free, fixed={"recording.gain": gain}, grid=COARSE, bootstrap=20,
        profiles=["release.quantal_content"], estimator="mean_field",
    )  # fmt: skip
    # maximum likelihood of the Poisson-Gaussian model with the miniatures: 2.35 +/- 0.11
    assert found["release.quantal_content"] == pytest.approx(2.35, abs=0.03)
    low, high = found.interval("release.quantal_content")
    assert low < 2.34 < high and 0.15 < high - low < 0.6
    assert 0.1 < found["vesicle.content_cv"] < 0.25
    assert found.p_value > 0.05
    for name, draw in (("d", plot_data), ("t", plot_descent), ("q", plot_profiles), ("p", plot_pairs)):
        draw(found, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 5000


def test_published_human_and_lizard_values():
    """The human values are from memory [M]: a target, no validation. For the lizard only the rise is verified [V]; its
    error (10 us) is a choice, and D takes it up."""
    numbers = {s.name: s for s in published.statistics("mepc_by_species")}
    human = StatisticsTerm(
        "human", {"amplitude": numbers["human_mepc_amplitude"], "decay_time": numbers["human_mepc_decay_time"]},
        Condition(duration=8.0),
    )  # fmt: skip
    found = fit(
        nmjmc.preparation("human"),
        [human],
        ["vesicle.content_mean", "receptor.closing_rate"],
        grid=COARSE,
        estimator="mean_field",
    )
    assert np.abs(found.datasets[0].residual).max() < 0.05
    # the preset was tuned to the same values
    assert found["receptor.closing_rate"] == pytest.approx(1.35, rel=0.05)
    rise = dataclasses.replace(numbers["lizard_mepc_rise_20_80"], standard_error=0.010)
    shape = {"rise_20_80": rise, "decay_time": numbers["lizard_mepc_decay_time"]}
    lizard = StatisticsTerm("lizard", shape, Condition(duration=8.0))
    free = {"cleft.diffusion": {"low": "100 um^2/s", "high": "1500 um^2/s"}, "receptor.closing_rate": {}}
    found = fit(nmjmc.preparation("lizard"), [lizard], free, grid=COARSE, estimator="mean_field")
    assert np.abs(found.datasets[0].residual).max() < 1.0
    # 80 us needs faster diffusion than the preset's 400 um^2/s, or another pore
    assert found["cleft.diffusion"] > 0.4
