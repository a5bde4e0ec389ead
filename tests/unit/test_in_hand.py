"""Synapses and junctions in the hand: changed, told, kept in files, with a scheme of one's own."""

import warnings

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import nmjmc
from nmjmc.cli.main import main
from nmjmc.errors import ValidationError
from nmjmc.synapse.build import RateWarning
from nmjmc.synapse.modifier import paths as paths_of_synapse

pytestmark = pytest.mark.unit

HUMAN = nmjmc.preparation("human")
OWN = """\
# The two-site scheme whose open channel desensitises.
states: [R, AR, A2R, A2Ro, D]
resting: R
conductance: {A2Ro: 1}
q10: {binding_rate: 1.5, unbinding_rate: 2, opening_rate: 2, closing_rate: 2.7}
transitions:
  - {from: R, to: AR, rate: binding_rate, factor: 2, binds: ACh}
  - {from: AR, to: R, rate: unbinding_rate, releases: ACh}
  - {from: AR, to: A2R, rate: binding_rate, binds: ACh}
  - {from: A2R, to: AR, rate: unbinding_rate, factor: 2, releases: ACh}
  - {from: A2R, to: A2Ro, rate: opening_rate}
  - {from: A2Ro, to: A2R, rate: closing_rate}
  - {from: A2Ro, to: D, rate: falling_rate}
  - {from: D, to: A2Ro, rate: rising_rate}
"""
RATES = {"receptor.falling_rate": "20 /s", "receptor.rising_rate": "5 /s"}


def own(folder):
    path = folder / "falling.yaml"
    path.write_text(OWN)
    return path


def test_several_parameters_change_at_once_by_paths_or_nested():
    both = {"receptor.density": "4000 /um^2", "esterase.density": 1500}
    changed = nmjmc.replace(HUMAN, both)
    assert (float(changed.receptor.density), float(changed.esterase.density)) == (4000, 1500)
    nested = {"receptor": {"density": 4000}, "esterase": {"density": "1500 /um^2"}}
    assert eqx.tree_equal(nmjmc.replace(HUMAN, nested), changed)
    one_by_one = nmjmc.replace(nmjmc.replace(HUMAN, "receptor.density", 4000), "esterase.density", 1500)
    assert eqx.tree_equal(one_by_one, changed)
    # each alone is refused, as the other would contradict it
    low = {"vesicle.release_depth": "0.2 nm", "cleft.height": "20 nm"}
    assert float(nmjmc.replace(HUMAN, low).cleft.height) == pytest.approx(0.02)
    named = nmjmc.replace(HUMAN, {"name": "mine", "cleft.rim": "reflecting"})
    assert (named.name, named.cleft.rim) == ("mine", "reflecting")


def test_a_junction_is_read_and_changed_by_the_paths_of_the_command():
    junction = nmjmc.junction("human")
    assert set(paths_of_synapse(junction.synapse)) < set(nmjmc.paths(junction))
    changed = nmjmc.replace(
        junction, {"terminal.zone_fraction": 0.5, "receptor.density": 3000, "temperature": 30}
    )
    assert float(nmjmc.get(changed, "terminal.zone_fraction")) == 0.5
    assert (
        float(nmjmc.get(changed, "receptor.density"))
        == float(nmjmc.get(changed, "synapse.receptor.density"))
        == 3000
    )
    assert {float(p.temperature) for p in (changed.synapse, changed.muscle, changed.terminal)} == {30.0}
    half = nmjmc.scale("receptor.density", 0.5)
    assert float((junction | half).synapse.receptor.density) == float((HUMAN | half).receptor.density) == 3750


