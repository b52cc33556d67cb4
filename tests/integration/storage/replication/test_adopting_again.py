"""What was read before an adoption began is never carried over, however late it comes, and nothing is while it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from contracts.errors import SchemaMismatch, TimedOut
from contracts.replication import Applied, Gap, Judged
from flows.sync import drain
from storage.migrations.replication_doors import REPLICATION_DOORS
from storage.migrations.values import Side
from storage.replication import adoption
from tests.integration.storage.replication.test_order_of_locks import superuser, until_it_waits
from tests.support.replication import World, keys

A, B, C = keys(3)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
MANY = 25_000  # more than are numbered anew at a time

sides = pytest.mark.parametrize("side", Side)


def quietly(world: World, key: str, title: str) -> None:
    """Change a row of the secondary unnoticed: what a check calls lost, and why somebody adopts again."""
    with psycopg.connect(world.pair.secondary_superuser) as connection:
        connection.execute("ALTER TABLE public.planning DISABLE TRIGGER twinstore_capture")
        connection.execute("UPDATE public.planning SET title = %s WHERE id = %s", [title, key])
        connection.execute("ALTER TABLE public.planning ENABLE ALWAYS TRIGGER twinstore_capture")


def losers(world: World) -> list[str | None]:
    """Return the titles of rows that are kept as conflicts."""
    return [(conflict.loser or {})["title"] for conflict in world.book.conflicts()]


def test_nothing_is_carried_over_while_the_stores_are_adopted(both: World) -> None:
    """Neither what was read before nor what is read meanwhile, either way; afterwards all of it that is read anew."""
    both.insert(PRIMARY, A, B, C)
    both.relay.drain()
    both.titled(PRIMARY, A, "P")
    both.titled(SECONDARY, B, "S")
    delivery, proposals = both.primary.look([A])[A], both.secondary.changes(at_most=10).items
    _, theirs = adoption.begin(both.primary, both.secondary, both.book)
    read = both.primary.look([A])[A], both.secondary.changes(at_most=10).items
    for item, proposed in ((delivery, proposals), read):
        assert [verdict.outcome for verdict in both.secondary.apply([item])] == [Applied.BUSY]
        assert [verdict.outcome for verdict in both.primary.judge(proposed)] == [Judged.LOCKED]
    assert both.relay.deliver(A, deadline_s=5) == Applied.BUSY
    adoption.finish(both.secondary, both.book, differing=(), begun=theirs)
    assert [verdict.outcome for verdict in both.secondary.apply([delivery, read[0]])] == [Applied.BUSY] * 2
    assert [verdict.outcome for verdict in both.primary.judge(proposals)] == [Judged.LOCKED]
    assert (both.titles(A), both.titles(B)) == (("P", "T"), ("T", "S"))
    both.relay.drain()
    assert (both.titles(A), both.titles(B)) == (("P", "P"), ("S", "S"))


def test_a_late_delivery_replaces_nothing_after_an_adoption(here: World) -> None:
    """A change of the secondary that was judged meanwhile stays, though adoption forgets what became of older ones."""
    here.insert(PRIMARY, A)
    here.relay.drain()
    here.titled(SECONDARY, A, "first")
    found = here.secondary.changes(at_most=10).items
    here.primary.judge(found)
    here.secondary.settle([(item.key, item.change or 0) for item in found])
    late = here.primary.look([A])[A]
    here.titled(SECONDARY, A, "second")
    here.relay.drain()
    here.adopt()
    assert here.secondary.apply([late])[0].outcome == Applied.BUSY
    here.run(SECONDARY, "UPDATE public.planning SET status = 'active'")
    here.relay.drain()
    assert here.titles(A) == ("second", "second")


def test_an_adoption_and_a_batch_do_not_overlap(here: World) -> None:
    """Who begins one waits for the batches that are under way, and a batch waits for nobody: it is turned away."""
    here.insert(PRIMARY, A, B)
    here.relay.drain()
    here.titled(PRIMARY, A, "P")
    here.titled(SECONDARY, B, "S")
    delivery, proposals = here.primary.look([A])[A], here.secondary.changes(at_most=10).items
    for side in Side:
        with psycopg.connect(here.dsn(side)) as beginning:
            beginning.execute("SELECT FROM twinstore.capture FOR UPDATE")
            if side is PRIMARY:
                assert here.primary.judge(proposals)[0].outcome == Judged.LOCKED
            else:
                assert here.secondary.apply([delivery])[0].outcome == Applied.BUSY
            beginning.rollback()
    here.relay.drain()
    assert (here.titles(A), here.titles(B)) == (("P", "P"), ("S", "S"))


@sides
def test_who_adopts_waits_for_a_batch_and_who_notes_a_gap_does_not(here: World, side: Side) -> None:
    """An application that truncates holds the whole table meanwhile, which batches need: they would deadlock."""
    here.insert(side, A)
    door = REPLICATION_DOORS["judge" if side is PRIMARY else "apply"].function(here.dataset, side)
    late = json.dumps([{"key": A, "adoption": "an older one"}])
    with psycopg.connect(here.dsn(side)) as batch, ThreadPoolExecutor() as pool:
        batch.execute(sql.SQL("SELECT {}(%s)").format(sql.Identifier(*door)), [late])
        for gap in ("TRUNCATE public.planning", "SET session_replication_role = replica; DELETE FROM public.planning"):
            with psycopg.connect(superuser(here, side)) as noting:
                noting.execute("SET lock_timeout = '500ms'")
                noting.execute(gap.encode())
                assert noting.execute("SELECT gap_reason IS NOT NULL FROM twinstore.capture").fetchone() == (True,)
                noting.rollback()
        work = pool.submit(here.adopt)
        until_it_waits(here, side, work)
        assert not work.done()
        batch.commit()
        work.result()


def test_a_relay_that_waited_for_its_turn_proves_again(here: World) -> None:
    """What was proved before others had their turn may have passed: an adoption began, or a gap was found."""
    here.insert(PRIMARY, A)

    @contextmanager
    def turn() -> Iterator[None]:
        here.book.gap(Gap.REPLICA, adoption=here.primary.standing().adoption)
        yield

    with pytest.raises(SchemaMismatch):
        drain(here.relay, turn)
    assert here.titles(A) == ("T", None)


def test_of_two_adoptions_at_once_the_later_one_counts(here: World) -> None:
    """What the first one ends lets nothing be carried over that the second has not compared."""
    here.insert(PRIMARY, A)
    here.relay.drain()
    quietly(here, A, "S alone")
    _, first = adoption.begin(here.primary, here.secondary, here.book)
    _, second = adoption.begin(here.primary, here.secondary, here.book)
    here.titled(PRIMARY, A, "P")
    adoption.finish(here.secondary, here.book, differing=(), begun=first)
    assert not here.relay.status().ready
    list(here.relay.passing())
    assert here.titles(A) == ("P", "S alone")
    adoption.finish(here.secondary, here.book, differing=[A], begun=second)
    here.relay.drain()
    assert (here.titles(A), losers(here)) == (("P", "P"), ["S alone"])


def test_what_was_accepted_stays_so_under_a_new_number(here: World) -> None:
    """The secondary's next change of it stands against nothing."""
    here.insert(PRIMARY, A, B)
    here.relay.drain()
    here.titled(SECONDARY, A, "first")
    here.primary.judge(here.secondary.changes(at_most=10).items)
    here.titled(PRIMARY, B, "later")
    here.relay.deliver(B, deadline_s=5)
    here.adopt()
    assert here.ask(PRIMARY, "SELECT proposed FROM twinstore.change WHERE key = %s", A) == [(True,)]
    here.titled(SECONDARY, A, "second")
    here.relay.drain()
    assert (here.titles(A), losers(here)) == (("second", "second"), [])


