"""Compiled programs: each compiled once a process, kept between processes, with the time it took kept apart."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import pickle
import platform
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import jax
from jax.experimental import serialize_executable

from nmjmc.cache import private_folder
from nmjmc.trust import read_own

# Linux grants a process some 65,000 memory maps, a program of XLA's takes about 300, and a process that runs out of
# them crashes. A program that is wanted again comes from the cache on disk.
_MOST_KEPT = 48
_SEAL = 32  # bytes of a checksum

_LOCK = threading.Lock()
_COMPILED: dict[Any, tuple[Any, bool]] = {}  # a program, and whether it comes from the disk
_HITS = [0]


def _count_hits(event: str, **_: Any) -> None:
    _HITS[0] += event == "/jax/compilation_cache/cache_hits"


jax.monitoring.register_event_listener(_count_hits)


class Programs:
    """Calls jitted functions and keeps account of what compiling them cost.

    Attributes:
        compile_seconds: wall time spent compiling (or fetching from the cache) so far.
        compiled: number of programs that this object had to compile or fetch.
    """

    def __init__(self, device: Any) -> None:
        self.device = device
        self.compile_seconds = 0.0
        self.compiled = 0

    def __call__(self, function: Any, *args: Any, **static: Any) -> Any:
        """`function(*args, **static)`, compiled at the first use of these shapes on this device."""
        key = (function, self.device, _signature(args), tuple(sorted(static.items())))
        kept = _COMPILED.get(key) or self._find(key, function, args, static)
        try:
            return kept[0](*args)
        except (jax.errors.JaxRuntimeError, TypeError, ValueError):
            if not kept[1]:
                raise
        # a program from the disk that does not run or fit after all: as good as none
        with _LOCK:
            if _COMPILED.get(key) is kept:
                del _COMPILED[key]
                path = _cache_path(function.__name__, self.device, key[2:])
                if path is not None:
                    path.unlink(missing_ok=True)
        return self(function, *args, **static)

    def _find(self, key: Any, function: Any, args: tuple, static: dict) -> tuple[Any, bool]:
        with _LOCK:  # two lanes that want the same program compile it once
            if key not in _COMPILED:
                start = time.perf_counter()
                while len(_COMPILED) >= _MOST_KEPT:
                    del _COMPILED[next(iter(_COMPILED))]
                _COMPILED[key] = self._fetch_or_compile(key, function, args, static)
                self.compile_seconds += time.perf_counter() - start
                self.compiled += 1
            return _COMPILED[key]

    def _fetch_or_compile(self, key: Any, function: Any, args: tuple, static: dict) -> tuple[Any, bool]:
        path = _cache_path(function.__name__, self.device, key[2:])
        program = _fetch(path, self.device)
        if program is not None:
            return program, True
        hits = _HITS[0]
        with jax.default_device(self.device):
            program = function.lower(*args, **static).compile()
        function.clear_cache()  # else JAX would hold it as well, for ever
        if _HITS[0] == hits:  # what JAX took from its own cache cannot be written down a second time
            _keep(path, program)
        return program, False


def _signature(args: tuple) -> Any:
    leaves, structure = jax.tree.flatten(args)
    return structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)


def _cache_path(name: str, device: Any, key: Any) -> Path | None:
    """Where a program is kept: beside JAX's own cache, if there is one.

    JAX keeps what XLA compiled, but traces and lowers the program again in each process, which takes seconds; the
    loaded executable takes none. The name holds all that the program depends on.
    """
    folder = getattr(jax.config, "jax_compilation_cache_dir", None)
    if not folder or not getattr(jax.config, "jax_enable_compilation_cache", True) or "://" in str(folder):
        return None
    text = repr(
        (
            _origin(),
            device.platform,
            device.device_kind,
            device.id,
            jax.config.read("jax_enable_x64"),
            str(key),
        )
    )
    place = private_folder(Path(folder) / "nmjmc")
    return place and place / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


@functools.cache
def _origin() -> str:
    """What made the programs: this package's kernel, JAX and XLA, and the processor they are made for."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[2]
    kernel = package / "kernel"
    for source in (
        *sorted(kernel.glob("jax_pass/*.py")),
        *sorted(kernel.glob("physics/*.py")),
        package / "errors.py",
    ):
        digest.update(source.read_bytes())
    info = Path("/proc/cpuinfo")
    flags = (
        next((x for x in info.read_text().splitlines() if x.startswith("flags")), "") if info.exists() else ""
    )
    digest.update(flags.encode())
    parts = (
        digest.hexdigest(),
        jax.__version__,
        importlib.metadata.version("jaxlib"),
        platform.platform(),
        platform.processor(),
    )
    return repr((*parts, os.environ.get("XLA_FLAGS", ""), len(jax.devices())))


def _fetch(path: Path | None, device: Any) -> Any:
    """A kept program, or None. A file that cannot be used is as good as none: the cache is a convenience.

    A program is run as it is read: a file that others could have written, or one that is damaged or stands under the
    name of another, is not even unpickled.
    """
    content = None if path is None else read_own(path)
    if path is None or content is None:
        return None
    seal, program = content[:_SEAL], content[_SEAL:]
    if seal != _seal(path, program):
        return None
    try:
        return serialize_executable.deserialize_and_load(
            *pickle.loads(program), backend=device.client, execution_devices=[device]
        )
    except Exception:
        return None


def _seal(path: Path, program: bytes) -> bytes:
    """What the first bytes of a whole file say: the checksum of its name and of the program."""
    return hashlib.sha256(path.name.encode() + program).digest()


def _keep(path: Path | None, program: Any) -> None:
    """Write a program down; what goes wrong there is no reason to fail."""
    if path is None:
        return
    try:
        content = pickle.dumps(serialize_executable.serialize(program))
        handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    except Exception:
        return
    try:
        with open(handle, "wb") as file:
            file.write(_seal(path, content) + content)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
