"""What a fit is asked for: the settings of `nmjmc.fit` and of `nmjmc fit`, each told once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, no_type_check

from nmjmc.errors import ValidationError, nearest
from nmjmc.fitting.datasets.options import flattened
from nmjmc.fitting.estimators import ESTIMATORS, FEWEST_QUANTA, MOST_QUANTA
from nmjmc.fitting.optimise import OPTIMISERS
from nmjmc.fitting.parameters import OPTIONS
from nmjmc.fitting.posterior import FEWEST
from nmjmc.fitting.quanta import COARSE, GRID
from nmjmc.meanfield import Grid
from nmjmc.numbers import whole_number
from nmjmc.request import Request, choice, flag, other, progress_field, quantity, whole
from nmjmc.seeds import SEEDS

GRIDS = {"coarse": COARSE, "standard": GRID, "fine": Grid()}
"""Resolutions of the mean field by name."""

MOST = 100_000
"""Steps, or resampled data sets, at most; a choice."""

MOST_DRAWS = 10_000_000
"""From a posterior at most; a choice."""

RUN = ("seed", "device", "cache", "progress", "resume")
"""Settings that stand beside those of the fit in a config, as for every command."""


def read_free(given: Any, field: str) -> dict[str, dict[str, Any]]:
    """Options of each free parameter by path, from one path, a list, or a mapping nested or flat.

    Raises:
        ValidationError: If it is none of these.
    """
    if given is None:
        return {}
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Sequence) and all(isinstance(path, str) for path in given):
        return {path: {} for path in given}
    if not isinstance(given, Mapping):
        hint = "for example fit.free=[receptor.closing_rate,vesicle.content_mean]"
        raise ValidationError(field, repr(given), "a list of paths", hint)
    options: dict[str, dict[str, Any]] = {}
    _collect(given, "", options, field)
    return options


def _collect(node: Mapping[str, Any], prefix: str, options: dict[str, dict[str, Any]], field: str) -> None:
    for key, value in node.items():
        path = f"{prefix}{key}"
        is_option = key in OPTIONS or (prefix.count(".") > 1 and value is not None)
        if prefix and is_option and not isinstance(value, Mapping):
            options.setdefault(prefix[:-1], {})[key] = value
        elif value is None or value == {}:
            options.setdefault(path, {})
        elif isinstance(value, Mapping):
            _collect(value, f"{path}.", options, field)
        else:
            hint = f"did you mean {field}.{path}.start?"
            raise ValidationError(f"{field}.{path}", repr(value), "a parameter with options", hint)


def _read_fixed(given: Any, field: str) -> dict[str, Any]:
    if not isinstance(given, Mapping | None):
        hint = f"as in {field}.recording.gain=VALUE"
        raise ValidationError(field, repr(given), "set by its keys", hint)
    return flattened(given or {})


def _read_profiles(given: Any, field: str) -> list[str] | str:
    if isinstance(given, str):
        return given if given == "all" else [given]
    if not isinstance(given, Sequence) or not all(isinstance(name, str) for name in given):
        raise ValidationError(field, repr(given), "a list of parameters, or all")
    return list(given)


def _number_or_none(least: int, most: int, what: str) -> Any:
    """A whole number from some number on, or 0 for none."""

    def read(value: Any, field: str) -> int:
        number = whole_number(value, field, 0, most)
        if 0 < number < least:
            raise ValidationError(field, number, f"{least} or more {what}, or 0 for none")
        return number

    return read


def _read_grid(given: Any, field: str) -> str | dict[str, Any]:
    """The name of a resolution, or the fields of one of a user's own."""
    if isinstance(given, Mapping):
        known = [item.name for item in dataclasses.fields(Grid)]
        for key in given:
            if key not in known:
                raise ValidationError(f"{field}.{key}", "unknown", "a known key", nearest(str(key), known))
        given = Grid(**given)
    if isinstance(given, Grid):
        same = [name for name, grid in GRIDS.items() if grid == given]
        return same[0] if same else dataclasses.asdict(given)
    if str(given) not in GRIDS:
        raise ValidationError(field, repr(given), "coarse, standard or fine", nearest(str(given), GRIDS))
    return str(given)


