"""The flag by which XLA takes its older emitters of machine code, where this jaxlib still has it."""

import importlib.util
import mmap
from pathlib import Path

_FLAG = "xla_cpu_use_fusion_emitters"


def older() -> str:
    """The flag, or nothing where jaxlib does not know it: XLA ends the process at a flag that it does not know."""
    home = Path(importlib.util.find_spec("jaxlib").origin).parent
    library = max((path for path in home.iterdir() if path.is_file()), key=lambda path: path.stat().st_size)
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return f"--{_FLAG}=false" if content.find(_FLAG.encode()) >= 0 else ""
