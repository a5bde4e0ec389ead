"""`nmjmc COMMAND`: picks the command and turns every expected error into one sentence and an exit code."""

from __future__ import annotations

import contextlib
import functools
import importlib
import itertools
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nmjmc.cli import clock
from nmjmc.ending import ending_on_request
from nmjmc.errors import NmjmcError, NmjmcWarning, ValidationError, nearest
from nmjmc.folders import config_dir

USAGE = """\
nmjmc COMMAND [KEY=VALUE ...]

  simulate   follow every ACh molecule of many vesicles; leaves result.h5, summary.json and mepc.png
             nmjmc simulate preparation=lizard receptor.density="3000 /um^2" vesicles=500 seed=7
             nmjmc simulate dry_run=true     the resolved config, time step, memory and predicted time
             nmjmc simulate --help           every setting and parameter
  rns        repetitive nerve stimulation of a muscle, in health, disease and under drugs; leaves result.h5 and a figure
             nmjmc rns pathology=myasthenia_gravis:0.6 drug=pyridostigmine:"0.2 uM"
  sfemg      jitter and blocking of pairs of fibres       tof            train of four against the dose of a drug
  epp        endplate potentials, safety factor           dose_response  dose, occupancy and response
  epc        evoked current in voltage clamp, by ion      mepc           miniature currents, by ion
  twitch     force of a twitch and of a tetanus           chain          every stage from nerve to force, with traces
             nmjmc rns --help, and so on, tell every setting
  sweep      many points of parameters and settings, with a record of each; killed, it goes on where it was
             nmjmc sweep receptor.density="3000 /um^2,5000 /um^2" temperature=22,37 vesicles=100
             nmjmc sweep --help              lists, intervals, designs, options
  collect    a sweep as one netCDF-4 dataset and one CSV:   nmjmc collect outputs/sweep-NAME-HASH [out=FILE.nc]
  plot       a sweep in a picture:                          nmjmc plot outputs/sweep-NAME-HASH [kind=line|dose|map]
             [feature=amplitude,decay_time] [x=KEY] [y=KEY] [log=true] [out=FILE]
  fit        fit parameters to quantal data, with intervals; leaves fit.h5, fitted.yaml and figures
             nmjmc fit data=minis.abf data.bandwidth="5 kHz" fit.free=[receptor.closing_rate,vesicle.content_mean]
             nmjmc fit example=boyd_martin_1956                  a ready example, which needs no file
             nmjmc fit --help                every setting and kind of data; dry_run=true reads and checks
  read       what is in a recording or a table, how good it is and what it can be used for; leaves a picture
             nmjmc read cell.abf              nmjmc read "cells/*.abf"             nmjmc read --help
  quantal    quantal content, n, p and q, trains, noise of decays, release rate, intervals; each with its interval
             nmjmc quantal minis.abf          nmjmc quantal epcs.csv unit=nA quanta=minis.csv     nmjmc quantal --help
  show       print the table of a result or of a fit:   nmjmc show outputs/NAME/result.h5 [figure=mepc.png]
             print a preset with its units and sources:   nmjmc show preparation=human
  view       the molecules of a run as a page to turn and play:   nmjmc view outputs/NAME/result.h5 [out=FILE.html]
             nmjmc simulate numerics.view_interval="10 us" numerics.view_onset_interval="1 us" record_interval="1 us"
  film       the same as a film:                        nmjmc film outputs/NAME/result.h5 [out=film.mp4|film.gif]
             [seconds=10] [rate=25] [width=960]
  export     the molecules for OVITO, ParaView or CellBlender:   nmjmc export outputs/NAME/result.h5 out=FILE.xyz
             (or FILE.pvd, or FOLDER) [format=xyz|vtk|cellblender]
  rerun      simulate the config inside a result again, and compare:   nmjmc rerun outputs/NAME/result.h5
  doctor     versions, devices, precision, cache, and a self-check against the mean field

  nmjmc --version, nmjmc --help
"""

BEDSIDE = tuple(sorted(path.stem for path in (config_dir() / "bedside").glob("*.yaml")))
COMMANDS = (
    "simulate", *BEDSIDE, "sweep", "collect", "plot", "fit", "read", "quantal", "show", "view", "film", "export",
    "rerun", "doctor",
)  # fmt: skip

WITHOUT_SETTINGS = ("collect", "plot", "show", "view", "film", "export", "rerun", "doctor")

# Exit codes: 0 done, 1 the run failed, 2 the input was refused, 130 interrupted.
FAILED, REFUSED, INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Words after `nmjmc`; by default those of the process.

    Returns:
        The exit code: 0 done, 1 failed, 2 input refused, 130 interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is not None:
        clock.begin()
    try:
        with ending_on_request(), _plain_warnings():
            return _dispatch(words)
    except ValidationError as error:
        return _say(str(error), REFUSED)
    except NmjmcError as error:
        return _say(str(error), FAILED)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            # the reader of our output (`| head`) has left; there is nobody to tell
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or error}; what files there are, are whole.", FAILED)
    except KeyboardInterrupt as stop:
        return _say(str(stop) or "Interrupted; what files there are, are whole.", INTERRUPTED)


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    """Tell the package's own warnings as sentences, without the line of code that gave them."""
    before = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, NmjmcWarning):
            sys.stderr.write(f"nmjmc: {message}\n")
        else:
            before(message, category, *where, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


def _say(sentence: str, code: int) -> int:
    one = " ".join(line.strip() for line in sentence.splitlines())  # a file's name may have lines
    sys.stderr.write(f"nmjmc: {one}\n")
    return code


def _dispatch(words: list[str]) -> int:
    command, rest = (words[0], words[1:]) if words else ("--help", [])
    if command in ("--help", "-h", "help"):
        sys.stdout.write(USAGE)
        return 0
    if command == "--version":
        from nmjmc import __version__

        sys.stdout.write(f"nmjmc {__version__}\n")
        return 0
    if command not in COMMANDS:
        allowed = f"{', '.join(COMMANDS[:-1])} or {COMMANDS[-1]}"
        raise ValidationError("the command", command, allowed, nearest(command, COMMANDS))
    if command in WITHOUT_SETTINGS and any(word in ("--help", "-h") for word in rest):
        sys.stdout.write(_part_of_usage(command))
        return 0
    return _load(command)(rest)


def _part_of_usage(command: str) -> str:
    """The lines of the usage that tell of one command, which has no settings to list beyond them."""
    lines = USAGE.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith(f"  {command} "))
    more = itertools.takewhile(lambda line: line.startswith("   "), lines[first + 1 :])
    return "\n".join((f"nmjmc {command}", "", lines[first], *more, ""))


def _load(command: str) -> Callable[[list[str]], int]:
    """A command's function; its module is imported only now, with what it needs."""
    if command in BEDSIDE:
        return functools.partial(importlib.import_module("nmjmc.cli.bedside").command, command)
    return importlib.import_module(f"nmjmc.cli.{command}").command
