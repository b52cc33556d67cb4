"""How the key space is cut into ranges: half-open, with an open head and an open tail, so that no key is outside."""

from __future__ import annotations

import bisect

RANGES = 256
BOUNDS = tuple(f"{i:02x}" for i in range(1, RANGES))
"""First key of every range but the open head, in C order. Keys are UUIDs: their first two digits decide."""


def range_of(key: str) -> int:
    """Return the number of the range that holds `key`, from 0."""
    return bisect.bisect_right(BOUNDS, key)


def limits(number: int) -> tuple[str | None, str | None]:
    """Return the first key of a range and the first key after it; None at the open ends."""
    low = BOUNDS[number - 1] if number > 0 else None
    high = BOUNDS[number] if number < len(BOUNDS) else None
    return low, high
