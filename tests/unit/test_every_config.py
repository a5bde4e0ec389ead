"""Every file under configs/ composes and builds, through the command that reads it; none is left out."""

import pytest

from nmjmc.cli.main import BEDSIDE, main
from nmjmc.folders import config_dir
from nmjmc.kinetics import load_scheme
from nmjmc.synapse.presets import preparation_mapping

pytestmark = pytest.mark.unit
FILES = {str(path.relative_to(config_dir()).with_suffix("")) for path in config_dir().rglob("*.yaml")}
LAUNCHERS = {
    name for name in FILES if name.startswith("hydra/launcher/")
}  # see tests/cluster/test_launchers.py
READ_BY_ALL = {"config", "junction", "fit", "run", "hydra/job_logging/nmjmc"}  # and by each test below


def named(group):
    return sorted(name.removeprefix(f"{group}/") for name in FILES if name.startswith(f"{group}/"))


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not [path for path in tmp_path.rglob("*.h5")]


def test_no_file_is_left_out():
    known = {
        f"{group}/{name}"
        for group in ("preparation", "scheme", "example", "bedside", "diseases", "drugs")
        for name in named(group)
    }
    assert known | LAUNCHERS | READ_BY_ALL == FILES
    assert set(named("bedside")) == set(BEDSIDE)


@pytest.mark.parametrize("name", named("preparation"))
def test_every_preparation(name, capsys):
    assert main(["simulate", f"preparation={name}", "vesicles=1", "dry_run=true"]) == 0
    assert name in capsys.readouterr().out


@pytest.mark.parametrize(("kind", "group"), [("pathology", "diseases"), ("drug", "drugs")])
def test_every_disease_and_drug_that_is_data(kind, group, capsys):
    """Joined into one command; each number of theirs has its source, which `nmjmc show` prints."""
    given = "+".join(name if kind == "pathology" else f"{name}:1 uM" for name in named(group))
    assert main(["rns", f"{kind}={given}", "dry_run=true"]) == 0
    for name in named(group):
        assert main(["show", f"{group}={name}"]) == 0
        text = (config_dir() / group / f"{name}.yaml").read_text()
        assert "source: " in text and text.count("{") == text.count("}   # "), name


@pytest.mark.parametrize("name", named("scheme"))
def test_every_scheme(name, capsys):
    """In the place of the slab's own, with every rate that it has and no other."""
    scheme = load_scheme(name)
    part = "esterase" if name.startswith("esterase") else "receptor"
    given = preparation_mapping("slab")[part]
    rates = {rate: "1e7 /M/s" if binds else "2000 /s" for rate, binds in scheme.binds_by_rate().items()}
    foreign = set(load_scheme(given["scheme"]).rate_names) - set(rates)
    words = [f"{part}.scheme={name}", *(f"{part}.{rate}={value}" for rate, value in rates.items())]
    words += [f"{part}.{rate}=null" for rate in foreign]
    words += [f"{part}.q10.{rate}=null" for rate in foreign & set(given.get("q10", {}))]
    words += [f"{part}.bath.{ligand}=0.1 uM" for ligand in scheme.bath_ligands]
    assert main(["simulate", "preparation=slab", *words, "vesicles=1", "dry_run=true"]) == 0, words
    assert "memory" in capsys.readouterr().out


@pytest.mark.parametrize("name", named("example"))
def test_every_example(name, capsys):
    assert main(["fit", f"example={name}", "dry_run=true"]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", named("bedside"))
def test_every_bedside_test(name, capsys):
    assert main([name, "dry_run=true"]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", ["simulate", "fit"])
def test_every_help(command, capsys):
    assert main([command, "--help"]) == 0
    assert "vesicles" in capsys.readouterr().out
