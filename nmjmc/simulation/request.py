"""What is asked of a simulation: its settings, and with a synapse the run that the kernel takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nmjmc.bedside.fields import read_drugs, read_mapping, read_severities, seconds
from nmjmc.carried import Number
from nmjmc.errors import ValidationError, nearest
from nmjmc.kernel.many import Request as Run
from nmjmc.kernel.numerics import TIMES, Numerics
from nmjmc.numbers import whole_number
from nmjmc.request import Request, choice, flag, other, progress_field, quantity, whole
from nmjmc.runtime import DEVICES
from nmjmc.seeds import SEEDS, draw_seed
from nmjmc.simulation.distributed import check_processes
from nmjmc.synapse.model import Synapse
from nmjmc.units import to_text

MOST_VESICLES = 2**24
MOST_RECORDS = 10**6
_VIEWS = ("view_onset_interval", "view_patch", "view_molecules")


def make_numerics(numerics: Numerics | Mapping[str, Any] | None) -> Numerics:
    """Numerics from plain values, times as text with a unit or in ms.

    Raises:
        ValidationError: For an unknown key, with the nearest valid name, or a value of the wrong kind.
    """
    if isinstance(numerics, Numerics):
        return numerics
    values = dict(numerics or {})
    names = [field.name for field in dataclasses.fields(Numerics)]
    for key in values:
        if key not in names:
            raise ValidationError("a key of numerics", key, "one that exists", nearest(str(key), names))
    return Numerics(**values)


def _plain_numerics(value: Any, _field: str) -> dict[str, Any]:
    """The numerics as a config holds them: times with their units, and the executor only where one is named."""
    if value is not None and not isinstance(value, Numerics | Mapping):
        hint = 'for example numerics.step_scale=0.5, or {"step_scale": 0.5} in Python'
        raise ValidationError("numerics", repr(value), "set by its keys, as in numerics.KEY=VALUE", hint)
    found = dataclasses.asdict(make_numerics(value))
    if found["executor"] == "auto":
        del found["executor"]  # which of them it is says the result, and the config that stands beside it
    for name in _VIEWS:
        if found[name] is None:
            del found[name]  # as in configs from before there were any
    return {name: to_text(v, "ms") if name in TIMES and v is not None else v for name, v in found.items()}


def _processes(value: Any, _field: str) -> Any:
    check_processes(value)
    return value


@dataclass(frozen=True)
class SimulateRequest(Request):
    """The settings of `nmjmc simulate`, and of each point of a sweep."""

    vesicles: int = whole(
        1000,
        "quanta to simulate; each has its own content, drawn from the vesicle's distribution",
        1,
        MOST_VESICLES,
    )
    seed: int | None = whole(0, "null draws one and records it", 0, SEEDS - 1, optional=True)
    duration: str = quantity("10 ms", "simulated time; vesicles fuse at vesicle.times, by default at 0", "ms")
    record_interval: str = quantity("10 us", "time between records", "ms")
    numerics: dict[str, Any] = other(
        {},
        "how it is computed, for example numerics.step_scale; `dry_run=true` lists the keys",
        _plain_numerics,
    )
    pathology: dict[str, float] = other(
        {}, "diseases and their severities, 0 (none) to 1: myasthenia_gravis:0.6+ageing:0.5", read_severities
    )
    drug: dict[str, str] = other(
        {}, 'drugs and their concentrations: pyridostigmine:"1 uM"+neostigmine:"0.2 uM"', read_drugs
    )
    definitions: dict[str, Any] = other(
        {}, "your own diseases and drugs; pathology=FILE.yaml:0.5 puts them here", read_mapping
    )
    exposure: str = seconds(
        "60 s", "time for which an organophosphate or succinylcholine has acted", "0 s", "720 h"
    )
    device: str = choice("auto", "auto, cpu or gpu; a missing GPU is refused", DEVICES, idle=True)
    cache: bool = flag(True, "keep compiled programs between runs (NMJMC_CACHE_DIR says where)", idle=True)
    checkpoint: bool = flag(
        False, "true keeps finished blocks of vesicles, so that a killed run goes on where it was", idle=True
    )
    resume: bool = flag(
        False, "true leaves a finished run as it is, and goes on with one that was cut short", idle=True
    )
    distributed: str | None = other(
        None,
        "auto makes one run of all processes that srun has started; or HOST:PORT,COUNT,INDEX by hand",
        _processes,
        optional=True,
        idle=True,
    )
    progress: bool | str = progress_field()
    dry_run: bool = flag(
        False,
        "true prints the resolved config, time step, memory and predicted time, and stops",
        idle=True,
    )

    def check(self) -> None:
        """Refuse times that are not positive, and records that are too few or too many.

        Raises:
            ValidationError: Naming the time.
        """
        for name in ("duration", "record_interval"):
            if self.amount(name) <= 0:
                raise ValidationError(name, f"{self.amount(name):g} ms", "positive")
        duration, interval = self.amount("duration"), self.amount("record_interval")
        if interval > duration / 2:
            allowed = f"at most half the duration ({duration / 2:g} ms)"
            raise ValidationError("record_interval", f"{interval:g} ms", allowed)
        if duration / interval > MOST_RECORDS:
            given = f"{duration:g} ms with a record every {interval:g} ms"
            allowed = f"at most {interval * MOST_RECORDS:g} ms at that record_interval"
            hint = f"or make record_interval at least {duration / MOST_RECORDS:g} ms"
            raise ValidationError("duration", given, allowed, hint)

    def run_of(self, synapse: Synapse, first_vesicle: Number = 0) -> Run:
        """The run of a synapse that the kernel takes; a seed that was left open is drawn.

        Raises:
            ValidationError: If that is no synapse, or no number of a vesicle.
        """
        if not isinstance(synapse, Synapse):
            named = synapse if isinstance(synapse, str) else "human"
            hint = f'for example nmjmc.preparation("{named}")'
            raise ValidationError("synapse", repr(synapse), "a Synapse", hint)
        numerics = make_numerics(self.numerics)
        first = whole_number(first_vesicle, "first_vesicle", 0, MOST_VESICLES)
        _check_views(numerics, first, self.vesicles)
        return Run(
            synapse=synapse,
            vesicles=self.vesicles,
            seed=draw_seed() if self.seed is None else self.seed,
            duration=self.amount("duration"),
            record_interval=self.amount("record_interval"),
            numerics=numerics,
            first_vesicle=first,
        )


def _check_views(numerics: Numerics, first: int, vesicles: int) -> None:
    """Refuse views of what is not simulated.

    Raises:
        ValidationError: Naming the setting.
    """
    for name in _VIEWS:
        if getattr(numerics, name) is not None and numerics.view_interval is None:
            hint = "it says how the views are, and there are none"
            raise ValidationError("numerics.view_interval", "null", f"given where numerics.{name} is", hint)
    patch, last = numerics.view_patch, first + vesicles - 1
    if patch is not None and not first <= patch <= last:
        raise ValidationError("numerics.view_patch", patch, f"a vesicle of the run, {first} to {last}")
    if numerics.view_molecules is not None and numerics.view_molecules < 1:
        raise ValidationError("numerics.view_molecules", numerics.view_molecules, "at least 1")
