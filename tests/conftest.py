"""Set-up shared by all tests; the environment is fixed before JAX is first imported."""

import os
import signal
import sys

from tests import emitters

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# XLA's older emitters of machine code compile these programs in half the time (README.md of this folder).
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS") or emitters.older()
# Two host devices, so that sharding over devices is exercised on any machine.
os.environ["XLA_FLAGS"] += " --xla_force_host_platform_device_count=2"

import absl.logging
import hypothesis
import jax
import pytest

# absl, which optax brings, keeps the stream of its import, here one of pytest, and closes it when hydra sets up logging
absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__

# A shell starts jobs in the background with Ctrl-C ignored; tests that interrupt a run need Python's own handler.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Two lines that catch a class of silent errors: mixed dtypes and broadcasts nobody meant.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# Fixed examples: a failure today is the same failure tomorrow.
hypothesis.settings.register_profile("nmjmc", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.load_profile("nmjmc")


@pytest.fixture(autouse=True, scope="session")
def cache_directory(tmp_path_factory):
    """Keep the user's cache out of the tests, and the tests out of it; all processes share one, from the first test on.

    Compiled programs alone may outlast the session, in the folder that `NMJMC_TEST_CACHE` names.
    """
    from nmjmc.runtime import use_cache  # not before the types of the package are checked

    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        if kept := os.environ.get("NMJMC_TEST_CACHE"):
            patch.setenv("NMJMC_CACHE_DIR", kept)
            use_cache()
        patch.setenv("NMJMC_CACHE_DIR", str(shared / "cache"))
        use_cache()
        yield


@pytest.fixture(autouse=True, scope="module")
def room_for_programs():
    """A process has room for so many compiled programs; those of one module do not wait on the next."""
    yield
    jax.clear_caches()


def pytest_collection_modifyitems(items):
    """Skip GPU tests where JAX sees no GPU, and say so."""
    gpu_tests = [item for item in items if item.get_closest_marker("gpu")]
    if not gpu_tests or any(device.platform == "gpu" for device in jax.devices()):
        return
    for item in gpu_tests:
        item.add_marker(pytest.mark.skip(reason="no GPU here"))
