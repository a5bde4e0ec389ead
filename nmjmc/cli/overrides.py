"""Overrides as users write them, made into overrides that hydra reads; unknown names are refused here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nmjmc.cli import config_file, grammar, hydra_words, stored_config
from nmjmc.cli.config_file import GROUPS, quote
from nmjmc.cli.grammar import quoted as quoted
from nmjmc.errors import ValidationError, nearest
from nmjmc.kinetics.schemes import scheme_file
from nmjmc.request import settings
from nmjmc.simulation.request import SimulateRequest
from nmjmc.synapse.build import ALL_PARTS
from nmjmc.synapse.differences import merged
from nmjmc.synapse.presets import OF_A_JUNCTION, available_preparations, is_file, preparation_mapping

SETTINGS = tuple(settings(SimulateRequest))
TREATED = ("pathology", "drug", "definitions")
"""Settings with names below them."""


@dataclass(frozen=True)
class Known:
    """The keys that a command knows.

    Attributes:
        settings: Keys with one value.
        parts: Keys with parameters below them.
        others: Further keys that may be set.
    """

    settings: tuple[str, ...] = tuple(name for name in SETTINGS if name not in TREATED)
    parts: tuple[str, ...] = (*ALL_PARTS, *TREATED)
    others: tuple[str, ...] = ("temperature", "name")

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.settings, *self.parts, *self.others)


SIMULATE = Known()
_MULTIRUN = ("-m", "--multirun")
_NOT_OF_A_FIT = {
    key: f"{key} belongs to nmjmc simulate, sweep and the bedside tests" for key in ("pathology", "drug")
}
BEHIND = ("history", "steady")
"""What a file may say beside the keys of a command: what diseases and drugs have left behind."""
BODY = 37.0
"""Temperature of a junction in a file that says none [degC]; as configs/junction.yaml has it."""
_COUNTERPARTS = {"fibres": "pairs", "pairs": "fibres"}  # each bedside test counts one of them
_THOUSANDS = re.compile(r"^\s*[+-]?\d{1,3}(,\d{3})+(?![\d,])")
_WORD = re.compile(r"^(?P<sign>[+~]*)(?P<key>[^=]+)=(?P<value>.*)$", re.DOTALL)
_SIGNS = ("", "+", "++", "~")
_SCHEME = re.compile(r"\+*(?P<part>receptor|esterase)\.scheme=(?P<file>.*\.ya?ml['\"]?)", re.IGNORECASE)
_TEXTS = ("name",)  # settings that are texts whatever they look like


def prepare(words: list[str], known: Known = SIMULATE, instead: Mapping[str, Any] | None = None) -> list[str]:
    """Check the names of overrides, and write them so that hydra reads a quantity as text.

    Args:
        words: Arguments of the command; flags (`-m`) pass as they are.
        known: The keys of the command.
        instead: What takes the place of what `config=FILE` says, by setting.

    Returns:
        Overrides for hydra: `receptor.density=3000 /um^2` becomes `++receptor.density='3000 /um^2'`.

    Raises:
        ValidationError: For a word that is no KEY=VALUE, an unknown key, flag or preparation.
    """
    for word in words:
        grammar.check_word(word)
    hydra_words.check_flags(words, (*known.names, *GROUPS))
    sweeping = any(word in _MULTIRUN for word in words)
    schemes, words = _schemes(words, sweeping)
    base, rest = _base(words, known, instead, schemes)
    made = [_made(word, index, rest, known, sweeping) for index, word in enumerate(rest)]
    _check_groups([*base, *made])
    # argparse takes no word behind this flag
    return [*base, *(w for w in made if w not in _MULTIRUN), *(w for w in made if w in _MULTIRUN)]


def _made(word: str, index: int, words: list[str], known: Known, sweeping: bool) -> str:
    """One word as hydra takes it, which can be read."""
    if word.startswith("-") or hydra_words.is_flag_value(words, index):
        return word
    if not sweeping:
        _check_thousands(word)
    made = _one(word, known, sweeping)
    grammar.check_value(made, word, sweeping)
    return made


def _check_groups(made: list[str]) -> None:
    """Hydra takes one preparation, one example and one launcher."""
    for group in (*GROUPS, "hydra/launcher"):
        if len([word for word in made if word.startswith(f"{group}=")]) > 1:
            raise ValidationError(group, "given twice", "given once")


def _check_thousands(word: str) -> None:
    """Refuse `3,000`, which hydra would read as the list of 3 and 0."""
    key, _, value = word.partition("=")
    found = _THOUSANDS.match(value)
    if found and not key.startswith(("hydra", "-", "name")):
        meant = found.group().replace(",", "") + value[found.end() :]
        raise ValidationError(key, repr(value), "without commas in a number", f"did you mean {meant}?")


def _schemes(words: list[str], sweeping: bool) -> tuple[dict[str, Any], list[str]]:
    """Schemes that words name by files, as the mapping that the files hold, and the other words."""
    found, rest = {}, []
    for word in words:
        match = _SCHEME.fullmatch(word)
        several = sweeping and match is not None and "," in match["file"]
        if match is None or several:
            rest.append(word)
        elif match["part"] in found:
            raise ValidationError(f"{match['part']}.scheme", "given twice", "given once")
        else:
            found[match["part"]] = {"scheme": scheme_file(match["file"].strip("'\""))}
    return found, rest


def _base(
    words: list[str], known: Known, instead: Mapping[str, Any] | None, schemes: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """What files say, as the overrides that put it below all words, and the words without these files."""
    configs = [word for word in words if word.startswith("config=")]
    preparations = [word for word in words if word.startswith("preparation=")]
    rest = [word for word in words if word not in configs]
    if len(configs) > 1 or (configs and preparations):
        raise ValidationError(
            "config",
            "given with another",
            "given alone, without preparation or a second config",
            "a file of yours may name its preparation",
        )
    if configs:
        names = (*known.names, *BEHIND, *(group for group in GROUPS if _has(group, known)))
        found = config_file.read(configs[0], names)
        base = ["~preparation"] if config_file.is_whole(found) else []
        base += [_one(f"{group}={found[group]}", known, False) for group in GROUPS if group in found]
        whole = merged({**config_file.lasting(found), **(instead or {})}, schemes)
        return [*base, stored_config.stored(whole)], [_forced(word, known) for word in rest]
    base, whole = [], dict(instead or {})
    if preparations and is_file(_bare(preparations[0])):
        if len(preparations) > 1:
            raise ValidationError("preparation", "given twice", "given once")
        whole = _of_file(_bare(preparations[0]), known) | whole
        base, rest = ["~preparation"], [word for word in rest if word not in preparations]
    whole = merged(whole, schemes)
    return [*base, *([stored_config.stored(whole)] if whole else [])], rest


def _bare(word: str) -> str:
    return word.partition("=")[2].strip().strip("'\"")


def _has(group: str, known: Known) -> bool:
    return group == "preparation" or group in known.settings


def _of_file(path: str, known: Known) -> dict[str, Any]:
    """The preparation in a file, with the parts of a junction and at the body's temperature where these are asked."""
    if OF_A_JUNCTION[0] in known.parts:
        return preparation_mapping(path, OF_A_JUNCTION, BODY)
    return preparation_mapping(path)


