"""How many ranges are asked for at a time, so that no statement runs for longer than half of what it may."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from contracts.errors import TimedOut
from contracts.vocabulary import StoreName
from storage.parity.ranges import RANGES
from storage.rest.errors import TooMuch

T = TypeVar("T")

FIRST_ROWS = 20_000  # rows of the span from which the rate is learnt
FIRST_RANGES = 8  # ranges of that span, where nobody knows how many rows there are
GROWTH = 32  # a rate is believed for spans that are at most so many times as wide as the one that taught it
LONGEST_S = 30.0  # for servers that set no limit, or a very long one


class SpanPace:
    """Learns how long a range takes, and cuts ranges into spans by it.

    Args:
        store: The store that is asked, for errors.
        limit_s: Time in seconds after which the server gives up; 0 when it never does.
        rows: Number of rows of the whole table, as far as it is known.
        clock: Tells a time in seconds that only grows.
    """

    def __init__(
        self, store: StoreName, limit_s: float, rows: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._budget_s = min(limit_s / 2 or LONGEST_S, LONGEST_S)
        self._clock = clock
        self._most = FIRST_RANGES if rows is None else max(1, min(RANGES, RANGES * FIRST_ROWS // max(1, rows)))

    def ask(
        self,
        ranges: Sequence[int],
        question: Callable[[Sequence[int]], T],
        *,
        rows: Callable[[int], int] = lambda _: 0,
        most_rows: int = 0,
    ) -> Iterator[T]:
        """Ask for ranges span by span, and yield the answers.

        Args:
            ranges: Numbers of ranges, in order.
            question: Asks for some of them, which come in order.
            rows: Number of rows of a range.
            most_rows: Largest number of rows that is asked for at a time, single ranges aside.

        Raises:
            TimedOut: The server gives up on a single range.
        """
        at = 0
        while at < len(ranges):
            span = ranges[at : at + self._most]
            width = _within(most_rows, [rows(number) for number in span]) if most_rows else len(span)
            span = span[:width]
            started = self._clock()
            try:
                answer = question(span)
            except TooMuch:
                if len(span) == 1:
                    raise self._too_slow() from None
                self._most = len(span) // 2
                continue
            self._learn(len(span), self._clock() - started)
            at += len(span)
            yield answer

    def _learn(self, width: int, took_s: float) -> None:
        affordable = int(width * self._budget_s / took_s) if took_s > 0 else RANGES
        self._most = max(1, min(affordable, width * GROWTH, RANGES))

    def _too_slow(self) -> TimedOut:
        return TimedOut(
            f"{self._store} gave up on a 256th part of the table.",
            "Raise the statement_timeout of its role service_role or authenticator, or reach it by SQL.",
            store=self._store,
        )


def _within(most: int, rows: list[int]) -> int:
    """Return how many of the first ranges hold no more than `most` rows, at least one."""
    total = 0
    for width, held in enumerate(rows):
        total += held
        if total > most:
            return max(1, width)
    return len(rows)
