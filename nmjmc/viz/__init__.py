"""Figures; the only folder that knows matplotlib."""

from __future__ import annotations

import os
import sys


def _import() -> None:
    """Import matplotlib whatever `MPLBACKEND` says: a notebook's own, inherited by a shell, may not be here.

    Our figures are drawn into files and need no backend.
    """
    chosen = os.environ.get("MPLBACKEND")
    try:
        import matplotlib
    except ValueError:
        if chosen is None:
            raise
        del os.environ["MPLBACKEND"]
        for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
            del sys.modules[name]
        try:
            import matplotlib  # noqa: F401
        finally:
            os.environ["MPLBACKEND"] = chosen


_import()
