"""Many points in one run: the bits of each alone, one compilation for all, and errors that stay with their point."""

import jax
import numpy as np
import pytest

import nmjmc
from nmjmc.api import Point, simulate_many
from nmjmc.cli.main import main
from nmjmc.errors import NmjmcError, SimulationError, Status, ValidationError
from nmjmc.kernel import many
from nmjmc.kernel.jax_pass import batch, programs
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import run
from tests.system.test_reproducible import small

# few records, small batches, and eight points of three vesicles wherever that will do: the tests share their programs
HOW = {"duration": 0.06, "record_interval": 0.02, "numerics": {"batch": 8, "executor": "jax"}}


@pytest.fixture(autouse=True)
def one_device(monkeypatch):
    """Each device has programs of its own; one is enough here (two lanes share it)."""
    monkeypatch.setattr("nmjmc.simulation.many.choose_devices", lambda wanted: jax.devices()[:1])


def points(count=8, vesicles=3):
    found = []
    for i, d in enumerate(np.linspace(2000, 9000, count)):
        changes = {
            "receptor.density": f"{d:g} /um^2",
            "receptor.opening_rate": f"{20000 + 2 * d:g} /s",
            "vesicle.pore_speed": f"{5 + d / 1000:g} nm/ms",
        }
        found.append(Point(small(**changes), vesicles=vesicles, seed=i, **HOW))
    return found


def assert_alone_the_same(point, result):
    alone = nmjmc.simulate(point.synapse, point.vesicles, point.seed, **HOW)
    assert alone.counts.keys() == result.counts.keys()
    np.testing.assert_array_equal(alone.content, result.content)
    np.testing.assert_array_equal(alone.time, result.time)
    for name, values in alone.counts.items():
        np.testing.assert_array_equal(values, result.counts[name], err_msg=name)


@pytest.mark.unit
def test_a_point_has_its_own_bits_in_any_company():
    """Batches of eight patches, of which each point takes two."""
    asked = points(vesicles=10)
    found = dict(simulate_many(asked))
    assert sorted(found) == list(range(8))
    assert all(result.conserved() and result.seed == at for at, result in found.items())
    assert_alone_the_same(asked[7], found[7])


@pytest.fixture
def compiled(monkeypatch):
    """The programs that are compiled, or fetched from the disk, while a test runs."""
    made = []
    sound = programs.Programs._fetch_or_compile

    def counted(self, key, function, args, static):
        made.append(function.__name__)
        return sound(self, key, function, args, static)

    monkeypatch.setattr(programs.Programs, "_fetch_or_compile", counted)
    monkeypatch.setattr(programs, "_COMPILED", {})
    return made


@pytest.mark.unit
def test_a_sweep_compiles_nothing_after_its_first_point(compiled, tmp_path):
    words = ["preparation=slab", "cleft.side=0.3 um", "vesicle.content_mean=300", "vesicles=1", "duration=0.1 ms",
             "record_interval=0.02 ms", "receptor.opening_rate=linspace(10000 /s, 50000 /s, 5)",
             "esterase.density=linspace(1000 /um^2, 3000 /um^2, 2)"]  # fmt: skip
    how = ["device=cpu", "progress=false", "results=false", "together=5", "numerics.executor=jax"]
    assert main(["sweep", *words, *how, f"folder={tmp_path / 's'}"]) == 0
    assert sorted(compiled) == ["begin", "follow"]


# what a user may edit, one number at a time, from the least to the most; runs are cut so short that few events happen
EDITS = [
    *({"receptor.density": density} for density in (500.0, 2000.0, 20_000.0)),
    *({"vesicle.content_mean": content} for content in (100.0, 3000.0, 50_000.0)),
    *({"esterase.density": density} for density in (500.0, 20_000.0)),
    *({"temperature": f"{celsius} degC"} for celsius in (5, 20, 40)),
    *({"receptor.opening_rate": f"{rate} /s"} for rate in (3000, 300_000)),
    *({"receptor.binding_rate": f"{rate} /M/s"} for rate in (1e7, 1e9)),
    {"cleft.height": "0.06 um"},
    {"vesicle.content_cv": 0.3},
    {"vesicle.pore_speed": "20 nm/ms"},
    {"vesicle.times": [0.0, 0.001], "vesicle.sites": [[0.0, 0.0], [0.1, 0.0]]},
]


@pytest.mark.unit
def test_edited_numbers_compile_nothing(compiled):
    """From the first run to the last: density, content, rates, temperature, vesicles, time, vesicles of a patch."""

    def shortly(vesicles=1, duration=0.002, interval=0.001, **changes):
        synapse = nmjmc.preparation("slab", **{"vesicle.content_mean": 1000.0, **changes})
        times = {"duration": duration, "record_interval": interval}
        record = run(synapse, vesicles=vesicles, seed=1, numerics=Numerics(executor="jax"), **times)
        assert (record.counts["released"][:, -1] > 0).all()

    for changes in EDITS:
        shortly(**changes)
    shortly(vesicles=1000, **{"vesicle.content_mean": 100.0})
    shortly(duration=0.5, interval=0.02, **{"vesicle.content_mean": 100.0})
    shortly(duration=50.0, interval=0.5, **{"vesicle.content_mean": 1.0, "receptor.density": 500.0})
    assert sorted(compiled) == ["begin", "follow"]


