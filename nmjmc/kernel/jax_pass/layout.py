"""How the batches of a kind of points are laid out: few layouts, because the programs are compiled for each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from nmjmc.kernel.jax_pass.lists import Lists

_MOST_KINDS = 32  # whose layouts are remembered
_SITES = 4.0  # vacant sites cost memory only, so that four times as many may stand (a choice)
_CONTENT = 2.0  # a longer pool is longer to look through (a choice)


@dataclass(frozen=True)
class Room:
    """Room for points that are still to come, so that they need no programs of their own.

    Attributes:
        sites: most sites of a patch.
        content: largest mean and CV of a vesicle's content.
    """

    sites: int
    content: tuple[float, float]

    def fitted(self, sites: int, content: tuple[float, float]) -> tuple[int, tuple[float, float]]:
        """The room that points of this size take: all of it, or a part where it would be much too large."""
        mean, cv = content
        return (
            int(_part(self.sites, sites, _SITES)),
            (_part(self.content[0], mean, _CONTENT), max(cv, self.content[1])),
        )


def _part(most: float, needed: float, ratio: float) -> float:
    """`most` over the highest power of `ratio` that leaves `needed`; `needed` itself if it is more."""
    while most / ratio >= needed and most / ratio >= 1:
        most /= ratio
    return max(most, needed)


@dataclass(frozen=True)
class Layout:
    """Batches that have the same programs.

    Attributes:
        slots: parameter sets of a batch.
        size: patches of a batch.
        most: patches of a point, of which a batch may hold a part.
        sites: sites of a patch.
        content: largest mean and CV of a vesicle's content.
        lists: lengths of the lists of due entries.
    """

    slots: int
    size: int
    most: int
    sites: int
    content: tuple[float, float]
    lists: Lists = field(default_factory=Lists, compare=False)

    def serves(self, wanted: Layout) -> bool:
        """Whether points that want another layout can do with this one."""
        if wanted.slots > self.slots or not wanted.sites <= self.sites <= _SITES * wanted.sites:
            return False
        mean, cv = wanted.content
        if not (mean <= self.content[0] <= _CONTENT * mean and cv <= self.content[1]):
            return False
        if self.slots == 1:
            return self.size == wanted.size
        return wanted.size <= self.size and wanted.most <= self.most <= _CONTENT * wanted.most


_LOCK = threading.Lock()
_KNOWN: OrderedDict[Any, list[Layout]] = OrderedDict()


def known_or_new(kind: Any, wanted: Layout) -> Layout:
    """A layout of this process that serves, else the wanted one, which is remembered.

    Args:
        kind: what the points have in common but for their numbers.
        wanted: the layout that fits them best.
    """
    with _LOCK:
        layouts = _KNOWN.setdefault(kind, [])
        _KNOWN.move_to_end(kind)
        while len(_KNOWN) > _MOST_KINDS:
            _KNOWN.popitem(last=False)
        found = next((layout for layout in layouts if layout.serves(wanted)), None)
        if found is None:
            layouts.append(wanted)
        return found or wanted
