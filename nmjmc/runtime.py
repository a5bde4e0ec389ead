"""What the program runs on: the choice of a device, and the cache of compiled programs."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from nmjmc.cache import cache_directory, make_private, say_once
from nmjmc.errors import ValidationError, nearest
from nmjmc.trust import is_own, why_untrusted

DEVICES = ("auto", "cpu", "gpu")
P = ParamSpec("P")
R = TypeVar("R")


def in_single(function: Callable[P, R]) -> Callable[P, R]:
    """A decorator: the function computes in 32 bits whatever JAX's default, so that its bits are always the same."""

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        import jax

        with jax.enable_x64(False):
            return function(*args, **kwargs)

    return called


def choose_devices(wanted: str = "auto") -> list:
    """The devices to run on.

    Args:
        wanted: `cpu`, `gpu`, or `auto` for whatever JAX prefers.

    Returns:
        JAX devices of one kind, of this process (where several processes make one run, each has its own).

    Raises:
        ValidationError: If there is no device of the wanted kind: a run is never moved to another in silence.
    """
    if wanted not in DEVICES:
        raise ValidationError("device", repr(wanted), "auto, cpu or gpu", nearest(wanted, DEVICES))
    import jax

    if wanted == "auto":
        try:
            return jax.local_devices()
        except (RuntimeError, AssertionError) as error:  # an assertion, where the plugin itself is missing
            asked = getattr(jax.config, "jax_platforms", None) or "not set"
            why = next(iter(str(error).splitlines()), "").rstrip(".")[:160]
            hint = f"unset it, or say device=cpu{f' ({why})' if why else ''}"
            raise ValidationError("JAX_PLATFORMS", asked, "a kind of device that is here", hint) from error
    try:
        return jax.local_devices(backend=wanted)
    except RuntimeError as error:
        hint = 'install with pip install "jax[cuda12]" on a machine with a GPU, or use device=cpu'
        raise ValidationError(
            "device", f"{wanted}, of which JAX finds none", "one that is here", hint
        ) from error


def only_cpu() -> None:
    """Start no GPU in this process; for a command whose user wants the CPU. Without effect once JAX runs."""
    import jax

    jax.config.update("jax_platforms", "cpu")


def use_cache(wanted: bool = True) -> Path | None:
    """Keep compiled programs between processes, so that only the first run of a kind compiles.

    A cache that the user has set up in JAX is left as it is. A folder that cannot be written switches the cache off: it
    is a convenience, and no reason to fail. So does one that others could have written, the user's own choice in JAX
    too, with a `CacheWarning`: JAX would run what stands there.

    Args:
        wanted: False to compile anew.

    Returns:
        The folder in use, or None.
    """
    import jax

    if not wanted:
        jax.config.update("jax_enable_compilation_cache", False)
        return None
    in_use = getattr(jax.config, "jax_compilation_cache_dir", None)
    folder = Path(in_use) if in_use else cache_directory()
    own = folder == cache_directory()
    if "://" in str(in_use):
        jax.config.update("jax_enable_compilation_cache", True)
        return folder
    usable = _usable(folder, make=own)
    jax.config.update("jax_enable_compilation_cache", usable)
    if not usable or not own:
        return folder if usable else None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    # our programs are few and each is used again: keep also the small ones
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def why_no_cache() -> str | None:
    """Why compiled programs are not kept, as a clause; None if they are, or if only the folder cannot be written."""
    import jax

    folder = getattr(jax.config, "jax_compilation_cache_dir", None) or cache_directory()
    if "://" in str(folder):
        return None
    return why_untrusted(Path(folder)) or foreign_program(Path(folder))


def _usable(folder: Path, make: bool) -> bool:
    """Whether JAX may keep its programs in a folder: it runs what it finds there."""
    if reason := why_untrusted(folder) or foreign_program(folder):
        say_once(folder, reason)
        return False
    try:
        if make:
            make_private(folder)
    except OSError:
        return False
    return True


def foreign_program(folder: Path) -> str | None:
    """Which of JAX's kept programs others could have written, as a clause; None if none."""
    try:
        closed = (
            not folder.stat().st_mode & 0o011
        )  # where nobody else comes in, the files' own modes do not matter
        for entry in os.scandir(folder):
            if not entry.name.endswith("-cache"):
                continue
            own = is_own(entry.stat(follow_symlinks=False), closed)
            if not (own and entry.is_file(follow_symlinks=False)):
                return f"the file {entry.path} could have been written by others"
    except OSError:
        return None
    return None


def cache_size(folder: Path) -> tuple[int, int]:
    """Number of files in the cache and their size [bytes]."""
    sizes = [path.stat().st_size for path in folder.glob("**/*") if path.is_file()] if folder.is_dir() else []
    return len(sizes), sum(sizes)
