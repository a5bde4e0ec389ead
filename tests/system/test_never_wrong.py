"""Planted faults: each is refused or found, in one sentence; none gives a wrong number in silence."""

import dataclasses

import numpy as np
import pytest

import nmjmc
from nmjmc.errors import SimulationError, Status, ValidationError
from nmjmc.kernel import simulate as kernel
from nmjmc.kernel.jax_pass.batch import Batch
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import run
from nmjmc.synapse import replace
from tests.system.test_reproducible import small

HOW = {"vesicles": 8, "seed": 9, "duration": 0.3, "record_interval": 0.01}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("numerics", "field"),
    [
        ({"longest_step": 0.1}, "numerics.longest_step"),
        ({"longest_step": 2e-3, "step_scale": 20.0}, "numerics.longest_step"),
        ({"longest_step": float("nan")}, "numerics.longest_step"),
        ({"longest_step": -1e-3}, "numerics.longest_step"),
        ({"shortest_step": 0.0}, "numerics.shortest_step"),
        ({"growth_time": float("inf")}, "numerics.growth_time"),
        ({"step_scale": 0.0}, "numerics.step_scale"),
        ({"shortest_step": 1.0}, "numerics.shortest_step"),
        ({"shortest_step": 1e-9}, "numerics.shortest_step"),
        ({"batch": -1}, "numerics.batch"),
        ({"batch": 2**30}, "numerics.batch"),
        ({"chunk": 0}, "numerics.chunk"),
        ({"chunk": 10**6}, "numerics.chunk"),
        ({"view_interval": 1.0}, "numerics.view_interval"),
        ({"transport": "exactt"}, "numerics.transport"),
        ({"executor": "wrap"}, "numerics.executor"),
        ({"executor": "warp", "step_scale": 0.5}, "numerics.executor"),
        ({"executor": "warp", "batch": 2**30}, "numerics.batch"),
    ],
)
def test_impossible_numerics_are_refused(numerics, field):
    with pytest.raises(ValidationError, match="must be") as caught:
        run(small(), **HOW, numerics=Numerics(**numerics))
    assert caught.value.field == field
    assert str(caught.value).count("\n") == 0


@pytest.mark.unit
def test_a_long_step_by_its_scale_is_refused():
    # 100 times the default step is far longer than the mean time of a binding attempt
    with pytest.raises(ValidationError, match="step"):
        run(small(), **HOW, numerics=Numerics(step_scale=100.0))


@pytest.mark.unit
def test_too_few_receptors_for_the_cleft():
    with pytest.raises(ValidationError) as caught:
        run(replace(small(), "receptor.density", 1.0), **HOW)
    assert caught.value.field == "receptor.density"


@pytest.mark.unit
def test_more_memory_than_there_is_is_refused(monkeypatch):
    monkeypatch.setattr(kernel, "_physical_memory", lambda: 2.0**27)
    with pytest.raises(ValidationError, match="GiB") as caught:
        run(small(), **{**HOW, "vesicles": 10**6})
    assert caught.value.field == "vesicles"
    monkeypatch.setattr(kernel, "_physical_memory", lambda: 2.0**10)
    with pytest.raises(ValidationError, match="GiB") as caught:
        run(small(), **HOW)
    assert caught.value.field == "numerics.batch"


@pytest.mark.unit
def test_the_fastest_process_is_named_where_steps_are_too_short():
    with pytest.raises(ValidationError, match="a transition of a site takes 1 ns"):
        run(replace(small(), "receptor.closing_rate", "1e9 /s"), **HOW, numerics=Numerics(executor="jax"))


@pytest.mark.unit
def test_records_too_rare_for_the_default_step_are_told_as_such():
    with pytest.raises(ValidationError, match="a step is") as caught:
        how = {**HOW, "duration": 20.0, "record_interval": 10.0}
        run(small(), **how, numerics=Numerics(executor="jax"))
    assert caught.value.field == "record_interval"


@pytest.mark.unit
def test_a_duration_between_two_records_is_rounded_up_alike():
    how = {**HOW, "duration": 0.305, "vesicles": 1}
    needs = kernel.plan(small(), **{name: how[name] for name in ("vesicles", "duration", "record_interval")})
    record = run(small(), **how)
    assert needs.records == len(record.time) == 32
    assert record.time[-1] == pytest.approx(0.31)


