"""Handing over to hydra, which makes the folder of a run and calls its function, once or for each point of a sweep."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from nmjmc.cli.compose import REFUSALS, sentence
from nmjmc.cli.grammar import check_number_of_runs
from nmjmc.folders import config_dir


def hand_over(overrides: list[str], name: str, program: str, run: Callable[[DictConfig], None]) -> int:
    """Let hydra run a function.

    Args:
        overrides: As hydra takes them, flags included.
        name: The primary config.
        program: What the user called.
        run: Of the composed config.

    Returns:
        The exit code.

    Raises:
        ValidationError: For whatever hydra refuses.
    """
    decorated = hydra.main(config_path=str(config_dir()), config_name=name, version_base="1.3")(run)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # exceptions come to us, and we make sentences of them
    saved, sys.argv = sys.argv, [program, *overrides]
    try:
        decorated()
    except SystemExit as done:  # what hydra does after --help
        return int(done.code or 0)
    except REFUSALS as error:
        raise sentence(error) from error
    finally:
        sys.argv = saved
    return 0


def is_sweep(overrides: list[str]) -> bool:
    """Whether -m was given."""
    return any(word in ("-m", "--multirun") for word in overrides)


def is_help(overrides: list[str]) -> bool:
    """Whether the help was asked for."""
    return any(word in ("-h", "--help") for word in overrides)


def points(overrides: list[str]) -> Iterator[list[str]]:
    """The overrides of each run: of all of a sweep with -m, else of the only one; folders of configs among them.

    Raises:
        ValidationError: If there would be too many.
    """
    if not is_sweep(overrides):
        yield overrides
        return
    flags = [i for i, word in enumerate(overrides) if word in ("--config-dir", "-cd")]
    folders = [overrides[i + j] for i in flags for j in (0, 1)]
    words = [w for i, w in enumerate(overrides) if not w.startswith("-") and i - 1 not in flags]
    found = OverridesParser.create().parse_overrides(words)
    check_number_of_runs(found)
    choices = [_choices(override) for override in found]
    yield from ([*point, *folders] for point in itertools.product(*choices))


def _choices(override: Override) -> list[str]:
    """The words that one word of a sweep stands for, in hydra's order."""
    key = override.get_key_element()
    if override.is_sweep_override():
        return [f"{key}={value}" for value in override.sweep_string_iterator()]
    return [f"{key}={override.get_value_element_as_str()}"]
