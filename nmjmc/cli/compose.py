"""From words to plain configs: hydra composes what is shipped, files stand above it, and words above all."""

from __future__ import annotations

import copy
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nmjmc import config_file
from nmjmc.cli import values
from nmjmc.cli.words import Known, Word, Words
from nmjmc.config_file import GROUPS
from nmjmc.errors import ValidationError, nearest
from nmjmc.folders import config_dir, names_in
from nmjmc.kinetics.schemes import is_scheme_file, scheme_file
from nmjmc.synapse.differences import merged_over, with_value, without
from nmjmc.synapse.presets import OF_A_JUNCTION, is_file, preparation_mapping
from nmjmc.written import as_text
from nmjmc.yaml_file import Plain

BODY = 37.0
"""Temperature of a junction in a file that says none [degC]; as configs/junction.yaml has it."""
_TEXTS = ("name", "distributed")  # settings that are texts whatever they look like


class Change(NamedTuple):
    """What words change in a config.

    Attributes:
        key: The path.
        choices: The value, or in a sweep with `-m` each of several.
        is_whole: Whether a mapping takes the place of one that is there, where else it is put on top of it.
        is_out: Whether the key is left out.
    """

    key: str
    choices: Sequence[Plain]
    is_whole: bool = False
    is_out: bool = False


def changes_of(words: Sequence[Word], is_sweep: bool) -> list[Change]:
    """What each word by itself changes."""
    return [_change(word, is_sweep) for word in words]


def _change(word: Word, is_sweep: bool) -> Change:
    key, text, is_out = word
    if is_out:
        return Change(key, [None if text is None else values.value(key, text)], text is not None, True)
    text = text or ""
    is_text = key in _TEXTS or key.endswith(".file")
    if is_text and not (is_sweep and key != "distributed" and not text.strip().startswith(("'", '"'))):
        return Change(key, [_text(key, text)])
    texts = values.choices(key, text) if is_sweep else [text]
    return Change(key, [as_text(some) if is_text else _value(key, some) for some in texts])


def _text(key: str, text: str) -> Plain:
    return None if text.strip() == "null" and key in _TEXTS else as_text(text)


def _value(key: str, text: str) -> Plain:
    """A value; a scheme that is named by a file is what the file holds."""
    if key in ("receptor.scheme", "esterase.scheme") and is_scheme_file(as_text(text)):
        return scheme_file(as_text(text))
    return values.value(key, text)


def configs(
    words: Words, known: Known, changes: Callable[[Sequence[Word], bool], list[Change]] = changes_of
) -> Iterator[dict[str, Any]]:
    """The plain config of each run: of each point of a sweep with `-m`, else of the only one.

    Args:
        words: Of the command.
        known: Its keys.
        changes: How it reads what is set; a command has forms of its own.

    Raises:
        ValidationError: For a group or a file that there is not, a value that cannot be read, and too many runs.
    """
    names = (*GROUPS, "config")
    below = [_chosen(word, words.is_sweep, known) for word in words.given if word.key in names]
    rest = changes([word for word in words.given if word.key not in names], words.is_sweep)
    every = [*below, *rest]
    sizes = {change.key: len(change.choices) for change in every}
    if math.prod(sizes.values()) > values.MOST_RUNS:
        raise values.too_many(max(sizes, key=lambda key: sizes[key]), math.prod(sizes.values()))
    for point in itertools.product(*(change.choices for change in every)):
        groups = {change.key: None if v is None else str(v) for change, v in zip(below, point, strict=False)}
        pairs = zip(rest, point[len(below) :], strict=True)
        # wholes ahead of what changes a part of them
        yield _changed(_below(groups, known), sorted(pairs, key=lambda pair: pair[0].key.count(".")))


def one(
    words: Words, known: Known, changes: Callable[[Sequence[Word], bool], list[Change]] = changes_of
) -> dict[str, Any]:
    """The plain config of words without `-m`; as `configs`."""
    return next(configs(words, known, changes))