@sides
def test_what_waits_is_numbered_anew_in_parts(own: World, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others pass between them; what waits has one line of the same age then, and a slow store is given up."""
    own.run(
        side,
        "INSERT INTO twinstore.change (dataset, key, parts, at)"
        " SELECT 'planning', n::text, ARRAY[n::text], now() - make_interval(days => part)"
        f" FROM generate_series(1, 2) AS part, generate_series(1, {MANY}) AS n",
    )
    oldest = own.doors(side).standing().oldest_at
    monkeypatch.setattr(adoption, "LONGEST_S", 0.02)
    with pytest.raises(TimedOut, match=r"could not be turned on within 0\.02 s"):
        adoption.capture(own.doors(side), wanted=True, beyond=2 * MANY, wait=held_up)
    monkeypatch.undo()
    waited: list[float] = []
    adoption.capture(own.doors(side), wanted=True, beyond=2 * MANY, wait=waited.append)
    assert waited == [adoption.PAUSE_S]
    found = own.ask(side, "SELECT count(*), count(DISTINCT key), min(id), min(at), max(at) FROM twinstore.change")
    assert found == [(MANY, MANY, 2 * MANY + 1, oldest, oldest)]
    assert own.doors(side).standing().oldest_at == oldest
    adoption.capture(own.doors(side), wanted=True, beyond=2 * MANY, wait=held_up)


def held_up(seconds: float) -> None:
    """Fail: nobody should have to wait."""
    pytest.fail(f"it waits for {seconds} s")
