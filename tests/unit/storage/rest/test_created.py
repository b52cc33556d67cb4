"""Bounds in microseconds hold exactly what PostgreSQL rounds to the milliseconds between them."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from contracts.instants import milliseconds
from storage.rest.created import first_microsecond, last_microsecond


@given(st.integers(-(10**15), 10**15))
@example(0)
@example(-1)
@example(1)
def test_bounds_are_the_outermost_microseconds(ms: int) -> None:
    """One microsecond further out another millisecond is meant."""
    first, last = first_microsecond(ms), last_microsecond(ms)
    assert milliseconds(first) == milliseconds(last) == ms
    assert milliseconds(first - 1) == ms - 1
    assert milliseconds(last + 1) == ms + 1
