"""`nmjmc show FILE`: the table of a result or of a bedside test, its parameters, and its figure if one is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

from nmjmc.cli import preset, report
from nmjmc.cli.words import one_file
from nmjmc.errors import ValidationError

_KEYS = ("figure", "config")


def command(words: list[str]) -> int:
    """Run `nmjmc show FILE [figure=PATH] [config=true]`, or `nmjmc show preparation=NAME`.

    Raises:
        ValidationError: If there is no such result, or an option is unknown.
    """
    group, equals, name = words[0].partition("=") if len(words) == 1 else ("", "", "")
    if equals and group in preset.groups():
        sys.stdout.write(preset.as_text(group, name) + "\n")
        return 0
    file, options = one_file(words, "show", _KEYS, "nmjmc show outputs/NAME/result.h5 figure=mepc.png")
    from nmjmc.cli import fit_report
    from nmjmc.data.examination import is_examination
    from nmjmc.data.hdf5 import load

    if is_examination(file):
        return _examination(file, options)
    if fit_report.show(Path(file)):
        return 0
    result = load(file)
    if options.get("config", "false").lower() not in ("true", "false"):
        raise ValidationError("config", repr(options["config"]), "true or false")
    if options.get("config", "false").lower() == "true":
        _print_config(result)
    report.print_result(result.summary())
    found = result.provenance
    keys = ("created", "version_nmjmc", "version_jax", "precision", "git_revision")
    report.print_pairs("made by", {key: str(found[key]) for key in keys if found.get(key)})
    if "figure" in options:
        result.plot(options["figure"])
        report.console().print(f"Drawn in {Path(options['figure'])}.")
    return 0


def _examination(file: str, options: dict[str, str]) -> int:
    """The table of a bedside test, and its figure if one is asked for."""
    from nmjmc.cli.config import as_yaml
    from nmjmc.data.examination import load_examination

    found = load_examination(file)
    if options.get("config", "false").lower() == "true":
        sys.stdout.write(as_yaml(found.config))
    report.print_examination(found)
    if "figure" in options:
        found.plot(options["figure"])
        report.console().print(f"Drawn in {Path(options['figure'])}.")
    return 0


def _print_config(result) -> None:
    from nmjmc.cli.config import as_yaml
    from nmjmc.synapse.build import describe

    whole = {**result.settings, "seed": result.seed, **describe(result.synapse)}
    sys.stdout.write(as_yaml(whole))
