"""The event kernel: the same bits however the work is cut, nothing compiled for a number, faults found."""

import dataclasses

import jax
import numpy as np
import pytest

import nmjmc
from experiments.executors.run import DESENSITISING, PRIMED
from nmjmc.api import Point, simulate_many
from nmjmc.errors import SimulationError, Status, ValidationError
from nmjmc.kernel import executor
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.physics import random
from nmjmc.kernel.simulate import run
from tests.system.test_reproducible import DURATION, INTERVAL, VESICLES, assert_same, small

pytest.importorskip("warp")
WARP = Numerics(executor="warp")


def simulated(
    *, vesicles=VESICLES, seed=9, synapse=None, duration=DURATION, interval=INTERVAL, how=None, **numerics
):
    numerics = dataclasses.replace(WARP, **numerics)
    return run(
        synapse or small(), vesicles=vesicles, seed=seed, duration=duration, record_interval=interval,
        numerics=numerics, **(how or {}),
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole():
    return simulated()


@pytest.mark.system
def test_run_twice(whole):
    assert_same(simulated(), whole)
    assert not np.array_equal(simulated(seed=10).counts["A2Ro"], whole.counts["A2Ro"])


@pytest.mark.system
@pytest.mark.parametrize("numerics", [{"batch": 1}, {"batch": 3}, {"chunk": 1}, {"chunk": 7, "batch": 5}])
def test_batches_and_chunks_change_no_bit(whole, numerics):
    assert_same(simulated(**numerics), whole)


@pytest.mark.system
def test_order_of_vesicles_and_threads_change_no_bit(whole):
    assert_same(simulated(vesicles=3, how={"first_vesicle": 5}), whole, slice(5, 8))
    assert len(jax.devices()) >= 2, "the tests force two devices of the host: two threads at least"
    assert_same(simulated(batch=1, how={"devices": jax.devices()[:2]}), whole)
    assert_same(simulated(batch=8, how={"devices": jax.devices()[:1]}), whole)


@pytest.mark.system
@pytest.mark.parametrize(("name", "value"), [("_PAGE", 0.003), ("_PAGE", 0.2)])
def test_the_calendar_orders_exactly_whatever_its_pages(whole, monkeypatch, name, value):
    from nmjmc.kernel.event import batch

    monkeypatch.setattr(batch, name, value)
    assert_same(simulated(), whole)


@pytest.mark.system
def test_few_buckets_change_no_bit(whole, monkeypatch):
    from nmjmc.kernel.host import size

    monkeypatch.setattr(size, "buckets", lambda molecules: 16)
    assert_same(simulated(), whole)


@pytest.mark.system
def test_a_pool_that_was_too_short_is_lengthened_in_the_midst(whole, monkeypatch):
    from nmjmc.kernel.event import batch
    from nmjmc.kernel.host import size

    grown, sound = [], batch.EventBatch._grow
    monkeypatch.setattr(size, "slots", lambda molecules: int(molecules))
    monkeypatch.setattr(batch.EventBatch, "_grow", lambda self: grown.append(1) or sound(self))
    assert_same(simulated(), whole)
    assert grown


@pytest.mark.system
def test_a_killed_run_goes_on_to_the_same_bits_and_executors_do_not_mix(tmp_path, monkeypatch):
    from nmjmc.kernel import simulate as kernel

    how = {"vesicles": 8, "seed": 9, "duration": DURATION, "record_interval": INTERVAL, "device": "cpu"}
    expected = nmjmc.simulate(small(), **how, numerics={"executor": "warp"})
    plain, blocks = kernel.run, []

    def killed(*args, **kwargs):
        blocks.append((kwargs["first_vesicle"], kwargs["numerics"].executor))
        if len(blocks) == 2:
            raise KeyboardInterrupt
        return plain(*args, **kwargs)

    monkeypatch.setattr(kernel, "run", killed)
    kept = {"checkpoint": tmp_path / "checkpoint", "checkpoint_vesicles": 4}
    with pytest.raises(KeyboardInterrupt):
        nmjmc.simulate(small(), **how, **kept)
    found = nmjmc.simulate(small(), **how, **kept)
    assert blocks == [(0, "warp"), (4, "warp"), (4, "warp")]
    for name, values in found.counts.items():
        np.testing.assert_array_equal(values, expected.counts[name], err_msg=name)
    # blocks of another executor are not taken for its own
    with pytest.raises(ValidationError, match="another run"):
        nmjmc.simulate(small(), **how, **kept, numerics={"executor": "jax"})


@pytest.mark.system
def test_a_result_names_its_executor_and_is_repeated_by_it(tmp_path):
    how = {"vesicles": 2, "seed": 9, "duration": 0.05, "record_interval": 0.01}
    result = nmjmc.simulate(small(), **how)
    assert result.provenance["executor"] == "warp" == result.settings["numerics"]["executor"]
    assert result.provenance["version_warp"] == executor.version()
    again = nmjmc.load(result.save(tmp_path / "result.h5")).rerun()
    assert again.provenance["executor"] == "warp"
    np.testing.assert_array_equal(again.counts["A2Ro"], result.counts["A2Ro"])
    # a result from before there was a choice was made by the pass of JAX
    numerics = {k: v for k, v in result.settings["numerics"].items() if k != "executor"}
    old = dataclasses.replace(result, settings={**result.settings, "numerics": numerics})
    assert old.rerun().provenance["executor"] == "jax"


@pytest.mark.system
def test_auto_says_why_it_takes_jax(monkeypatch, caplog):
    device = jax.devices()[0]
    human = nmjmc.preparation("human")
    assert executor.settled(Numerics(), human, device).executor == "warp"
    with caplog.at_level("INFO", logger="nmjmc"):
        folded, steps = nmjmc.preparation("folded"), Numerics(transport="stepped", diffusion_step=1e-4)
        assert executor.settled(Numerics(step_scale=0.5), folded, device).executor == "warp"
        assert executor.settled(steps, human, device).executor == "warp"
        assert not caplog.text
        assert executor.settled(Numerics(step_scale=0.5), human, device).executor == "jax"
        assert "step_scale" in caplog.text
        monkeypatch.setattr(executor, "installed", lambda: False)
        assert executor.settled(Numerics(), human, device).executor == "jax"
        assert "pip install warp-lang" in caplog.text
    with pytest.raises(ValidationError, match="not installed"):
        executor.settled(WARP, human, device)


@pytest.mark.system
def test_points_that_ride_together_have_the_bits_of_each_alone():
    how = {"duration": 0.06, "record_interval": 0.02}
    asked = [
        Point(small(**{"receptor.density": 2000.0 + 900 * i, "receptor.opening_rate": 20.0 + 2 * i,
                       "vesicle.content_mean": 300.0 + 200 * i, "vesicle.pore_speed": 0.005 + 0.001 * i}),
              vesicles=3, seed=i, **how)
        for i in range(6)
    ]  # fmt: skip
    for at, result in simulate_many(asked):
        assert result.provenance["executor"] == "warp" and result.conserved()
        alone = nmjmc.simulate(asked[at].synapse, 3, at, **how)
        for name, values in alone.counts.items():
            np.testing.assert_array_equal(values, result.counts[name], err_msg=name)


EDITS = [
    ("receptor.density", 500.0), ("receptor.density", 20000.0), ("vesicle.content_mean", 100.0),
    ("vesicle.content_mean", 50000.0), ("receptor.binding_rate", 0.1), ("receptor.binding_rate", 10.0),
    ("receptor.opening_rate", 10.0), ("receptor.closing_rate", 0.1), ("receptor.unbinding_rate", 10.0),
    ("esterase.binding_rate", 0.1), ("temperature", 5.0), ("temperature", 40.0),
]  # fmt: skip


@pytest.mark.system
def test_no_number_compiles_anything(whole):
    """After a first run: densities, contents, rates, temperatures, lengths, vesicles and vesicles a patch, sets."""
    from nmjmc.kernel.event import follow

    compiled, module = [], follow.follow.module
    jax.monitoring.register_event_duration_secs_listener(lambda name, *_, **__: compiled.append(name))
    begun = len(compiled)
    loads, sound = [], module._compile
    module._compile = lambda *args, **kwargs: loads.append(1) or sound(*args, **kwargs)
    try:
        for path, value in EDITS:
            factor = value if path.endswith("_rate") else None
            synapse = small()
            given = float(nmjmc.get(synapse, path)) * factor if factor else value
            simulated(vesicles=1, synapse=nmjmc.replace(synapse, path, given), duration=0.02)
        for vesicles, duration, interval in ((1, 0.5, 0.01), (70, 0.02, 0.01), (1, 500.0, 5.0)):
            simulated(vesicles=vesicles, duration=duration, interval=interval)
        several = {"sites": np.array([[0.05, 0.0], [-0.05, 0.0]]), "times": np.array([0.0, 0.01])}
        synapse = small()
        synapse = dataclasses.replace(synapse, vesicle=dataclasses.replace(synapse.vesicle, **several))
        simulated(vesicles=2, synapse=synapse, duration=0.02)
        assert len(dict(simulate_many([Point(small(), 1, i, 0.02, 0.01) for i in range(3)]))) == 3
    finally:
        del module._compile
    new = [name for name in compiled[begun:] if "compile" in name]
    assert not loads and not new, new


@pytest.mark.system
def test_no_number_compiles_anything_where_transport_is_by_steps():
    """Folds of other measures, flat clefts, densities, steps: one program for all."""
    from nmjmc.kernel.event import follow_steps

    simulated(synapse=creased(), vesicles=1, duration=0.02)
    module = follow_steps.follow_steps.module
    loads, sound = [], module._compile
    module._compile = lambda *args, **kwargs: loads.append(1) or sound(*args, **kwargs)
    try:
        for changes in ({"cleft.fold_depth": 0.2}, {"cleft.fold_width": 0.03}, {"esterase.fold_density": 100.0},
                        {"receptor.density": 900.0}, {"temperature": 37.0}, {"cleft.rim": "reflecting"}):  # fmt: skip
            simulated(synapse=creased(**changes), vesicles=1, duration=0.02)
        simulated(vesicles=1, duration=0.02, transport="stepped")
        simulated(synapse=creased(), vesicles=1, duration=0.02, diffusion_step=1e-4)
    finally:
        del module._compile
    assert not loads


def creased(**changes):
    """A small cleft over folds."""
    cleft = {"exit_radius": 0.3, "fold_depth": 0.1, "fold_width": 0.05, "fold_spacing": 0.125}
    given = {f"cleft.{name}": value for name, value in cleft.items()}
    return nmjmc.preparation("folded", **{"vesicle.content_mean": 300.0, **given, **changes})


@pytest.mark.system
@pytest.mark.parametrize("kind", ["folded", "flat"])
def test_walks_have_the_same_bits_however_the_work_is_cut(kind, monkeypatch):
    from nmjmc.kernel.event import batch
    from nmjmc.kernel.host import size

    synapse = creased() if kind == "folded" else small()
    how = {"synapse": synapse, "vesicles": 4, "duration": 0.2, "interval": 0.02, "transport": "stepped"}
    whole = simulated(**how)
    assert_same(simulated(**how, batch=1, chunk=3), whole)
    assert_same(simulated(**{**how, "vesicles": 2}, how={"first_vesicle": 1}), whole, slice(1, 3))
    monkeypatch.setattr(size, "slots", lambda molecules: int(molecules))
    monkeypatch.setattr(batch, "_PAGE", 0.003)
    seen = simulated(**how, view_interval=0.1)
    assert_same(seen, whole)
    assert (
        np.isfinite(seen.views[:, :, 0]).sum(axis=1).tolist() == whole.counts["free_ach"][0, [5, 10]].tolist()
    )


@pytest.mark.system
@pytest.mark.parametrize("column", ["due", "x"])
def test_a_nan_in_the_course_of_a_run_is_found(monkeypatch, column):
    from nmjmc.kernel.event.batch import EventBatch

    sound = EventBatch.advance

    def faulty(self):
        pool = self.state.pools.numpy()
        pool[:, 1 if column == "due" else 2 :: 8] = 0x7FF80000 if column == "due" else 0x7FC00000
        return sound(self)

    monkeypatch.setattr(EventBatch, "advance", faulty)
    with pytest.raises(SimulationError) as caught:
        simulated()
    assert caught.value.status & Status.NON_FINITE


@pytest.mark.system
def test_host_and_device_draw_the_same_words():
    lineage = np.arange(64, dtype=np.uint32)
    key = random.host_keys(
        (np.full(64, 7, np.uint32), np.zeros(64, np.uint32)), lineage, random.Purpose.EVENT
    )
    there = random.vesicle_keys(random.seed_words(7), jax.numpy.asarray(lineage), random.Purpose.EVENT)
    for here, other in zip(key, there, strict=True):
        np.testing.assert_array_equal(here, np.asarray(other))


def far_apart(a, b):
    """Standard scores of the differences of two samples' means."""
    error = np.sqrt(a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b))
    return (a.mean(axis=0) - b.mean(axis=0)) / np.maximum(error, 1e-9)


