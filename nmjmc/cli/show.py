"""`nmjmc show FILE`: the table of a result of any kind, its parameters, and its figure if one is asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmjmc import presets
from nmjmc.cli import fit_report, report
from nmjmc.cli.file_words import one_path
from nmjmc.data.examination import Examination
from nmjmc.data.fits import FitRecord
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError
from nmjmc.synapse.build import describe
from nmjmc.yaml_file import to_yaml

if TYPE_CHECKING:
    from nmjmc.results import Held

_KEYS = ("figure", "config")


def command(words: list[str]) -> int:
    """Run `nmjmc show FILE [figure=PATH] [config=true]`, or `nmjmc show preparation=NAME`.

    Raises:
        ValidationError: If there is no such result, or an option is unknown.
    """
    group, equals, name = words[0].partition("=") if len(words) == 1 else ("", "", "")
    if equals and group in presets.groups():
        sys.stdout.write(presets.as_text(group, name) + "\n")
        return 0
    file, options = one_path(
        words, "show", _KEYS, "one result file", "nmjmc show outputs/NAME/result.h5 figure=mepc.png"
    )
    if options.get("config", "false").lower() not in ("true", "false"):
        raise ValidationError("config", repr(options["config"]), "true or false")
    from nmjmc.results import load
    from nmjmc.viz.draw import plot

    loaded = load(file)
    if options.get("config", "false").lower() == "true":
        sys.stdout.write(to_yaml(_config(loaded)))
    _print(loaded)
    if "figure" in options:
        plot(loaded, options["figure"])
        report.console().print(f"Drawn in {Path(options['figure'])}.")
    return 0


def _print(held: Held) -> None:
    """The table of a result of any kind."""
    if isinstance(held, Examination):
        report.print_examination(held)
    elif isinstance(held, FitRecord):
        fit_report.print_fit(held.summary())
    elif isinstance(held, Result):
        report.print_result(held.summary())
        made = held.provenance
        keys = ("created", "version_nmjmc", "version_jax", "precision", "git_revision")
        if told := {key: str(made[key]) for key in keys if made.get(key)}:
            report.print_pairs("made by", told)
    else:
        report.console().print(str(held), soft_wrap=True)


def _config(held: Held) -> Mapping[str, Any]:
    """The config inside a result.

    Raises:
        ValidationError: If there is none.
    """
    if isinstance(held, Examination):
        return held.config
    if isinstance(held, Result):
        return {**held.settings, "seed": held.seed, **describe(held.synapse)}
    raise ValidationError("config", "true", "given for a result of simulate or of a bedside test")
