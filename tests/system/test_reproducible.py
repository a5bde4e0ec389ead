"""The same bits of the pass of JAX, however the work is cut: batches, chunks, order, devices, restarts, tiles.

Those of the event kernel are in `test_event_kernel`.
"""

import dataclasses

import jax
import numpy as np
import pytest

import nmjmc
from nmjmc.kernel.host.job import Members
from nmjmc.kernel.jax_pass import arena, batch, claims, follow, programs
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import release
from nmjmc.kernel.simulate import make_job, run
from nmjmc.synapse import replace

VESICLES, DURATION, INTERVAL = 8, 0.3, 0.01


def small(**changes):
    """A small canonical quantum with a spread of contents."""
    synapse = nmjmc.preparation("slab")
    given = {"cleft.side": "0.3 um", "vesicle.content_mean": 600.0, "vesicle.content_cv": 0.2}
    for path, value in (given | changes).items():
        synapse = replace(synapse, path, value)
    return synapse


def simulated(*, vesicles=VESICLES, seed=9, synapse=None, numerics=None, **how):
    return run(
        synapse or small(),
        vesicles=vesicles,
        seed=seed,
        duration=DURATION,
        record_interval=INTERVAL,
        numerics=numerics or Numerics(batch=VESICLES, executor="jax"),
        **how,
    )


@pytest.fixture(scope="module")
def whole():
    return simulated()


def assert_same(found, expected, rows=slice(None)):
    np.testing.assert_array_equal(found.content, expected.content[rows])
    assert found.counts.keys() == expected.counts.keys()
    for name, values in found.counts.items():
        np.testing.assert_array_equal(values, expected.counts[name][rows], err_msg=name)
    np.testing.assert_array_equal(found.transitions, expected.transitions[rows])


@pytest.mark.unit
def test_run_twice(whole):
    assert_same(simulated(), whole)
    assert not np.array_equal(simulated(seed=10).counts["A2Ro"], whole.counts["A2Ro"])


@pytest.mark.unit
@pytest.mark.parametrize("size", [1, 4])
def test_batch_size(whole, size):
    assert_same(simulated(numerics=Numerics(batch=size, executor="jax")), whole)


@pytest.mark.unit
@pytest.mark.parametrize("length", [1, 7])
def test_chunk_length(whole, length):
    assert_same(simulated(numerics=Numerics(batch=VESICLES, chunk=length, executor="jax")), whole)


@pytest.mark.unit
def test_order_of_vesicles(whole):
    # the second half before the first, in batches that are not full
    four = Numerics(batch=4, executor="jax")
    assert_same(simulated(vesicles=3, first_vesicle=5, numerics=four), whole, slice(5, 8))
    assert_same(simulated(vesicles=5, numerics=four), whole, slice(0, 5))


@pytest.mark.unit
def test_number_of_devices(whole):
    assert len(jax.devices()) >= 2, "the tests force two devices of the host"
    assert_same(simulated(devices=jax.devices()[:2], numerics=Numerics(batch=4, executor="jax")), whole)


@pytest.mark.unit
@pytest.mark.parametrize("name", ["slab", "human"])
def test_all_bits_of_a_patch_are_those_without_company(name):
    """The whole state, where the counts would show a last bit that is wrong in one patch of hundreds only."""
    synapse = nmjmc.preparation(name, **{"vesicle.content_mean": 1500, "vesicle.content_cv": 0.1})
    job = make_job(synapse, 3, 0.06, 0.02, Numerics(executor="jax"))
    contents = release.contents(synapse.vesicle, 3, 0, 4)

    def followed(first, count):
        members = Members(
            np.zeros(count, int), np.arange(first, first + count), contents[first : first + count]
        )
        found = batch.Batch(job, members, programs.Programs(jax.devices()[0]))
        while not found.done:
            found.advance()
        return found

    alone, together = followed(2, 1), followed(0, 4)
    (count,), sites, begin = contents[2], int(alone.own.sites), int(together.own.first[2])
    mine, theirs = alone.state, together.state
    np.testing.assert_array_equal(mine.rows[:count], theirs.rows[begin : begin + count])
    np.testing.assert_array_equal(mine.due.T.ravel()[:count], theirs.due.T.ravel()[begin : begin + count])
    np.testing.assert_array_equal(mine.sites[:sites], theirs.sites[2 * sites : 3 * sites])


@pytest.mark.unit
def test_length_of_the_tile(whole, monkeypatch):
    # many tiles in a window: who comes first to a site does not hang on where they begin
    monkeypatch.setitem(follow.LAYOUTS, "cpu", follow.Layout(64, 512))
    assert_same(simulated(), whole)


@pytest.mark.unit
def test_claims_are_wiped_when_their_dates_run_out(whole, monkeypatch):
    # so few dates that a chunk is cut into pieces of some windows
    monkeypatch.setattr(claims, "dates", lambda tile: arena.smallest("cpu").slots // tile + 30)
    assert_same(simulated(), whole)


@pytest.mark.unit
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    from nmjmc.kernel import simulate as kernel

    how = {"vesicles": 8, "seed": 9, "duration": DURATION, "record_interval": INTERVAL, "device": "cpu"}
    how["numerics"] = dataclasses.asdict(Numerics(batch=4, executor="jax"))
    expected = nmjmc.simulate(small(), **how)
    plain, blocks = kernel.run, []

    def killed(*args, **kwargs):
        blocks.append(kwargs["first_vesicle"])
        if len(blocks) == 2:
            raise KeyboardInterrupt
        return plain(*args, **kwargs)

    folder = tmp_path / "checkpoint"
    monkeypatch.setattr(kernel, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        nmjmc.simulate(small(), **how, checkpoint=folder, checkpoint_vesicles=4)
    assert blocks == [0, 4]
    assert len(list(folder.glob("*.h5"))) == 1
    found = nmjmc.simulate(small(), **how, checkpoint=folder, checkpoint_vesicles=4)
    # the first block was not run again
    assert blocks == [0, 4, 4]
    for name, values in found.counts.items():
        np.testing.assert_array_equal(values, expected.counts[name], err_msg=name)
    np.testing.assert_array_equal(found.content, expected.content)
    # the blocks stay until the caller has saved the result
    assert folder.exists()


@pytest.mark.unit
def test_distant_quanta_do_not_depend_on_their_batch():
    # several vesicles in one patch, at their own times and sites
    sites, times = np.array([[0.05, 0.0], [-0.05, 0.02]]), np.array([0.0, 0.1])
    synapse = small()
    vesicle = dataclasses.replace(synapse.vesicle, sites=sites, times=times)
    synapse = dataclasses.replace(synapse, vesicle=vesicle)
    first = simulated(vesicles=4, synapse=synapse, numerics=Numerics(batch=4, executor="jax"))
    assert_same(
        simulated(vesicles=2, synapse=synapse, numerics=Numerics(batch=2, executor="jax")), first, slice(0, 2)
    )
    released = first.counts["released"]
    assert np.all(released[:, 5] < released[:, -1])
    np.testing.assert_array_equal(released[:, -1], first.content)
