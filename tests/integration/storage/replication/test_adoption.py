"""Stores that are adopted again lose nothing of keys that are in conflict, and capture holds others up for a second."""

from __future__ import annotations

import psycopg
import pytest

from contracts.errors import TimedOut
from contracts.replication import Direction
from storage.migrations.values import Side
from storage.replication import adoption
from storage.replication.decisions import resolve
from storage.replication.messages import Verdict
from tests.support.replication import World, keys

A, B, C = keys(3)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY

sides = pytest.mark.parametrize("side", Side)


def in_conflict(world: World) -> None:
    """Have both sides change one record at once, and turn capture off afterwards."""
    world.insert(PRIMARY, A, title="before")
    world.relay.drain()
    world.titled(PRIMARY, A, "P1")
    world.titled(SECONDARY, A, "S1")
    world.relay.drain()
    world.primary.capture(wanted=False)
    world.secondary.capture(wanted=False)


def adopted(world: World, *differing: str) -> int:
    """Adopt the stores, which differ in these keys; return how many conflicts that left."""
    _, theirs = adoption.begin(world.primary, world.secondary, world.book)
    return adoption.finish(world.secondary, world.book, differing=differing, begun=theirs)


def held_up(seconds: float) -> None:
    """Fail: nobody should have to wait."""
    pytest.fail(f"it waits for {seconds} s")


def kept(world: World) -> list[tuple[str, str | None]]:
    """Return kind and title of what is kept in conflicts."""
    return [(conflict.kind, (conflict.loser or {})["title"]) for conflict in world.book.conflicts()]


def test_a_key_in_conflict_that_the_secondary_changed_is_kept_once_more(here: World) -> None:
    """What was written there while capture was off is kept before the primary's next row replaces it; and once."""
    in_conflict(here)
    here.titled(SECONDARY, A, "S2")
    assert adopted(here, A) == 1
    assert adopted(here, A) == 0
    here.titled(PRIMARY, A, "P2")
    here.relay.drain()
    assert here.titles(A) == ("P2", "P2")
    assert kept(here) == [("concurrent", "S1"), ("adopted", "S2")]


@pytest.mark.parametrize("carried", [True, False])
def test_the_primary_of_a_key_in_conflict_is_not_overwritten(here: World, carried: bool) -> None:  # noqa: FBT001 - a column of the table
    """Its row of while capture was off is not what the secondary's change, made during adoption, was made on.

    That holds as well where an earlier change of the secondary was accepted and is still to be answered.
    """
    in_conflict(here)
    if not carried:
        here.adopt()
        here.titled(SECONDARY, A, "S2")
        here.primary.judge(here.secondary.changes(at_most=10).items)
        assert len(here.lines(PRIMARY, A)) == 1
        here.primary.capture(wanted=False)
        here.secondary.capture(wanted=False)
    here.titled(PRIMARY, A, "P3")
    _, theirs = adoption.begin(here.primary, here.secondary, here.book)
    here.run(SECONDARY, "UPDATE public.planning SET status = 'active', title = 'S3' WHERE id::text = %s", A)
    adoption.finish(here.secondary, here.book, differing=[A], begun=theirs)
    here.relay.drain()
    assert here.title(PRIMARY, A) == "P3"
    assert kept(here)[-1] == ("adopted", "S3")


@pytest.mark.parametrize("keep", ["primary", "secondary"])
def test_what_waits_of_a_key_that_differs_is_decided_with_it(both: World, keep: str) -> None:
    """A changed, a deleted and a new row of the secondary stay until then, though each was to be proposed."""
    for key in (A, B):
        both.insert(PRIMARY, key, title="old")
    both.relay.drain()
    both.titled(SECONDARY, A, "newest")
    both.delete(SECONDARY, B)
    both.insert(SECONDARY, C, title="new")
    assert adopted(both, A, B, C) == 3
    assert both.relay.drain().carried == 0
    assert [both.titles(key) for key in (A, B, C)] == [("old", "newest"), ("old", None), (None, "new")]
    assert adopted(both, A, B, C) == 0
    for found in both.book.conflicts():
        assert resolve(found, keep=keep, primary=both.primary, book=both.book)
    both.relay.drain()
    rows = {"primary": ("old", "old", None), "secondary": ("newest", None, "new")}[keep]
    assert [both.titles(key) for key in (A, B, C)] == [(title, title) for title in rows]
    assert both.book.counts() == (0, 0, 0)
    both.titled(SECONDARY, A, "later")
    both.relay.drain()
    assert both.titles(A) == ("later", "later")


def test_a_dead_letter_of_a_key_that_differs_ends_with_the_adoption(here: World) -> None:
    """What could not be proposed is kept as a conflict, and nothing of it is tried again."""
    here.insert(PRIMARY, A, title="old")
    here.relay.drain()
    here.titled(SECONDARY, A, "newest")
    (item,) = here.secondary.changes(at_most=10).items
    refusal = Verdict(key=A, outcome="rejected", rev=None, code="23514", rule=None)
    here.book.refused(Direction.TO_PRIMARY, [(refusal, item.change or 0)])
    assert sum(here.book.counts()) == 1
    assert adopted(here, A) == 1
    assert here.book.counts() == (1, 0, 0)


@sides
def test_turning_capture_on_where_it_is_on_waits_for_nobody(here: World, side: Side) -> None:
    """The triggers are in their place already, so that no lock on the table is needed."""
    here.insert(side, A)
    before = here.doors(side).standing()
    with psycopg.connect(here.dsn(side)) as writer:
        writer.execute("UPDATE public.planning SET title = 'mine'")
        assert adoption.capture(here.doors(side), wanted=True, wait=held_up).since == before.since


def test_a_gap_is_ended_behind_those_who_write(both: World) -> None:
    """Where writes may have passed by, what is under way is waited for: with pauses, in which others pass."""
    both.insert(SECONDARY, A)
    both.run(SECONDARY, "UPDATE twinstore.capture SET gap_at = now(), gap_reason = 'replica'")
    waited: list[float] = []
    with psycopg.connect(both.dsn(SECONDARY)) as writer:
        writer.execute("UPDATE public.planning SET title = 'mine'")

        def wait(seconds: float) -> None:
            waited.append(seconds)
            writer.rollback()

        assert adoption.capture(both.secondary, wanted=True, wait=wait).gap is None
    assert waited == [adoption.PAUSE_S]


def test_who_keeps_capture_from_its_lock_is_said(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that lasts is given up, in a sentence about it; capture stays as it was."""
    monkeypatch.setattr(adoption, "ATTEMPTS", 1)
    here.insert(PRIMARY, A)
    with psycopg.connect(here.dsn(PRIMARY)) as reader:
        reader.execute("SELECT 1 FROM public.planning")
        with pytest.raises(TimedOut, match=r"A transaction on prisma .* could not be turned off"):
            adoption.capture(here.primary, wanted=False)
    assert here.primary.standing().since is not None
