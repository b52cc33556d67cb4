"""Relays that share no lease take the states of keys in one order, so that none of them is a deadlock's victim.

What somebody else holds is waited for once in a batch, since others wait meanwhile for what it has written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from contracts.replication import Applied, Direction
from storage.migrations.values import Side
from storage.replication.messages import Item, Verdict
from tests.support.replication import World, keys, other

A, B, *MORE = keys(122)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
SETTLING = "UPDATE twinstore.row_state SET rev = rev WHERE key = %s"
MAKING = "INSERT INTO twinstore.row_state (dataset, key) VALUES ('planning', %s)"
WAITING = """
CREATE FUNCTION public.waiting() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
IF new.title = 'waits' THEN PERFORM pg_advisory_xact_lock_shared(1); END IF; RETURN new; END $f$;
CREATE TRIGGER waiting BEFORE INSERT ON public.planning FOR EACH ROW EXECUTE FUNCTION public.waiting()
"""
_WAITS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"

sides = pytest.mark.parametrize("side", Side)


def until_it_waits(world: World, side: Side, work: Future[Any]) -> None:
    """Return when a session of that side waits for a lock, or the work is done."""
    deadline = time.monotonic() + 60
    while not work.done() and world.ask(side, _WAITS) != [(True,)]:
        assert time.monotonic() < deadline


def superuser(world: World, side: Side) -> str:
    """Return the URL of a side as somebody who may say after how long a deadlock is looked for."""
    return world.pair.primary_superuser if side is PRIMARY else world.pair.secondary_superuser


def sent(world: World, side: Side) -> Callable[[Sequence[Item]], tuple[Verdict, ...]]:
    """Return what writes changes of the other side to this one."""
    return world.primary.judge if side is PRIMARY else world.secondary.apply


@sides
def test_a_batch_waits_for_no_state_while_it_holds_others(here: World, side: Side) -> None:
    """Row by row, in the order of the changes, as where a row is refused: what another relay settles is left to it."""
    here.insert(other(side), B, A)
    here.relay.drain()
    for key in (B, A):
        here.titled(other(side), key, "second")
    b, a = here.doors(other(side)).changes(at_most=9).items
    assert (b.key, a.key) == (B, A)
    with psycopg.connect(superuser(here, side)) as relay, ThreadPoolExecutor() as pool:
        relay.execute("SET deadlock_timeout = '10ms'")
        relay.execute(SETTLING, [A])
        work = pool.submit(sent(here, side), [b, a, b])  # one by one, since a key is there twice
        until_it_waits(here, side, work)
        relay.execute(SETTLING, [B])
        relay.commit()
        outcomes = [str(verdict.outcome) for verdict in work.result()]
    assert outcomes[1] == "locked"
    here.relay.drain()
    assert (here.titles(A), here.titles(B)) == (("second", "second"), ("second", "second"))


@sides
def test_states_are_settled_in_the_order_of_keys(here: World, side: Side) -> None:
    """Whoever waits for a key holds no later one, in whatever order they were carried over, nor their lines."""
    here.insert(other(side), B, A)
    here.relay.drain()
    for key in (B, A):
        here.titled(side, key, "second")
    acks = [(key, here.lines(side, key)[-1]) for key in (B, A)]
    with psycopg.connect(here.dsn(side)) as relay, ThreadPoolExecutor() as pool:
        relay.execute(SETTLING, [A])
        work = pool.submit(here.doors(side).settle, acks)
        until_it_waits(here, side, work)
        assert not work.done()
        relay.execute("SELECT FROM twinstore.row_state WHERE key = %s FOR UPDATE NOWAIT", [B])
        relay.execute("SELECT FROM twinstore.change FOR UPDATE NOWAIT")
        relay.commit()
        work.result()
    assert (here.lines(side, A), here.lines(side, B)) == ([], [])


@sides
def test_states_are_made_in_the_order_of_keys(here: World, side: Side) -> None:
    """Of keys that nobody has heard of, too: what another relay makes at this moment is left for the next time."""
    here.insert(other(side), B, A)
    items = here.doors(other(side)).changes(at_most=9).items
    with psycopg.connect(superuser(here, side)) as relay, ThreadPoolExecutor() as pool:
        relay.execute("SET deadlock_timeout = '10ms'")
        relay.execute(MAKING, [A])
        work = pool.submit(sent(here, side), items)
        until_it_waits(here, side, work)
        relay.execute(MAKING, [B])
        assert [str(verdict.outcome) for verdict in work.result()] == ["locked", "locked"]
    here.relay.drain()
    assert (here.titles(A), here.titles(B)) == (("T", "T"), ("T", "T"))


def test_refusals_are_noted_in_the_order_of_keys(here: World) -> None:
    """Whatever the order in which they came: whoever waits for a key holds no later one."""
    here.insert(PRIMARY, B, A)
    refusals = [
        (
            Verdict(key=key, outcome=Applied.REJECTED, rev=None, code="23514", rule=None),
            here.lines(PRIMARY, key)[-1],
        )
        for key in (B, A)
    ]
    for refusal in refusals:  # so that they lie in this order
        here.book.refused(Direction.TO_SECONDARY, [refusal])
    with psycopg.connect(here.dsn(PRIMARY)) as relay, ThreadPoolExecutor() as pool:
        relay.execute("SELECT FROM twinstore.delivery WHERE key = %s FOR UPDATE", [A])
        work: Future[Any] = pool.submit(here.book.refused, Direction.TO_SECONDARY, refusals)
        until_it_waits(here, PRIMARY, work)
        assert not work.done()
        relay.execute("SELECT FROM twinstore.delivery WHERE key = %s FOR UPDATE NOWAIT", [B])
        relay.commit()
        work.result()
    assert len(here.book.letters(dead_only=False)) == 2


@sides
def test_a_batch_waits_once_for_what_somebody_else_holds(here: World, side: Side) -> None:
    """Such as the row that many new ones refer to: what was written before them is held no longer than that."""
    here.insert(other(side), A)
    here.insert(other(side), *MORE, title="waits")
    items = here.doors(other(side)).changes(at_most=199).items
    here.run(side, WAITING)
    try:
        with psycopg.connect(here.dsn(side)) as holder:
            holder.execute("SELECT pg_advisory_lock(1)")
            began = time.monotonic()
            first, *rest = [str(verdict.outcome) for verdict in sent(here, side)(items)]
            took_s = time.monotonic() - began
        assert (first in ("applied", "accepted"), rest) == (True, ["locked"] * len(MORE))
        assert took_s < 16  # once for all of them together, and once one by one: 0.4 s; 24 s if each of them waited
        here.relay.drain()
    finally:
        here.run(side, "DROP FUNCTION public.waiting() CASCADE")
    assert here.titles(MORE[-1]) == ("waits", "waits")
