"""Kills runs of a command at chosen moments, each in a fork of this process, and goes on with each.

Run as a script, so that everything is imported once and no device was started before a fork. All files are written by
`nmjmc.data.atomic`, which renames each into its place: killing before and after the n-th rename, for every n, takes
every moment between two written files.
"""

import json
import os
import random
import shutil
import signal
import sys
import time

import nmjmc.api
import nmjmc.cli.bedside
import nmjmc.cli.fit
import nmjmc.cli.simulate
import nmjmc.cli.sweep
import nmjmc.viz.mepc  # noqa: F401
from nmjmc.cli.main import main
from nmjmc.data import atomic
from nmjmc.kernel import many
from nmjmc.kernel import simulate as kernel
from tests.records import formula_many, formula_run

MOMENTS = 400  # more than any of these runs has


def dying(moment):
    """Let this process die at a moment: before its n-th rename (2 n) or after it (2 n + 1)."""
    seen, rename = [0], os.replace

    def reached():
        if seen[0] == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        seen[0] += 1

    def replace(*paths):
        reached()
        rename(*paths)
        reached()

    atomic.os.replace = replace


def run(folder, words, moment=None, seconds=None):
    """The exit code of a command in a folder, in a process of its own that may be killed: at a moment, or in time."""
    child = os.fork()
    if child == 0:
        os.makedirs(folder, exist_ok=True)
        os.chdir(folder)
        output = os.open("../output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if moment is not None:
            dying(moment)
        os._exit(main(words))
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def forget_quanta():
    """Let the next run make its quanta and write them down."""
    shutil.rmtree(os.path.join(os.environ["NMJMC_CACHE_DIR"], "quanta"), ignore_errors=True)


def kill_all(words, again, formulas, step, least):
    """Kill a run at every so many moments, and then in time until there were so many kills.

    Returns:
        The code of the run that was left in peace, and for each kill the codes of the killed run and of the next.
    """
    if formulas:
        kernel.run, many.run_many = formula_run, formula_many
    codes = [run("whole", words)]
    for moment in range(0, MOMENTS, step):
        forget_quanta()
        code = run(f"moment-{moment:03d}", words, moment)
        if code == 0:
            break
        codes.append([code, run(f"moment-{moment:03d}", again)])
    if len(codes) > least:
        return codes
    begun = time.monotonic()
    run("timed", words)
    took, dice = time.monotonic() - begun, random.Random(7)
    while len(codes) - 1 < least:
        forget_quanta()
        name = f"time-{len(codes)}"
        run(name, words, seconds=dice.uniform(0.05, 0.95) * took)  # it may have ended by itself
        codes.append([-signal.SIGKILL, run(name, again)])
    return codes


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    os.chdir(asked.pop("place"))
    sys.stdout.write(json.dumps(kill_all(**asked)) + "\n")
