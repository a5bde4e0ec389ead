"""Views of molecules: they change no count, agree with the counts, and lie where diffusion puts them."""

import numpy as np
import pytest
from scipy import stats

import nmjmc
from nmjmc.errors import ValidationError
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import run
from nmjmc.synapse import Slab
from tests.models import DIFFUSION, HEIGHT, inert
from tests.system.test_reproducible import small

HOW = {"vesicles": 3, "seed": 9, "duration": 0.2, "record_interval": 0.01}


@pytest.mark.unit
@pytest.mark.parametrize("transport", ["exact", "stepped"])
def test_views_change_no_count_and_agree_with_them(transport):
    how = {**HOW, "duration": 0.02}
    plain = run(small(), **how, numerics=Numerics(transport=transport))
    seen = run(small(), **how, numerics=Numerics(transport=transport, view_interval=0.01))
    for name, counts in plain.counts.items():
        np.testing.assert_array_equal(seen.counts[name], counts)
    np.testing.assert_allclose(seen.view_time, [0.01, 0.02])
    found = np.isfinite(seen.views[:, :, 0]).sum(axis=1)
    free = seen.counts["free_ach"][0, [1, 2]]
    # a chain of events across the moment may be handled after it
    assert np.abs(found - free).max() <= 3
    assert free.min() > 10
    height = float(small().cleft.height)
    assert np.nanmin(seen.views[..., 2]) >= 0
    assert np.nanmax(seen.views[..., 2]) <= height


@pytest.mark.stat
def test_a_view_is_gaussian_in_free_diffusion():
    # one Kolmogorov-Smirnov test an axis and moment, at 1e-6; the edge is nine standard deviations away
    synapse = inert(Slab(HEIGHT, 8.0, DIFFUSION, "absorbing"), 4096)
    record = run(
        synapse, vesicles=1, seed=2, duration=0.2, record_interval=0.01, numerics=Numerics(view_interval=0.1)
    )
    for time, view in zip(record.view_time, record.views, strict=True):
        for axis in (0, 1):
            spread = np.sqrt(2 * DIFFUSION * time)
            assert stats.kstest(view[:, axis] / spread, "norm").pvalue > 1e-6
        assert abs(np.corrcoef(view[:, 0], view[:, 1])[0, 1]) < 4.9 / 64


@pytest.mark.unit
def test_the_same_view_from_any_batch_and_from_the_file(tmp_path):
    numerics = {"view_interval": "0.1 ms", "batch": 1}
    how = {**HOW, "duration": 0.2, "cache": False}
    result = nmjmc.simulate(small(), **how, numerics=numerics)
    other = nmjmc.simulate(small(), **how, numerics={**numerics, "batch": 4})
    np.testing.assert_array_equal(result.positions, other.positions)
    again = nmjmc.load(result.save(tmp_path / "result.h5"))
    np.testing.assert_array_equal(again.positions, result.positions)
    np.testing.assert_allclose(again.position_time, [0.1, 0.2])


@pytest.mark.unit
def test_a_view_interval_that_is_none():
    with pytest.raises(ValidationError) as caught:
        run(small(), **HOW, numerics=Numerics(view_interval=-1.0))
    assert caught.value.field == "numerics.view_interval"
