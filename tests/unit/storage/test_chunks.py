"""Many items, some at a time."""

from __future__ import annotations

import pytest

from storage.chunks import chunks


@pytest.mark.parametrize(("number", "lengths"), [(0, []), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3])], ids=str)
def test_every_item_comes_once_and_in_order(number: int, lengths: list[int]) -> None:
    """In lists of the size that was asked for but the last, and no list is empty."""
    found = list(chunks(iter(range(number)), 3))
    assert [len(chunk) for chunk in found] == lengths
    assert [item for chunk in found for item in chunk] == list(range(number))
