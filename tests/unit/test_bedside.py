"""The bedside commands: words, refusals, intervals, files and figures; the chain itself is run where it is cheap."""

import dataclasses
import inspect
import json
import re
import runpy

import numpy as np
import pytest
import yaml

import nmjmc
from nmjmc.bedside.chain import Chain
from nmjmc.bedside.epp import Epp
from nmjmc.bedside.names import KINDS, of_config
from nmjmc.bedside.rns import Rns
from nmjmc.bedside.task import of_junction, own_settings
from nmjmc.cli.bedside import tasks
from nmjmc.cli.main import BEDSIDE, main
from nmjmc.data import banks
from nmjmc.data.examination import Examination, is_examination
from nmjmc.diagnostics import chain, clamp, dose, epp, force, intervals, rns, rns_finding, sfemg, tof
from nmjmc.diagnostics.finding import Row, in_words
from nmjmc.errors import ValidationError
from nmjmc.folders import config_dir
from nmjmc.junction.build import build_junction, describe_junction
from nmjmc.junction.modifier import set_to
from nmjmc.junction.pools import Release
from nmjmc.junction.together import PatchBank
from nmjmc.junction.whole import human
from nmjmc.pathology import DISEASES, disease
from nmjmc.pharmacology import DRUGS, drug
from nmjmc.request import defaults
from nmjmc.synapse.ions import Currents
from nmjmc.viz.bedside import plot_examination
from tests.records import formula_run

pytestmark = pytest.mark.unit


def asked(test, *words):
    return tasks(test, list(words))[1][0][0]


def rns_of(shift=0.0, fired=1.0, fibres=40, stimuli=5, seed=0):
    """Arrivals that are known: from the second stimulus on only a share of the fibres fires."""
    generator = np.random.default_rng(seed)
    arrival = 8.0 + 0.6 * generator.standard_normal(fibres)[:, None] + np.full((fibres, stimuli), shift)
    arrival[round(fired * fibres) :, 1:] = np.nan
    response = rns.compound(arrival, rns.WINDOW)
    flags = np.isfinite(arrival)
    quanta = np.full(arrival.shape, 30)
    times = np.arange(stimuli) * 1e3 / 3
    return rns.Rns(
        3.0,
        rns.WINDOW,
        response,
        flags.mean(0),
        flags,
        quanta.mean(0),
        response.max(1),
        arrival,
        times,
        quanta,
    )


def chain_of(size=1.0, fibres=2, stimuli=1):
    """A chain of known arrays: one bump a stage."""
    nerve, time, long = np.linspace(0.75, 2, 50), np.linspace(0, 17, 341), np.linspace(0, 250, 500)
    bump = np.ones((fibres, stimuli, 1)) * np.exp(-((time - 2) ** 2))
    inside = np.ones((fibres, stimuli, 1)) * np.exp(-(((nerve - 1) / 0.2) ** 2))
    moment = np.full((fibres, stimuli, 38), np.inf)
    moment[..., :30] = 1.2
    counts = np.full((fibres, stimuli), 30)
    release = Release(
        moment, counts, counts, counts, 0.01 * counts, np.zeros((fibres, stimuli, 4)), 5e4 + 0.0 * counts
    )
    currents = Currents(-100 * size * bump, 20 * size * bump, -5 * size * bump)
    force = 0.04 + 0.2 * size * np.ones((fibres, 1)) * np.exp(-(((long - 40) / 30) ** 2))
    return chain.Chain(
        20.0 * np.arange(stimuli), nerve, -75 + 100 * inside[0, 0], 250 * inside, 25 * inside, release, time,
        size * bump, currents, -84 + 120 * bump, -84 + 110 * bump, -84 + 110 * bump, np.ones((fibres, stimuli), int),
        np.full((fibres, stimuli), 1.8), long, 15 * force, force,
    )  # fmt: skip


def test_a_chain_tells_the_disease_beside_health(found):
    sick = found["chain"]
    assert sick.row("peak of the endplate current").value == pytest.approx(42.5)
    assert sick.row("in health: peak of the endplate current").value == pytest.approx(85.0)
    # of every stage: on the same axes, with units, and a zone that releases nothing has no time
    assert sick["release_time"].shape == (2, 1, 38) and np.isnan(sick["release_time"][0, 0, 30:]).all()
    assert sick["healthy_current_na"].shape == sick["current_na"].shape
    assert {a.units for a in sick.arrays.values()} == {"ms", "mV", "1", "uM", "uS", "nA"}
    alone = chain.finding(chain_of(), ["force"])
    assert set(alone.arrays) == {"stimulus_time", "nerve_time", "time", "force_time", "force"}


def test_the_figure_from_nerve_to_force_tells_its_axis(found, tmp_path):
    _, axes = drawn(found["chain"], tmp_path)
    assert len(axes) == 14 and "logarithmic" in axes[-1].get_xlabel()
    trained = chain.finding(chain_of(stimuli=3), ["release", "force"])
    _, axes = drawn(trained, tmp_path)
    assert len(axes) == 2 and axes[-1].get_xscale() == "linear"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("all", list(chain.STAGES)), ("force+nerve", ["nerve", "force"]), (["endplate"], ["endplate"])],
)
def test_traces_are_chosen_by_name(given, kept):
    assert Chain(traces=given).traces == kept


def test_a_stage_that_there_is_not_is_refused():
    with pytest.raises(ValidationError, match="did you mean endplate"):
        Chain(traces=["endplates"])


def test_the_size_of_traces_is_foretold():
    """As many numbers as a chain of known arrays has, where nothing is cut short."""
    found = chain.numbers_kept(human(), np.zeros(1), 2, ["release", "calcium"])
    # 38 zones, content and zones that can release; 250 ms at 0.1 ms
    assert found == 2 * (40 + 2501)


