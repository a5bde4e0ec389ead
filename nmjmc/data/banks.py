"""Banks of quanta kept on the disk, so that a synapse that has been simulated before is not simulated again.

A bank is named by everything that decides its bits: the synapse, the number of quanta, the seed, the duration, the
kind of device, the versions of JAX, and of NVIDIA Warp where it is the executor, and the code that simulates it; where
quanta overlap, the terminal too, whose times of release scatter them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import jax
import numpy as np

from nmjmc import ending
from nmjmc.cache import cache_directory, cache_folder
from nmjmc.data.atomic import write_bytes
from nmjmc.data.checkpoint import leave_out
from nmjmc.data.guard import DAMAGE, check_file
from nmjmc.data.provenance import device_name, versions
from nmjmc.data.seal import DamageError, with_seal, without_seal
from nmjmc.errors import ValidationError
from nmjmc.junction.bank import INTERVAL, Bank, overlapping
from nmjmc.junction.build import describe_junction
from nmjmc.junction.together import PatchBank
from nmjmc.junction.whole import Junction, bank_for, quantum_duration
from nmjmc.kernel.executor import settled
from nmjmc.kernel.executor import version as executor_version
from nmjmc.kernel.numerics import Numerics
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
        seconds: What simulating took.
    """

    def __init__(
        self,
        quanta: int = 32,
        seed: int = 0,
        cache: bool = True,
        on_simulate: Callable[[Junction], None] | None = None,
    ) -> None:
        self.quanta, self.seed, self.cache, self.on_simulate = quanta, seed, cache, on_simulate
        self.simulated, self.kept, self.seconds = 0, 0, 0.0
        self._memory: dict[str, Bank] = {}

    @property
    def all(self) -> tuple[Bank, ...]:
        """Every bank that was given."""
        return tuple(self._memory.values())

    def __call__(self, junction: Junction) -> Bank:
        """The bank of a junction's synapse."""
        ending.look()
        name = key(junction, self.quanta, self.seed)
        bank = self._memory.get(name) or (read(name, junction) if self.cache else None)
        if bank is None:
            if self.on_simulate is not None:
                self.on_simulate(junction)
            began = time.perf_counter()
            bank = bank_for(junction, self.quanta, self.seed)
            self.seconds += time.perf_counter() - began
            self.simulated += 1
            if self.cache:
                write(name, bank)
        else:
            self.kept += 1
        self._memory[name] = bank
        return bank


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
    device = jax.devices()[0]
    if settled(Numerics(), junction.synapse, device).executor == "warp":
        made["warp"] = executor_version()
    decisive = [
        parts, quanta, seed, quantum_duration(junction.synapse), INTERVAL, device_name(device), made,
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
    path = place_of(name)
    if cache_folder("quanta") is None or not path.is_file():
        return None
    try:
        content = read_own(path)
        if content is None:
            raise DamageError("others could have written it, or it cannot be read")
        with h5py.File(io.BytesIO(without_seal(content)), "r") as file:
            check_file(file, path)
            return _read(file, name, junction)
    except DAMAGE as error:
        leave_out(path, error, "its quanta are simulated again")
        return None


def _read(file: Any, name: str, junction: Junction) -> Bank:
    """The bank in an open file."""
    if file.attrs.get("key", name) != name:
        raise DamageError("it stands under the name of another")
    conductance = np.asarray(file["conductance"][...], np.float32)
    interval, seed = float(file.attrs["interval"]), int(file.attrs["seed"])
    single = (conductance, interval, junction.synapse, seed)
    if "numbers" not in file:
        return Bank(*single)
    return PatchBank(*single, np.asarray(file["numbers"][...]), int(file.attrs["patches"]))


def write(name: str, bank: Bank) -> None:
    """Keep a bank; a folder that cannot be written is no reason to fail."""
    if cache_folder("quanta") is None:
        return
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        dataset = file.create_dataset("conductance", data=bank.conductance, compression="gzip")
        dataset.attrs["units"] = "uS"
        told = {"interval": bank.interval, "seed": bank.seed, "of": bank.synapse.name, "key": name}
        file.attrs.update(told)
        if isinstance(bank, PatchBank):
            file["numbers"] = bank.numbers
            file.attrs["patches"] = bank.patches
    with contextlib.suppress(OSError, ValidationError):
        write_bytes(place_of(name), with_seal(image.getbuffer()), private=True)
