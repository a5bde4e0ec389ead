"""Diseases and drugs in the hand: over junctions and synapses, by one notation, the same as in the command."""

import sys
import warnings

import equinox as eqx
import numpy as np
import pytest

import nmjmc
from nmjmc.errors import ValidationError
from nmjmc.junction.build import build_junction, describe_junction
from nmjmc.junction.treatment import PartWarning
from nmjmc.junction.whole import human
from nmjmc.treatments import as_config, treatments_of

pytestmark = pytest.mark.unit

OWN = """\
kind: drug
name: my_drug
source: a choice
inhibits: {half: 2 uM}
"""


def test_a_junction_by_name_is_that_of_the_command():
    assert eqx.tree_equal(nmjmc.junction("human"), human())
    assert eqx.tree_equal(nmjmc.junction("human", temperature="30 degC"), human(30.0))
    changed = nmjmc.junction("lizard", terminal={"zone_fraction": 0.5}, **{"receptor.density": "3000 /um^2"})
    assert float(changed.terminal.zone_fraction) == 0.5
    assert float(changed.synapse.receptor.density) == 3000.0
    assert callable(sys.modules["nmjmc.junction"])  # the folder and the function have one name


def test_both_notations_do_what_the_config_does():
    sick, drug = nmjmc.disease("myasthenia_gravis", 0.6), nmjmc.drug("pyridostigmine", "0.2 uM")
    junction = nmjmc.junction("human")
    config = {"pathology": {"myasthenia_gravis": 0.6}, "drug": {"pyridostigmine": "0.2 uM"}}
    by_words = junction.with_(*treatments_of(config))
    assert eqx.tree_equal(junction | sick | drug, by_words)
    assert eqx.tree_equal(junction.with_(sick, drug), by_words)
    assert as_config([sick, drug]) == config
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PartWarning)
        assert eqx.tree_equal(junction.synapse | sick | drug, by_words.synapse)


@pytest.mark.parametrize("apart", [False, True], ids=["at once", "one by one"])
def test_drugs_meet_on_a_synapse_as_on_a_junction(apart):
    synapse = nmjmc.preparation("human")
    both = nmjmc.drug("pyridostigmine", 0.5), nmjmc.drug("neostigmine", 0.6)
    found = synapse | both[0] | both[1] if apart else synapse.with_(*both)
    assert float(found.esterase.active_fraction) == pytest.approx(1 / (1 + 1 + 3))
    spared = synapse | nmjmc.drug("rocuronium", 0.1) | nmjmc.drug("sugammadex", 50)
    assert float(spared.receptor.bath["antagonist"]) < 0.001
    again = nmjmc.build(nmjmc.describe(found))
    assert eqx.tree_equal(again, found)
    with pytest.raises(ValidationError, match="applied twice"):
        again | both[0]


def test_what_has_been_applied_survives_a_description():
    junction = human().with_(
        nmjmc.drug("rocuronium", 0.1), nmjmc.drug("sugammadex", 0.3), nmjmc.disease("colq")
    )
    assert eqx.tree_equal(build_junction(describe_junction(junction)), junction)
    assert nmjmc.describe(human().synapse).keys().isdisjoint({"history"})


def test_what_acts_elsewhere_alone_is_refused_and_what_acts_there_too_is_told():
    synapse = nmjmc.preparation("human")
    with pytest.raises(ValidationError, match="acts on the terminal"):
        synapse | nmjmc.drug("diaminopyridine", "1 uM")
    with pytest.warns(PartWarning, match="also acts on the terminal, muscle and spread"):
        synapse | nmjmc.disease("myasthenia_gravis", 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        synapse | nmjmc.disease("receptor_deficiency", 0.5) | nmjmc.drug("neostigmine", 1)
        assert (synapse | nmjmc.drug("diaminopyridine", 0)).history.applied == ("diaminopyridine",)
    with pytest.raises(ValidationError, match="a junction or a synapse"):
        nmjmc.disease("colq")("human")


def test_files_of_ones_own(tmp_path):
    (tmp_path / "mine.yaml").write_text(OWN)
    mine = nmjmc.drug(str(tmp_path / "mine.yaml"), "2 uM")
    assert (mine.name, mine.dose, str(mine)) == ("my_drug", "2 uM", "my_drug, 2 uM")
    assert float((nmjmc.preparation("human") | mine).esterase.active_fraction) == pytest.approx(0.5)
    again = treatments_of(as_config([mine]))
    assert again == (mine,)
    (tmp_path / "mine.yaml").write_text(OWN.replace("my_drug", "neostigmine"))
    with pytest.raises(ValidationError, match="which is taken"):
        nmjmc.drug(str(tmp_path / "mine.yaml"), "2 uM")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: nmjmc.disease("myasthenia"), "did you mean .*myasthenia_gravis"),
        (lambda: nmjmc.disease("colq", severity=2), "between 0 and 1"),
        (lambda: nmjmc.drug("neostigmine", 1, exposure="3 s"), "organophosphate or succinylcholine"),
        (lambda: nmjmc.drug("organophosphate", 1, exposure="-3 s"), "zero or more"),
        (lambda: nmjmc.junction("humn"), "did you mean human"),
        (lambda: nmjmc.junction("human", terminal={"zone": 1}), "terminal.zone must be a known parameter"),
        (lambda: nmjmc.junction("human") | 3, "unsupported operand"),
    ],
)
def test_refusals_are_sentences(make, told):
    with pytest.raises((ValidationError, TypeError), match=told):
        make()


def test_names_are_listed():
    assert "myasthenia_gravis" in nmjmc.available_diseases()
    assert "pyridostigmine" in nmjmc.available_drugs()
    assert np.all([callable(nmjmc.disease(name)) for name in nmjmc.available_diseases()])