def findings():
    """One finding of every test, from arrays that are known."""
    generator = np.random.default_rng(1)
    fired = np.ones((3, 20, 4), bool)
    fired[1, 5:, 3] = False
    fired[2] = False
    trains = tof.TrainOfFour(np.array([0.0, 0.5, 0.9]), fired.mean(axis=1), fired)
    potential = generator.normal([[[20.0]], [[10.0]], [[2.0]]], 1.0, (3, 20, 2))
    curve = dose.DoseResponse(
        np.array([0, 0.03, 0.06]), np.array([0, 0.75, 0.89]), np.zeros(3), fired[:, :, :2], potential,
        np.full((3, 20, 2), 30),
    )  # fmt: skip
    time = np.linspace(0, 20, 81)
    shape = np.exp(-time / 5) - np.exp(-time)
    size = generator.normal(25.0, 3.0, (6, 5))
    epps = epp.Epps(
        np.arange(5) * 333.0, time, -82 + size[..., None] * shape / shape.max(), size,
        np.array([10.0, 11, 12, 13, 14, np.nan]), size[:, 0] / 12.0, np.full((6, 5), 30), generator.normal(1, 0.1, 8),
    )  # fmt: skip
    t1, t2 = np.arange(0, 150, 0.5), np.arange(0, 400, 0.5)
    twitch = 0.02 * (t1 / 20) * np.exp(1 - t1 / 20) * np.ones((4, 1))
    tetanus = 0.2 * -np.expm1(-t2 / 60) * np.ones((4, 1))
    pull = force.Contractions(np.arange(25) * 10.0, t1, twitch, t2, tetanus, np.ones((4, 25), bool), 0.0)
    interval = generator.normal(0, 0.02, (12, 30))
    interval[0, 3::4] = np.nan
    pairs = sfemg.Sfemg(
        1e3 * sfemg.mean_consecutive_difference(interval), np.isnan(interval).mean(axis=1), interval
    )
    junction = human()
    currents = clamp.Clamp(
        np.arange(3) * 333.0, time, 1e-3 * size[:, :3, None] * shape, clamp.driving_of(junction), -80.0, 0.0,
        np.full((6, 3), 30),
    )  # fmt: skip
    single = dataclasses.replace(currents, conductance=currents.conductance[:, :1], times=np.zeros(1))
    return {
        "chain": chain.finding(chain_of(0.5), healthy=chain_of()),
        "epc": clamp.epc_finding(currents),
        "mepc": clamp.mepc_finding(single),
        "rns": rns_finding.finding(rns_of(), rns_of(fired=0.5)),
        "sfemg": sfemg.finding(pairs),
        "tof": tof.finding(trains, "rocuronium", [0, 0.03, 0.06]),
        "dose_response": dose.finding(curve, "rocuronium"),
        "epp": epp.finding(epps),
        "twitch": force.finding(pull),
    }


@pytest.fixture(scope="module")
def found():
    return findings()


def test_wilson_is_the_interval_of_a_share():
    # 8 of 10: the textbook's 0.490 to 0.943
    assert intervals.wilson(8, 10) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    assert intervals.wilson(0, 20)[:2] == (0.0, 0.0) and intervals.wilson(20, 20)[2] == 1.0


@pytest.mark.stat
def test_the_bootstrap_covers_the_mean():
    # 300 intervals of 95 % over 40 members; the percentile bootstrap covers some 94 % there, and a binomial of that
    # chance lies within 265 to 296 but once in 1e4
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        row = intervals.of_mean("x", "", generator.normal(3.0, 1.0, 40), "40 members")
        covered += row.low <= 3.0 <= row.high
    assert 262 <= covered <= 297


def test_fibres_without_a_quantum_count_with_a_factor_of_zero():
    size = np.array([[0.0], [0.0], [3.0]])
    course = -82 + size[..., None] * np.ones(5)
    threshold = np.full(3, 10.0)
    found = epp.Epps(
        np.zeros(1), np.arange(5.0), course, size, threshold, np.array([0.0, 0.0, 0.3]),
        np.array([[0], [0], [3]]), np.ones(4),
    )  # fmt: skip
    told = epp.finding(found)
    assert told.row("safety factor").value == pytest.approx(0.1)
    assert told.row("safety factor").how == "bootstrap, 3 fibres"
    assert told.meaning.startswith("The safety factor is 0.10 ")
    assert (
        "3 of 3 fibres fall short of threshold at the first stimulus, of which 2 released no" in told.meaning
    )
    nothing = dataclasses.replace(found, amplitude=0 * size, factor=np.zeros(3), quanta=0 * found.quanta)
    assert "No fibre fires" not in epp.finding(nothing).meaning
    dead = dataclasses.replace(found, threshold=threshold * np.nan, factor=np.array([0.0, 0.0, np.nan]))
    assert epp.finding(dead).meaning == "No fibre fires however large the endplate current is made."


def test_members_without_a_value_are_not_counted():
    row = intervals.of_mean("x", "", [1.0, np.nan, 3.0], "3 fibres")
    assert row.value == 2.0 and row.how == "bootstrap, 2 of 3 fibres"
    assert intervals.of_mean("x", "", [np.nan], "1 fibres").how == "bootstrap, 0 of 1 fibres"


