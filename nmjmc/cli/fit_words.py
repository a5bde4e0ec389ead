"""Words of `nmjmc fit`: data sets from files and lists of parameters, made into overrides that hydra reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from nmjmc.cli import overrides
from nmjmc.cli.config_file import literal
from nmjmc.cli.grammar import as_text, check_value, check_word, quoted
from nmjmc.cli.stored_config import GROUP, stored
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.datasets.files import sets_of_files
from nmjmc.fitting.datasets.options import EVERY
from nmjmc.fitting.datasets.read import DEFAULTS
from nmjmc.fitting.request import RUN, FitRequest
from nmjmc.folders import config_dir, names_in, user_path
from nmjmc.request import settings
from nmjmc.sweeps import axes
from nmjmc.synapse.build import ALL_PARTS
from nmjmc.yaml_file import nested

FIT = tuple(name for name in settings(FitRequest) if name not in RUN)
"""Keys below `fit`."""

SETTINGS = ("data", "fit", *RUN, "dry_run", "example")


def prepare(words: list[str]) -> list[str]:
    """Check the words and write them so that hydra reads them.

    Args:
        words: Arguments of the command.

    Returns:
        Overrides: what files say comes first, then `fit.free=[...]`, then what changes parts of it.

    Raises:
        ValidationError: For a word that cannot be right.
    """
    for word in words:
        check_word(word)
    sweeping = any(word in ("-m", "--multirun") for word in words)
    sets: dict[str, Any] | None = None
    own: list[tuple[str, str]] = []
    first: list[str] = []
    rest: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        key = key.lstrip("+") if key.lstrip("+").startswith(("data", "fit")) else key
        if equals and key in FIT:
            raise ValidationError("a key", repr(key), "a setting or a parameter", f"did you mean fit.{key}?")
        if equals and key == "example":
            _check_example(value)
        if equals and key == "data":
            if sets is not None:
                raise ValidationError(
                    "data", "given twice", "given once", "write data=[FILE,FILE] for several"
                )
            sets = data_of(value)
        elif equals and key.startswith("data."):
            own.append((_placed(key.removeprefix("data.")), value))
        elif equals and key == "fit.free" and "{" not in value:
            lists = re.findall(r"\[[^\]]*\]", value) if sweeping else [value]
            first += _replaced(*(dict.fromkeys(_list(some)) for some in lists))
        else:
            rest.append(word)
    instead = None if sets is None else {"data": sets}
    rest += [_own(key, value, sets) for key, value in own if not _inside(key, value, sets)]
    known = overrides.Known(settings=SETTINGS, parts=ALL_PARTS)
    return _ordered(_without_data(overrides.prepare(rest, known, instead), sets), first)


def _inside(key: str, value: str, sets: dict[str, Any] | None) -> bool:
    """Put an option of a data set whose name hydra's grammar does not know where it belongs."""
    name, *path = key.split(".")
    if sets is None or name not in sets or (name.isascii() and re.fullmatch(r"[A-Za-z_]\w*", name)):
        return False
    word = f"data.{key}={value}"
    node = sets[name] = dict(sets[name])
    for part in path[:-1]:
        below = node.get(part)
        node[part] = dict(below) if isinstance(below, Mapping) else {}
        node = node[part]
    text = as_text(value) if path[-1] == "file" else quoted(value)
    node[path[-1]] = check_value(f"x={text}", word, False).value()
    return True


def _own(key: str, value: str, sets: dict[str, Any] | None) -> str:
    """An option of a data set as a word; a name without a set is told with those that there are."""
    name = key.split(".")[0]
    if not re.fullmatch(r"\w+", name, re.ASCII):
        known = list(sets or ())
        hint = nearest(name, known) if known else "name the file by data=FILE"
        raise ValidationError("a data set", repr(name), "one that there is", hint)
    return f"data.{key}={value}"


def _without_data(prepared: list[str], sets: dict[str, Any] | None) -> list[str]:
    """The overrides with examples that lack their own data, where other data take their place."""
    if sets is None:
        return prepared
    return [_stripped(word) if word.startswith("example=") else word for word in prepared]


