"""A request: the frozen dataclass of what one command or function is asked to do, told once.

Each field is a setting that carries its default, unit, range and one line of help. From these come the check of what a
user gave, the resolved config, the name of a run's folder, the lines of `--help` and the text of a config file, so that
library and command cannot differ:

    @dataclass(frozen=True)
    class Twitch(Request):
        frequency: Number = quantity("3 Hz", "rate of the train", unit="Hz", above=0)
        stimuli: Held[int] = whole(10, "number of stimuli", 1, 1000)

A request holds checked values in one form: whole numbers as int, quantities as text with their unit (`3 Hz`), which
`amount` gives in internal units; `Held[...]` names that form. So a request made of the values of another is the same
request, bit for bit.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from nmjmc.errors import ValidationError, nearest
from nmjmc.numbers import whole_number
from nmjmc.units import to_internal, to_text
from nmjmc.yaml_file import to_yaml

_KEY = "nmjmc"  # of our own among a field's metadata
R = TypeVar("R", bound="Request")
T = TypeVar("T")

if TYPE_CHECKING:
    Held = Annotated[T, "once it is checked"]
else:

    class Held:
        """`Held[int]`: the type of a field once it is checked; what a user gives may be of another, as `"1e3"` is."""

        def __class_getitem__(cls, held: Any) -> Any:
            return Any


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is known of one field of a request.

    Attributes:
        help: One line, without a full stop.
        read: From what a user gave to the checked value; takes the value and the name of the setting.
        unit: In which a bare number stands; empty for what has none.
        allowed: The range in words, for the help.
        is_optional: Whether None passes, for what is drawn, chosen or left out.
        is_idle: Whether it changes no bit of the result: a device, a progress bar.
    """

    help: str
    read: Callable[[Any, str], Any]
    unit: str = ""
    allowed: str = ""
    is_optional: bool = False
    is_idle: bool = False


@dataclasses.dataclass(frozen=True)
class Request:
    """Base of all requests; a subclass has fields made by the functions below, and no code of its own but checks.

    Raises:
        ValidationError: On making one with a value that cannot be right, naming the setting.
    """

    def __post_init__(self) -> None:
        for name in settings(type(self)):
            object.__setattr__(self, name, type(self)._read(name, getattr(self, name)))
        self.check()

    def check(self) -> None:
        """Refuse settings that are right one by one and cannot be together; a subclass says which.

        Raises:
            ValidationError: Naming one of them.
        """

    @classmethod
    def path(cls, name: str) -> str:
        """The name of a setting as a user writes it in a command: `fit.steps` where a subclass has a prefix."""
        prefix = getattr(cls, "PREFIX", "")
        return f"{prefix}.{name}" if prefix else name

    @classmethod
    def of(cls: type[R], given: Mapping[str, Any]) -> R:
        """A request from a mapping; what is left out has its default.

        Raises:
            ValidationError: For a key that there is not, with the nearest, or a value that cannot be right.
        """
        known = settings(cls)
        for key in given:
            if key not in known:
                hint = nearest(str(key), [cls.path(name) for name in known])
                raise ValidationError("a key", repr(cls.path(str(key))), "a setting", hint)
        return cls(**{name: cls._read(name, value) for name, value in given.items()})

    @classmethod
    def _read(cls, name: str, value: Any) -> Any:
        """The checked value of a setting."""
        setting = settings(cls)[name]
        return None if value is None and setting.is_optional else setting.read(value, cls.path(name))

    def amount(self, name: str) -> float:
        """A quantity in internal units.

        Args:
            name: Of the setting, whose value is a quantity.
        """
        return to_internal(getattr(self, name), settings(type(self))[name].unit, type(self).path(name))

    def plain(self, without: Collection[str] = ()) -> dict[str, Any]:
        """The settings as plain values that YAML holds, with nothing left to defaults.

        Args:
            without: Names to leave out.
        """
        return {name: getattr(self, name) for name in settings(type(self)) if name not in without}

    def decisive(self) -> dict[str, Any]:
        """The settings that decide the result."""
        return self.plain(idle(type(self)))


def settings(kind: type[Request]) -> dict[str, Setting]:
    """The settings of a request by name, in order."""
    return {f.name: f.metadata[_KEY] for f in dataclasses.fields(kind) if _KEY in f.metadata}


def idle(kind: type[Request]) -> tuple[str, ...]:
    """The names of the settings that change no bit of a result."""
    return tuple(name for name, setting in settings(kind).items() if setting.is_idle)


