"""The self-check of the program, with the real kernel."""

import pytest

from nmjmc.simulation.self_check import self_check


@pytest.mark.slow
@pytest.mark.stat
def test_the_self_check_agrees():
    """Three checks at five standard errors and one percent: false-positive rate below 2e-6."""
    assert all(check.passed for check in self_check()), [str(check) for check in self_check()]