def _stripped(word: str) -> str:
    names = [name.strip().strip("'\"") for name in word.removeprefix("example=").split(",")]
    chosen = [name if name == "null" else _example_alone(name) for name in names]
    return f"example={','.join(chosen)}"


def _example_alone(name: str) -> str:
    """The name under which an example stands without its data."""
    text = (config_dir() / "example" / f"{name}.yaml").read_text(encoding="utf-8")
    found = {key: value for key, value in yaml.safe_load(text).items() if key != "data"}
    return stored(found, "example").removeprefix("example=")


def _ordered(prepared: list[str], first: list[str]) -> list[str]:
    """What files say, then what replaces, then everything else."""
    files = [
        i for i, word in enumerate(prepared) if word.startswith((f"+{GROUP}=", "preparation=", "example="))
    ]
    cut = files[-1] + 1 if files else 0
    return [*prepared[:cut], *first, *prepared[cut:]]


def _replaced(*values: Mapping[str, Any]) -> list[str]:
    """Overrides after which `fit.free` has this value and nothing it had before; several values are a sweep."""
    for value in values:
        for path in value:
            if not re.fullmatch(r"[A-Za-z]\w*(\.\w+)+", path, re.ASCII):
                hint = "for example fit.free=[receptor.closing_rate,vesicle.content_mean]"
                raise ValidationError("fit.free", repr(path), "a list of paths of parameters", hint)
    return ["~fit.free", f"++fit.free={','.join(literal(nested(value)) for value in values)}"]


def data_of(value: str) -> dict[str, Any]:
    """Data sets by name of `data=FILE`, `data=[FILE,FILE]` or `data=SETS.yaml`.

    Raises:
        ValidationError: If a file is not there, or holds no data sets.
    """
    text = value.strip()
    text = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
    if text.startswith("{") and not user_path(text, "data").is_file():
        raise ValidationError(
            "data", value, "a file", "write data sets into a YAML file, or data.NAME.KEY=VALUE"
        )
    return sets_of_files(_files(text), _why_not(text))


def _files(text: str) -> list[str]:
    """The file, or the files of a list; a file whose name has commas or brackets is one, if it is there."""
    if not text.startswith("[") or user_path(text, "data").is_file():
        return [text]
    return [piece for piece in axes.pieces(text[1:].removesuffix("]")) if piece]


def _why_not(name: str) -> str:
    """What may have been meant where there is no file."""
    if not name.startswith("["):
        pieces = [piece for piece in axes.pieces(name) if piece]
        if len(pieces) > 1 and all(user_path(piece, "data").is_file() for piece in pieces):
            return f"did you mean data=[{','.join(pieces)}]?"
    return "or see example=NAME"


def _placed(key: str) -> str:
    """Where a word below `data` belongs: to all data sets, or to one."""
    top, _, below = key.partition(".")
    if top in EVERY or top == DEFAULTS:
        return key if top == DEFAULTS else f"{DEFAULTS}.{key}"
    option = below.partition(".")[0]
    if option not in EVERY:
        wrong, known = (below, [f"{top}.{name}" for name in EVERY]) if below else (top, EVERY)
        hint = nearest(f"{top}.{wrong}" if below else wrong, known)
        hint = hint if hint.startswith("did you mean") else f"choose one of {', '.join(EVERY)}"
        raise ValidationError(
            "a key", repr(f"data.{key}"), "of a data set", hint.replace("mean ", "mean data.")
        )
    return key


def _list(value: str) -> list[str]:
    """The words of a list, with or without its brackets."""
    text = value.strip().strip("'\"").removeprefix("[").removesuffix("]")
    return [word.strip().strip("'\"") for word in text.split(",") if word.strip()]


def _check_example(value: str) -> None:
    known = names_in("example")
    for name in value.split(","):
        if name.strip().strip("'\"") not in (*known, "null"):
            raise ValidationError("example", repr(name), "a known example", nearest(name, known))
