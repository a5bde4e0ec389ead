"""The words of a command, sorted: flags, what hydra is told, and what is set; unknown names are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nmjmc.cli import hydra_words
from nmjmc.config_file import GROUPS
from nmjmc.errors import ValidationError, nearest
from nmjmc.request import settings
from nmjmc.simulation.request import SimulateRequest
from nmjmc.synapse.build import ALL_PARTS
from nmjmc.written import check_name, check_word

SETTINGS = tuple(settings(SimulateRequest))
TREATED = ("pathology", "drug", "definitions")
"""Settings with names below them."""
MULTIRUN = ("-m", "--multirun")
HELP = ("-h", "--help")
FOLDER = ("--config-dir", "-cd")
_NOT_OF_A_FIT = {
    key: f"{key} belongs to nmjmc simulate, sweep and the bedside tests" for key in ("pathology", "drug")
}
_COUNTERPARTS = {"fibres": "pairs", "pairs": "fibres"}  # each bedside test counts one of them
_WORD = re.compile(r"(?P<sign>[+~]*)(?P<key>[^=]+)(=(?P<text>.*))?", re.DOTALL)
_KEY = re.compile(r"[A-Za-z_]\w*(\.[\w-]+)*")


@dataclass(frozen=True)
class Known:
    """The keys that a command knows.

    Attributes:
        primary: The file of its settings, in the folder of the configs.
        settings: Keys with one value.
        parts: Keys with parameters below them.
        others: Further keys that may be set.
    """

    primary: str = "config"
    settings: tuple[str, ...] = tuple(name for name in SETTINGS if name not in TREATED)
    parts: tuple[str, ...] = (*ALL_PARTS, *TREATED)
    others: tuple[str, ...] = ("temperature", "name")

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.settings, *self.parts, *self.others)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of configs that it takes."""
        return tuple(group for group in GROUPS if group == "preparation" or group in self.settings)


SIMULATE = Known()


class Word(NamedTuple):
    """One word `KEY=VALUE`, `+KEY=VALUE`, or `~KEY`, which leaves out what the config has.

    Attributes:
        key: Path of what is set.
        text: The value as it was written; None for `~KEY`.
        is_out: Whether the key is to be left out.
    """

    key: str
    text: str | None
    is_out: bool = False

    @property
    def top(self) -> str:
        """The first name of the path."""
        return self.key.split(".")[0]


@dataclass(frozen=True)
class Words:
    """The words of a command.

    Attributes:
        given: What is set, in the order of the words.
        hydra: What hydra is told of folders and launchers.
        folders: Folders of launchers of the user's own.
        is_sweep: Whether there is one run for each value (`-m`).
        wants_help: Whether the help is asked for.
    """

    given: tuple[Word, ...]
    hydra: tuple[Word, ...] = ()
    folders: tuple[str, ...] = ()
    is_sweep: bool = False
    wants_help: bool = False

    def texts(self, key: str) -> list[str]:
        """The values of the words that set a key, as they were written."""
        return [word.text for word in self.given if word.key == key and word.text is not None]


def is_help(words: Sequence[str]) -> bool:
    """Whether the help was asked for."""
    return any(word in HELP for word in words)


def sort(written: Sequence[str], known: Known) -> Words:
    """Sort the words of a command, and refuse what it does not know.

    Raises:
        ValidationError: For a word that is no KEY=VALUE, an unknown key or flag, or a group that is given twice.
    """
    for word in written:
        check_word(word)
    folders = tuple(_folders(written, (*known.names, *GROUPS)))
    behind = [index + 1 for index, word in enumerate(written) if word in FOLDER]
    plain = [w for i, w in enumerate(written) if not w.startswith("-") and i not in behind]
    words = [word_of(word) for word in plain]
    hydra = tuple(word for word in words if re.split(r"[./]", word.key)[0] == "hydra")
    given = tuple(word for word in words if word not in hydra)
    for word, text in zip(words, plain, strict=True):
        hydra_words.check(*word) if word in hydra else check_known(word, text, known)
    sorted_words = Words(given, hydra, folders, any(w in MULTIRUN for w in written), is_help(written))
    for key in (*GROUPS, "config", hydra_words.LAUNCHER):
        if len([word for word in words if word.key == key and not word.is_out]) > 1:
            raise ValidationError(key, "given twice", "given once")
    return sorted_words


