"""Views of molecules: they change no count, agree with the counts, and lie where diffusion puts them."""

import numpy as np
import pytest
from scipy import stats

import nmjmc
from nmjmc.cli.main import main
from nmjmc.data.molecules import NAMES
from nmjmc.errors import ValidationError
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import run
from nmjmc.simulation.simulate import plan
from nmjmc.synapse import Slab
from tests.models import DIFFUSION, HEIGHT, inert
from tests.system.test_reproducible import small

HOW = {"vesicles": 3, "seed": 9, "duration": 0.2, "record_interval": 0.01}


@pytest.mark.system
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
    np.testing.assert_array_equal(found, free)
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


def _seen(synapse=None, duration=0.1, **numerics):
    how = {"view_interval": 0.01, "view_onset_interval": 0.002, **numerics}
    settings = {"vesicles": 3, "seed": 9, "duration": duration, "record_interval": 0.002}
    return nmjmc.simulate(synapse or small(), **settings, numerics=how, cache=False)


def _agree(result, patch):
    """Kinds of molecules, and states of sites, are in each frame as many as the counts say."""
    seen, at = result.molecules, np.round(result.molecules.time / 0.002).astype(int)
    for kind, name in (("free", "free_ach"), ("split", "hydrolysed"), ("left", "escaped")):
        np.testing.assert_array_equal(seen.count(kind), result.counts[name][patch, at])
    np.testing.assert_array_equal(seen.count("bound"), result.bound[patch, at])
    for code, name in enumerate((*result.receptor_states, *result.esterase_states)):
        np.testing.assert_array_equal((seen.site_state == code).sum(axis=1), result.counts[name][patch, at])


@pytest.mark.system
@pytest.mark.parametrize("transport", ["exact", "stepped"])
def test_molecules_and_sites_are_those_that_are_counted(transport):
    result = _seen(transport=transport, view_patch=1)
    seen = result.molecules
    assert seen.number.size == result.content[1] and seen.frames == 50
    _agree(result, 1)
    # what a site holds is where the site is, and it holds as many as its state says
    bound = seen.state == 2
    np.testing.assert_allclose(seen.place[bound], seen.site_place[seen.site[bound]], atol=2e-4)
    schemes = (result.synapse.receptor.scheme, result.synapse.esterase.scheme)
    held = np.array([number for scheme in schemes for number in scheme.bound])
    for state, site, is_bound in zip(seen.site_state, seen.site, bound, strict=True):
        found = np.bincount(site[is_bound], minlength=state.size)
        np.testing.assert_array_equal(found, held[state])


@pytest.mark.system
def test_a_folded_cleft_is_seen_too():
    result = _seen(nmjmc.replace(nmjmc.preparation("folded"), "vesicle.content_mean", 1500), 0.06)
    _agree(result, 0)
    seen = result.molecules
    # a site is where the molecules are that bind to it: in 2 us within seven standard deviations and a tile
    came = (seen.state[:-1] == 1) & (seen.state[1:] == 2) & (np.diff(seen.time)[:, None] < 0.003)
    moved = np.abs(seen.place[1:] - seen.place[:-1])[came]
    assert came.sum() > 20
    assert moved.max() < 7 * np.sqrt(2 * float(result.synapse.cleft.diffusion) * 0.002) + 0.03
    deep = seen.site_place[:, 2].min()
    depth = float(result.synapse.cleft.fold_depth)
    assert -depth < deep < -0.3 * depth


@pytest.mark.stat
def test_a_molecule_keeps_its_identity():
    """No column jumps: in 2 us no further than seven standard deviations (6e-7 for all) and across two tiles."""
    result = _seen()
    seen = result.molecules
    there = np.isin(seen.state, (1, 2))
    span = np.diff(seen.time)[:, None]
    moved = np.hypot(*np.moveaxis(np.diff(seen.place[..., :2], axis=0), -1, 0))
    tile = max(float(result.synapse.receptor.density), 1.0) ** -0.5 + 0.04
    limit = 7 * np.sqrt(2 * 2 * float(result.synapse.cleft.diffusion) * span) + 2 * tile
    both = there[1:] & there[:-1]
    assert both.sum() > 1000
    assert (moved <= limit)[both].all()
    # once gone a molecule stays where it was, in the same state
    gone = seen.state[:-1] >= 3
    assert (seen.state[1:][gone] == seen.state[:-1][gone]).all()
    assert (moved[gone] == 0).all()


