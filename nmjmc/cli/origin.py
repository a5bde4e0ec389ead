"""Where a refused value stands: the file and its line, if it was not on the command line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nmjmc.cli import config_file
from nmjmc.errors import ValidationError
from nmjmc.folders import config_dir, user_path
from nmjmc.presets import entries
from nmjmc.synapse.presets import is_file

_KEY = re.compile(r"^[\w.]+(?![\w.])(?! of )")  # "name of a data set" is no key


@contextlib.contextmanager
def placing(words: Sequence[str], primary: Sequence[str] = ("config.yaml",)) -> Iterator[None]:
    """Errors of the body say in which file a refused value stands.

    Args:
        words: The words of the command.
        primary: The command's own files in the folder of the configs.

    Raises:
        ValidationError: The body's own, with file and line where a file holds the value.
    """
    try:
        yield
    except ValidationError as error:
        raise _placed(error, words, primary) from error


def _placed(error: ValidationError, words: Sequence[str], primary: Sequence[str]) -> ValidationError:
    """The same error, with the file and the line of the value where a file holds it."""
    key = _key(error)
    given = [re.split("[=@]", word.lstrip("+~"))[0] for word in words if not word.startswith("data=")]
    if not key or " (" in error.field or any(word == key or key.startswith(word + ".") for word in given):
        return error
    for path, prefix in _files(words, primary):
        try:
            lines = {prefix + entry.path: entry.line for entry in entries(path)}
        except ValidationError:
            continue
        if key in lines:
            field = f"{error.field} ({path}, line {lines[key]})"
            return ValidationError(field, error.value, error.allowed, error.hint)
    return error


def _key(error: ValidationError) -> str:
    """The path of what was refused: the field, or the value where a key itself is unknown."""
    text = str(error.value).strip("'\"") if error.field == "a key" else error.field
    found = _KEY.match(text)
    return text if error.field == "a key" else found.group() if found else ""


def _files(words: Sequence[str], primary: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """The files that the config is made of, the user's own first, and what stands before the keys of each."""
    preparation = "human"
    for index, word in enumerate(words):
        name = word.partition("=")[2]
        if word.startswith("config="):
            yield config_file.path_of(name), ""
            preparation = _below(name)
        if word.startswith("data=") and is_file(word):
            yield user_path(name, "data"), "data."
        if word in ("--config-dir", "-cd") and index + 1 < len(words):
            yield from ((path, "") for path in sorted(Path(words[index + 1]).glob("**/*.yaml")))
        if word.startswith("preparation="):
            preparation = name
    if preparation and is_file(preparation):
        yield user_path(preparation, "preparation"), ""
    if preparation:
        yield config_dir() / "preparation" / f"{preparation}.yaml", ""
    yield from ((config_dir() / name, "") for name in primary)


def _below(name: str) -> str:
    """The preparation that the file of `config=FILE` changes; none where it is a whole config."""
    try:
        found = config_file.read(name)
    except ValidationError:
        return ""
    return "" if config_file.is_whole(found) else found.get("preparation", "human")
