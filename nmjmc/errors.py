"""Exceptions and status bits, each with its sentence."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable, Mapping

LONGEST = 400  # letters of a value in a sentence; a choice


class NmjmcError(Exception):
    """Base of every error that this package raises on purpose."""


class ValidationError(NmjmcError, ValueError):
    """An input that cannot be right, refused before anything is computed.

    Args:
        field: Path of the parameter, for example `receptor.density`.
        value: The offending value, with its unit.
        allowed: What is allowed; completes the sentence "FIELD must be ...".
        hint: The likely correction, for example `did you mean 3 /um^2?`.
    """

    def __init__(self, field: str, value: object, allowed: str, hint: str = "") -> None:
        self.field, self.value, self.allowed, self.hint = field, value, allowed, hint
        super().__init__(field, value, allowed, hint)

    def __str__(self) -> str:
        field, value = _shown(self.field), _shown(self.value)
        sentence = f"{field} must be {self.allowed}, but is {value}"
        if self.hint:
            sentence = f"{sentence}; {self.hint}"
        return sentence if sentence.endswith((".", "?")) else sentence + "."


def _shown(thing: object) -> str:
    """What a user wrote, on one line, and cut where it is long."""
    text = " ".join(line.strip() for line in str(thing).splitlines())
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}... (of {len(text):,} letters)"


class NmjmcWarning(UserWarning):
    """Base of what this package tells without ending: a sentence for the user."""


class CacheWarning(NmjmcWarning):
    """A cache is left out, because others could have written it; the run goes on without it."""


class DamageWarning(NmjmcWarning):
    """A kept file is damaged, or of others, and what stood in it is made again."""


class Status(enum.IntFlag):
    """What went wrong in a run: bits carried in the state, sticky, read between chunks."""

    OK = 0
    POOL_OVERFLOW = 1
    DUE_OVERFLOW = 2
    NON_FINITE = 4
    CONSERVATION = 8
    STEP_TOO_LONG = 16
    SCORE_OVERFLOW = 32


_SENTENCES = {
    Status.POOL_OVERFLOW: "more molecules were free at once than their list holds, though it was lengthened "
    "again and again; run fewer vesicles side by side (numerics.batch=8)",
    Status.DUE_OVERFLOW: "more events fell due in one step than their list holds, though it was lengthened "
    "again and again; shorten the step (numerics.step_scale=0.5)",
    Status.NON_FINITE: "a position or a rate became NaN or infinite; look for an extreme parameter",
    Status.CONSERVATION: "free, bound, hydrolysed and escaped ACh no longer add up to what was released; "
    "this is a fault of the program, please report it",
    Status.STEP_TOO_LONG: "the time step is too long for the fastest process, or too many molecules "
    "queue for a few sites; shorten it (numerics.step_scale=0.5)",
    Status.SCORE_OVERFLOW: "so many events fell into one record interval that the sums of the scores may have "
    "overflowed; record more often (record_interval=0.01)",
}


def explain(status: int | Status) -> str:
    """Say in words what the bits of a status mean.

    Args:
        status: Bits of `Status`, or'ed together.

    Returns:
        One sentence a set bit, joined by "; ".
    """
    bits = int(status)
    if bits == 0:
        return "no fault"
    known = [text for bit, text in _SENTENCES.items() if bits & bit]
    unknown = bits & ~int(sum(_SENTENCES))
    if unknown:
        known.append(f"unknown status bits {unknown:#x}")
    return "; ".join(known)


class SimulationError(NmjmcError, RuntimeError):
    """A run that failed: carries the status bits and says what they mean.

    Args:
        status: Bits of `Status`.
        where: What was running, for example `vesicles 0 to 127, t = 1.25 ms`.
    """

    def __init__(self, status: int | Status, where: str = "") -> None:
        self.status, self.where = Status(int(status)), where
        super().__init__(status, where)

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return f"The simulation failed{place}: {explain(self.status)}."


class FitError(NmjmcError, RuntimeError):
    """A fit that cannot go on.

    Args:
        what: What went wrong, for example `the loss is nan`.
        values: The parameters to blame, by path, in internal units.
    """

    def __init__(self, what: str, values: Mapping[str, float]) -> None:
        self.what, self.values = what, dict(values)
        super().__init__(what, self.values)

    def __str__(self) -> str:
        shown = ", ".join(f"{name} = {value:g} (internal units)" for name, value in self.values.items())
        return f"The fit failed: {self.what} at {shown}; narrow their bounds or give another start."


def check_kind(
    thing: object, kind: type | tuple[type, ...], field: str, allowed: str, hint: str = ""
) -> None:
    """Refuse what is of another type.

    Args:
        thing: What was given.
        kind: Its type, or those that it may have.
        field: What it is given as.
        allowed: What is allowed, in words.
        hint: A right call.

    Raises:
        ValidationError: If it is of another type.
    """
    if not isinstance(thing, kind):
        raise ValidationError(field, f"{thing!r:.80}", allowed, hint)


def nearest(word: str, valid: Iterable[str]) -> str:
    """The likely correction of a misspelled name, as a hint for `ValidationError`.

    Args:
        word: What was written.
        valid: The names that exist.

    Returns:
        `did you mean NAME?`, or the list of valid names if none is near.
    """
    names = sorted(valid)
    folded = {name.casefold(): name for name in names}
    begun = [name for name in folded if word and name.startswith(str(word).casefold())]
    close = difflib.get_close_matches(str(word).casefold(), folded, n=1, cutoff=0.6) or begun[:1]
    if close:
        return f"did you mean {folded[close[0]]}?"
    return "choose one of " + ", ".join(names)


def similar(name: str, valid: Iterable[str]) -> str:
    """The likely correction of a name of several words; all names of which one word is meant, if there are several.

    Args:
        name: What was written.
        valid: The names that exist, words joined by `_`.
    """
    names = list(valid)
    alike = [v for v in names if difflib.get_close_matches(name.casefold(), v.split("_"), 1, 0.8)]
    if len(alike) < 2:
        return nearest(name, names)
    # the one that begins so first
    begun = sorted(
        alike, key=lambda v: not difflib.get_close_matches(name.casefold(), [v.split("_")[0]], 1, 0.8)
    )
    return f"did you mean {', '.join(begun[:-1])} or {begun[-1]}?"
