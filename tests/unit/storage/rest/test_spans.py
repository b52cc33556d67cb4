"""Spans of UUIDs lie next to each other and leave nothing out."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from storage.rest.pages import uuid_spans


@given(st.integers(1, 300), st.uuids())
def test_every_uuid_lies_in_one_span(count: int, key: UUID) -> None:
    """The first span has no begin, the last one no end, and each begins where another one ends."""
    spans = uuid_spans(count)
    assert len(spans) == count
    assert spans[0].after is None
    assert spans[-1].upto is None
    assert all(one.upto == two.after for one, two in pairwise(spans))
    holding = [
        span
        for span in spans
        if (span.after is None or (str(key),) > span.after) and (span.upto is None or (str(key),) <= span.upto)
    ]
    assert len(holding) == 1


def test_spans_are_of_one_size() -> None:
    """UUIDs are spread evenly, and so are the pages of the spans."""
    assert [span.upto for span in uuid_spans(4)[:-1]] == [
        ("40000000-0000-0000-0000-000000000000",),
        ("80000000-0000-0000-0000-000000000000",),
        ("c0000000-0000-0000-0000-000000000000",),
    ]
