"""What passes by capture is noticed, and then nothing is carried over until somebody has looked and adopts again."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg
import pytest

from contracts.errors import SchemaMismatch
from contracts.replication import Gap
from storage.local.stores import create_prisma_table
from storage.migrations.values import Side
from tests.support.replication import World, keys

A, B, C = keys(3)
PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
ALTER = "ALTER TABLE public.planning"

sides = pytest.mark.parametrize("side", Side)


def truncated(world: World, side: Side) -> None:
    """Empty the table as `prisma migrate reset` and tests do."""
    world.run(side, "TRUNCATE public.planning")


def as_replica(world: World, side: Side) -> None:
    """Write as a session that restores or replicates."""
    superuser = world.pair.primary_superuser if side is PRIMARY else world.pair.secondary_superuser
    with psycopg.connect(superuser) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE public.planning SET title = 'by a restore'")


def disabled(world: World, side: Side) -> None:
    """Disable the trigger."""
    world.run(side, f"{ALTER} DISABLE TRIGGER twinstore_capture")


def disabled_as_a_rule(world: World, side: Side) -> None:
    """Enable the trigger in the way in which others are, so that a restoring session passes by it."""
    world.run(side, f"{ALTER} ENABLE TRIGGER twinstore_capture")


def dropped(world: World, side: Side) -> None:
    """Drop one of the triggers."""
    world.run(side, "DROP TRIGGER twinstore_capture_truncate ON public.planning")


def another_function(world: World, side: Side) -> None:
    """Put a trigger of that name that does something else in its place."""
    world.run(side, "CREATE FUNCTION public.idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    world.run(
        side,
        "CREATE OR REPLACE TRIGGER twinstore_capture AFTER INSERT OR UPDATE OR DELETE ON public.planning"
        " FOR EACH ROW EXECUTE FUNCTION public.idle()",
    )
    world.run(side, f"{ALTER} ENABLE ALWAYS TRIGGER twinstore_capture")


def made_anew(world: World, side: Side) -> None:
    """Drop the table and make it again, as `prisma db push --force-reset` does."""
    if side is PRIMARY:
        world.run(side, "DROP TABLE public.planning")
        create_prisma_table(world.pair.primary)
    else:
        world.run(
            side, "ALTER TABLE public.planning RENAME TO old; CREATE TABLE public.planning (LIKE old INCLUDING ALL)"
        )


GAPS: list[tuple[Callable[[World, Side], None], Gap]] = [
    (truncated, Gap.TRUNCATED),
    (as_replica, Gap.REPLICA),
    (disabled, Gap.TRIGGERS),
    (disabled_as_a_rule, Gap.TRIGGERS),
    (dropped, Gap.TRIGGERS),
    (another_function, Gap.TRIGGERS),
    (made_anew, Gap.OTHER_TABLE),
]


@sides
@pytest.mark.parametrize(("happen", "gap"), GAPS, ids=[happen.__name__ for happen, _ in GAPS])
def test_a_gap_stops_the_relay_until_the_stores_are_adopted(
    own: World, side: Side, happen: Callable[[World, Side], None], gap: Gap
) -> None:
    """It is told with its reason, nothing is carried over meanwhile, and adoption ends it."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    own.insert(PRIMARY, B)
    happen(own, side)
    standing = own.doors(side).standing()
    assert standing.gap is gap
    with pytest.raises(SchemaMismatch, match="adopt") as raised:
        own.relay.drain()
    assert raised.value.store == side.store
    assert own.title(SECONDARY, B) is None
    own.adopt()
    assert own.doors(side).standing().gap is None
    own.insert(PRIMARY, C)
    own.relay.drain()
    assert own.titles(C) == ("T", "T")


@sides
def test_the_first_gap_is_remembered(own: World, side: Side) -> None:
    """What comes after it changes neither its moment nor its reason."""
    truncated(own, side)
    first = own.doors(side).standing()
    as_replica(own, side)
    assert own.doors(side).standing().gap_at == first.gap_at is not None
    assert own.doors(side).standing().gap is Gap.TRUNCATED


