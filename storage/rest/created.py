"""Which instants lie in a stretch of milliseconds: what PostgreSQL rounds to it, said as two bounds."""

from __future__ import annotations

from contracts.instants import MILLISECOND, UNIX_2000_MS, timestamp_text
from storage.rest.filters import between

HALF = MILLISECOND // 2


def created_between(name: str, low_ms: int, high_ms: int) -> str:
    """Write the condition that an instant lies between two milliseconds since 1970 in UTC, both included.

    An instant counts as the millisecond to which it is rounded, however exactly the column holds it.

    Args:
        name: What the column is called in the store.
        low_ms: First millisecond.
        high_ms: Last millisecond.
    """
    first, last = first_microsecond(low_ms - UNIX_2000_MS), last_microsecond(high_ms - UNIX_2000_MS)
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
