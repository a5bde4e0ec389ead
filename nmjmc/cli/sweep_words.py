"""The words of `nmjmc sweep`: its own options, hydra's, what is swept, and what all points share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from nmjmc.api import SEEDS, whole_number
from nmjmc.cli import axes, hydra_words
from nmjmc.cli.design import MOST_POINTS, SAMPLERS
from nmjmc.cli.grammar import check_word
from nmjmc.errors import ValidationError, nearest

NOT_SWEPT = ("device", "cache", "progress", "dry_run", "checkpoint", "resume", "distributed", "name")
SEEDINGS = ("distinct", "common")
_DEFAULTS: dict[str, Any] = {
    "sampler": "auto",
    "points": 64,
    "sampler_seed": 0,
    "table": None,
    "seeds": "distinct",
    "results": True,
    "together": 32,
    "stop_on_failure": False,
    "resume": False,
    "folder": None,
    "workers": 1,
    "objective": None,
    "target": None,
    "direction": None,
}


@dataclass(frozen=True)
class Options:
    """How a sweep is made; each field is a word `FIELD=VALUE`.

    Attributes:
        sampler: `grid`, `list`, `random`, `sobol`, `lhs` or `optuna`; `auto` is a grid, or Sobol where there is an
            interval.
        points: How many points a drawn design has, or how many trials a study.
        sampler_seed: Seed of the drawing.
        table: CSV file of points whose first line names the keys.
        seeds: `distinct` gives each point a seed of its own, from `seed` and its number; `common` the same to all.
        results: Whether each point keeps its whole `results/NNNNNN.h5`, beside its summary.
        together: Points that one process claims at a time.
        stop_on_failure: Whether the sweep ends with the first point that fails.
        resume: True runs the failed points once more too; a folder goes on with the sweep there.
        folder: Where the sweep stands; by default `outputs/sweep-NAME-HASH`.
        workers: Processes that hydra's launcher starts, all on one folder.
        objective: For `optuna`: the feature to optimise, as `nmjmc collect` names it.
        target: The value that the feature shall come near to, with its unit.
        direction: Without a target: `minimize` or `maximize`.
    """

    sampler: str
    points: int
    sampler_seed: int
    table: str | None
    seeds: str
    results: bool
    together: int
    stop_on_failure: bool
    resume: bool | str
    folder: str | None
    workers: int
    objective: str | None
    target: str | None
    direction: str | None


@dataclass(frozen=True)
class Words:
    """The words of a command, sorted.

    Attributes:
        options: The sweep's own.
        hydra: What hydra's launcher is told.
        swept: Value of each key that stands for several.
        shared: The words that hold for every point.
    """

    options: Options
    hydra: tuple[str, ...] = ()
    swept: Mapping[str, str] = field(default_factory=dict)
    shared: tuple[str, ...] = ()


def sort(words: Sequence[str]) -> Words:
    """Sort the words of the command.

    Raises:
        ValidationError: For an option that cannot be right, or a key that cannot be swept.
    """
    given, hydra, swept, shared = {}, [], {}, []
    names = {item.name for item in fields(Options)}
    for word in words:
        check_word(word)
        key, equals, value = word.partition("=")
        bare = key.lstrip("+~")
        if key in names and equals:
            if key in given:
                raise ValidationError(key, "given twice", "given once")
            given[key] = value
        elif bare.startswith("hydra"):
            hydra.append(word)
        elif word in ("-m", "--multirun"):
            continue  # a sweep is one as it is
        elif equals and axes.swept(value) and key != "config":
            _check_swept(bare, swept)
            swept[bare] = value
        else:
            _check_word(word, key, names)
            shared.append(word)
    options = _options(given)
    if hydra and options.workers == 1 and not any(word.startswith("hydra/launcher=") for word in hydra):
        hydra_words.prepared(hydra)
        hint = "name the folder of a sweep by folder=PATH"
        raise ValidationError(
            hydra[0].partition("=")[0], "given", "left out without hydra/launcher=NAME", hint
        )
    return Words(options, tuple(hydra), swept, tuple(shared))


def _check_swept(key: str, before: Mapping[str, str]) -> None:
    if key in NOT_SWEPT:
        raise ValidationError(key, "swept", "the same for all points")
    if key in before:
        raise ValidationError(key, "swept twice", "given once")


def _check_word(word: str, key: str, names: set[str]) -> None:
    """Flags are none of ours; a misspelled option is told by its likeness."""
    if word.startswith("-"):
        raise ValidationError("a flag", word, "left out", "sweep takes KEY=VALUE only")
    known = _known()
    hint = nearest(key, (*names, *known))
    if "=" in word and "." not in key and hint.startswith("did you mean") and key.lstrip("+~") not in known:
        raise ValidationError("a key", repr(key), "a setting, a parameter or an option of sweep", hint)


def _known() -> tuple[str, ...]:
    from nmjmc.cli.overrides import SETTINGS
    from nmjmc.synapse.build import ALL_PARTS

    return (*SETTINGS, *ALL_PARTS, "temperature", "name", "preparation", "config")


def _options(given: Mapping[str, str]) -> Options:
    # a folder and a file are texts whatever they look like
    read = {
        name: text.strip() if name in ("folder", "table") else _plain(text) for name, text in given.items()
    }
    values = {**_DEFAULTS, **read}
    for name, allowed in (
        ("sampler", ("auto", *SAMPLERS)),
        ("seeds", SEEDINGS),
        ("direction", ("minimize", "maximize")),
    ):
        if name == "direction" and values[name] is None:
            continue
        if values[name] not in allowed:
            hint = nearest(str(values[name]), allowed)
            raise ValidationError(name, repr(values[name]), f"one of {', '.join(allowed)}", hint)
    for name in ("results", "stop_on_failure"):
        if not isinstance(values[name], bool):
            raise ValidationError(name, repr(values[name]), "true or false")
    for name, least, most in (
        ("points", 1, MOST_POINTS),
        ("sampler_seed", 0, SEEDS - 1),
        ("together", 1, 4096),
        ("workers", 1, 4096),
    ):
        values[name] = whole_number(values[name], name, least, most)
    _check_study(values)
    return Options(**values)


def _check_study(values: Mapping[str, Any]) -> None:
    """A study alone has an objective, with a target or a direction."""
    study = values["sampler"] == "optuna" or values["objective"] is not None
    for name in ("objective", "target", "direction"):
        if not study and values[name] is not None:
            raise ValidationError(name, repr(values[name]), "left out without sampler=optuna")
    if values["target"] is not None and values["direction"] is not None:
        raise ValidationError("direction", values["direction"], "left out where there is a target")


def _plain(text: str) -> Any:
    """True, false and null as such; everything else is text."""
    return {"true": True, "false": False, "null": None, "none": None}.get(
        text.strip().casefold(), text.strip()
    )
