"""Compiled programs: kept on disk for each device, few in memory."""

import jax
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from nmjmc.kernel.jax_pass import programs
from nmjmc.kernel.numerics import Numerics
from nmjmc.kernel.simulate import run
from tests.system.test_reproducible import small

HOW = {
    "vesicles": 4, "seed": 3, "duration": 0.05, "record_interval": 0.01, "numerics": Numerics(executor="jax"),
}  # fmt: skip


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """The programs that were compiled and written down, not fetched; the cache is a folder of the test's own."""
    names, keep = [], programs._keep
    monkeypatch.setattr(programs, "_COMPILED", {})
    monkeypatch.setattr(programs, "_keep", lambda path, program: (names.append(path), keep(path, program)))
    before = jax.config.jax_compilation_cache_dir, jax.config.jax_enable_compilation_cache
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    jax.config.update("jax_enable_compilation_cache", True)
    compilation_cache.reset_cache()
    yield names
    jax.config.update("jax_compilation_cache_dir", before[0])
    jax.config.update("jax_enable_compilation_cache", before[1])
    compilation_cache.reset_cache()


@pytest.mark.unit
def test_a_program_from_the_disk_runs_on_its_own_device(kept):
    for device in jax.devices()[:2]:
        first = run(small(), **HOW, devices=[device])
        compiled = len(kept)
        assert compiled
        programs._COMPILED.clear()
        second = run(small(), **HOW, devices=[device])
        # not one of them was compiled again
        assert len(kept) == compiled
        kept.clear()
        for name, counts in first.counts.items():
            np.testing.assert_array_equal(second.counts[name], counts)


@pytest.mark.unit
def test_few_programs_stay_in_memory(kept, monkeypatch):
    monkeypatch.setattr(programs, "_MOST_KEPT", 3)
    narrow = run(small(), **HOW)
    assert len(programs._COMPILED) <= 3
    monkeypatch.setattr(programs, "_MOST_KEPT", 48)
    np.testing.assert_array_equal(narrow.counts["escaped"], run(small(), **HOW).counts["escaped"])


@pytest.mark.unit
def test_a_broken_file_is_as_good_as_none(kept, tmp_path):
    first = run(small(), **HOW)
    for path in (tmp_path / "nmjmc").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    programs._COMPILED.clear()
    second = run(small(), **HOW)
    np.testing.assert_array_equal(first.counts["escaped"], second.counts["escaped"])
