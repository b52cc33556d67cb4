"""What was read before an adoption began is never carried over, however late it comes, and nothing is while it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from contracts.errors import Conflict, SchemaMismatch, TimedOut
from contracts.replication import Applied, Gap, Judged
from flows.sync import drain
from storage.migrations.replication_doors import REPLICATION_DOORS
from storage.migrations.values import Side
from storage.replication import adoption
from tests.integration.storage.replication.test_order_of_locks import superuser, until_it_waits
from tests.support.replication import PATIENT_S, World, keys

A, B, C = keys(3)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
MANY = 12_000  # keys with three lines each: more lines than are numbered anew at a time
PORTION = 20_000

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
    assert both.relay.deliver(A, deadline_s=PATIENT_S) == Applied.BUSY
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
    with pytest.raises(Conflict, match="Another adoption began"):
        adoption.finish(here.secondary, here.book, differing=(), begun=first)
    assert not here.relay.status().ready
    list(here.relay.passing())
    assert here.titles(A) == ("P", "S alone")
    adoption.finish(here.secondary, here.book, differing=[A], begun=second)
    here.relay.drain()
    assert (here.titles(A), losers(here)) == (("P", "P"), ["S alone"])


def off_and_on(world: World) -> None:
    """Turn capture of the primary off, and on again after a write."""
    adoption.capture(world.primary, wanted=False)
    world.titled(PRIMARY, A, "passed by")
    adoption.capture(world.primary, wanted=True)


def as_a_replica(world: World) -> None:
    """Write to the primary as a session that restores."""
    with psycopg.connect(superuser(world, PRIMARY)) as restoring:
        restoring.execute("SET session_replication_role = replica")
        restoring.execute("UPDATE public.planning SET title = 'passed by'")


def begun(world: World) -> None:
    """Have another adoption begin, and be killed at once, before it has told the secondary."""
    world.book.halt("11111111-1111-4111-8111-111111111111")


def halted(world: World) -> None:
    """Have nothing carried over, as who restores a backup does."""
    world.book.halt()


@pytest.mark.parametrize("happen", [off_and_on, as_a_replica, begun, halted])
def test_an_adoption_ends_only_where_it_is_still_the_one(own: World, happen: Callable[[World], None]) -> None:
    """What happens to capture while differences are kept leaves the stores unadopted; the next one goes through."""
    own.insert(PRIMARY, A, B)
    own.relay.drain()
    quietly(own, B, "S alone")
    _, theirs = adoption.begin(own.primary, own.secondary, own.book)
    with pytest.raises(Conflict, match="may have passed by"):
        adoption.finish(own.secondary, own.book, differing=[B], begun=theirs, progress=lambda _: happen(own))
    assert not own.relay.status().ready
    differing = [key for key in (A, B) if len(set(own.titles(key))) > 1]
    _, theirs = adoption.begin(own.primary, own.secondary, own.book)
    assert adoption.finish(own.secondary, own.book, differing=differing, begun=theirs) == len(differing) - 1
    assert own.relay.prove().conflicts == len(differing)


def test_a_first_adoption_that_was_overtaken_does_not_end(own: World) -> None:
    """Neither does one of an earlier version, which told the secondary alone; the next one needs nothing but itself."""
    adoption.capture(own.primary, wanted=False)
    name = "22222222-2222-4222-8222-222222222222"
    own.book.halt(name)  # there is nothing yet that could hold it
    adoption.begin(own.primary, own.secondary, own.book)
    adoption.capture(own.secondary, wanted=True, adoption=name)
    begun = adoption.capture(own.primary, wanted=True, adoption=name), own.secondary.standing()
    assert begun[1].adoption == name
    for _ in range(2):
        with pytest.raises(Conflict):
            adoption.finish(own.secondary, own.book, differing=(), begun=begun[1])
        own.run(PRIMARY, "UPDATE twinstore.capture SET adoption = NULL")
    assert not own.relay.status().ready
    own.adopt()
    assert own.relay.prove().ready


def test_what_was_accepted_stays_so_under_a_new_number(here: World) -> None:
    """The secondary's next change of it stands against nothing."""
    here.insert(PRIMARY, A, B)
    here.relay.drain()
    here.titled(SECONDARY, A, "first")
    here.primary.judge(here.secondary.changes(at_most=10).items)
    here.titled(PRIMARY, B, "later")
    here.relay.deliver(B, deadline_s=PATIENT_S)
    here.adopt()
    assert here.ask(PRIMARY, "SELECT proposed FROM twinstore.change WHERE key = %s", A) == [(True,)]
    here.titled(SECONDARY, A, "second")
    here.relay.drain()
    assert (here.titles(A), losers(here)) == (("second", "second"), [])


