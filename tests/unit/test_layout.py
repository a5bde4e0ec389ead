"""Few programs for many points: ladders of list lengths, room for what is to come, layouts that serve again."""

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmjmc.kernel.jax_pass import layout
from nmjmc.kernel.jax_pass.layout import Layout, Room, known_or_new
from nmjmc.kernel.jax_pass.lists import Lists

pytestmark = pytest.mark.unit
KIND = "a kind of points"


@given(first=st.floats(10, 1e6), dues=st.lists(st.floats(1, 1e6), min_size=1, max_size=60))
def test_a_list_holds_what_is_due_and_few_lengths_serve(first, dues):
    lists = Lists()
    lists.settle(first, stepped=False)
    pool = 4096
    lengths = [lists.fitted(pool, due) for due in dues]
    assert all(length >= due * (1 - 1e-5) for length, due in zip(lengths, dues, strict=True))
    # rungs from 32 (a pool of 4096 has at least 32 places) to 1e6 in steps of 1.6
    assert len(lists.made[pool]) <= 25
    assert lists.longer(pool, max(lengths)) >= 1.5 * max(lengths)


def test_runs_of_all_rates_have_one_of_two_ladders():
    lengths = set()
    for first in range(1000, 100_000, 100):
        lists = Lists()
        lists.settle(first, stepped=False)
        lengths.add(lists.fitted(1, 3000.0))
    assert len(lengths) == 2
    lists = Lists()
    lists.settle(1000, stepped=False)
    stood = lists.origin
    lists.settle(1e6, stepped=False)
    assert lists.origin == stood


@given(
    sites=st.integers(64, 10**6), most=st.integers(64, 10**6), mean=st.floats(10, 1e5), largest=st.floats(10, 1e5)
)  # fmt: skip
def test_room_holds_the_points_and_is_not_much_too_large(sites, most, mean, largest):
    found, (content, cv) = Room(most, (largest, 0.3)).fitted(sites, (mean, 0.1))
    assert sites <= found < 4 * sites
    assert mean <= content < 2 * mean and cv == 0.3
    if most >= sites:
        # one of few sizes, whatever the point: the largest over a power of four
        assert any(abs(found - most / 4**k) < 1 for k in range(12))


def test_a_layout_serves_smaller_points_and_fewer_of_them(monkeypatch):
    monkeypatch.setattr(layout, "_KNOWN", OrderedDict())
    first = Layout(8, 32, 4, 1280, (300.0, 0.0))
    assert known_or_new(KIND, first) is first
    assert known_or_new(KIND, Layout(2, 8, 4, 640, (200.0, 0.0))) is first
    assert known_or_new(KIND, Layout(1, 4, 4, 1280, (300.0, 0.0))) is first
    for other in (
        Layout(16, 64, 4, 1280, (300.0, 0.0)),  # more points ride together
        Layout(4, 32, 8, 1280, (300.0, 0.0)),  # made for points half as large
        Layout(8, 32, 4, 2048, (300.0, 0.0)),  # more sites
        Layout(8, 32, 4, 256, (300.0, 0.0)),  # so few that five times as many would be a waste
        Layout(8, 32, 4, 1280, (100.0, 0.0)),  # the pool would be three times too long
        Layout(8, 32, 4, 1280, (300.0, 0.5)),  # contents that scatter more
    ):
        monkeypatch.setattr(layout, "_KNOWN", OrderedDict({KIND: [first]}))
        assert known_or_new(KIND, other) is other
    assert known_or_new("another kind", Layout(8, 32, 4, 1280, (300.0, 0.0))) is not first


def test_old_kinds_are_forgotten(monkeypatch):
    monkeypatch.setattr(layout, "_KNOWN", OrderedDict())
    for number in range(100):
        known_or_new(number, Layout(1, 4, 4, 64, (10.0, 0.0)))
    assert list(layout._KNOWN) == list(range(68, 100))
