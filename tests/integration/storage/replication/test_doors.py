"""The doors of both sides, one by one: each side by SQL, the secondary also over REST."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import psycopg
import pytest

from contracts.errors import ConfigurationError, TwinstoreError
from contracts.replication import Applied, Judged, Put
from storage.migrations.values import Side
from storage.replication.messages import Written
from tests.support.replication import World, keys, record

A, B, C = keys(3)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY

T = TypeVar("T")

sides = pytest.mark.parametrize("side", Side)


def delivered(world: World, *wanted: str) -> list[str]:
    """Deliver what is dirty of these keys, settle it, and return what became of it."""
    items = [item for item in world.primary.changes(at_most=100).items if item.key in wanted]
    verdicts = world.secondary.apply(items)
    acks = [(i.key, i.change or 0) for i, v in zip(items, verdicts, strict=True) if v.outcome in ("applied", "stale")]
    world.primary.settle(acks)
    return [verdict.outcome for verdict in verdicts]


def judged(world: World, *wanted: str) -> list[str]:
    """Judge what is dirty of these keys, settle it, and return what became of it."""
    items = [item for item in world.secondary.changes(at_most=100).items if item.key in wanted]
    verdicts = world.primary.judge(items)
    world.secondary.settle([(item.key, item.change or 0) for item in items])
    return [verdict.outcome for verdict in verdicts]


def shared(world: World, *wanted: str) -> None:
    """Have both stores hold rows with these keys."""
    world.insert(PRIMARY, *wanted)
    assert set(delivered(world, *wanted)) == {"applied"}


# Delivery


def test_a_delivered_row_is_the_row(both: World) -> None:
    """Every column arrives, in the form of the other store, and an update and a delete do."""
    both.insert(PRIMARY, A, title="ä ☃ 'quoted' \\")
    delivered(both, A)
    ours, theirs = both.primary.look([A])[A], both.secondary.look([A])[A]
    assert ours.row is not None
    assert theirs.row == {
        **ours.row,
        "created_at": f"{ours.row['created_at']}+00",
        "updated_at": f"{ours.row['updated_at']}+00",
    }
    both.titled(PRIMARY, A, "changed")
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == ("changed", "changed")
    both.delete(PRIMARY, A)
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == (None, None)


def test_what_is_delivered_is_no_change_of_the_secondary(both: World) -> None:
    """What a delivery writes leaves no line there, in a batch and alone."""
    shared(both, A, B)
    both.titled(PRIMARY, A, "alone")
    assert delivered(both, A) == ["applied"]
    assert both.secondary.changes(at_most=10).items == ()


def test_what_is_accepted_is_delivered_back_and_no_more(both: World) -> None:
    """A proposal that was accepted is one change of the primary, and its delivery is none of the secondary."""
    shared(both, A, B)
    both.titled(SECONDARY, A, "theirs")
    both.titled(SECONDARY, B, "theirs")
    assert judged(both, A, B) == ["accepted", "accepted"]
    assert [len(both.lines(PRIMARY, key)) for key in (A, B)] == [1, 1]
    assert delivered(both, A, B) == ["applied", "applied"]
    assert (both.primary.changes(at_most=9).items, both.secondary.changes(at_most=9).items) == ((), ())


def test_a_delivery_that_comes_twice_changes_nothing(both: World) -> None:
    """The second one is stale, also when its first acknowledgement was lost."""
    both.insert(PRIMARY, A, B)
    items = both.primary.changes(at_most=10).items
    assert [verdict.outcome for verdict in both.secondary.apply(items)] == ["applied", "applied"]
    assert [verdict.outcome for verdict in both.secondary.apply(items)] == ["stale", "stale"]
    assert delivered(both, A, B) == ["stale", "stale"]


def test_an_older_delivery_changes_nothing(both: World) -> None:
    """A delivery that was overtaken by a later one of its key is stale."""
    both.insert(PRIMARY, A)
    old = both.primary.changes(at_most=10).items
    both.titled(PRIMARY, A, "newer")
    assert delivered(both, A) == ["applied"]
    assert [verdict.outcome for verdict in both.secondary.apply(old)] == ["stale"]
    assert both.title(SECONDARY, A) == "newer"


def test_a_late_delivery_does_not_bring_a_deleted_row_back(both: World) -> None:
    """What is remembered of a key outlives its row; a row that is made anew goes on from there."""
    shared(both, A)
    both.titled(PRIMARY, A, "late")
    late = both.primary.changes(at_most=10).items
    both.delete(PRIMARY, A)
    assert delivered(both, A) == ["applied"]
    assert [verdict.outcome for verdict in both.secondary.apply(late)] == ["stale"]
    assert both.titles(A) == (None, None)
    both.insert(PRIMARY, A, title="again")
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == ("again", "again")


def test_a_delivery_waits_for_what_the_primary_has_not_judged(both: World) -> None:
    """A key that the secondary changed is busy until that change was judged, alone and in a batch with others."""
    shared(both, A, B)
    both.titled(SECONDARY, A, "theirs")
    both.titled(PRIMARY, A, "ours")
    both.titled(PRIMARY, B, "ours")
    assert delivered(both, A) == ["busy"]
    assert sorted(delivered(both, A, B)) == ["applied", "busy"]
    assert both.titles(A) == ("ours", "theirs")
    assert judged(both, A) == ["conflict"]
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == ("ours", "ours")


@pytest.mark.parametrize("alone", [True, False])
def test_a_row_that_is_refused_leaves_the_others(both: World, alone: bool) -> None:  # noqa: FBT001 - a parameter
    """A value that the secondary cannot hold is rejected with its code and rule; rows beside it are written."""
    both.insert(PRIMARY, A, B)
    both.run(PRIMARY, "UPDATE public.planning SET status = 'unknown' WHERE id = %s", A)
    items = [item for item in both.primary.changes(at_most=10).items if not alone or item.key == A]
    verdicts = {verdict.key: verdict for verdict in both.secondary.apply(items)}
    assert verdicts[A].outcome == Applied.REJECTED
    assert (verdicts[A].code, verdicts[A].rule) == ("23514", "planning_status_known")
    assert both.title(SECONDARY, A) is None
    assert alone or (verdicts[B].outcome, both.title(SECONDARY, B)) == ("applied", "T")


@pytest.mark.parametrize("alone", [True, False])
def test_a_row_that_somebody_writes_is_left_for_later(both: World, alone: bool) -> None:  # noqa: FBT001 - a parameter
    """Nobody is waited for, whether a row is being changed, deleted or made; the other rows are written."""
    shared(both, A, B)
    both.insert(PRIMARY, C)
    for key in (A, B):
        both.titled(PRIMARY, key, "ours")
    with psycopg.connect(both.dsn(SECONDARY)) as writer:
        writer.execute("UPDATE public.planning SET title = 'mine' WHERE id = %s", [A])
        items = [item for item in both.primary.changes(at_most=10).items if not alone or item.key == A]
        found = {verdict.key: verdict.outcome for verdict in both.secondary.apply(items)}
        assert found == ({A: "locked"} if alone else {A: "locked", B: "applied", C: "applied"})
    assert delivered(both, A) == ["busy"]


def test_a_row_that_is_being_made_is_left_for_later(both: World) -> None:
    """An INSERT in flight is waited for briefly, and then left; nothing else of the batch is."""
    both.insert(PRIMARY, A, B)
    with psycopg.connect(both.dsn(SECONDARY)) as writer:
        writer.execute("INSERT INTO public.planning (id, type, title, content) VALUES (%s, 'story', 'm', '{}')", [A])
        assert sorted(delivered(both, A, B)) == ["applied", "locked"]
        writer.rollback()
    assert delivered(both, A) == ["applied"]


# Judgement


def test_a_change_of_the_secondary_is_accepted(both: World) -> None:
    """A change, a new row and a deletion are written on the primary where it did not move."""
    shared(both, A, B)
    both.titled(SECONDARY, A, "theirs")
    both.delete(SECONDARY, B)
    both.insert(SECONDARY, C, title="new")
    assert judged(both, A, B, C) == ["accepted"] * 3
    assert [both.title(PRIMARY, key) for key in (A, B, C)] == ["theirs", None, "new"]
    assert delivered(both, A, B, C) == ["applied"] * 3


def test_a_proposal_that_comes_twice_is_judged_once(both: World) -> None:
    """The second one says so, and changes nothing."""
    both.insert(SECONDARY, A, B)
    items = both.secondary.changes(at_most=10).items
    for expected in ("accepted", "judged"):
        assert {verdict.outcome for verdict in both.primary.judge(items)} == {expected}
    assert [len(both.lines(PRIMARY, key)) for key in (A, B)] == [1, 1]


def test_changes_in_a_row_are_accepted_one_after_the_other(both: World) -> None:
    """A second change that was made before the first came back is no conflict: nobody else wrote."""
    shared(both, A)
    for title in ("first", "second", "third"):
        both.titled(SECONDARY, A, title)
        assert judged(both, A) == ["accepted"]
    assert both.title(PRIMARY, A) == "third"


def test_the_loser_is_kept_by_name(both: World) -> None:
    """Where the primary moved it keeps its row, the other is a conflict, and later changes of it are so, too."""
    shared(both, A)
    both.titled(PRIMARY, A, "ours")
    both.titled(SECONDARY, A, "theirs")
    assert judged(both, A) == ["conflict"]
    both.titled(SECONDARY, A, "theirs again")
    assert judged(both, A) == ["conflict"]
    conflicts = both.book.conflicts(keys=[A])
    assert [(found.kind, (found.loser or {})["title"]) for found in conflicts] == [
        ("concurrent", "theirs"),
        ("concurrent", "theirs again"),
    ]
    assert delivered(both, A) == ["applied"]
    assert both.titles(A) == ("ours", "ours")


def test_a_deletion_may_lose_and_may_win(both: World) -> None:
    """A deletion against a change is a conflict, whichever side deletes."""
    shared(both, A, B)
    both.delete(PRIMARY, A)
    both.titled(SECONDARY, A, "theirs")
    both.titled(PRIMARY, B, "ours")
    both.delete(SECONDARY, B)
    assert judged(both, A, B) == ["conflict", "conflict"]
    assert {found.key: found.loser and found.loser["title"] for found in both.book.conflicts()} == {
        A: "theirs",
        B: None,
    }
    assert set(delivered(both, A, B)) == {"applied"}
    assert (both.titles(A), both.titles(B)) == ((None, None), ("ours", "ours"))


def test_both_sides_may_do_the_same(both: World) -> None:
    """Rows that were changed alike, or deleted on both sides, agree."""
    shared(both, A, B)
    both.delete(PRIMARY, A)
    both.delete(SECONDARY, A)
    set_all = "UPDATE public.planning SET title = 'same', updated_at = '2026-03-02' WHERE id = %s"
    both.run(PRIMARY, set_all, B)
    both.run(SECONDARY, set_all, B)
    assert judged(both, A, B) == ["agreed", "agreed"]
    assert both.book.counts() == (0, 0, 0)


def test_a_row_that_came_and_went_tells_nothing(both: World) -> None:
    """A row that the secondary made and deleted before anybody heard of it is accepted without a line."""
    both.insert(SECONDARY, A)
    both.delete(SECONDARY, A)
    assert judged(both, A) == ["accepted"]
    assert both.lines(PRIMARY, A) == []
    both.insert(SECONDARY, A, title="again")
    assert judged(both, A) == ["accepted"]
    assert both.title(PRIMARY, A) == "again"


@pytest.mark.parametrize("alone", [True, False])
def test_a_row_of_the_primary_that_somebody_writes_is_judged_later(both: World, alone: bool) -> None:  # noqa: FBT001 - a parameter
    """Judging waits for nobody; other rows of the batch are judged."""
    shared(both, A, B)
    both.titled(SECONDARY, A, "theirs")
    both.titled(SECONDARY, B, "theirs")
    with psycopg.connect(both.dsn(PRIMARY)) as writer:
        writer.execute("UPDATE public.planning SET title = 'mine' WHERE id = %s", [A])
        items = [item for item in both.secondary.changes(at_most=10).items if not alone or item.key == A]
        found = {verdict.key: verdict.outcome for verdict in both.primary.judge(items)}
        assert found == ({A: "locked"} if alone else {A: "locked", B: "accepted"})
    assert judged(both, A) == ["conflict"]


def test_an_open_difference_of_before_is_never_overwritten(both: World) -> None:
    """A key that differed when the stores were adopted is decided by a person: a later change of it is a conflict."""
    shared(both, A)
    both.book.keep("adopted", {A: record(A, "differed")})
    both.titled(SECONDARY, A, "theirs")
    assert judged(both, A) == ["conflict"]
    assert both.title(PRIMARY, A) == "T"
    for found in both.book.conflicts(keys=[A]):
        both.book.resolved(found, kept="primary")
    assert delivered(both, A) == ["applied"]
    both.titled(SECONDARY, A, "later")
    assert judged(both, A) == ["accepted"]


# Lists of what is dirty


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


# Writes of the repository


@sides
def test_a_row_is_put(both: World, side: Side) -> None:
    """It is created, updated and deleted as an application would, and each leaves its line."""
    doors = both.doors(side)
    created = doors.put(A, record(A, "one"))
    assert (created.outcome, created.change, created.repeated) == (Put.CREATED, both.lines(side, A)[-1], False)
    assert created.row is not None
    assert created.row["title"] == "one"
    updated = doors.put(A, {**created.row, "title": "two"}, expected=created.row)
    assert (updated.outcome, updated.change) == (Put.UPDATED, both.lines(side, A)[-1])
    deleted = doors.put(A, None, expected=updated.row)
    assert (deleted.outcome, deleted.row, deleted.change) == (Put.DELETED, None, both.lines(side, A)[-1])
    missing = doors.put(A, None)
    assert (missing.outcome, missing.change, len(both.lines(side, A))) == (Put.MISSING, None, 3)


@sides
def test_a_row_that_moved_is_not_overwritten(both: World, side: Side) -> None:
    """What is not as the caller read it stays: another value, a row that came, a row that went."""
    doors = both.doors(side)
    assert doors.put(A, record(A), expected=record(A)).outcome is Put.MOVED
    read = doors.put(A, record(A), expected=None).row
    assert read is not None
    assert doors.put(A, record(A, "new"), expected=None).outcome is Put.MOVED
    both.titled(side, A, "somebody else's")
    assert doors.put(A, None, expected=read).outcome is Put.MOVED
    assert both.title(side, A) == "somebody else's"


@sides
def test_a_row_that_cannot_be_held_is_refused_without_its_values(both: World, side: Side) -> None:
    """The error names the SQLSTATE at most, and nothing was written."""
    with pytest.raises(TwinstoreError) as raised:
        both.doors(side).put(A, record(A, "secret", version="many"))
    assert "secret" not in str(raised.value)
    assert "many" not in str(raised.value)
    assert both.titles(A) == (None, None)


@sides
def test_a_request_is_carried_out_once(both: World, side: Side) -> None:
    """The same request again gets the first answer; the same key for something else is told so."""
    doors = both.doors(side)
    first = doors.put(A, record(A, "once"), request=("r1", "h"))
    again = doors.put(A, record(A, "twice"), request=("r1", "h"))
    assert (again.outcome, again.change, again.repeated) == (first.outcome, first.change, True)
    assert doors.put(A, record(A, "other"), request=("r1", "h2")).outcome is Put.MISMATCH
    assert (both.title(side, A), len(both.lines(side, A))) == ("once", 1)


@sides
def test_a_request_that_was_not_carried_out_may_come_again(both: World, side: Side) -> None:
    """A request whose row had moved, or that was refused, is forgotten."""
    doors = both.doors(side)
    both.insert(side, A)
    assert doors.put(A, record(A, "mine"), expected=None, request=("r1", "h")).outcome is Put.MOVED
    with pytest.raises(TwinstoreError):
        doors.put(A, record(A, version="many"), request=("r1", "h"))
    assert doors.put(A, record(A, "mine"), request=("r1", "h")).outcome is Put.UPDATED


@sides
def test_requests_are_forgotten_after_three_days(both: World, side: Side) -> None:
    """Each new one takes some older ones away, on either side and whoever writes; younger ones stay."""
    asked = "INSERT INTO twinstore.request (key, hash, at) SELECT %s || n, 'h', now() - %s::interval"
    both.run(side, f"{asked} FROM generate_series(1, 12) AS n", "old", "73 hours")
    both.run(side, f"{asked} FROM generate_series(1, 1) AS n", "young", "71 hours")
    for number in range(2):
        both.doors(side).put(A, record(A), request=(f"r{number}", "h"))
    assert both.ask(side, "SELECT key FROM twinstore.request ORDER BY key") == [("r0",), ("r1",), ("young1",)]


@sides
def test_equal_requests_at_once_are_one(both: World, side: Side) -> None:
    """Two callers that ask the same at the same moment cause one write, and both hear of it."""
    doors, start = both.doors(side), threading.Barrier(4)

    def write() -> Written:
        start.wait()
        return doors.put(A, record(A), request=("r", "h"))

    found = together([write] * 4)
    assert [written.outcome for written in found] == [Put.CREATED] * 4
    assert sorted(written.repeated for written in found) == [False, True, True, True]
    assert len(both.lines(side, A)) == 1


@sides
def test_one_of_several_writers_wins(both: World, side: Side) -> None:
    """Of writers that all expect the same row one succeeds, and the others hear that it moved."""
    doors, start = both.doors(side), threading.Barrier(4)

    def write(number: int) -> Written:
        start.wait()
        return doors.put(A, record(A, f"w{number}"), expected=None)

    found = together([partial(write, number) for number in range(4)])
    assert sorted(written.outcome for written in found) == ["created", "moved", "moved", "moved"]
    assert len(both.lines(side, A)) == 1


@sides
def test_nothing_is_put_past_capture(own: World, side: Side) -> None:
    """A write that would leave no line does not happen: the other store would never hear of it."""
    own.run(side, "ALTER TABLE public.planning DISABLE TRIGGER twinstore_capture")
    with pytest.raises(ConfigurationError, match="not captured"):
        own.doors(side).put(A, record(A))
    assert own.titles(A) == (None, None)


# Pages


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


def test_a_batch_of_nothing_is_nothing(both: World) -> None:
    """No item is no error."""
    assert (both.secondary.apply([]), both.primary.judge([])) == ((), ())


def test_a_key_twice_in_a_batch_is_applied_in_order(both: World) -> None:
    """The later one of a key wins, as if they had come one after the other."""
    both.insert(PRIMARY, A)
    (old,) = both.primary.changes(at_most=9).items
    both.titled(PRIMARY, A, "new")
    (new,) = both.primary.changes(at_most=9).items
    assert [verdict.outcome for verdict in both.secondary.apply([old, new])] == ["applied", "applied"]
    assert both.title(SECONDARY, A) == "new"


def test_a_trigger_that_writes_beside_a_delivery_is_a_change(both: World) -> None:
    """What a trigger of the secondary writes into another row is captured, whether that row is in the batch or not."""
    shared(both, A, B, C)
    both.run(SECONDARY, BESIDE.format(other=B, key=A))
    both.run(SECONDARY, BESIDE_TRIGGER)
    try:
        both.titled(PRIMARY, A, "ours")
        both.titled(PRIMARY, C, "ours")
        assert delivered(both, A, C) == ["applied", "applied"]
        assert [item.key for item in both.secondary.changes(at_most=9).items] == [B]
        both.titled(PRIMARY, A, "ours again")
        both.titled(PRIMARY, B, "ours again")
        assert judged(both, B) == ["conflict"]
        found = dict(zip((A, B), delivered(both, A, B), strict=True))
        assert found == {A: "applied", B: "busy"}
    finally:
        both.run(SECONDARY, "DROP TRIGGER beside ON public.planning")
    assert Judged.CONFLICT in judged(both, B)


BESIDE = """
CREATE OR REPLACE FUNCTION public.beside() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.id = '{key}' THEN UPDATE public.planning SET source = new.title WHERE id = '{other}'; END IF;
  RETURN NULL;
END $$
"""
BESIDE_TRIGGER = "CREATE TRIGGER beside AFTER UPDATE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.beside()"


def walked(world: World, side: Side, filters: dict[str, str | None]) -> list[str]:
    """Return the keys of all pages of two rows each."""
    place: tuple[str, str] | None = None
    found: list[str] = []
    while page := world.doors(side).page(filters, place=place, at_most=2):
        found += [row.key for row in page]
        place = (page[-1].at, page[-1].key)
    return found


def together(works: list[Callable[[], T]]) -> list[T]:
    """Run all at once and return what they returned."""
    found: list[T] = []
    threads = [threading.Thread(target=lambda work=work: found.append(work())) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
