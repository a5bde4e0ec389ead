"""What was once accepted, lost or told badly: each is read right, or refused in one sentence with its field."""

import dataclasses
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from rich.console import Console

from nmjmc.cli import report, values
from nmjmc.cli.compose import one
from nmjmc.cli.fit_words import KNOWN, changes, data_of
from nmjmc.cli.main import main
from nmjmc.cli.words import SIMULATE, sort
from nmjmc.data import foretelling, speed
from nmjmc.data.hdf5 import load
from nmjmc.errors import ValidationError
from nmjmc.fitting import config as fit_config
from nmjmc.folders import user_path
from nmjmc.simulation import distributed
from nmjmc.simulation.config import Simulation
from nmjmc.sweeps import design
from nmjmc.sweeps.axes import Axis
from nmjmc.units import to_internal
from nmjmc.viz.style import save
from nmjmc.written import as_text
from nmjmc.yaml_file import Refused, parsed, to_yaml

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def sets_of(words):
    """The data sets of a fit's words."""
    return fit_config.read(one(sort(words, KNOWN), KNOWN, changes))[2]


def refused(words, capsys):
    capsys.readouterr()
    assert main(words) == 2, words
    said = capsys.readouterr().err
    assert said.startswith("nmjmc: ") and said.count("\n") == 1
    assert "refused (" not in said and "hydra" not in said.replace("hydra.", "").replace("hydra/", "")
    return said


