"""`nmjmc COMMAND`: picks the command and turns every expected error into one sentence and an exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from nmjmc.errors import NmjmcError, ValidationError, nearest

USAGE = """\
nmjmc COMMAND [KEY=VALUE ...]

  simulate   follow every ACh molecule of many vesicles; leaves result.h5, summary.json and mepc.png
             nmjmc simulate preparation=lizard receptor.density="3000 /um^2" vesicles=500 seed=7
             nmjmc simulate dry_run=true     the resolved config, time step, memory and predicted time
             nmjmc simulate --help           every setting and parameter
  show       print the table of a result:    nmjmc show outputs/NAME/result.h5 [figure=mepc.png]
  doctor     versions, devices, precision, cache, and a self-check against the mean field

  nmjmc --version, nmjmc --help
"""

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
    try:
        with _ending_on_request():
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
        return _say(f"{where}{error.strerror or error}; no result was written.", FAILED)
    except KeyboardInterrupt:
        return _say("Interrupted; no result was written.", INTERRUPTED)


@contextlib.contextmanager
def _ending_on_request() -> Iterator[None]:
    """Treat a request to end (SIGTERM) like Ctrl-C, so that temporary files are removed."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _say(sentence: str, code: int) -> int:
    sys.stderr.write(f"nmjmc: {sentence}\n")
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
    commands = _commands()
    if command not in commands:
        raise ValidationError("the command", command, "simulate, show or doctor", nearest(command, commands))
    return commands[command](rest)


def _commands() -> dict[str, Callable[[list[str]], int]]:
    """The commands by name; each imports what it needs when it is called."""

    def simulate(rest: list[str]) -> int:
        from nmjmc.cli.simulate import command

        return command(rest)

    def show(rest: list[str]) -> int:
        from nmjmc.cli.show import command

        return command(rest)

    def doctor(rest: list[str]) -> int:
        from nmjmc.cli.doctor import command

        return command(rest)

    return {"simulate": simulate, "show": show, "doctor": doctor}
