"""The package on a real Slurm: arrays of workers, failed points, preempted jobs, and several processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.data.sweep import DONE, FAILED, Sweep
from nmjmc.sweeps.slurm import states
from tests.cluster import slurm
from tests.cluster.slurm import wait_for

pytestmark = pytest.mark.system
PATIENCE = 900  # seconds, so that a busy machine fails no test and a fault hangs none
SMALL = ["preparation=slab", "cleft.side=0.3 um", "vesicle.content_mean=300", "duration=0.2 ms",
         "record_interval=0.02 ms", "device=cpu", "progress=false", "numerics.batch=32"]  # fmt: skip
FLAGS = " ".join(
    flag for flag in os.environ["XLA_FLAGS"].split() if "device_count" not in flag
)  # one device each
LARGE = "vesicle.content_mean=2000"  # ten seconds of work where a test ends a job amid it, so that Slurm is in time


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    reason = slurm.missing()
    if reason and os.environ.get("NMJMC_NEEDS_SLURM"):
        pytest.fail(reason)  # where it is installed for the tests, they may not be passed over in silence
    if reason:
        pytest.skip(reason)
    made = slurm.Slurm(tmp_path_factory.mktemp("slurm"))
    previous = signal.signal(
        signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT)
    )  # the daemons must end too
    root = str(Path(__file__).parents[2])
    for name, value in {"PYTHONPATH": root, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": FLAGS}.items():
        made.environment[name] = value
    try:
        made.start()
        yield made
    finally:
        made.stop()
        signal.signal(signal.SIGTERM, previous)


def nmjmc_words(*words):
    return [sys.executable, "-m", "nmjmc", *words]


def test_an_array_of_workers_runs_a_sweep_and_records_the_failing_point(cluster, tmp_path):
    """Two workers as a Slurm array; one of four points cannot be right, and the others go on."""
    words = ["sweep", "cleft.height=30 nm,50 nm", "vesicle.release_depth=0.1 nm,40 nm", "vesicles=8", *SMALL,
             "folder=s", "workers=2", "together=2", "hydra/launcher=submitit_slurm",
             "hydra.launcher.mem_gb=2"]  # fmt: skip
    done = subprocess.run(
        nmjmc_words(*words),
        cwd=tmp_path,
        env=cluster.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1, done.stderr
    assert "3 done, 1 failed, 0 missing" in done.stdout
    # at once: the controller forgets jobs after a while
    jobs = cluster.run("scontrol", "-o", "show", "job").splitlines()
    assert sum("ArrayTaskId=" in line for line in jobs) == 2
    sweep = Sweep.open(tmp_path / "s")
    assert [sweep.states()[index] for index in range(4)] == [DONE, FAILED, DONE, DONE]
    assert "cleft.height" in sweep.read(1, FAILED)["error"]["sentence"]
    here = nmjmc.load(sweep.result_path(3))
    again = here.rerun(device="cpu")
    assert all(np.array_equal(values, again.counts[name]) for name, values in here.counts.items())


def test_workers_that_are_left_run_a_sweep_and_collect_tells_of_them(cluster, tmp_path):
    """The command returns while both points wait; nobody waits for the array, and the points are run."""
    words = ["sweep", "cleft.height=30 nm,50 nm", "vesicles=8", *SMALL, "folder=s", "workers=2", "together=1",
             "hydra/launcher=submitit_slurm", "hydra.launcher.mem_gb=2", "detach=true"]  # fmt: skip
    run = {"cwd": tmp_path, "env": cluster.environment, "capture_output": True, "text": True}
    done = subprocess.run(nmjmc_words(*words), timeout=PATIENCE, check=False, **run)
    assert done.returncode == 0, done.stderr
    assert "Submitted 2 workers as job" in done.stdout and "nmjmc collect s" in done.stdout
    told = subprocess.run(nmjmc_words("collect", "s"), timeout=PATIENCE, check=False, **run)
    assert told.returncode == 0 and "submitted workers: " in told.stdout, told.stderr
    wait_for(lambda: len(Sweep.open(tmp_path / "s").states()) == 2, seconds=PATIENCE)
    told = subprocess.run(nmjmc_words("collect", "s"), timeout=PATIENCE, check=False, **run)
    assert "2 of 2 points are done" in told.stdout and "missing" not in told.stdout
    wrong = [*words, "hydra.launcher.partition=nowhere", "folder=w"]
    refused = subprocess.run(
        nmjmc_words(*[w for w in wrong if w != "folder=s"]), timeout=PATIENCE, check=False, **run
    )
    assert refused.returncode == 1 and "Traceback" not in refused.stderr
    assert refused.stderr.splitlines()[-1].startswith("nmjmc: The workers were not submitted: ")


def test_a_preempted_job_is_requeued_and_ends_with_the_same_bits(cluster, tmp_path):
    """A job of higher priority takes the node; Slurm ends ours with SIGTERM and queues it again."""
    blocks = 64  # of 128 vesicles
    words = [
        "simulate",
        *SMALL,
        LARGE,
        f"vesicles={128 * blocks}",
        "seed=3",
        "checkpoint=true",
        "hydra.run.dir=run",
    ]
    script = tmp_path / "job.sh"
    script.write_text(f"#!/bin/bash\nexec {subprocess.list2cmdline(nmjmc_words(*words))}\n")
    job = cluster.run(
        "sbatch", "--parsable", "--requeue", "-w", slurm.NODES[0], str(script), cwd=tmp_path
    ).strip()
    kept = tmp_path / "run" / "checkpoint"
    wait_for(lambda: len(list(kept.glob("vesicles_*.h5"))) >= 2, seconds=PATIENCE)
    cluster.run("sbatch", "-p", "high", "-w", slurm.NODES[0], "--wrap", "sleep 1", cwd=tmp_path)
    wait_for(lambda: "Restarts=1" in cluster.run("scontrol", "-o", "show", "job", job), seconds=300)
    finished = len(list(kept.glob("vesicles_*.h5")))
    wait_for(lambda: cluster.state(job) == "COMPLETED", seconds=PATIENCE)
    assert 2 <= finished < blocks
    run = nmjmc.load(tmp_path / "run")
    whole = run.rerun(device="cpu")
    assert all(np.array_equal(values, whole.counts[name]) for name, values in run.counts.items())


def test_a_killed_worker_is_told_and_its_points_are_run_by_the_next(cluster, tmp_path):
    """SIGKILL to all of a job: the launcher learns it from scontrol, and the sweep goes on in another process."""
    words = ["sweep", "seed=linspace(1, 40, 40)", "vesicles=160", *SMALL, LARGE, "folder=s", "together=1", "workers=1",
             "hydra/launcher=submitit_slurm", "hydra.launcher.mem_gb=2", "hydra.launcher.name=doomed"]  # fmt: skip
    folder = tmp_path / "s"
    with cluster.begun(nmjmc_words(*words), tmp_path) as driver:
        wait_for(
            lambda: len(list(folder.glob("points/*.done.json"))) >= 2 or driver.poll() is not None, PATIENCE
        )
        assert driver.poll() is None, (tmp_path / "errors").read_text()
        cluster.run("scancel", "--signal=KILL", "--full", "-n", "doomed")
        assert driver.wait(timeout=300) == 1
    told = (tmp_path / "errors").read_text()
    assert "Traceback" not in told and "A worker of the sweep ended" in told.splitlines()[-1]
    assert "nmjmc sweep resume=" in told
    before = Sweep.open(folder).states()
    assert 2 <= len(before) < 40 and set(before.values()) == {DONE}
    resumed = subprocess.run(
        nmjmc_words("sweep", "resume=s"), cwd=tmp_path, env=cluster.environment, timeout=PATIENCE
    )
    assert resumed.returncode == 0 and Sweep.open(folder).states() == dict.fromkeys(range(40), DONE)


def test_srun_makes_one_run_of_two_processes_with_the_bits_of_one(cluster, tmp_path):
    words = ["simulate", *SMALL, "vesicles=9", "seed=5"]
    two = nmjmc_words(*words, "distributed=auto", "hydra.run.dir=two")
    cluster.run("srun", "-N2", "-n2", "--mpi=none", *two, cwd=tmp_path, seconds=PATIENCE)
    assert_same_as_one_process(tmp_path / "two", tmp_path)


def test_two_processes_started_by_hand_have_the_bits_of_one(tmp_path):
    (port,) = slurm.free_ports(1)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "XLA_FLAGS": FLAGS}
    pair = [
        subprocess.Popen(
            nmjmc_words(
                "simulate", *SMALL, "vesicles=9", "seed=5", "hydra.run.dir=two", f"distributed=127.0.0.1:{port},2,{i}"
            ),
            cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for i in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=PATIENCE) for process in pair]
    assert [process.returncode for process in pair] == [0, 0], said
    assert "amplitude" in said[0][0] and "amplitude" not in said[1][0]
    assert_same_as_one_process(tmp_path / "two", tmp_path)


def assert_same_as_one_process(folder, tmp_path):
    found = nmjmc.load(folder)
    assert found.vesicles == 9 and found.provenance["processes"] == 2
    one = found.rerun(device="cpu")
    np.testing.assert_array_equal(found.content, one.content)
    for name, values in found.counts.items():
        np.testing.assert_array_equal(values, one.counts[name], err_msg=name)


def test_what_scontrol_says_is_read():
    text = (
        b"JobId=17 ArrayJobId=17 ArrayTaskId=2-3,5%2 JobName=x JobState=PENDING NodeList=\n"
        b"JobId=18 ArrayJobId=17 ArrayTaskId=1 JobState=RUNNING NodeList=n1\nJobId=20 JobState=FAILED\nnothing\n"
    )
    found = states(text)
    assert {name: state["State"] for name, state in found.items()} == {
        "17_2": "PENDING", "17_3": "PENDING", "17_5": "PENDING", "17_1": "RUNNING", "20": "FAILED",
    }  # fmt: skip