NAMES = (
    "1_0.csv", "10.csv", "2020_06_16_0000.csv", "null.csv", "true.csv", "1e3.csv", "010.csv", "zelle_ä.csv", "a b.csv",
    "a,b.csv", "[x].csv", "a=b.csv", "50%.csv", "$HOME.csv", "it's.csv", "{x}.csv", "1:30.csv", "-x.csv", "ø.csv",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_found_by_its_name_whatever_it_looks_like(name, tmp_path):
    Path(name).write_text("amplitude (nA)\n3\n4\n5\n6\n")
    words = [f"data={name}", "fit.free=vesicle.content_cv"]
    found = sets_of(words)
    assert [options["file"] for options in found.values()] == [str(tmp_path / name)]
    (key,) = found
    found = sets_of([*words, f"data.{key}.noise=50 pA", f"data.{key}.condition.temperature=30"])
    assert found[key]["noise"] == "50 pA" and found[key]["condition"] == {"temperature": 30}
    Path("sets.yaml").write_text(to_yaml({"one": {"file": name}, "1_0": {"file": f"./{name}"}}))
    described = data_of("sets.yaml")
    assert {Path(options["file"]).resolve() for options in described.values()} == {tmp_path / name}
    assert list(described) == ["one", "1_0"]


def test_two_files_are_two_data_sets(tmp_path, capsys):
    for name in NAMES:
        Path(name).write_text("amplitude (nA)\n3\n4\n5\n6\n")
    usual = [name for name in NAMES if name[0] not in "[{" and name not in ("a,b.csv", "it's.csv", "a=b.csv")]
    found = data_of(f"[{','.join(usual)}]")
    assert len(found) == len(usual) and {Path(o["file"]).name for o in found.values()} == set(usual)
    found = sets_of(["data=[1_0.csv,10.csv]", "fit.free=vesicle.content_cv"])
    assert list(found) == ["1_0", "10"]
    Path("a_b.csv").write_text("3\n")
    assert "a_b" in refused(["fit", "data=['a b.csv',a_b.csv]", "fit.free=vesicle.content_cv"], capsys)
    assert "did you mean data=[1_0.csv,10.csv]?" in refused(["fit", "data=1_0.csv,10.csv"], capsys)


def test_configs_and_folders_are_found_by_their_names(capsys):
    for name in ("1e3.yaml", "null.yaml", "a,b.yaml", "ä=1.yaml"):
        Path(name).write_text("vesicles: 7\nname: 1e3\n")
        assert main(["simulate", f"config={name}", "dry_run=true"]) == 0
        assert "vesicles: 7" in (said := capsys.readouterr().out) and "name: '1e3'" in said
        Path(name).write_text("temperature: 31 degC\n")
        assert main(["simulate", f"preparation={name}", "dry_run=true"]) == 0
        assert "temperature: 31 degC" in capsys.readouterr().out
    for folder in ("1e3", "null", "true", "1_0"):
        assert main(["sweep", "seed=1,2", f"folder={folder}", "dry_run=true"]) == 0
        assert f"folder     {folder}\n" in capsys.readouterr().out


ACCEPTED_ONCE = {
    'rns drug=pyridostigmine:"1e30 M"': "at most 1 M",
    "rns exposure=-1 s": "from 0 to 720 h",
    "rns exposure=1e9 h": "from 0 to 720 h",
    "fit example=human_mepc data.bandwidth=abc": "data.bandwidth",
    "simulate hydra.run.dir=": "hydra.run.dir",
    "sweep vesicles=2,0": "vesicles must be a whole number from 1",
    "sweep duration=1 ms,-1 ms": "duration must be positive",
    "sweep numerics.batch=8,-1": "numerics.batch",
    "sweep seed=1,1.5": "seed",
    "sweep record_interval=1 ms,9 ms": "record_interval",
    "sweep receptor.density=interval(1,2) sampler=optuna objective=amplitude": "given, or else direction",
    "sweep receptor.density=3,4 target=3nA": "left out without sampler=optuna",
    "sweep receptor.density=3,4 folder=a folder=b": "given once",
    "sweep receptor.density=linspace(1,2,200000000)": "at most 1,000,000",
    "sweep seed=1,2 hydra.run.dir=x": "folder=PATH",
    "simulate preparation=human preparation=slab": "given once",
    "simulate vesicles=range(1,100000) -m": "1,000 runs",
    "simulate distributed=127.0.0.1:99999,2,0": "a port from 1 to 65535",
    "simulate distributed=127.0.0.1:0,2,0": "a port from 1 to 65535",
    "simulate distributed=host,2,0": "HOST:PORT,COUNT,INDEX",
    "simulate distributed=no.such.host.invalid:9911,2,0": "a host that is not known",
    "simulate config=~nobody-of-this-name/x.yaml": "a user who exists",
    "simulate fit=3": "a setting or a parameter",
    "fit example=human_mepc data.human.file=a.csv": "data.human.file must be left out where published says",
    "tof name.sub.sub=3": "name",
    "simulate esterase.position=": "esterase.position must be a number, but is ''",
    "tof spread.quantum=": "spread.quantum must be a number, but is ''",
    "sweep seed=1,2 temperature=": "temperature must be a number in degC, but is ''",
    "sweep receptor.density=3,4 receptor.density=5": "receptor.density must be given once",
    "simulate ++vesicle.times.q=3": "vesicle.times",
}  # fmt: skip
WITHOUT_A_FIELD_ONCE = {
    "simulate receptor.density=[1,2": "close the bracket [",
    "simulate receptor.density=1]": "has no [ before it",
    "simulate receptor.density={a:1": "close the bracket {",
    "simulate temperature='x": "close the quote '",
    'simulate temperature="x': 'close the quote "',
    "simulate vesicles=f(3": "close the bracket (",
    "simulate receptor/density=3": "did you mean receptor.density=3?",
    "simulate receptor..density=3": "names joined by dots",
    "simulate receptor.=3": "did you mean receptor=3?",
    "simulate =3": "KEY=VALUE",
    "simulate preparation@x=human": "did you mean preparation=human?",
    "simulate +nothing=3": "a setting or a parameter",
    "simulate ~nothing": "a setting or a parameter",
    "simulate ~receptor.nothing": "receptor.nothing",
    "simulate ~~vesicles": "did you mean",
    "simulate vesicles=1,2": "add -m",
    "simulate vesicles=interval(1,2) -m": "nmjmc sweep takes intervals",
    "simulate receptor.density.x=3": "receptor.density",
    "simulate hydra/launcher=nothing -m": "nothing",
    "fit example=human_mepc fit.fixed=[]": "fit.fixed",
    "fit example=human_mepc data.ä.noise=3": "a data set",
    "rns test=[]": "test",
    "fit example=human_mepc fit.estimator=[]": "fit.estimator",
    "simulate ~preparation=zz": "preparation",
    "simulate cleft.kind=[]": "cleft.kind",
    "simulate temperature=" + "1" * 400: "a shorter number",
}


@pytest.mark.parametrize("words", [*ACCEPTED_ONCE, *WITHOUT_A_FIELD_ONCE])
def test_it_is_refused_with_its_field(words, tmp_path, capsys):
    command, *rest = words.split(" ")
    given_words = []
    for word in rest:  # a space that begins no word belongs to the value
        if "=" in word or word.startswith(("-", "~")):
            given_words.append(word)
        else:
            given_words[-1] += f" {word}"
    said = refused(
        [command, *(word.replace('"', "") if command == "rns" else word for word in given_words)], capsys
    )
    assert {**ACCEPTED_ONCE, **WITHOUT_A_FIELD_ONCE}[words] in said, said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["receptor: [1]", "receptor: {q10: [1]}", "vesicle: {times: {a: 1}}"])
