"""Numbers of lines grow in the order of commits, whoever adds one: a transaction in flight is never overtaken.

An application's transaction takes its number while it holds its row, and may stay open for long after. What is added
beside it, by a judgement or by a person's decision, must not stand for a row that nobody has seen yet.
"""

from __future__ import annotations

import psycopg

from contracts.replication import Applied
from storage.migrations.values import Side
from tests.support.replication import AT, PATIENT_S, World, keys

(A,) = keys(1)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
INSERT = f"""
INSERT INTO public.planning (id, type, title, content, created_at, updated_at)
VALUES ('{A}', 'story', 'in flight', '{{}}', '{AT}', '{AT}')
"""


def carried(world: World) -> None:
    """Carry over what can be, and expect that nothing is left and both sides are equal."""
    world.relay.drain()
    assert (world.lines(PRIMARY, A), world.lines(SECONDARY, A)) == ([], [])
    assert len(set(world.titles(A))) == 1


def test_a_touched_row_that_is_being_changed_is_not_overtaken(here: World) -> None:
    """A line that a decision adds while a transaction writes the row is left alone until that one has ended."""
    here.insert(PRIMARY, A)
    here.relay.drain()
    with psycopg.connect(here.dsn(PRIMARY)) as writer:
        writer.execute("UPDATE public.planning SET title = 'in flight' WHERE id = %s", [A])
        here.book.touch([A])
        assert [item.ready for item in here.primary.changes(at_most=9).items] == [False]
        assert here.relay.deliver(A, deadline_s=PATIENT_S) == Applied.LOCKED
        here.relay.drain()
    assert len(here.lines(PRIMARY, A)) == 2
    carried(here)
    assert here.title(SECONDARY, A) == "in flight"


def test_a_touched_key_that_is_being_made_is_not_overtaken(here: World) -> None:
    """The same of a row that nobody can lock, as it is not there yet; an insert that is rolled back leaves nothing."""
    for end in ("rollback", "commit"):
        with psycopg.connect(here.dsn(PRIMARY)) as writer:
            writer.execute(INSERT.encode())
            here.book.touch([A])
            here.relay.drain()
            getattr(writer, end)()
        carried(here)
        assert here.title(SECONDARY, A) == (None if end == "rollback" else "in flight")


def test_a_judgement_beside_an_insert_does_not_hide_it(here: World) -> None:
    """A proposal that changes nothing is accepted while a row is being made; the next one meets that row."""
    here.insert(SECONDARY, A)
    here.delete(SECONDARY, A)
    with psycopg.connect(here.dsn(PRIMARY)) as writer:
        writer.execute(INSERT.encode())
        here.relay.drain()
        assert here.lines(SECONDARY, A) == []
    here.insert(SECONDARY, A, title="theirs")
    carried(here)
    assert here.title(PRIMARY, A) == "in flight"
    assert [(found.loser or {})["title"] for found in here.book.conflicts(keys=[A])] == ["theirs"]


def test_a_later_transaction_does_not_wait_for_the_touched(here: World) -> None:
    """Once the application has written the row again nothing older can be in flight: it is carried over at once."""
    here.insert(PRIMARY, A)
    here.relay.drain()
    with psycopg.connect(here.dsn(PRIMARY)) as idle:
        idle.execute("SELECT pg_current_xact_id()")
        here.book.touch([A])
        here.titled(PRIMARY, A, "later")
        carried(here)
        here.book.touch([A])
        here.relay.drain()
        assert len(here.lines(PRIMARY, A)) == 1
    carried(here)
