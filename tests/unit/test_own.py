"""A user's own disease and drug from a YAML alone: in every command, checked as other files, and never run."""

import pytest
import yaml

from nmjmc.bedside.examine import with_files
from nmjmc.bedside.names import KINDS
from nmjmc.bedside.rns import Rns
from nmjmc.bedside.task import of_junction
from nmjmc.cli.main import BEDSIDE, main
from nmjmc.errors import ValidationError
from nmjmc.junction.occupancy import receptor_occupancy
from nmjmc.junction.whole import human
from nmjmc.pathology import disease
from nmjmc.pharmacology import drug
from nmjmc.units import to_text

pytestmark = pytest.mark.unit
DISEASE = """\
kind: pathology
source: a choice
changes:
  - {parameter: synapse.receptor.density, scale: 0.5}
  - {parameter: terminal.calcium_outside, set: 1 mM}
  - {parameter: spread.quantum, widen: 0.3}
"""
DRUG = """\
kind: drug
name: curariform
source: a choice
blocks: {dissociation: 30 nM}
inhibits: {half: 1 uM}
changes:
  - {parameter: terminal.spike_width, scale: 2, half: 1 uM, hill: 2}
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    (tmp_path / "mine.yaml").write_text(DISEASE)
    (tmp_path / "blocker.yml").write_text(DRUG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_does_what_it_says():
    junction = disease("mine.yaml", 0.5)(human())
    assert float(junction.synapse.receptor.density) == pytest.approx(7500 * 0.75)
    assert float(junction.terminal.calcium_outside) == pytest.approx(1500)
    assert float(junction.spread.quantum) == pytest.approx((0.1**2 + 0.15**2) ** 0.5)
    assert junction.applied == ("mine",)
    treated = drug("blocker.yml", "1 uM")(human())
    assert receptor_occupancy(treated) == pytest.approx(1 - (0.03 / 1.03) ** 2)
    assert float(treated.synapse.esterase.active_fraction) == pytest.approx(0.5)
    assert float(treated.terminal.spike_width) == pytest.approx(0.25 * 1.5)
    with pytest.raises(ValidationError, match="applied twice"):
        drug("blocker.yml", 1)(treated)


@pytest.mark.parametrize("test", BEDSIDE)
def test_every_command_takes_it_and_keeps_it(test, folder, capsys):
    titrated = test in ("tof", "dose_response")
    words = ["agent=blocker.yml"] if titrated else ["drug=blocker.yml:20 nM"]
    assert main([test, "pathology=ageing:0.2+mine.yaml:0.5", *words, "dry_run=true"]) == 0
    shown = capsys.readouterr().out
    config = yaml.safe_load(shown)
    assert config["pathology"] == {"ageing": 0.2, "mine": 0.5} and set(config["definitions"]) == {
        "mine",
        "curariform",
    }
    if titrated:  # multiples of the constant of what it blocks
        assert config["doses"] == [to_text(0.03 * factor, "uM") for factor in KINDS[test].AUTOMATIC]
    # the config alone is enough, without the files
    (folder / "kept.yaml").write_text(shown)
    for name in ("mine.yaml", "blocker.yml"):
        (folder / name).unlink()
    assert main([test, "config=kept.yaml", "dry_run=true"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == config


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("density", "densit", "did you mean synapse.receptor.density"),
        ("scale: 0.5", "scal: 0.5", "did you mean scale"),
        ("scale: 0.5", "scale: -1", "zero or more"),
        ("1 mM", "1 mV", "mM"),
        ("source: a choice", "sourc: a choice", "did you mean source"),
        ("source: a choice\n", "", "mine.source must be where its numbers come from"),
        ("kind: pathology", "kind: drug", "pathology for a disease"),
        ("kind: pathology", "_target_: os.system", "_target_"),
        ("a choice", "!!python/object/apply:os.getcwd []", "python"),
        ("a choice", "${oc.env:HOME}", "oc.env"),
        ("kind: pathology", "kind: pathology\nkind: pathology", "kind"),
        ("kind: pathology", "kind: pathology\nname: ageing", "taken"),
        ("kind: pathology", "kind: pathology\nname: a.b", "letters, digits"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_one_sentence(old, new, words, folder, capsys):
    (folder / "mine.yaml").write_text(DISEASE.replace(old, new, 1))
    assert main(["rns", "pathology=mine.yaml:0.5", "dry_run=true"]) == 2
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1 and not (folder / "outputs").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("30 nM", "30 mV", "uM"), ("30 nM", "0 nM", "positive"), ("dissociation", "half", "dissociation"),
        ("half: 1 uM, hill: 2", "hill: 2", "half"), ("hill: 2", "hill: 200", "at most 20"),
        ("blocks: {dissociation: 30 nM}\ninhibits: {half: 1 uM}\nchanges:", "others:", "choose one of blocks"),
    ],
)  # fmt: skip
def test_a_drug_that_cannot_be_right_is_one_sentence(old, new, words, folder, capsys):
    (folder / "blocker.yml").write_text(DRUG.replace(old, new, 1))
    assert main(["tof", "agent=blocker.yml", "dry_run=true"]) == 2
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1


def test_a_file_that_is_not_there():
    with pytest.raises(ValidationError, match="YAML file that can be read"):
        disease("none.yaml", 1)


def test_the_functions_take_own_files_as_the_commands_do(folder, capsys):
    words = ["pathology=ageing:0.2+mine.yaml:0.5", "drug=blocker.yml:20 nM", "dry_run=true"]
    assert main(["rns", *words]) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    given = {"pathology": {"ageing": 0.2, "mine.yaml": 0.5}, "drug": {"blocker.yml": "20 nM"}}
    assert of_junction(human(), Rns(**with_files(given))).config == config
    assert with_files({"agent": "blocker.yml"})["agent"] == "curariform"
