"""The folder of a sweep: what was asked for, and one whole file for every point that is finished or failed.

    sweep.json                 the definition: words, sampler, axes with units, points with values and seeds
    points/000017.done.json    a finished point: its values, seed, seconds and summary
    points/000017.failed.json  a failed one: its values, seed, error and traceback
    results/000017.h5          the whole result of a finished point, if it was asked for
    claims                     the lock file

A point's state is the presence of its file, which is renamed into place: killed at any moment, a sweep has whole
points and missing ones, and nothing between. Definition and records carry checksums; a record that is damaged, or
stands under another point's name, is as good as none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nmjmc.data import records, seal
from nmjmc.data.atomic import write_text
from nmjmc.data.claims import Claims
from nmjmc.data.records import DONE, FAILED
from nmjmc.errors import NmjmcError, ValidationError
from nmjmc.folders import user_path

SWEEP_VERSION = 1
MISSING = "missing"
_CLAIMS = "claims"


class Sweep:
    """A sweep in its folder.

    Attributes:
        path: The folder.
        definition: What `sweep.json` says.
    """

    def __init__(self, path: Path, definition: Mapping[str, Any]) -> None:
        self.path, self.definition = path, definition
        self._claims: Claims | None = None

    @classmethod
    def create(cls, path: str | Path, definition: Mapping[str, Any]) -> Sweep:
        """Make the folder of a new sweep, or join one that was asked for in the same words.

        Raises:
            ValidationError: If the folder holds another sweep.
        """
        folder = user_path(path, "folder")
        claims = _claims(folder)
        try:
            with claims.turn():  # of two processes that start together, one writes and the other reads
                if not (folder / "sweep.json").exists():
                    whole = {"schema_version": SWEEP_VERSION, **definition}
                    write_text(folder / "sweep.json", seal.sealed(whole, indent=1))
        finally:
            claims.close()
        sweep = cls.open(folder)
        if sweep.definition["request"] != definition["request"]:
            hint = "take another folder, or go on with that sweep: resume=" + str(folder)
            raise ValidationError("folder", f"{folder}, which holds another sweep", "a new one", hint)
        return sweep

    @classmethod
    def open(cls, path: str | Path) -> Sweep:
        """The sweep that stands in a folder.

        Raises:
            ValidationError: If there is none, it is damaged, or a newer nmjmc wrote it.
        """
        folder = user_path(path, "the folder of a sweep")
        return cls(folder, _definition(folder))

    @property
    def size(self) -> int:
        """Number of points that were asked for."""
        return int(self.definition["size"])

    @property
    def claims(self) -> Claims:
        """The locks of this process."""
        if self._claims is None:
            self._claims = _claims(self.path)
        return self._claims

    def close(self) -> None:
        """Let go of every claim."""
        if self._claims is not None:
            self._claims.close()
            self._claims = None

    def states(self) -> dict[int, str]:
        """`done` or `failed` for every point that has a record; told by the names of the files alone."""
        states: dict[int, str] = {}
        for path in (self.path / "points").glob("*.json"):
            number, state = path.name.split(".")[:2]
            if number.isdecimal() and state in (DONE, FAILED) and int(number) < self.size:
                index = int(number)
                states[index] = DONE if states.get(index) == DONE else state
        return states

    def running(self) -> list[int]:
        """Numbers of the points without a record that another process holds now."""
        states = self.states()
        return [i for i in range(self.size) if i not in states and self.claims.held_by_others(i)]

    def record(self, index: int, state: str, content: Mapping[str, Any]) -> None:
        """Keep a point's record; call it only while the point is claimed.

        Raises:
            NmjmcError: If the sweep's folder is gone.
        """
        self.check_here()
        records.write(self.record_path(index, state), index, state, content)
        if state == DONE:  # it may have failed before
            self.record_path(index, FAILED).unlink(missing_ok=True)

    def read(self, index: int, state: str) -> dict[str, Any]:
        """A point's record.

        Raises:
            ValidationError: If the file is damaged, or is that of another point.
        """
        try:
            return self._read(index, state)
        except seal.DamageError as error:
            hint = f"nmjmc sweep resume={self.path} runs its point again"
            actual = f"{self.record_path(index, state)}, which is damaged: {error}"
            raise ValidationError("the record", actual, "as it was written", hint) from error

    def _read(self, index: int, state: str) -> dict[str, Any]:
        points = self.definition["points"]
        return records.read(self.record_path(index, state), index, state, points[index] if points else None)

    def damage(self, index: int) -> str | None:
        """Why the record of a point, or its result, cannot be used; None if it can, or there is none."""
        for state in (DONE, FAILED):
            path, kept = self.record_path(index, state), self.result_path(index)
            try:
                said = self._read(index, state).get("result_bytes")
            except FileNotFoundError:
                continue
            except seal.DamageError as error:
                return f"{path}: {error}"
            if said is not None and kept.exists() and kept.stat().st_size != said:
                return f"{kept}: it is not whole"
        return None

    def forget_damaged(self) -> dict[int, str]:
        """Make points whose records are damaged missing again, so that they are run once more; those in use stay.

        Returns:
            What was wrong with each.
        """
        return {index: why for index in sorted(self.states()) if (why := self._forget_if_damaged(index))}

    def _forget_if_damaged(self, index: int) -> str | None:
        if self.damage(index) is None or not self.claims.take(index):
            return None
        try:
            if why := self.damage(index):  # still, now that nobody else is at it
                for state in (DONE, FAILED):
                    self.record_path(index, state).unlink(missing_ok=True)
            return why
        finally:
            self.claims.release(index)

    def check_here(self) -> None:
        """Make sure that the folder is still that of this sweep.

        Raises:
            NmjmcError: If it was removed, or another was put in its place.
        """
        if not (self.path / "sweep.json").exists() or not self.claims.is_at(self.path / _CLAIMS):
            raise NmjmcError(
                f"The folder of the sweep, {self.path}, was removed or replaced while the sweep ran, and the points "
                "with it; start again with the same words."
            )

    def result_path(self, index: int) -> Path:
        """Where the whole result of a point stands."""
        return self.path / "results" / f"{index:06d}.h5"

    def forget_failures(self) -> list[int]:
        """Make the failed points missing again, so that they are run once more; those in use stay."""
        forgotten = []
        for index in [i for i, state in self.states().items() if state == FAILED]:
            if self.claims.take(index):
                self.record_path(index, FAILED).unlink(missing_ok=True)
                self.claims.release(index)
                forgotten.append(index)
        return forgotten

    def claim(self, candidates: Iterable[int], most: int) -> list[int]:
        """Claim up to so many of the points that have no record and that no other process holds."""
        claimed: list[int] = []
        for index in candidates:
            if len(claimed) == most:
                break
            if not self.claims.take(index):
                continue
            if any(self.record_path(index, state).exists() for state in (DONE, FAILED)):
                self.claims.release(index)  # finished by another process since the list was made
                continue
            claimed.append(index)
        self._clear({f"{index:06d}" for index in claimed})
        return claimed

    def _clear(self, numbers: set[str]) -> None:
        """Remove what a killed process has left of points: only the holder of a claim writes a point's files."""
        for folder in ("points", "results"):
            for path in (self.path / folder).glob(".*.tmp"):
                if path.name.split(".")[1] in numbers:
                    path.unlink(missing_ok=True)

    def record_path(self, index: int, state: str) -> Path:
        """Where the record of a point stands."""
        return self.path / "points" / f"{index:06d}.{state}.json"


