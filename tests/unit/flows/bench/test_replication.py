"""The lines about replication: met by what was measured, and never where an answer was wrong."""

from __future__ import annotations

import pytest

from flows.bench import replication
from flows.bench.lines import Line, Met
from flows.bench.rounds import Sample, Series
from flows.bench.saves import milliseconds

ROWS = 20_000
_IN_VAIN = {"failures": 3, "more_ms": 1.5, "alone_ms": 9, "saved": 1}
_DRAINED = {"rows": ROWS, "per_s": 2500, "same": 1}
_CALLS = {
    f"{name}_{what}": 1 for name in ("save", "get", "list", "record", "owner") for what in ("ms", "median_ms", "right")
}


def _lines(work: str = "", **changed: float) -> tuple[Line, ...]:
    """Return the lines when one work came out otherwise."""
    facts: dict[str, dict[str, float]] = {
        replication.IN_VAIN: dict(_IN_VAIN),
        replication.BY_FUNCTIONS: dict(_DRAINED),
        replication.BY_SQL: dict(_DRAINED),
        replication.CALLS: dict(_CALLS),
    }
    if work:
        facts[work] |= changed
    measured = {name: Series((Sample(seconds=1.0, facts=found),)) for name, found in facts.items()}
    return replication.lines_of_replication(measured, ROWS)


def test_what_is_within_its_limits_is_met() -> None:
    """Two lines about a store that never answers, one about the relay, five about calls."""
    lines = _lines()
    assert [line.met for line in lines] == [Met.YES] * 8
    assert [line.unit for line in lines] == ["failures", "ms", "rows/s"] + ["ms"] * 5
    assert lines[1].reference is not None
    assert (lines[1].measured, lines[1].reference.value) == (1.5, 9)


@pytest.mark.parametrize(
    ("work", "fact", "value", "missed"),
    [
        (replication.IN_VAIN, "failures", 4, 0),
        (replication.IN_VAIN, "more_ms", 5.1, 1),
        (replication.IN_VAIN, "saved", 0, 1),
        (replication.BY_FUNCTIONS, "per_s", 1999, 2),
        (replication.BY_FUNCTIONS, "same", 0, 2),
        (replication.BY_FUNCTIONS, "rows", ROWS - 1, 2),
        (replication.BY_SQL, "same", 0, 2),
        (replication.CALLS, "save_ms", 5001, 3),
        (replication.CALLS, "get_right", 0, 4),
        (replication.CALLS, "owner_ms", 10_001, 7),
    ],
)
def test_what_is_beyond_a_limit_or_wrong_is_not(work: str, fact: str, value: float, missed: int) -> None:
    """However fast it was: a save that failed, stores that differ afterwards, rows that were not written."""
    assert _lines(work, **{fact: value})[missed].met is Met.NO


@pytest.mark.parametrize(("share", "found"), [(0.5, 50.0), (0.99, 99.0)])
def test_times_are_told_in_milliseconds(share: float, found: float) -> None:
    """One of the times, whatever their order; of a single one, that one."""
    assert milliseconds([value / 1000 for value in range(100, 0, -1)], share) == found
    assert milliseconds([0.0071234], share) == 7.123
    with pytest.raises(ValueError, match="no time"):
        milliseconds([], share)
