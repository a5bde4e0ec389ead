"""Units at the edge: text with a unit goes in, a number in internal units comes out.

Inside the package everything is um, ms, mV, nA, uS, nF, molecules, degC, and uM for bath concentrations
(so nA = uS mV and nF mV/ms = nA); a second-order rate is um^3/ms per molecule.

The arithmetic between text and number is exact (rational), rounded once at the end, so that a number written
by `to_text` comes back to the same bits through `to_internal`.
"""

from __future__ import annotations

import functools
import math
import re
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from nmjmc.carried import Internal, carried
from nmjmc.errors import ValidationError, nearest

MICROMOLAR = 602.214076
"""Molecules per um^3 at 1 uM."""

_PREFIXES = ("pico- = 1e-12 = p-", "nano- = 1e-9 = n-", "micro- = 1e-6 = u- = µ- = μ-", "milli- = 1e-3 = m-",
             "centi- = 1e-2 = c-", "kilo- = 1e3 = k-", "mega- = 1e6 = M-", "giga- = 1e9 = G-")  # fmt: skip
_DEFINITIONS = (
    "meter = [length] = m = metre", "second = [time] = s = sec", "volt = [voltage] = V",
    "ampere = [current] = A = amp", "molecule = 1", "percent = 0.01", "mole = 6.02214076e23 = mol",
    "angstrom = 1e-10 * meter = Å", "minute = 60 * second = min", "hour = 3600 * second = h", "hertz = 1 / second = Hz",
    "liter = 1e-3 * meter ** 3 = L = l = litre", "molar = mole / liter = M", "siemens = ampere / volt = S",
    "ohm = volt / ampere = Ω", "farad = ampere * second / volt = F", "coulomb = ampere * second = C",
)  # fmt: skip
_KNOWN = tuple(
    "nm um mm cm m us ms s min h Hz mV V pA nA A pS nS uS S pF nF uF F ohm MOhm molecules mol nM uM mM M L "
    "percent degC K".split()
)
_TEMPERATURES = {
    "degc": 0.0, "°c": 0.0, "celsius": 0.0, "c": 0.0, "k": 273.15, "kelvin": 273.15,
    "degree_celsius": 0.0, "deg_c": 0.0,  # as pint and astropy write it
}  # fmt: skip
_NUMBER = re.compile(
    r"^\s*([+-]?(?:inf(?:inity)?|nan|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?))\s*(.*?)\s*$", re.IGNORECASE
)
_EXPONENT = re.compile(r"([A-Za-zµμÅΩ])([+-]?\d)")  # um2 is um^2
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺·⋅×", "0123456789-+***")  # µm² is um2
_UNIT_TEXT = re.compile(r"^[A-Za-zµμÅΩ°0-9*/^(). +-]{0,60}$")
_BASE = {"[length]": "um", "[time]": "ms", "[voltage]": "mV", "[current]": "nA"}
# a bath concentration stays in uM; every other internal unit follows from the base units
_CONCENTRATIONS = ("uM", "nM", "mM", "M")


@functools.cache
def _registry() -> Any:
    """The small pint registry (made on first use: importing pint takes a fifth of a second)."""
    import pint

    registry = pint.UnitRegistry(None)  # pyright: ignore[reportArgumentType]  (an empty registry)
    for line in (*_PREFIXES, *_DEFINITIONS):
        registry.define(line)
    return registry


def _parse(unit: str) -> Any:
    """A pint unit from text such as `/M/s`, `um^2/ms`, `%` or nothing."""
    text = unit.strip().replace("%", "percent").replace("Ohm", "ohm").translate(_SUPERSCRIPT)
    text = _EXPONENT.sub(r"\1^\2", text)
    if text.startswith("/"):
        text = "1" + text
    if not _UNIT_TEXT.match(text):
        raise ValueError(text)
    return _registry().parse_units(text)


@functools.lru_cache(maxsize=1024)
def _factor(unit: str, target: str) -> Fraction | None:
    """How many `target` are in one `unit`, as a rational; None if the dimensions differ."""
    one, goal = _parse(unit), _parse(target)
    if one.dimensionality != goal.dimensionality:
        return None
    ratio = _registry().Quantity(1.0, one).to(goal).magnitude
    # 15 digits take away pint's rounding: 0.0010000000000000002 becomes 1/1000
    return Fraction(f"{ratio:.15g}")