def planted(monkeypatch, change, executor):
    """Let the kernel work with arrays that a fault has changed."""
    sound = kernel.lower

    def faulty(*args):
        return change(sound(*args))

    monkeypatch.setattr(kernel, "lower", faulty)
    return run(small(), **HOW, numerics=Numerics(batch=8, executor=executor))


@pytest.mark.unit
@pytest.mark.parametrize("executor", ["warp", "jax"])
@pytest.mark.parametrize("what", ["diffusion", "edge"])
def test_a_nan_is_found(monkeypatch, what, executor):
    def change(lowered):
        return lowered._replace(tables=lowered.tables._replace(**{what: np.float32(np.nan)}))

    with pytest.raises(SimulationError) as caught:
        planted(monkeypatch, change, executor)
    assert caught.value.status == Status.NON_FINITE


@pytest.mark.unit
@pytest.mark.parametrize("column", ["due", "x"])
def test_a_nan_in_the_course_of_a_run_is_found(monkeypatch, column):
    sound = Batch.advance

    def faulty(self):
        if self.at:
            if column == "due":
                self.state = self.state._replace(due=self.state.due.at[0, 0].set(np.nan))
            else:  # bits that are no number
                rows = self.state.rows.at[:, 0].set(np.uint32(0x7FC00000))
                self.state = self.state._replace(rows=rows)
        return sound(self)

    monkeypatch.setattr(Batch, "advance", faulty)
    with pytest.raises(SimulationError) as caught:
        run(small(), **HOW, numerics=Numerics(executor="jax", chunk=8))
    assert caught.value.status & Status.NON_FINITE
    assert "NaN" in str(caught.value)


@pytest.mark.unit
@pytest.mark.parametrize("executor", ["warp", "jax"])
def test_molecules_that_do_not_add_up_are_found(monkeypatch, executor):
    # an accounting by which binding takes no molecule from the cleft
    def change(lowered):
        wrong = lowered.stoichiometry.copy()
        wrong[0, lowered.names.index("free_ach")] = 0
        return lowered._replace(stoichiometry=wrong)

    with pytest.raises(SimulationError, match="add up") as caught:
        planted(monkeypatch, change, executor)
    assert caught.value.status & Status.CONSERVATION


def without_esterase():
    """Vesicles of one content whose molecules can only leave at the rim; both tests share their programs."""
    return small(**{"esterase.active_fraction": 0.0, "vesicle.content_cv": 0.0})


@pytest.mark.unit
def test_nothing_is_left_bound_in_the_end():
    # without esterase every molecule lets go and leaves at last: what remained would be a site that two events
    # changed at once
    record = run(without_esterase(), vesicles=32, seed=20, duration=40.0, record_interval=0.2)
    last = {name: int(values[:, -1].sum()) for name, values in record.counts.items()}
    assert last["AR"] == last["A2R"] == last["A2Ro"] == last["free_ach"] == 0
    assert last["escaped"] == 32 * 600
    assert all(values.min() >= 0 for values in record.counts.values())


@pytest.mark.unit
def test_a_slower_record_sees_the_same_mean():
    # rare records mean many passes a chunk; their number must not run out
    counts = [
        run(without_esterase(), vesicles=32, seed=20, duration=8.0, record_interval=interval).counts[
            "escaped"
        ][:, -1]
        for interval in (0.05, 0.2)
    ]
    error = np.hypot(*(c.std(ddof=1) for c in counts)) / np.sqrt(32)
    # false-positive rate 1e-6
    assert abs(counts[0].mean() - counts[1].mean()) < 4.9 * error


@pytest.mark.unit
def test_the_caller_may_stop_a_run():
    class Enough(Exception):
        pass

    def stop(progress):
        assert dataclasses.asdict(progress)["vesicles"] == 8
        raise Enough

    with pytest.raises(Enough):
        run(small(), **HOW, numerics=Numerics(batch=8), on_chunk=stop)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("preparation", "changes", "field"),
    [
        ("human", {"cleft.height": "0.3 um", "cleft.exit_radius": "0.5 um"}, "cleft.exit_radius"),
        ("slab", {"cleft.side": "0.05 um"}, "cleft.side"),
        ("human", {"vesicle.times": [20.0]}, "vesicle.times"),
        ("human", {"vesicle.times": [0.3]}, "vesicle.times"),
    ],
)
def test_what_the_kernel_cannot_do_is_refused(preparation, changes, field):
    with pytest.raises(ValidationError) as caught:
        run(nmjmc.preparation(preparation, **changes), **HOW)
    assert caught.value.field == field
