"""What the doors of both sides tell: which keys are dirty, how a side stands, rows by page."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import partial

import pytest

from storage.migrations.values import Side
from tests.support.carrying import shared
from tests.support.replication import PATIENT_S, World, keys, record

A, B, C = keys(3)

sides = pytest.mark.parametrize("side", Side)


@sides
def test_changes_come_in_pieces(both: World, side: Side) -> None:
    """So many lines are read at a time, each key once a piece with its last line, until there are no more."""
    both.insert(side, A, B)
    both.titled(side, A, "again")
    both.insert(side, C)
    doors = both.doors(side)
    first = doors.changes(at_most=2)
    assert [item.key for item in first.items] == [A, B]
    assert first.items[0].change == both.lines(side, A)[-1]
    second = doors.changes(after=first.next or 0, at_most=2)
    assert [item.key for item in second.items] == [A, C]
    last = doors.changes(after=second.next or 0, at_most=2)
    assert (last.items, last.next) == ((), None)


@sides
def test_a_key_is_looked_at_dirty_or_not(both: World, side: Side) -> None:
    """A key that is there, dirty, deleted or unknown is told as such, in the order that was asked for."""
    shared(both, A, B)
    both.titled(side, B, "dirty")
    found = both.doors(side).look([C, B, A])
    assert list(found) == [C, B, A]
    assert (found[C].row, found[C].change, found[C].known) == (None, None, False)
    assert (found[B].change, found[B].known) == (both.lines(side, B)[-1], True)
    assert (found[A].change, found[A].known, found[A].rev > 0) == (None, True, True)
    assert found[B].since is not None


@sides
def test_settling_takes_away_what_was_carried_over_only(both: World, side: Side) -> None:
    """Later lines stay, settling twice does no harm, and nor does settling what is not there."""
    both.insert(side, A, B)
    first = both.lines(side, A)[0]
    both.titled(side, A, "later")
    both.doors(side).settle([(A, first), (C, 10**6)])
    both.doors(side).settle([(A, first)])
    assert (len(both.lines(side, A)), len(both.lines(side, B))) == (1, 1)
    both.doors(side).settle([(A, both.lines(side, A)[0]), (A, first)])
    assert both.lines(side, A) == []


@sides
def test_standing_counts_keys(both: World, side: Side) -> None:
    """It tells how many keys wait, since when, and the last number that was given."""
    empty = both.doors(side).standing()
    assert (empty.dirty, empty.oldest_at, empty.gap, empty.since is not None) == (0, None, None, True)
    both.insert(side, A, B)
    both.titled(side, A, "again")
    now = both.doors(side).standing()
    assert (now.dirty, now.last_change) == (2, both.lines(side, A)[-1])
    assert now.oldest_at is not None
    assert 0 <= now.oldest_s < 60


@sides
def test_a_glance_tells_the_same_without_counting(both: World, side: Side) -> None:
    """It stops at the first line that waits, so that it takes no longer where many do."""
    doors = both.doors(side)
    assert doors.glance(deadline_s=PATIENT_S).dirty == 0
    both.insert(side, A, B)
    whole, glance = doors.standing(), doors.glance(deadline_s=PATIENT_S)
    assert (whole.dirty, glance.dirty) == (2, 1)
    assert replace(glance, dirty=2, now=whole.now) == whole


@sides
def test_a_glance_takes_a_moment_however_much_waits(here: World, side: Side) -> None:
    """After a long outage, what asks at every write does not count 80,000 lines."""
    here.run(
        side,
        "INSERT INTO twinstore.change (dataset, key, parts) SELECT 'planning', n::text, ARRAY[n::text]"
        " FROM generate_series(1, 80000) AS n",
    )
    doors = here.doors(side)
    assert doors.standing().dirty == 80_000
    took = {"standing": math.inf, "glance": math.inf}
    for _ in range(50):  # until both had a moment in which nobody else used the machine
        for name, ask in (("standing", doors.standing), ("glance", partial(doors.glance, deadline_s=PATIENT_S))):
            began = time.perf_counter()
            ask()
            took[name] = min(took[name], time.perf_counter() - began)
        if took["glance"] < took["standing"] / 2:
            break
    assert took["glance"] < took["standing"] / 2


@sides
def test_a_page_is_filtered_and_goes_on(both: World, side: Side) -> None:
    """Rows come newest first, by key where equal, those that fit the filters, and each once over all pages."""
    doors, listed = both.doors(side), keys(7)
    for at, key in enumerate(listed):
        day = f"2026-03-0{1 + at // 2} 00:00:00"
        status = "active" if at % 2 else "draft"
        doors.put(key, record(key, f"100% title_{at}", status=status, updated_at=day, created_at="2026-01-01 00:00:00"))
    newest = sorted(listed, key=lambda key: (listed.index(key) // 2, key), reverse=True)
    assert walked(both, side, {}) == newest
    assert walked(both, side, {"status": "{active}"}) == [key for key in newest if listed.index(key) % 2]
    assert walked(both, side, {"status": "{active,draft}", "type": "{story}"}) == newest
    assert walked(both, side, {"user_id": None}) == newest
    assert walked(both, side, {"project_id": "{00000000-0000-4000-8000-000000000000}"}) == []
    assert walked(both, side, {"search": "100\\% TITLE\\_3"}) == [listed[3]]
    assert walked(both, side, {"search": "title%3"}) == [listed[3]]
    assert walked(both, side, {"search": "title\\%3"}) == []


@sides
def test_a_page_says_what_waits(both: World, side: Side) -> None:
    """A row whose change was not carried over yet is told as such."""
    shared(both, A, B)
    both.titled(side, A, "waits")
    assert {row.key: row.dirty for row in both.doors(side).page({}, place=None, at_most=9)} == {A: True, B: False}


def walked(world: World, side: Side, filters: dict[str, str | None]) -> list[str]:
    """Return the keys of all pages of two rows each."""
    place: tuple[str, str] | None = None
    found: list[str] = []
    while page := world.doors(side).page(filters, place=place, at_most=2):
        found += [row.key for row in page]
        place = (page[-1].at, page[-1].key)
    return found
