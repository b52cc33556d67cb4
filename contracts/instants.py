"""Instants as PostgreSQL writes them, turned into numbers that can be compared."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

FOREVER = 2**62  # beyond every instant that PostgreSQL can hold
_EPOCH_2000_US = 946_684_800_000_000
_DAYS_400_YEARS = 146_097
_ZONE = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)$")
_INSTANT = re.compile(
    r"(?P<year>\d{4,6})-(?P<month>\d\d)-(?P<day>\d\d)[ T]"
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<fraction>\.\d{1,9})?"
    r"(?:Z|(?P<sign>[+-])(?P<off_h>\d\d)(?::?(?P<off_m>\d\d))?)?(?P<bc> BC)?",
    re.ASCII,
)


def milliseconds(texts: pa.Array | pa.ChunkedArray) -> Any:
    """Return the instants as milliseconds since 1970 in UTC, rounded as PostgreSQL rounds to `timestamp(3)`.

    Args:
        texts: Strings without NULL, such as `2025-09-18 01:02:03.123456+00` or `infinity`; without a zone they are UTC.

    Returns:
        A NumPy array of 64-bit integers; infinities are `FOREVER` and its negative.

    Raises:
        ValueError: A text is no instant.
    """
    import numpy as np
    import pyarrow as pa

    zoned = len(texts) > 0 and _ZONE.search(texts[0].as_py()) is not None
    try:
        stamps = texts.cast(pa.timestamp("us", "UTC" if zoned else None))
    except pa.ArrowInvalid:  # an infinity, a year before 1 or after 9999, two ways of writing in one column
        return np.array([_one(text) for text in texts.to_pylist()], dtype=np.int64)
    since_2000 = np.asarray(stamps.cast(pa.int64())) - _EPOCH_2000_US
    return np.sign(since_2000) * ((np.abs(since_2000) + 500) // 1000) + _EPOCH_2000_US // 1000


def _one(text: str) -> int:
    if text in {"infinity", "-infinity"}:
        return -FOREVER if text.startswith("-") else FOREVER
    found = _INSTANT.fullmatch(text)
    if found is None:
        msg = "a text is no instant"
        raise ValueError(msg)
    part = found.groupdict()
    year = 1 - int(part["year"]) if part["bc"] else int(part["year"])
    cycles, year_in_cycle = divmod(year - 2000, 400)
    month, day, hour, minute, second = (int(part[name]) for name in ("month", "day", "hour", "minute", "second"))
    base = datetime(2000 + year_in_cycle, month, day, hour, minute, second, tzinfo=UTC)
    seconds = (base - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() + cycles * _DAYS_400_YEARS * 86_400
    offset = int(f"{part['sign'] or '+'}1") * (int(part["off_h"] or 0) * 3600 + int(part["off_m"] or 0) * 60)
    exact = (Fraction(int(seconds) - offset) + Fraction(f"0{part['fraction'] or ''}")) * 1000
    away_from_2000 = int(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    return away_from_2000 + _EPOCH_2000_US // 1000
