"""Banks of quanta kept on the disk, so that a synapse that has been simulated before is not simulated again.

A bank is named by everything that decides its bits: the synapse, the number of quanta, the seed, the duration, the
kind of device, the versions of JAX, and the code that simulates it; where quanta overlap, the terminal too, whose times
of release scatter them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import jax
import numpy as np

from nmjmc.cache import cache_directory, cache_folder
from nmjmc.data.atomic import atomic
from nmjmc.data.provenance import device_name, versions
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import INTERVAL, Bank, overlapping
from nmjmc.junction.build import describe_junction
from nmjmc.junction.together import PatchBank
from nmjmc.junction.whole import Junction, bank_for, quantum_duration
from nmjmc.trust import read_own

_CODE = ("kernel", "kinetics", "synapse", "junction/bank.py", "units.py")
_CODE_OF_PATCHES = ("junction", "kernel", "kinetics", "synapse", "units.py")


class Banks:
    """Gives the bank of a junction: from memory, from the disk, or from the kernel.

    Args:
        quanta: Quanta of a bank.
        seed: Seed of the kernel.
        cache: Whether banks are kept on the disk.
        on_simulate: Called with the junction before its quanta are simulated.

    Attributes:
        simulated: Banks that had to be simulated.
        kept: Banks that were found.
    """

    def __init__(
        self,
        quanta: int = 32,
        seed: int = 0,
        cache: bool = True,
        on_simulate: Callable[[Junction], None] | None = None,
    ) -> None:
        self.quanta, self.seed, self.cache, self.on_simulate = quanta, seed, cache, on_simulate
        self.simulated, self.kept = 0, 0
        self._memory: dict[str, Bank] = {}

    @property
    def all(self) -> tuple[Bank, ...]:
        """Every bank that was given."""
        return tuple(self._memory.values())

    def __call__(self, junction: Junction) -> Bank:
        """The bank of a junction's synapse."""
        name = key(junction, self.quanta, self.seed)
        found = self._memory.get(name) or (read(name, junction) if self.cache else None)
        if found is None:
            if self.on_simulate is not None:
                self.on_simulate(junction)
            found = bank_for(junction, self.quanta, self.seed)
            self.simulated += 1
            if self.cache:
                write(name, found)
        else:
            self.kept += 1
        self._memory[name] = found
        return found


def key(junction: Junction, quanta: int, seed: int) -> str:
    """What a bank is named by, 24 characters."""
    idle = (
        "name",
        "muscle",
        "contraction",
        "spread",
        *(() if overlapping(junction.synapse) else ("terminal",)),
    )
    parts = {name: value for name, value in describe_junction(junction).items() if name not in idle}
    made = {name: value for name, value in versions().items() if name in ("jax", "jaxlib")}
    decisive = [
        parts, quanta, seed, quantum_duration(junction.synapse), INTERVAL, device_name(jax.devices()[0]), made,
        _code(_CODE_OF_PATCHES if overlapping(junction.synapse) else _CODE),
    ]  # fmt: skip
    text = json.dumps(decisive, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@functools.cache
def _code(names: tuple[str, ...]) -> str:
    """Fingerprint of the code that decides a quantum."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for name in names:
        place = package / name
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def place_of(name: str) -> Path:
    """The file of a bank."""
    return cache_directory() / "quanta" / f"{name}.h5"


def read(name: str, junction: Junction) -> Bank | None:
    """A bank that was kept; None if there is none, it is damaged, or others could have written it."""
    content = read_own(place_of(name)) if cache_folder("quanta") else None
    if content is None:
        return None
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            dataset, attributes = file["conductance"], file.attrs
            conductance = np.asarray(dataset[...], np.float32)  # pyright: ignore[reportIndexIssue]
            interval, seed = float(attributes["interval"]), int(attributes["seed"])  # pyright: ignore[reportArgumentType]
            together = "numbers" in file
            numbers = np.asarray(file["numbers"][...]) if together else None  # pyright: ignore[reportIndexIssue]
            patches = int(attributes["patches"]) if together else 0  # pyright: ignore[reportArgumentType]
    except (OSError, KeyError):
        return None
    single = (conductance, interval, junction.synapse, seed)
    return Bank(*single) if numbers is None else PatchBank(*single, numbers, patches)


def write(name: str, bank: Bank) -> None:
    """Keep a bank; a folder that cannot be written is no reason to fail."""
    if cache_folder("quanta") is None:
        return
    with contextlib.suppress(OSError, ValidationError), atomic(place_of(name)) as temporary:
        with h5py.File(temporary, "w") as file:
            dataset = file.create_dataset("conductance", data=bank.conductance, compression="gzip")
            dataset.attrs["units"] = "uS"
            file.attrs.update({"interval": bank.interval, "seed": bank.seed, "of": bank.synapse.name})
            if isinstance(bank, PatchBank):
                file["numbers"] = bank.numbers
                file.attrs["patches"] = bank.patches
