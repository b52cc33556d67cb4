"""Every committed write of a row leaves a line of its key, in its own transaction, whoever writes and however."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from storage.migrations.values import Side
from storage.replication.adoption import capture
from tests.integration.storage.replication.test_order_of_locks import superuser, until_it_waits
from tests.support.replication import AT, World, keys

A, B, C = keys(3)
COLUMNS = "id, type, title, content, status, version, created_at, updated_at"
VALUES = f"""'story', 'T', '{{"id": "x", "type": "story"}}', 'draft', 1, '{AT}', '{AT}'"""
INSERT_ALL = f"INSERT INTO public.planning ({COLUMNS}) VALUES ('{A}', {VALUES}), ('{B}', {VALUES})"

sides = pytest.mark.parametrize("side", Side)


def dirty(world: World, side: Side) -> dict[str, int]:
    """Return how many lines each key has."""
    return dict(world.ask(side, "SELECT key, count(*) FROM twinstore.change GROUP BY key"))


@sides
def test_every_kind_of_write_leaves_a_line(here: World, side: Side) -> None:
    """Insert, update and delete, of one row or of many, add one line for each row."""
    here.run(side, INSERT_ALL)
    assert dirty(here, side) == {A: 1, B: 1}
    here.run(side, "UPDATE public.planning SET status = 'active'")
    assert dirty(here, side) == {A: 2, B: 2}
    here.run(side, "DELETE FROM public.planning WHERE id = %s", B)
    assert dirty(here, side) == {A: 2, B: 3}
    assert here.lines(side, B) == sorted(here.lines(side, B))


@sides
def test_a_write_that_changes_nothing_is_a_write(here: World, side: Side) -> None:
    """Nothing is guessed from values: a row that was written as it was has a line."""
    here.insert(side, A)
    here.run(side, "UPDATE public.planning SET title = title")
    assert dirty(here, side) == {A: 2}


@sides
def test_an_upsert_leaves_a_line_whichever_way_it_goes(here: World, side: Side) -> None:
    """ON CONFLICT DO UPDATE adds a line for what it inserts and what it updates, DO NOTHING for what it inserts."""
    upsert = f"{INSERT_ALL} ON CONFLICT (id) DO"
    here.insert(side, A)
    here.run(side, f"{upsert} UPDATE SET title = excluded.title")
    assert dirty(here, side) == {A: 2, B: 1}
    here.run(side, f"{upsert} NOTHING")
    assert dirty(here, side) == {A: 2, B: 1}


@sides
def test_rows_that_are_copied_leave_lines(here: World, side: Side) -> None:
    """COPY and MERGE pass by no trigger."""
    with here.apps[side].cursor().copy(f"COPY public.planning ({COLUMNS}) FROM STDIN".encode()) as copy:
        for key in (A, B):
            copy.write_row((key, "story", "T", '{"id": "x", "type": "story"}', "draft", 1, AT, AT))
    here.run(
        side,
        "MERGE INTO public.planning AS p USING (VALUES (1)) AS s ON p.id = %s WHEN MATCHED THEN UPDATE SET title = 'M'",
        A,
    )
    assert dirty(here, side) == {A: 2, B: 1}


@sides
def test_a_key_that_changes_is_two_keys(here: World, side: Side) -> None:
    """The old key is dirty, as its row is gone, and the new one, as its row is there."""
    here.insert(side, A)
    here.run(side, "UPDATE public.planning SET id = %s WHERE id = %s", B, A)
    assert dirty(here, side) == {A: 2, B: 1}


@sides
def test_what_is_rolled_back_leaves_nothing(here: World, side: Side) -> None:
    """A transaction that is rolled back, or a part of it, leaves no line; what stays of it does."""
    with psycopg.connect(here.dsn(side)) as connection:
        connection.execute(INSERT_ALL.encode())
        connection.rollback()
        with connection.transaction():
            connection.execute(f"INSERT INTO public.planning ({COLUMNS}) VALUES ('{C}', {VALUES})".encode())
            with connection.transaction(force_rollback=True):
                connection.execute(INSERT_ALL.encode())
                connection.execute(b"UPDATE public.planning SET title = 'gone'")
    assert dirty(here, side) == {C: 1}


@sides
def test_lines_come_with_their_commit(here: World, side: Side) -> None:
    """Before the commit nobody else sees the line, after it everybody sees both line and row."""
    with psycopg.connect(here.dsn(side)) as connection:
        connection.execute(INSERT_ALL.encode())
        assert here.doors(side).changes(at_most=10).items == ()
    assert {item.key: item.row is not None for item in here.doors(side).changes(at_most=10).items} == {A: True, B: True}


@sides
def test_a_key_that_the_other_store_cannot_hold_is_left_out(here: World, side: Side) -> None:
    """Rows whose key is no canonical UUID are written as before, and are no business of replication."""
    if side is Side.PRIMARY:
        here.insert(side, "not-a-uuid", A.upper())
    assert dirty(here, side) == {}


@sides
def test_writers_need_no_right_of_ours(here: World, side: Side) -> None:
    """The functions run with our rights and not in the writer's path: a role that may write rows needs nothing else."""
    role = f"writer_of_{side.value}"
    superuser = here.pair.primary_superuser if side is Side.PRIMARY else here.pair.secondary_superuser
    with psycopg.connect(superuser, autocommit=True) as admin:
        admin.execute(f"DROP ROLE IF EXISTS {role}".encode())
        admin.execute(f"CREATE ROLE {role} BYPASSRLS".encode())
        admin.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON public.planning TO {role}".encode())
        try:
            admin.execute(f"SET ROLE {role}".encode())
            admin.execute(b"SET search_path = pg_temp")
            admin.execute(INSERT_ALL.encode())
            admin.execute(b"UPDATE public.planning SET title = 'W'")
            admin.execute(f"DELETE FROM public.planning WHERE id = '{B}'".encode())
        finally:
            admin.execute(b"RESET ROLE")
            admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())
    assert dirty(here, side) == {A: 2, B: 3}