@sides
def test_what_waits_is_numbered_anew_in_parts(own: World, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others pass between them, and a slow store is given up.

    A part is so many lines, however many of them a key has, so that each takes about as long and every one is a step
    forward. The lines of a key in one part become one, and those in another part another: together they say what they
    said, since when the key waits, and whether all of its changes came from the secondary.
    """
    proposed, known = (", proposed", ", bool_and(proposed)") if side is PRIMARY else ("", "")
    each = ", n %% 3 = 0 OR n %% 3 = 1 AND line > 1" if proposed else ""
    for lines in ("generate_series(1, 2)", "generate_series(3, 3)"):
        own.run(
            side,
            f"INSERT INTO twinstore.change (dataset, key, parts, at{proposed})"
            f" SELECT 'planning', n::text, ARRAY[n::text], now() - make_interval(days => 4 - line){each}"
            f" FROM generate_series(1, {MANY}) AS n, {lines} AS line ORDER BY n, line",
        )
    said = f"SELECT key, min(at){known} FROM twinstore.change GROUP BY key ORDER BY key"
    before, oldest = own.ask(side, said), own.doors(side).standing().oldest_at
    monkeypatch.setattr(adoption, "LONGEST_S", 0.02)
    with pytest.raises(TimedOut, match=r"could not be turned on within 0\.02 s"):
        adoption.capture(own.doors(side), wanted=True, beyond=3 * MANY, wait=held_up)
    monkeypatch.undo()
    left: list[int] = []

    def wait(seconds: float) -> None:
        assert seconds == adoption.PAUSE_S
        ((number,),) = own.ask(side, "SELECT count(*) FROM twinstore.change WHERE id <= %s", 3 * MANY)
        left.append(number)

    adoption.capture(own.doors(side), wanted=True, beyond=3 * MANY, wait=wait)
    assert left == [3 * MANY - PORTION]
    assert own.ask(side, said) == before
    ((number, first),) = own.ask(side, "SELECT count(*), min(id) FROM twinstore.change")
    assert (number, first) == (PORTION // 2 + MANY, 3 * MANY + 1)
    assert own.doors(side).standing().oldest_at == oldest
    adoption.capture(own.doors(side), wanted=True, beyond=3 * MANY, wait=held_up)


@sides
@pytest.mark.parametrize("lines", [PORTION + 1, 9])
def test_what_is_committed_while_an_adoption_waits_is_numbered_anew(own: World, side: Side, lines: int) -> None:
    """All of it, be it more than a part, or all that the side has with old numbers; else it would count as judged."""
    last = own.doors(side).standing().last_change
    with psycopg.connect(superuser(own, side)) as bulk, ThreadPoolExecutor() as pool:
        bulk.execute("LOCK TABLE public.planning IN ROW EXCLUSIVE MODE")  # as whoever writes to it
        bulk.execute(
            "INSERT INTO twinstore.change (dataset, key, parts)"
            " SELECT 'planning', n::text, ARRAY[n::text] FROM generate_series(1, %s) AS n",
            [lines],
        )
        heard = last + lines
        work = pool.submit(adoption.capture, own.doors(side), wanted=True, beyond=heard, adoption=str(uuid4()))
        until_it_waits(own, side, work)
        bulk.commit()
        work.result()
    assert own.ask(side, "SELECT count(*), min(id) > %s FROM twinstore.change", heard) == [(lines, True)]


def held_up(seconds: float) -> None:
    """Fail: nobody should have to wait."""
    pytest.fail(f"it waits for {seconds} s")
