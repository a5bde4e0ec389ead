"""Words of the commands that take one file or folder and a few options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nmjmc.errors import ValidationError
from nmjmc.folders import user_path

_PATHS = ("out", "figure")


def one_path(
    words: Sequence[str], command: str, options: Sequence[str], wanted: str, example: str = ""
) -> tuple[Path, dict[str, str]]:
    """The one file or folder among the words, and the options given as KEY=VALUE.

    Args:
        words: After the command.
        command: Its name, for the message.
        options: Keys that it knows.
        wanted: What the path should be, for the message.
        example: A right call, for the message.

    Raises:
        ValidationError: If there is no path, more than one, or an unknown word.
    """
    pairs = [word.split("=", 1) for word in words if word.split("=", 1)[0] in options and "=" in word]
    for key in {key for key, _ in pairs}:  # of several only the last would count
        if len(texts := [text for name, text in pairs if name == key]) > 1:
            raise ValidationError(key, f"given twice ({texts[0]!r} and {texts[1]!r})", "given once")
    given = {key: str(user_path(text, key)) if key in _PATHS else text for key, text in pairs}
    paths = [word for word in words if word.split("=", 1)[0] not in given]
    if len(paths) != 1 or paths[0].startswith("-"):
        shown = repr(" ".join(paths) or "missing")
        allowed = f"{wanted}, with {', '.join(f'{key}=...' for key in options)} or nothing"
        hint = f"for example {example}" if example else ""
        raise ValidationError(f"the words after {command}", shown, allowed, hint)
    return user_path(paths[0], f"the words after {command}"), given


def one_sweep(words: Sequence[str], command: str, options: Sequence[str]) -> tuple[Path, dict[str, str]]:
    """The folder of a sweep among the words, and the options; as `one_path`.

    Raises:
        ValidationError: If there is not one folder.
    """
    folder, given = one_path(words, command, options, "the folder of a sweep")
    if not folder.is_dir():
        raise ValidationError(f"the words after {command}", repr(str(folder)), "the folder of a sweep")
    return folder, given
