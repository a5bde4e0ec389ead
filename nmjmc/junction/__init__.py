"""The whole junction; `nmjmc.junction("human")` is one by name."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmjmc.junction.whole import Junction


class _Room(ModuleType):
    """This folder, which can be called: the folder and the function that users call have one name."""

    def __call__(self, name: str = "human", **overrides: Any) -> Junction:
        """A junction by name; see `nmjmc.junction.presets.junction`."""
        from nmjmc.junction.presets import junction

        return junction(name, **overrides)


sys.modules[__name__].__class__ = _Room
