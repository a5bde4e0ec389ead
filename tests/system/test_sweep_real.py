"""Sweeps with the kernel itself: killed, shared by two processes, or out of room, they end with the same bits."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.cli.main import main
from nmjmc.data.sweep import DONE, Sweep

pytestmark = pytest.mark.slow
POINTS = 24
WORDS = ["preparation=slab", "cleft.side=0.3 um", "vesicle.content_mean=300", "duration=0.4 ms",
         "record_interval=0.02 ms", f"receptor.density=linspace(3000 /um^2, 9000 /um^2, {POINTS})", "vesicles=2",
         "device=cpu", "progress=false"]  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The sweep that nothing disturbs; it leaves its programs in the cache for the others."""
    folder = tmp_path_factory.mktemp("whole") / "s"
    assert main(["sweep", *WORDS, f"folder={folder}"]) == 0
    return folder


def begun(folder, *words):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "nmjmc", "sweep", *WORDS, f"folder={folder}", *words]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def assert_the_same(folder, whole):
    sweep, other = Sweep.open(folder), Sweep.open(whole)
    assert sweep.states() == dict.fromkeys(range(POINTS), DONE)
    for index in range(POINTS):
        found, expected = nmjmc.load(sweep.result_path(index)), nmjmc.load(other.result_path(index))
        for name, values in expected.counts.items():
            np.testing.assert_array_equal(found.counts[name], values, err_msg=f"{name} of point {index}")
    assert not list(folder.rglob("*.tmp"))


def test_killed_at_twenty_random_moments_it_ends_with_the_same_bits(whole, tmp_path):
    """At each kill what was whole stays as it was; a finished sweep is compared, removed, and begun again."""
    chance, folder, killed = random.Random(4), tmp_path / "s", 0
    finished = folder / "points"
    while killed < 20:
        before = {path: path.read_bytes() for path in finished.glob("*.done.json")}
        process = begun(folder, "together=3")
        end = time.monotonic() + 600
        while len(list(finished.glob("*.done.json"))) <= len(before) and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        killed += process.returncode == -signal.SIGKILL
        assert all(path.read_bytes() == record for path, record in before.items())
        if len(list(finished.glob("*.done.json"))) == POINTS:
            assert_the_same(folder, whole)
            shutil.rmtree(folder)
    assert main(["sweep", *WORDS, f"folder={folder}"]) == 0
    assert_the_same(folder, whole)


def test_two_processes_share_one_folder(whole, tmp_path):
    pair = [begun(tmp_path / "s", "together=2") for _ in range(2)]
    assert [process.communicate(timeout=900)[1] for process in pair] == ["", ""]
    assert [process.returncode for process in pair] == [0, 0]
    assert_the_same(tmp_path / "s", whole)
    log = (tmp_path / "s" / "nmjmc.log").read_text()
    done = [line.split("point ")[1] for line in log.splitlines() if line.endswith("is done")]
    assert len(done) == len(set(done)) == POINTS


def test_a_full_disk_leaves_whole_points(whole, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount") or "mount"
    try:
        made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)], check=False)
    except OSError:
        pytest.skip("there is no mount here")
    if made.returncode:
        pytest.skip("a small disk cannot be mounted here (that needs root)")
    try:
        process = begun(place / "s")
        assert "The disk is full" in process.communicate(timeout=900)[1] and process.returncode == 1
        finished = Sweep.open(place / "s").states()
        assert 0 < len(finished) < POINTS and set(finished.values()) == {DONE}
        shutil.copytree(place / "s", tmp_path / "s")
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
    assert main(["sweep", f"resume={tmp_path / 's'}"]) == 0
    assert_the_same(tmp_path / "s", whole)
