"""Monte Carlo simulation of the neuromuscular junction, molecule by molecule, in JAX.

Ten lines give a miniature endplate current:

    import nmjmc

    synapse = nmjmc.preparation("human", temperature="37 degC")
    result = nmjmc.simulate(synapse, vesicles=100, seed=0)
    print(result)
    result.plot("mepc.png")
    result.save("result.h5")

Names are looked up when they are first used, so `import nmjmc` is quick and starts no device.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from nmjmc import above

__version__ = "0.1.0"

if TYPE_CHECKING:
    from nmjmc.analysis.waveform import Waveform, measure
    from nmjmc.api import Point, SweepResult, simulate, simulate_many, sweep
    from nmjmc.bedside.chain import chain
    from nmjmc.bedside.dose_response import dose_response
    from nmjmc.bedside.epc import epc
    from nmjmc.bedside.epp import epp
    from nmjmc.bedside.mepc import mepc
    from nmjmc.bedside.rns import rns
    from nmjmc.bedside.sfemg import sfemg
    from nmjmc.bedside.tof import tof
    from nmjmc.bedside.twitch import twitch
    from nmjmc.bench import quantal, read
    from nmjmc.carried import internal
    from nmjmc.data.examination import Examination, load_examination
    from nmjmc.data.fits import FitRecord, load_fit
    from nmjmc.data.quantal import QuantalReport
    from nmjmc.data.reading import Reading
    from nmjmc.data.readings import Readings
    from nmjmc.data.result import Result
    from nmjmc.errors import NmjmcError, SimulationError, ValidationError
    from nmjmc.fitting import fit, read_datasets
    from nmjmc.junction.presets import junction
    from nmjmc.junction.treatment import Treatment
    from nmjmc.junction.whole import Junction
    from nmjmc.kernel.numerics import Numerics
    from nmjmc.kinetics import Scheme, available_schemes, load_scheme
    from nmjmc.parameters import get, paths, replace, scale
    from nmjmc.pathology import available_diseases, disease
    from nmjmc.pharmacology import available_drugs, drug
    from nmjmc.results import load, rerun
    from nmjmc.synapse import (
        Modifier,
        Synapse,
        available_preparations,
        build,
        compose,
        describe,
        preparation,
    )
    from nmjmc.viz.draw import export, film, plot, view

_HOME = {
    "nmjmc.analysis.waveform": ("Waveform", "measure"),
    "nmjmc.api": ("Point", "SweepResult", "simulate", "simulate_many", "sweep"),
    "nmjmc.bedside.chain": ("chain",),
    "nmjmc.bedside.dose_response": ("dose_response",),
    "nmjmc.bedside.epc": ("epc",),
    "nmjmc.bedside.epp": ("epp",),
    "nmjmc.bedside.mepc": ("mepc",),
    "nmjmc.bedside.rns": ("rns",),
    "nmjmc.bedside.sfemg": ("sfemg",),
    "nmjmc.bedside.tof": ("tof",),
    "nmjmc.bedside.twitch": ("twitch",),
    "nmjmc.bench": ("quantal", "read"),
    "nmjmc.carried": ("internal",),
    "nmjmc.data.fits": ("FitRecord", "load_fit"),
    "nmjmc.data.examination": ("Examination", "load_examination"),
    "nmjmc.data.quantal": ("QuantalReport",),
    "nmjmc.data.reading": ("Reading",),
    "nmjmc.data.readings": ("Readings",),
    "nmjmc.data.result": ("Result",),
    "nmjmc.errors": ("NmjmcError", "SimulationError", "ValidationError"),
    "nmjmc.fitting": ("fit", "read_datasets"),
    "nmjmc.junction.treatment": ("Treatment",),
    "nmjmc.junction.whole": ("Junction",),
    "nmjmc.kernel.numerics": ("Numerics",),
    "nmjmc.kinetics": ("Scheme", "available_schemes", "load_scheme"),
    "nmjmc.pathology": ("available_diseases", "disease"),
    "nmjmc.pharmacology": ("available_drugs", "drug"),
    "nmjmc.parameters": ("get", "paths", "replace", "scale"),
    "nmjmc.results": ("load", "rerun"),
    "nmjmc.synapse": (
        "Modifier", "Synapse", "available_preparations", "build", "compose", "describe", "preparation",
    ),
    "nmjmc.viz.draw": ("export", "film", "plot", "view"),
}  # fmt: skip
_WHERE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [  # noqa: RUF022 - in the order of use
    "preparation", "junction", "disease", "drug",
    "available_preparations", "available_diseases", "available_drugs",
    "simulate", "simulate_many", "Point", "sweep", "SweepResult", "load", "rerun", "Result",
    "plot", "view", "film", "export",
    "rns", "sfemg", "tof", "dose_response", "epp", "epc", "mepc", "twitch", "chain", "load_examination", "Examination",
    "Synapse", "Junction", "Treatment",
    "build", "describe", "get", "replace", "internal", "scale", "paths", "compose", "Modifier",
    "Scheme", "load_scheme", "available_schemes", "Numerics",
    "Waveform", "measure", "read", "Reading", "Readings", "quantal", "QuantalReport",
    "fit", "read_datasets", "load_fit", "FitRecord",
    "NmjmcError", "ValidationError", "SimulationError",
    "__version__",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "junction":  # the folder, which can be called
        return importlib.import_module("nmjmc.junction")
    if name not in _WHERE:
        raise AttributeError(f"module 'nmjmc' has no attribute {name!r}")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, "junction"})


def _above(question: str, module: str) -> None:
    """Have what a result asks for answered by a function of ours, which is looked up when it is first needed."""

    def answer(thing: Any, *arguments: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(module), question)(thing, *arguments, **options)

    above.answer(question, answer)


_above("plot", "nmjmc.viz.draw")
_above("figures", "nmjmc.viz.draw")
_above("view", "nmjmc.viz.draw")
_above("film", "nmjmc.viz.draw")
_above("export", "nmjmc.viz.draw")
_above("rerun", "nmjmc.results")
for _question in ("text", "html", "save"):
    _above(_question, "nmjmc.in_hand")
