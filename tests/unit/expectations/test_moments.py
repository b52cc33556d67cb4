"""Instants and dates as texts: written as PostgreSQL writes them, and ordered by time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import cmp_to_key

import pytest

from expectations.moments import compare, written

IN_ORDER = [
    "-infinity",
    "4714-11-24 00:00:00 BC",
    "0044-03-15 00:00:00 BC",
    "0044-03-15 00:00:00.5 BC",
    "0001-12-31 23:59:59 BC",
    "0001-01-01 00:00:00",
    "1969-12-31 23:59:59.999",
    "2026-03-01 12:00:00",
    "2026-03-01 12:00:00.001",
    "2026-03-01 12:00:00.01",
    "9999-12-31 23:59:59.999999",
    "10000-01-01 00:00:00",
    "294276-12-31 23:59:59.999999",
    "infinity",
]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01 12:00:00"),
        (datetime(2026, 3, 1, 12, 0, 0, 120_000, UTC), "2026-03-01 12:00:00.12"),
        (datetime(2026, 3, 1, 12, 0, 0, 1, UTC), "2026-03-01 12:00:00.000001"),
        (datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2))), "2026-02-28 23:00:00"),
        (datetime(44, 3, 15, tzinfo=UTC), "0044-03-15 00:00:00"),
        (date(2026, 3, 1), "2026-03-01"),
    ],
)
def test_a_moment_is_written_as_the_server_does(moment: date, text: str) -> None:
    """In UTC, without a zone, and without zeros at the end of a second."""
    assert written(moment) == text


def test_moments_are_ordered_by_time() -> None:
    """Years before Christ, beyond 9999 and the infinities are in their places."""
    assert sorted(sorted(IN_ORDER), key=cmp_to_key(compare)) == IN_ORDER
    assert all(compare(text, text) == 0 for text in IN_ORDER)


def test_dates_are_ordered_by_time() -> None:
    """Dates are ordered like instants."""
    days = ["0044-03-15 BC", "0001-01-01", "2026-03-01", "12026-03-01", "infinity"]
    assert sorted(sorted(days), key=cmp_to_key(compare)) == days


@pytest.mark.parametrize("text", ["", "yesterday", "C", "2026"])
def test_what_is_no_moment_is_later_than_every_year(text: str) -> None:
    """A text that cannot be placed is found as a moment in the future, and not overlooked."""
    assert compare(text, "294276-12-31 23:59:59.999999") == 1
