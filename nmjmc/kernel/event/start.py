"""Starts NVIDIA Warp quietly, with its compiled kernels in the package's own cache."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import jax

from nmjmc.cache import cache_folder

_MOST_BYTES = 2**28
"""Of Warp's part of the cache; a kernel takes some 0.5 MB for each kind of device (a choice)."""

_NO_GPU = "Could not find or load the NVIDIA CUDA driver"
_LOCK = threading.Lock()
_READY: set[tuple[str, bool]] = set()


@functools.cache
def warp() -> Any:
    """The module `warp`, started."""
    import warp as wp

    wp.config.log_level = wp.LOG_WARNING
    wp.config.kernel_cache_dir = _folder()
    # headers compiled beforehand cost more than they save where two modules are compiled, once
    wp.config.use_precompiled_headers = False
    with _without(_NO_GPU):
        wp.init()
    return wp


@contextlib.contextmanager
def _without(line: str) -> Iterator[None]:
    """Keep a line that native code writes from standard error; what else it writes is passed on."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a process without standard error
        yield
        return
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            written.seek(0)
            for found in written.read().splitlines(keepends=True):
                if line.encode() not in found:
                    os.write(2, found)


def _folder() -> str:
    """Where compiled kernels are kept: a part of the package's cache, or a folder that goes with this process."""
    kept = None
    if getattr(jax.config, "jax_enable_compilation_cache", True):
        kept = cache_folder("warp", _MOST_BYTES)
    if kept is not None:
        return str(kept)
    folder = tempfile.mkdtemp(prefix="nmjmc-warp-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def make_ready(device: str, steps: bool = False) -> float:
    """Have the kernels compiled, or taken from the cache, for one of Warp's devices; the seconds that it took.

    Nothing else is ever compiled: whatever is a number is an argument.

    Args:
        device: Warp's name of it.
        steps: whether transport is by steps, which has kernels of its own.
    """
    begun = time.perf_counter()
    with _LOCK:
        if (device, steps) in _READY:
            return 0.0
        warp()
        if steps:
            from nmjmc.kernel.event.follow_steps import follow_steps as kernel
        else:
            from nmjmc.kernel.event.prepare import follow as kernel
        # with the block that launches use, which is a part of what is compiled
        kernel.module.load(device, block_dim=block_of(device))
        _READY.add((device, steps))
        return time.perf_counter() - begun


def block_of(device: str) -> int:
    """Threads of a block: few on a GPU, where patches of a block wait for each other."""
    return 1 if device == "cpu" else 64


@functools.cache
def devices() -> tuple[str, ...]:
    """The names of Warp's devices."""
    return tuple(str(device.alias) for device in warp().get_devices())


def device_of(device: Any) -> str:
    """Warp's name of a JAX device."""
    return "cpu" if device.platform == "cpu" else f"cuda:{device.local_hardware_id}"