@sides
def test_what_a_restoring_session_writes_is_captured_as_well(own: World, side: Side) -> None:
    """The gap stops the relay, and the line is there for when it goes on."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    as_replica(own, side)
    assert len(own.lines(side, A)) == 1


def test_a_table_that_is_gone_is_a_gap(own: World) -> None:
    """Not to find the table is no error of the question."""
    own.run(PRIMARY, "DROP TABLE public.planning")
    assert own.primary.standing().gap is Gap.OTHER_TABLE


def test_a_dumped_table_that_is_restored_is_another_one(own: World) -> None:
    """Rows that came back from a dump into a new table are not taken for those that were captured."""
    own.insert(PRIMARY, A)
    own.run(PRIMARY, "CREATE TABLE public.copy (LIKE public.planning INCLUDING ALL)")
    own.run(PRIMARY, "INSERT INTO public.copy SELECT * FROM public.planning")
    own.run(PRIMARY, "DROP TABLE public.planning")
    own.run(PRIMARY, "ALTER TABLE public.copy RENAME TO planning")
    assert own.primary.standing().gap is Gap.OTHER_TABLE


# A store that is older than what the other has heard of it


def remembered(world: World, side: Side) -> str:
    """Return all that a side holds, as a backup does."""
    tables = ["public.planning", "twinstore.change", "twinstore.row_state", "twinstore.capture"]
    found = {t: [row for (row,) in world.ask(side, f"SELECT to_jsonb(t) FROM {t} AS t")] for t in tables}
    ((last,),) = world.ask(side, "SELECT last_value FROM twinstore.change_id_seq")
    return json.dumps({"last": last, **found})


def restored(world: World, side: Side, backup: str, *, ahead: int = 32) -> None:
    """Bring a side back to what it was, in place, as a restore of its files does.

    Args:
        world: The stores.
        side: The side.
        backup: What it held.
        ahead: How far its sequence is ahead of that, since PostgreSQL logs so many numbers at once.
    """
    held = json.loads(backup)
    last = held.pop("last")
    superuser = world.pair.primary_superuser if side is PRIMARY else world.pair.secondary_superuser
    with psycopg.connect(superuser) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(f"{ALTER} DISABLE TRIGGER ALL".encode())
        for table, rows in held.items():
            connection.execute(f"DELETE FROM {table}".encode())
            connection.execute(
                f"INSERT INTO {table} OVERRIDING SYSTEM VALUE"
                f" SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)".encode(),
                [json.dumps(rows)],
            )
        connection.execute("SELECT setval('twinstore.change_id_seq', %s)", [last + ahead])
        connection.execute(f"{ALTER} ENABLE TRIGGER USER".encode())
        for name in ("twinstore_capture", "twinstore_capture_truncate"):
            connection.execute(f"{ALTER} ENABLE ALWAYS TRIGGER {name}".encode())


@sides
def test_a_store_that_was_restored_is_found_out(own: World, side: Side) -> None:
    """A side that knows less than the other heard of it is a gap, and numbers go on beyond it after adoption."""
    own.insert(side, A)
    own.relay.drain()
    backup = remembered(own, side)
    for title in ("one", "two", "three"):
        own.titled(side, A, title)
        own.relay.drain()
    restored(own, side, backup)
    assert own.title(side, A) == "T"
    own.titled(side, A, "after")
    with pytest.raises(SchemaMismatch, match="older") as raised:
        own.relay.drain()
    assert raised.value.store == side.store
    assert sorted(own.titles(A), key=str) == ["after", "three"]
    own.adopt()
    assert own.lines(side, A)[-1] > 4
    own.relay.drain()
    assert len(set(own.titles(A))) == 1
    assert own.titles(A)[0] == "after" or [(c.loser or {})["title"] for c in own.book.conflicts()] == ["after"]


def test_a_restored_primary_is_noticed_while_it_delivers(own: World) -> None:
    """Also when it is found out by what the secondary answers only, and what was written before is settled nowhere."""
    own.insert(PRIMARY, A)
    own.relay.drain()
    backup = remembered(own, PRIMARY)
    own.titled(PRIMARY, A, "one")
    own.titled(PRIMARY, A, "two")
    own.relay.drain()
    restored(own, PRIMARY, backup, ahead=0)
    own.titled(PRIMARY, A, "after")
    with pytest.raises(SchemaMismatch, match="older"):
        list(own.relay.passing())
    assert len(own.lines(PRIMARY, A)) == 1
    assert own.primary.standing().gap is Gap.RESTORED
