"""Pages that show how: their blocks are run as they stand."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import nmjmc
from nmjmc.cli.main import main

pytestmark = pytest.mark.unit
DOCS = Path(__file__).parents[2] / "docs"
if not DOCS.is_dir():
    pytest.skip("the pages are not here", allow_module_level=True)


def blocks(page, language):
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_the_page_on_schemes_can_be_followed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scheme, preparation = blocks("own_scheme.md", "yaml")
    (tmp_path / "falling.yaml").write_text(scheme)
    (tmp_path / "mine.yaml").write_text(preparation)
    for line in blocks("own_scheme.md", "bash")[0].splitlines():
        words = shlex.split(line)
        assert words[0] == "nmjmc"
        assert main([*words[1:], *(["dry_run=true"] if "dry_run=true" not in words else [])]) == 0
        assert "name: falling" in capsys.readouterr().out
    assert main(["simulate", "preparation=mine.yaml", "dry_run=true"]) == 0
    assert "name: falling" in capsys.readouterr().out
    names = {}
    for block in blocks("own_scheme.md", "python"):
        exec(compile(block, "own_scheme.md", "exec"), names)
    told = capsys.readouterr().out
    assert "scheme falling" in told and "Burst(openings=" in told
    assert names["result"].counts["D"].shape == (4, 21)
    # a result knows the scheme without its file
    names["result"].save("result.h5")
    (tmp_path / "falling.yaml").unlink()
    again = nmjmc.load("result.h5").rerun(progress=False)
    assert again.synapse.receptor.scheme == names["scheme"]
    assert all(np.array_equal(again.counts[name], counts) for name, counts in names["result"].counts.items())
