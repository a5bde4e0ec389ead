"""Where a refused value stands: the file and its line, if it was not on the command line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nmjmc import config_file
from nmjmc.errors import ValidationError
from nmjmc.folders import config_dir, user_path
from nmjmc.presets import located
from nmjmc.synapse.presets import is_file


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
        given = [re.split("[=@]", word.lstrip("+~"))[0] for word in words if not word.startswith("data=")]
        raise located(error, given, _files(words, primary)) from error


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
        content = config_file.read(name)
    except ValidationError:
        return ""
    return "" if config_file.is_whole(content) else content.get("preparation", "human")