def test_values_may_be_traced():
    def peak(density):
        return nmjmc.get(
            nmjmc.replace(HUMAN, {"receptor.density": density, "temperature": 30}), "receptor.density"
        )

    assert float(jax.jit(peak)(jnp.float32(7))) == 7
    assert "known when a compiled function runs" in str(
        jax.eval_shape(lambda: jax.tree.map(jnp.asarray, HUMAN))
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda: nmjmc.replace(HUMAN, "receptor.densty", 1), "did you mean receptor.density"),
        (lambda: nmjmc.replace(HUMAN, {"receptor": {"densty": 1}}), "did you mean receptor.density"),
        (lambda: nmjmc.replace(HUMAN, {"receptor.density": -1}), "receptor.density must be positive"),
        (lambda: nmjmc.replace(HUMAN, "receptor.density"), "value must be given for receptor.density"),
        (lambda: nmjmc.replace(HUMAN, {"receptor.density": 1}, 2), "left out beside a mapping"),
        (lambda: nmjmc.replace(HUMAN, "receptor.scheme", "open_channel_block"), "receptor.blocking_rate must be given"),
        (lambda: nmjmc.replace(HUMAN, "receptor.scheme", "esterase"), "one with a conducting state"),
        (lambda: nmjmc.replace(nmjmc.junction("human"), "terminal.zone", 1), "did you mean terminal.zone"),
        (lambda: HUMAN.save("mine.txt"), "that of a YAML file"),
        (lambda: HUMAN.save("mine.yaml", differences_from="humn"), "did you mean human"),
    ],
)  # fmt: skip
def test_refusals_are_sentences(change, told):
    with pytest.raises(ValidationError, match=told):
        change()


def test_what_is_told_has_units_and_what_differs():
    assert "receptor  scheme two_site_sequential" in str(HUMAN) and "as its preset" in str(HUMAN)
    changed = nmjmc.replace(HUMAN, "receptor.density", "4000 /um^2")
    assert "receptor.density 7500 -> 4000 /um^2" in str(changed)
    assert "height 30 nm" in str(changed.cleft) and "quanta" not in str(changed.fibre)
    table = changed._repr_html_()
    assert "<b>4000 /um^2</b></td><td>7500 /um^2" in table
    sick = nmjmc.junction("human") | nmjmc.disease("colq")
    assert "esterase.active_fraction 1 -> 0" in str(sick) and "applied   colq" in str(sick)
    assert "<table>" in sick._repr_html_()
    known = [nmjmc.disease("colq", 0.5), nmjmc.drug("neostigmine", 1), nmjmc.scale("temperature", 1)]
    assert repr(nmjmc.compose(*known)) == (
        "compose(disease('colq', 0.5), drug('neostigmine', '1 uM'), scale('temperature', 1.0))"
    )


@settings(max_examples=15, deadline=None)
@given(
    name=st.sampled_from(nmjmc.available_preparations()),
    base=st.sampled_from([None, "human", "folded"]),
    density=st.floats(1, 2e4),
    rate=st.floats(0.125, 1e5),
    temperature=st.floats(5, 40),
)
def test_files_hold_the_same_bits(tmp_path_factory, name, base, density, rate, temperature):
    path = tmp_path_factory.mktemp("held") / "mine.yaml"
    numbers = {"receptor.density": density, "receptor.closing_rate": rate, "temperature": temperature}
    made = nmjmc.replace(nmjmc.preparation(name), numbers)
    made.save(path, differences_from=base)
    assert eqx.tree_equal(nmjmc.preparation(str(path)), made)


@pytest.mark.parametrize("base", [None, "human"])
def test_what_has_been_applied_is_kept_in_files(tmp_path, base):
    path = tmp_path / "patient.yaml"
    patient = nmjmc.junction("human").with_(nmjmc.disease("colq"), nmjmc.drug("succinylcholine", 1))
    patient.save(path, differences_from=base)
    assert eqx.tree_equal(nmjmc.junction(str(path)), patient)
    with pytest.raises(ValidationError, match="applied twice"):
        nmjmc.junction(str(path)) | nmjmc.disease("colq")
    with pytest.warns(UserWarning, match="left out: a synapse alone has none"):
        assert eqx.tree_equal(nmjmc.preparation(str(path)), patient.synapse)


