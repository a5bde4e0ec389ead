"""The event kernel within `jax.jit`: the same bits as when it is launched."""

import jax
import numpy as np
import pytest

pytest.importorskip("warp")
from nmjmc.kernel import simulate
from nmjmc.kernel.event import start
from nmjmc.kernel.host.job import Members
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import release
from tests.system.test_reproducible import DURATION, INTERVAL, small


def batch(job):
    from nmjmc.kernel.event.batch import EventBatch

    contents = release.contents(small().vesicle, 9, 0, 3)
    return EventBatch(job, Members(np.zeros(3, int), np.arange(3), contents), "cpu")


@pytest.mark.unit
def test_a_jitted_program_follows_patches_to_the_same_bits():
    from nmjmc.kernel.event.door import arrays_of, door

    start.make_ready("cpu")
    job = simulate.make_job(small(), 9, DURATION, INTERVAL, Numerics(executor="warp"))
    launched, called = batch(job), batch(job)
    follow = door(called.state, job.interval)
    ends = (3, len(job.substeps))

    @jax.jit
    def whole(arrays):
        for end in ends:
            arrays = follow(end, arrays)
        return arrays, jax.numpy.sum(arrays.tally)

    before = arrays_of(called.state)
    kept = [np.asarray(array).copy() for array in before]
    after, total = whole(before)
    launched.state.follow(ends[-1], job.interval)
    for name in ("tally", "sites", "reports"):
        np.testing.assert_array_equal(
            getattr(after, name), getattr(launched.state, name).numpy(), err_msg=name
        )
    assert int(total) == launched.state.tally.numpy().sum() > 0
    # what was given is left as it was
    for array, copy in zip(before, kept, strict=True):
        np.testing.assert_array_equal(array, copy)
