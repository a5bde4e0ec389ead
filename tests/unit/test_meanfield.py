"""The mean field against closed forms, a converged finite-volume solution, and itself on finer grids."""

import dataclasses
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from nmjmc.analysis.waveform import measure
from nmjmc.errors import ValidationError
from nmjmc.kinetics import load_scheme
from nmjmc.meanfield import Grid, solve
from nmjmc.meanfield.own_site import own_green
from nmjmc.synapse import Disc, Esterase, Fibre, Receptor, Slab, Synapse, Vesicle, preparation, replace

PDE = Path(__file__).parents[3] / "shared" / "reference" / "pde"
VARIANTS = {"std": {}, "noE": {"esterase.density": 0.0}, "myas": {"receptor.density": 3000.0}}
# 1 /M/s in um^3/ms
MOLAR = 1.0 / 6.02214076e11

# shared by the tests on the human preset, so that one program is compiled for all of them
TIMES = np.arange(0.0, 6.0, 0.002)

SINK = {
    "name": "sink",
    "states": ["S", "X"],
    "resting": "S",
    "conductance": {"X": 1},
    "transitions": [
        {"from": "S", "to": "X", "rate": "capture_rate", "binds": "ACh", "destroys": "ACh"},
        {"from": "X", "to": "S", "rate": "reset_rate"},
    ],
    "q10": {"capture_rate": 1, "reset_rate": 1},
}
ONE_SITE = {
    "name": "one_site",
    "states": ["R", "AR"],
    "resting": "R",
    "conductance": {"AR": 1},
    "transitions": [
        {"from": "R", "to": "AR", "rate": "on", "binds": "ACh"},
        {"from": "AR", "to": "R", "rate": "off", "releases": "ACh"},
    ],
    "q10": {"on": 1, "off": 1},
}


SMEARED = Grid(own_site=False)


def no_esterase():
    return Esterase("esterase_consuming", {"binding_rate": 2e8 * MOLAR, "deacylation_rate": 16.0}, 0.0)


def changed(synapse, changes):
    for path, value in changes.items():
        synapse = replace(synapse, path, value)
    return synapse


def total(field):
    """All ACh that can be found in the states of the two-site receptor and either esterase."""
    held = {"AR": 1, "A2R": 2, "A2Ro": 2}
    bound = sum(n * field.states[name] for name, n in held.items())
    return field.free_ach + field.hydrolysed + field.escaped + bound


@pytest.mark.unit
@pytest.mark.parametrize("variant", VARIANTS)
def test_agrees_with_the_finite_volume_solution(variant):
    path = PDE / f"{variant}.csv"
    if not path.exists():
        pytest.skip("the reference traces are not here")
    reference = np.genfromtxt(path, delimiter=",", names=True)
    field = solve(changed(preparation("slab"), VARIANTS[variant]), reference["t_us"] / 1e3, grid=SMEARED)
    for name, values in {"ACh": field.free_ach, **field.states}.items():
        scale = max(reference[name].max(), 1.0)
        assert np.abs(np.asarray(values) - reference[name]).max() < 2e-3 * scale, name
    assert np.asarray(field.open_channels).max() == pytest.approx(reference["A2Ro"].max(), rel=1e-3)
    assert np.abs(np.asarray(total(field) - field.released)).max() < 1e-5 * 1e4
    escaped = {"std": 1527, "noE": 5818, "myas": 2807}[variant]
    assert field.escaped[-1] == pytest.approx(escaped, rel=2e-3)
    if variant == "std":
        assert field.hydrolysed[-1] == pytest.approx(6465, rel=2e-3)


@pytest.mark.unit
@pytest.mark.parametrize(("plane", "part"), [(0, 1.0), (1, 0.5)])
def test_greens_function_of_the_own_tile(plane, part):
    # far from every wall and with no uptake: the mean of 1 / (2 pi D r) over two points of a square of side a is
    # 0.47320 / (a D); a plane inside the cleft has room on both sides
    found = own_green(0.4, 100.0, 0.5, (0.0, 0.0), 1e4, plane)
    assert float(found) == pytest.approx(part * 0.47320 / (0.01 * 0.4), rel=2e-3)