@functools.cache
def internal_unit(unit: str) -> str:
    """The internal unit that belongs to a field's stated unit.

    Args:
        unit: A stated unit, such as `nm` or `/M/s`.

    Returns:
        The internal one, such as `um` or `um^3/ms`.
    """
    if unit.casefold() in _TEMPERATURES:
        return "degC"
    if unit in _CONCENTRATIONS:
        return "uM"
    powers = {key: round(power) for key, power in _parse(unit).dimensionality.items()}
    for name, (volt, ampere, second) in {"uS": (-1, 1, 0), "nF": (-1, 1, 1)}.items():
        if powers == {k: v for k, v in (("[voltage]", volt), ("[current]", ampere), ("[time]", second)) if v}:
            return name
    over = [_power(_BASE[key], power) for key, power in powers.items() if power > 0]
    under = [_power(_BASE[key], -power) for key, power in powers.items() if power < 0]
    return "/".join(["*".join(over) or ("1" if under else ""), *under])


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}^{exponent}"


def to_internal(value: object, unit: str, field: str, *, allow_infinite: bool = False) -> float:
    """Convert what a user wrote to the internal number.

    Args:
        value: Text with a unit (`"30 nm"`); a bare number of any type (also as text) in the field's stated unit; an
            object that carries a unit, as of pint; or `internal(...)`.
        unit: The field's stated unit, for example `nm`, `1/um^2`, `/M/s`; empty for a pure number.
        field: The parameter's path, for the message.
        allow_infinite: Whether `inf` may be given.

    Returns:
        The number in internal units.

    Raises:
        ValidationError: For a wrong dimension, an unknown unit, NaN, inf, a truth value, or no number at all.
    """
    if isinstance(value, str):
        return _text_to_internal(str(value), unit, field, allow_infinite)
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "UO":
        return to_internal(value.item(), unit, field, allow_infinite=allow_infinite)
    inside = isinstance(value, Internal)
    found = None if inside else carried(value)
    if found is not None:
        return with_unit(found[0], found[1], unit, field, allow_infinite=allow_infinite)
    number = _number_in(value.value if isinstance(value, Internal) else value, unit, field)
    _refuse_endless(number, value, unit, field, allow_infinite)
    if math.isinf(number) or inside:
        return number
    return _finite(Fraction(number) * factor(unit), value, unit, field)


def with_unit(
    magnitude: object, written: str, unit: str, field: str, *, allow_infinite: bool = False
) -> float:
    """The internal number of a magnitude in a unit that an object carried; arguments as for `to_internal`."""
    number = _number_in(magnitude, unit, field)
    shown = f"{number:g} {written}".strip()
    _refuse_endless(number, shown, unit, field, allow_infinite)
    if unit.casefold() in _TEMPERATURES:
        return _finite(Fraction(repr(number)) - _kelvin(written, field, shown), shown, unit, field)
    # a dimensionless object is a pure number, which a bare one is not
    ratio = _conversion(written or "dimensionless", unit, field, shown)
    return number if math.isinf(number) else _finite(Fraction(repr(number)) * ratio, shown, unit, field)


@functools.cache
def factor(unit: str) -> Fraction:
    """What a number in a stated unit is multiplied by to be internal (a temperature is in degC inside too)."""
    if unit.casefold() in _TEMPERATURES:
        return Fraction(1)
    return _factor(unit, internal_unit(unit)) or Fraction(1)


def _from_text(text: str, unit: str, field: str, allow_infinite: bool) -> float:
    match = _NUMBER.match(text)
    if not match:
        raise ValidationError(
            field, repr(text), f"a number{_in(unit)}", f'write it as "1 {unit}"' if unit else ""
        )
    number, written = float(match.group(1)), match.group(2)
    _refuse_endless(number, text, unit, field, allow_infinite)
    if math.isinf(number):
        _conversion(written, unit, field, text)
        return number
    exact = Fraction(match.group(1))
    if unit.casefold() in _TEMPERATURES:
        return _finite(exact - _kelvin(written or unit, field, text), text, unit, field)
    return _finite(exact * _conversion(written, unit, field, text), text, unit, field)


_text_to_internal = functools.lru_cache(maxsize=4096)(
    _from_text
)  # points of a sweep share most of their texts


def _finite(exact: Fraction, value: object, unit: str, field: str) -> float:
    """The nearest float; a number that only its internal unit makes too large is refused as infinite ones are."""
    try:
        return float(exact)
    except OverflowError as error:
        raise ValidationError(field, value, f"a finite number{_in(unit)}") from error


def _refuse_endless(number: float, value: object, unit: str, field: str, allow_infinite: bool) -> None:
    if math.isnan(number) or (math.isinf(number) and not allow_infinite):
        raise ValidationError(field, value, f"a finite number{_in(unit)}")


def _number_in(value: object, unit: str, field: str) -> float:
    """A number of any type that carries no unit: no truth value, no complex number, no list."""
    kind = getattr(getattr(value, "dtype", None), "kind", "f")
    if value is None or isinstance(value, bool | bytes | complex) or kind in "bcmMS" or np.ndim(value) > 0:  # type: ignore[arg-type]
        raise ValidationError(field, repr(value), f"a number{_in(unit)}")
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise ValidationError(field, repr(value), f"a number{_in(unit)}") from error


