"""Instants: read, rounded as PostgreSQL rounds, written in one form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.instants import unix_milliseconds
from storage.canonical_time import canonical, from_unix_milliseconds

moments = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants them naive


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01 00:00:00.123", "2026-01-01T00:00:00.123Z"),
        ("2026-01-01 00:00:00.123456+00", "2026-01-01T00:00:00.123Z"),
        ("2026-01-01T00:00:00.1235+00:00", "2026-01-01T00:00:00.124Z"),
        ("2026-01-01 00:00:00.1245+00", "2026-01-01T00:00:00.125Z"),
        ("2026-01-01 00:00:00.123499", "2026-01-01T00:00:00.123Z"),
        ("2026-12-31 23:59:59.9995", "2027-01-01T00:00:00.000Z"),
        ("2026-12-31 23:59:59.999499", "2026-12-31T23:59:59.999Z"),
        ("1999-12-31 23:59:59.9995", "1999-12-31T23:59:59.999Z"),
        ("1999-12-31 23:59:59.999501", "2000-01-01T00:00:00.000Z"),
        ("1969-12-31 23:59:59.9985", "1969-12-31T23:59:59.998Z"),
        ("0001-01-01 00:00:00", "0001-01-01T00:00:00.000Z"),
        ("0001-12-31 23:59:59.9996+00 BC", "0001-01-01T00:00:00.000Z"),
        ("0044-03-15 00:00:00.0005 BC", "0044-03-15T00:00:00.000Z BC"),
        ("4714-11-24 00:00:00+00 BC", "4714-11-24T00:00:00.000Z BC"),
        ("12345-01-01 00:00:00.0005+00", "12345-01-01T00:00:00.001Z"),
        ("294276-12-31 23:59:59.999999+00", "294277-01-01T00:00:00.000Z"),
        ("2024-02-29 12:00:00+09", "2024-02-29T03:00:00.000Z"),
        ("2026-01-01 00:00:00-05:30", "2026-01-01T05:30:00.000Z"),
        ("1890-01-01 00:00:00+08:27:52", "1889-12-31T15:32:08.000Z"),
        ("infinity", "infinity"),
        ("-infinity", "-infinity"),
    ],
)
def test_canonical(text: str, expected: str) -> None:
    """Each is what PostgreSQL 16 and 18 give for `timestamp(3)`, and is its own canonical form."""
    assert canonical(text) == expected
    assert canonical(expected) == expected


@settings(deadline=None)
@given(moments, st.integers(-14 * 4, 14 * 4))
def test_the_zone_in_which_it_is_written_does_not_count(moment: datetime, quarters: int) -> None:
    """The same instant in another zone has the same canonical form."""
    minutes = abs(quarters) * 15
    local = (moment + timedelta(minutes=15 * quarters)).replace(tzinfo=None)
    zone = f"{'-' if quarters < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
    if local.year >= 1:
        assert canonical(f"{local}{zone}") == canonical(str(moment))


@settings(deadline=None)
@given(st.integers(-(2**47), 9_224_318_015_999_999))
def test_writing_and_reading_are_reverse(unix_ms: int) -> None:
    """Every millisecond of PostgreSQL's range is written and read back as itself."""
    text = from_unix_milliseconds(unix_ms)
    assert unix_milliseconds(text) == unix_ms
    assert canonical(text) == text
