"""Instants as PostgreSQL writes them."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.instants import FOREVER, milliseconds

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
    assert list(milliseconds(pa.array([text]))) == [expected]
    assert list(milliseconds(pa.array([text, "infinity"]))) == [expected, FOREVER]


@pytest.mark.parametrize("text", ["", "yesterday", "2025-09-18", "2025-13-01 00:00:00", "2025-09-18 01:02:03 UTC"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    """A text that is no instant raises, so that nothing is concluded from it."""
    with pytest.raises(ValueError):  # noqa: PT011 - by whatever says so
        milliseconds(pa.array([text]))


@given(st.datetimes(), st.sampled_from(["", "+00"]))
def test_both_ways_of_reading_agree(moment: object, zone: str) -> None:
    """The fast and the slow way read every instant alike."""
    text = f"{moment}{zone}"
    assert list(milliseconds(pa.array([text]))) == list(milliseconds(pa.array([text, "infinity"])))[:1]
