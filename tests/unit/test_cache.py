"""The cache is used only where nobody but the user can have written it."""

import os
import pickle
import time
import warnings

import jax
import jax.numpy as jnp
import pytest
from jax.experimental.compilation_cache import compilation_cache

from nmjmc import cache, runtime, trust
from nmjmc.cli import doctor
from nmjmc.cli.main import main
from nmjmc.errors import CacheWarning
from nmjmc.kernel.jax_pass import programs

pytestmark = pytest.mark.unit


@pytest.fixture
def place(monkeypatch, tmp_path):
    """A cache of the test's own, of which nothing was said yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(folder))
    monkeypatch.setattr(cache, "_SAID", set())
    monkeypatch.setattr(cache, "_BOUNDED", set())
    names = ("jax_compilation_cache_dir", "jax_enable_compilation_cache")
    before = {name: getattr(jax.config, name) for name in names}
    jax.config.update("jax_compilation_cache_dir", None)
    yield folder
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def give_away(path, monkeypatch):
    """Make a file or folder another user's."""
    if os.getuid() == 0:
        os.chown(path, 12345, 12345)
    else:
        mine = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: mine + 1)


def planted(folder, how, monkeypatch):
    """One way in which others could write a cache folder."""
    folder.mkdir(mode=0o700)
    if how == "by all":
        folder.chmod(0o777)
    elif how == "by the group":
        folder.chmod(0o770)
    elif how == "of another":
        give_away(folder, monkeypatch)
    elif how == "a folder above":
        folder.parent.chmod(0o777)
    elif how == "a link to such":
        folder.rmdir()
        (folder.parent / "there").mkdir()
        (folder.parent / "there").chmod(0o777)
        folder.symlink_to("there")


WAYS = ("by all", "by the group", "of another", "a folder above", "a link to such")


@pytest.mark.parametrize("how", WAYS)
def test_a_cache_that_others_can_write_is_left_out_with_one_sentence(how, place, monkeypatch):
    planted(place, how, monkeypatch)
    with pytest.warns(
        CacheWarning, match=r"left out, because .*(belongs to another|written by others)"
    ) as told:
        assert cache.cache_folder("quanta") is None
        assert cache.cache_folder("quanta") is None
        assert runtime.use_cache() is None
    assert len(told) == 1
    assert not jax.config.jax_enable_compilation_cache
    assert cache.why_no_cache()


def test_doctor_names_a_cache_that_is_not_trusted(place, capsys, tmp_path):
    assert main(["doctor", "check=false"]) == 0
    assert f"0 files, 0.0 MB in {place}" in capsys.readouterr().out
    place.chmod(0o777)
    assert main(["doctor", "check=false"]) == 0
    said = capsys.readouterr()
    assert f"not kept, because the cache is not trusted: {place} can be written by others" in said.out
    assert not said.err


def test_the_command_says_it_in_one_sentence(place, capsys, monkeypatch):
    place.mkdir()
    place.chmod(0o777)
    monkeypatch.setattr(doctor, "command", lambda words: runtime.use_cache() is None)
    assert main(["doctor"])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"nmjmc: The cache {place} is left out, because")