@no_type_check  # a request is given whatever a user writes, and checks it; its fields then have their types
@dataclass(frozen=True)
class FitRequest(Request):
    """The settings of a fit.

    Attributes:
        free: Options of each free parameter by its path: `low`, `high`, `start`, and a prior (see `free_parameters`).
        fixed: Known parameters of release and recording, for example `{"recording.gain": "0.25 MOhm"}`.
        estimator: How predictions and their gradient are made; `auto` goes down the mean field where it solves the
            synapse, and on to `corrected` where the errors are as small as its bias.
        vesicles: Quanta that the kernel simulates for each condition.
        optimiser: How the loss is gone down.
        steps: At most.
        tolerance: Decrease of the loss that is not worth a step.
        level: Of the intervals.
        profiles: Parameters whose profile likelihood is computed, or `all`.
        bootstrap: Resampled data sets.
        posterior: Draws from the posterior.
        grid: Resolution of the mean field: a name, or the fields of a `nmjmc.meanfield.Grid`.
        seed: Of all randomness.
        device: Where it runs.
        cache: Whether compiled programs are kept.
        progress: Whether the steps are drawn.
        resume: Whether to go on with what lies in the folder.
    """

    PREFIX: ClassVar[str] = "fit"

    free: dict[str, dict[str, Any]] = other(
        {}, "paths, or a mapping from path to low, high, start, and median and factor (or mean and sd)", read_free
    )  # fmt: skip
    fixed: dict[str, Any] = other(
        {}, 'what is known of release and recording, for example fit.fixed.recording.gain="0.1 MOhm"', _read_fixed
    )  # fmt: skip
    estimator: str = choice(
        "auto", "auto, mean_field, corrected, common_random_numbers or score_function", ("auto", *ESTIMATORS)
    )
    vesicles: int = whole(
        512,
        "that the kernel simulates for each condition, where the estimator uses it",
        FEWEST_QUANTA,
        MOST_QUANTA,
    )
    optimiser: str = choice("natural", "natural, adam or sgd", tuple(OPTIMISERS))
    steps: int = whole(60, "at most", 1, MOST)
    tolerance: float = quantity(0.001, "decrease of the loss that is not worth a step", above=0)
    level: float = quantity(0.95, "of the intervals", above=0, below=1, hint="write 0.95 for 95 %")
    profiles: list[str] | str = other(
        [], "parameters whose profile likelihood is computed, or all", _read_profiles
    )
    bootstrap: int = other(
        100, "resampled data sets, 0 for none", _number_or_none(2, MOST, "resampled data sets")
    )
    posterior: int = other(
        0,
        f"draws from the posterior, {FEWEST} or more, for example 1000; needs  pip install blackjax",
        _number_or_none(FEWEST, MOST_DRAWS, "draws"),
    )
    grid: str | dict[str, Any] = other("standard", "of the mean field: coarse, standard or fine", _read_grid)
    seed: int = whole(0, "of the bootstrap, the sampler and the kernel", 0, SEEDS - 1, idle=True)
    device: str = choice(
        "auto", "auto, cpu or gpu; a missing GPU is refused", ("auto", "cpu", "gpu"), idle=True
    )
    cache: bool = flag(True, "keep compiled programs between runs", idle=True)
    progress: bool | str = progress_field()
    resume: bool = flag(False, "true goes on with a fit that was cut short, to the same bits", idle=True)

    @classmethod
    def path(cls, name: str) -> str:
        """The name of a setting as a command has it: `fit.steps`, and `seed`."""
        return name if name in RUN else f"{cls.PREFIX}.{name}"

    @property
    def resolution(self) -> Grid:
        """The grid of the mean field."""
        return GRIDS[self.grid] if isinstance(self.grid, str) else Grid(**self.grid)

    def section(self) -> dict[str, Any]:
        """What stands below `fit` in a config."""
        return self.plain(RUN)