def test_a_file_of_differences_names_what_it_differs_from(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("preparation: lizard\nreceptor.density: 5000 /um^2\n")
    lizard = nmjmc.preparation("lizard")
    assert eqx.tree_equal(nmjmc.preparation(str(path)), nmjmc.replace(lizard, "receptor.density", 5000))
    path.write_text("receptor:\n  density: 5000 /um^2\n")  # which is that of human
    assert eqx.tree_equal(nmjmc.preparation(str(path)), nmjmc.replace(HUMAN, "receptor.density", 5000))
    assert float(nmjmc.junction(str(path)).muscle.temperature) == 37
    whole = nmjmc.describe(lizard)
    path.write_text(
        yaml.safe_dump({"receptor": whole["receptor"]})
    )  # a part that stands whole is taken as it is
    assert eqx.tree_equal(nmjmc.preparation(str(path)).receptor, lizard.receptor)
    path.write_text("preparation: lizrd\n")
    with pytest.raises(ValidationError, match="did you mean lizard"):
        nmjmc.preparation(str(path))
    path.write_text("receptr:\n  density: 5000 /um^2\n")
    with pytest.raises(ValidationError, match="did you mean receptor"):
        nmjmc.preparation(str(path))


def test_a_scheme_of_ones_own_is_read_from_a_file(tmp_path):
    scheme = nmjmc.load_scheme(own(tmp_path))
    assert scheme.name == "falling" and scheme.rate_names[-1] == "rising_rate"
    changed = nmjmc.replace(HUMAN, {"receptor.scheme": str(tmp_path / "falling.yaml"), **RATES})
    assert changed.receptor.scheme == scheme
    assert float(changed.receptor.falling_rate) == pytest.approx(0.02)
    assert float(changed.receptor.opening_rate) == float(HUMAN.receptor.opening_rate)
    assert eqx.tree_equal(nmjmc.replace(HUMAN, {"receptor": {"scheme": scheme, "falling_rate": "20 /s",
                                                             "rising_rate": "5 /s"}}), changed)  # fmt: skip
    assert eqx.tree_equal(nmjmc.build(nmjmc.describe(changed)), changed)
    file = tmp_path / "mine.yaml"
    file.write_text("receptor: {scheme: falling.yaml, falling_rate: 20 /s, rising_rate: 5 /s}\n")
    assert eqx.tree_equal(nmjmc.preparation(str(file)), changed)


def test_a_rate_without_q10_stays_as_it_is_and_is_told(tmp_path):
    path = str(own(tmp_path))
    warm = {"scheme": path, "falling_rate": "20 /s", "rising_rate": "5 /s"}
    with pytest.warns(
        RateWarning, match="falling_rate has no Q10 and is taken at 37 degC as it is at 22 degC"
    ):
        made = nmjmc.preparation("human", receptor=warm, temperature=37)
    assert float(made.effective().receptor.falling_rate) == pytest.approx(0.02)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nmjmc.preparation("human", receptor=warm)
        nmjmc.preparation(
            "human", receptor={**warm, "q10": {"falling_rate": 2, "rising_rate": 2}}, temperature=37
        )
        nmjmc.build(nmjmc.describe(made))


def test_every_command_takes_these_files(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own(tmp_path)
    words = ["receptor.scheme=falling.yaml", "receptor.falling_rate=20 /s", "receptor.rising_rate=5 /s"]
    (tmp_path / "mine.yaml").write_text("preparation: lizard\nreceptor.density: 5000 /um^2\n")
    for command in (["simulate"], ["rns"]):
        assert main([*command, *words, "dry_run=true"]) == 0
        told = yaml.safe_load(
            capsys.readouterr()
            .out.split("\n\n")[0]
            .split("To be run")[0]
            .split("Estimate")[0]
            .split("time step")[0]
            .split("stimuli of")[0]
        )
        assert told["receptor"]["scheme"]["name"] == "falling"
        assert main([*command, "preparation=mine.yaml", "dry_run=true"]) == 0
        assert "density: 5000 /um^2" in capsys.readouterr().out
        assert main([*command, "config=mine.yaml", "dry_run=true"]) == 0
        assert "density: 5000 /um^2" in capsys.readouterr().out
    assert main(["show", "preparation=mine.yaml"]) == 0
    assert "5000 /um^2" in capsys.readouterr().out
    assert main(["show", "scheme=falling.yaml"]) == 0
    assert main(["show", "preparation=none.yaml"]) == 2
    capsys.readouterr()
    assert main(["simulate", "receptor.scheme=none.yaml", "dry_run=true"]) == 2
    assert "none.yaml" in capsys.readouterr().err
