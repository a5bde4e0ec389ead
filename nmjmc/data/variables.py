"""The variables of a result file: one declaration gives the file, the xarray view and their units."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nmjmc.data.molecules import KINDS, NAMES, Molecules
from nmjmc.errors import ValidationError
from nmjmc.synapse.build import describe

if TYPE_CHECKING:
    from nmjmc.data.result import Result

SCHEMA_VERSION = 1
_LONGEST_ATTRIBUTE = 60_000  # HDF5 keeps an attribute of up to 64 KiB in its header


class Variable(NamedTuple):
    """One variable of the file: name, dimensions, values, unit, and what it is in words."""

    name: str
    dimensions: tuple[str, ...]
    values: np.ndarray
    units: str
    long_name: str


def variables(result: Result) -> Iterator[Variable]:
    """Every variable that a result file holds, coordinates first."""
    both = ("vesicle", "time")
    first = int(result.settings.get("first_vesicle", 0))
    numbers = first + np.arange(result.vesicles, dtype=np.int32)
    yield Variable(
        "time", ("time",), np.asarray(result.time, np.float64), "ms", "time since the start of the run"
    )
    one = "vesicle" if result.quanta == 1 else f"patch of {result.quanta} vesicles"
    yield Variable("vesicle", ("vesicle",), numbers, "1", f"number of the {one}")
    content = np.asarray(result.content, np.int32)
    yield Variable("content", ("vesicle",), content, "molecules", f"ACh in the {one}")
    for name, (unit, words) in _counted(result).items():
        yield Variable(name, both, np.asarray(result.counts[name], np.int32), unit, words)
    yield Variable("open_channels", both, result.open_channels, "channels", "conducting channels")
    current = result.current.astype(np.float32)
    yield Variable("current", both, current, "nA", "current at the holding potential, inward negative")
    yield from _by_ion(result, both)
    if result.molecules is not None:
        yield from of_molecules(result.molecules)
    elif result.positions is not None and result.position_time is not None:
        yield Variable("frame", ("frame",), np.asarray(result.position_time), "ms", "time of a view")
        axes = ("frame", "molecule", "axis")
        yield Variable(
            "positions",
            axes,
            np.asarray(result.positions),
            "um",
            "free ACh of the first vesicle, NaN past the last; z is drawn evenly where transport is exact",
        )


def of_molecules(seen: Molecules) -> Iterator[Variable]:
    """What was seen of the viewed patch: `frame` and `molecule` are its coordinates."""
    kinds = ", ".join(f"{code} {kind}" for code, kind in enumerate(KINDS))
    told = {
        "time": ("ms", "time of a view"),
        "number": ("1", "number of a molecule in its patch"),
        "vesicle": ("1", "vesicle of the patch from which the molecule comes"),
        "state": ("1", f"state of the molecule: {kinds}"),
        "place": ("um", "place; NaN before release; z of free ones drawn evenly where transport is exact"),
        "site": ("1", "site that holds the molecule or has split it, -1 for none"),
        "site_place": ("um", "middle of the site's tile"),
        "site_is_esterase": ("1", "1 for an esterase, 0 for a receptor"),
        "site_state": ("1", "state of the site: the receptor's states, then the esterase's"),
    }
    axes = {
        "time": ("frame",), "number": ("molecule",), "vesicle": ("molecule",), "state": ("frame", "molecule"),
        "place": ("frame", "molecule", "axis"), "site": ("frame", "molecule"), "site_place": ("site", "axis"),
        "site_is_esterase": ("site",), "site_state": ("frame", "site"),
    }  # fmt: skip
    for field, name in NAMES.items():
        yield Variable(name, axes[field], np.asarray(getattr(seen, field)), *told[field])


def _by_ion(result: Result, both: tuple[str, ...]) -> Iterator[Variable]:
    """The current split by ion; nothing where the reversal potential is that of no mixture of the three."""
    for name, ion in (("current_na", "sodium"), ("current_k", "potassium"), ("current_ca", "calcium")):
        try:
            values = getattr(result, name).astype(np.float32)
        except ValidationError:
            return
        yield Variable(name, both, values, "nA", f"what {ion} carries of the current, inward negative")


def _counted(result: Result) -> dict[str, tuple[str, str]]:
    """Unit and description of each count."""
    receptor = {s: ("receptors", f"receptors in state {s}") for s in result.receptor_states}
    esterase = {s: ("sites", f"esterase sites in state {s}") for s in result.esterase_states}
    ach = {
        "free_ach": ("molecules", "free ACh in the cleft"),
        "hydrolysed": ("molecules", "ACh hydrolysed so far"),
        "escaped": ("molecules", "ACh that left at the rim so far"),
        "released": ("molecules", "ACh released so far"),
    }
    return {**receptor, **esterase, **ach}


def attributes(result: Result) -> dict[str, Any]:
    """Global attributes: schema, seed, the whole resolved config as JSON, and the provenance."""
    config = {"synapse": describe(result.synapse), "settings": dict(result.settings)}
    return {
        "title": f"nmjmc: {result.synapse.name}",
        "Conventions": "CF-1.11",
        "schema_version": SCHEMA_VERSION,
        "seed": int(result.seed),
        **in_parts("config", json.dumps(config)),
        **result.provenance,
    }


def in_parts(name: str, text: str) -> dict[str, str]:
    """A long text as attributes `name`, `name_1`, ...: HDF5 refuses one of more than 64 KiB."""
    pieces = [text[i : i + _LONGEST_ATTRIBUTE] for i in range(0, len(text), _LONGEST_ATTRIBUTE)]
    return {name if i == 0 else f"{name}_{i}": piece for i, piece in enumerate(pieces)}


def joined(name: str, found: dict[str, Any]) -> str:
    """The inverse of the splitting: the parts of a long text put together."""
    pieces = [found[name]]
    while f"{name}_{len(pieces)}" in found:
        pieces.append(found[f"{name}_{len(pieces)}"])
    return "".join(pieces)


def to_xarray(result: Result) -> Any:
    """The result as an `xarray.Dataset`, the same as `xarray.open_dataset` of its file."""
    import xarray

    coordinates, data = {}, {}
    for v in variables(result):
        entry = (v.dimensions, v.values, {"units": v.units, "long_name": v.long_name})
        (coordinates if v.dimensions == (v.name,) else data)[v.name] = entry
    return xarray.Dataset(data, coords=coordinates, attrs=attributes(result))
