"""Compiled programs: each compiled once a process, with the time it took kept apart."""

from __future__ import annotations

import threading
import time
from typing import Any

import jax

_LOCK = threading.Lock()
_COMPILED: dict[Any, Any] = {}


class Programs:
    """Calls jitted functions and keeps account of what compiling them cost.

    Attributes:
        compile_seconds: wall time spent compiling (or fetching from the persistent cache) so far.
        compiled: number of programs compiled by this object.
    """

    def __init__(self, device: Any) -> None:
        self.device = device
        self.compile_seconds = 0.0
        self.compiled = 0

    def __call__(self, function: Any, *args: Any, **static: Any) -> Any:
        """`function(*args, **static)`, compiled at the first use of these shapes on this device."""
        key = (function, self.device, _signature(args), tuple(sorted(static.items())))
        program = _COMPILED.get(key)
        if program is None:
            program = self._compile(key, function, args, static)
        return program(*args)

    def _compile(self, key: Any, function: Any, args: tuple, static: dict) -> Any:
        with _LOCK:  # two devices' programs are compiled one after the other, and each once
            if key not in _COMPILED:
                start = time.perf_counter()
                with jax.default_device(self.device):
                    _COMPILED[key] = function.lower(*args, **static).compile()
                self.compile_seconds += time.perf_counter() - start
                self.compiled += 1
            return _COMPILED[key]


def _signature(args: tuple) -> Any:
    leaves, structure = jax.tree.flatten(args)
    return structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)
