"""A wrong unit, gain or direction of a file, put right by who knows better; and currents that cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmjmc.analysis.recording import Recording
from nmjmc.errors import ValidationError
from nmjmc.units import internal_unit, to_internal

CURRENT = 1e6
"""Largest current that is taken for one [nA] [D]: 1 mA. No amplifier clamps a cell with more: that needs 200 V over an
electrode of 0.2 MOhm."""

POTENTIAL = 2e4
"""Largest potential that is taken for one [mV] [D]: 20 V. Amplifiers and digitisers end at 10 to 12 V."""

FEMTOAMPERE = 1e-6
"""A record of a current that changes by no more is none [nA] [D]: 1 fA, a hundredth of any amplifier's noise."""


def said_unit(unit: str | None, written: str) -> tuple[str, str]:
    """The unit that holds, and a sentence where it is another than the file's.

    Args:
        unit: As given by the user; None if nothing was said.
        written: As the file says.
    """
    written = written.replace("\0", "").strip()
    if unit is None or unit == written:
        return written, ""
    return unit, f"unit {unit} as given, the file says {written or 'none'}"


def put_right(recording: Recording, gain: object = None, polarity: int | None = None) -> Recording:
    """The recording with its samples divided by a gain, and turned over.

    Args:
        recording: As its file says.
        gain: What the file does not know of its gain: a number by which its samples are too large, or what was recorded
            as a potential for each current, with its unit (`0.5 V/nA`).
        polarity: Direction of the responses in the file, 1 (up) or -1 (down). Inward currents go down in this package
            and depolarisations up, so that the signal is turned over where it is the other.

    Raises:
        ValidationError: If a gain is no positive number or of another dimension, or a polarity is neither.
    """
    signal, unit, said = recording.signal, recording.unit, []
    if gain is not None:
        factor, unit = _factor(gain, unit)
        signal = signal / factor
        said.append(f"divided by the gain {gain} as given")
    if polarity is not None:
        if isinstance(polarity, bool) or np.ndim(polarity) or polarity not in (-1, 1):
            raise ValidationError("polarity", repr(polarity), "1 (responses go up) or -1 (they go down)")
        if polarity != (-1 if unit == "nA" else 1):
            signal = -signal
            said.append(f"turned over, as polarity={polarity} was given")
    if not said:
        return recording
    return replace(recording, signal=signal, unit=unit, source="; ".join((recording.source, *said)))


def _factor(gain: object, unit: str) -> tuple[float, str]:
    """By what samples are divided, and the unit that they have then.

    Raises:
        ValidationError: If it is no positive number, or one of another dimension.
    """
    try:
        factor = to_internal(gain, "", "gain")
    except ValidationError:
        if not isinstance(gain, str):
            raise
        if unit != "mV":
            allowed = "a number, as the file holds a current"
            raise ValidationError(
                "gain", repr(gain), allowed, "say unit='mV' if it holds a potential"
            ) from None
        factor, unit = to_internal(gain, "mV/nA", "gain"), "nA"
    if not factor > 0:
        raise ValidationError("gain", repr(gain), "above zero", "say polarity to turn the samples over")
    return factor, unit


def refuse_impossible(unit: str, values: np.ndarray, field: str) -> None:
    """Refuse what no recording of a cell can be.

    Args:
        unit: `nA` or `mV`.
        values: Samples; NaN is passed over.
        field: What it is, for the message.

    Raises:
        ValidationError: For a current above `CURRENT`, or a potential above `POTENTIAL`.
    """
    size = np.abs(values[np.isfinite(values)])
    if not size.size:
        return
    hint = "its unit or gain is wrong: say unit (such as pA) or gain, or choose another channel"
    if unit == "nA" and size.max() > CURRENT:
        raise ValidationError(field, f"a current of up to {size.max():.3g} nA", "at most 1 mA (1e6 nA)", hint)
    if unit == "mV" and size.max() > POTENTIAL:
        raise ValidationError(
            field, f"a potential of up to {size.max():.3g} mV", "at most 20 V (2e4 mV)", hint
        )


def refuse_flat(values: np.ndarray, field: str) -> None:
    """Refuse a current without anything in it.

    Raises:
        ValidationError: If it changes by no more than `FEMTOAMPERE`.
    """
    finite = values[np.isfinite(values)]
    span = float(np.ptp(finite)) if finite.size else 0.0
    if not span > FEMTOAMPERE:
        hint = "its unit or gain is wrong, or nothing was recorded"
        raise ValidationError(
            field, f"a current that changes by {span:.2g} nA", "more than 1 fA (1e-6 nA)", hint
        )


def known_unit(unit: str) -> bool:
    """Whether a text is a unit of current or of potential."""
    try:
        return internal_unit(unit) in ("nA", "mV")
    except (ValidationError, ValueError, AttributeError, TypeError):
        return False
