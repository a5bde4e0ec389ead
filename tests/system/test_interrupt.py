"""Signals: none is swallowed, the second ends at once, and none leaves a handler behind."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

import nmjmc
from nmjmc import ending
from nmjmc.cli.main import main
from nmjmc.ending import ending_on_request
from nmjmc.kernel import simulate as kernel
from nmjmc.kernel.host.meter import Meter
from tests.records import formula_run, stand_in_for_the_kernel

pytestmark = pytest.mark.system
NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1]
WORDS = ["vesicles=300", "seed=3", "duration=0.2 ms", "record_interval=0.1 ms", "hydra.run.dir=run"]


@pytest.fixture
def swallowed():
    """Sends a signal inside a callback of the garbage collector, where Python discards exceptions."""
    sent, wanted = [], []

    def callback(phase, info):
        if wanted and not sent:
            sent.append(1)
            os.kill(os.getpid(), wanted[0])
            sum(range(1000))  # the handler runs between two instructions of Python

    def send(number):
        wanted.append(number)
        gc.collect()
        assert sent

    gc.callbacks.append(callback)
    yield send
    gc.callbacks.remove(callback)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_in_a_callback_is_heard_at_the_next_look(number, swallowed):
    before = [signal.getsignal(n) for n in NUMBERS]
    reached = []
    with pytest.raises(KeyboardInterrupt), ending_on_request():
        swallowed(number)
        reached.append("after the signal")
        Meter(1, 1, 0.1, None).report(0, 1, 1, 0.0)
        reached.append("after a chunk")
    assert reached == ["after the signal"]
    assert [signal.getsignal(n) for n in NUMBERS] == before and not ending.asked()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_nothing_looked_at_is_told_at_the_end(swallowed):
    with pytest.raises(KeyboardInterrupt), ending_on_request():
        swallowed(signal.SIGTERM)


@pytest.mark.parametrize("command", ["simulate", "sweep"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_swallowed_signal_ends_a_command_between_its_pieces(
    command, swallowed, monkeypatch, tmp_path, capsys
):
    stand_in_for_the_kernel(monkeypatch, tmp_path)
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))  # no speed is known: blocks are short
    calls = []

    def ends(synapse, **arguments):
        calls.append(1)
        if len(calls) == 1:
            swallowed(signal.SIGTERM)
        return formula_run(synapse, **arguments)

    monkeypatch.setattr("nmjmc.kernel.simulate.run", ends)
    if command == "simulate":
        assert main(["simulate", *WORDS, "checkpoint=true"]) == 130
        assert "1 finished blocks are kept" in capsys.readouterr().err
    else:
        assert main(["sweep", "receptor.density=3000 /um^2,5000 /um^2", "vesicles=2", "folder=s"]) == 130
        assert "1 of 2 points are whole" in capsys.readouterr().err
    assert len(calls) == 1


def test_the_lanes_of_the_kernel_stop_at_a_request():
    """One lane hears of it between its chunks, and the other ends at its own next one."""
    meter, chunks = Meter(2, 1000, 0.1, None), [0, 0]

    def work(lane):
        while not meter.stop and chunks[lane] < 100_000:
            chunks[lane] += 1
            if chunks[lane] == 3:
                ending.ask()
            meter.report(lane, 1, 1, 0.0)
        return {}

    try:
        with pytest.raises(KeyboardInterrupt):
            kernel._in_lanes(work, 2, meter)
    finally:
        ending.forget()
    assert max(chunks) < 100_000


SCRIPT = """
    import os, signal, sys, time
    from nmjmc.ending import ending_on_request
    with ending_on_request():
        try:
            print("ready", flush=True)
            time.sleep(30)
        except KeyboardInterrupt:
            print("cleaning", flush=True)
            time.sleep(30)  # a clean-up that takes long
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(number):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)], stdout=subprocess.PIPE, text=True, env=environment
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "cleaning\n"
        process.send_signal(number)  # the echo of the first, as `timeout` sends it
        time.sleep(0.4)
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(timeout=20) == -number


def test_what_is_ignored_stays_ignored_and_other_threads_have_no_handlers():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_on_request():
            os.kill(os.getpid(), signal.SIGHUP)  # as under nohup
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    codes = []
    thread = threading.Thread(target=lambda: codes.append(main(["--version"])))
    thread.start()
    thread.join()
    assert codes == [0]


def test_the_library_leaves_no_handler_behind(monkeypatch, tmp_path):
    stand_in_for_the_kernel(monkeypatch, tmp_path)
    before = [signal.getsignal(n) for n in NUMBERS]
    nmjmc.simulate(nmjmc.preparation("human"), 2, duration=0.1, checkpoint=tmp_path / "c")
    main(["--version"])
    assert [signal.getsignal(n) for n in NUMBERS] == before
