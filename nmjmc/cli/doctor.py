"""`nmjmc doctor`: what runs here, on what, and whether it gives the right answer."""

from __future__ import annotations

import time

from nmjmc.cli import report
from nmjmc.errors import ValidationError
from nmjmc.simulation.environment import environment
from nmjmc.simulation.self_check import DURATION, VESICLES, self_check


def command(words: list[str]) -> int:
    """Run `nmjmc doctor`; 0 if the self-check agrees, else 1.

    Raises:
        ValidationError: For an unknown word.
    """
    unknown = [word for word in words if word != "check=false"]
    if unknown:
        raise ValidationError("the words after doctor", repr(" ".join(unknown)), "check=false or none")
    for heading, pairs in environment().items():
        report.print_pairs(heading, pairs)
    if words:
        return 0
    started = time.perf_counter()
    checks = self_check()
    title = f"self-check: {VESICLES} vesicles of the human preparation, {DURATION:g} ms"
    report.print_pairs(title, {check.name: str(check) for check in checks})
    passed = all(check.passed for check in checks)
    words_after = "all is well" if passed else "something is wrong; please report the lines above"
    report.console().print(f"\n{words_after} ({time.perf_counter() - started:.1f} s)")
    return 0 if passed else 1
