"""What waits may be large, or very much: neither stops the relay or an application, or makes a question slow."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from contracts.errors import TimedOut
from contracts.replication import MANY
from storage.migrations.values import Side
from storage.replication.by_rest import RestCall
from storage.replication.doors import SecondaryDoors
from storage.rest.client import RestAccess, RestClient, RestLimits
from tests.support.gateway import serve
from tests.support.replication import World, keys

MOST = 2_000_000  # bytes that are read at a time, and one row
SIZE = 900_000
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
FILL = """
UPDATE public.planning
SET content = jsonb_build_object('id', id, 'type', 'story', 'content', repeat('x', %s))
"""
LINES = """
INSERT INTO twinstore.change (dataset, key, parts)
SELECT 'planning', 'k' || n %% 9, ARRAY['k'] FROM generate_series(1, %s) AS n
"""

sides = pytest.mark.parametrize("side", Side)


@sides
def test_large_rows_come_in_pieces(here: World, side: Side) -> None:
    """Few are read at a time, none is left out, and a key with a later line comes with its last line."""
    some = keys(5)
    here.insert(side, *some)
    here.run(side, FILL, SIZE)
    here.titled(side, some[0], "last")
    found: list[str] = []
    after: int | None = 0
    while after is not None:
        piece = here.doors(side).changes(after=after, at_most=500)
        sizes = [len((item.row or {})["content"] or "") for item in piece.items]
        assert sum(sizes[:-1]) <= MOST
        found += [item.key for item in piece.items]
        after = piece.next
    assert list(dict.fromkeys(found)) == some
    here.relay.drain()
    assert here.titles(some[0]) == ("last", "last")
    assert [here.lines(one, key) for one in Side for key in some] == [[]] * 10


@pytest.mark.parametrize("deadline_s", [None, 20.0])
def test_what_is_too_much_at_once_is_asked_for_in_halves(here: World, deadline_s: float | None) -> None:
    """An answer over REST has a limit: only a row that is larger alone cannot be had, and a deadline is one for all."""
    some = keys(5)
    here.insert(SECONDARY, *some)
    here.run(SECONDARY, FILL, SIZE)
    with serve(here.pair.secondary_gate) as rest:
        access = RestAccess(url=rest.url, key=rest.secret_key)
        for most, fits in ((SIZE * 3 // 2, True), (SIZE // 2, False)):
            client = RestClient(access, limits=RestLimits(max_answer_bytes=most))
            with closing(SecondaryDoors(RestCall(client, here.dataset), here.dataset)) as doors:
                if fits:
                    assert doors.look(some, deadline_s=deadline_s) == here.secondary.look(some)
                    assert client.meter.requests > len(some)
                    with pytest.raises(TimedOut, match="in time"):
                        doors.look(some, deadline_s=0.0)
                else:
                    with pytest.raises(TimedOut, match="larger than"):
                        doors.look(some, deadline_s=deadline_s)


def test_what_waits_is_counted_so_far_and_no_further(here: World) -> None:
    """Every key up to so many lines; beyond that it is only known that they are more."""
    here.run(PRIMARY, LINES, MANY)
    assert here.primary.standing().dirty == 9
    here.run(PRIMARY, LINES, 1)
    assert here.primary.standing().dirty == MANY + 1


def test_a_line_that_waits_for_a_transaction_says_so(here: World) -> None:
    """A transaction in another database of the same server may be meant, as it may be any that is older."""
    (key,) = keys(1)
    here.insert(PRIMARY, key)
    here.relay.drain()
    assert here.primary.standing().held is False
    elsewhere = psycopg.conninfo.make_conninfo(here.dsn(PRIMARY), dbname="postgres")
    with psycopg.connect(elsewhere) as older:
        older.execute("SELECT pg_current_xact_id()")
        here.book.touch([key])
        assert here.primary.standing().held is True
        here.relay.drain()
        assert here.primary.standing().dirty == 1
    here.relay.drain()
    assert (here.primary.standing().held, here.primary.standing().dirty) == (False, 0)


def test_a_row_without_an_instant_comes_last(both: World) -> None:
    """An old row of the secondary may lack it: a page holds it after all others, and one after it goes on there."""
    one, two, three = keys(3)
    both.insert(SECONDARY, one, two, three)
    both.run(SECONDARY, "ALTER TABLE public.planning DROP CONSTRAINT planning_updated_at_known")
    try:
        both.run(SECONDARY, "SET twinstore.applying = 'on'")  # else the instant would be set
        both.run(SECONDARY, "UPDATE public.planning SET updated_at = NULL WHERE id <> %s", one)
        both.run(SECONDARY, "RESET twinstore.applying")
        first = both.secondary.page({}, place=None, at_most=2)
        assert [(row.key, row.at) for row in first] == [(one, first[0].at), (three, "-infinity")]
        (last,) = both.secondary.page({}, place=(first[-1].at, first[-1].key), at_most=2)
        assert (last.key, last.row["updated_at"]) == (two, None)
    finally:
        both.run(SECONDARY, "DELETE FROM public.planning")
        both.run(
            SECONDARY,
            "ALTER TABLE public.planning "
            "ADD CONSTRAINT planning_updated_at_known CHECK (updated_at IS NOT NULL) NOT VALID",
        )
