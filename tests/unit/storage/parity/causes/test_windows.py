"""Write windows: what is in one is proven by counts, and few of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.vocabulary import Cause, StoreName
from storage.parity.causes import Window, explain_window, find_windows
from storage.parity.causes.windows import DENSE_MS, MIN_KEYS, Search

MINUTE = 60_000


class Table:
    """Moments at which rows of a store were created; counts the queries that it answers."""

    def __init__(self, missing: list[int], present: list[int]) -> None:
        self.moments = sorted([*missing, *present])
        self.present = sorted(present)
        self.missing = {f"{at:04}": moment for at, moment in enumerate(missing)}
        self.queries = 0

    def between(self, low: int, high: int) -> int:
        """Count the rows from `low` to `high`, both included."""
        self.queries += 1
        return bisect_right(self.moments, high) - bisect_left(self.moments, low)

    def windows(self, **options: int) -> list[Window]:
        """Find the windows."""
        return self.search(**options).windows

    def search(self, **options: int) -> Search:
        """Search for windows."""
        return find_windows(self.missing, self.between, **options)


def every(minutes: int, count: int, start: int = 0) -> list[int]:
    """Return moments so many minutes apart."""
    return [start + at * minutes * MINUTE for at in range(count)]


def test_one_query_settles_a_window() -> None:
    """A dozen rows within three quarters of an hour and none beside them: one window, one query."""
    table = Table(every(4, 12), [-1, 44 * MINUTE + 1])
    assert table.windows() == [Window(low_ms=0, high_ms=44 * MINUTE, keys=tuple(sorted(table.missing)))]
    assert table.queries == 1


@pytest.mark.parametrize(
    ("missing", "present"),
    [
        (every(4, 9), []),  # one fewer than make a window
        (every(7, 10), []),  # over more than an hour
        ([*every(4, 6), *every(4, 6, 28 * MINUTE)], [26 * MINUTE]),  # a survivor in their midst
        (every(4, 10), [36 * MINUTE]),  # a survivor of the same moment as the last
        ([0] * 10, [0]),
        ([], []),
    ],
)
def test_what_is_no_window(missing: list[int], present: list[int]) -> None:
    """Too few, too long, or not all: no window."""
    assert Table(missing, present).windows() == []


def test_rows_of_one_moment() -> None:
    """Ten rows of one moment are a window of no length."""
    (window,) = Table([5] * 10, [4, 6]).windows()
    assert (window.low_ms, window.high_ms, len(window.keys)) == (5, 5, 10)


def test_a_window_ends_at_a_present_row() -> None:
    """Present rows before and after bound the window; what lies beyond is not in it."""
    missing = [0, *every(1, 15, 10 * MINUTE), 30 * MINUTE, 31 * MINUTE]
    table = Table(missing, [5 * MINUTE, 27 * MINUTE])
    (window,) = table.windows()
    assert (window.low_ms, window.high_ms) == (10 * MINUTE, 24 * MINUTE)
    assert table.queries < 15


def test_a_long_outage_is_one_window() -> None:
    """It reaches over hours and nights without many rows, on both ends and within, up to rows that both sides hold."""
    night, day, evening = every(60, 6), every(5, 20, 6 * 60 * MINUTE), every(30, 8, 8 * 60 * MINUTE)
    again = every(1, 300, 24 * 60 * MINUTE)
    table = Table([*night, *day, *evening, *again, 90 * 60 * MINUTE], [-1, 89 * 60 * MINUTE])
    (window,) = table.windows()
    assert (window.low_ms, window.high_ms, len(window.keys)) == (0, again[-1], 334)
    assert table.queries < 25


def test_two_outages_are_two_windows() -> None:
    """A row that both sides hold parts them, and what lies between belongs to the one that it is not parted from."""
    first, between, second = every(1, 20), every(90, 4, 100 * MINUTE), every(1, 20, 10 * 60 * MINUTE)
    table = Table([*first, *between, *second], [200 * MINUTE])
    assert [len(window.keys) for window in table.windows()] == [22, 22]


def test_scattered_rows_cost_no_query() -> None:
    """A thousand rows that are nowhere ten to the hour are not asked about."""
    table = Table(every(7, 1000), [])
    assert table.windows() == []
    assert table.queries == 0


def test_queries_are_bounded() -> None:
    """Where present and missing rows alternate, the search gives up; what it found until then stays."""
    table = Table([*every(1, 20), *every(2, 5000, 10**8)], every(2, 5000, 10**8 + MINUTE))
    windows, ended = table.search(max_queries=50)
    assert (len(windows), ended, table.queries) == (1, False, 50)
    assert Table(every(1, 20), [8 * MINUTE + 1]).search(max_queries=1) == ([], False)
    assert Table(every(7, 20), [8 * MINUTE + 1]).search(max_queries=0) == ([], True)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.integers(0, 150), max_size=80),
    st.lists(st.integers(0, 150), max_size=12),
    st.sampled_from([MINUTE, 1]),
)
def test_windows_are_what_they_say(missing: list[int], present: list[int], unit: int) -> None:
    """Windows hold enough rows, all rows of their interval, no row twice, and end only where they must."""
    table = Table([moment * unit for moment in missing], [moment * unit for moment in present])
    windows = table.windows(max_queries=10_000)
    for window in windows:
        assert len(window.keys) >= MIN_KEYS
        moments = sorted(table.missing[key] for key in window.keys)
        assert any(high - low <= DENSE_MS for low, high in zip(moments, moments[MIN_KEYS - 1 :], strict=False))
        assert table.between(window.low_ms, window.high_ms) == len(window.keys)
        assert {table.missing[key] for key in window.keys} >= {window.low_ms, window.high_ms}
    assert all(one.high_ms < other.low_ms for one, other in pairwise(windows))
    taken = {key for window in windows for key in window.keys}
    rest = sorted(moment for key, moment in table.missing.items() if key not in taken)
    for low, high in zip(rest, rest[MIN_KEYS - 1 :], strict=False):
        inside = table.between(low, high) - sum(low <= moment <= high for moment in rest)
        assert high - low > DENSE_MS or inside > 0
    for moment in rest:
        for window in windows:
            low, high = min(moment, window.high_ms), max(moment, window.low_ms)
            assert table.between(low, high) > sum(low <= at <= high for at in table.missing.values()), (
                "it reaches further"
            )


def test_a_window_is_explained_by_its_moments() -> None:
    """All keys of a window share one explanation, which names the store that lacks the rows."""
    window = Window(low_ms=1_772_359_200_123, high_ms=1_772_359_260_000, keys=("a",))
    explanation = explain_window(window, StoreName.SUPABASE)
    assert (explanation.cause, explanation.store) == (Cause.WRITE_WINDOW, StoreName.SUPABASE)
    assert explanation.detail == (
        "created from 2026-03-01T10:00:00.123Z to 2026-03-01T10:01:00.000Z is missing on supabase"
    )
