"""Instants as PostgreSQL writes and rounds them, over its whole range: before Christ, beyond 9999, infinite.

An instant is a number of microseconds since 2000-01-01 in UTC, PostgreSQL's own zero. Rounding to milliseconds goes
half away from that zero, as `timestamp(3)` does: 2026-01-01 00:00:00.1235 becomes .124, but 1999-12-31 23:59:59.1235
becomes .123 (measured on PostgreSQL 16 and 18).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

INFINITE = frozenset({"infinity", "-infinity"})
FOREVER = 2**62  # beyond every instant that PostgreSQL can hold
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

UNIX_2000_MS = 946_684_800_000
_DAYS_TO_2000 = 730_425  # from 0000-03-01, where the years of this calendar begin: a leap day is a year's last
_DAYS_PER_ERA = 146_097  # 400 years
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ZONE = re.compile(r"(Z|[+-]\d\d(:?\d\d)?)$")
_INSTANT = re.compile(
    r"(\d{4,6})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?"
    r"(?:Z|([+-])(\d\d)(?::?(\d\d)(?::(\d\d))?)?)?( BC)?",
    re.ASCII,
)


def microseconds(text: str) -> int | None:
    """Read an instant; one without a zone is in UTC. None when it is infinite.

    Raises:
        ValueError: It is no instant in PostgreSQL's ISO style.
    """
    if text in INFINITE:
        return None
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError("not an instant")
    fraction, sign, era = match[7], match[8], match[12]
    year, month, day, hour, minute, second = (int(match[n]) for n in range(1, 7))
    if year == 0:
        raise ValueError("not a year")
    if era:
        year = 1 - year  # 1 BC is the year 0, 2 BC the year -1
    days = _days(year, month, day)
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 - a clock
        raise ValueError("not a time of day")
    offset = int(match[9] or 0) * HOUR + int(match[10] or 0) * MINUTE + int(match[11] or 0) * SECOND
    clock = hour * HOUR + minute * MINUTE + second * SECOND + int((fraction or "0").ljust(6, "0"))
    return days * DAY + clock + (offset if sign == "-" else -offset)


def milliseconds(instant: int) -> int:
    """Round microseconds to milliseconds as PostgreSQL's `timestamp(3)` does: half away from 2000-01-01."""
    rounded = (abs(instant) + MILLISECOND // 2) // MILLISECOND
    return rounded if instant >= 0 else -rounded


def unix_milliseconds(text: str) -> int | None:
    """Read an instant as milliseconds since 1970-01-01 in UTC, rounded as `milliseconds` does; None when infinite.

    Raises:
        ValueError: It is no instant in PostgreSQL's ISO style.
    """
    instant = microseconds(text)
    return None if instant is None else milliseconds(instant) + UNIX_2000_MS


def unix_milliseconds_of(texts: pa.Array | pa.ChunkedArray) -> Any:
    """Return a column of instants as `unix_milliseconds` reads each; infinities are `FOREVER` and its negative.

    Args:
        texts: Strings without NULL, such as `2025-09-18 01:02:03.123456+00` or `infinity`; without a zone they are UTC.

    Returns:
        A NumPy array of 64-bit integers.

    Raises:
        ValueError: A text is no instant.
    """
    import numpy as np
    import pyarrow as pa

    zoned = len(texts) > 0 and _ZONE.search(texts[0].as_py()) is not None
    try:
        stamps = texts.cast(pa.timestamp("us", "UTC" if zoned else None))
    except pa.ArrowInvalid:  # an infinity, a year before 1 or after 9999, two ways of writing in one column
        return np.array([ordered(text) for text in texts.to_pylist()], dtype=np.int64)
    since_2000 = np.asarray(stamps.cast(pa.int64())) - UNIX_2000_MS * MILLISECOND
    return np.sign(since_2000) * ((np.abs(since_2000) + MILLISECOND // 2) // MILLISECOND) + UNIX_2000_MS


def ordered(text: str) -> int:
    """Read an instant as `unix_milliseconds` does, so that it can be sorted: infinities are `FOREVER` and its negative.

    Raises:
        ValueError: It is no instant in PostgreSQL's ISO style.
    """
    instant = unix_milliseconds(text)
    if instant is not None:
        return instant
    return -FOREVER if text.startswith("-") else FOREVER


def timestamp_text(instant: int) -> str:
    """Write microseconds since 2000-01-01 in UTC as PostgreSQL writes `timestamp`."""
    date, clock, fraction, era = parts(instant)
    digits = f".{fraction:06}".rstrip("0") if fraction else ""
    return f"{date} {clock}{digits}{era}"


def parts(instant: int) -> tuple[str, str, int, str]:
    """Return date, time of day to the second, microseconds beyond it, and ` BC` or nothing."""
    days, clock = divmod(instant, DAY)
    year, month, day = _date(days)
    era = ""
    if year <= 0:
        year, era = 1 - year, " BC"
    seconds, fraction = divmod(clock, SECOND)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{year:04}-{month:02}-{day:02}", f"{hour:02}:{minute:02}:{second:02}", fraction, era


def _days(year: int, month: int, day: int) -> int:
    """Return the days from 2000-01-01 to a date of the proleptic Gregorian calendar."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1] or (month, day, leap) == (2, 29, False):  # noqa: PLR2004 - a calendar
        raise ValueError("not a date")
    year -= month < 3  # noqa: PLR2004 - years begin in March here
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month - 3) % 12) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * _DAYS_PER_ERA + day_of_era - _DAYS_TO_2000


def _date(days: int) -> tuple[int, int, int]:
    """Return year, month and day of a number of days from 2000-01-01; the reverse of `_days`."""
    era, day_of_era = divmod(days + _DAYS_TO_2000, _DAYS_PER_ERA)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153  # months from March
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = (shifted + 2) % 12 + 1
    return era * 400 + year_of_era + (month <= 2), month, day  # noqa: PLR2004 - January and February end a year here