@pytest.mark.unit
def test_more_points_than_are_held_at_a_time(monkeypatch):
    monkeypatch.setattr(many, "_WINDOW", 3)
    asked = points()
    found = dict(simulate_many(asked))
    assert sorted(found) == list(range(8))
    assert_alone_the_same(asked[7], found[7])


@pytest.mark.unit
def test_a_bath_rides_along():
    # an open-channel blocker in the bath, of another concentration at each point
    base = {
        "cleft.side": "0.3 um", "vesicle.content_mean": 600.0, "receptor.scheme": "open_channel_block_drug",
        "receptor.blocking_rate": "1e7 /M/s", "receptor.unblocking_rate": "1000 /s",
    }  # fmt: skip
    asked = [
        Point(
            nmjmc.preparation("slab", **base, **{"receptor.bath": {"blocker": f"{dose} uM"}}),
            vesicles=3, seed=1, **HOW,
        )
        for dose in (1, 10, 100)
    ]  # fmt: skip
    found = dict(simulate_many(asked))
    assert_alone_the_same(asked[0], found[0])
    assert_alone_the_same(asked[2], found[2])


@pytest.mark.unit
def test_more_clocks_of_a_bath_than_molecules_are_all_kept():
    # a long run sets a clock at almost every receptor, so that the pool holds ten times as many clocks as molecules
    scheme = {
        "name": "blocked", "states": ["R", "AR", "A2R", "A2Ro", "RB"], "resting": "R", "conductance": {"A2Ro": 1},
        "transitions": [
            {"from": "R", "to": "AR", "rate": "binding_rate", "factor": 2, "binds": "ACh"},
            {"from": "AR", "to": "R", "rate": "unbinding_rate", "releases": "ACh"},
            {"from": "AR", "to": "A2R", "rate": "binding_rate", "binds": "ACh"},
            {"from": "A2R", "to": "AR", "rate": "unbinding_rate", "factor": 2, "releases": "ACh"},
            {"from": "A2R", "to": "A2Ro", "rate": "opening_rate"},
            {"from": "A2Ro", "to": "A2R", "rate": "closing_rate"},
            {"from": "R", "to": "RB", "rate": "blocking_rate", "binds": "drug"},
            {"from": "RB", "to": "R", "rate": "unblocking_rate", "releases": "drug"},
        ],
        "q10": {"binding_rate": 1, "unbinding_rate": 1, "opening_rate": 1, "closing_rate": 1, "blocking_rate": 1,
                "unblocking_rate": 1},
    }  # fmt: skip
    synapse = nmjmc.preparation(
        "slab", **{"receptor.scheme": scheme, "receptor.bath": {"drug": "1 uM"}, "receptor.q10": None,
                   "receptor.blocking_rate": "1e8 /M/s", "receptor.unblocking_rate": "100 /s",
                   "vesicle.content_mean": 1000},
    )  # fmt: skip
    result = nmjmc.simulate(synapse, 16, seed=2, duration=12.0, record_interval=0.04)
    assert result.conserved()
    # blocking and unblocking balance: half the receptors that hold no ACh, whose number is nearly constant
    free, blocked = result.counts["R"][:, -1].sum(), result.counts["RB"][:, -1].sum()
    assert abs(blocked / (free + blocked) - 0.5) < 4.9 * 0.5 / np.sqrt(
        free + blocked
    )  # false-positive rate 1e-6


@pytest.mark.unit
def test_points_of_other_kinds_run_beside():
    asked = points()
    other = Point(asked[0].synapse, vesicles=3, seed=1, **HOW | {"duration": 0.08})
    # other steps: in the same programs, but in a batch of their own
    faster = Point(
        nmjmc.replace(asked[7].synapse, "cleft.diffusion", "480 um^2/s"), vesicles=3, seed=7, **HOW
    )
    stepped = Point(small(), vesicles=3, seed=1, **HOW | {"numerics": {"transport": "stepped", "batch": 8}})
    found = dict(simulate_many([*asked, other, faster, stepped]))
    assert len(found[8].time) == 5 and found[10].conserved()
    assert_alone_the_same(asked[7], found[7])
    assert_alone_the_same(faster, found[9])


@pytest.mark.unit
def test_a_point_that_cannot_be_right_keeps_its_error_to_itself():
    wrong = Point(small(), vesicles=0, **HOW)
    late = Point(small(**{"vesicle.times": [0.5]}), vesicles=1, **HOW)
    wide = Point(small(), vesicles=1, **HOW | {"numerics": {"batch": 2**29}})
    found = dict(simulate_many([*points(), wrong, late, wide]))
    assert all(isinstance(found[at], ValidationError) for at in (8, 9, 10))
    assert found[0].conserved() and found[1].conserved()


@pytest.mark.unit
def test_a_point_that_fails_in_company_is_told_from_the_others(monkeypatch):
    sound = batch.Batch.advance

    def faulty(self):
        if self.point.seed == 3:
            raise SimulationError(Status.NON_FINITE, "planted")
        return sound(self)

    monkeypatch.setattr(batch.Batch, "advance", faulty)
    found = dict(simulate_many(points()))
    failed = [at for at, result in found.items() if isinstance(result, NmjmcError)]
    assert failed == [3] and all(found[at].conserved() for at in found if at != 3)


@pytest.mark.unit
def test_a_caller_may_leave_in_the_middle():
    for at, result in simulate_many(points()):
        assert at >= 0 and result.conserved()
        break  # the lanes stop, and nothing hangs
