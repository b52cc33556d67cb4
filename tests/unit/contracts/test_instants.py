"""Instants as PostgreSQL writes them."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.instants import FOREVER, microseconds, milliseconds, unix_milliseconds, unix_milliseconds_of

ZERO = datetime(2000, 1, 1, tzinfo=UTC)
moments = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants them naive

CASES = [
    ("1970-01-01 00:00:00", 0),
    ("1970-01-01 00:00:00+00", 0),
    ("1970-01-01T00:00:00Z", 0),
    ("1970-01-01 09:00:00+09", 0),
    ("1970-01-01 05:30:00+05:30", 0),
    ("2025-09-18 01:02:03.1234", 1_758_157_323_123),
    ("2025-09-18 01:02:03.1235", 1_758_157_323_124),
    ("1999-12-31 23:59:59.9995", 946_684_799_999),  # away from 2000, as PostgreSQL rounds
    ("0001-01-01 00:00:00", -62_135_596_800_000),
    ("0001-12-31 00:00:00 BC", -62_135_683_200_000),
    ("10000-01-01 00:00:00", 253_402_300_800_000),
    ("294276-12-31 23:59:59.999", 9_224_318_015_999_999),
    ("4713-01-01 00:00:00+00 BC", -210_863_520_000_000),
    ("infinity", FOREVER),
    ("-infinity", -FOREVER),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_an_instant_is_read(text: str, expected: int) -> None:
    """An instant gives the same number alone and in a column with instants that only the slow way can read."""
    assert list(unix_milliseconds_of(pa.array([text]))) == [expected]
    assert list(unix_milliseconds_of(pa.array([text, "infinity"]))) == [expected, FOREVER]


@pytest.mark.parametrize("text", ["", "yesterday", "2025-09-18", "2025-13-01 00:00:00", "2025-09-18 01:02:03 UTC"])
def test_a_column_with_what_is_no_instant_is_refused(text: str) -> None:
    """A text that is no instant raises, so that nothing is concluded from it."""
    with pytest.raises(ValueError):  # noqa: PT011 - by whatever says so
        unix_milliseconds_of(pa.array([text]))


@given(st.datetimes(), st.sampled_from(["", "+00"]))
def test_both_ways_of_reading_agree(moment: object, zone: str) -> None:
    """The fast and the slow way read every instant alike."""
    text = f"{moment}{zone}"
    assert list(unix_milliseconds_of(pa.array([text]))) == list(unix_milliseconds_of(pa.array([text, "infinity"])))[:1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-01",
        "2026-13-01 00:00:00",
        "2026-00-01 00:00:00",
        "2026-02-29 00:00:00",
        "1900-02-29 00:00:00",
        "2026-04-31 00:00:00",
        "2026-01-00 00:00:00",
        "2026-01-01 24:00:00",
        "2026-01-01 00:60:00",
        "2026-01-01 00:00:60",
        "2026-01-01 00:00:00.1234567",
        "0000-01-01 00:00:00",
        "٢٠٢٦-01-01 00:00:00",
        "2026-01-01 00:00:00\n",
        "01/02/2026 00:00:00",
    ],
)
def test_what_postgresql_never_writes_is_refused(text: str) -> None:
    """What PostgreSQL never writes in ISO style is refused."""
    with pytest.raises(ValueError, match="not a"):
        microseconds(text)


@settings(deadline=None)
@given(moments)
def test_instants_agree_with_the_calendar(moment: datetime) -> None:
    """Reading agrees with the standard library wherever that reaches."""
    assert microseconds(str(moment)) == (moment - ZERO) // timedelta(microseconds=1)


def test_infinite_instants_are_no_number() -> None:
    """An infinite instant has no milliseconds."""
    assert unix_milliseconds("infinity") is None


@settings(deadline=None)
@given(st.integers(-(10**17), 10**17))
def test_rounding_is_to_the_nearest(instant: int) -> None:
    """Rounding moves an instant by at most half a millisecond, exactly half away from 2000-01-01."""
    distance = milliseconds(instant) * 1000 - instant
    assert abs(distance) <= 500
    if abs(distance) == 500:
        assert (distance > 0) is (instant > 0)