OVERHEAR = """
CREATE TABLE public.overheard (said text);
CREATE FUNCTION public.overhear() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO public.overheard VALUES (current_setting('twinstore.applying_keys', true)); RETURN NULL; END $$;
CREATE TRIGGER overhear AFTER INSERT ON public.planning FOR EACH ROW EXECUTE FUNCTION public.overhear()
"""


@sides
def test_nobody_passes_by_saying_what_a_delivery_says(own: World, side: Side) -> None:
    """Neither a name that anybody can work out, nor the one that a delivery of the same row gave, hides a write."""
    own.run(side, OVERHEAR)
    own.insert(Side.SECONDARY if side is Side.PRIMARY else Side.PRIMARY, A)
    own.relay.drain()
    ((said,),) = own.ask(side, "SELECT said FROM public.overheard WHERE said <> ''")
    assert dirty(own, side) == {}
    with psycopg.connect(own.dsn(side)) as connection:
        claim = "SELECT set_config('twinstore.applying_keys', %s || md5(%s), false)"
        connection.execute(claim, [said, f"planning:{A}"])
        connection.execute("UPDATE public.planning SET title = 'hidden'")
    assert dirty(own, side) == {A: 1}


@sides
def test_without_capture_nothing_is_added_to_the_table(own: World, side: Side) -> None:
    """Capture that is turned off leaves no trigger of its own, and a write leaves no line."""
    own.doors(side).capture(wanted=False)
    own.insert(side, A)
    triggers = own.ask(side, "SELECT tgname FROM pg_trigger WHERE tgname ~ '^twinstore_capture'")
    assert (triggers, dirty(own, side)) == ([], {})
    assert own.doors(side).standing().since is None


@sides
def test_a_trigger_that_was_missing_begins_capture_anew(own: World, side: Side) -> None:
    """Nobody knows since when it was missing, so that what was captured before proves nothing; else it goes on."""
    doors = own.doors(side)
    began = doors.standing().since
    doors.capture(wanted=True, deadline_s=30)
    assert doors.standing().since == began
    own.run(side, "DROP TRIGGER twinstore_capture ON public.planning")
    doors.capture(wanted=True, deadline_s=30)
    since = doors.standing().since
    assert began is not None
    assert since is not None
    assert since > began


@sides
@pytest.mark.parametrize("gap", [False, True])
def test_a_trigger_that_was_disabled_by_a_transaction_in_flight_begins_capture_anew(
    own: World, side: Side, *, gap: bool
) -> None:
    """What it wrote passed by, and nothing before its end is proven."""
    own.insert(side, A)
    before = own.doors(side).standing()
    if gap:
        own.run(side, "UPDATE twinstore.capture SET gap_at = now(), gap_reason = 'replica'")
    with psycopg.connect(superuser(own, side)) as passing, ThreadPoolExecutor() as pool:
        passing.execute("ALTER TABLE public.planning DISABLE TRIGGER twinstore_capture")
        work = pool.submit(capture, own.doors(side), wanted=True, beyond=before.last_change)
        until_it_waits(own, side, work)
        found = passing.execute("SELECT clock_timestamp()").fetchone()
        passing.commit()
        since = work.result().since
    assert found is not None
    assert since is not None
    assert since > found[0]
    own.titled(side, A, "captured")
    assert dirty(own, side) == {A: 2}
