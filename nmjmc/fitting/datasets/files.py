"""Data sets by name from the files that a user names: each its own, or described in a YAML file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nmjmc.errors import ValidationError
from nmjmc.fitting.datasets.options import EVERY
from nmjmc.fitting.datasets.read import DEFAULTS, named
from nmjmc.folders import user_path
from nmjmc.yaml_file import read_yaml

_YAML = (".yaml", ".yml")


def sets_of_files(files: Sequence[str | Path], hint: str = "or see example=NAME") -> dict[str, Any]:
    """Data sets by name: a file of data is one, named after it; a YAML file describes several.

    Args:
        files: As the user wrote them; a folder of a run stands for its result.
        hint: For a file that is not there.

    Raises:
        ValidationError: If a file is not there, holds no data sets, or two would have one name.
    """
    sets: dict[str, Any] = {}
    for name in files:
        path = user_path(name, "data")
        path = path / "result.h5" if (path / "result.h5").is_file() else path
        if not path.is_file():
            raise ValidationError("data", f"{name}, where there is no file", "a file", hint)
        is_description = path.suffix.casefold() in _YAML
        more = _described(path) if is_description else {_name(path): {"file": str(path.resolve())}}
        for twice in (sets.keys() & more.keys()) - {DEFAULTS}:
            hint = f"two of these files would be data set {twice}: name them in a YAML file, or rename one"
            raise ValidationError("data", ", ".join(map(str, files)), "files of different names", hint)
        sets |= more
    return sets


def _name(path: Path) -> str:
    """The name of a data set that has none: that of its file, or of its folder for a result."""
    stem = path.resolve().parent.name if path.name == "result.h5" else path.stem
    word = re.sub(r"\W+", "_", unicodedata.normalize("NFC", stem)).strip("_")
    return word if word and word not in (*EVERY, DEFAULTS) else f"set_{word}"


def _described(path: Path) -> dict[str, Any]:
    """The data sets of a YAML file; paths in it start from its folder."""
    content = read_yaml(path, "data")
    if isinstance(content, dict) and set(content) == {"data"}:
        content = content["data"]
    if not isinstance(content, dict | list):
        raise ValidationError("data", str(path), "a YAML file of data sets by name")
    for name in content if isinstance(content, dict) else ():
        _check_name(path, name)
    shared = content.get(DEFAULTS) if isinstance(content, dict) else None
    if not isinstance(shared, dict | None):
        raise ValidationError(f"data.{DEFAULTS} ({path})", repr(shared), "a mapping of options")
    sets = {name: {k: v for k, v in o.items() if k != "__shared__"} for name, o in named(content).items()}
    if isinstance(content, dict):
        sets = {name: dict(content[name]) for name in sets} | ({DEFAULTS: dict(shared)} if shared else {})
    for name, options in sets.items():
        _check_name(path, name)
        if options.get("file"):
            file = user_path(str(options["file"]), f"data.{name}.file")
            options["file"] = str(path.resolve().parent / file)
    return sets


def _check_name(path: Path, name: str) -> None:
    """Refuse a name that no word could call."""
    if not re.fullmatch(r"[\w-]+", name) or name in EVERY:
        allowed = "a word of letters, digits, '_' and '-', and no option of a data set"
        raise ValidationError(f"name of a data set ({path}{_line(path, name)})", repr(name), allowed)


def _line(path: Path, name: str) -> str:
    """The line of a data set in its file, in words; empty where it has no name of its own there."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    pairs = list(node.value) if isinstance(node, yaml.MappingNode) else []
    for key, value in pairs:
        if key.value == "data" and isinstance(value, yaml.MappingNode):
            pairs += value.value
        if key.value == name:
            return f", line {key.start_mark.line + 1}"
    return ""


def placed(sets: Any) -> dict[str, Any]:
    """Data sets with absolute paths, so that the config of a fit means the same anywhere.

    Args:
        sets: By name, or a list of mappings with names.

    Raises:
        ValidationError: If there is none, or one is no mapping.
    """
    if not sets:
        hint = "for example data=events.csv, data=mine.yaml, or example=boyd_martin_1956"
        raise ValidationError("data", "missing", "given", hint)
    whole = named(sets)
    if not isinstance(sets, Mapping):
        sets = {name: {key: v for key, v in o.items() if key != "__shared__"} for name, o in whole.items()}
    own = {str(name): dict(options) for name, options in sets.items() if options is not None}
    for options in own.values():
        if isinstance(options.get("file"), str | Path) and options["file"]:
            options["file"] = str(Path.cwd() / user_path(str(options["file"]), "the file of a data set"))
    return own


def files_of(sets: Mapping[str, Mapping[str, Any]]) -> list[Path]:
    """The files of data sets that are there."""
    paths = [Path(o["file"]) for o in sets.values() if isinstance(o.get("file"), str | Path) and o["file"]]
    return [path for path in paths if path.is_file()]