def test_a_list_is_no_mapping_in_a_config(text, capsys):
    Path("a.yaml").write_text(f"{text}\n")
    field = text.partition(":")[0] + (".q10" if "q10" in text else ".times" if "times" in text else "")
    for command in ("simulate", "rns"):
        said = refused([command, "config=a.yaml", "dry_run=true"], capsys)
        assert said.startswith(f"nmjmc: {field} (a.yaml, line 1) must be"), said


def test_a_number_that_its_unit_makes_infinite_is_refused(capsys):
    assert "ions.sodium_outside must be a finite number in mM" in refused(
        ["simulate", "ions.sodium_outside=1e308"], capsys
    )


def test_a_long_value_is_cut_in_a_sentence(capsys):
    assert len(refused(["simulate", "temperature=" + "x" * 5000], capsys)) < 600


def test_a_seed_names_its_folder_however_it_is_written(capsys):
    for text in ("1000", "1e3", "1000.0"):
        config = one(sort([f"seed={text}"], SIMULATE), SIMULATE)
        assert Simulation.of(config).request.seed == 1000
    Path("a.yaml").write_text("seed: 1e3\nvesicles: 1e1\n")
    assert main(["simulate", "config=a.yaml", "dry_run=true"]) == 0
    assert "seed: 1000\n" in (said := capsys.readouterr().out) and "vesicles: 10\n" in said


@pytest.mark.parametrize("text", ["2500/µm²", "2500 µm⁻²", "2500 /um^2", "0.0025/nm²"])
def test_raised_digits_are_powers(text):
    assert to_internal(text, "/um^2", "receptor.density") == 2500.0
    assert to_internal("3 s⁻¹", "/s", "rate") == 3e-3


def test_paths_are_printed_as_they_are(monkeypatch):
    out = io.StringIO()
    made = report.console()
    monkeypatch.setattr("nmjmc.cli.report.console", lambda: Console(
        file=out, highlight=made._highlight, markup=made._markup, emoji=made._emoji, width=140))  # fmt: skip
    report.print_pairs("a [bold]title[/x]", {"[red]name": "out[/x]/[1].h5 :smile:"})
    assert "a [bold]title[/x]" in out.getvalue() and "out[/x]/[1].h5 :smile:" in out.getvalue()
    assert "[red]name" in out.getvalue()


