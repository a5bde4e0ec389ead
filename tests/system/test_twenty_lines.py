"""The notebook of twenty lines does a disease, a drug, a bedside test, a file, a sweep and a fit, all for real."""

from pathlib import Path

import nbclient
import nbformat
import pytest

import nmjmc

pytestmark = pytest.mark.slow  # a minute and a half of processor time, most of it for compiling
ROOT = Path(__file__).parents[2]
BOOK = ROOT / "docs" / "notebooks" / "twenty_lines.ipynb"


def test_the_notebook_of_twenty_lines_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(BOOK, 4)
    lines = [line for cell in book.cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    assert len(lines) <= 26
    nbclient.NotebookClient(book, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [
        out.data
        for cell in book.cells
        if cell.cell_type == "code"
        for out in cell.outputs
        if out.output_type in ("execute_result", "display_data")
    ]
    html = [data["text/html"] for data in shown if "<t" in data.get("text/html", "")]
    assert sum("image/png" in data for data in shown) == 3
    for words in ("decrement", "amplitude", "temperature", "vesicle.content_mean"):
        assert any(words in text for text in html), words
    assert {"rns.h5", "rns.png", "sweep.png", "fit.png"} <= {path.name for path in tmp_path.iterdir()}
    assert nmjmc.load(tmp_path / "rns.h5").config["drug"] == {"pyridostigmine": "0.2 uM"}
    assert set(nmjmc.load(tmp_path)) == {"rns.h5", "sweep"}
