"""Seeds of all randomness."""

from __future__ import annotations

import secrets

SEEDS = 2**63  # what a file's attribute holds


def draw_seed() -> int:
    """A seed from the operating system's randomness, to be recorded."""
    return secrets.randbelow(2**32)  # short enough for a folder's name
