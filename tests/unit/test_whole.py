"""Quanta put together, and the chain from terminal to spike."""

import equinox as eqx
import numpy as np
import pytest

from nmjmc.diagnostics import epp
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import Bank, drive_of, overlapping, simulate_bank
from nmjmc.junction.pools import rows
from nmjmc.junction.stimulus import train
from nmjmc.junction.superpose import superpose
from nmjmc.junction.terminal import Terminal
from nmjmc.junction.together import PatchBank, patches_of, simulate_patches
from nmjmc.junction.whole import evoke, human, margins, quantum_duration
from nmjmc.pathology import disease
from nmjmc.synapse import preparation, replace
from nmjmc.synapse.parameter import as_leaf

pytestmark = pytest.mark.unit

INTERVAL = 0.02


def bank_of(traces):
    traces = np.asarray(traces, np.float32)
    return Bank(
        np.concatenate([traces, np.zeros((len(traces), 1), np.float32)], axis=1),
        INTERVAL,
        preparation("human"),
        0,
    )


@pytest.fixture(scope="module")
def smooth():
    """Quanta of the human size and shape at 37 degC, of three amplitudes."""
    time = np.arange(300) * INTERVAL
    shape = (1 - np.exp(-time / 0.1)) * np.exp(-time / 0.8)
    shape[-1] = 0
    return bank_of(np.array([0.9, 1.0, 1.1])[:, None] * 0.068 * shape / shape.max())


def test_a_quantum_is_moved_to_its_time():
    bank = bank_of([np.arange(20.0)])
    release = np.array([[[5 * INTERVAL, np.inf]], [[5.5 * INTERVAL, np.inf]]])
    found = superpose(bank, release, np.array([0.0]), 40, seed=1)
    whole = np.concatenate([np.zeros(5), bank.conductance[0], np.zeros(14)])
    np.testing.assert_allclose(found[0, 0], whole, atol=1e-4)
    # half a sample later: the mean of neighbours
    np.testing.assert_allclose(found[1, 0, 1:], 0.5 * (whole[1:] + whole[:-1]), atol=1e-4)


def test_quanta_add_whatever_their_number_and_scale():
    bank = bank_of([np.ones(10), np.ones(10)])
    release = np.full((2, 1, 7), np.inf)
    release[0, 0, [1, 4, 6]] = 0.0, INTERVAL, 2 * INTERVAL
    found = superpose(bank, release, np.array([0.0]), 20, seed=1, scale=[2.0, 1.0])
    assert found[0].sum() == pytest.approx(2 * 30)
    assert not found[1].any()


def test_what_is_open_at_the_next_stimulus_is_counted_there():
    bank = bank_of([np.arange(1.0, 31.0)])
    times = np.array([0.0, 10 * INTERVAL])
    release = np.array([[[0.0], [np.inf]]])
    found = superpose(bank, release, times, 10, seed=1)
    np.testing.assert_allclose(found[0].ravel(), np.arange(1.0, 21.0), rtol=1e-5)


def test_every_quantum_of_the_bank_is_drawn():
    bank = bank_of(np.array([1.0, 10.0, 100.0])[:, None] * np.ones((3, 5)))
    found = superpose(bank, np.zeros((200, 1, 1)), np.array([0.0]), 2, seed=3)[:, 0, 0]
    values, counts = np.unique(found.round(), return_counts=True)
    assert values.tolist() == [1, 10, 100]
    # 200 draws of three: five standard errors of 6.7
    assert (np.abs(counts - 200 / 3) < 34).all()


def test_the_bank_states_its_error():
    bank = bank_of([[0, 1, 0.5], [0, 2, 0.5], [0, 3, 0.5]])
    assert bank.peak == pytest.approx(2.0)
    assert bank.relative_error == pytest.approx(1 / 2 / np.sqrt(3))
    assert "3 quanta" in str(bank)


def test_a_drive_closes_as_the_bursts_of_the_receptor_do():
    drive = drive_of(preparation("human"), np.zeros(3), INTERVAL)
    # N = 1 + 50000 / 16000 openings of 1 / 1350 s and gaps of 1 / 66000 s
    openings = 1 + 50 / 16
    length = openings / 1.35 + (openings - 1) / 66
    assert float(drive.closing) == pytest.approx(1 / length, rel=1e-5)
    assert float(drive.reference) == -80


def test_weak_esterase_is_known_to_let_quanta_overlap():
    synapse = preparation("human")
    assert not overlapping(synapse)
    assert overlapping(replace(synapse, "esterase.active_fraction", 0.1))