def test_a_tilde_is_the_home(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    assert user_path("~/x", "out") == tmp_path / "home" / "x"
    (tmp_path / "home" / "mine.yaml").write_text("vesicles: 5\n")
    assert main(["simulate", "config=~/mine.yaml", "dry_run=true"]) == 0
    save(Figure(), "~/figure.png")
    assert (tmp_path / "home" / "figure.png").is_file() and not Path("~").exists()
    with pytest.raises(ValidationError, match="no file"):
        load("~/none.h5")


def test_a_figure_has_a_format_that_there_is(tmp_path):
    for name in ("a.xyz", "a.h5", "a.png.tmp"):
        with pytest.raises(ValidationError, match="ends in one of"):
            save(Figure(), name)
    save(Figure(), "a.PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["a.PNG"]


@pytest.mark.parametrize(
    ("environment", "words", "sentence"),
    [
        ({"JAX_PLATFORMS": "cuda"}, ["simulate", "dry_run=true"], "JAX_PLATFORMS must be a kind of device"),
        ({"MPLBACKEND": "module://nothing_here.backend"}, ["show", "none.h5"], "there is no file"),
    ],
)  # fmt: skip
def test_an_inherited_environment_is_no_traceback(environment, words, sentence):
    import nmjmc

    whole = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(nmjmc.__file__)), **environment}
    done = subprocess.run(
        [sys.executable, "-m", "nmjmc", *words], env=whole, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and sentence in done.stderr and done.stderr.count("\n") == 1
    script = "from nmjmc.viz.style import save; from matplotlib.figure import Figure; save(Figure(), 'a.png')"
    if "MPLBACKEND" in environment:
        for backend in (environment["MPLBACKEND"], "nonsense"):
            subprocess.run([sys.executable, "-c", script], env={**whole, "MPLBACKEND": backend}, check=True)


NAMES_OF_RUNS = ("key", "human", "simulate warp disc")


def test_what_runs_took_foretells_the_next(monkeypatch, tmp_path):
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))
    typical = foretelling.TYPICAL["simulate warp disc"]

    def foretold(work, names=NAMES_OF_RUNS, **more):
        return speed.foretell("cpu", names, work, typical, **more)

    def took(work, compiling, factor=1.0):  # three times what is typical
        cost = speed.Cost(work, factor * (0.9 + 0.045 * work), compiling, 2.0, 1.1)
        speed.remember_cost("cpu", NAMES_OF_RUNS, cost)

    assert foretold(1000).by == "" and foretold(1000).cost.running == pytest.approx(15.3, rel=0.01)
    took(2, 25.0)  # of two vesicles, which tells little of a thousand, but not nothing
    assert 0.5 < foretold(1000).cost.running / 45.9 < 2.0 and foretold(1000).by == "key"
    assert foretold(2).cost.compiling == 1.25 and foretold(2, cached=False).cost.compiling == 25.0
    assert foretold(1000).cost.compiling == 25.0 and foretold(1000, shared=True).cost.compiling == 1.25
    took(300, 1.0, 1.2)
    assert foretold(1000).cost.running == pytest.approx(45.9, rel=0.25)
    took(300, 1.0, 6.0)  # beside other work
    took(320, 1.0, 0.9)
    for names in (NAMES_OF_RUNS, ("other", *NAMES_OF_RUNS[1:]), ("other", "slab", NAMES_OF_RUNS[2])):
        found = foretold(1000, names)
        assert found.by == next(name for name in names if name in NAMES_OF_RUNS)
        assert found.cost.running == pytest.approx(45.9, rel=0.3) and found.cost.starting == 2.0
    assert found.cost.total == pytest.approx(sum(dataclasses.astuple(found.cost)[1:]))


