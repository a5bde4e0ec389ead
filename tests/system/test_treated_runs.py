"""`nmjmc simulate` and `nmjmc sweep` with diseases and drugs: what is refused, recorded, told, and made again."""

import json
import warnings
from pathlib import Path

import equinox as eqx
import numpy as np
import pytest
import yaml

import nmjmc
from nmjmc.cli import treatments
from nmjmc.cli.compose import one
from nmjmc.cli.main import main
from nmjmc.cli.words import SIMULATE, sort
from nmjmc.errors import ValidationError
from nmjmc.simulation.config import Simulation

pytestmark = [pytest.mark.system, pytest.mark.filterwarnings("ignore::nmjmc.junction.treatment.PartWarning")]

WORDS = ["pathology=myasthenia_gravis:0.6", "drug=pyridostigmine:0.2 uM"]
OWN = "kind: pathology\nsource: a choice\nchanges: [{parameter: synapse.receptor.density, scale: 0.5}]\n"


def asked(*words):
    written, own = treatments.with_files(words)
    return Simulation.of(one(sort(written, SIMULATE), SIMULATE, treatments.reading(own)))


def test_the_synapse_is_that_of_the_library():
    disease, drug = nmjmc.disease("myasthenia_gravis", 0.6), nmjmc.drug("pyridostigmine", "0.2 uM")
    assert eqx.tree_equal(asked(*WORDS).synapse, nmjmc.preparation("human").with_(disease, drug))
    assert asked(*WORDS).changes() == {
        "cleft.height": "30 -> 39 nm",
        "receptor.density": "7500 -> 3450 /um^2",
        "esterase.active_fraction": "1 -> 0.714286",
    }
    assert asked().changes() == {}


def test_a_config_tells_of_it_and_gives_the_same_again():
    made = asked(*WORDS)
    config = made.config()
    assert config["pathology"] == {"myasthenia_gravis": 0.6} and config["drug"] == {
        "pyridostigmine": "0.2 uM"
    }
    again = Simulation.of(config)
    assert eqx.tree_equal(again.synapse, made.synapse)
    assert again.folder_digest() == made.folder_digest() != asked().folder_digest()
    assert (
        asked("drug=pyridostigmine:200 nM").folder_digest()
        == asked("drug=pyridostigmine:0.2 uM").folder_digest()
    )
    # configs and folders without diseases and drugs are those of earlier versions
    assert {"pathology", "drug", "definitions", "exposure"}.isdisjoint(asked().config())
    one, other = (asked("drug=organophosphate:1 uM", f"exposure={t}") for t in ("1 min", "5 min"))
    assert one.folder_digest() != other.folder_digest()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pathology=myasthenia:0.5"], "did you mean"),
        (["pathology=myasthenia_gravis:2"], "between 0 and 1"),
        (["drug=pyridostigmine"], "without a dose"),
        (["drug=diaminopyridine:1 uM"], "whole junction"),
        (["pathology=lambert_eaton"], "acts on the terminal"),
        (["pathology=none.yaml:0.5"], "none.yaml"),
        (["exposure=5"], "did you mean 5 s"),
    ],
)
def test_refusals_are_sentences(words, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", *words]) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_file_of_ones_own_is_written_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(OWN)
    made = asked("pathology=mine.yaml:0.5")
    Path("mine.yaml").unlink()
    again = Simulation.of(made.config())
    assert float(again.synapse.receptor.density) == 0.75 * 7500
    assert again.config()["definitions"]["mine"]["source"] == "a choice"


def test_a_run_is_recorded_told_and_made_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [*WORDS, "vesicles=2", "duration=0.1 ms", "record_interval=0.05 ms", "hydra.run.dir=run"]
    assert main(["simulate", *words]) == 0
    assert "receptor.density          7500 -> 3450 /um^2" in capsys.readouterr().out
    result = nmjmc.load("run/result.h5")
    assert result.synapse.history.applied == ("myasthenia_gravis", "pyridostigmine")
    assert (
        result.provenance["diseases_and_drugs"] == "myasthenia_gravis, severity 0.6; pyridostigmine, 0.2 uM"
    )
    again = result.rerun(progress=False)
    assert all(np.array_equal(again.counts[name], counts) for name, counts in result.counts.items())
    with pytest.raises(ValidationError, match="applied twice"):
        result.synapse | nmjmc.drug("pyridostigmine", 1)
    assert main(["simulate", *words, "resume=true"]) == 0
    assert main(["simulate", "config=run", "hydra.run.dir=again"]) == 0  # not applied a second time
    assert float(nmjmc.load("again").synapse.receptor.density) == float(result.synapse.receptor.density)
    assert main(["simulate", *words[1:], "resume=true"]) == 2
    assert "pathology" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "densities"),
    [
        (["pathology=receptor_deficiency:0,receptor_deficiency:1"], [7500, 1125]),
        (["pathology.receptor_deficiency=0,1", "drug=neostigmine:0.2 uM"], [7500, 1125]),
        (["pathology=mine.yaml:0,mine.yaml:1"], [7500, 3750]),
        (["drug=neostigmine:0 uM,neostigmine:0.2 uM", "pathology=receptor_deficiency"], [1125, 1125]),
    ],
)
def test_a_sweep_takes_them_for_all_points_or_as_what_is_swept(words, densities, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(OWN)
    settings = ["vesicles=2", "duration=0.1 ms", "record_interval=0.05 ms", "folder=swept", "results=true"]
    with warnings.catch_warnings():
        assert main(["sweep", *words, *settings]) == 0
    definition = json.loads(Path("swept/sweep.json").read_text())
    assert len(definition["points"]) == 2
    found = [nmjmc.load(path) for path in sorted(Path("swept/results").glob("*.h5"))]
    assert [float(result.synapse.receptor.density) for result in found] == pytest.approx(densities)


def test_help_and_dry_run_tell_of_them(capsys):
    assert main(["simulate", *WORDS, "dry_run=true"]) == 0
    told = capsys.readouterr().out
    assert yaml.safe_load(told)["pathology"] == {"myasthenia_gravis": 0.6}
    assert "# changes receptor.density          7500 -> 3450 /um^2" in told