slow = pytest.mark.slow  # each of these compiles the pass of JAX anew


@pytest.mark.stat
@pytest.mark.parametrize(
    "changes",
    [
        {},
        pytest.param({"cleft.rim": "reflecting"}, marks=slow),
        pytest.param(DESENSITISING, marks=slow),
        pytest.param(PRIMED, marks=slow),
        pytest.param({"esterase.active_fraction": 0.0}, marks=slow),
        pytest.param({"vesicle.pore_speed": 0.02}, marks=slow),
    ],
    ids=["absorbing", "reflecting", "desensitising", "primed", "no esterase", "pore"],
)
def test_both_executors_agree(changes):
    """Counts of all states at three moments; |z| < 5.3 for some 40 comparisons in all: false-positive rate 5e-6."""
    base = {"cleft.side": "0.3 um", "vesicle.content_mean": 600.0, "vesicle.content_cv": 0.2}
    synapse = nmjmc.preparation("slab", **base, **changes)
    how = {"vesicles": 96, "seed": 4, "duration": DURATION, "record_interval": INTERVAL}
    # in the batches of `test_reproducible`, for the programs that it compiles
    both = [run(synapse, **how, numerics=Numerics(executor=name, batch=VESICLES)) for name in ("warp", "jax")]
    for name in both[0].counts:
        sample = [np.asarray(r.counts[name], float)[:, [3, 10, 30]] for r in both]
        if name != "released":
            assert np.abs(far_apart(*sample)).max() < 5.3, (name, far_apart(*sample))
