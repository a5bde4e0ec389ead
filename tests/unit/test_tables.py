"""Tables of numbers from other countries and other programs: each is read right, or refused in one sentence."""

import codecs
from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.data.recordings import read_events, read_histogram, read_recording, read_waveform
from nmjmc.data.recordings.numerals import number, readings
from nmjmc.data.recordings.text import numbers, read_columns
from nmjmc.data.recordings.times import even_step
from nmjmc.errors import ValidationError
from nmjmc.fitting.datasets import read_datasets
from nmjmc.fitting.datasets.kind import kind_of

pytestmark = pytest.mark.unit

CASES = Path(__file__).parents[3] / "shared" / "cases" / "tables"
cases = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")


def written(folder, text, name="x.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def refused(act):
    """The sentence of a refusal."""
    with pytest.raises(ValidationError) as caught:
        act()
    said = str(caught.value)
    assert len(said.splitlines()) == 1 and said.endswith((".", "?"))
    return said


NUMBERS = {
    "1.5": (".", 1.5), "1,5": (",", 1.5), "0,530": (",", 0.53), "-0.001": (".", -1e-3),
    "3620,209": (",", 3620.209), "1,234.5": (".", 1234.5), "1.234,5": (",", 1234.5),
    "1'234.5": (".", 1234.5), "1’234,5": (",", 1234.5), "1 234,5": (",", 1234.5),
    "1\u00a0234.5": (".", 1234.5), "1\u202f234,5": (",", 1234.5), "1\u2009234.5": (".", 1234.5),
    "1,234,567": (".", 1234567.0), "1.234.567": (",", 1234567.0), "1,23,456.5": (".", 123456.5),
    "\u22122.5": (".", -2.5), "\u20132,5": (",", -2.5), "+2.5": (".", 2.5), "- 2.5": (".", -2.5),
    "1.5D-03": (".", 1.5e-3), "1,5d+2": (",", 150.0), "1.234E-2": (".", 0.01234), "1,234e3": (",", 1234.0),
    ".5": (".", 0.5), "-,5": (",", -0.5), "69.": (".", 69.0), '"1,5"': (",", 1.5), "'1.5'": (".", 1.5),
    "\uff11\uff0e\uff15": (".", 1.5), "1234": (".,", 1234.0), "-7": (".,", -7.0), "1,234": (".,", None),
    "12.345": (".,", None), "-999,000": (".,", None), "1 234": (".,", 1234.0), "1,2345": (",", 1.2345),
}  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_read_as_its_country_writes_it(text):
    marks, value = NUMBERS[text]
    assert readings(text) == marks
    if value is not None:
        assert {number(text, mark) for mark in marks} == {value}


@pytest.mark.parametrize(
    "text",
    ["", "1.2.3", "1,2,3", "1.234.5", "1_000", "0x10", "inf", "nan", "1,23.4", "12:30", "2.5 pA", "(2.5)", "<0.5",
     "1e", "e5", "--1", "1.2-3", "1,234.567,8", "0,530,000", "1'23", "12.03.2020", "1..5", "3*", "True"],
)  # fmt: skip
def test_what_is_no_number_is_none(text):
    assert readings(text) == "" and all(np.isnan(number(text, mark)) for mark in ".,")


MINIS = [("1", 58.142, 3.323), ("2", 3620.209, 3.076), ("3", 4956.465, 0.878), ("4", 15374.011, 12.302)]
STYLES = {
    "German, tabs": ("\t", lambda v: f"{v:.3f}".replace(".", ",")),
    "German, semicolons": (";", lambda v: f"{v:.3f}".replace(".", ",")),
    "German, quoted": (",", lambda v: f'"{v:.3f}"'.replace(".", ",")),
    "German, thousands": (";", lambda v: f"{v:,.3f}".replace(",", "x").replace(".", ",").replace("x", ".")),
    "French": ("\t", lambda v: f"{v:,.3f}".replace(",", "\u202f").replace(".", ",")),
    "French, no-break": (";", lambda v: f"{v:,.2f}".replace(",", "\u00a0").replace(".", ",")),
    "Swiss": ("\t", lambda v: f"{v:,.3f}".replace(",", "'")),
    "American": ("\t", lambda v: f"{v:,.3f}"),
    "American, quoted": (",", lambda v: f'"{v:,.3f}"'),
    "Fortran": (" ", lambda v: f"{v:.8E}".replace("E", "D")),
    "blanks and decimal commas": (" ", lambda v: f"{v:.3f}".replace(".", ",")),
    "plus signs": (",", lambda v: f"{v:+.3f}"),
}  # fmt: skip


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]
)
@pytest.mark.parametrize("style", STYLES)
def test_a_table_of_events_is_the_same_in_every_country(style, encoding, tmp_path):
    mark, show = STYLES[style]
    if encoding == "cp1252" and style == "French":
        pytest.skip("this code page has no narrow blank")
    head = mark.join(
        (
            "Number",
            "Time_ms" if mark == " " else "Time (ms)",
            "Amplitude_µA" if mark == " " else "Amplitude (µA)",
        )
    )
    rows = [mark.join((n, show(time), show(-size))) for n, time, size in MINIS]
    table = read_events(written(tmp_path, "\r\n".join([head, *rows, ""]), "e.txt", encoding))
    np.testing.assert_allclose(
        table["time"], [time for _, time, _ in MINIS], rtol=1e-4 if "break" in style else 1e-9
    )
    np.testing.assert_allclose(
        table["amplitude"], [1e3 * size for _, _, size in MINIS], rtol=2e-2 if "break" in style else 1e-9
    )


