"""The parts of the synapse: what they hold, what they refuse, how temperature and modifiers change them."""

import copy
import json
import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmjmc import internal
from nmjmc.errors import ValidationError
from nmjmc.folders import config_dir
from nmjmc.kinetics import load_scheme, scheme_to_mapping
from nmjmc.synapse import (
    Disc,
    Folded,
    Receptor,
    Slab,
    Vesicle,
    available_preparations,
    build,
    compose,
    describe,
    get,
    paths,
    preparation,
    replace,
    scale,
)

pytestmark = pytest.mark.unit

RATES = {"binding_rate": 1e-4, "unbinding_rate": 8.0, "opening_rate": 50.0, "closing_rate": 1.35}


@pytest.fixture
def human():
    return preparation("human")


def receptor(**changed):
    values = {"scheme": "two_site_sequential", "rates": RATES, "density": 7500.0, "channel_conductance": 6e-5}
    return Receptor(**(values | changed))


# values and leaves


def test_a_rate_can_be_read_by_name():
    part = receptor()
    assert float(part.opening_rate) == 50.0
    with pytest.raises(AttributeError, match="opening_rat"):
        _ = part.opening_rat
    assert copy.deepcopy(part) == part


def test_every_leaf_is_an_array_on_the_host_in_float64(human):
    for leaf in jax.tree.leaves(human):
        assert isinstance(leaf, np.ndarray) and leaf.dtype == np.float64


def test_parameters_are_traced_not_compiled_in(human):
    traces = []

    @jax.jit
    def peak(synapse):
        traces.append(1)
        return synapse.effective().receptor.density * 1.0

    for density in (1000, 2000, 3000):
        assert float(peak(replace(human, "receptor.density", density))) == density
    assert len(traces) == 1


def test_gradients_reach_every_leaf(human):
    def total(synapse):
        warm = synapse.effective()
        leaves = [jnp.sum(jnp.asarray(leaf)) for leaf in jax.tree.leaves(warm)]
        return sum(leaves[1:], leaves[0])

    slope = eqx.filter_grad(total)(human)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))
    assert float(slope.receptor.rates["opening_rate"]) == 1.0


# temperature


def test_nothing_changes_at_the_reference_temperature(human):
    assert human.effective() == human


def test_q10_and_voltage(human):
    warm = preparation("human", temperature=32, fibre={"holding_potential": "-120 mV"}).effective()
    assert float(warm.receptor.opening_rate) == pytest.approx(2 * float(human.receptor.opening_rate))
    assert float(warm.cleft.diffusion) == pytest.approx(1.3 * 0.4)
    assert float(warm.receptor.channel_conductance) == pytest.approx(1.3 * 6e-5)
    assert float(warm.esterase.acylation_rate) == pytest.approx(1.5 * 110)
    closing = 2.7 * 1.35 * np.exp(0.0058 * -40)
    assert float(warm.receptor.closing_rate) == pytest.approx(closing)
    assert float(warm.receptor.reference_temperature) == 32.0
    assert float(warm.receptor.reference_voltage) == -120.0


@settings(max_examples=25)
@given(temperature=st.floats(0, 45), voltage=st.floats(-150, 60))
def test_effective_is_idempotent(temperature, voltage):
    synapse = preparation("human", temperature=temperature, fibre={"holding_potential": voltage})
    warm = synapse.effective()
    assert warm.effective() == warm


def test_a_q10_not_given_is_that_of_the_scheme():
    part = receptor(q10={"closing_rate": 3.0})
    assert float(part.q10["closing_rate"]) == 3.0
    assert float(part.q10["opening_rate"]) == 2.0
    assert float(part.q10["channel_conductance"]) == 1.3


# modifiers


def test_replace_takes_text_numbers_and_internal_values(human):
    for value in ("50 nm", 50, 50.0, "0.05 um", np.asarray(50), jnp.float32(50), internal(0.05)):
        assert float(replace(human, "cleft.height", value).cleft.height) == pytest.approx(0.05)
    assert float(human.cleft.height) == 0.03


def test_replacing_by_what_was_got_changes_nothing(human):
    for path in paths(human):
        assert replace(human, path, internal(get(human, path))) == human


def test_scale_and_compose(human):
    blocked = compose(scale("esterase.active_fraction", 0.5), scale("receptor.closing_rate", 2))(human)
    assert float(blocked.esterase.active_fraction) == 0.5
    assert float(blocked.receptor.closing_rate) == 2.7
    assert compose()(human) == human


def test_replace_works_inside_a_compiled_function(human):
    @jax.jit
    def density(factor):
        return scale("receptor.density", factor)(human).receptor.density * 1.0

    assert float(density(0.5)) == 3750.0


def test_paths_have_units(human):
    units = paths(human)
    assert units["receptor.density"] == "/um^2"
    assert units["receptor.binding_rate"] == "/M/s"
    assert units["esterase.active_fraction"] == ""
    assert units["temperature"] == "degC"


# build and describe


@pytest.mark.parametrize("name", available_preparations())
def test_describe_and_build_are_inverse(name):
    synapse = preparation(name)
    assert build(describe(synapse)) == synapse


