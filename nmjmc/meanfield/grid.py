"""The resolution of the mean field in space and time."""

from __future__ import annotations

import dataclasses

from nmjmc.errors import ValidationError
from nmjmc.numbers import as_count, in_units

LONGEST_STEP = 0.002


@in_units(
    "grid", elements="*", degree="*", apron_elements="*", vertical_degree="*", time_refinement="*", first_element="",
    age="", first_step="ms", growth="", longest_step="ms", duration="ms",
)  # fmt: skip
@dataclasses.dataclass(frozen=True)
class Grid:
    """Resolution. The defaults leave errors below 1e-5 from space and 2e-4 from time on the shipped presets.

    Attributes:
        elements: lateral elements from the centre to the rim; None for 8 on a disc and 5 on a slab.
        degree: polynomial degree in each lateral element.
        apron_elements: further elements over the apron of an open rim.
        vertical_degree: polynomial degree below and above the esterase plane.
        first_element: size of the innermost element as a multiple of the cleft's height.
        age: root-mean-square displacement per axis, as a fraction of the height, at which the march takes
            over from the analytic point source.
        first_step: first time step, ms.
        growth: by what share of the time elapsed a step may be longer than the first.
        longest_step: ms; the error of the lateral splitting grows with its square over the square of the
            time in which free transmitter is captured. None for 0.002 ms, halved as often as needed (at
            most three times) to stay below a sixth of that time where the synapse is concrete.
        duration: time covered, ms; None for the last of the times asked for, which must then be concrete.
        time_refinement: divides every time step.
        own_site: whether each site stands by itself in surroundings of its own, as in the particle kernel (see
            `nmjmc.meanfield.own_site`); False smears the sites over their plane, as partial differential equations do.
    """

    elements: int | None = None
    degree: int = 7
    apron_elements: int = 2
    vertical_degree: int = 5
    first_element: float = 0.8
    age: float = 0.2
    first_step: float = 5e-6
    growth: float = 0.03
    longest_step: float | None = None
    duration: float | None = None
    time_refinement: int = 1
    own_site: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers that no grid can have."""
        least = {"elements": 2, "degree": 2, "apron_elements": 1, "vertical_degree": 2, "time_refinement": 1}
        for name, low in least.items():
            value = as_count(getattr(self, name))
            if name == "elements" and value is None:
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < low:
                raise ValidationError(f"grid.{name}", value, f"a whole number of at least {low}")
            object.__setattr__(self, name, value)
        for name in ("first_element", "age", "first_step", "growth", "longest_step", "duration"):
            value = getattr(self, name)
            if value is not None and not value > 0.0:
                raise ValidationError(f"grid.{name}", value, "positive and finite")
        if self.age > 0.5:
            raise ValidationError(
                "grid.age", self.age, "at most 0.5", "the source must not have met a membrane"
            )

    def finer_in_space(self, factor: int = 2) -> Grid:
        """The same grid with every element's degree multiplied."""
        return dataclasses.replace(
            self, degree=factor * self.degree, vertical_degree=factor * self.vertical_degree
        )
