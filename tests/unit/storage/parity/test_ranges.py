"""Every key lies in one range, and a UUID in the one that its first digits name."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from contracts.planning import PLANNING
from storage.parity.ranges import RANGES, limits, range_of

COMPOSITE = replace(PLANNING, key=("type", "id"))


@given(st.uuids().map(str) | st.text())
def test_a_range_of_uuids_holds_the_keys_between_its_limits(key: str) -> None:
    """Whatever the key of a dataset with UUIDs is, it lies between the limits of its range."""
    low, high = limits(PLANNING, range_of(PLANNING, key))
    assert low is None or low <= key
    assert high is None or key < high


def test_other_keys_are_spread_evenly() -> None:
    """Keys that count up are spread over all ranges, which are bounded by digits of a hash."""
    held = [range_of(COMPOSITE, f"sensor|{number}") for number in range(20 * RANGES)]
    assert set(held) == set(range(RANGES))
    assert max(held.count(number) for number in range(RANGES)) < 50
    assert limits(COMPOSITE, 0) == (None, "md5:01")
    assert limits(COMPOSITE, 255) == ("md5:ff", None)