@pytest.mark.parametrize(("greatest", "told"), [(3.0, False), (5.0, True)])
def test_forces_of_no_muscle_are_told(greatest, told):
    time = np.arange(0, 100, 0.5)
    rise = 0.2 * -np.expm1(-time / 20) * np.ones((4, 1))
    pull = force.Contractions(
        np.arange(5) * 10.0, time, rise, time, rise, np.ones((4, 5), bool), 0.0, greatest=greatest
    )
    found = force.finding(pull)
    assert ("no muscle" in found.meaning) == told
    assert found.row("twitch force").value == pytest.approx(100 * rise.max() / greatest)
    assert found["twitch"].max() == pytest.approx(rise.max() / greatest)


def test_numbers_are_written_to_two_digits_of_their_interval():
    assert in_words(Row("a", "%", 31.4159, 28.02, 35.09, "")) == "31.4 % (28.0 to 35.1)"
    assert in_words(Row("a", "", np.nan, np.nan, np.nan, "")) == "none"
    assert in_words(Row("T4/T1 at 1 uM", "", np.nan, np.nan, np.nan, "")) == "undefined"
    # a response that grows for certain is no decrement below zero; within its noise the number stands
    assert in_words(Row("decrement", "%", -39.0, -48.0, -30.0, "")) == "none: grows by 39.0 % (30.0 to 48.0)"
    assert in_words(Row("decrement", "%", -0.4, -2.2, 1.4, "")) == "-0.4 % (-2.2 to 1.4)"
    assert in_words(Row("a", "mV", 12.3456, np.nan, np.nan, "")) == "12.35 mV"
    assert in_words(Row("a", "%", 18.94741, 18.94712, 18.94770, "")) == "18.95 % (18.95 to 18.95)"


def test_fibres_on_a_plateau_are_told():
    found = rns_of(fired=0.5)
    for count, told in ((0, False), (1, False), (20, True)):
        depolarised = np.zeros(found.fired_each.shape, bool)
        depolarised[:count, 1:] = True
        told_of = rns_finding.finding(dataclasses.replace(found, depolarised=depolarised))
        assert told_of.row("fibres still depolarised at a later stimulus").value == 100 * count / 40
        assert ("a depolarisation block" in told_of.meaning) == told


def test_resampled_fibres_give_the_decrement_its_interval():
    row = rns_finding.finding(rns_of(fired=0.75, fibres=100)).row("decrement")
    # a quarter of the fibres fails from the second stimulus on: binomial SD of 4.3 %
    assert row.value == pytest.approx(25, abs=4)
    assert 8 < row.high - row.low < 30
    assert row.how == "bootstrap, 100 fibres"


def test_the_verdict_says_where_the_interval_covers_the_limit():
    sure, unsure = (rns_finding.finding(rns_of(fired=f, fibres=100)).meaning for f in (0.6, 0.9))
    assert "abnormal (limit 10 %)." in sure and "covers" not in sure
    assert "covers the limit" in unsure


def test_a_fast_train_that_falls_is_told_to_fall():
    fast = dataclasses.replace(rns_of(fired=0.6, fibres=100), frequency=30.0)
    found = rns_finding.finding(fast)
    assert "below the limit (limit 60 %)" in found.meaning and found.row("decrement").value > 30
    assert f"falls by {found.row('decrement').value:.0f} %" in found.meaning
    assert "falls" not in rns_finding.finding(dataclasses.replace(rns_of(fibres=100), frequency=30.0)).meaning
    assert "falls" not in rns_finding.finding(rns_of(fired=0.6, fibres=100)).meaning  # that is its verdict


@pytest.mark.parametrize(
    ("frequency", "rule"),
    [(0.1, ""), (1.9, ""), (2.0, "decrement"), (5.0, "decrement"), (10.0, ""), (20.0, "increment"),
     (50.0, "increment"), (60.0, "")],
)  # fmt: skip
def test_a_rate_without_a_published_limit_is_not_judged(frequency, rule):
    times = np.arange(5) * 1e3 / frequency
    rate = 1e3 / float(np.median(np.diff(times)))
    found = rns_finding.finding(dataclasses.replace(rns_of(fired=0.5), frequency=rate))
    assert found.facts["judged_by"] == rule
    assert ("not judged" in found.meaning) == (not rule)
    assert any(verdict in found.meaning for verdict in (": abnormal", ": below the limit")) == bool(rule)


def test_exercise_is_judged_by_the_first_response():
    after = rns_of(fibres=400)
    arrival = after.arrival.copy()
    arrival[200:] = np.nan
    weak = rns.compound(arrival, rns.WINDOW)
    before = dataclasses.replace(after, arrival=arrival, response=weak, amplitude=weak.max(axis=1))
    gained = rns_finding.finding(before, after)
    # half of the fibres fired before; how well their potentials overlap varies by some 10 %
    assert gained.row("increment by exercise").value == pytest.approx(100, abs=30)
    assert "as in Lambert-Eaton" in gained.meaning


def test_a_response_that_is_absent_gets_a_sentence():
    arrival = np.full((10, 5), np.nan)
    zero = np.zeros((5, rns.WINDOW.size))
    silent = rns.Rns(
        3.0, rns.WINDOW, zero, np.zeros(5), np.zeros((10, 5), bool), np.zeros(5), np.zeros(5), arrival,
        np.arange(5.0) * 333, np.zeros((10, 5), int),
    )  # fmt: skip
    finding = rns_finding.finding(silent)
    assert "No fibre fired" in finding.meaning and np.isnan(finding.row("decrement").value)


def test_pairs_that_never_answer_together_are_told_and_not_called_normal():
    def of(silent):
        jitter = np.where(np.arange(20) < silent, np.nan, 30.0)
        return sfemg.finding(sfemg.Sfemg(jitter, np.isnan(jitter).astype(float), np.zeros((20, 10))))

    assert of(0).meaning.startswith("Normal") and "never" not in of(0).meaning
    assert of(2).meaning.startswith("Normal") and "2 of 20 pairs never answered together" in of(2).meaning
    assert of(19).meaning.startswith("Undecided") and "19 of 20 pairs never answered" in of(19).meaning
    assert of(20).meaning.startswith("Abnormal") and of(20).facts["verdict"] == "abnormal"