@settings(max_examples=15)  # each builds four synapses
@given(data=st.data())
def test_describe_and_build_are_inverse_for_any_value(data):
    human = preparation("human")
    for path in ("cleft.diffusion", "receptor.binding_rate", "receptor.closing_rate", "vesicle.content_mean"):
        factor = data.draw(st.floats(0.5, 2.0), label=path)
        human = scale(path, factor)(human)
    assert build(describe(human)) == human
    assert build(describe(human.effective())) == human.effective()


def test_describe_holds_a_scheme_of_ones_own():
    own = scheme_to_mapping(load_scheme("two_site_sequential")) | {"name": "mine"}
    synapse = preparation("human", receptor={"scheme": own})
    assert synapse.receptor.scheme.name == "mine"
    assert describe(synapse)["receptor"]["scheme"]["name"] == "mine"
    assert build(describe(synapse)) == synapse


def test_a_bath_ligand():
    block = {"scheme": "open_channel_block_drug", "blocking_rate": "2e7 /M/s", "unblocking_rate": "5e4 /s"}
    synapse = preparation("human", receptor=block | {"bath": {"blocker": "50 uM"}})
    assert float(synapse.receptor.bath["blocker"]) == 50.0
    assert build(describe(synapse)) == synapse
    assert float(replace(synapse, "receptor.bath.blocker", "0.1 mM").receptor.bath["blocker"]) == 100.0


def test_none_leaves_a_key_out():
    """So that an override can take a scheme that has fewer rates."""
    consuming = {"scheme": "esterase_consuming", "unbinding_rate": None, "acylation_rate": None}
    synapse = preparation("human", esterase=consuming | {"q10": None})
    assert set(synapse.esterase.rates) == {"binding_rate", "deacylation_rate"}


def test_many_parameter_sets_ride_as_an_axis(human):
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), human, scale("cleft.diffusion", 2)(human))
    diffusion = jax.vmap(lambda s: s.effective().cleft.diffusion * 1.0)(stacked)
    np.testing.assert_allclose(diffusion, [0.4, 0.8], rtol=1e-6)


def test_several_vesicles():
    patch = {"sites": [["0 um", "0 um"], [0.4, -0.3]], "times": ["0 ms", "250 us"]}
    synapse = preparation("human", vesicle=patch)
    np.testing.assert_array_equal(synapse.vesicle.sites, [[0, 0], [0.4, -0.3]])
    np.testing.assert_array_equal(synapse.vesicle.times, [0, 0.25])
    assert build(describe(synapse)) == synapse


# refusals of the constructors, whose numbers are internal


def test_a_height_in_nm_given_as_um():
    with pytest.raises(ValidationError, match=r"cleft.height must be at most 1000 nm.*did you mean 30 nm\?"):
        Disc(height=30, exit_radius=1.6, diffusion=0.4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Slab(height=0.03, side=1.0, diffusion=0.4, rim="open"), "'absorbing' or 'reflecting'"),
        (
            lambda: Disc(height=0.03, exit_radius=1.6, diffusion=0.4, rim="absorbent"),
            "did you mean absorbing?",
        ),
        (lambda: Disc(height=0.03, exit_radius=1.6, diffusion=0.4, rim="open"), "positive for an open rim"),
        (
            lambda: Disc(height=0.03, exit_radius=1.6, diffusion=0.4, apron=0.5),
            "did you mean cleft.rim=open?",
        ),
        (lambda: Disc(height=None, exit_radius=1.6, diffusion=0.4), "a number in nm"),
        (
            lambda: Folded(height=0.03, exit_radius=1.6, diffusion=0.4, fold_width=0.6),
            "were the two exchanged?",
        ),
        (lambda: receptor(density=-3.0), "positive, but is -3 /um^2; did you mean 3 /um^2?"),
        (lambda: receptor(density=np.ones(2)), "a single number"),
        (
            lambda: receptor(rates=RATES | {"closing_rate": np.nan}),
            "receptor.closing_rate must be a finite number",
        ),
        (lambda: Vesicle(content_mean=10.0, sites=[[0, 0, 0]], times=[0]), "a list of pairs"),
        (lambda: Vesicle(content_mean=10.0, sites=[[0, 0]], times=[[0]]), "an array with 1 axes"),
    ],
)
def test_impossible_parts_are_refused(make, words):
    with pytest.raises(ValidationError) as caught:
        make()
    assert words in str(caught.value)


def test_a_synapse_is_built_without_touching_a_device():
    """Configs are checked on login nodes, and before `device=` is obeyed."""
    code = (
        "from nmjmc.synapse import preparation, describe, build\n"
        "build(describe(preparation('human', temperature=37).effective()))\n"
        "from jax._src import xla_bridge\n"
        "raise SystemExit(len(xla_bridge._backends))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=config_dir().parent, check=False).returncode == 0


@pytest.mark.parametrize("state", ["E", "time", "free_ach", "A/R"])
def test_a_state_may_not_take_a_name_that_counts_go_by(state):
    plain = json.dumps(scheme_to_mapping(load_scheme("two_site_sequential")) | {"name": "mine"})
    own = json.loads(plain.replace('"A2R"', f'"{state}"'))
    with pytest.raises(ValidationError) as caught:
        preparation("human", receptor={"scheme": own})
    assert caught.value.field in ("receptor.scheme", "esterase.scheme")
    assert state in str(caught.value)