def defaults(kind: type[Request], without: Collection[str] = ()) -> dict[str, Any]:
    """The defaults of a request by name, as they are written; those of some names are left out."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    return {name: _default(fields[name]) for name in settings(kind) if name not in without}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def whole(
    default: int | None, help: str, least: int, most: int, *, optional: bool = False, idle: bool = False
) -> Any:
    """A field that is a whole number."""

    def read(value: Any, field: str) -> int:
        return whole_number(value, field, least, most)

    return _field(default, Setting(help, read, "", f"{least:,} to {most:,}", optional, idle))


def quantity(
    default: float | str | None,
    help: str,
    unit: str = "",
    *,
    least: float | str | None = None,
    most: float | str | None = None,
    above: float | str | None = None,
    below: float | str | None = None,
    hint: str = "",
    optional: bool = False,
    idle: bool = False,
) -> Any:
    """A field that is a number with a unit; one without dimension where the unit is empty.

    Args:
        default: As a user would write it.
        help: One line.
        unit: In which a bare number stands.
        least, most: Allowed themselves.
        above, below: Not allowed themselves.
        hint: The likely correction of a number that is out of range.
        optional: Whether None passes.
        idle: Whether it changes no bit of a result.
    """
    limits = [("at least", least), ("at most", most), ("above", above), ("below", below)]
    words = " and ".join(f"{word} {limit}" for word, limit in limits if limit is not None)

    def read(value: Any, field: str) -> float | str:
        number = to_internal(value, unit, field)
        low, high, over, under = (
            None if limit is None else to_internal(limit, unit, field) for _, limit in limits
        )
        if (
            (low is not None and number < low)
            or (high is not None and number > high)
            or (over is not None and number <= over)
            or (under is not None and number >= under)
        ):
            raise ValidationError(field, value, words, hint)
        return to_text(number, unit) if unit else number

    return _field(default, Setting(help, read, unit, words, optional, idle))


def choice(
    default: str | None,
    help: str,
    names: Sequence[str] | Callable[[], Sequence[str]],
    *,
    optional: bool = False,
    idle: bool = False,
) -> Any:
    """A field that is one of a few words.

    Args:
        default: One of them.
        help: One line.
        names: The words, or a function that gives them when they are first needed.
        optional: Whether None passes.
        idle: Whether it changes no bit of a result.
    """

    def read(value: Any, field: str) -> str:
        known = names() if callable(names) else names
        if not isinstance(value, str) or str(value) not in known:
            allowed = " or ".join(", ".join(known).rsplit(", ", 1)) if len(known) < 8 else "a known one"
            raise ValidationError(field, repr(value), allowed, nearest(str(value), known))
        return str(value)

    allowed = "" if callable(names) else ", ".join(names)
    return _field(default, Setting(help, read, "", allowed, optional, idle))


def flag(default: bool, help: str, *, idle: bool = False) -> Any:
    """A field that is on or off."""

    def read(value: Any, field: str) -> bool:
        if not isinstance(value, bool):
            raise ValidationError(field, repr(value), "true or false")
        return value

    return _field(default, Setting(help, read, "", "true or false", False, idle))


def other(
    default: Any,
    help: str,
    read: Callable[[Any, str], Any],
    *,
    unit: str = "",
    allowed: str = "",
    optional: bool = False,
    idle: bool = False,
) -> Any:
    """A field of any other kind: a list of times, a mapping.

    Args:
        default: As a user would write it; one that can be changed is made anew for each request.
        help: One line.
        read: From what a user gave to plain values, idempotent; takes the value and the name, and refuses.
        unit: In which bare numbers stand.
        allowed: In words, for the help.
        optional: Whether None passes.
        idle: Whether it changes no bit of a result.
    """
    return _field(default, Setting(help, read, unit, allowed, optional, idle))


def _field(default: Any, setting: Setting) -> Any:
    metadata = {_KEY: setting}
    if isinstance(default, list | dict):
        made = type(default)
        return dataclasses.field(default_factory=lambda: made(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def progress_field() -> Any:
    """The field `progress`: whether it is drawn."""

    def read(value: Any, field: str) -> bool | str:
        if not (isinstance(value, bool) or (isinstance(value, str) and value == "auto")):
            hint = nearest(str(value), ("auto", "true", "false"))
            raise ValidationError(field, repr(value), "auto, true or false", hint)
        return value

    return other("auto", "auto draws it on a terminal only", read, allowed="auto, true or false", idle=True)


def usage(kind: type[Request], indent: str = "  ", without: Collection[str] = ()) -> str:
    """The lines of `--help`: each setting with its default, its help, and what is allowed.

    Args:
        kind: The request.
        indent: Before each line.
        without: Names of settings to leave out.
    """
    written = defaults(kind, without)
    heads = [f"{kind.path(name)}={_word(value)}" for name, value in written.items()]
    width = max(map(len, heads), default=0) + 2
    told = [_with_range(settings(kind)[name]) for name in written]
    return "\n".join(f"{indent}{head.ljust(width)}{text}" for head, text in zip(heads, told, strict=True))


def _with_range(setting: Setting) -> str:
    """The help of a setting, and what is allowed where the help does not say it already."""
    is_told = all(word in setting.help for word in setting.allowed.split(", "))
    return setting.help if is_told else f"{setting.help} ({setting.allowed})"


def config_text(kind: type[Request], without: Collection[str] = ()) -> str:
    """The settings as the text of a config file: each default with its help behind it.

    Args:
        kind: The request.
        without: Names of settings to leave out, for they stand in another file.
    """
    written = defaults(kind, without)
    lines = [to_yaml({name: value}).rstrip("\n") for name, value in written.items()]
    width = max(map(len, lines), default=0) + 2
    helps = [settings(kind)[name].help for name in written]
    return "".join(f"{line.ljust(width)}# {text}\n" for line, text in zip(lines, helps, strict=True))


def _word(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f'"{text}"' if " " in text else text


def digest(decisive: Mapping[str, Any]) -> str:
    """Eight characters that name a plain mapping, whatever the order of its keys."""
    text = json.dumps(decisive, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
