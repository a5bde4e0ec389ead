"""Where a number came from: versions, device, precision, and the revision of the code."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import jax

PACKAGES = ("nmjmc", "jax", "jaxlib", "equinox", "numpy", "h5py", "h5netcdf")


def collect(devices: Sequence[jax.Device] | None = None) -> dict[str, str | int]:
    """Everything that a result file says of its making, as plain values.

    Args:
        devices: What it was made on; by default JAX's own choice.

    Returns:
        `created` (UTC), `python`, `platform`, `device`, `device_count`, `precision`, `git_revision`,
        `git_dirty` (1, 0, or -1 if the code is not a checkout), and `version_NAME` of each package.
    """
    revision, dirty = revision_of_code()
    used = list(devices or jax.devices())
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "device": device_name(used[0]),
        "device_count": len(used),
        "precision": precision(),
        "git_revision": revision,
        "git_dirty": dirty,
        **{f"version_{name}": version for name, version in versions().items()},
    }


def versions() -> dict[str, str]:
    """Version of each package that can move a number; empty where it cannot be told."""
    return dict(_versions())


@functools.cache  # of the packages that this process has loaded; reading them costs more than a small run
def _versions() -> dict[str, str]:
    by_name = {}
    for name in PACKAGES:
        try:
            by_name[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            by_name[name] = _own_version() if name == "nmjmc" else ""
    return by_name


def _own_version() -> str:
    import nmjmc

    return nmjmc.__version__


def device_name(device: jax.Device) -> str:
    """A device in words, for example `cpu (x86_64)` or `gpu (NVIDIA H100)`."""
    kind = platform.machine() if device.platform == "cpu" else device.device_kind
    return f"{device.platform} ({kind})"


def precision() -> str:
    """Precision of JAX's floating point at this moment."""
    return "float64 enabled" if getattr(jax.config, "jax_enable_x64", False) else "float32"


@functools.cache  # of the code that this process has loaded; asking git costs more than a small run
def revision_of_code() -> tuple[str, int]:
    """Git revision of the checkout that this code runs from, and whether it differs from that revision.

    Returns:
        Revision and 1 or 0; an empty string and -1 for an installed package, which is no checkout even
        where its environment lies inside somebody's repository.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists() or not (root / "nmjmc" / "data" / "provenance.py").is_file():
        return "", -1
    revision = _git(root, "rev-parse", "HEAD")
    status = _git(root, "status", "--porcelain", "--untracked-files=normal")
    return (revision.strip(), int(bool(status.strip()))) if revision and status is not None else ("", -1)


def _git(root: Path, *arguments: str) -> str | None:
    """Output of a git command, or None if there is no git or it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
