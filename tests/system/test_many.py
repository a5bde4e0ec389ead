"""Many points in one run: the bits of each alone, one compilation for all, and errors that stay with their point."""

import numpy as np
import pytest

import nmjmc
from nmjmc.api import Point, simulate_many
from nmjmc.errors import NmjmcError, SimulationError, Status, ValidationError
from nmjmc.kernel import batch, programs
from tests.system.test_reproducible import small

HOW = {"duration": 0.2, "record_interval": 0.01}


def points(count, vesicles=2, diffusion=True):
    found = []
    for i, d in enumerate(np.linspace(2000, 9000, count)):
        changes = {
            "receptor.density": f"{d:g} /um^2",
            "receptor.opening_rate": f"{20000 + 2 * d:g} /s",
            "vesicle.pore_speed": f"{5 + d / 1000:g} nm/ms",
            "cleft.diffusion": f"{400 + diffusion * (d / 50 - 100):g} um^2/s",
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
@pytest.mark.parametrize("vesicles", [2, 5, 40])
def test_a_point_has_its_own_bits_in_any_company(vesicles):
    asked = points(7, vesicles)
    found = dict(simulate_many(asked))
    assert sorted(found) == list(range(7))
    for at in (0, 3, 6):
        assert found[at].conserved() and found[at].seed == at
        assert_alone_the_same(asked[at], found[at])


@pytest.mark.unit
def test_points_that_differ_only_in_numbers_compile_once(monkeypatch):
    made = {}
    sound = programs.Programs._fetch_or_compile

    def counted(self, key, function, args, static):
        if key[1].id == 0:  # each of the tests' devices has programs of its own
            made[key] = (function.__name__, static.get("shape"))
        return sound(self, key, function, args, static)

    monkeypatch.setattr(programs.Programs, "_fetch_or_compile", counted)
    monkeypatch.setattr(programs, "_COMPILED", {})
    # diffusion would change the length of the steps, and only points with the same steps ride together
    assert len(dict(simulate_many(points(100, 1, diffusion=False)))) == 100
    # what is compiled in is the same for all; a chunk's program is made for a few lengths of its lists
    chunks = [shape for name, shape in made.values() if name == "run_chunk"]
    assert len(set(chunks)) == 1, chunks
    assert len(chunks) <= 12, chunks
    assert sum(name == "_prepare_args" for name, _ in made.values()) == 1, made


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
    for at, result in simulate_many(asked):
        assert_alone_the_same(asked[at], result)


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
    other = Point(small(), vesicles=2, seed=1, duration=0.1, record_interval=0.01)
    stepped = Point(small(), vesicles=2, seed=1, numerics={"transport": "stepped"}, **HOW)
    asked = [*points(2), other, stepped]
    found = dict(simulate_many(asked))
    assert len(found[2].time) == 11 and found[3].conserved()
    assert_alone_the_same(asked[1], found[1])


@pytest.mark.unit
def test_a_point_that_cannot_be_right_keeps_its_error_to_itself():
    wrong = Point(small(), vesicles=0, **HOW)
    late = Point(small(**{"vesicle.times": [0.5]}), vesicles=1, **HOW)
    wide = Point(small(), vesicles=1, numerics={"batch": 2**29}, **HOW)
    found = dict(simulate_many([*points(2), wrong, late, wide]))
    assert all(isinstance(found[at], ValidationError) for at in (2, 3, 4))
    assert found[0].conserved() and found[1].conserved()


@pytest.mark.unit
def test_a_point_that_fails_in_company_is_told_from_the_others(monkeypatch):
    sound = batch.Batch.advance

    def faulty(self):
        if 3 in {point.seed for point in self.points}:
            raise SimulationError(Status.NON_FINITE, "planted")
        return sound(self)

    monkeypatch.setattr(batch.Batch, "advance", faulty)
    found = dict(simulate_many(points(6)))
    failed = [at for at, result in found.items() if isinstance(result, NmjmcError)]
    assert failed == [3] and found[2].conserved() and found[4].conserved()


@pytest.mark.unit
def test_a_caller_may_leave_in_the_middle():
    for at, result in simulate_many(points(40)):
        assert at >= 0 and result.conserved()
        break  # the lanes stop, and nothing hangs
