"""Which instants lie in a stretch of milliseconds: what PostgreSQL rounds to it, said as two bounds."""

from __future__ import annotations

from contracts.dataset import Column, ColumnType
from contracts.instants import MILLISECOND, UNIX_2000_MS, timestamp_text
from storage.rest.filters import between

HALF = MILLISECOND // 2


def created_between(column: Column, name: str, low_ms: int, high_ms: int) -> str:
    """Write the condition that an instant lies between two milliseconds since 1970 in UTC, both included.

    Args:
        column: The column; instants of `TIMESTAMP_MS` count as the milliseconds to which they are rounded.
        name: What it is called in the store.
        low_ms: First millisecond.
        high_ms: Last millisecond.
    """
    low, high = low_ms - UNIX_2000_MS, high_ms - UNIX_2000_MS
    if column.type is ColumnType.TIMESTAMP_MS:
        first, last = first_microsecond(low), last_microsecond(high)
    else:
        first, last = low * MILLISECOND, high * MILLISECOND
    return between(name, _in_utc(first), _in_utc(last))


def first_microsecond(milliseconds: int) -> int:
    """Return the first microsecond, counted from 2000-01-01, that rounds to this millisecond or a later one."""
    exact = milliseconds * MILLISECOND
    return exact - HALF if milliseconds > 0 else exact - HALF + 1


def last_microsecond(milliseconds: int) -> int:
    """Return the last microsecond, counted likewise, that rounds to this millisecond or an earlier one."""
    exact = milliseconds * MILLISECOND
    return exact + HALF if milliseconds < 0 else exact + HALF - 1


def _in_utc(instant: int) -> str:
    """Write an instant with its zone, so that the time zone of the server's session does not matter."""
    text = timestamp_text(instant)
    return f"{text.removesuffix(' BC')}+00{' BC' if text.endswith(' BC') else ''}"