@pytest.mark.unit
def test_own_site_puts_off_the_end_of_a_burst():
    # a doubly bound receptor that lets a molecule go has one free site of rate k, which takes it back with
    # probability kG / (1 + kG): the decay is longer by that, and a little less, as other losses end the current too
    waves = [
        measure(TIMES, np.asarray(solve(preparation("human"), TIMES, grid=grid).open_channels, float))
        for grid in (SMEARED, Grid())
    ]
    rate, speeds = 5e7 * MOLAR, (2 * 5e7 * MOLAR * 7500.0, 0.05)
    back = rate * float(own_green(0.4, 0.05, 0.5, speeds, 7500.0, 0))
    slowed = float(waves[1].decay_time / waves[0].decay_time) - 1.0
    assert 0.6 * back < slowed < back


@pytest.mark.unit
def test_own_sites_change_no_equilibrium():
    # AR and A2R in a closed box, long after the release: the return to the own site must drop out; steps that would be
    # too long for the way there end at the same equilibrium
    ends = []
    for grid in (Grid(own_site=False, longest_step=0.02), Grid(longest_step=0.02)):
        synapse = dataclasses.replace(preparation("slab"), cleft=Slab(0.03, 0.3, 0.3, rim="reflecting"))
        synapse = replace(replace(synapse, "esterase.active_fraction", 0.0), "vesicle.content_mean", 300.0)
        ends.append(solve(synapse, np.array([8.0, 12.0]), grid=grid))
    for name in ("AR", "A2R", "A2Ro"):
        smeared, own = (float(field.states[name][-1]) for field in ends)
        assert own == pytest.approx(smeared, rel=1e-4)
        assert own > 1.0


@pytest.mark.unit
def test_human_quantum_matches_the_radial_solution():
    # physics.md section 7, case (a): 841 open, 110.8 us, 3.19 ms; z-mixed there, resolved here
    wave = measure(TIMES, np.asarray(solve(preparation("human"), TIMES, grid=SMEARED).open_channels, float))
    assert wave.amplitude == pytest.approx(841, rel=5e-3)
    assert wave.rise_20_80 == pytest.approx(0.1108, rel=0.02)
    assert wave.decay_time == pytest.approx(3.19, rel=5e-3)


@pytest.mark.unit
@pytest.mark.parametrize("finer", [Grid().finer_in_space(), Grid(time_refinement=2)], ids=["space", "time"])
def test_converged(finer):
    waves = [
        measure(TIMES, np.asarray(solve(preparation("human"), TIMES, grid=grid).open_channels, float))
        for grid in (Grid(), finer)
    ]
    for feature in ("amplitude", "rise_20_80", "decay_time"):
        first, second = (float(getattr(wave, feature)) for wave in waves)
        assert first == pytest.approx(second, rel=5e-4), feature


@pytest.mark.unit
def test_conserves():
    synapse = preparation("human")
    with jax.enable_x64(True):
        field = solve(synapse, TIMES)
        held = total(field) + field.states["EA"]
        # released is exact between the steps, the rest is interpolated
        away = np.asarray(held - field.released)[::25]
        assert np.abs(away).max() < 1e-7 * float(synapse.vesicle.content_mean)
        receptors = sum(field.states[s] for s in synapse.receptor.scheme.states)
        assert np.ptp(np.asarray(receptors)) < 1e-9 * float(receptors[0])


@pytest.mark.unit
@pytest.mark.parametrize(
    ("kappa", "rate"), [(274, 9.071), (548, 18.019), (1096, 35.554), (1660, 53.111), (3300, 101.496)]
)
def test_robin_decay(kappa, rate):
    # physics.md 5.4: a reactive floor under a closed slab 30 nm high
    sink = Receptor(load_scheme(SINK), {"capture_rate": 1e-3 * kappa / 1e4, "reset_rate": 1e6}, 1e4, 6e-5)
    cleft = Slab(0.03, 0.1, 0.4, "reflecting")
    synapse = Synapse(cleft, sink, no_esterase(), Vesicle(100.0), Fibre())
    with jax.enable_x64(True):
        free = solve(synapse, np.array([0.02, 0.04]), grid=Grid(longest_step=2.5e-4)).free_ach
        found = float(jnp.log(free[0] / free[1]) / 0.02)
    # the rates of the table have five digits
    assert found == pytest.approx(rate, rel=1e-4)


