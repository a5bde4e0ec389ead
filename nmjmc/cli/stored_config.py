"""What files say, put below the words of the command without ever becoming words: hydra takes it as data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hydra.core.config_store import ConfigStore

GROUP = "given"
# the configs of bedside tests stand in a folder, and look for groups below it
_PLACES = (GROUP, f"bedside/{GROUP}")


def stored(content: Mapping[str, Any], group: str = "") -> str:
    """Give hydra a plain mapping as a config of its own.

    Args:
        content: What the config says; nothing of it is read as a word of hydra's.
        group: The group that it is an option of; by default one that comes after all others.

    Returns:
        The override that puts it in.
    """
    text = json.dumps(content, sort_keys=False, default=str)
    name = f"file_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    for place in (group,) if group else _PLACES:
        ConfigStore.instance().store(group=place, name=name, node=dict(content), package="_global_")
    return f"{group}={name}" if group else f"+{GROUP}={name}"
