"""What falling phases without esterase can tell of diffusion and of the distance to the exit."""

import numpy as np
import pytest

import nmjmc
from nmjmc.fitting.quanta import COARSE
from nmjmc.meanfield import solve


@pytest.mark.system
def test_shapes_do_not_know_the_length():
    """R, D and the content times s, s^2 and s^2: s^2 times the current, of the same shape: shapes alone know D /
    R^2 only. Exact for instantaneous release into a cleft without height; 50 nm of height are crossed in 3 us."""
    time = np.linspace(0.2, 8.0, 40)
    currents = []
    for s in (1.0, 1.4):
        cleft = {"exit_radius": 1.6 * s, "diffusion": 400 * s**2}
        synapse = nmjmc.preparation(
            "lizard", cleft=cleft, esterase={"active_fraction": 0}, receptor={"density": 3000},
            vesicle={"content_mean": 10000 * s**2, "pore_speed": "inf nm/ms"},
        )  # fmt: skip
        currents.append(np.asarray(solve(synapse, time, grid=COARSE).current) / s**2)
    peak = np.abs(currents[0]).max()
    assert 2.0 < peak < 10.0 and np.abs(currents[0][-1]) < 0.5 * peak
    np.testing.assert_allclose(currents[1], currents[0], atol=0.01 * peak)