@pytest.mark.unit
def test_buffered_diffusion():
    # slowest mode of linear binding: c = J0(q r) cos(m (h - z)) exp(-s t), m^2 = s/D - q^2,
    # D m tan(m h) = - kappa s / (k- - s); for fast exchange s = 5.783 D_eff / R^2, physics.md 5.11
    height, radius, diffusion, density, on, off = 0.03, 0.5, 0.4, 7500.0, 1e8 * MOLAR, 16.0
    q = 2.404825557695773 / radius

    def mismatch(s):
        m = np.sqrt(complex(s / diffusion - q**2))
        return (diffusion * m * np.tan(m * height) + on * density * s / (off - s)).real

    expected = brentq(mismatch, 1e-3, 0.9 * off)
    effective = diffusion / (1.0 + density * on / off / height)
    # the formula holds for infinitely fast exchange; here it is 12 % off
    assert expected == pytest.approx(q**2 * effective, rel=0.15)
    receptor = Receptor(load_scheme(ONE_SITE), {"on": on, "off": off}, density, 6e-5)
    synapse = Synapse(Disc(height, radius, diffusion), receptor, no_esterase(), Vesicle(1.0), Fibre())
    with jax.enable_x64(True):
        bound = solve(synapse, np.array([3.0, 4.0]), grid=SMEARED).states["AR"]
        found = float(jnp.log(bound[0] / bound[1]))
    # one molecule fills 2e-4 of the receptors at first and far fewer after 3 ms
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.unit
def test_michaelis_menten_in_a_closed_box():
    # physics.md 5.10: v = kcat E A / (KM + A), KM = (k_off + k_ac) k_deac / (k_on (k_ac + k_deac))
    on, off, acylation, deacylation = 1e5 * MOLAR, 3.0, 110.0, 20.0
    rates = dict(binding_rate=on, unbinding_rate=off, acylation_rate=acylation, deacylation_rate=deacylation)
    receptor = Receptor(load_scheme(ONE_SITE), {"on": 0.0, "off": 1.0}, 1.0, 6e-5)
    side, height, density = 0.1, 0.03, 1000.0
    km = (off + acylation) * deacylation / (on * (acylation + deacylation))
    kcat = acylation * deacylation / (acylation + deacylation)
    vesicle = Vesicle(km * side**2 * height)
    synapse = Synapse(
        Slab(height, side, 0.4, "reflecting"),
        receptor,
        Esterase("esterase", rates, density),
        vesicle,
        Fibre(),
    )
    with jax.enable_x64(True):
        field = solve(synapse, np.array([1.0, 1.01]))
        speed = float(jnp.diff(field.hydrolysed)[0] / 0.01)
        level = float(field.free_ach.mean()) / (side**2 * height)
    assert speed == pytest.approx(kcat * density * side**2 * level / (km + level), rel=1e-4)


def objective(synapse):
    field = solve(synapse, np.linspace(0.0, 1.0, 51), grid=Grid(growth=0.1, longest_step=0.01))
    return field.open_channels[20] + field.hydrolysed[-1] - field.escaped[-1]


def doubled(synapse, kind):
    return jax.tree.map(lambda x: jnp.asarray(x, kind) if eqx.is_array_like(x) else x, synapse)


@pytest.fixture(scope="module")
def gradient():
    """Of the objective, in double precision."""
    with jax.enable_x64(True):
        return eqx.filter_jit(eqx.filter_grad(objective))(doubled(preparation("human"), jnp.float64))


@pytest.mark.unit
def test_gradient_is_that_of_finite_differences(gradient):
    paths = {
        "height": lambda s: s.cleft.height,
        "radius": lambda s: s.cleft.exit_radius,
        "diffusion": lambda s: s.cleft.diffusion,
        "receptors": lambda s: s.receptor.density,
        "binding": lambda s: s.receptor.rates["binding_rate"],
        "acylation": lambda s: s.esterase.rates["acylation_rate"],
        "position": lambda s: s.esterase.position,
        "content": lambda s: s.vesicle.content_mean,
        "pore": lambda s: s.vesicle.pore_speed,
        "temperature": lambda s: s.temperature,
    }
    with jax.enable_x64(True):
        synapse = doubled(preparation("human"), jnp.float64)
        value = eqx.filter_jit(objective)
        for name, leaf in paths.items():
            width = 1e-4 * leaf(synapse)
            up, down = (value(eqx.tree_at(leaf, synapse, leaf(synapse) + s * width)) for s in (1.0, -1.0))
            assert leaf(gradient) == pytest.approx(float((up - down) / (2 * width)), rel=1e-4), name
        leaves = jax.tree.leaves(eqx.filter(gradient, eqx.is_array))
        assert all(bool(jnp.isfinite(leaf).all()) for leaf in leaves)


