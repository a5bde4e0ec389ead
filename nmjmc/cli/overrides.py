"""Overrides as users write them, made into overrides that hydra reads; unknown names are refused here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nmjmc.cli.config_file import GROUPS, expanded, literal, quote
from nmjmc.errors import ValidationError, nearest
from nmjmc.synapse.build import PARTS
from nmjmc.synapse.presets import available_preparations, file_mapping, is_file

SETTINGS = (
    "vesicles", "seed", "duration", "record_interval", "numerics", "device", "cache", "progress", "dry_run",
    "checkpoint", "resume", "distributed",
)  # fmt: skip
_PARAMETERS = (*PARTS, "temperature", "name")


@dataclass(frozen=True)
class Known:
    """The keys that a command knows.

    Attributes:
        settings: Keys with one value.
        parts: Keys with parameters below them.
        others: Further keys that may be set.
    """

    settings: tuple[str, ...] = SETTINGS
    parts: tuple[str, ...] = PARTS
    others: tuple[str, ...] = ("temperature", "name")

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.settings, *self.parts, *self.others)


SIMULATE = Known()
_MULTIRUN = ("-m", "--multirun")
_FLAGS_WITH_VALUE = (
    "--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp", "--cfg", "-c", "--package", "-p",
    "--experimental-rerun",
)  # fmt: skip
_FLAGS = (
    *_FLAGS_WITH_VALUE, "--multirun", "-m", "--run", "-r", "--help", "-h", "--hydra-help", "--resolve",
    "--info", "-i", "--shell-completion", "-sc", "--version",
)  # fmt: skip
_OF_A_TEST = {
    key: f"{key} belongs to a bedside test, which takes several with -m: nmjmc rns {key}={values} -m"
    for key, values in (
        ("pathology", "ageing:0.2,ageing:0.8"),
        ("drug", "pyridostigmine:'0 uM',pyridostigmine:'1 uM'"),
    )
}
_COUNTERPARTS = {"fibres": "pairs", "pairs": "fibres"}  # each bedside test counts one of them
_THOUSANDS = re.compile(r"^\s*[+-]?\d{1,3}(,\d{3})+(?![\d,])")
_WORD = re.compile(r"^(?P<sign>[+~]*)(?P<key>[^=]+)=(?P<value>.*)$", re.DOTALL)
_QUOTED = re.compile(r"""("[^"]*"|'[^']*'|[,\[\]{}])""")
# what hydra's grammar takes outside quotes; a unit such as /um^2 has more
_PLAIN = re.compile(r"^[\w\s/\-\\+.$%*@?|:=()]*$", re.ASCII)


def prepare(words: list[str], known: Known = SIMULATE) -> list[str]:
    """Check the names of overrides, and write them so that hydra reads a quantity as text.

    Args:
        words: Arguments of the command; flags (`-m`) pass as they are.
        known: The keys of the command.

    Returns:
        Overrides for hydra: `receptor.density=3000 /um^2` becomes `++receptor.density='3000 /um^2'`.

    Raises:
        ValidationError: For a word that is no KEY=VALUE, an unknown key, flag or preparation.
    """
    words = _with_preparation(_with_config(words, known))
    sweeping = any(word in _MULTIRUN for word in words)
    for index, word in enumerate(words):
        _check_flag(word, _is_flag_value(words, index), known)
        if not sweeping:
            _check_thousands(word)
    plain = [word.startswith("-") or _is_flag_value(words, index) for index, word in enumerate(words)]
    made = [word if is_plain else _one(word, known) for word, is_plain in zip(words, plain, strict=True)]
    # argparse takes no word behind this flag
    return [*(word for word in made if word not in _MULTIRUN), *(word for word in made if word in _MULTIRUN)]


def _check_flag(word: str, is_value: bool, known: Known) -> None:
    """Refuse flags that hydra does not have; a setting takes no dashes."""
    if not word.startswith("-") or is_value or word.split("=")[0] in _FLAGS:
        return
    bare = word.lstrip("-")
    is_key = bare.split("=")[0].split(".")[0] in (*known.names, *GROUPS)
    hint = (
        f"did you mean {bare if '=' in bare else bare + '=VALUE'}?" if is_key else "did you mean KEY=VALUE?"
    )
    raise ValidationError("a flag", word, "--help, -m or another of hydra's", hint)


def _check_thousands(word: str) -> None:
    """Refuse `3,000`, which hydra would read as the list of 3 and 0."""
    key, _, value = word.partition("=")
    found = _THOUSANDS.match(value)
    if found and not key.startswith(("hydra", "-")):
        meant = found.group().replace(",", "") + value[found.end() :]
        raise ValidationError(key, repr(value), "without commas in a number", f"did you mean {meant}?")