def _in(unit: str) -> str:
    return f" in {unit}" if unit else ""


def _kelvin(written: str, field: str, value: object) -> Fraction:
    shift = _TEMPERATURES.get(written.casefold())
    if shift is None:
        raise ValidationError(field, value, "a temperature in degC", "write for example 22 degC")
    return Fraction(str(shift))


def _conversion(written: str, unit: str, field: str, value: object) -> Fraction:
    """Factor from the unit as written to the internal unit of the field."""
    target = internal_unit(unit)
    try:
        factor = _factor(written or unit, target)
    except Exception as error:  # pint and tokenize raise many kinds for text that is no unit
        raise ValidationError(field, value, _given(unit), _unknown(written, unit)) from error
    if factor is None:
        raise ValidationError(field, value, _given(unit), _wrong_dimension(value, written, unit))
    return factor


def _given(unit: str) -> str:
    return f"given in {unit}" if unit else "a pure number without a unit"


def _unknown(written: str, unit: str) -> str:
    for word in re.findall(r"[A-Za-zµμÅΩ°]+", written):
        try:
            _parse(word)
        except Exception:  # the same as above
            return f'the unit "{word}" is unknown, {nearest(word, _KNOWN)}'
    return f'"{written}" cannot be read as a unit, write for example {unit}'


def _wrong_dimension(value: object, written: str, unit: str) -> str:
    """The likely correction: the same number, in the unit that the field wants."""
    number = str(value).strip()
    number = number[: len(number) - len(written)].strip() if written else number
    known = {
        ("um^3/ms", "1/ms"): "a second-order rate is per concentration and time",
        ("1/um^2", "1/um^3"): "a density of sites is per area of membrane",
        ("1/ms", "um^3/ms"): "this rate is of first order",
    }
    try:
        reason = known.get((internal_unit(unit), internal_unit(written)), "")
    except Exception:  # a unit with an odd dimension has no reason listed
        reason = ""
    meant = f"did you mean {number} {unit}?" if unit else f"did you mean {number}?"
    return f"{reason}, {meant}" if reason else meant


def to_text(value: Any, unit: str, digits: int | None = None) -> str:
    """Write an internal number as text in a stated unit.

    Args:
        value: The internal number (a float or a 0-d array).
        unit: The stated unit.
        digits: Significant digits; by default as many as bring the same float back through `to_internal`.

    Returns:
        For example `30 nm`. (For a float32 the digits are those that bring back the same float32.)
    """
    return _to_text(float(value), unit, digits, getattr(value, "dtype", None) == np.float32)


@functools.lru_cache(maxsize=4096)
def _to_text(number: float, unit: str, digits: int | None, narrow: bool) -> str:
    if not math.isfinite(number):
        return f"{number} {unit}".strip()
    if digits is not None and (short := _shortened(number, unit, digits)):
        return f"{short} {unit}".strip()
    if unit.casefold() in _TEMPERATURES:
        exact = Fraction(number) + _kelvin(unit, "temperature", number)
    else:
        factor = _factor(unit, internal_unit(unit))
        exact = Fraction(number) / (factor or Fraction(1))
    # with as many digits as a float surely holds, trailing zeros dropped, a short decimal comes out short
    lengths = range(6 if narrow else 15, 40) if digits is None else (digits,)
    for length in lengths:
        text = f"{_decimal(exact, length)} {unit}".strip()
        if digits is not None:
            return text
        back = to_internal(text, unit, "value")
        if (float(np.float32(back)) if narrow else back) == number:
            return text
    raise AssertionError("a float has a finite decimal expansion")  # pragma: no cover


def _shortened(number: float, unit: str, digits: int) -> str:
    """What `_decimal` makes, by way of floats, as an axis may have a million values; empty where a last bit decides."""
    if digits > 7 or unit.casefold() in _TEMPERATURES:
        return ""
    mantissa, _, power = f"{number / _float_factor(unit):.{digits + 5}e}".partition("e")
    if mantissa[-6:] in ("499999", "500000", "500001") or mantissa.startswith(("0", "-0")):
        return ""
    return _plain(Decimal(f"{mantissa}e{power}"), digits)


@functools.cache
def _float_factor(unit: str) -> float:
    return float(_factor(unit, internal_unit(unit)) or 1)


def _decimal(exact: Fraction, digits: int) -> str:
    """A rational rounded to some significant digits, without a needless exponent."""
    with localcontext(Context(prec=60)):
        quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
    return _plain(quotient, digits)


def _plain(exact: Decimal, digits: int) -> str:
    """A decimal rounded to some significant digits, without a needless exponent."""
    rounded = Context(prec=digits).create_decimal(exact).normalize()
    exponent = rounded.adjusted()
    return f"{rounded:f}" if rounded == 0 or -5 < exponent < 7 else f"{rounded:e}"