def test_a_second_spike_is_found_and_told():
    time = np.linspace(0, 20, 401)
    one, two = (
        -80 + sum(110 * np.exp(-(((time - at) / 0.5) ** 2)) for at in all_of) for all_of in ((5,), (5, 12))
    )
    found = rns.second_spikes(time, np.stack([one, two, np.full_like(time, -80.0)]))
    # up through -30 mV on the rising side of the Gaussian: 12 - 0.5 sqrt(ln(110 / 50))
    assert np.isnan(found[[0, 2]]).all() and found[1] == pytest.approx(
        12 - 0.5 * np.sqrt(np.log(2.2)), abs=0.01
    )
    single = rns_of()
    again = np.full(single.arrival.shape, np.nan)
    again[:10] = 12.0
    twice = rns_finding.finding(dataclasses.replace(single, again=again))
    assert twice.row(rns_finding.AGAIN).value == pytest.approx(25) and "repetitive potential" in twice.meaning
    assert "repetitive" not in rns_finding.finding(dataclasses.replace(single, again=again + np.nan)).meaning


def test_an_exercise_is_a_train():
    assert rns.exercise("1 s", "30 Hz").size == 30
    with pytest.raises(ValidationError, match="exercise"):
        rns.exercise("10 min")


def test_block_is_found_between_doses():
    x, share = np.array([0.0, 1, 2, 3]), np.array([1.0, 1.0, 0.5, 0.0])
    assert dose.crossing(x, share, 0.95) == pytest.approx(1.1)
    assert dose.crossing(x, share, 0.05) == pytest.approx(2.9)
    assert np.isnan(dose.crossing(x, np.ones(4), 0.95)) and np.isnan(dose.crossing(x, np.zeros(4), 0.95))


def curve_of(shares, doses, potential=None):
    """The finding of a dose-response curve with these shares of 20 fibres."""
    shares, doses = np.asarray(shares), np.asarray(doses, float)
    fired = np.arange(20)[None, :, None] < np.round(20 * shares)[:, None, None]
    potential = np.ones((doses.size, 20, 1)) if potential is None else potential
    none = np.zeros(doses.size)
    curve = dose.DoseResponse(doses, none, none, fired, potential, np.full(fired.shape, 30))
    return dose.finding(curve, "rocuronium")


def meaning_of(*given):
    return curve_of(*given).meaning


@pytest.mark.parametrize(
    ("shares", "doses", "words"),
    [
        ((0.35, 0.0), (0, 0.015), "already: 35 % at 0 uM of rocuronium, falling to 0 % at 15 nM; block is nearly "
         "complete at 12.9 nM."),
        ((0.0, 0.0), (0, 1), "already: 0 % at 0 uM of rocuronium, still 0 % at 1 uM."),
        ((0.2,), (0.1,), "already: 20 % at 100 nM of rocuronium."),
        ((0.7, 0.95, 0.5), (0, 1, 9), "already: 70 % at 0 uM of rocuronium, rising to 95 % at 1 uM, falling to 50 % "
         "at 9 uM."),
        ((0.7, 1.0), (0, 1), "already: 70 % at 0 uM of rocuronium, rising to 100 % at 1 uM."),
        ((1.0,), (0.1,), "Rocuronium does not make 5 % of the fibres fail up to 100 nM."),
        ((1.0, 1.0), (0, 1), "fail up to 1 uM; the endplate potential changes by +0 %."),
        ((1.0, 0.9), (0, 1), "Block by rocuronium begins at 0.5 uM and is not complete at 1 uM."),
    ],
)  # fmt: skip
def test_fibres_that_fail_at_the_lowest_dose_are_told(shares, doses, words):
    assert meaning_of(shares, doses).endswith(words)
    assert meaning_of(shares, doses).startswith("Fewer than 95 %") == ("already" in words)


def test_no_potential_at_the_lowest_dose_has_no_change():
    with np.errstate(all="raise"):
        assert "changes" not in meaning_of((1.0, 1.0), (0, 1), np.zeros((2, 20, 1)))


def test_no_potential_at_the_lowest_dose_is_drawn_as_none():
    config = asked("dose_response").config
    silent = curve_of((0.0, 0.0), (0, 1), np.zeros((2, 20, 1)))
    axes = Examination(silent, config, 1, {"seconds": 1.0}).plot().axes[0]
    potential = next(line for line in axes.lines if str(line.get_label()).startswith("endplate"))
    assert np.isnan(potential.get_ydata()).all() and axes.get_ylim()[1] == 108.0


def test_train_of_four_says_which_dose_fades(found):
    assert "is below 0.9 (residual block) from 30 nM of rocuronium, and" in found["tof"].meaning
    assert "no fibre answers the first stimulus from 60 nM" in found["tof"].meaning
    assert "undefined there" in found["tof"].meaning
    assert found["tof"].row("T4/T1 at 30 nM").value == pytest.approx(0.25)


def trains_of(*counts):
    """A finding over 20 fibres, from how many answer the first and the fourth stimulus at each dose."""
    fired = np.ones((len(counts), 20, 4), bool)
    for d, (first, fourth) in enumerate(counts):
        fired[d, first:] = False
        fired[d, fourth:, 3] = False
    found = tof.TrainOfFour(np.zeros(len(counts)), fired.mean(axis=1), fired)
    return tof.finding(found, "rocuronium", [0.03 * d for d in range(len(counts))])


