"""Words of the commands that take one result file and a few options."""

from __future__ import annotations

from nmjmc.errors import ValidationError
from nmjmc.folders import user_path

PATHS = ("out", "figure")


def one_file(
    words: list[str], command: str, options: tuple[str, ...], example: str
) -> tuple[str, dict[str, str]]:
    """The file among the words, and the options given as KEY=VALUE.

    Args:
        words: After the command.
        command: Its name, for the message.
        options: Keys that it knows.
        example: A right call, for the message.

    Raises:
        ValidationError: If there is no file, more than one, or an unknown word.
    """
    given = dict(word.split("=", 1) for word in words if word.split("=", 1)[0] in options and "=" in word)
    files = [word for word in words if word.split("=", 1)[0] not in given]
    if len(files) != 1 or files[0].startswith("-"):
        shown = repr(" ".join(words))
        raise ValidationError(
            f"the words after {command}", shown, "one result file", f"for example {example}"
        )
    homes = {key: str(user_path(text, key)) if key in PATHS else text for key, text in given.items()}
    return str(user_path(files[0], f"the file after {command}")), homes