def test_a_folder_that_is_made_is_the_users_alone_whatever_the_umask(place):
    before = os.umask(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert cache.cache_folder("warp") == place / "warp"
            assert runtime.use_cache() == place
    finally:
        os.umask(before)
    assert [p.stat().st_mode & 0o777 for p in (place, place / "warp")] == [0o700, 0o700]
    assert cache.why_no_cache("warp") is None


def test_a_sticky_folder_above_and_a_link_of_ones_own_are_trusted(place, tmp_path):
    tmp_path.chmod(0o1777)
    (tmp_path / "real").mkdir(mode=0o700)
    place.symlink_to(tmp_path / "real")
    assert trust.why_untrusted(place / "not" / "yet") is None
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert "circle" in trust.why_untrusted(tmp_path / "a")


def test_only_a_plain_file_of_ones_own_is_read(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert trust.read_own(file) == b"abc"
    file.chmod(0o666)
    assert trust.read_own(file) is None
    file.chmod(0o600)
    (tmp_path / "link").symlink_to(file)
    os.mkfifo(tmp_path / "pipe")
    assert [trust.read_own(tmp_path / name) for name in ("link", "pipe", "none", ".")] == [None] * 4
    give_away(file, monkeypatch)
    assert trust.read_own(file) is None


def test_a_program_of_jax_that_others_could_have_written_leaves_the_cache_out(place, monkeypatch):
    place.mkdir(mode=0o755)
    (place / "jit_f-123-cache").write_bytes(b"x")
    (place / "jit_f-123-cache").chmod(0o666)
    with pytest.warns(CacheWarning, match="jit_f-123-cache could have been written by others"):
        assert runtime.use_cache() is None
    place.chmod(0o700)  # where nobody else comes in, nobody else wrote
    assert runtime.use_cache() == place


def test_the_users_own_cache_in_jax_is_judged_too(place, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    jax.config.update("jax_compilation_cache_dir", str(theirs))
    assert runtime.use_cache() == theirs
    theirs.chmod(0o777)
    with pytest.warns(CacheWarning, match="theirs"):
        assert runtime.use_cache() is None
    assert jax.config.jax_compilation_cache_dir == str(theirs)


def test_a_part_of_the_cache_is_bounded(place):
    old = time.time() - 1e5
    folder = cache.cache_folder("part")
    for number in range(4):
        inside = folder / str(number)
        inside.mkdir()
        (inside / "file").write_bytes(bytes(1000))
        for path in (inside / "file", inside):
            os.utime(path, (old + number, old + number))
    half = folder / ".half"
    half.write_bytes(b"x")
    os.utime(half, (old + 9, old + 9))
    (folder / "new").write_bytes(bytes(9000))
    cache._BOUNDED.clear()
    size = sum(path.lstat().st_size for path in [*(folder / "3").rglob("*"), folder / "3"])
    cache.cache_folder("part", 9000 + size)
    assert sorted(path.name for path in folder.iterdir()) == ["3", "new"]


class Planted:
    """A pickle that leaves a trace where it is loaded."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def spoiled(how, whole, other, path, trace):
    """The content of a kept program, spoiled in one way."""
    if how == "planted":
        content = pickle.dumps(Planted(trace))
        return programs._seal(path, content) + content
    if how == "of another program, under a right seal":
        return programs._seal(path, other[programs._SEAL :]) + other[programs._SEAL :]
    return {
        "cut": whole[:200], "flipped": whole[:-50] + bytes([whole[-50] ^ 1]) + whole[-49:], "empty": b"",
        "another's": other, "unsealed": pickle.dumps(Planted(trace)),
    }[how]  # fmt: skip


WRONG = (
    "planted",
    "of another program, under a right seal",
    "cut",
    "flipped",
    "empty",
    "another's",
    "unsealed",
)


@jax.jit
def doubled(x):
    return x * jnp.float32(2)


@jax.jit
def summed(x, y):
    return x + y.sum()


@pytest.mark.parametrize("how", WRONG)
def test_a_program_that_cannot_be_used_or_trusted_is_compiled_anew(how, place, tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "_COMPILED", {})
    # these are compiled in no time, and JAX's own cache would keep the second from being written down
    monkeypatch.setattr(programs, "_HITS", [0])
    runtime.use_cache()
    one, many = jnp.float32(3), jnp.arange(3, dtype=jnp.float32)
    made = programs.Programs(jax.devices()[0])
    assert (float(made(doubled, one)), float(made(summed, one, many))) == (6, 6)
    files = sorted((place / "nmjmc").iterdir())  # doubled, summed
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    whole, other = (path.read_bytes() for path in files)
    trace = tmp_path / "trace"
    files[0].write_bytes(spoiled(how, whole, other, files[0], trace))
    files[0].chmod(0o666 if how == "planted" else 0o600)
    programs._COMPILED.clear()
    assert float(made(doubled, one)) == 6
    assert not trace.exists()
    assert not next(iter(programs._COMPILED.values()))[1]  # not from the disk
    assert float(made(summed, one, many)) == 6
    assert [from_disk for _, from_disk in programs._COMPILED.values()] == [False, True]
