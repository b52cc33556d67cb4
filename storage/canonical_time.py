"""The canonical forms of instants: to the millisecond and to the microsecond, to be compared and to be hashed."""

from __future__ import annotations

import re

from contracts.instants import MILLISECOND, UNIX_2000_MS, microseconds, milliseconds, parts, timestamp_text

_PLAIN_MS = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{0,2}[1-9])?)(?:\+00)?", re.ASCII)
_PLAIN_US = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{0,5}[1-9])?)(?:\+00)?", re.ASCII)
"""Most instants, which both servers already write as they are hashed."""


def canonical(text: str) -> str:
    """Bring an instant to its canonical form, such as `2026-01-01T00:00:00.123Z` or `0044-03-15T00:00:00.000Z BC`.

    Raises:
        ValueError: It is no instant in PostgreSQL's ISO style.
    """
    instant = microseconds(text)
    return text if instant is None else _written(milliseconds(instant))


def canonical_microseconds(text: str) -> str:
    """Bring an instant to its canonical form to the microsecond, such as `2026-01-01T00:00:00.123456Z`.

    Raises:
        ValueError: It is no instant in PostgreSQL's ISO style.
    """
    instant = microseconds(text)
    if instant is None:
        return text
    date, clock, fraction, era = parts(instant)
    return f"{date}T{clock}.{fraction:06}Z{era}"


def milliseconds_text(text: str) -> str:
    """Write an instant as PostgreSQL writes `timestamp(3)` in UTC, such as `2026-01-01 00:00:00.12`.

    Raises:
        ValueError: It is no instant in PostgreSQL's ISO style.
    """
    if plain := _PLAIN_MS.fullmatch(text):
        return plain[1]
    instant = microseconds(text)
    return text if instant is None else timestamp_text(milliseconds(instant) * MILLISECOND)


def microseconds_text(text: str) -> str:
    """Write an instant as PostgreSQL writes `timestamp` in UTC, such as `2026-01-01 00:00:00.123456`.

    Raises:
        ValueError: It is no instant in PostgreSQL's ISO style.
    """
    if plain := _PLAIN_US.fullmatch(text):
        return plain[1]
    instant = microseconds(text)
    return text if instant is None else timestamp_text(instant)


def from_unix_milliseconds(unix_ms: int) -> str:
    """Write milliseconds since 1970-01-01 in UTC as a canonical instant."""
    return _written(unix_ms - UNIX_2000_MS)


def _written(instant_ms: int) -> str:
    date, clock, fraction, era = parts(instant_ms * MILLISECOND)
    return f"{date}T{clock}.{fraction // MILLISECOND:03}Z{era}"
