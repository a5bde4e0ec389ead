"""Tables and HDF5 files as hypothesis changes them: a value is read right, or refused in one sentence; nothing else."""

import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmjmc.data.recordings import read_events, read_recording
from nmjmc.data.recordings.numerals import number, readings
from nmjmc.data.recordings.times import even_step
from nmjmc.errors import ValidationError

pytestmark = pytest.mark.unit

UNITS = {"pA": 1e-3, "nA": 1.0, "µA": 1e3, "uA": 1e3}
GROUPS = {".": (",", "'", "\u202f", ""), ",": (".", "'", "\u00a0", "")}


def shown(value, decimal, group, decimals):
    """A number as a program of some country writes it."""
    whole = f"{value:,.{decimals}f}" if group else f"{value:.{decimals}f}"
    return whole.translate(str.maketrans({",": group, ".": decimal}))


@st.composite
def countries(draw):
    """A way to write tables: decimal mark, mark of thousands, mark between columns, quotes, encoding, ends of lines."""
    decimal = draw(st.sampled_from([".", ","]))
    group = draw(st.sampled_from(GROUPS[decimal]))
    between = draw(st.sampled_from(["\t", ";", ",", " "]))
    quoted = draw(st.booleans())
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"]))
    return decimal, group, between, quoted, encoding, draw(st.sampled_from(["\n", "\r\n", "\r"]))


def refusal(act):
    """What was read, or None where it was refused in one sentence that names the file."""
    try:
        return act()
    except ValidationError as error:
        assert len(str(error).splitlines()) == 1 and "x." in str(error), error
        return None


def file(content, suffix=".csv"):
    path = Path(tempfile.mkdtemp()) / f"x{suffix}"
    path.write_bytes(content)
    return path


@settings(max_examples=100)
@given(
    countries(),
    st.lists(st.tuples(st.integers(1, 10**7), st.integers(-(10**7), -1)), min_size=3, max_size=12),
    st.sampled_from(sorted(UNITS)),
    st.integers(0, 3),
    st.booleans(),
)
def test_events_of_every_country_are_read_right_or_refused(country, pairs, unit, decimals, headed):
    decimal, group, between, quoted, encoding, end = country
    times = np.cumsum([a for a, _ in pairs]) / 10.0**decimals
    sizes = np.array([b for _, b in pairs]) / 10.0**decimals
    mark = '"' if quoted else ""
    rows = [[shown(v, decimal, group, decimals) for v in row] for row in zip(times, sizes, strict=True)]
    head = [["Time (s)", f"Amplitude ({unit})"]] if headed else []
    text = end.join(between.join(f"{mark}{cell}{mark}" for cell in row) for row in (*head, *rows))
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        return
    table = refusal(lambda: read_events(file(content), **({} if headed else {"unit": unit})))
    if table is None:
        return
    assert len(table) == len(pairs)
    np.testing.assert_allclose(table["amplitude"], -UNITS[unit] * sizes, rtol=1e-9)
    if "time" in table.columns:
        np.testing.assert_allclose(table["time"], 1e3 * times, rtol=1e-9)


@settings(max_examples=100)
@given(st.integers(-(10**9), 10**9), st.sampled_from([".", ","]), st.integers(0, 3), st.integers(0, 6))
def test_a_number_written_in_a_country_is_that_number_there(digits, decimal, group, decimals):
    value = digits / 10.0**decimals
    text = shown(value, decimal, GROUPS[decimal][group], decimals)
    assert decimal in readings(text) and number(text, decimal) == pytest.approx(value, rel=1e-12)


@settings(max_examples=60)
@given(
    st.integers(20, 400), st.floats(0.005, 2.0), st.floats(-100.0, 1000.0),
    st.sampled_from(["{:.2f}", "{:.3f}", "{:.4g}", "{:.6g}", "{:.5e}"]),
)  # fmt: skip
def test_a_step_that_is_found_is_the_step(count, step, first, fmt):
    cells = [fmt.format(first + step * k) for k in range(count)]
    found = even_step(np.array([float(cell) for cell in cells]), cells)
    assert found is None or found.value == pytest.approx(step, rel=0.0101)


@settings(max_examples=60)
@given(st.data())
def test_a_table_whose_bytes_are_changed_is_no_traceback(data):
    rows = "\n".join(f"{0.05 * k:.2f},{-np.sin(0.05 * k):.4f}" for k in range(30))
    raw = bytearray(f"Time (ms),I (nA)\n{rows}\n".encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + 1] = data.draw(
            st.one_of(st.binary(max_size=2), st.sampled_from([b"\n", b",", b'"', b";", b"#"]))
        )
    found = refusal(lambda: read_recording(file(bytes(raw))))
    assert found is None or np.isfinite(found.signal[0, : found.length[0]]).all()
    refusal(lambda: read_events(file(bytes(raw)), unit="pA"))


LAYOUT = st.fixed_dictionaries(
    {
        "turned": st.booleans(),
        "kind": st.sampled_from(["<f4", ">f8", "<i2", ">i4"]),
        "unit": st.sampled_from(["pA", b"pA", np.bytes_(b"pA\0"), ["pA"], "nA", "", "kg"]),
        "scale": st.sampled_from([None, "scale_factor", "scale", "conversion"]),
        "times": st.sampled_from([None, "time", "group/t", "wrong"]),
        "sampling": st.sampled_from([None, 0.05, 0.1]),
        "chunked": st.booleans(),
        "sweeps": st.integers(1, 4),
    }
)


@settings(max_examples=80)
@given(LAYOUT, st.integers(0, 99))
def test_an_array_is_read_right_or_refused_however_it_lies(layout, seed):
    time = 0.05 * np.arange(120)
    size = np.random.default_rng(seed).uniform(20, 300, layout["sweeps"])
    shape = np.exp(-time / 2) - np.exp(-time / 0.3)
    values = np.round(-size[:, None] * shape, 2) + np.random.default_rng(seed).normal(
        size=(layout["sweeps"], 120)
    ).round(1)
    path = Path(tempfile.mkdtemp()) / "x.h5"
    step = 0.1 if "i" in layout["kind"] or layout["scale"] else 1.0
    stored = np.round(values / step).astype(layout["kind"]) if step < 1 else values.astype(layout["kind"])
    with h5py.File(path, "w") as made:
        array = stored.T if layout["turned"] else stored
        made.create_dataset("raw", data=array, chunks=True if layout["chunked"] else None)
        if layout["unit"]:
            made["raw"].attrs["units"] = layout["unit"]
        if layout["scale"]:
            made["raw"].attrs[layout["scale"]] = step
        if layout["times"]:
            made["time" if layout["times"] == "wrong" else layout["times"]] = time * (
                2 if layout["times"] == "wrong" else 1
            )
    found = refusal(lambda: read_recording(path, sampling_interval=layout["sampling"], time_unit="ms"))
    if found is None:
        return
    assert "i" not in layout["kind"] or layout["scale"]
    factor = 1.0 if layout["unit"] == "nA" else 1e-3
    np.testing.assert_allclose(
        found.signal, factor * stored * step if step < 1 else factor * stored, rtol=1e-6, atol=1e-9
    )
    wanted = 0.1 if layout["times"] == "wrong" else 0.05 if layout["times"] else layout["sampling"]
    assert found.sampling_interval == pytest.approx(wanted, rel=1e-6)