def word_of(word: str) -> Word:
    """One word, taken apart.

    Raises:
        ValidationError: If it is none.
    """
    match = _WORD.fullmatch(word)
    sign, key, text = (match["sign"], match["key"].strip(), match["text"]) if match else ("", "", None)
    if match is None or (text is None and not sign.startswith("~")):
        raise ValidationError("an override", repr(word), "KEY=VALUE", "for example vesicles=100")
    if sign not in ("", "+", "++", "~"):
        raise ValidationError("an override", repr(word), "KEY=VALUE", f"did you mean {key}={text or ''}?")
    return Word(key, text, sign == "~")


def check_known(word: Word, written: str, known: Known) -> None:
    """Refuse a key that is no path of names, or that a command does not know.

    Raises:
        ValidationError: With the likely correction.
    """
    key, text, is_out = word
    _check_key(key, written)
    names = (*known.names, "preparation", "config")
    if word.top not in names:
        hint = _amount(word.top, known) or _NOT_OF_A_FIT.get(word.top) or _counterpart(word.top, known)
        raise ValidationError(
            "a key", repr(key), "a setting or a parameter", hint or nearest(word.top, names)
        )
    is_path = key in known.parts and not is_out and not (text or "").strip().startswith("{")
    if is_path and key not in TREATED[:2]:
        hint = nearest(key, known.settings)
        hint = hint if hint.startswith("did you mean") else f"for example {key}.KEY=VALUE"
        raise ValidationError(key, repr(text), "set by its parameters", hint)


def _check_key(key: str, written: str) -> None:
    """Refuse a key that is no path of names."""
    for name in key.split("."):
        check_name(name)
    if _KEY.fullmatch(key):
        return
    hint = ""
    bare = key.replace("/", ".").split("@")[0].strip("+~.- ")
    if bare != key and _KEY.fullmatch(bare):
        hint = (
            f"did you mean {bare}={written.partition('=')[2]}?" if "=" in written else f"did you mean {bare}?"
        )
    raise ValidationError("a key", repr(key), "names joined by dots, as in receptor.density", hint)


def _folders(words: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """The folders behind `--config-dir`; flags that no command has are refused, for a setting takes no dashes."""
    for index, word in enumerate(words):
        if word in FOLDER:
            folder = words[index + 1] if index + 1 < len(words) else ""
            hydra_words.check_folder(folder)
            yield folder
        elif (
            word.startswith("-")
            and word not in (*MULTIRUN, *HELP)
            and (not index or words[index - 1] not in FOLDER)
        ):
            bare = word.lstrip("-")
            full = bare if "=" in bare else bare + "=VALUE"
            is_key = bare.split("=")[0].split(".")[0] in names
            hint = f"did you mean {full}?" if is_key else "a setting is KEY=VALUE"
            raise ValidationError("a flag", word, "-m, --help or --config-dir FOLDER", hint)


def _counterpart(key: str, known: Known) -> str:
    """The setting that takes the place of `key` in this command; empty if there is none."""
    other = _COUNTERPARTS.get(key)
    return f"this command counts {other}, did you mean {other}?" if other in known.settings else ""


def _amount(key: str, known: Known) -> str:
    """Where the severity of a disease and the dose of a drug are set; empty for another key."""
    kind = {"severity": "pathology", "dose": "drug"}.get(key)
    if kind not in known.parts or ("agent" in known.settings and kind == "drug"):
        return ""
    return f"did you mean {kind}.{key}?"
