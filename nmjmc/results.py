"""Results of every kind by one name each: opened from a file or a folder, and made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, overload

from nmjmc import api
from nmjmc.bedside.names import repeat
from nmjmc.data import hdf5, table
from nmjmc.data.examination import Examination, load_examination
from nmjmc.data.fits import FitRecord, load_fit
from nmjmc.data.kinds import inside, kind_of
from nmjmc.data.quantal import QuantalReport
from nmjmc.data.quantal_folder import load_quantal
from nmjmc.data.result import Result
from nmjmc.errors import ValidationError
from nmjmc.folders import user_path
from nmjmc.sweeps.result import SweepResult

_WANTED = "a result, a bedside test, a fit, a sweep or a quantal analysis of nmjmc, or a folder of these"


class Several(Mapping[str, Any]):
    """What a folder holds, by name; each is opened when it is asked for.

    Args:
        folder: It holds results, bedside tests, fits or sweeps, as files or in folders of their own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places = {path.name: path for path in inside(folder)}

    def __getitem__(self, name: str) -> Held:
        return load(self._places[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        width = max(map(len, self._places), default=0)
        lines = [f"  {name.ljust(width)}  {kind_of(path)}" for name, path in self._places.items()]
        return "\n".join([f"{self.folder}, which holds {len(self)}:", *lines])

    def _repr_html_(self) -> str:
        rows = [(name, kind_of(path)) for name, path in self._places.items()]
        return table.html_of(("", "kind"), rows)


Held: TypeAlias = Result | Examination | FitRecord | SweepResult | QuantalReport | Several


def load(path: str | Path) -> Held:
    """Open what this package has kept: a result, a bedside test, a fit, a sweep, or a folder of these.

    Args:
        path: A file (`result.h5`, `fit.h5`, `sweep.nc`) or a folder: of a run, of a fit, of a sweep, of a quantal
            analysis, or one that holds several, of which each is opened when it is asked for by its name.

    Returns:
        What `nmjmc.simulate`, the bedside tests, `nmjmc.fit`, `nmjmc.sweep` and `nmjmc.quantal` give.

    Raises:
        ValidationError: If there is no such thing, or it is damaged.
    """
    if not isinstance(path, str | Path):
        raise ValidationError("path", repr(path), "a file or a folder", 'for example "result.h5"')
    place = user_path(path, "path")
    if not place.exists():
        raise ValidationError("path", f"{path}, where there is no file and no folder", _WANTED)
    kind = kind_of(place)
    if kind == "" and (place.is_dir() or _hint(place)):
        raise ValidationError("path", f"{path}, which is nothing that nmjmc keeps", _WANTED, _hint(place))
    if kind == "fit":
        return load_fit(place / "fit.h5" if place.is_dir() else place)
    openers = {
        "examination": load_examination, "sweep": SweepResult, "table": SweepResult.of_file,
        "quantal": load_quantal, "several": Several,
    }  # fmt: skip
    return openers.get(kind, hdf5.load)(place)


def _hint(path: Path) -> str:
    """Where else it can be opened."""
    if path.suffix.casefold() in (".yaml", ".yml"):
        return "a preparation is opened by nmjmc.preparation, a junction by nmjmc.junction, a config by config=FILE"
    if path.name in ("summary.json", "sweep.json"):
        return f"load its folder, {path.parent}"
    return ""


@overload
def rerun(result: Result, **changes: Any) -> Result: ...


@overload
def rerun(result: Examination, **changes: Any) -> Examination: ...


def rerun(result: Any, **changes: Any) -> Result | Examination:
    """Make a result again, from the same seed.

    Args:
        result: What `simulate` or a bedside test gave, or `load` read.
        **changes: Keywords of `simulate` or of the bedside test that are to be others, as `device="cpu"`.

    Returns:
        The result; the same bits on the same device, versions and executor.

    Raises:
        ValidationError: If it is none of these, or a change cannot be right.
    """
    if isinstance(result, Result):
        return api.rerun(result, **changes)
    if isinstance(result, Examination):
        return repeat(result, **changes)
    hint = "a fit is made again by nmjmc fit config=FOLDER" if isinstance(result, FitRecord) else ""
    raise ValidationError("rerun", f"{result!r:.60}", "a result of simulate or of a bedside test", hint)
