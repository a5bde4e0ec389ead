"""The reference traces of the canonical quantum: a converged PDE and MCell.

They are not part of the package. They are looked for in `shared/reference` beside or inside the checkout;
where they are not, the mean field takes their place.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import nmjmc
from nmjmc.meanfield import solve

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = (CHECKOUT.parent / "shared" / "reference", CHECKOUT / "shared" / "reference")
SPECIES = ("ACh", "R", "AR", "A2R", "A2Ro", "E", "EA", "hydrolysed", "escaped")
CONTENT = 10_000
TURNOVER = 16.0  # 1/ms, EA -> E

Traces = dict[str, np.ndarray]


def folder() -> Path | None:
    """Where the references are, if they are here."""
    return next((f for f in FOLDERS if (f / "pde").is_dir()), None)


def pde(root: Path, variant: str) -> tuple[np.ndarray, Traces]:
    """Times [ms] and the deterministic traces.

    The PDE's file holds no fates: hydrolysed ACh is EA plus the integral of its turnover, escaped ACh is
    what is left.
    """
    time, traces = _read(root / "pde" / f"{variant}.csv", "")
    traces.setdefault("E", np.zeros_like(time))
    traces.setdefault("EA", np.zeros_like(time))
    turned = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(time) * (traces["EA"][1:] + traces["EA"][:-1]))])
    traces["hydrolysed"] = traces["EA"] + TURNOVER * turned
    held = traces["AR"] + 2 * (traces["A2R"] + traces["A2Ro"])
    traces["escaped"] = CONTENT - traces["ACh"] - held - traces["hydrolysed"]
    return time, traces


def mcell(root: Path, variant: str) -> tuple[np.ndarray, Traces]:
    """Times [ms] and mean traces of MCell3 at 0.1 us."""
    return _read(root / "mcell" / f"{variant}_dt0.1.csv", "mean_")


def mean_field(synapse: nmjmc.Synapse, time: np.ndarray) -> tuple[np.ndarray, Traces]:
    """The same from the mean field."""
    found = solve(synapse, time)
    traces = {name: np.asarray(found.states[name], float) for name in SPECIES if name in found.states}
    traces |= {name: np.asarray(getattr(found, name), float) for name in ("hydrolysed", "escaped")}
    traces["ACh"] = np.asarray(found.free_ach, float)
    return time, traces


def _read(path: Path, prefix: str) -> tuple[np.ndarray, Traces]:
    table = np.genfromtxt(path, delimiter=",", names=True)
    names = {s: prefix + s for s in SPECIES if prefix + s in table.dtype.names}
    return 1e-3 * table["t_us"], {s: table[column] for s, column in names.items()}
