"""Cutting ranges into spans by what the server bears, on a clock of our own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import TimedOut
from contracts.vocabulary import StoreName
from storage.parity.ranges import RANGES
from storage.rest.errors import TooMuch
from storage.rest.rpc_spans import FIRST_RANGES, FIRST_ROWS, SpanPace

EVERY = range(RANGES)


class Server:
    """Takes its time for each range, and gives up when a span takes too long.

    Args:
        range_s: Seconds that each range takes, by number.
        limit_s: Seconds after which it gives up.
    """

    def __init__(self, range_s: Callable[[int], float], limit_s: float) -> None:
        self._range_s = range_s
        self._limit_s = limit_s
        self.now = 0.0
        self.spans: list[list[int]] = []
        self.refused = 0

    def clock(self) -> float:
        """Tell the time."""
        return self.now

    def answer(self, span: Sequence[int]) -> list[int]:
        """Answer with the ranges that were asked for."""
        took = 0.05 + sum(map(self._range_s, span))
        self.now += min(took, self._limit_s)
        if took > self._limit_s:
            self.refused += 1
            raise TooMuch("Too much.", "Ask for less.", store=StoreName.SUPABASE)
        self.spans.append(list(span))
        return list(span)

    def asked(self, ranges: Sequence[int], rows: int | None = None) -> list[int]:
        """Ask for ranges, and return all that came."""
        pace = SpanPace(StoreName.SUPABASE, self._limit_s, rows, clock=self.clock)
        return [number for span in pace.ask(ranges, self.answer) for number in span]


def test_a_small_table_is_asked_for_at_once() -> None:
    """Where few rows are known to be there, all ranges are one span."""
    server = Server(lambda _: 0.0, 8.0)
    assert server.asked(EVERY, rows=FIRST_ROWS) == list(EVERY)
    assert len(server.spans) == 1


def test_a_large_table_begins_with_a_small_span() -> None:
    """The rate is learnt from about as many rows as take no time, then spans are as wide as half the limit allows."""
    server = Server(lambda _: 2.0 / RANGES, 8.0)
    assert server.asked(EVERY, rows=50 * FIRST_ROWS) == list(EVERY)
    assert [len(span) for span in server.spans] == [5, 160, 91]
    assert server.refused == 0


def test_spans_take_half_of_what_they_may() -> None:
    """On a slow server no span takes much longer than half of its limit."""
    server = Server(lambda _: 0.5, 8.0)
    assert server.asked(EVERY, rows=10**9) == list(EVERY)
    assert all(0.5 * len(span) <= 4.0 for span in server.spans)
    assert server.refused == 0


def test_an_unknown_table_begins_with_a_few_ranges() -> None:
    """Where the server has no statistics, the first span is small, and two requests do for a small table."""
    server = Server(lambda _: 0.0, 8.0)
    assert server.asked(EVERY) == list(EVERY)
    assert [len(span) for span in server.spans] == [FIRST_RANGES, RANGES - FIRST_RANGES]


@given(
    st.lists(st.floats(0.0, 2.9), min_size=RANGES, max_size=RANGES),
    st.sets(st.integers(0, RANGES - 1)),
    st.none() | st.integers(0, 10**10),
)
def test_every_range_is_asked_for_once_and_in_order(times: list[float], ranges: set[int], rows: int | None) -> None:
    """Whatever the server refuses, the answers are those of all ranges that were asked for, once each and in order."""
    server = Server(times.__getitem__, 3.0)
    assert server.asked(sorted(ranges), rows=rows) == sorted(ranges)


def test_a_single_range_that_is_too_slow_is_named() -> None:
    """Where one range takes longer than the server allows, the error says so and what to do."""
    server = Server(lambda number: 9.0 if number == 77 else 0.001, 8.0)
    with pytest.raises(TimedOut, match="256th part") as caught:
        server.asked(EVERY)
    assert "statement_timeout" in caught.value.todo
    assert max(server.spans[-1]) == 76


def test_a_span_holds_no_more_rows_than_it_may() -> None:
    """Where rows are asked for, a span ends before it holds too many; a single large range is asked for alone."""
    server = Server(lambda _: 0.0, 8.0)
    pace = SpanPace(StoreName.SUPABASE, 8.0, 0, clock=server.clock)
    held = {0: 40, 1: 40, 2: 40, 3: 500, 4: 1, 5: 99}
    list(pace.ask(sorted(held), server.answer, rows=held.__getitem__, most_rows=100))
    assert server.spans == [[0, 1], [2], [3], [4, 5]]


def test_a_server_without_a_limit_is_not_kept_busy_for_ever() -> None:
    """Where the server sets no limit, ours holds."""
    server = Server(lambda _: 1.0, float("inf"))
    pace = SpanPace(StoreName.SUPABASE, 0.0, 10**9, clock=server.clock)
    list(pace.ask(EVERY, server.answer))
    assert max(map(len, server.spans)) <= 30
