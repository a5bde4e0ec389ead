"""Shares of a run over several processes."""

import pytest

from nmjmc.cli.main import main
from nmjmc.simulation.distributed import share

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("vesicles", "count"), [(9, 2), (7, 7), (1000, 3), (5, 1)])
def test_the_shares_are_even_and_leave_no_gap(vesicles, count):
    shares = [share(vesicles, count, index) for index in range(count)]
    assert [first for first, _ in shares] == [sum(size for _, size in shares[:i]) for i in range(count)]
    assert sum(size for _, size in shares) == vesicles
    assert max(size for _, size in shares) - min(size for _, size in shares) <= 1


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["simulate", "distributed=2"], "HOST:PORT,COUNT,INDEX"),
        (["simulate", "distributed='127.0.0.1:9000,2,2'"], "HOST:PORT,COUNT,INDEX"),
        (["simulate", "distributed=auto", "seed=null"], "given where several processes"),
        (["sweep", "temperature=22,30", "distributed=auto"], "left out for a sweep"),
    ],
)
def test_mistakes_are_refused(words, answer, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert answer in capsys.readouterr().err and list(tmp_path.iterdir()) == []
