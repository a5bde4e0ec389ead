"""What the program runs on: the choice of a device, and the cache of compiled programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from nmjmc.errors import ValidationError, nearest

DEVICES = ("auto", "cpu", "gpu")


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
        return jax.local_devices()
    try:
        return jax.local_devices(backend=wanted)
    except RuntimeError as error:
        hint = 'install with pip install "nmjmc[cuda]" on a machine with a GPU, or use device=cpu'
        raise ValidationError(
            "device", f"{wanted}, of which JAX finds none", "one that is here", hint
        ) from error


def only_cpu() -> None:
    """Start no GPU in this process; for a command whose user wants the CPU. Without effect once JAX runs."""
    import jax

    jax.config.update("jax_platforms", "cpu")


def cache_directory() -> Path:
    """Where compiled programs are kept: `NMJMC_CACHE_DIR`, else `nmjmc` in the user's cache folder."""
    chosen = os.environ.get("NMJMC_CACHE_DIR")
    return Path(chosen).expanduser() if chosen else _user_cache() / "nmjmc"


def _user_cache() -> Path:
    """The user's cache folder by the custom of the system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))


def use_cache(wanted: bool = True) -> Path | None:
    """Keep compiled programs between processes, so that only the first run of a kind compiles.

    A cache that the user has set up in JAX is left as it is. A folder that cannot be written switches the
    cache off: it is a convenience, and no reason to fail.

    Args:
        wanted: False to compile anew.

    Returns:
        The folder in use, or None.
    """
    import jax

    folder = cache_directory()
    in_use = getattr(jax.config, "jax_compilation_cache_dir", None)
    if not wanted:
        jax.config.update("jax_enable_compilation_cache", False)
        return None
    jax.config.update("jax_enable_compilation_cache", True)
    if in_use and Path(in_use) != folder:
        return Path(in_use)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    # our programs are few and each is used again: keep also the small ones
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def cache_size(folder: Path) -> tuple[int, int]:
    """Number of files in the cache and their size [bytes]."""
    sizes = [path.stat().st_size for path in folder.glob("**/*") if path.is_file()] if folder.is_dir() else []
    return len(sizes), sum(sizes)