@pytest.mark.parametrize(
    ("words", "foretold"),
    [("simulate", ("compiling", "running", "starting", "saving")), ("fit example=human_mepc", ("running", "starting")),
     ("rns fibres=2", ("simulating quanta", "running", "starting", "saving"))],
)  # fmt: skip
def test_every_dry_run_foretells_its_parts(words, foretold, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))
    assert main([*words.split(), "dry_run=true"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "predicted time" in line)
    assert all(part in line for part in foretold) and "as this machine has kept no such run" in line


@pytest.mark.parametrize("text", ["{}", "[]", "null", "", "{" * 4000, '{"cpu: human": "fast"}', '{"cpu: human": [1]}',
                                  '{"cpu: human": [[1, 2, "x", 4, 5]]}', '{"cpu: human": NaN}'])  # fmt: skip
def test_damaged_notes_of_speed_foretell_nothing(text, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir(mode=0o700)
    for name in ("speed.json", "costs.json"):
        (tmp_path / "cache" / name).write_text(text)
    typical = foretelling.TYPICAL["simulate warp"]
    assert speed.recall("cpu", "human") is None and not speed.foretell("cpu", ("human",), 3, typical).by


def test_a_large_grid_is_planned_without_being_written_out():
    axes = [
        Axis("temperature", "degC", tuple(map(str, range(10, 40)))),
        Axis("receptor.scheme", None, tuple("abcd")),
    ]
    small = design.points(axes, "grid", 0, 0)
    grid = design.Grid(axes, 5, False)
    assert [point["values"] for point in grid] == small and len(grid) == 120
    assert [grid[i]["seed"] for i in range(3)] == [design.point_seed(5, i) for i in range(3)]
    told = [small[i] for i in sorted(design.telling(axes))]
    assert {row["receptor.scheme"] for row in told} == set("abcd")
    assert {"10", "39"} <= {row["temperature"] for row in told} and len(told) < 20


def test_one_of_several_processes_says_that_nobody_listens(monkeypatch):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ValidationError, match="process 0 can listen"):
            distributed._reach(f"127.0.0.1:{port}", 0)
        distributed._reach(f"127.0.0.1:{port}", 1)
    monkeypatch.setattr(distributed, "_TIMEOUT", 0)
    with pytest.raises(Exception, match="Nobody listens"):
        distributed._reach(f"127.0.0.1:{port}", 1)


def test_a_value_is_read_back_from_its_quotes():
    for text in ("a'b", "{}[],:=", "ä", "1_0", "null", "$x", "50 %", "a, b", "1e3", "${"):
        quoted = "'" + text.replace("'", "\\'") + "'"
        assert values.value("x", quoted) == as_text(quoted) == text
        assert values.value("x", f"[{quoted}, {{a: {quoted}}}]") == [text, {"a": text}]


scalars = st.one_of(
    st.text(max_size=8),
    st.integers(-5, 5),
    st.booleans(),
    st.none(),
    st.sampled_from(["${oc.env:HOME}", "1e3", "010"]),
)
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(min_size=1, max_size=6), trees, min_size=1, max_size=4))
def test_what_is_written_is_read_back_or_refused(content):
    text = to_yaml(content)
    try:
        found = parsed(text)
    except Refused:
        assert "${" in text or any(letter in repr(content) for letter in ("\\", "_", "<<")), text
        return
    assert found == content


def _mutated(draw, whole):
    """The lines of a config with one dropped, doubled, shifted, or filled with something else."""
    lines = whole.splitlines()
    index = draw(st.integers(0, len(lines) - 1))
    kind = draw(st.sampled_from(("drop", "double", "indent", "value", "key")))
    line = lines[index]
    if kind == "drop":
        del lines[index]
    elif kind == "double":
        lines.insert(index, line)
    elif kind == "indent":
        lines[index] = "  " + line
    elif kind == "value":
        wrong = (
            "[",
            "{a: 1}",
            "nan",
            "-1",
            "1e400",
            "!!python/name:os.system x",
            "*a",
            "[]",
            "3 parsec",
            "''",
        )
        lines[index] = line.partition(":")[0] + ": " + draw(st.sampled_from(wrong))
    else:
        lines[index] = line.replace(":", "x:", 1)
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def config_text():
    return to_yaml(Simulation.of(one(sort([], SIMULATE), SIMULATE)).config())


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
def test_a_changed_config_is_read_or_refused_in_one_sentence(data, config_text, capsys):
    Path("mine.yaml").write_text(_mutated(data.draw, config_text))
    capsys.readouterr()
    code = main(["simulate", "config=mine.yaml", "vesicles=2", "dry_run=true"])
    printed = capsys.readouterr()
    assert code in (0, 2)
    if code:
        assert (
            printed.err.startswith("nmjmc: ") and printed.err.count("\n") == 1 and "hydra" not in printed.err
        )
    else:
        assert json.dumps(parsed(printed.out.split("\n#")[0]))
