"""What the words of a sweep mean: lists, intervals, designs, seeds, and one sentence for every mistake."""

import json

import numpy as np
import pytest

from nmjmc.cli.main import main
from nmjmc.cli.sweep import _planned
from nmjmc.cli.sweep_words import sort
from nmjmc.errors import ValidationError
from nmjmc.folders import config_dir
from nmjmc.sweeps import axes, design
from nmjmc.sweeps.points import build_point

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def planned(*words):
    return _planned(sort(words)).definition


def column(definition, key):
    return [point["values"][key] for point in definition["points"]]


def test_a_grid_has_every_combination_in_the_order_of_the_words():
    found = planned("receptor.density=3000 /um^2,5000 /um^2", "temperature=22,30 degC", "vesicles=5")
    assert found["size"] == 4
    assert column(found, "receptor.density") == ["3000 /um^2"] * 2 + ["5000 /um^2"] * 2
    assert column(found, "temperature") == ["22", "30 degC"] * 2
    assert len({point["seed"] for point in found["points"]}) == 4


def test_a_list_goes_in_pairs():
    found = planned("receptor.density=3000,5000", "temperature=22,30", "sampler=list")
    assert [list(point["values"].values()) for point in found["points"]] == [["3000", "22"], ["5000", "30"]]


def test_even_steps_reach_both_ends():
    found = planned("receptor.density=linspace(2000 /um^2, 8000 /um^2, 4)")
    assert column(found, "receptor.density") == ["2000 /um^2", "4000 /um^2", "6000 /um^2", "8000 /um^2"]
    found = planned("esterase.density=logspace(10 /um^2, 1000 /um^2, 3)")
    assert column(found, "esterase.density") == ["10 /um^2", "100 /um^2", "1000 /um^2"]


@pytest.mark.parametrize("sampler", ["random", "sobol", "lhs"])
def test_drawn_points_lie_in_the_interval_and_come_again_from_their_seed(sampler):
    words = (
        "receptor.density=interval(2000 /um^2, 9000 /um^2)",
        "esterase.density=log(10, 1000)",
        "points=20",
    )
    found = planned(*words, f"sampler={sampler}")
    numbers = np.array([float(text.split()[0]) for text in column(found, "receptor.density")])
    assert len(numbers) == 20 and numbers.min() >= 2000 and numbers.max() <= 9000
    assert found["points"] == planned(*words, f"sampler={sampler}")["points"]
    assert found["points"] != planned(*words, f"sampler={sampler}", "sampler_seed=1")["points"]


@pytest.mark.parametrize("sampler", ["sobol", "lhs"])
def test_drawn_designs_are_even_in_each_axis(sampler):
    """Of 16 points exactly one lies in each sixteenth of every axis; independent points never do (4e-5 an axis)."""
    found = [axes.Axis("a", "", (), 0.0, 1.0), axes.Axis("b", "", (), 1.0, 1e4, True)]
    rows = design.points(found, sampler, 16, 3)
    first = sorted(int(16 * float(row["a"])) for row in rows)
    second = sorted(int(4 * np.log10(float(row["b"]))) for row in rows)
    assert first == list(range(16)) and second == list(range(16))


def test_whole_numbers_stay_whole_and_lists_may_be_drawn():
    found = planned("vesicles=interval(3, 9)", "preparation=human,slab", "points=16")
    assert all(text.isdigit() and 3 <= int(text) <= 9 for text in column(found, "vesicles"))
    assert column(found, "preparation").count("slab") == 8  # Sobol halves evenly


def test_seeds_are_distinct_common_or_given():
    def seeds(*words):
        return [p["seed"] for p in planned("temperature=22,30,37", "seed=5", *words)["points"]]

    assert len(set(seeds())) == 3 and seeds("seeds=common") == [5, 5, 5]
    found = planned("seed=1,2,3")
    assert [p["seed"] for p in found["points"]] == [None] * 3 and column(found, "seed") == ["1", "2", "3"]
    assert design.point_seed(5, 0) != design.point_seed(6, 0) and design.point_seed(5, 7) < 2**53