def _definition(folder: Path) -> dict[str, Any]:
    """What `sweep.json` says."""
    try:
        content = seal.content_of(folder / "sweep.json")
    except seal.DamageError as error:
        raise _damaged(folder, str(error)) from error
    except OSError as error:
        actual = f"{folder}, which has no sweep.json"
        raise ValidationError("the folder", actual, "that of a sweep") from error
    try:
        version = seal.peeked(content).get("schema_version", 0)
        if isinstance(version, int) and version > SWEEP_VERSION:
            hint = "install a newer nmjmc to read it"
            raise ValidationError(f"schema_version of {folder}", version, f"at most {SWEEP_VERSION}", hint)
        actual = seal.unsealed(content)
    except seal.DamageError as error:
        raise _damaged(folder, str(error)) from error
    _check(folder, actual)
    if actual["points"] and len(actual["points"]) != actual["size"]:
        raise _damaged(folder, f"it tells {len(actual['points'])} of {actual['size']} points")
    return actual


def _damaged(folder: Path, why: str) -> ValidationError:
    hint = "take it from a copy, or start the sweep again in another folder"
    return ValidationError("the sweep", f"{folder / 'sweep.json'}, which is damaged: {why}", "whole", hint)


def _claims(folder: Path) -> Claims:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Claims(folder / _CLAIMS)
    except OSError as error:
        actual = f"{folder} ({error.strerror})"
        raise ValidationError("folder", actual, "a folder that can be written") from error


_PARTS = {
    "schema_version": int, "request": dict, "how": dict, "name": str, "size": int, "seed": int, "results": bool,
    "points": list,
}  # fmt: skip
_REQUEST = {"bases": dict, "axes": list, "sampler": str, "seeds": str}


def _check(folder: Path, found: Any) -> None:
    """Refuse a definition that is no sweep's: damaged, or of another program.

    Raises:
        ValidationError: Naming the file and what is missing.
    """
    path = folder / "sweep.json"
    whole = found if isinstance(found, dict) else {}
    request = whole.get("request")
    below = request if isinstance(request, dict) else {}
    for parts, held in ((_PARTS, whole), (_REQUEST, below)):
        for name, kind in parts.items():
            if not isinstance(held.get(name), kind) or (kind is int and isinstance(held[name], bool)):
                missing = f"without a right {name}" if isinstance(found, dict) else "no mapping"
                hint = "the file is damaged; the records beside it are whole"
                raise ValidationError(str(path), missing, "the definition of a sweep", hint)
    for index, point in enumerate(whole["points"]):
        if not isinstance(point, dict) or not isinstance(point.get("values"), dict):
            raise ValidationError(f"{path}: point {index}", "damaged", "a mapping of values")
