"""`nmjmc doctor`: what runs here, on what, and whether it gives the right answer."""

from __future__ import annotations

import time
import warnings

from nmjmc.cli import report
from nmjmc.errors import CacheWarning, ValidationError
from nmjmc.simulation.self_check import DURATION, VESICLES, self_check


def command(words: list[str]) -> int:
    """Run `nmjmc doctor`; 0 if the self-check agrees, else 1.

    Raises:
        ValidationError: For an unknown word.
    """
    unknown = [word for word in words if word != "check=false"]
    if unknown:
        raise ValidationError("the words after doctor", repr(" ".join(unknown)), "check=false or none")
    _print_environment()
    if words:
        return 0
    started = time.perf_counter()
    checks = self_check()
    title = f"self-check: {VESICLES} vesicles of the human preparation, {DURATION:g} ms"
    report.print_pairs(title, {check.name: str(check) for check in checks})
    passed = all(check.passed for check in checks)
    words_after = "all is well" if passed else "something is wrong; please report the lines above"
    report.console().print(f"\n{words_after} ({time.perf_counter() - started:.1f} s)")
    return 0 if passed else 1


def _print_environment() -> None:
    import jax

    from nmjmc.data import provenance
    from nmjmc.runtime import choose_devices

    choose_devices()  # refuses a platform of which there is no device
    found = provenance.collect()
    named = {name: found[f"version_{name}"] for name in provenance.PACKAGES}
    report.print_pairs("versions", {"python": str(found["python"]), **{k: str(v) for k, v in named.items()}})
    report.print_pairs("executor", {"numerics.executor=auto": _executor()})
    revision = str(found["git_revision"])[:12] or "not a checkout"
    report.print_pairs(
        "this machine",
        {
            "platform": str(found["platform"]),
            "devices": ", ".join(str(device) for device in jax.devices()),
            "precision": str(found["precision"]),
            "compiled programs": _programs(),
            "code": revision + (" with changes" if found["git_dirty"] == 1 else ""),
        },
    )


def _executor() -> str:
    """Which executor a run of the default takes here, or why not the fast one."""
    import nmjmc
    from nmjmc.kernel import executor
    from nmjmc.kernel.numerics import Numerics
    from nmjmc.runtime import choose_devices

    reason = executor.why_not_warp(Numerics(), nmjmc.preparation("human"), choose_devices("auto")[0])
    return f"jax, because {reason}" if reason else f"warp (NVIDIA Warp {executor.version()})"


def _programs() -> str:
    """How many compiled programs are kept and where, or why none."""
    from nmjmc import runtime

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CacheWarning)  # told here in its place
        folder = runtime.use_cache()
    if folder:
        files, size = runtime.cache_size(folder)
        return f"{files} files, {size / 1e6:.1f} MB in {folder}"
    if reason := runtime.why_no_cache():
        return f"not kept, because the cache is not trusted: {reason}"
    return f"not kept, because {runtime.cache_directory()} cannot be written"