def test_a_table_gives_the_points(tmp_path):
    (tmp_path / "points.csv").write_text(
        "receptor.density, cleft.height\n3000 /um^2, 30 nm\n5000 /um^2, 50 nm\n"
    )
    found = planned("table=points.csv")
    assert [p["values"]["cleft.height"] for p in found["points"]] == ["30 nm", "50 nm"]


BAD_TABLES = {
    "receptor.density, temperature\n3000 /um^2, 30\n\n5000 /um^3, 30\n": (4, "did you mean 5000 /um^2?"),
    "receptor.density, temperature\n3000 /um^2, 30\n5000 /um^2, warm\n": (3, "temperature"),
    "receptor.density, temperature\n3000 /um^2, 30\n-5 /um^2, 30\n": (3, "receptor.density"),
    "receptor.densty\n3000 /um^2\n": (1, "did you mean receptor.density?"),
    "receptr, temperature\n3, 30\n": (1, "did you mean receptor?"),
    "device, temperature\ncpu, 30\n": (1, "the same for all points"),
    "receptor.density, temperature\n3000 /um^2, 30\n5000 /um^2,\n": (3, "of 2 values"),
    "receptor.scheme\ntwo_site_sequential\n\ntwo_site_sequentail\n": (4, "did you mean two_site_sequential?"),
}


@pytest.mark.parametrize("text", BAD_TABLES)
def test_a_mistake_in_a_table_names_its_line_before_anything_is_run(text, tmp_path, capsys):
    (tmp_path / "points.csv").write_text(text)
    line, words = BAD_TABLES[text]
    assert main(["sweep", "table=points.csv", "vesicles=1"]) == 2
    printed = capsys.readouterr().err
    assert f"points.csv, line {line}" in printed and words in printed and printed.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["points.csv"]


def test_a_wrong_unit_far_down_a_long_table_is_refused(tmp_path):
    rows = [f"{3000 + index} /um^2" for index in range(3000)]
    rows[1001] = "4001 /um^3"
    (tmp_path / "points.csv").write_text("\n".join(["receptor.density", *rows]) + "\n")
    with pytest.raises(ValidationError, match="line 1003"):
        planned("table=points.csv")


def test_a_mistake_in_lists_that_go_in_pairs_names_its_point():
    with pytest.raises(ValidationError, match=r"receptor\.density \(point 1\)"):
        planned("receptor.density=3000 /um^2,5000 /um^3", "temperature=22,30", "sampler=list")


def test_a_table_may_name_preparations(tmp_path):
    (tmp_path / "points.csv").write_text("preparation, temperature\nslab, 22\nhuman, 30\nslab, 30\n")
    assert sorted(planned("table=points.csv")["request"]["bases"]) == ["human", "slab"]


def test_a_design_depends_on_its_words_only(capsys):
    words = ["sweep", "temperature=22,30", "vesicles=2", "dry_run=true"]
    folders = []
    for more in ([], ["progress=false"], ["together=3"], ["vesicles=3"]):
        assert main([*words, *more]) == 0
        folders.append(next(line for line in capsys.readouterr().out.splitlines() if "folder" in line))
    assert folders[0] == folders[1] == folders[2] != folders[3]


def test_a_dry_run_leaves_nothing(tmp_path, capsys):
    assert main(["sweep", "receptor.density=3000,5000,7000", "dry_run=true"]) == 0
    printed = capsys.readouterr().out
    assert "receptor.density" in printed and "points" in printed and list(tmp_path.iterdir()) == []