def _chosen(word: Word, is_sweep: bool, known: Known) -> Change:
    """The names that a group is given, or the file of `config=FILE`."""
    key, text, is_out = word
    if is_out:
        if key != "preparation" or text is not None:
            raise ValidationError(
                "a key of the config", repr(key), "a key that there is", "write ~preparation alone"
            )
        return Change(key, [None])
    if key == "config" or is_file(as_text(text or "")):
        return Change(key, [text])
    names = [as_text(some) for some in (values.choices(key, text or "") if is_sweep else [text or ""])]
    for name in names:
        check_group(key, name)
    return Change(key, [None if name == "null" else name for name in names])


def check_group(group: str, name: str) -> None:
    """Refuse the name of a preparation or an example that there is not.

    Raises:
        ValidationError: With the nearest.
    """
    if name not in names_in(group) and not (group == "example" and name == "null"):
        raise ValidationError(group, repr(name), f"a known {group}", nearest(name, names_in(group)))


def _below(groups: Mapping[str, str | None], known: Known) -> dict[str, Any]:
    """What stands below the words: the shipped settings and preparation, and what files say above them."""
    given, config, example = groups.get("preparation", "human"), groups.get("config"), groups.get("example")
    if config is not None:
        if "preparation" in groups:
            hint = "a file of yours may name its preparation"
            raise ValidationError("config", "given with another", "given alone, without preparation", hint)
        content = config_file.read(config, (*known.names, *known.groups))
        for group in known.groups:
            if group in content:
                check_group(group, content[group])
        base = None if config_file.is_whole(content) else content.get("preparation", "human")
        example = content.get("example") if "example" not in groups else example
        return merged_over(shipped(known.primary, base, example), config_file.lasting(content))
    if given is not None and is_file(given):
        # a junction has more parts, and the body's temperature where its file says none
        is_junction = OF_A_JUNCTION[0] in known.parts
        more, warmth = (OF_A_JUNCTION, BODY) if is_junction else ((), None)
        content = preparation_mapping(as_text(given), more, warmth)
        return merged_over(shipped(known.primary, None, example), content)
    return shipped(known.primary, given, example)


def shipped(primary: str, preparation: str | None, example: str | None = None) -> dict[str, Any]:
    """What hydra composes from our own configs.

    Args:
        primary: The command's settings.
        preparation: Name of the group's option; None for none.
        example: As `preparation`.
    """
    return copy.deepcopy(_shipped(primary, preparation, example))


@functools.cache
def _shipped(primary: str, preparation: str | None, example: str | None) -> dict[str, Any]:
    words = ["~preparation" if preparation is None else f"preparation={preparation}"]
    words += [] if example is None else [f"example={example}"]
    with initialize_config_dir(str(config_dir()), version_base="1.3"):
        found = OmegaConf.to_container(compose(primary, overrides=words), resolve=True)
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _changed(whole: dict[str, Any], changes: Sequence[tuple[Change, Plain]]) -> dict[str, Any]:
    for change, value in changes:
        path = change.key.split(".")
        if change.is_out:
            whole = _without(whole, path, change, value)
        else:
            whole = with_value(whole, path, value, change.is_whole)
    return whole


def _without(whole: dict[str, Any], path: Sequence[str], change: Change, value: Plain) -> dict[str, Any]:
    """The config without a key; `~KEY=VALUE` must name the value that it has."""
    try:
        held, rest = without(whole, path)
    except KeyError as error:
        allowed, hint = "a key that there is", "`dry_run=true` prints them all"
        raise ValidationError("a key of the config", repr(change.key), allowed, hint) from error
    if change.is_whole and held != value:
        allowed = "left out with the value that it has, or with none"
        raise ValidationError("a key of the config", repr(change.key), allowed, "write ~KEY alone")
    return rest
