"""The words of `nmjmc sweep`: its own options, hydra's, what is swept, and what all points share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nmjmc.cli import hydra_words, words
from nmjmc.errors import ValidationError, nearest
from nmjmc.request import settings
from nmjmc.sweeps import axes
from nmjmc.sweeps.plan import check_keys
from nmjmc.sweeps.request import SweepRequest
from nmjmc.written import check_word

_NAMES = tuple(settings(SweepRequest))
LEFT = {"submitit_slurm": "slurm", "slurm_gpu": "slurm", "submitit_local": "local"}
"""Launchers whose workers may be left, and the kind of cluster that submitit knows them by."""
_TEXTS = ("folder", "table")  # texts whatever they look like


@dataclass(frozen=True)
class Words:
    """The words of a command, sorted.

    Attributes:
        options: The sweep's own.
        hydra: What hydra's launcher is told.
        swept: Value of each key that stands for several.
        shared: The words that hold for every point.
    """

    options: SweepRequest
    hydra: tuple[words.Word, ...] = ()
    swept: Mapping[str, str] = field(default_factory=dict)
    shared: tuple[str, ...] = ()

    @property
    def launcher(self) -> str:
        """The one of hydra's launchers that starts the workers; "" where there are none."""
        chosen = [word.text or "" for word in self.hydra if word.key == hydra_words.LAUNCHER]
        return chosen[-1].strip() if chosen else ""


def sort(written: Sequence[str]) -> Words:
    """Sort the words of the command.

    Raises:
        ValidationError: For an option that cannot be right, or a key that cannot be swept.
    """
    given, hydra, swept, shared = {}, [], {}, []
    for word in written:
        check_word(word)
        key, equals, value = word.partition("=")
        bare = key.lstrip("+~")
        if key in _NAMES and equals:
            if key in given:
                raise ValidationError(key, "given twice", "given once")
            given[key] = value
        elif bare.startswith("hydra"):
            hydra.append(words.word_of(word))
            hydra_words.check(*hydra[-1])
        elif word in words.MULTIRUN:
            continue  # a sweep is one as it is
        elif equals and axes.swept(value) and key != "config":
            check_keys({bare: ""})
            _check_swept(bare, swept)
            swept[bare] = value
        else:
            _check_word(word, key)
            shared.append(word)
    for word in shared:  # of a value for each point and one for all, only one would count
        _check_swept(word.partition("=")[0].lstrip("+~"), swept)
    options = SweepRequest.of({name: _value(name, text) for name, text in given.items()})
    sorted_words = Words(options, tuple(hydra), swept, tuple(shared))
    if hydra and options.workers == 1 and not sorted_words.launcher:
        hint = "name the folder of a sweep by folder=PATH"
        raise ValidationError(hydra[0].key, "given", "left out without hydra/launcher=NAME", hint)
    if options.detach and sorted_words.launcher not in LEFT:
        where = (
            f"for {sorted_words.launcher}, whose workers end with the command"
            if sorted_words.launcher
            else "here"
        )
        hint = f"say hydra/launcher={' or '.join(LEFT)}"
        raise ValidationError("detach", "true", f"left out {where}", hint)
    return sorted_words


def _check_swept(key: str, before: Mapping[str, str]) -> None:
    if key in before:
        raise ValidationError(key, "swept twice", "given once")


def _check_word(word: str, key: str) -> None:
    """Flags are none of ours; a misspelled option is told by its likeness."""
    if word.startswith("-"):
        raise ValidationError("a flag", word, "left out", "sweep takes KEY=VALUE only")
    known = (*words.SIMULATE.names, "preparation", "config")
    hint = nearest(key, (*_NAMES, *known))
    if "=" in word and "." not in key and hint.startswith("did you mean") and key.lstrip("+~") not in known:
        raise ValidationError("a key", repr(key), "a setting, a parameter or an option of sweep", hint)


def _value(name: str, text: str) -> Any:
    """True, false and null as such; everything else is text."""
    bare = text.strip()
    words = {} if name in _TEXTS else {"true": True, "false": False, "null": None, "none": None}
    return words.get(bare.casefold(), bare)
