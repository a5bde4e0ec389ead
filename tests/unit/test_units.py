"""Units: exact conversion, exact return, and a sentence for every mistake."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmjmc import units
from nmjmc.errors import SimulationError, Status, ValidationError, explain, nearest
from nmjmc.units import MICROMOLAR, internal_unit, to_internal, to_text

pytestmark = pytest.mark.unit

UNITS = [
    "nm",
    "um",
    "/um^2",
    "um^2/s",
    "cm^2/s",
    "/s",
    "/M/s",
    "pS",
    "mV",
    "nm/ms",
    "uM",
    "degC",
    "/mV",
    "MOhm",
    "",
]


@pytest.mark.parametrize(
    ("written", "unit", "internal"),
    [
        ("30 nm", "nm", 0.03),
        (30, "nm", 0.03),
        ("30", "nm", 0.03),
        ("0.03 um", "nm", 0.03),
        ("30nm", "nm", 0.03),
        ("4e-6 cm^2/s", "um^2/s", 0.4),
        ("400 um^2/s", "um^2/s", 0.4),
        ("7500 /um^2", "/um^2", 7500.0),
        ("7500 1/um^2", "/um^2", 7500.0),
        ("7500 um^-2", "/um^2", 7500.0),
        ("8000 /s", "/s", 8.0),
        ("8 kHz", "/s", 8.0),
        ("8 1/ms", "/s", 8.0),
        ("60 pS", "pS", 6e-5),
        ("0.06 nS", "pS", 6e-5),
        ("-0.08 V", "mV", -80.0),
        ("25 nm/ms", "nm/ms", 0.025),
        ("0.5 mM", "uM", 500.0),
        ("22 degC", "degC", 22.0),
        ("295.15 K", "degC", 22.0),
        ("50 %", "", 0.5),
        ("4800 molecules", "molecules", 4800.0),
        ("1 MOhm", "MOhm", 1.0),
        ("100 pF", "nF", 0.1),
        ("inf nm/ms", "nm/ms", np.inf),
    ],
)
def test_text_becomes_the_internal_number(written, unit, internal):
    assert to_internal(written, unit, "field", allow_infinite=True) == internal


def test_a_second_order_rate_per_molecule():
    # 1 /M/s is 1e15 um^3 per litre over Avogadro's number
    assert to_internal("1 /M/s", "/M/s", "k") == pytest.approx(1e15 / 6.02214076e23 / 1e3, rel=1e-14)
    assert to_internal("1 /M/s", "/M/s", "k") == pytest.approx(1.6605e-9 / 1e3, rel=1e-4)
    assert MICROMOLAR == pytest.approx(1e-6 * 6.02214076e23 / 1e15, rel=1e-14)


@pytest.mark.parametrize(
    ("unit", "internal"),
    [
        ("nm", "um"), ("/M/s", "um^3/ms"), ("/s", "1/ms"), ("um^2/s", "um^2/ms"), ("pS", "uS"), ("pF", "nF"),
        ("/um^2", "1/um^2"), ("degC", "degC"), ("uM", "uM"), ("pA", "nA"), ("nm/ms", "um/ms"), ("", ""),
    ],
)  # fmt: skip
def test_internal_units(unit, internal):
    assert internal_unit(unit) == internal


@given(
    value=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30),
    unit=st.sampled_from(UNITS),
)
def test_every_float_comes_back_to_the_same_bits(value, unit):
    assert to_internal(to_text(value, unit), unit, "field") == value


@given(value=st.floats(width=32, min_value=2.0**-60, max_value=2.0**60), unit=st.sampled_from(UNITS))
def test_a_float32_comes_back_to_the_same_float32(value, unit):
    text = to_text(np.asarray(value, np.float32), unit)
    assert np.float32(to_internal(text, unit, "field")) == np.float32(value)


def test_text_is_short():
    assert to_text(0.03, "nm") == "30 nm"
    assert to_text(np.asarray(0.03, np.float32), "nm") == "30 nm"
    assert to_text(to_internal("5e7 /M/s", "/M/s", "k"), "/M/s") == "5e+7 /M/s"
    assert to_text(1 / 3, "um", digits=3) == "0.333 um"
    assert to_text(np.inf, "nm/ms") == "inf nm/ms"


@pytest.mark.parametrize(
    ("written", "unit", "words"),
    [
        ("3 /um^3", "/um^2", ["given in /um^2", "3 /um^3", "per area of membrane", "did you mean 3 /um^2?"]),
        ("5e7 /s", "/M/s", ["given in /M/s", "second-order", "did you mean 5e7 /M/s?"]),
        ("5e7 /M/s", "/s", ["given in /s", "first order", "did you mean 5e7 /s?"]),
        ("30 mV", "nm", ["given in nm", "did you mean 30 nm?"]),
        ("30 nmm", "nm", ['"nmm" is unknown', "did you mean nm?"]),
        ("30 furlong", "nm", ['"furlong" is unknown']),
        ("30 um^", "nm", ["cannot be read as a unit"]),
        ("30; x", "nm", ["given in nm"]),
        ("22 mV", "degC", ["a temperature in degC"]),
        ("5 nm", "", ["pure number", "did you mean 5?"]),
        ("abc", "nm", ["a number in nm", "'abc'"]),
        ("", "nm", ["a number in nm"]),
        (None, "nm", ["a number in nm", "None"]),
        (True, "nm", ["a number in nm", "True"]),
        ([1.0], "nm", ["a number in nm"]),
        (float("nan"), "nm", ["a finite number in nm"]),
        ("nan nm", "nm", ["a finite number in nm"]),
        (float("inf"), "nm", ["a finite number in nm"]),
    ],
)
def test_mistakes_are_refused_in_one_sentence(written, unit, words):
    with pytest.raises(ValidationError) as caught:
        to_internal(written, unit, "receptor.density")
    message = str(caught.value)
    assert message.startswith("receptor.density must be ")
    assert "\n" not in message and message.endswith((".", "?"))
    for word in words:
        assert word in message


def test_the_form_of_a_validation_error():
    error = ValidationError("receptor.density", "-3 /um^2", "positive", "did you mean 3 /um^2?")
    assert str(error) == "receptor.density must be positive, but is -3 /um^2; did you mean 3 /um^2?"
    assert isinstance(error, ValueError)


def test_every_status_bit_has_a_sentence():
    for bit in Status:
        assert "unknown" not in explain(bit)
    assert explain(0) == "no fault"
    assert "unknown status bits" in explain(1 << 20)
    both = Status.POOL_OVERFLOW | Status.NON_FINITE
    assert str(SimulationError(both, "vesicle 3")).count(";") >= 2
    assert "(vesicle 3)" in str(SimulationError(both, "vesicle 3"))


def test_nearest_name():
    assert nearest("desnity", ["density", "rates"]) == "did you mean density?"
    assert nearest("zzz", ["b", "a"]) == "choose one of a, b"


def test_what_is_remembered_is_what_is_computed():
    """Texts are converted once; the same text under another unit, field or rule is another."""
    assert to_internal("30", "nm", "a") == to_internal("30", "nm", "a") == pytest.approx(0.03)
    assert to_internal("30", "um", "a") == 30.0
    assert math.isinf(to_internal("inf", "nm", "a", allow_infinite=True))
    for field in ("a", "b", "b"):
        with pytest.raises(ValidationError, match=f"^{field} "):
            to_internal("inf", "nm", field)
    assert to_text(0.1, "um") == "0.1 um" and to_text(np.float32(0.1), "um") == "0.1 um"
    assert to_text(0.1, "um") != to_text(float(np.float32(0.1)), "um")


def test_short_texts_are_the_same_by_floats_and_by_whole_fractions(monkeypatch):
    rng = np.random.default_rng(11)
    numbers = [*(10.0 ** rng.uniform(-9, 9, 1500)), *np.arange(-40, 40) / 8, 1e22, 5e-324, 1.5, 123456.5, 0.5]
    cases = [(float(x), unit) for x in numbers for unit in ("/um^2", "nm", "/M/s", "", "degC")]
    units._to_text.cache_clear()
    quick = [units.to_text(x, unit, 6) for x, unit in cases]
    monkeypatch.setattr(units, "_shortened", lambda *_: "")
    units._to_text.cache_clear()
    assert quick == [units.to_text(x, unit, 6) for x, unit in cases]