def test_train_of_four_tells_a_block_without_fade_and_a_fade_without_drug():
    quiet = trains_of((20, 20), (5, 5)).meaning
    assert quiet.startswith("No fade") and "only 25 % (11 to 47) of the fibres answer the first" in quiet
    unsure = trains_of((20, 17), (20, 17)).meaning
    assert "already without rocuronium, though its interval there" in unsure and "from 0" not in unsure
    assert (
        trains_of((20, 20), (20, 20)).meaning
        == "No fade: T4/T1 stays at 0.9 or above up to 30 nM of rocuronium."
    )
    silent = "No fibre answers the first stimulus already without rocuronium, and T4/T1 is undefined there."
    assert trains_of((0, 0), (0, 0)).meaning == silent


def test_a_verdict_on_the_mean_alone_tells_of_the_healthy_muscle():
    def of(high, age=40, muscle="extensor_digitorum"):
        jitter = np.where(np.arange(20) < high, 60.0, 40.0)
        return sfemg.finding(sfemg.Sfemg(jitter, np.zeros(20), np.zeros((20, 10))), age, muscle).meaning

    assert of(0).startswith("Abnormal") and "own healthy muscle exceeds this limit too (39 us" in of(0)
    assert of(5).startswith("Abnormal") and "healthy muscle" not in of(5)
    assert of(0, 75, "frontalis").startswith("Normal") and "healthy muscle" not in of(0, 75, "frontalis")


def test_the_healthy_jitter_is_that_of_the_validation():
    text = (config_dir().parent / "docs" / "validation.md").read_text(encoding="utf-8")
    found = re.search(r"\| mean jitter \|[^|]*\|[^|]*\| ([\d.]+)", text)
    assert found is not None and sfemg.HEALTHY == pytest.approx(float(found[1]), abs=0.5)


@pytest.mark.parametrize("test", BEDSIDE)
def test_every_finding_has_a_file_and_a_figure(test, found, tmp_path):
    config = asked(
        test, "pathology=ageing:0.5", *([] if test in ("tof", "dose_response") else ["drug=neostigmine:1 uM"])
    ).config
    made = Examination(found[test], config, 2**62, {"seconds": 1.5})
    made.save(tmp_path / "result.h5")
    again = nmjmc.load_examination(tmp_path)
    assert is_examination(tmp_path) and again.seed == 2**62
    assert again.config == json.loads(json.dumps(config)) and again.finding.meaning == made.finding.meaning
    for name, array in found[test].arrays.items():
        np.testing.assert_array_equal(again.finding[name], array.values)
        assert again.finding.arrays[name][0::2] == array[0::2]
    np.testing.assert_array_equal([r.value for r in again.finding.rows], [r.value for r in found[test].rows])
    json.dumps(again.summary(), allow_nan=False)
    assert found[test].meaning.endswith(".") and "\n" not in found[test].meaning
    again.plot(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert nmjmc.load(tmp_path).summary() == again.summary()


def drawn(finding, tmp_path, **more):
    """The axes of a finding's figure."""
    made = Examination(finding, {"name": "human", **more}, 0, {})
    figure = plot_examination(made, tmp_path / "figure.png")
    return figure, figure.axes


def legend(axes):
    """The words of a legend; none without one."""
    found = axes.get_legend()
    return [] if found is None else found.get_texts()


def test_the_figure_of_a_train_shows_both_phases(tmp_path):
    single = rns_of(stimuli=21)
    # fibres at one time: the positive phase is as deep as the negative is high; here deeper
    deep = dataclasses.replace(single, response=np.where(single.response < 0, 1.4, 1.0) * single.response)
    _, (left, right) = drawn(rns_finding.finding(deep), tmp_path)
    low, high = left.get_ylim()
    assert low < deep.response.min() and high > deep.response.max()
    assert "2nd to 21st" in [text.get_text() for text in legend(left)]
    assert right.lines
    nothing = np.zeros_like(single.amplitude)
    silent = dataclasses.replace(single, response=0 * single.response, amplitude=nothing)
    _, (_, empty) = drawn(rns_finding.finding(silent), tmp_path)
    assert (
        not empty.lines and not empty.patches and "no first response" in [t.get_text() for t in empty.texts]
    )


def test_figures_over_doses_name_their_drug(found, tmp_path):
    for test in ("tof", "dose_response"):
        figure, axes = drawn(found[test], tmp_path, drug={"neostigmine": "1 uM"})
        title = figure.get_suptitle()
        assert "neostigmine 1 µM" in title and title.endswith("rocuronium rising")
        words = " ".join(t.get_text() for a in axes for t in legend(a))
        assert "out of use" in words
        agonist = dataclasses.replace(found[test], facts={**found[test].facts, "agent": "succinylcholine"})
        _, axes = drawn(agonist, tmp_path)
        words = " ".join(t.get_text() for a in axes for t in legend(a))
        assert "agonist" in words and "out of use" not in words


def test_a_test_without_a_figure_of_its_own_shows_its_numbers(found, tmp_path):
    _, axes = drawn(dataclasses.replace(found["epp"], test="mine"), tmp_path)
    assert [a.get_title(loc="left").partition(":")[0] for a in axes] == [
        row.name for row in found["epp"].rows
    ]


def test_the_first_stimulus_of_a_twitch_stands_free_of_the_axis(found, tmp_path):
    _, (axes,) = drawn(found["twitch"], tmp_path)
    assert axes.get_xlim()[0] < found["twitch"]["stimulus_time"][0]


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "result.h5").write_bytes(b"no HDF5")
    for path, words in ((tmp_path, "cannot be read"), (tmp_path / "none.h5", "no file")):
        with pytest.raises(ValidationError, match=words):
            nmjmc.load_examination(path)
        assert not is_examination(path)