@pytest.mark.stat
def test_frames_of_one_journey_are_points_of_one_path():
    # increments of free diffusion are Gaussian with variance 2 D t; one test at 1e-6
    synapse = inert(Slab(HEIGHT, 8.0, DIFFUSION, "absorbing"), 1024)
    numerics = Numerics(view_interval=0.01, executor="warp")
    record = run(synapse, vesicles=1, seed=4, duration=0.2, record_interval=0.01, numerics=numerics)
    place = record.seen["place"]
    steps = np.diff(place[:, :, 0], axis=0).ravel() / np.sqrt(2 * DIFFUSION * 0.01)
    assert stats.kstest(steps, "norm").pvalue > 1e-6


@pytest.mark.system
def test_a_part_of_the_molecules_may_be_kept():
    whole, part = _seen(duration=0.02), _seen(duration=0.02, view_molecules=20)
    assert part.molecules.number.size == 20
    columns = np.searchsorted(whole.molecules.number, part.molecules.number)
    np.testing.assert_array_equal(part.molecules.place, whole.molecules.place[:, columns])


@pytest.mark.system
@pytest.mark.parametrize(
    ("numerics", "field"),
    [
        ({"view_interval": 0.01, "view_patch": 3}, "numerics.view_patch"),
        ({"view_interval": 0.01, "view_molecules": 0}, "numerics.view_molecules"),
        ({"view_patch": 1}, "numerics.view_interval"),
        ({"view_interval": 0.01, "view_patch": 1, "executor": "jax"}, "numerics.view_patch"),
    ],
)
def test_views_that_cannot_be(numerics, field):
    with pytest.raises(ValidationError) as caught:
        nmjmc.simulate(small(), **HOW, numerics=numerics)
    assert caught.value.field == field


@pytest.mark.system
def test_the_size_of_a_view_is_foretold(capsys):
    numerics = {"view_interval": 0.01, "view_onset_interval": 0.002, "executor": "warp"}
    found = plan(small(), 3, 9, duration=0.1, record_interval=0.002, numerics=numerics).view
    seen = _seen().molecules
    assert found.frames == seen.frames and found.sites == len(seen.site_place)
    assert found.molecules == pytest.approx(seen.number.size, rel=0.3)
    words = ["simulate", "dry_run=true", "numerics.view_interval=10 us", "numerics.view_molecules=500"]
    assert main(words) == 0
    assert "1,000 frames of 500 molecules" in capsys.readouterr().out
    with pytest.raises(ValidationError, match=r"numerics.view_interval.*view_molecules"):
        plan(nmjmc.preparation("human"), 3, 9, duration=1000, record_interval=0.001, numerics=numerics)


@pytest.mark.system
def test_views_of_many_points_are_kept():
    point = nmjmc.Point(small(), 2, 9, 0.02, 0.01, {"view_interval": 0.01})
    for _, result in nmjmc.simulate_many([point, point], progress=False):
        assert result.molecules.frames == 2


@pytest.mark.system
def test_the_same_view_from_any_batch_and_from_the_file(tmp_path):
    numerics = {"view_interval": "0.1 ms", "batch": 1}
    how = {**HOW, "duration": 0.2, "cache": False}
    result = nmjmc.simulate(small(), **how, numerics=numerics)
    other = nmjmc.simulate(small(), **how, numerics={**numerics, "batch": 4})
    np.testing.assert_array_equal(result.positions, other.positions)
    np.testing.assert_array_equal(result.molecules.place, other.molecules.place)
    again = nmjmc.load(result.save(tmp_path / "result.h5"))
    for name in NAMES:
        np.testing.assert_array_equal(getattr(again.molecules, name), getattr(result.molecules, name))
    blocks = nmjmc.simulate(
        small(), **how, numerics=numerics, checkpoint=tmp_path / "parts", checkpoint_vesicles=1
    )
    np.testing.assert_array_equal(blocks.molecules.place, result.molecules.place)
    np.testing.assert_array_equal(again.positions, result.positions)
    np.testing.assert_allclose(again.position_time, [0.1, 0.2])


@pytest.mark.system
def test_a_view_interval_that_is_none():
    with pytest.raises(ValidationError) as caught:
        run(small(), **HOW, numerics=Numerics(view_interval=-1.0))
    assert caught.value.field == "numerics.view_interval"
