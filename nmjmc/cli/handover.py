"""Handing over to hydra, which makes the folder of a run and calls its function, once or for each point of a sweep."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from nmjmc.cli.compose import REFUSALS, sentence
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
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # exceptions come to us, and we make sentences of them
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


def points(overrides: list[str]) -> Iterator[list[str]]:
    """The overrides of each point of a sweep."""
    words = [word for word in overrides if not word.startswith(("-", "hydra"))]
    sweeper = OverridesParser.create().parse_overrides(words)
    for batch in BasicSweeper.split_arguments(sweeper, max_batch_size=None):
        yield from (list(point) for point in batch)
