"""Lengths of the lists of due entries: few, because each is compiled, and close, because every place costs."""

from __future__ import annotations

import math

from nmjmc.kernel.jax_pass.schedule import due_places

FEWEST = 256  # shortest list that steps of fixed length take
MARGIN = 1.05  # of the predicted number of due entries
_LONGEST = (
    1.2  # times the number due in the first pass: the list that most runs start with (a choice, by trial)
)
_RUNG = 1.6  # ratio of successive lengths of the list of due entries
_RUNG_OF_STEPS = 4.0
_PER_PLACE = 128  # most entries of the pool for each place in the list of due ones (a choice)
_NEARLY = 1.7  # a compiled list that is at most so many times too long serves as well
_PARTS = 2  # the ladder stands at one of so many places between two rungs (a choice)


class Lists:
    """The ladder of lengths that the batches of a kind share, and the rungs that are compiled already.

    Attributes:
        origin: one length of the ladder; 0 until the first batch has settled it.
        made: the lengths in use, for each length of the pool.
    """

    def __init__(self) -> None:
        self.origin, self.ratio = 0.0, _RUNG
        self.made: dict[int, set[int]] = {}

    def settle(self, first: float, stepped: bool) -> None:
        """Place the ladder for this number of entries due in the first pass, unless it stands already.

        It stands at one of few places, so that runs with other rates, and workers on one sweep, find programs that are
        compiled already; a list placed for one run alone would be a tenth shorter.
        """
        if self.origin:
            return
        if stepped:
            self.origin, self.ratio = float(FEWEST), _RUNG_OF_STEPS
            return
        parts = math.ceil(_PARTS * math.log(_LONGEST * with_margin(first)) / math.log(_RUNG))
        self.origin = _RUNG ** (parts / _PARTS)

    def fitted(self, pool: int, due: float) -> int:
        """The length for `due` entries of a pool of this length: a compiled one if it is not much too long."""
        # where the pool is long, a list much shorter than it would save little and be one more to compile
        wanted = due_places(max(due, pool / _PER_PLACE), self.origin, self.ratio)
        # a copy, because another lane may add to it meanwhile
        made = tuple(self.made.setdefault(pool, set()))
        return self._use(pool, min((n for n in made if wanted <= n <= _NEARLY * wanted), default=wanted))

    def longer(self, pool: int, places: int) -> int:
        """The next length, for a list that has proved too short."""
        return self._use(pool, due_places(1.5 * places, self.origin, self.ratio))

    def _use(self, pool: int, places: int) -> int:
        self.made.setdefault(pool, set()).add(places)
        return places


def with_margin(due: float) -> float:
    """A predicted number of due entries with room for chance."""
    return MARGIN * due + 4 * math.sqrt(MARGIN * due) + 64
