"""Checkpoints: finished blocks of vesicles, each a whole file, so that a killed run goes on where it was.

Vesicles are independent and their randomness depends only on (seed, vesicle), so a run that is put together
from finished blocks and the rest is bit for bit the run that was never interrupted. What is damaged, or could have been
written by others, is as good as none: it is computed again, with a `DamageWarning`.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nmjmc.data import seal
from nmjmc.data.atomic import clear_leftovers, write_bytes, write_text
from nmjmc.data.guard import DAMAGE, check_file
from nmjmc.errors import DamageWarning, ValidationError
from nmjmc.trust import read_own

_SIZE = "block.json"
_AGAIN = "its vesicles are simulated again"


def fingerprint(config: Mapping[str, Any]) -> str:
    """Short hash of everything that decides the bits of a run (plain nested values)."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def save_arrays(path: str | Path, key: str, arrays: Mapping[str, np.ndarray], **numbers: int) -> Path:
    """Keep arrays of a run under way, sealed, and for the user alone.

    Args:
        path: The file.
        key: `fingerprint` of everything that decides their bits.
        arrays: By name.
        numbers: What else the file says of itself.
    """
    image = io.BytesIO()  # in memory: a disk that is full while HDF5 closes its file ends the whole process
    with h5py.File(image, "w") as file:
        file.attrs.update({"fingerprint": key, **numbers})
        for name, values in arrays.items():
            file.create_dataset(name, data=values)
    return write_bytes(path, seal.with_seal(image.getbuffer()), private=True)


def load_arrays(
    path: str | Path, key: str, remedy: str, of: str = "run", **numbers: int
) -> dict[str, np.ndarray] | None:
    """Arrays that `save_arrays` kept; None where there are none, or none that can be used.

    Args:
        path: The file.
        key: `fingerprint` of the run that wants to go on.
        remedy: What happens instead where the file cannot be used, for the warning.
        of: What kind of run, for messages.
        numbers: What the file must say of itself.

    Raises:
        ValidationError: If they belong to a run with other parameters, another seed, version or device.
    """
    place = Path(path)
    if not place.is_file():
        return None
    try:
        said, arrays = _read(place)
        if any(said[name] != value for name, value in numbers.items()):
            raise seal.DamageError("it stands under the name of another")
    except DAMAGE as error:
        leave_out(place, error, remedy)
        return None
    if said.get("fingerprint") != key:
        hint = "remove it, or go on with the parameters, data, seed, version and device it was made with"
        raise ValidationError(f"checkpoint {place}", f"of another {of}", f"of the same {of}", hint)
    return arrays


def leave_out(path: Path, error: BaseException | str, remedy: str) -> None:
    """Warn that a kept file cannot be used."""
    why = " ".join(str(error).split())[:200].rstrip(".")
    warnings.warn(f"{path} is left out, because {why}; {remedy}.", DamageWarning, stacklevel=3)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    content = read_own(path)
    if content is None:
        raise seal.DamageError("others could have written it, or it cannot be read")
    with h5py.File(io.BytesIO(seal.without_seal(content)), "r") as file:
        check_file(file, path)
        return dict(file.attrs), {name: np.asarray(dataset) for name, dataset in file.items()}


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
    return save_arrays(path, key, arrays, first_vesicle=first_vesicle)


def load_blocks(folder: str | Path, key: str) -> dict[int, dict[str, np.ndarray]]:
    """Read the finished blocks of a run, and clear away what a killed one has left half written.

    Args:
        folder: The checkpoint's folder; it need not be there.
        key: `fingerprint` of the run that wants to go on.

    Returns:
        The arrays of each block, by the number of its first vesicle, in order.

    Raises:
        ValidationError: If a block belongs to a run with other parameters, another seed, version or device.
    """
    clear_leftovers(folder)
    blocks = {}
    for first, path in _blocks(folder):
        arrays = load_arrays(path, key, _AGAIN, first_vesicle=first)
        if arrays is not None:
            blocks[first] = arrays
    return blocks


def _blocks(folder: str | Path) -> list[tuple[int, Path]]:
    """First vesicle and file of each block, in order."""
    kept = [(path.stem.removeprefix("vesicles_"), path) for path in Path(folder).glob("vesicles_*.h5")]
    return sorted((int(number), path) for number, path in kept if number.isdecimal())


def block_size(folder: str | Path, wanted: int) -> int:
    """Vesicles of a block: those of the run that goes on, so that its blocks fit; else as wanted, and noted.

    Args:
        folder: The checkpoint's folder; made if needed.
        wanted: For a run that begins.
    """
    note = Path(folder) / _SIZE
    if note.exists():
        try:
            return _noted(note)
        except DAMAGE as error:
            firsts = [first for first, _ in _blocks(folder)]
            size = firsts[1] - firsts[0] if len(firsts) > 1 else wanted
            leave_out(note, error, f"blocks of {size} vesicles are taken")
            wanted = size
    write_text(note, seal.sealed({"vesicles": wanted}))
    return wanted


def _noted(note: Path) -> int:
    """What the note says; that of earlier versions is a bare number."""
    text = seal.content_of(note).decode()
    size = int(text) if text.strip().isdecimal() else seal.unsealed(text)["vesicles"]
    if not isinstance(size, int) or size < 1:
        raise seal.DamageError("it is no number of vesicles")
    return size


def remove(folder: str | Path) -> None:
    """Remove a checkpoint once its result is written."""
    shutil.rmtree(folder, ignore_errors=True)