MISTAKES = {
    "vesicles=3": "given one",
    "receptor.densty=3,4": "did you mean receptor.density?",
    "receptr.density=3,4": "did you mean receptor?",
    "tempurature=3,4": "did you mean temperature?",
    "preperation=slab temperature=22,30": "did you mean preparation?",
    "receptor.density=3000 /um^3,4000 /um^2": "did you mean 3000 /um^2?",
    "receptor.density=3000,3000": "different values",
    "receptor.density=3000,": "empty",
    "receptor.density=interval(9000 /um^2, 2000 /um^2)": "lower end first",
    "receptor.density=interval(2000 /um^2)": "2 values",
    "receptor.density=interval(20 ms, 30 ms)": "/um^2",
    "esterase.density=log(0 /um^2, 3 /um^2)": "positive",
    "receptor.density=linspace(1, 2, 1)": "whole number of steps",
    "receptor.scheme=interval(1, 2)": "a list",
    "temperature=22,30 sampler=sobl": "did you mean sobol?",
    "temperature=interval(22, 30) sampler=grid": "linspace",
    "temperature=22,30 vesicles=1,2,3 sampler=list": "one length",
    "temperature=22,30 points=0": "a whole number from 1",
    "temperature=22,30 pionts=3": "did you mean points?",
    "temperature=22,30 seed=null": "so that it can be gone on with",
    "temperature=22,30 seeds=other": "distinct or common",
    "temperature=22,30 results=3": "true or false",
    "device=cpu,gpu": "the same for all points",
    "temperature=22,30 --fast": "KEY=VALUE only",
    "temperature=22,30 objective=amplitud": "did you mean amplitude?",
    "temperature=22,30 objective=amplitude target=3ms": "nA",
    "temperature=22,30 objective=amplitude sampler=grid": "left out for sampler=grid",
    "temperature=22,30 table=none.csv": "can be read",
    "temperature=22,30 numerics.step_scale=-1": "numerics.step_scale must be positive",
    "numerics.step_scale=1,0": "numerics.step_scale must be positive",
    "table=none.csv": "can be read",
    "resume=nowhere": "no sweep.json",
    "resume=nowhere temperature=22,30": "given alone",
    "preparation=human,lizzard": "did you mean lizard?",
    "temperature=22,30 hydra/launcher=nothing workers=2": "hydra",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_every_mistake_is_one_sentence_and_leaves_nothing(words, tmp_path, capsys):
    if "objective" in words:
        pytest.importorskip("optuna")
    split = [part.replace("_ ", " ") for part in _split(words)]
    assert main(["sweep", *split]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("nmjmc: ") and printed.err.count("\n") == 1
    assert MISTAKES[words] in printed.err
    if "launcher" not in words:  # a launcher is asked for when the folder stands already
        assert list(tmp_path.iterdir()) == []


def _split(words):
    """Words at the spaces before KEY=, so that values may have spaces."""
    found = []
    for piece in words.split(" "):
        if not found or piece.startswith("--") or ("=" in piece and "(" not in piece.split("=")[0]):
            found.append(piece)
        else:
            found[-1] += " " + piece
    return found


def test_a_sweep_over_schemes_of_ones_own_holds_what_the_files_held(tmp_path):
    text = (config_dir() / "scheme" / "two_site_sequential.yaml").read_text()
    for name in ("mine.yaml", "yours.yaml"):
        (tmp_path / name).write_text(text.replace("name: two_site_sequential", f"name: {name[:-5]}"))
    found = planned("receptor.scheme=mine.yaml,yours.yaml,two_site_sequential")
    (tmp_path / "mine.yaml").unlink()
    built = [build_point(found, point["values"], 0).synapse.receptor.scheme.name for point in found["points"]]
    assert built == ["mine", "yours", "two_site_sequential"] and json.loads(json.dumps(found)) == found
    with pytest.raises(ValidationError, match=r"mine\.yaml"):
        planned("receptor.scheme=mine.yaml,yours.yaml")


def test_a_definition_is_plain_json():
    found = planned("receptor.density=3000,5000", "vesicle.sites=[[0.1 um, 0 um]]")
    assert json.loads(json.dumps(found)) == found
    with pytest.raises(ValidationError, match="of at most"):
        planned(
            *(
                f"{key}=linspace(1, 2, 200)"
                for key in ("cleft.diffusion", "receptor.density", "esterase.density")
            )
        )


def test_steps_finer_than_six_digits_are_kept_apart():
    fine = axes.read("receptor.density", "linspace(2000 /um^2, 2001 /um^2, 2001)", "/um^2").values
    assert len(set(fine)) == 2001 and fine[1].startswith("2000.0005")
    assert (
        axes.read("receptor.density", "linspace(1 /um^2, 2 /um^2, 4)", "/um^2")
        .values[1]
        .startswith("1.33333 ")
    )
