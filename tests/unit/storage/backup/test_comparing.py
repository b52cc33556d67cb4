"""Counting what two sides have in common, as both come by key."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storage.backup.comparing import Counts, count_differences

ROWS = st.dictionaries(st.text(max_size=2), st.integers(0, 1))


@given(ROWS, ROWS)
def test_counts_are_those_of_sets(ours: dict[str, int], theirs: dict[str, int]) -> None:
    """Whatever both hold, the counts are what sets of keys say."""
    both = ours.keys() & theirs.keys()
    same = sum(ours[key] == theirs[key] for key in both)
    found = count_differences(iter(sorted(ours.items())), iter(sorted(theirs.items())))
    assert found == Counts(len(ours.keys() - both), len(theirs.keys() - both), len(both) - same, same)
