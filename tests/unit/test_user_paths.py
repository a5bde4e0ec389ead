"""Paths that users write: no path, a device or a pipe is refused in a sentence, and nothing waits for its end."""

import os

import pytest

import nmjmc
from nmjmc.cli.main import main
from nmjmc.data.recordings import read_recording
from nmjmc.errors import ValidationError
from nmjmc.folders import user_path

pytestmark = pytest.mark.unit
LONG = "x" * 300
DOORS = (nmjmc.load, nmjmc.load_fit, nmjmc.load_examination, read_recording, nmjmc.preparation)


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.yaml")
    os.mkfifo("pipe.csv")


@pytest.mark.parametrize(
    "path", ["", " ", "a\0b", LONG, "pipe.yaml", "/dev/zero", None, 3, b"a.h5", ["a.h5"]]
)
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValidationError) as caught:
        user_path(path, "config")
    assert str(caught.value).startswith("config must be") and len(str(caught.value)) < 200


@pytest.mark.parametrize("path", ["", "a\0b", LONG, "pipe.yaml", "/dev/zero"])
@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_them(door, path):
    with pytest.raises(ValidationError):
        door(path)


@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "config=pipe.yaml"], ["simulate", "preparation=pipe.yaml"], ["simulate", "config=/dev/zero"],
        ["simulate", f"config={LONG}"], ["sweep", "table=pipe.csv"], ["fit", "data=pipe.csv", "data.kind=recording"],
        ["rns", "pathology=pipe.yaml:0.5"], ["show", "pipe.yaml"], ["show", LONG], ["collect", LONG],
    ],
)  # fmt: skip
def test_commands_refuse_them(words, capsys):
    assert main(words) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1 and "Traceback" not in said
