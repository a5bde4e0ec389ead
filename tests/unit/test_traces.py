"""Recordings as amplifiers leave them: whole sweeps, true starts, a unit or gain put right, what is none refused."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from nmjmc.analysis.recording import Recording, padded
from nmjmc.analysis.steady import at_rest, rest_of, windowed
from nmjmc.data.recordings import read_recording, write_recording
from nmjmc.errors import ValidationError
from tests.axon import write_abf, write_atf

pytestmark = pytest.mark.unit

SHARED = Path(__file__).parents[3] / "shared"
REAL = sorted(SHARED.glob("cases/abf/*.abf")) + sorted(SHARED.glob("recordings/pyabf_psc/*.abf"))


def noise(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [np.round(rng.normal(scale=20.0, size=n), 1) for n in lengths]


@pytest.fixture
def pyabf():
    return pytest.importorskip("pyabf")


def same(first, second):
    assert first.sampling_interval == pytest.approx(second.sampling_interval, rel=1e-9)
    whole = [np.concatenate([r.sweep(i) for i in range(r.sweeps)]) for r in (first, second)]
    np.testing.assert_allclose(*whole, rtol=1e-5, atol=1e-6 * max(np.abs(whole[1]).max(), 1e-12))
    if second.sweeps > 1 or first.sweeps == 1:  # neo takes a file without a table of sweeps for one
        assert list(first.length) == list(second.length)
        np.testing.assert_allclose(first.sweep_start, second.sweep_start, atol=1e-6)


@pytest.mark.skipif(not REAL, reason="the recordings are not here")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_real_axon_files_read_as_neo_reads_them(path, pyabf):
    pytest.importorskip("neo")
    for channel in range(pyabf.ABF(str(path), loadData=False).channelCount):
        try:
            first = read_recording(path, channel=channel)
        except ValidationError as error:
            assert "1 mA" in str(error)  # the second channel of 18702001-step.abf says 1 A
            continue
        same(first, read_recording(path, format="neo", channel=channel))


@pytest.mark.parametrize(
    ("starts", "tick", "expected"),
    [([0, 700, 2000], 0.0, [0.0, 35.0, 100.0]), ([160, 8000, 40000], 12.5, [2.0, 100.0, 500.0])],
)
def test_sweeps_of_any_length_are_whole_and_start_where_the_file_says(
    starts, tick, expected, tmp_path, pyabf
):
    pytest.importorskip("neo")
    sweeps = noise(300, 620, 100)
    mode = 1 if not tick else 5
    path = write_abf(tmp_path / "x.abf", sweeps, starts=starts, tick=tick, mode=mode)
    found = read_recording(path)
    assert list(found.length) == [300, 620, 100] and not found.even
    assert list(found.sweep_start) == expected and found.duration == pytest.approx(1020 * 0.05)
    for number, sweep in enumerate(sweeps):
        np.testing.assert_allclose(found.sweep(number), 1e-3 * sweep, atol=1e-6)
    assert np.isnan(found.signal[2, 100:]).all() and found.holding_potential == -70.0
    same(found, read_recording(path, format="neo"))


def test_a_rate_that_is_no_whole_number_and_channels_of_a_gap_free_file_agree_with_neo(tmp_path, pyabf):
    pytest.importorskip("neo")
    one = np.stack([noise(400)[0], noise(400, seed=1)[0], noise(400, seed=2)[0]])
    path = write_abf(tmp_path / "x.abf", [one], interval=2480.0, mode=3, unit=("pA", "mV", "pA"))
    for channel, unit in enumerate(("nA", "mV", "nA")):
        found = read_recording(path, channel=channel)
        assert found.sampling_interval == pytest.approx(2.48) and found.unit == unit
        same(found, read_recording(path, format="neo", channel=channel))


def test_a_table_of_sweeps_that_does_not_fit_is_refused(tmp_path, pyabf):
    path = write_abf(tmp_path / "x.abf", noise(300, 300), starts=[0, 300])
    data = bytearray(path.read_bytes())
    data[-512 + 4 : -512 + 8] = (250).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ValidationError, match=r"counts 550 samples a channel and not 600"):
        read_recording(path)


def test_sweeps_of_any_length_come_back_from_hdf5(tmp_path):
    signal, length = padded(noise(50, 20, 80))
    made = Recording(signal, 0.1, length=length, command=np.full(signal.shape, -70.0))
    back = read_recording(write_recording(made, tmp_path / "x.h5"))
    assert np.array_equal(back.signal, made.signal, equal_nan=True)
    assert list(back.length) == [50, 20, 80] and np.array_equal(back.command, made.command)
    assert list(back.sweep_start) == pytest.approx([0.0, 5.0, 7.0])
    with pytest.raises(ValidationError, match=r"^signal must be finite"):
        Recording(signal, 0.1)


def text(found):
    return found.source.split("; ")[1:]


def test_a_wrong_unit_gain_or_direction_is_put_right_and_said(tmp_path, pyabf):
    (tmp_path / "x.csv").write_text(
        "\n".join(["Time (ms),I (pA)", *(f"{k * 0.1:.1f},{k % 7}" for k in range(50))])
    )
    abf = write_abf(tmp_path / "x.abf", noise(500), unit="mV")
    for path in (abf, tmp_path / "x.csv", write_recording(Recording(noise(90)[0], 0.1), tmp_path / "x.h5")):
        plain = read_recording(path)
        unit = read_recording(path, unit="uA" if plain.unit == "nA" else "uV")
        factor = {"abf": 1e-3, "csv": 1e6, "h5": 1e3}[path.suffix[1:]]
        np.testing.assert_allclose(unit.signal, factor * plain.signal, rtol=1e-5)
        changed = read_recording(path, gain=20, polarity=1 if plain.unit == "nA" else -1)
        np.testing.assert_allclose(changed.signal, -plain.signal / 20)
        assert text(changed) == [
            "divided by the gain 20 as given",
            f"turned over, as polarity={1 if plain.unit == 'nA' else -1} was given",
        ]
        assert not text(plain)
    current = read_recording(abf, gain="0.5 V/nA")
    assert current.unit == "nA"
    np.testing.assert_allclose(current.signal, read_recording(abf).signal / 500.0)
    assert text(read_recording(abf, unit="pA")) == ["unit pA as given, the file says mV"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"gain": 0}, "gain must be above zero"),
        ({"gain": -2}, "say polarity"),
        ({"gain": "0.5 V/nA"}, "as the file holds a current"),
        ({"polarity": 3}, r"1 \(responses go up\)"),
        ({"unit": "furlong"}, "one of current or potential"),
        ({"unit": "A"}, "at most 1 mA"),
        ({"channel": 1}, "channel must be from 0 to 0"),
        ({"chanel": 0}, "did you mean channel"),
    ],
)
def test_corrections_that_cannot_be_are_refused(words, says, tmp_path, pyabf):
    path = write_abf(tmp_path / "x.abf", noise(500))
    with pytest.raises(ValidationError, match=says):
        read_recording(path, **words)


def test_channels_that_are_no_signal_are_named_with_those_that_are(tmp_path, pyabf):
    path = write_abf(tmp_path / "x.abf", [np.stack(noise(50, 50, 50))], unit=("dB", "mV", "pA"))
    with pytest.raises(ValidationError, match=r"'dB'; say it.*or choose channel 1 \(mV\) or 2 \(pA\)"):
        read_recording(path)


def test_currents_and_potentials_of_no_cell_are_refused(tmp_path, pyabf):
    for unit, size in (("A", 2.0), ("V", 90.0)):
        path = write_abf(tmp_path / "x.abf", [np.full(99, size)], unit=unit)
        with pytest.raises(ValidationError, match="its unit or gain is wrong"):
            read_recording(path)
        assert read_recording(path, gain=1e6).signal.max() < 1e6


def test_axon_text_files_are_read(tmp_path):
    time = np.arange(400) * 0.05
    sweeps = [[noise(400, seed=2 * s)[0], 1e-3 * noise(400, seed=2 * s + 1)[0]] for s in range(3)]
    path = write_atf(
        tmp_path / "x.atf", time, sweeps, signals=("IN 0", "IN 1"), unit=("pA", "nA"), starts=[0, 1000, 2000]
    )
    for channel, factor in ((0, 1e-3), (1, 1.0)):
        found = read_recording(path, channel=channel, holding_potential=-60.0)
        np.testing.assert_allclose(found.signal, factor * np.array(sweeps)[:, channel], rtol=1e-5)
        assert found.sampling_interval == pytest.approx(0.05) and list(found.sweep_start) == [0, 1000, 2000]
    with pytest.raises(ValidationError, match="from 0 to 1"):
        read_recording(path, channel=2)


def test_axon_text_of_one_sweep_short_sweeps_and_rounded_times(tmp_path):
    time = np.arange(300) * 0.02
    two = write_atf(
        tmp_path / "x.atf", time, [noise(300, 300)], signals=("a", "b"), unit=("pA", "pA"), digits=3
    )
    assert read_recording(two, channel=1).sweeps == 1
    assert read_recording(two).sampling_interval == pytest.approx(0.02, rel=2e-3)
    short = read_recording(write_atf(tmp_path / "y.atf", time, [[noise(300)[0]], [noise(120)[0]]]))
    assert list(short.length) == [300, 120]
    with pytest.raises(ValidationError, match=r"unit of channel 0 of .* must be one of current or potential"):
        read_recording(write_atf(tmp_path / "z.atf", time, [noise(300)], unit=("",)))
    assert read_recording(tmp_path / "z.atf", unit="pA").unit == "nA"


@pytest.mark.parametrize(
    "content", ["", "ATF\t1.0", 'ATF\t1.0\n1\t2\n"a=b"', "no axon file\n1\t2\n3\n4\n5\n6"]
)
def test_broken_axon_text_is_refused(content, tmp_path):
    (tmp_path / "x.atf").write_text(content)
    with pytest.raises(ValidationError, match=r"^path must be"):
        read_recording(tmp_path / "x.atf")


def test_the_command_follows_from_the_epochs_of_the_file(tmp_path, pyabf):
    path = write_abf(
        tmp_path / "x.abf",
        noise(6400, 6400),
        starts=[0, 20000],
        epochs=[(-70.0, 1000), (-80.0, 400), (-70.0, 900)],
    )
    found = read_recording(path)
    first = 6400 // 64 + 1000  # epochs begin after a sixty-fourth of the sweep
    assert (found.command[:, first : first + 400] == -80.0).all() and (found.command == -80.0).sum() == 800
    rest = rest_of(found, settle=50.0)
    step = found.sampling_interval
    assert rest.known and rest.level == -70.0
    assert rest.window == pytest.approx(((first + 400) * step + 50.0, 6400 * step))
    calm = at_rest(found, 20.0)
    assert calm.sweeps == 4 and (calm.command[~np.isnan(calm.command)] == -70.0).all()
    assert calm.sweep_start[1] == pytest.approx(rest.window[0]) and calm.sweep_start[2] == 1000.0
    np.testing.assert_array_equal(calm.sweep(1), found.signal[0, round(rest.window[0] / step) :])
    part = windowed(found, (10.0, 30.0))
    assert part.sweep_duration == pytest.approx(20.0) and list(part.sweep_start) == pytest.approx(
        [10.0, 1010.0]
    )
    with pytest.raises(ValidationError, match=r"^stretches at rest"):
        at_rest(found, 1e4)


def test_no_warning_of_a_library_reaches_the_user(tmp_path, pyabf):
    path = write_abf(tmp_path / "x.abf", noise(640), epochs=[(-80.0, 100)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_recording(path)
