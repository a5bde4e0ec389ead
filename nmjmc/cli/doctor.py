"""`nmjmc doctor`: what runs here, on what, and whether it gives the right answer."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np

from nmjmc.cli import report
from nmjmc.errors import CacheWarning, ValidationError

VESICLES, DURATION, INTERVAL = 24, 1.0, 0.01
SIGMAS = 5.0  # a right program fails one check in two million
BIAS = 0.005  # fraction by which kernel and mean field may differ beyond chance


@dataclass(frozen=True)
class Check:
    """One comparison of the kernel's mean with the mean field."""

    name: str
    simulated: float
    error: float
    expected: float

    @property
    def passed(self) -> bool:
        """Whether they agree within five standard errors and half a percent."""
        return abs(self.simulated - self.expected) <= SIGMAS * self.error + BIAS * abs(self.expected)

    def __str__(self) -> str:
        verdict = "agrees" if self.passed else "DISAGREES"
        return f"{self.simulated:.5g} ± {self.error:.2g}, mean field {self.expected:.5g}: {verdict}"


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


def self_check() -> list[Check]:
    """Simulate a few vesicles of equal content and compare their means with the mean field."""
    import nmjmc
    from nmjmc.meanfield import solve

    synapse = nmjmc.preparation("human", **{"vesicle.content_cv": 0})
    result = nmjmc.simulate(synapse, VESICLES, seed=1, duration=DURATION, record_interval=INTERVAL)
    exact = solve(synapse, result.time)
    charge = np.trapezoid(result.current, result.time, axis=1)
    exact_charge = float(np.trapezoid(np.asarray(exact.current, np.float64), result.time))
    left = float(exact.released[-1] - exact.free_ach[-1] - exact.hydrolysed[-1] - exact.escaped[-1])
    return [
        _check("charge (pC)", charge, exact_charge),
        _check("ACh hydrolysed", result.counts["hydrolysed"][:, -1], float(exact.hydrolysed[-1])),
        _check("ACh bound", result.bound[:, -1], left),
    ]


def _check(name: str, values: np.ndarray, expected: float) -> Check:
    error = float(values.std(ddof=1) / np.sqrt(values.size))
    return Check(name, float(values.mean()), error, expected)
