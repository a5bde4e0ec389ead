"""The shipped preparations, and the refusal of bad overrides."""

import re

import pytest

from nmjmc.errors import ValidationError
from nmjmc.folders import config_dir
from nmjmc.synapse import available_preparations, get, preparation

pytestmark = pytest.mark.unit


def test_the_names():
    assert {"human", "slab", "lizard", "wathey", "folded"} <= set(available_preparations())


@pytest.mark.parametrize("name", available_preparations())
def test_every_number_names_its_source(name):
    """Each line with a number carries a mark (V, M, C, D); reference temperatures are settings, not data."""
    mark = re.compile(r"#.*(\[[VMCD]\]|8a|8b|\[all)")
    for line in (config_dir() / "preparation" / f"{name}.yaml").read_text().splitlines():
        key, _, value = line.partition(":")
        number = re.match(r'\s*[\["{]*-?[\d.]', value)
        setting = key.strip() in ("temperature", "reference_temperature", "times", "name")
        if number and not setting and not line.startswith(("    ", "#")):
            assert mark.search(line), f"{name}: no source for: {line}"


@pytest.mark.parametrize("name", available_preparations())
def test_a_preset_is_at_its_reference_temperature(name):
    synapse = preparation(name)
    assert synapse.name == name
    assert synapse.effective() == synapse


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cleft.height", 0.030), ("cleft.side", 1.0), ("cleft.diffusion", 0.4),
        ("receptor.density", 10000), ("receptor.unbinding_rate", 5.0), ("receptor.opening_rate", 25.0),
        ("receptor.closing_rate", 1.2), ("esterase.density", 2500), ("esterase.position", 0.5),
        ("esterase.deacylation_rate", 16.0), ("vesicle.content_mean", 10000), ("vesicle.content_cv", 0.0),
        ("vesicle.pore_speed", float("inf")), ("vesicle.release_depth", 0.0001),
    ],
)  # fmt: skip
def test_slab_is_the_canonical_model(path, value):
    assert float(get(preparation("slab"), path)) == value


def test_the_second_order_rates_of_slab():
    slab = preparation("slab")
    per_molar = 1.6605e-9 / 1e3  # um^3/ms per molecule in 1 /M/s, as the reference states it
    first, _, second = slab.receptor.scheme.transition_rates(slab.receptor.rates)[:3]
    assert float(first) == pytest.approx(8.0e7 * per_molar, rel=1e-4)
    assert float(second) == pytest.approx(4.0e7 * per_molar, rel=1e-4)
    assert float(slab.esterase.binding_rate) == pytest.approx(2.0e8 * per_molar, rel=1e-4)
    assert slab.cleft.rim == "absorbing"
    assert slab.receptor.scheme.name == "two_site_sequential"
    assert slab.esterase.scheme.name == "esterase_consuming"


