"""Checkpoints: finished blocks of vesicles, each a whole file, so that a killed run goes on where it was.

Vesicles are independent and their randomness depends only on (seed, vesicle), so a run that is put together
from finished blocks and the rest is bit for bit the run that was never interrupted.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nmjmc.data.atomic import write_bytes
from nmjmc.errors import ValidationError


def fingerprint(config: Mapping[str, Any]) -> str:
    """Short hash of everything that decides the bits of a run (plain nested values)."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def save_block(folder: str | Path, key: str, first_vesicle: int, arrays: Mapping[str, np.ndarray]) -> Path:
    """Keep a finished block of vesicles.

    Args:
        folder: The checkpoint's folder; made if needed.
        key: `fingerprint` of the run.
        first_vesicle: Number of the block's first vesicle.
        arrays: What was recorded; the first axis of each is the vesicle.

    Returns:
        The file of the block.
    """
    path = Path(folder) / f"vesicles_{first_vesicle:08d}.h5"
    image = io.BytesIO()  # in memory: a disk that is full while HDF5 closes its file ends the whole process
    with h5py.File(image, "w") as file:
        file.attrs["fingerprint"] = key
        file.attrs["first_vesicle"] = first_vesicle
        for name, values in arrays.items():
            file.create_dataset(name, data=values)
    return write_bytes(path, image.getbuffer())


def load_blocks(folder: str | Path, key: str) -> dict[int, dict[str, np.ndarray]]:
    """Read the finished blocks of a run.

    Args:
        folder: The checkpoint's folder; it need not be there.
        key: `fingerprint` of the run that wants to go on.

    Returns:
        The arrays of each block, by the number of its first vesicle, in order.

    Raises:
        ValidationError: If a block belongs to a run with other parameters, another seed, version or device.
    """
    blocks = {}
    for path in sorted(Path(folder).glob("vesicles_*.h5")):
        try:
            with h5py.File(path, "r") as file:
                owner = file.attrs.get("fingerprint")
                first = int(np.asarray(file.attrs["first_vesicle"]))
                arrays = {name: dataset[...] for name, dataset in file.items()}
        except (OSError, KeyError):
            continue  # a damaged block is as good as none: it is computed again
        if owner != key:
            hint = "remove the folder, or run with the parameters, seed, version and device it was made with"
            raise ValidationError(f"checkpoint {folder}", "of another run", "of the same run", hint)
        blocks[first] = arrays
    return blocks


def remove(folder: str | Path) -> None:
    """Remove a checkpoint once its result is written."""
    shutil.rmtree(folder, ignore_errors=True)