OPEN = "Amplitude (pA)\tTime (ms)\n3,323\t58,142\n3,076\t120,209\n"


def test_numbers_that_can_be_read_both_ways_are_asked_for(tmp_path):
    path = written(tmp_path, OPEN)
    said = refused(lambda: read_events(path))
    assert "3.323 or 3323" in said and "line 2" in said and "x.csv" in said and "decimal=comma" in said
    assert read_events(path, decimal="comma")["amplitude"][0] == pytest.approx(3.323e-3)
    assert read_events(path, decimal="point")["amplitude"][0] == pytest.approx(3.323)
    assert read_events(path, decimal=",")["time"][1] == pytest.approx(120.209)
    assert "did you mean comma" in refused(lambda: read_events(path, decimal="coma"))
    # 120,2 settles all of the file, also the columns in which nothing does
    assert read_events(written(tmp_path, OPEN.replace("120,209", "120,2")))["amplitude"][0] == pytest.approx(
        3.323e-3
    )
    said = refused(
        lambda: read_events(written(tmp_path, OPEN.replace("120,209", "1.5").replace("58,142", "0,5")))
    )
    assert "a point in line 3 (1.5) and a comma in line 2 (0,5)" in said
    whole = "Amplitude (pA);Time (s)\n-987;1\n-1.234;2\n-2.345;3\n"
    assert "1.234 or" in refused(lambda: read_events(written(tmp_path, whole)))
    assert read_events(written(tmp_path, whole), decimal="comma")["amplitude"][1] == pytest.approx(1.234)
    # three decimals everywhere are decimals
    assert (
        read_events(written(tmp_path, "Amplitude (pA);Time (s)\n-1.234;1.000\n-2.345;2.000\n"))["amplitude"][
            0
        ]
        < 0.002
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Time (ms),Current (pA)\n0,000,-0,000\n0,050,-0,125\n", "commas"),
        ("Time (ms),Current (pA)\n0,00,-1,25\n0,05,-1,75\n", "commas"),
        ("3,323\n3,076\n3,878\n", "comma or point"),
        ("amplitude (nA)\n3,323\n3,076\n", "3.323 or 3323"),
        ("Time (ms),I (pA),x\n0.5,1\n1.5,2\n", "3 cells long above numbers of 2 columns"),
        ("Time (ms),I (pA)\n0,1\n1,2,3\n", "line 3"),
        ("amplitude (pA)\n1.5\n2.5\nmean 2.0\n", "line 4"),
        ("number,amplitude (pA)\n1,-3\n2,-4\nmean,-3.5\n", "line 4"),
        ("time (ms),amplitude (pA)\n1,-3\n2,-4*\n7,-5\n", "line 3"),
        ("time (ms),amplitude (pA)\n1,-3\n2,-4 pA\n7,-5\n", "'-4 pA'"),
        ("time (ms),amplitude (pA)\n1,-3\n2,1e999\n7,-5\n", "'1e999'"),
        ('a,b\n1,"2\n3,4\n', "quotation"),
        ("", "no rows"),
        ("# only this\n", "no rows"),
        ("apples,pears\nred,green\n", "no numbers"),
        ("a\x00b\x01c\n1,2\n", "no text"),
    ],
)  # fmt: skip
def test_a_broken_table_is_refused_with_its_place(text, sentence, tmp_path):
    said = refused(lambda: read_events(written(tmp_path, text)))
    assert sentence in said and "x.csv" in said


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF32_LE, codecs.BOM_UTF8])
def test_a_mark_of_an_encoding_that_does_not_follow_is_no_traceback(mark, tmp_path):
    (tmp_path / "x.csv").write_bytes(mark + b"\xff\xd8amplitude (pA)\n-1\n-2")
    try:
        assert read_events(tmp_path / "x.csv")["amplitude"].tolist() == [1e-3, 2e-3]
    except ValidationError as error:
        assert "x.csv" in str(error)


