"""In a notebook a figure is shown once, and library runs show their progress; elsewhere they are silent."""

import io
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

import nmjmc
from nmjmc import progress
from tests.records import formula_run

pytestmark = pytest.mark.system
HEAD = """\
import nmjmc, nmjmc.kernel.simulate as kernel
from tests.records import formula_run
kernel.run = formula_run
result = nmjmc.simulate(nmjmc.preparation("human"), vesicles=2, duration=1)"""
FIT = """\
from nmjmc.fitting.meter import FitMeter
from nmjmc.fitting.optimise import FitProgress
with FitMeter.drawn("auto") as meter:
    meter(FitProgress(1, 60, 2.5, {"receptor.density": 9.0}, 0.0, 1.0, 2.0))"""
CELLS = (
    HEAD,
    "result.plot()",
    "figure = result.plot()",
    "import matplotlib.pyplot as plt\nresult.plot()",
    "result.rerun(progress=False).vesicles",
    "result.rerun().vesicles",
    FIT,
)


def test_a_notebook_shows_figures_once_and_progress(monkeypatch):
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", root)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    told = []

    class Client(nbclient.NotebookClient):
        def process_message(self, message, cell, index):
            told.append((index, message["msg_type"], message["content"]))
            return super().process_message(message, cell, index)

    Client(book, timeout=300, resources={"metadata": {"path": root}}).execute()
    of = [[out for out in cell.outputs if out.output_type != "stream"] for cell in book.cells]
    pictures = [sum("image/png" in out.get("data", {}) for out in outputs) for outputs in of]
    assert pictures == [0, 1, 0, 1, 0, 0, 0]
    for cell, stage, detail in ((0, "simulating", "2 vesicles"), (5, "simulating", "2 vesicles"),
                                (6, "descent", "step 1 of at most 60, loss 2.5")):  # fmt: skip
        lines = [
            content["data"]["text/html"]
            for index, _, content in told
            if index == cell and "text/html" in content.get("data", {})
        ]
        assert any(stage in line and detail in line for line in lines) and lines[-1] == ""
    assert not any("display_data" in kind for index, kind, _ in told if index in (2, 4))


def test_without_a_terminal_and_a_notebook_nothing_is_shown(monkeypatch, capfd):
    monkeypatch.setattr("nmjmc.kernel.simulate.run", formula_run)
    nmjmc.simulate(nmjmc.preparation("human"), 2, duration=1)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("wanted", "seen"), [("auto", True), (True, True), (False, False)])
def test_on_a_terminal_a_bar_is_drawn_unless_it_is_unwanted(wanted, seen, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("nmjmc.kernel.simulate.run", formula_run)
    nmjmc.simulate(nmjmc.preparation("human"), 2, duration=1, progress=wanted)
    assert ("simulating" in sys.stderr.getvalue()) == seen
    before = len(sys.stderr.getvalue())
    nmjmc.simulate(nmjmc.preparation("human"), 2, duration=1, on_chunk=lambda _: None)  # told elsewhere
    assert len(sys.stderr.getvalue()) == before


def test_a_time_that_is_not_known_is_a_question_mark():
    assert [progress.clock(s) for s in (7.2, 3727, float("nan"), float("inf"))] == [
        "0:07",
        "1:02:07",
        "?",
        "?",
    ]