def _forced(word: str, known: Known) -> str:
    """A setting that the file has added is changed, not added again."""
    key = word.split("=")[0]
    return f"++{word}" if "=" in word and key in known.settings and key not in GROUPS else word


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


def _one(word: str, known: Known, sweeping: bool) -> str:
    if word.startswith("~") and word[1:] in ("preparation", *ALL_PARTS):
        return word
    match = _WORD.match(word)
    if match is None and not word.startswith("~"):
        raise ValidationError("an override", repr(word), "KEY=VALUE", "for example vesicles=100")
    sign = match["sign"] if match else word[: len(word) - len(word.lstrip("+~"))]
    key = match["key"].strip() if match else word.lstrip("+~").strip()
    value = match["value"] if match else ""
    if key.split(".")[0].split("/")[0] == "hydra":
        return hydra_words.made(sign, key, value, sweeping)
    grammar.check_key(key, word)
    if sign not in _SIGNS:
        raise ValidationError("an override", repr(word), "KEY=VALUE", f"did you mean {key}={value}?")
    if key == "preparation" and sign in ("", "+", "++"):
        _check_preparation(value)
        return f"preparation={value}"
    top = key.split(".")[0]
    if top not in (*known.names, "preparation"):
        names = (*known.names, "preparation")
        hint = (
            _amount(top, known) or _NOT_OF_A_FIT.get(top) or _counterpart(top, known) or nearest(top, names)
        )
        raise ValidationError("a key", repr(key), "a setting or a parameter", hint)
    if sign == "~":
        return word
    if key in GROUPS:
        return f"{key}={value}"
    if key in known.parts and not value.strip().startswith("{"):
        hint = nearest(key, known.settings)
        hint = hint if hint.startswith("did you mean") else f"for example {key}.KEY=VALUE"
        raise ValidationError(key, repr(value), "set by its parameters", hint)
    # A parameter that the preparation's file leaves at its default is no key yet, so it is added; `build` and
    # the numerics refuse what they do not know.
    sign = "++" if sign or "." in key else ""
    # HOST:PORT,COUNT,INDEX is one value, no list
    whole = key == "distributed" and "," in value and value.strip()[0] not in "\"'"
    if whole or key in _TEXTS or key.endswith(".file"):
        return f"{sign}{key}={quote(value) if whole else grammar.as_text(value, sweeping)}"
    return f"{sign}{key}={quoted(value)}"


def _check_preparation(value: str) -> None:
    for name in value.split(","):
        if name.strip().strip("'\"") not in available_preparations():
            hint = nearest(name, available_preparations())
            raise ValidationError("preparation", repr(name), "a known preparation", hint)