@pytest.mark.unit
def test_gradient_works_in_single_precision(gradient):
    found = eqx.filter_jit(eqx.filter_grad(objective))(doubled(preparation("human"), jnp.float32))
    assert found.receptor.density.dtype == jnp.float32
    # a float32 is right to 6e-8, and the solution itself is in double precision
    for ours, exact in zip(jax.tree.leaves(found), jax.tree.leaves(gradient), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-4, atol=1e-4 * float(abs(gradient.receptor.density)))


@pytest.mark.unit
def test_same_numbers_inside_jit():
    synapse = preparation("human")
    plain = solve(synapse, TIMES).open_channels
    inside = eqx.filter_jit(lambda s: solve(s, TIMES).open_channels)(synapse)
    # the leaves of a compiled function are single precision here
    np.testing.assert_allclose(plain, inside, rtol=1e-5, atol=1e-3)


@pytest.mark.unit
def test_rims():
    # an apron holds back what an absorbing edge lets go; a reflecting edge lets nothing go
    base = replace(preparation("human"), "esterase.density", 0.0)
    clefts = [
        Disc(0.03, 0.3, 0.4),
        Disc(0.03, 0.3, 0.4, "open", 0.2),
        Disc(0.03, 0.3, 0.4, "reflecting"),
    ]
    escaped = [solve(eqx.tree_at(lambda s: s.cleft, base, c), TIMES).escaped for c in clefts]
    assert escaped[0][-1] > escaped[1][-1] > 0.0
    assert np.abs(np.asarray(escaped[2])).max() < 1e-3


@pytest.mark.unit
def test_release_time_shifts_the_trace():
    late = replace(preparation("human"), "vesicle.times", np.array([0.25]))
    field, shifted = solve(preparation("human"), TIMES), solve(late, TIMES)
    np.testing.assert_allclose(field.open_channels[:-125], shifted.open_channels[125:], rtol=1e-3, atol=1e-2)
    assert float(shifted.released[124]) == 0.0
    assert float(shifted.free_ach[124]) == 0.0


@pytest.mark.unit
def test_bath_sets_the_starting_state():
    scheme = {
        "name": "competition",
        "states": ["R", "AR", "BR"],
        "resting": "R",
        "conductance": {"AR": 1},
        "transitions": [
            *ONE_SITE["transitions"],
            {"from": "R", "to": "BR", "rate": "block", "binds": "curare"},
            {"from": "BR", "to": "R", "rate": "unblock", "releases": "curare"},
        ],
        "q10": {"on": 1, "off": 1, "block": 1, "unblock": 1},
    }
    rates = {"on": 1e-4, "off": 8.0, "block": 1e-3, "unblock": 1.0}
    receptor = Receptor(load_scheme(scheme), rates, 1e4, 6e-5, bath={"curare": 2.0})
    synapse = eqx.tree_at(lambda s: s.receptor, preparation("human"), receptor)
    start = solve(synapse, np.array([0.0, 0.1])).states
    ratio = 2.0 * 602.214076 * 1e-3
    assert start["BR"][0] / start["R"][0] == pytest.approx(ratio, rel=1e-5)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda s: solve(preparation("folded"), np.array([1.0])), "cleft"),
        (
            lambda s: solve(replace(s, "vesicle.sites", np.array([[0.1, 0.0]])), np.ones(1)),
            "vesicle.sites",
        ),
        (lambda s: solve(s, np.array([-1.0, 1.0])), "times"),
        (lambda s: solve(s, np.array([np.nan])), "times"),
        (lambda s: solve(s, np.zeros(0)), "times"),
        (lambda s: solve(s, np.array([2.0]), grid=Grid(duration=1.0)), "times"),
        (lambda s: jax.jit(lambda t: solve(s, t).escaped)(jnp.ones(2)), "times"),
        (lambda s: Grid(degree=1), "grid.degree"),
        (lambda s: Grid(elements=True), "grid.elements"),
        (lambda s: Grid(longest_step=0.0), "grid.longest_step"),
        (lambda s: Grid(growth=float("nan")), "grid.growth"),
        (lambda s: Grid(age=0.9), "grid.age"),
        (lambda s: dataclasses.replace(Grid(), duration=-1.0), "grid.duration"),
    ],
)
def test_refuses(call, field):
    with pytest.raises(ValidationError, match="must be") as caught:
        call(preparation("human"))
    assert caught.value.field == field
