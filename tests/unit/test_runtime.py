"""Devices and the cache of compiled programs."""

import os
import subprocess
import sys

import jax
import pytest

from nmjmc import runtime
from nmjmc.errors import ValidationError

pytestmark = pytest.mark.unit


def test_a_missing_gpu_is_refused_and_never_replaced():
    if any(device.platform == "gpu" for device in jax.devices()):
        assert runtime.choose_devices("gpu")
    else:
        with pytest.raises(ValidationError, match=r"gpu.*device=cpu"):
            runtime.choose_devices("gpu")
    assert all(device.platform == "cpu" for device in runtime.choose_devices("cpu"))
    with pytest.raises(ValidationError, match="auto, cpu or gpu"):
        runtime.choose_devices("cuda")


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NMJMC_CACHE_DIR", str(tmp_path / "here"))
    assert runtime.cache_directory() == tmp_path / "here"
    monkeypatch.delenv("NMJMC_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform.startswith("linux"):
        assert runtime.cache_directory() == tmp_path / "nmjmc"


CACHED = """
import sys
from nmjmc import runtime
folder = runtime.use_cache(sys.argv[1] == "true")
import jax, jax.numpy as jnp
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.jit(lambda x: jnp.sin(x) + 1)(1.0).block_until_ready()
print(folder, runtime.cache_size(runtime.cache_directory())[0])
"""


@pytest.mark.parametrize(("wanted", "files"), [("true", True), ("false", False)])
def test_compiled_programs_are_kept_only_where_wanted(wanted, files, tmp_path):
    environment = {**os.environ, "NMJMC_CACHE_DIR": str(tmp_path / "c"), "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-c", CACHED, wanted]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (int(done.stdout.split()[-1]) > 0) == files


def test_a_folder_that_cannot_be_written_switches_the_cache_off(monkeypatch):
    monkeypatch.setenv("NMJMC_CACHE_DIR", "/proc/nowhere")
    before = jax.config.jax_compilation_cache_dir
    try:
        jax.config.update("jax_compilation_cache_dir", None)
        assert runtime.use_cache() is None
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