@pytest.mark.parametrize("test", BEDSIDE)
def test_every_config_of_a_bedside_test_composes_and_builds(test):
    task = asked(test)
    assert task.request.TEST == test and task.junction.applied == ()
    assert describe_junction(task.healthy) == describe_junction(human())
    assert (config_dir() / "bedside" / f"{test}.yaml").read_text().splitlines()[1].startswith("# ")
    # what is resolved is read to the same
    again = of_config(json.loads(json.dumps(task.config)))
    assert again.config == task.config and again.hash == task.hash


def test_there_is_a_config_for_every_bedside_test_and_no_other():
    assert {path.stem for path in (config_dir() / "bedside").glob("*.yaml")} == set(BEDSIDE)


def test_diseases_and_drugs_are_words_that_compose():
    task = asked(
        "rns",
        "pathology=myasthenia_gravis:0.6+ageing",
        'drug=pyridostigmine:"1 uM"',
        "drug=diaminopyridine:500 nM",
    )
    assert task.request.pathology == {"myasthenia_gravis": 0.6, "ageing": 1.0}
    assert task.request.drug == {"pyridostigmine": "1 uM", "diaminopyridine": "0.5 uM"}
    assert task.junction.applied == ("myasthenia_gravis", "ageing", "pyridostigmine", "diaminopyridine")
    assert task.label == "human+myasthenia_gravis+ageing+pyridostigmine+diaminopyridine"
    single = asked(
        "rns", "pathology=ageing", "pathology.severity=50 %", "drug=neostigmine", "drug.dose=200 nM"
    )
    assert single.request.pathology == {"ageing": 0.5} and single.request.drug == {"neostigmine": "0.2 uM"}
    assert asked("rns", "pathology.ageing=0.25").request.pathology == {"ageing": 0.25}
    assert asked("rns", "pathology=healthy", "drug=none").junction.applied == ()


def test_an_organophosphate_acts_for_its_exposure():
    long, short = (
        asked("rns", "drug=organophosphate:10 uM", f"exposure={t}").junction for t in ("2 min", "1 s")
    )
    assert float(long.synapse.esterase.active_fraction) == pytest.approx(np.exp(-1.2))
    assert float(short.synapse.esterase.active_fraction) == pytest.approx(np.exp(-0.01))


def test_with_a_sweep_a_comma_separates_points():
    words, made = tasks("rns", ["pathology=ageing:0.2,ageing:0.4", "-m"])
    assert words.is_sweep
    assert [task.request.pathology for task, _ in made] == [{"ageing": 0.2}, {"ageing": 0.4}]


def test_the_flag_of_a_sweep_may_stand_anywhere():
    words, made = tasks("rns", ["-m", "fibres=3", "pathology=ageing:0.2,ageing:0.4"])
    assert words.is_sweep and len(made) == 2


def test_an_exposure_may_be_hours():
    assert asked("rns", "exposure=1 h").request.exposure == "3600 s"


@pytest.mark.parametrize("name", DISEASES)
def test_every_disease_is_a_word(name):
    assert asked("rns", f"pathology={name}:0.5").junction.applied == (name,)