def test_a_bank_is_simulated_by_the_kernel():
    synapse = preparation("human", vesicle={"content_cv": 0.0}, temperature=37.0)
    bank = simulate_bank(synapse, 4, seed=1, duration=4.0)
    # 762 channels by the radial solver [C] of 60 pS, 1.3^1.5 times as much in the warmth
    assert bank.peak == pytest.approx(762 * 6e-5 * 1.3**1.5, rel=0.1)
    assert bank.relative_error < 0.05
    with pytest.raises(ValidationError, match="duration"):
        simulate_bank(synapse, 4, seed=1, duration=0.4)
    two = preparation("human", vesicle={"sites": [[0, 0], [0.1, 0]], "times": [0, 0]})
    with pytest.raises(ValidationError, match=r"vesicle\.sites"):
        simulate_bank(two, 4)


def patches(conductance, numbers, count):
    traces = np.concatenate([conductance, np.zeros((len(conductance), 1))], axis=1).astype(np.float32)
    return PatchBank(traces, INTERVAL, preparation("human"), 0, np.asarray(numbers), count)


def test_quanta_of_a_patch_take_the_row_of_their_number():
    # rows that tell their number: 10, 20 and 40 for one, two and four quanta
    bank = patches(np.array([10.0, 20.0, 40.0])[:, None] * np.ones((3, 30)), [1, 2, 4], 2)
    release = np.full((1, 1, 12), np.inf)
    release[0, 0, [0, 3]] = 0.0, 5 * INTERVAL  # two in the first patch
    release[0, 0, 6:9] = 0.0  # three in the second: the nearest row below, in proportion
    found = superpose(bank, release, np.array([0.0]), 10, seed=1)
    assert found[0, 0, 1] == pytest.approx(20 + 3 / 2 * 20)
    # nothing from an empty patch, and everything from its first release on
    release[0, 0, 6:] = np.inf
    release[0, 0, 0] = 3.5 * INTERVAL
    found = superpose(bank, release, np.array([0.0]), 10, seed=1)
    np.testing.assert_allclose(found[0, 0], [0, 0, 0, 0, *[20] * 6], atol=1e-3)


def test_an_endplate_is_patches_that_hold_its_zones():
    # 38 zones, 0.8 in a um^2, patches of pi 1.6^2 um^2
    assert patches_of(Terminal(), preparation("human")) == 6


@pytest.mark.slow
def test_without_esterase_the_quanta_of_a_patch_are_simulated_together():
    synapse = preparation("human", esterase={"active_fraction": 0.0}, temperature=37.0)
    assert quantum_duration(synapse) > quantum_duration(preparation("human", temperature=37.0))
    bank = simulate_patches(Terminal(), synapse, 2, seed=3, duration=4.0, numbers=(1, 4))
    for n in (1, 4):
        mean = bank.conductance[bank.numbers == n].mean(axis=0)
        # with esterase 4 ms of a decay of 0.84 ms leave a hundredth; without, some four tenths
        assert mean[195] > 0.2 * mean.max()
    evoked = evoke(disease("esterase_deficiency")(human()), [0.0], 2, seed=1, bank=bank)
    assert evoked.method == "simulated together by patch"


def test_a_healthy_junction_fires_at_every_stimulus(smooth):
    junction = human()
    evoked = evoke(junction, train("3 Hz", 3), 4, seed=2, bank=smooth)
    assert (evoked.response.spikes == 1).all()
    assert evoked.method == "superposed"
    found = margins(junction, evoked)
    assert (np.asarray(found.factor) > 1.3).all()
    again = evoke(junction, train("3 Hz", 3), 2, seed=2, bank=smooth)
    np.testing.assert_array_equal(again.conductance, evoked.conductance[:2])


def test_a_fibre_without_a_quantum_has_a_threshold_and_no_safety(smooth):
    """Like fibres, of which some get no quantum: their thresholds hardly depend on what finds them."""
    sparse = eqx.tree_at(lambda j: j.terminal.calcium_outside, human(), as_leaf(170.0))
    evoked = evoke(sparse, train("3 Hz", 3), 4, seed=2, bank=smooth)
    silent = evoked.release.quanta[:, 0] == 0
    assert 0 < silent.sum() < 4
    threshold, factor = epp.margins_of_all(sparse, evoked, rows(sparse.muscle, 4), smooth)
    assert (factor[silent] == 0).all() and (factor[~silent] > 0).all()
    assert np.isnan(np.asarray(margins(sparse, evoked).threshold)[silent]).all()
    # quanta of the same shape, at once or scattered by 0.07 ms where the current lasts ten times as long
    np.testing.assert_allclose(threshold, threshold[~silent].mean(), rtol=0.05)
