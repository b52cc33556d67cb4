"""Rows that one store lost together: every row that was created for some time, and none of them arrived.

An outage is recognised by its densest part, at least ten rows of an hour, and reaches as far as the rows that both
stores hold let it: nights at its ends, and hours without many rows in between, belong to it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import NamedTuple

from contracts.verdicts import Explanation
from contracts.vocabulary import Cause, StoreName
from storage.canonical_time import from_unix_milliseconds

MIN_KEYS = 10
DENSE_MS = 3_600_000
MAX_QUERIES = 200

Neighbours = Callable[[int, int], int]
"""Given two moments, both included, how many rows of the holding store were created between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """An interval in which one store took no row that the other took.

    Attributes:
        low_ms: When the first of the rows was created; milliseconds since 1970-01-01 in UTC.
        high_ms: When the last of them was.
        keys: All rows that were created in it, smallest first.
    """

    low_ms: int
    high_ms: int
    keys: tuple[str, ...]


class Search(NamedTuple):
    """What a search came to.

    Attributes:
        windows: The intervals, earliest first.
        ended: False where it was given up: rows in none of the intervals may have been lost together all the same.
    """

    windows: list[Window]
    ended: bool


def find_windows(missing: Mapping[str, int], neighbours: Neighbours, *, max_queries: int = MAX_QUERIES) -> Search:
    """Find the intervals whose rows are all missing on the other side, with at least 10 of them within an hour.

    An interval is as long as it can be: it ends at rows that both sides hold. One query settles an interval without a
    present row; a present row in the way is found by halving. Scattered rows cost no query at all.

    Args:
        missing: Keys that stand on one side only, and when that side says they were created: milliseconds since
            1970-01-01 in UTC, rounded as the canonical record rounds them.
        neighbours: Counts the rows of the side that holds them; one query per call. Moments are to be rounded as they
            are in `missing`.
        max_queries: After so many queries the search is given up.
    """
    return _Search(missing, neighbours, max_queries).run()


def explain_window(window: Window, store: StoreName) -> Explanation:
    """Return the cause of every key of a window.

    Args:
        window: The window.
        store: The store that lacks the rows.
    """
    low, high = from_unix_milliseconds(window.low_ms), from_unix_milliseconds(window.high_ms)
    detail = f"created from {low} to {high} is missing on {store}"
    return Explanation(cause=Cause.WRITE_WINDOW, fields=(), store=store, detail=detail)


class _Search:
    """One search; moments are addressed by their position among the distinct ones."""

    def __init__(self, missing: Mapping[str, int], neighbours: Neighbours, max_queries: int) -> None:
        ordered = sorted(missing.items(), key=lambda item: (item[1], item[0]))
        groups = [(moment, [key for key, _ in rows]) for moment, rows in groupby(ordered, key=lambda item: item[1])]
        self.moments = [moment for moment, _ in groups]
        self.keys = [keys for _, keys in groups]
        self.before = [0, *accumulate(len(keys) for keys in self.keys)]
        self.neighbours = neighbours
        self.queries_left = max_queries
        self.gave_up = False

    def run(self) -> Search:
        """Go through the moments once, from the first to the last."""
        windows: list[Window] = []
        first = free = 0  # from `free` on, moments are in no window yet
        while first < len(self.moments) and not self.gave_up:
            last = bisect_right(self.moments, self.moments[first] + DENSE_MS) - 1
            if self._count(first, last) < MIN_KEYS:
                first += 1
                continue
            dense = self._end(first, last)
            if dense is None:
                first = self._next_start(first)
                continue
            end = dense if dense < last else self._reach(first, last, len(self.moments) - 1)
            start = self._reach(end, first, free)
            windows.append(self._window(start, end))
            first = free = end + 1
        return Search(windows, not self.gave_up)

    def _count(self, first: int, last: int) -> int:
        return self.before[last + 1] - self.before[first]

    def _shortest(self, first: int) -> int:
        """Return the first position with which an interval from `first` holds enough rows."""
        return bisect_right(self.before, self.before[first] + MIN_KEYS - 1) - 1

    def _is_clean(self, first: int, last: int) -> bool:
        """Ask whether no row of the interval stands on both sides; no more questions, no more clean intervals."""
        if self.queries_left <= 0:
            self.gave_up = True
            return False
        self.queries_left -= 1
        return self.neighbours(self.moments[first], self.moments[last]) <= self._count(first, last)

    def _end(self, first: int, last: int) -> int | None:
        """Return the last position of the longest clean interval from `first`; None when it holds too few rows."""
        if self._is_clean(first, last):
            return last
        low = self._shortest(first)
        if low == last or not self._is_clean(first, low):
            return None
        while last - low > 1:
            middle = (low + last) // 2
            low, last = (middle, last) if self._is_clean(first, middle) else (low, middle)
        return low

    def _reach(self, anchor: int, near: int, far: int) -> int:
        """Return how far it is clean from `anchor`, as it is to `near`, towards `far`: by steps that double."""
        step, toward = 1, 1 if far > near else -1
        while near != far:
            position = near + toward * min(step, abs(far - near))
            if self._is_clean(min(anchor, position), max(anchor, position)):
                near, step = position, step * 2
            elif abs(position - near) == 1:
                break
            else:
                far, step = position - toward, max(abs(position - near) // 2, 1)
        return near

    def _next_start(self, first: int) -> int:
        """Return the first later position from which the shortest interval may be clean: past the present row."""
        end = self._shortest(first)
        low, high = first, end + 1  # dirty from low, clean or empty from high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._is_clean(middle, end) else (middle, high)
        return high

    def _window(self, first: int, last: int) -> Window:
        keys = sorted(key for group in self.keys[first : last + 1] for key in group)
        return Window(low_ms=self.moments[first], high_ms=self.moments[last], keys=tuple(keys))