@pytest.mark.parametrize("name", DRUGS)
def test_every_drug_is_a_word(name):
    assert asked("rns", f"drug={name}:10 nM").junction.applied == (name,)
    assert asked("tof", f"agent={name}", "doses=[0 nM, 10 nM]").request.agent == name


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("rns|pathology=myasthenia_gravs", "did you mean myasthenia_gravis"),
        ("rns|pathology=myasthenia", "did you mean myasthenia_gravis or musk_myasthenia"),
        ("rns|pathology=myastenia", "did you mean myasthenia_gravis or musk_myasthenia"),
        ("rns|exercise=10", "exercise must be a time with its unit, .*did you mean 10 s"),
        ("rns|drug=organophosphate:1 uM|exposure=60", "exposure must be a time with its unit, .*did you mean 60 s"),
        ("rns|times=[0 ms, 1 s, 2 s, 1e9 s]", "times must be within an hour"),
        ("rns|pathology=ageing:1.5", r"pathology\.ageing must be between 0 and 1, but is 1\.5\.$"),
        ("rns|severity=0.5", r"did you mean pathology\.severity"),
        ("rns|temperature=310", "^nmjmc: temperature must"),
        ("rns|terminal.temperature=310", r"^nmjmc: terminal\.temperature must"),
        ("rns|pathology=ageing:60", r"pathology\.ageing must be between 0 and 1, but is 60; did you mean 0\.6"),
        ("rns|pathology=ageing+ageing:0.4", "applied twice"),
        ("rns|pathology=ageing|pathology=ageing", "applied twice"),
        ("rns|pathology=ageing,denervation", r"did you mean pathology=ageing\+denervation"),
        ("rns|drug=rocuronium", r"drug\.rocuronium must be given with a dose"),
        ("rns|drug=pyridostigmine:-1 uM", r"drug\.pyridostigmine must be zero or more, but is -1 uM"),
        ("rns|drug=pyridostigmine:3 mV", "did you mean 3 uM"),
        ("rns|drug=pyridostigmine:60 mg", "a concentration at the endplate"),
        ("rns|drug.dose=1 uM", "given with a drug"),
        ("rns|drug=rocuronium:1 nM+vecuronium:1 nM|drug.dose=1 uM", "given for a single one"),
        ("rns|times=[0 ms, 300 ms, 200 ms, 900 ms]", "300 ms before 200 ms; sort the times"),
        ("rns|stimuli=3", "at least 4"),
        ("rns|frequency=3 ms", "did you mean 3 Hz"),
        ("rns|frequncy=3", "did you mean frequency"),
        ("rns|pairs=3", "counts fibres, did you mean fibres"),
        ("sfemg|fibres=20", "counts pairs, did you mean pairs"),
        ("twitch|frequency=1 Hz|stimuli=10", "within 5 s for a force, but is 10 over 9 s; give fewer stimuli"),
        ("rns|fibres=0", "fibres must be a whole number"),
        ("rns|terminal.calcium_outsid=1 mM", r"did you mean terminal\.calcium_outside"),
        ("rns|terminal.calcium_outside=1 mV", "did you mean 1 mM"),
        ("rns|muscle=3", "set by its parameters"),
        ("rns|exercise=5 min", "at most 60 s"),
        ("rns|--frequency=3", "did you mean frequency=3"),
        ("sfemg|age=120", "10 to 99 years"),
        ("sfemg|reference=frontali", "did you mean frontalis"),
        ("tof|doses=[30 nM, 20 nM]", "20 nM after 30 nM; sort the doses"),
        ("tof|agent=organophosphate", "a list for organophosphate"),
        ("tof|drug=rocuronium:1 nM", "beside agent"),
        ("dose_response|agent=curare", "agent .*a known drug"),
        ("twitch|contraction.pump_q10=0.1", r"contraction\.pump_q10 must be at least 0\.5"),
        ("twitch|times=[0 s, 9 s]", "times must be within 5 s for a force, but is up to 9000 ms"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_gets_one_sentence(words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words.split("|")) == 2
    told = capsys.readouterr().err
    assert re.search(sentence, told) and told.count("\n") == 1 and told.startswith("nmjmc: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("test", BEDSIDE)
def test_help_names_every_setting(test, capsys):
    assert main([test, "--help"]) == 0
    told = capsys.readouterr().out
    for name in (*own_settings(KINDS[test]), "quanta", "seed", "pathology", "drug"):
        assert f"\n  {name}=" in told
    assert all(name in told for name in (*DISEASES, *DRUGS))


def test_dry_run_prints_a_config_that_can_be_used_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["rns", "pathology=ageing:0.5", "frequency=5", "dry_run=true"]) == 0
    told = capsys.readouterr().out
    config = yaml.safe_load(told.split("\n#")[0])
    assert config["frequency"] == "5 Hz" and config["pathology"] == {"ageing": 0.5}
    (tmp_path / "config.yaml").write_text(told.split("\n#")[0])
    assert main(["rns", f"config={tmp_path}", "fibres=7", "dry_run=true"]) == 0
    again = yaml.safe_load(capsys.readouterr().out.split("\n#")[0])
    assert again == {**config, "fibres": 7}
    assert main(["epp", f"config={tmp_path}", "dry_run=true"]) == 2


def test_a_junction_is_described_and_built_to_the_bit():
    junction = asked(
        "epp", "terminal.zones=60", "muscle.radius=30 um", "terminal.facilitation=[0.5,0.1,0,0]"
    ).healthy
    again = build_junction(json.loads(json.dumps(describe_junction(junction))))
    assert again.terminal.zones == 60 and float(again.muscle.radius) == 30.0
    assert describe_junction(again) == describe_junction(junction)
    with pytest.raises(ValidationError, match="did you mean muscle"):
        build_junction({**describe_junction(junction), "muscle": {"radus": 3}})


def test_one_temperature_is_that_of_every_part():
    for words, warmth in (((), 37.0), (("temperature=22 degC",), 22.0), (("preparation=rat",), 37.0)):
        junction = asked("epp", *words).healthy
        parts = (junction.terminal, junction.synapse, junction.muscle, junction.contraction)
        assert [float(part.temperature) for part in parts] == [warmth] * 4
    assert float(asked("epp", "muscle.temperature=30 degC").healthy.muscle.temperature) == 30.0


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    """The formulas in the place of the kernel; how often they were called."""
    from nmjmc.kernel import simulate

    calls = []

    def run(*arguments, **options):
        calls.append(options)
        return formula_run(*arguments, **options)

    monkeypatch.setattr(simulate, "run", run)
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return calls


def test_quanta_are_kept_and_found_by_what_decides_them(kernel):
    first = banks.Banks(4)(human())
    again = banks.Banks(4)
    np.testing.assert_array_equal(again(human()).conductance, first.conductance)
    assert again.kept == 1 and again.simulated == 0 and len(kernel) == 1
    again(asked("rns", "terminal.calcium_outside=1 mM", "muscle.radius=30 um").junction)
    assert len(kernel) == 1  # the same synapse
    for other, quanta, seed in (
        (asked("rns", "pathology=ageing").junction, 4, 0), (human(), 5, 0), (human(), 4, 1),
    ):  # fmt: skip
        before = len(kernel)
        banks.Banks(quanta, seed)(other)
        assert len(kernel) == before + 1


def test_patches_are_kept_as_patches(kernel):
    weak = disease("esterase_deficiency")(human())
    first = banks.Banks(8)(weak)
    again = banks.Banks(8)
    found = again(weak)
    assert isinstance(first, PatchBank) and isinstance(found, PatchBank)
    assert again.simulated == 0 and found.patches == first.patches
    np.testing.assert_array_equal(found.numbers, first.numbers)
    np.testing.assert_array_equal(found.conductance, first.conductance)
    # the terminal's times of release scatter the quanta of a patch
    assert banks.key(drug("diaminopyridine", 1.0)(weak), 8, 0) != banks.key(weak, 8, 0)


def test_a_damaged_bank_is_simulated_again(kernel):
    banks.Banks(4)(human())
    (path,) = banks.place_of("x").parent.glob("*.h5")
    path.write_bytes(b"half a file")
    assert banks.Banks(4)(human()).quanta == 4 and len(kernel) == 2


def test_without_a_cache_nothing_is_kept(kernel):
    banks.Banks(4, cache=False)(human())
    assert not banks.place_of("x").parent.exists()


def test_an_interrupt_tells_what_is_kept_and_leaves_no_half_result(kernel, tmp_path, monkeypatch, capsys):
    def stopped(request, job):
        job.banks(job.junction)
        raise KeyboardInterrupt

    monkeypatch.setattr(Epp, "run", stopped)
    assert main(["epp", "quanta=2", "fibres=2"]) == 130
    assert "the quanta of 1 junction are kept" in capsys.readouterr().err
    (folder,) = (tmp_path / "outputs").iterdir()
    assert not (folder / "result.h5").exists() and not (folder / "summary.json").exists()
    assert main(["epp", "quanta=2", "fibres=2", "cache=false"]) == 130
    assert "kept" not in capsys.readouterr().err


def test_a_run_leaves_its_files_and_tells_what_they_mean(kernel, tmp_path, capsys):
    words = ["rns", "pathology=ageing:0.5", "fibres=3", "stimuli=4", "quanta=2", "seed=7"]
    assert main(words) == 0
    told = capsys.readouterr()
    assert told.err == "" and "95 % interval" in told.out and "3 fibres" in told.out
    (folder,) = (tmp_path / "outputs").iterdir()
    assert folder.name.startswith("rns-human+ageing-") and folder.name.endswith("-7")
    names = {"result.h5", "summary.json", "rns.png", "config.yaml", "nmjmc.log", ".hydra"}
    assert {path.name for path in folder.iterdir()} == names
    found = nmjmc.load_examination(folder)
    assert found.finding["arrival"].shape == (3, 4) and found.config["pathology"] == {"ageing": 0.5}
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["rows"]["decrement"]["unit"] == "%" and summary["seed"] == 7
    assert summary["meaning"] in told.out.replace("\n", " ")
    assert main(["rns", f"config={folder}"]) == 0
    np.testing.assert_array_equal(nmjmc.load_examination(folder).finding["arrival"], found.finding["arrival"])
    ageing = nmjmc.junction("human") | nmjmc.disease("ageing", 0.5)
    called = nmjmc.rns(ageing, fibres=3, stimuli=4, quanta=2, seed=7)
    assert called.config == found.config and str(called.finding) == str(found.finding)
    for name, array in found.finding.arrays.items():
        np.testing.assert_array_equal(called.finding[name], array.values)
    again = found.rerun()
    np.testing.assert_array_equal(again.finding["arrival"], found.finding["arrival"])
    assert again.config == found.config and len(kernel) == 1  # later runs found the quanta
    assert main(["rerun", str(folder)]) == 0
    capsys.readouterr()
    assert main(["show", str(folder), f"figure={tmp_path / 'again.png'}"]) == 0
    assert "decrement" in capsys.readouterr().out and (tmp_path / "again.png").exists()


def test_the_configs_are_what_the_requests_say():
    script = runpy.run_path(str(config_dir().parent / "scripts" / "write_configs.py"))
    for path, text in script["files"]():
        assert path.read_text(encoding="utf-8") == text, f"run scripts/write_configs.py: {path}"
    assert script["renewed"]("x: 1\na: 2  # old\nb: 3\ny: 4\n", "a: 5  # new\nc: 7\nb: 6\n") == (
        "x: 1\na: 5  # new\nc: 7\nb: 6\ny: 4\n"
    )


@pytest.mark.parametrize("test", BEDSIDE)
def test_a_function_takes_what_its_request_holds(test):
    given = dict(inspect.signature(getattr(nmjmc, test)).parameters)
    assert next(iter(given)) == "junction" and given.pop("junction").default is inspect.Parameter.empty
    held = {name: value for name, value in defaults(KINDS[test]).items() if name != "definitions"}
    assert given.keys() == held.keys()
    for name, value in held.items():
        assert (given[name].default or {} if value == {} else given[name].default) == value, name


def test_diseases_and_drugs_over_a_junction_are_told_as_the_command_tells_them():
    human, of = nmjmc.junction("human"), lambda j, **given: of_junction(j, Rns(**given))
    weak, block = nmjmc.disease("myasthenia_gravis", 0.6), nmjmc.drug("pyridostigmine", "0.2 uM")
    words = ("pathology=myasthenia_gravis:0.6", "drug=pyridostigmine:0.2 uM")
    for told in (
        of(human | weak | block),
        of(human | block | weak),  # these two act on different things
        of(human | weak, drug={"pyridostigmine": 0.2}),
        of(human, pathology={"myasthenia_gravis": "60 %"}, drug={"pyridostigmine": "200 nM"}),
    ):
        assert told.config == asked("rns", *words).config and told.hash == asked("rns", *words).hash
    later = of(human | nmjmc.drug("organophosphate", "1 uM", exposure="2 min"))
    assert later.config == asked("rns", "drug=organophosphate:1 uM", "exposure=2 min").config
    changed = of(set_to("terminal.zone_fraction", 0.5)(human | weak))
    assert changed.config["history"]["applied"] == ["myasthenia_gravis"] and not changed.config["pathology"]
    again = of_config(json.loads(json.dumps(changed.config)))
    assert again.config == changed.config and again.junction.applied == ("myasthenia_gravis",)
    assert "myasthenia gravis" in Examination(rns_finding.finding(rns_of()), changed.config, 0).title
    with pytest.raises(ValidationError, match="applied twice"):
        of(human | weak, pathology={"myasthenia_gravis": 0.1})
    with pytest.raises(ValidationError, match=r"junction must be a junction.*nmjmc\.junction"):
        of("human")
