"""What is asked of a sweep beside what is swept: how its points are drawn, kept and run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nmjmc.errors import ValidationError
from nmjmc.request import Request, choice, flag, other, whole
from nmjmc.seeds import SEEDS
from nmjmc.sweeps.design import MOST_POINTS, SAMPLERS

SEEDINGS = ("distinct", "common")
DIRECTIONS = ("minimize", "maximize")
_OF_A_STUDY = ("objective", "target", "direction")


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValidationError(field, repr(value), "a word")
    return value.strip()


def _resume(value: Any, field: str) -> bool | str:
    return value if isinstance(value, bool) else _text(value, field)


@dataclass(frozen=True)
class SweepRequest(Request):
    """The options of `nmjmc sweep`; each is a word `FIELD=VALUE` of the command."""

    sampler: str = choice("auto", "how the points are drawn; auto: grid, or sobol for intervals",
                          ("auto", *SAMPLERS))  # fmt: skip
    points: int = whole(64, "of a drawn design, or trials of a study", 1, MOST_POINTS)
    sampler_seed: int = whole(0, "seed of the drawing", 0, SEEDS - 1)
    table: str | None = other(
        None, "CSV file of points, whose first line names the keys", _text, optional=True
    )
    seeds: str = choice("distinct", "a seed for each point, from `seed` and its number; common: the same for all",
                        SEEDINGS)  # fmt: skip
    results: bool = flag(True, "keep the whole result of each point, not its summary alone")
    together: int = whole(32, "points that a process claims at a time", 1, 4096, idle=True)
    stop_on_failure: bool = flag(
        False, "end with the first point that fails; else it is recorded and the others go on", idle=True
    )
    resume: bool | str = other(
        False, "true runs failed points once more; a folder goes on with the sweep there", _resume, idle=True
    )
    folder: str | None = other(
        None, "where it stands; by default outputs/sweep-NAME-HASH", _text, optional=True, idle=True
    )
    workers: int = whole(1, "processes on one folder, started by hydra/launcher=NAME", 1, 4096, idle=True)
    detach: bool = flag(False, "return as soon as the workers are submitted to Slurm", idle=True)
    objective: str | None = other(None, "feature that sampler=optuna brings near to the target", _text,
                                  optional=True)  # fmt: skip
    target: str | None = other(None, "its value with the unit", _text, optional=True)
    direction: str | None = choice(None, "without a target", DIRECTIONS, optional=True)

    def check(self) -> None:
        """Refuse options that do not fit together.

        Raises:
            ValidationError: Naming one of them.
        """
        if self.objective is not None and self.sampler not in ("auto", "optuna"):
            raise ValidationError("objective", "given", f"left out for sampler={self.sampler}")
        is_study = self.sampler == "optuna" or self.objective is not None
        for name in _OF_A_STUDY:
            if not is_study and getattr(self, name) is not None:
                raise ValidationError(name, repr(getattr(self, name)), "left out without sampler=optuna")
        if self.target is not None and self.direction is not None:
            raise ValidationError("direction", self.direction, "left out where there is a target")
        if self.table is not None and self.sampler not in ("auto", "list"):
            raise ValidationError("sampler", repr(self.sampler), "left out where there is a table")

    def sampler_for(self, has_interval: bool) -> str:
        """The sampler that `auto` stands for.

        Args:
            has_interval: Whether one of the axes is an interval.
        """
        if self.table is not None:
            return "list"
        if self.sampler != "auto":
            return self.sampler
        if self.objective is not None:
            return "optuna"
        return "sobol" if has_interval else "grid"
