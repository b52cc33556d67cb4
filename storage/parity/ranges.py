"""How the key space is cut into ranges: 256 of them, so that no key is outside and all hold about as many rows.

UUIDs are cut by their first two digits: half-open ranges of keys, with an open head and an open tail. Any other key may
be spread unevenly, and is cut by the first byte of the md5 of its text.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterable

from contracts.dataset import Dataset

RANGES = 256
BOUNDS = tuple(f"{i:02x}" for i in range(1, RANGES))
"""First key of every range of UUIDs but the open head, in C order."""


def range_of(dataset: Dataset, key: str) -> int:
    """Return the number of the range that holds a key text, from 0."""
    return ranges_of(dataset, [key])[0]


def ranges_of(dataset: Dataset, keys: Iterable[str]) -> list[int]:
    """Return the numbers of the ranges that hold these key texts."""
    if dataset.has_uuid_key:
        return [bisect.bisect_right(BOUNDS, key) for key in keys]
    return [hashlib.md5(key.encode(), usedforsecurity=False).digest()[0] for key in keys]


def limits(dataset: Dataset, number: int) -> tuple[str | None, str | None]:
    """Return the first key of a range and the first key after it; None at the open ends.

    Ranges that are cut by md5 are bounded by hexadecimal digits of that hash, written `md5:` and the digits.
    """
    prefix = "" if dataset.has_uuid_key else "md5:"
    low = prefix + BOUNDS[number - 1] if number > 0 else None
    high = prefix + BOUNDS[number] if number < len(BOUNDS) else None
    return low, high
