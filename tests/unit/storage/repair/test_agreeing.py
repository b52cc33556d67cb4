"""When it is proven that both stores agreed before a change was noted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.vocabulary import StoreName
from storage.repair.agreeing import Agreed, by_our_clock

PRISMA, SUPABASE = StoreName
ZERO = datetime(2026, 3, 14, 2, 0, tzinfo=UTC)


def at(minute: float) -> datetime:
    """Return a moment."""
    return ZERO + timedelta(minutes=minute)


CAPTURED = Agreed(
    captured=at(10),
    looked=((at(5), at(6)), (at(20), at(21)), (at(40), at(41))),
    differed={
        "old": ((at(1), None),),
        "mended": ((at(1), at(20)),),
        "late": ((at(45), None),),
        "new": ((at(25), None),),
    },
    ahead={PRISMA: timedelta(0), SUPABASE: timedelta(minutes=60)},
)


@pytest.mark.parametrize(
    ("key", "store", "minute", "proven"),
    [
        ("any", PRISMA, 30, True),
        ("any", PRISMA, 9, False),  # noted under an earlier capture
        ("any", PRISMA, 15, False),  # no check under this capture before
        ("any", PRISMA, 20.5, False),  # while the check looked
        ("any", SUPABASE, 90, True),  # half past by our clock
        ("any", SUPABASE, 75, False),
        ("old", PRISMA, 30, False),  # it differed long before
        ("mended", PRISMA, 30, True),  # the check saw it agree
        ("late", PRISMA, 30, True),  # it differs since
        ("new", PRISMA, 30, False),  # it was seen to differ before the change was noted
        ("new", PRISMA, 22, True),
    ],
)
def test_a_change_counts_after_a_check_that_saw_both_agree(
    key: str, store: StoreName, minute: float, *, proven: bool
) -> None:
    """A complete check under this capture that ended before, and no difference that any check saw since."""
    assert CAPTURED.before(key, {store: at(minute)}) is proven


def test_nothing_is_proven_without_a_change_or_within_the_first_seconds() -> None:
    """Turning capture on waits for writers; what they wrote meanwhile may have passed by."""
    assert not CAPTURED.before("any", {})
    early = replace(CAPTURED, captured=at(20) - timedelta(seconds=1), looked=((at(20), at(21)),))
    assert not early.before("any", {PRISMA: at(30)})
    assert replace(early, captured=at(19)).before("any", {PRISMA: at(30)})


def test_a_slow_answer_proves_less_and_never_more() -> None:
    """Capture began as late, and a change was noted as early, as the time of the question allows."""
    second = timedelta(seconds=1)
    for skew in (-second, 0 * second, second):
        for waited in (0, 4, 9):  # of nine seconds before its clock was read
            now = ZERO + waited * second + skew
            began, ahead = by_our_clock(now - 60 * second, now, asked=ZERO, answered=ZERO + 9 * second)
            assert began >= now - 60 * second - skew
            assert ahead >= skew