HEADS = {
    "Time (ms),I (pA)": ("time", "i", "ms", "pA"),
    "Time [s],I [nA]": ("time", "i", "s", "nA"),
    "t / ms,I / pA": ("t", "i", "ms", "pA"),
    "time_ms,current_pA": ("time", "current", "ms", "pA"),
    "Zeit in ms,Strom in nA": ("zeit", "strom", "ms", "nA"),
    "Time,I\nms,pA": ("time", "i", "ms", "pA"),
    "Cell,3\nDate,2020\nTime (ms),I (pA)": ("time", "i", "ms", "pA"),
    "my cell\nTime (ms),I (pA)": ("time", "i", "ms", "pA"),
    "# Time (ms), I (pA)": ("time", "i", "ms", "pA"),
    "Time (ms),I (pA),": ("time", "i", "ms", "pA"),
    "group A,trial V": ("group a", "trial v", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_headings_say_names_and_units(head, tmp_path):
    end = "," if head.endswith(",") else ""
    table = read_columns(
        written(tmp_path, head + "\n" + "".join(f"{0.1 * k:.1f},{k}{end}\n" for k in range(5)))
    )
    assert (*table.names, *table.units) == HEADS[head] and table.values[4].tolist() == [0.4, 4.0]


def trace(path, head, *columns, fmt="{:.6f}"):
    rows = [
        ",".join(cell if isinstance(cell, str) else fmt.format(cell) for cell in row)
        for row in zip(*columns, strict=True)
    ]
    return written(path, "\n".join([head, *rows] if head else rows))


TIME = 0.05 * np.arange(60)
CURRENT = -np.sin(TIME)


def test_each_column_has_its_own_unit(tmp_path):
    file = trace(tmp_path, "Time (ms),Sweep 1 (pA),Sweep 2 (nA)", TIME, 1e3 * CURRENT, CURRENT)
    found = read_recording(file)
    np.testing.assert_allclose(found.signal, [CURRENT, CURRENT], atol=1e-6)
    assert "pA for columns in nA and pA" in refused(lambda: read_recording(file, unit="pA"))
    file = trace(tmp_path, "Time (ms),Im (pA),Vm (mV),Im 2 (nA)", TIME, 1e3 * CURRENT, CURRENT - 70, CURRENT)
    said = refused(lambda: read_recording(file))
    assert "column 3 (vm) in mV" in said and "signal=current" in said
    np.testing.assert_allclose(read_recording(file, signal="current").signal, [CURRENT, CURRENT], atol=1e-6)
    held = read_recording(file, signal="potential")
    assert held.unit == "mV" and held.signal.shape == (1, 60)
    assert "voltage" in refused(
        lambda: read_recording(trace(tmp_path, "Time (ms),Voltage", TIME, CURRENT), unit="pA")
    )
    file = trace(tmp_path, "Time (ms),I (pA),T (degC)", TIME, CURRENT, CURRENT)
    assert "column 3 (t)" in refused(lambda: read_recording(file))
    file = trace(tmp_path, "Time (ms),I (pA),I 2", TIME, CURRENT, CURRENT)
    assert "column 3 (i 2) of x.csv does not say it" in refused(lambda: read_recording(file))
    file = trace(tmp_path, "Time 1 (ms),I 1 (pA),Time 2 (ms),I 2 (pA)", TIME, CURRENT, TIME, CURRENT)
    assert "times of column 1" in refused(lambda: read_recording(file))
    said = read_recording(trace(tmp_path, "Time (ms),I (pA)", TIME, CURRENT), unit="nA").source
    assert "unit nA as given, the file says pA" in said


def test_a_sweep_that_ends_before_the_others_keeps_its_length(tmp_path):
    cells = [f"{v:.6f}" if k < 40 else "" for k, v in enumerate(CURRENT)]
    found = read_recording(trace(tmp_path, "Time (ms),I 1 (nA),I 2 (nA)", TIME, cells, CURRENT))
    assert found.length.tolist() == [40, 60]
    np.testing.assert_allclose(found.sweep(0), CURRENT[:40], atol=1e-6)
    cells[20] = ""
    said = refused(
        lambda: read_recording(trace(tmp_path, "Time (ms),I 1 (nA),I 2 (nA)", TIME, cells, CURRENT))
    )
    assert "column 2 (i 1) in line 22 of x.csv" in said and "empty" in said


@pytest.mark.parametrize("step", [0.05, 1 / 30, 0.1, 1 / 44.1, 1 / 3])
@pytest.mark.parametrize("fmt", ["{:.2f}", "{:.3f}", "{:.6g}", "{:.4e}", "{:.12g}"])
def test_the_even_step_behind_rounded_times_is_found(step, fmt, tmp_path):
    cells = [fmt.format(100.0 + step * k) for k in range(1500)]
    found = even_step(np.array([float(cell) for cell in cells]), cells)
    if fmt == "{:.4e}" and step < 0.1:
        assert found is None or abs(found.value / step - 1) < 0.01
    else:
        assert found is not None and abs(found.value / step - 1) < (
            0.01 if fmt in ("{:.2f}", "{:.4e}") else 1e-3
        )
        assert found.low * (1 - 1e-9) <= step <= found.high * (1 + 1e-9)


def test_round_steps_come_out_exactly():
    for step in (0.05, 1 / 30, 0.02, 0.1):
        cells = [f"{step * k:.4f}" for k in range(1200)]
        assert even_step(np.array([float(cell) for cell in cells]), cells).value == pytest.approx(
            step, rel=1e-15
        )


@pytest.mark.parametrize(
    "times", [[0, 1, 2, 4, 5], [0, 0.5, 1.0, 1.4], [3, 2, 1], [5, 5, 5], [0, 1, 2, 0, 1, 2], [1]]
)
def test_times_that_are_not_even_have_no_step(times):
    assert even_step(np.array(times, float), [f"{t:g}" for t in times]) is None


def test_uneven_times_are_refused_with_their_line(tmp_path):
    uneven = TIME.copy()
    uneven[30:] += 0.05
    said = refused(lambda: read_recording(trace(tmp_path, "Time (ms),I (pA)", uneven, CURRENT)))
    assert "0.1 before line 32 of x.csv" in said
    below = np.append(TIME, TIME)
    said = refused(
        lambda: read_recording(trace(tmp_path, "Time (ms),I (pA)", below, np.append(CURRENT, CURRENT)))
    )
    assert "side by side" in said


def test_times_and_a_given_sampling_must_agree(tmp_path):
    headed = trace(tmp_path, "Time (ms),I (nA)", TIME, CURRENT)
    assert read_recording(headed, sampling_interval=0.05).signal.shape == (1, 60)
    said = refused(lambda: read_recording(headed, sampling_interval=0.1))
    assert "sampling_interval must be that of column 1 (time) of x.csv, 0.05 ms, but is 0.1 ms" in said
    assert "0.05 ms" in refused(lambda: read_recording(headed, sampling_interval=50.0))
    assert read_recording(headed, time_unit="s", sampling_interval=50.0).sampling_interval == pytest.approx(
        50.0
    )
    bare = trace(tmp_path, "", TIME, CURRENT)
    assert read_recording(bare, sampling_interval=0.05, unit="nA").signal.shape == (1, 60)
    assert read_recording(bare, time_unit="ms", unit="nA").sampling_interval == 0.05
    assert "rises by 0.05" in refused(lambda: read_recording(bare, sampling_interval=0.2, unit="nA"))
    seconds = trace(tmp_path, "", 1e-3 * TIME, CURRENT)
    assert read_recording(seconds, sampling_interval=0.05, unit="nA").signal.shape == (1, 60)
    counted = trace(tmp_path, "sample,I (nA)", [str(k) for k in range(60)], CURRENT)
    assert read_recording(counted, sampling_interval=0.05).signal.shape == (1, 60)
    assert "sampling_interval" in refused(
        lambda: read_recording(trace(tmp_path, "Sweep 1 (pA),Sweep 2 (pA)", CURRENT, CURRENT))
    )
    ramp = trace(tmp_path, "Sweep 1 (pA),Sweep 2 (pA)", 3 * TIME, CURRENT)
    assert read_recording(ramp, sampling_interval=0.05).signal.shape == (2, 60)
    as_times = trace(tmp_path, "Sweep 1 (pA),Sweep 2 (pA)", TIME, CURRENT)
    assert "as times do" in refused(lambda: read_recording(as_times, sampling_interval=0.05))
    numbered = trace(tmp_path, "0,1", TIME, CURRENT)
    assert read_recording(numbered, sampling_interval=0.05, unit="nA").signal.shape == (1, 60)
    rounded = trace(
        tmp_path, "Time (ms),I (nA)", *np.array([np.arange(600) / 30, np.arange(600.0)]), fmt="{:.2f}"
    )
    assert read_recording(rounded).sampling_interval == pytest.approx(1 / 30, rel=1e-12)
    assert read_recording(rounded, sampling_interval=0.0333).sampling_interval == pytest.approx(
        1 / 30, rel=1e-3
    )


def test_a_table_on_its_side_is_not_read_as_it_lies(tmp_path):
    wide = "\n".join(",".join(f"{v:.4f}" for v in row) for row in (CURRENT, 0.5 * CURRENT, CURRENT + 0.1))
    found = read_recording(written(tmp_path, wide), sampling_interval=0.05, unit="nA")
    assert found.signal.shape == (3, 60)
    white = "\n".join(
        ",".join(f"{v:.4f}" for v in row) for row in np.random.default_rng(1).normal(size=(3, 60))
    )
    assert "sweeps" in refused(
        lambda: read_recording(written(tmp_path, white), sampling_interval=0.05, unit="nA")
    )
    assert read_recording(
        tmp_path / "x.csv", sampling_interval=0.05, unit="nA", sweeps="rows"
    ).signal.shape == (3, 60)


def test_averages_and_histograms_are_read_with_their_own_units(tmp_path):
    wave = read_waveform(written(tmp_path, "time (ms);mean (nA);sd (pA)\n0;0;5\n0,5;-0,02;10\n1;-0,01;10\n"))
    np.testing.assert_allclose(wave.mean, [0, -0.02, -0.01])
    np.testing.assert_allclose(wave.sd, [0.005, 0.01, 0.01])
    said = refused(
        lambda: read_waveform(written(tmp_path, "time (ms),mean (pA),sd (mV)\n0,0,1\n1,2,1\n2,1,1\n"))
    )
    assert "one of nA" in said
    assert "times" in refused(lambda: read_waveform(written(tmp_path, "i (pA),mean (pA)\n0,0\n1,2\n2,1\n")))
    counts = read_histogram(written(tmp_path, "amplitude (mV);count\n0,1;7\n0,2;2\n0,3;5\n"))
    assert counts.counts.tolist() == [7, 2, 5] and counts.centres[0] == pytest.approx(0.1)
    assert "counts" in refused(
        lambda: read_histogram(written(tmp_path, "amplitude (mV),i (pA)\n0.1,7\n0.2,2\n"))
    )


def test_a_fit_says_the_word_that_settles_a_file(tmp_path):
    written(tmp_path, OPEN)
    said = refused(lambda: kind_of("minis", {"file": "x.csv"}, tmp_path))
    assert "data.minis.decimal must be comma or point" in said and "data.minis.decimal=comma" in said
    assert kind_of("minis", {"file": "x.csv", "decimal": "comma"}, tmp_path) == "amplitudes"


@cases
def test_the_cases_are_read_right():
    for name in ("minis_de.txt", "minis_de.csv", "comma_thousand.csv", "latin.txt", "bom16.txt"):
        table = read_events(CASES / name)
        assert table["time"][0] == pytest.approx(58.14, abs=0.01) and table["amplitude"][0] == pytest.approx(
            3.323, abs=1e-3
        )
    steps = {"de_quoted.csv": 0.05, "round2.csv": 1 / 30, "g6.csv": 0.05}
    for name, step in steps.items():
        assert read_recording(CASES / name).sampling_interval == pytest.approx(step, rel=1e-12)
    pair = read_recording(CASES / "twosw.csv").signal
    np.testing.assert_allclose(pair[0], pair[1], atol=1e-6)
    assert "mV" in refused(lambda: read_recording(CASES / "two_units.csv"))
    found = read_recording(CASES / "nohead.csv", unit="nA", sampling_interval=1 / 30)
    assert found.signal.shape == (1, 1200)


def test_numbers_of_a_column_are_numbers_or_refused(tmp_path):
    table = read_columns(written(tmp_path, "a,b,c\n1,x,NaN\n2,y,2\n3,z,3\n"))
    assert numbers(table, 0).tolist() == [1, 2, 3]
    assert np.isnan(numbers(table, 2, missing=True)[0])
    assert "column 3 (c) in line 2" in refused(lambda: numbers(table, 2))
    assert "column 2 (b)" in refused(lambda: numbers(table, 1, missing=True))


def test_amplitudes_that_no_cell_has_are_refused(tmp_path):
    file = tmp_path / "events.csv"
    file.write_text(
        "Time (ms),Amplitude (kA)\n" + "".join(f"{9 * k + k % 3},{3.1 + 0.1 * k}\n" for k in range(12))
    )
    with pytest.raises(ValidationError, match=r"amplitudes of events\.csv must be at most 1 mA"):
        read_events(file)
    file.write_text(file.read_text().replace("kA", "nA"))
    assert read_events(file).columns["amplitude"][0] == pytest.approx(3.1)


OF_RECORDINGS = {
    "gain": 20, "polarity": -1, "sweeps": "not 3", "window": ["1 ms", "2 ms"], "scale": "0.03 pA", "channel": 7,
    "baseline": "5 pA",
}  # fmt: skip


@pytest.mark.parametrize("word", OF_RECORDINGS)
def test_a_word_of_recordings_is_refused_for_events(word, tmp_path):
    said = {word: OF_RECORDINGS[word]}
    amplitudes = [f"{3 + 0.1 * i}" for i in range(12)]
    listed = written(tmp_path, "amplitude (nA)\n" + "\n".join(amplitudes), "list.csv")
    rows = "\n".join(f"{100 * i**1.1:.1f},-{a}" for i, a in enumerate(amplitudes))
    events = written(tmp_path, f"Event Start Time (ms),Peak Amp (nA)\n{rows}", "events.csv")
    for act in (
        lambda: nmjmc.read(listed, **said),
        lambda: nmjmc.read(events, **said),
        lambda: nmjmc.quantal(listed, kind="miniatures", **said),
        lambda: nmjmc.quantal(listed, kind="evoked", **said),
        lambda: nmjmc.quantal(events, **said),
        lambda: nmjmc.quantal(read_events(events), **said),
    ):
        assert refused(act).startswith(f"{word} must be left out of a")
    synapse = nmjmc.preparation("human")
    for file in (listed, events):
        sets = {"defaults": said, "minis": {"file": str(file)}}
        sentence = refused(lambda sets=sets: read_datasets(sets, synapse))
        assert sentence.startswith(f"data.{word} must be left out of data sets of kind amplitudes")


def test_a_given_unit_wins_over_the_heading_and_is_told(tmp_path):
    rows = "\n".join(f"{3000 + 100 * i}" for i in range(12))
    listed = written(tmp_path, f"amplitude (nA)\n{rows}", "list.csv")
    said = "unit pA as given, the file says nA"
    assert said in read_events(listed, unit="pA").source
    read = nmjmc.read(listed, unit="pA")
    assert f"{said}." in read.notes and ("column 0", "amplitude, pA") in read.lines()
    for kind in ("miniatures", "evoked"):
        assert f"{said}." in nmjmc.quantal(listed, kind=kind, unit="pA").notes
    sets = {"minis": {"file": str(listed), "unit": "pA"}}
    assert said in read_datasets(sets, nmjmc.preparation("human")).notes["minis"]
    assert said not in read_events(listed, unit="nA").source
    bare = written(tmp_path, rows, "bare.txt")
    assert any("nA" in value for _, value in nmjmc.read(bare, unit="nA").lines())


def test_a_decimal_mark_that_a_list_does_not_have_is_refused(tmp_path):
    listed = written(tmp_path, "amplitude (nA)\n" + "\n".join(f"{3 + 0.0107 * i:.4f}" for i in range(12)))
    assert refused(lambda: nmjmc.read(listed, decimal="comma"))
    assert nmjmc.read(listed, decimal="point").kind == "table"