def _with_preparation(words: list[str]) -> list[str]:
    """The words with `preparation=FILE.yaml` first, as the overrides that put its parameters in."""
    files = [word for word in words if word.startswith("preparation=") and is_file(word)]
    if not files:
        return words
    if len([word for word in words if word.startswith("preparation=")]) > 1:
        raise ValidationError("preparation", "given twice", "given once")
    found = file_mapping(files[0].removeprefix("preparation="))
    for key in found:
        if key not in _PARAMETERS:
            raise ValidationError(
                "a key of the preparation", repr(key), "a part", nearest(str(key), _PARAMETERS)
            )
    parts = [f"~{key}" for key in found if key in PARTS]  # what the file leaves out is left out
    given = [f"++{key}={literal(value)}" for key, value in found.items()]
    return [*parts, *given, *(word for word in words if word not in files)]


def _with_config(words: list[str], known: Known) -> list[str]:
    """The words with `config=FILE` first, so that all others change what it says, wherever they stand."""
    files = [word for word in words if word.startswith("config=")]
    if not files:
        return words
    rest = [word for word in words if not word.startswith("config=")]
    if len(files) > 1 or any(word.startswith("preparation=") for word in rest):
        raise ValidationError(
            "config",
            "given with another",
            "given alone, without preparation or a second config",
            "a file of yours may name its preparation",
        )
    return [*expanded(files[0]), *(_forced(word, known) for word in rest)]


def _forced(word: str, known: Known) -> str:
    """A setting that the file has added is changed, not added again."""
    key = word.split("=")[0]
    return f"++{word}" if "=" in word and key in known.settings and key not in GROUPS else word


def _is_flag_value(words: list[str], index: int) -> bool:
    """Whether a word belongs to the flag before it (`--config-dir FOLDER`)."""
    return index > 0 and words[index - 1] in _FLAGS_WITH_VALUE


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


def _one(word: str, known: Known) -> str:
    if word.startswith("~") and word[1:] in ("preparation", *PARTS):
        return word
    match = _WORD.match(word)
    if match is None and not word.startswith("~"):
        raise ValidationError("an override", repr(word), "KEY=VALUE", "for example vesicles=100")
    if match is None:
        return word
    sign, key, value = match["sign"], match["key"].strip(), match["value"]
    top = re.split(r"[./@]", key)[0]
    if top == "hydra":
        return word
    if key == "preparation":
        _check_preparation(value)
        return word
    if top in GROUPS and top in known.settings:
        return word
    if top not in known.names:
        names = (*known.names, "preparation")
        hint = _amount(top, known) or _OF_A_TEST.get(top) or _counterpart(top, known) or nearest(top, names)
        raise ValidationError("a key", repr(key), "a setting or a parameter", hint)
    if key in known.parts and not value.strip().startswith("{"):
        hint = nearest(key, known.settings)
        hint = hint if hint.startswith("did you mean") else f"for example {key}.KEY=VALUE"
        raise ValidationError(key, repr(value), "set by its parameters", hint)
    # A parameter that the preparation's file leaves at its default is no key yet, so it is added; `build` and
    # the numerics refuse what they do not know.
    sign = sign or ("++" if "." in key else "")
    # HOST:PORT,COUNT,INDEX is one value, no list
    whole = key == "distributed" and "," in value and value.strip()[0] not in "\"'"
    return f"{sign}{key}={quote(value) if whole else quoted(value)}"


def _check_preparation(value: str) -> None:
    for name in value.split(","):
        if name.strip().strip("'\"") not in available_preparations():
            hint = nearest(name, available_preparations())
            raise ValidationError("preparation", repr(name), "a known preparation", hint)


def quoted(value: str) -> str:
    """Put quotes around the pieces of a value that hydra's grammar cannot read bare.

    A list stays a list, and a sweep `3000 /um^2,5000 /um^2` stays a sweep.
    """
    pieces = _QUOTED.split(value)
    # every second piece is a delimiter, or quoted already
    readable = [index % 2 == 1 or _PLAIN.match(piece) for index, piece in enumerate(pieces)]
    return "".join(p if is_fine else _quoted_piece(p) for p, is_fine in zip(pieces, readable, strict=True))


def _quoted_piece(piece: str) -> str:
    """One piece in quotes; the key of a mapping stays outside."""
    key, colon, rest = piece.partition(":")
    return f"{key}: {quote(rest)}" if colon else quote(piece)