BAD = [
    ("cleft.height", "-30 nm", "did you mean 30 nm?"),
    ("cleft.height", 0.03, "did you mean 30 nm?"),
    ("cleft.height", "30 um", "did you mean 30 nm?"),
    ("cleft.height", "30 mV", "given in nm"),
    ("cleft.height", "30 nmm", "did you mean nm?"),
    ("cleft.height", float("nan"), "a finite number"),
    ("cleft.height", "", "a number in nm"),
    ("cleft.hight", "30 nm", "did you mean cleft.height?"),
    ("cleft.kind", "disk", "did you mean disc?"),
    ("cleft.rim", "absorb", "did you mean absorbing?"),
    ("cleft.rim", "open", "cleft.apron must be positive"),
    ("cleft.apron", "0.5 um", "did you mean cleft.rim=open?"),
    ("cleft.exit_radius", "0 um", "at least 0.05 um"),
    ("cleft.diffusion", "4e-6 cm/s", "given in um^2/s"),
    ("cleft.diffusion", "0 um^2/s", "at least 0.1 um^2/s"),
    ("cleft.fold_width", "0.1 um", "take cleft.kind=folded"),
    ("cleft.side", "1 um", "take cleft.kind=slab"),
    ("receptor.density", "-3 /um^2", "did you mean 3 /um^2?"),
    ("receptor.density", "0 /um^2", "positive"),
    ("receptor.density", "7500 /um^3", "did you mean 7500 /um^2?"),
    ("receptor.density", "many", "a number in /um^2"),
    ("receptor.density", None, "given in /um^2, but is missing"),
    ("receptor.density", [1, 2], "a single number"),
    ("receptor.binding_rate", "5e7 /s", "did you mean 5e7 /M/s?"),
    ("receptor.binding_rate", "1e12 /M/s", "at most 1e11 /M/s"),
    ("receptor.opening_rate", "5e4 /M/s", "did you mean 5e4 /s?"),
    ("receptor.opening_rate", "-5e4 /s", "did you mean 50000 /s?"),
    ("receptor.opening_rate", "inf /s", "a finite number"),
    ("receptor.opning_rate", "5e4 /s", "did you mean receptor.opening_rate?"),
    ("receptor.desensitisation_rate", "25 /s", "that has it (two_site_desensitising)"),
    ("receptor.scheme", "two_site_sequentiel", "did you mean two_site_sequential?"),
    ("receptor.scheme", "two_site_desensitising", "receptor.desensitisation_rate must be given in /s"),
    ("receptor.scheme", "esterase", "a conducting state"),
    ("receptor.bath", {"blocker": "5 uM"}, "a bath ligand of the scheme"),
    ("receptor.bath", 5, "a mapping"),
    ("receptor.q10.closing", 3, "did you mean closing_rate?"),
    ("receptor.q10.closing_rate", -3, "at least 0.5"),
    ("receptor.channel_conductance", "60 nS nS", "given in pS"),
    ("receptor.channel_conductance", "60 nS", "at most 1000 pS"),
    ("receptor.fold_profile", {"depth": ["0.2 um"], "fraction": [1]}, "did you mean cleft.kind=folded?"),
    ("esterase.position", 0, "positive"),
    ("esterase.position", 1, "below 1"),
    ("esterase.position", "15 nm", "pure number"),
    ("esterase.active_fraction", 1.2, "at most 1"),
    ("esterase.active_fraction", 50, "did you mean 0.5?"),
    ("esterase.active_fraction", -0.1, "zero or more"),
    ("esterase.fold_density", "3600 /um^2", "did you mean cleft.kind=folded?"),
    ("esterase.scheme", "two_site_sequential", "write esterase.acylation_rate=null"),
    ("vesicle.content_mean", "0", "at least 1 molecules"),
    ("vesicle.content_mean", "1e9", "at most 1e6 molecules"),
    ("vesicle.content_cv", -0.1, "did you mean 0.1?"),
    ("vesicle.content_cv", "24 %%", "pure number"),
    ("vesicle.pore_speed", "0 nm/ms", "positive"),
    ("vesicle.pore_speed", "25 nm", "given in nm/ms"),
    ("vesicle.pore_initial_radius", "30 nm", "at most vesicle.lumen_radius"),
    ("vesicle.release_depth", "40 nm", "at most cleft.height"),
    ("vesicle.sites", [[2, 0]], "inside the cleft"),
    ("vesicle.sites", [[0, 0], [0.1, 0]], "a list of 2 times"),
    ("vesicle.sites", [[0, 0], [0.1]], "equally long"),
    ("vesicle.sites", [], "an array with 2 axes"),
    ("vesicle.times", ["-1 ms"], "zero or more"),
    ("fibre.holding_potential", "-80 nA", "did you mean -80 mV?"),
    ("fibre.holding_potential", "-80 V", "did you mean -80 mV?"),
    ("fibre.holding", "-80 mV", "did you mean fibre.holding_potential?"),
    ("temperature", "22 mV", "a temperature in degC"),
    ("temperature", 295, "at most 60 degC"),
    ("temperatur", 22, "did you mean temperature?"),
    ("receptors", {}, "did you mean receptor?"),
    ("fibre", 3, "a mapping of parameters"),
    ("temperature.value", 3, "a parameter"),
]


@pytest.mark.parametrize(("path", "value", "words"), BAD, ids=[f"{p}={v}" for p, v, _ in BAD])
def test_bad_input_is_refused_in_one_sentence(path, value, words):
    with pytest.raises(ValidationError) as caught:
        preparation("human", **{path: value})
    message = str(caught.value)
    assert words in message
    assert path.split(".")[0] in message
    assert "\n" not in message and message.endswith((".", "?"))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"cleft": {"fold_width": "0.3 um"}}, "less than cleft.fold_spacing"),
        ({"cleft": {"fold_depth": "0 um"}}, "cleft.fold_depth must be positive"),
        ({"cleft": {"fold_spacing": "3 um"}}, "less than cleft.exit_radius"),
        ({"receptor": {"fold_profile": {"depth": ["0.5 um", "0.2 um"], "fraction": [1, 1]}}}, "rising"),
        (
            {"receptor": {"fold_profile": {"depth": ["0.5 um"], "fraction": [1, 1]}}},
            "two lists of one length",
        ),
        ({"receptor": {"fold_profile": {"depth": ["0.5 um"], "fraction": [2]}}}, "at most 1"),
        ({"receptor": {"fold_profile": {"depths": []}}}, "did you mean receptor.fold_profile.depth?"),
    ],
)
def test_bad_folds_are_refused(overrides, words):
    with pytest.raises(ValidationError) as caught:
        preparation("folded", **overrides)
    assert words in str(caught.value)


def test_a_cleft_taller_than_wide():
    with pytest.raises(ValidationError, match=r"cleft.height must be less than cleft.exit_radius \(0.3 um\)"):
        preparation("human", cleft={"height": "0.6 um", "exit_radius": "0.3 um"})


def test_times_out_of_order():
    sites = {"sites": [[0, 0], [0.1, 0]], "times": ["1 ms", "0 ms"]}
    with pytest.raises(ValidationError, match=r"rising, but is \[1.0, 0.0\]"):
        preparation("human", vesicle=sites)


def test_a_name_that_is_not_there():
    with pytest.raises(ValidationError, match=r"did you mean human\?"):
        preparation("humen")


def test_overrides_by_path_and_nested_are_the_same():
    by_path = preparation("human", **{"receptor.density": "3000 /um^2"})
    assert by_path == preparation("human", receptor={"density": 3000})
    assert float(by_path.receptor.density) == 3000
