"""What runs here and on what: versions, devices, precision, and the cache of compiled programs."""

from __future__ import annotations

import warnings

from nmjmc.data import provenance
from nmjmc.errors import CacheWarning
from nmjmc.kernel import executor
from nmjmc.kernel.numerics import Numerics
from nmjmc.runtime import cache_directory, cache_size, choose_devices, use_cache, why_no_cache
from nmjmc.synapse.presets import preparation


def environment() -> dict[str, dict[str, str]]:
    """What a report of a fault should say of a machine, in words by name, under three headings.

    Raises:
        ValidationError: If a platform is asked for of which there is no device.
    """
    import jax

    choose_devices()
    made = provenance.collect()
    versions = {name: str(made[f"version_{name}"]) for name in provenance.PACKAGES}
    revision = str(made["git_revision"])[:12] or "not a checkout"
    return {
        "versions": {"python": str(made["python"]), **versions},
        "executor": {"numerics.executor=auto": _executor()},
        "this machine": {
            "platform": str(made["platform"]),
            "devices": ", ".join(str(device) for device in jax.devices()),
            "precision": str(made["precision"]),
            "compiled programs": programs(),
            "code": revision + (" with changes" if made["git_dirty"] == 1 else ""),
        },
    }


def _executor() -> str:
    """Which executor a run of the default takes here, or why not the fast one."""
    reason = executor.why_not_warp(Numerics(), preparation("human"), choose_devices("auto")[0])
    return f"jax, because {reason}" if reason else f"warp (NVIDIA Warp {executor.version()})"


def programs() -> str:
    """How many compiled programs are kept and where, or why none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)  # told here in its place
        folder = use_cache()
    if folder:
        files, size = cache_size(folder)
        return f"{files} files, {size / 1e6:.1f} MB in {folder}"
    if reason := why_no_cache():
        return f"not kept, because the cache is not trusted: {reason}"
    return f"not kept, because {cache_directory()} cannot be written"
