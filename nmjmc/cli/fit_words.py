"""Words of `nmjmc fit`: data sets from files and lists of parameters, made into overrides that hydra reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from nmjmc.cli import overrides
from nmjmc.cli.config_file import literal
from nmjmc.cli.preset import entries
from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.datasets.options import EVERY
from nmjmc.fitting.datasets.read import DEFAULTS, named
from nmjmc.folders import names_in

SETTINGS = ("data", "fit", "seed", "device", "cache", "progress", "resume", "dry_run", "example")
FIT = (
    "free", "fixed", "estimator", "vesicles", "optimiser", "steps", "tolerance", "level", "profiles", "bootstrap",
    "posterior", "grid",
)  # fmt: skip
"""Keys below `fit`."""

_YAML = (".yaml", ".yml")


def prepare(words: list[str]) -> list[str]:
    """Check the words and write them so that hydra reads them.

    Args:
        words: Arguments of the command.

    Returns:
        Overrides: what `data=` and `fit.free=[...]` replace comes before what changes parts of it.

    Raises:
        ValidationError: For a word that cannot be right.
    """
    sweeping = any(word in ("-m", "--multirun") for word in words)
    first: list[str] = []
    rest: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if equals and key in FIT:
            raise ValidationError("a key", repr(key), "a setting or a parameter", f"did you mean fit.{key}?")
        if equals and key == "example":
            _check_example(value)
        if equals and key == "data":
            first += _replaced("data", data_of(value))
        elif equals and key.startswith("data."):
            rest.append(f"data.{_placed(key.removeprefix('data.'))}={value}")
        elif equals and key == "fit.free" and "{" not in value:
            lists = re.findall(r"\[[^\]]*\]", value) if sweeping else [value]
            first += _replaced("fit.free", *(dict.fromkeys(_list(some)) for some in lists))
        else:
            rest.append(word)
    return _ordered(overrides.prepare(rest, overrides.Known(settings=SETTINGS)), first)


def _ordered(prepared: list[str], first: list[str]) -> list[str]:
    """A config of a file, then what replaces, then everything else."""
    files = [i for i, word in enumerate(prepared) if re.match(r"\+\+(data|fit)=", word)]
    cut = files[-1] + 1 if files else 0
    return [*prepared[:cut], *first, *prepared[cut:]]


def _replaced(key: str, *values: Mapping[str, Any]) -> list[str]:
    """Overrides after which a key has this value and nothing of what it had before; several values are a sweep."""
    return [f"~{key}", f"++{key}={','.join(literal(_nested(key, value)) for value in values)}"]


def _nested(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """Paths of parameters as mappings in mappings; names of data sets stay as they are."""
    nested: dict[str, Any] = {}
    for path, inner in value.items():
        node = nested
        *parents, last = path.split(".") if key == "fit.free" else [path]
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = inner
    return nested


def data_of(value: str) -> dict[str, Any]:
    """Data sets by name of `data=FILE`, `data=[FILE,FILE]` or `data=SETS.yaml`.

    Raises:
        ValidationError: If a file is not there, or holds no data sets.
    """
    text = value.strip().strip("'\"")
    if text.startswith("{"):
        raise ValidationError(
            "data", value, "a file", "write data sets into a YAML file, or data.NAME.KEY=VALUE"
        )
    files = _list(text) if text.startswith("[") else [text]
    found: dict[str, Any] = {}
    for name in files:
        path = Path(name).expanduser()
        path = path / "result.h5" if (path / "result.h5").is_file() else path
        if not path.is_file():
            raise ValidationError("data", f"{name}, where there is no file", "a file", "or see example=NAME")
        sets = (
            _described(path)
            if path.suffix.casefold() in _YAML
            else {_name(path): {"file": str(path.resolve())}}
        )
        for twice in (found.keys() & sets.keys()) - {DEFAULTS}:
            hint = f"two of these files would be data set {twice}: name them in a YAML file, or rename one"
            raise ValidationError("data", value, "files of different names", hint)
        found |= sets
    return found


def _name(path: Path) -> str:
    """The name of a data set that has none: that of its file, or of its folder for a result."""
    stem = path.resolve().parent.name if path.name == "result.h5" else path.stem
    word = re.sub(r"\W+", "_", stem).strip("_")
    return word if word and word not in (*EVERY, DEFAULTS) else f"set_{word}"


def _described(path: Path) -> dict[str, Any]:
    """The data sets of a YAML file; paths in it start from its folder."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValidationError("data", str(path), "a YAML file that can be read") from error
    if isinstance(found, dict) and set(found) == {"data"}:
        found = found["data"]
    if not isinstance(found, dict | list):
        raise ValidationError("data", str(path), "a YAML file of data sets by name")
    shared = dict(found.get(DEFAULTS) or {}) if isinstance(found, dict) else {}
    whole = {name: {k: v for k, v in o.items() if k != "__shared__"} for name, o in named(found).items()}
    if isinstance(found, dict):
        whole = {name: dict(found[name]) for name in whole} | ({DEFAULTS: shared} if shared else {})
    for name, options in whole.items():
        if not re.fullmatch(r"[\w-]+", name) or name in EVERY:
            allowed = "a word of letters, digits, '_' and '-', and no option of a data set"
            raise ValidationError(f"name of a data set ({path}{_line(path, name)})", repr(name), allowed)
        if options.get("file"):
            options["file"] = str(path.resolve().parent / Path(str(options["file"])).expanduser())
    return whole


def _line(path: Path, name: str) -> str:
    """The line of a data set in its file, in words; empty where it has no name of its own there."""
    places = (f"data.{name}", name)
    return next((f", line {entry.line}" for entry in entries(path) if entry.path in places), "")


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
