"""A Prisma application beside capture and a relay: its statements, isolation levels and schema are as without us.

Its role owns its tables and has no right on anything of ours; our role is a member of it and not the other way round.
What TRUNCATE, `session_replication_role = replica` and a table that is made anew do is told by `test_gaps.py`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from contracts.errors import SchemaMismatch
from contracts.vocabulary import Verdict
from storage.local.gateway.tokens import sign
from storage.local.stores import APP
from storage.migrations import migrate, uninstall
from storage.migrations.values import Side
from tests.support.checking import check, job_of
from tests.support.gateway import serve
from tests.support.prisma_application import INSERT, KEYS, ROLE, Application, application, program, schema_of
from tests.support.replication import World, world
from tests.support.servers import Pair, Servers
from tests.support.stores_of_old import schema_dump

PRIMARY, SECONDARY = Side.PRIMARY, Side.SECONDARY
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")

levels = pytest.mark.parametrize("level", LEVELS)


@pytest.fixture(scope="module")
def stores(servers: Servers, _migrated_template: str) -> Iterator[Application]:
    """Stores for all tests here that leave the schema as it was."""
    with servers.clones(_migrated_template) as pair:
        yield application(pair)


@pytest.fixture(scope="module")
def _world(stores: Application) -> Iterator[World]:
    with world(stores.pair) as made:
        yield made


@pytest.fixture
def beside(_world: World) -> World:
    """Adopted stores without rows, and what carries changes over."""
    _world.empty()
    return _world


# Statements


def programmed(stores: Application, level: str, between: Callable[[], object]) -> list[object]:
    """Run it as one transaction."""
    with stores.connect() as connection, connection.transaction():
        connection.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
        return program(connection, between)


@contextmanager
def uncaptured(beside: World) -> Iterator[None]:
    """Have no trigger of ours on the primary meanwhile."""
    beside.primary.capture(wanted=False)
    try:
        yield
    finally:
        beside.adopt()
        beside.empty()


@levels
def test_statements_answer_as_without_us(stores: Application, beside: World, level: str) -> None:
    """With capture, and a relay between any two of them, each returns what it returns without; then all is carried."""
    with uncaptured(beside):
        without = programmed(stores, level, lambda: None)
    assert beside.ask(PRIMARY, "SELECT 1 FROM public.planning") == []
    assert programmed(stores, level, lambda: list(beside.relay.passing())) == without
    beside.relay.drain()
    titles = "SELECT id::text, title, version FROM public.planning ORDER BY id"
    assert len(beside.ask(PRIMARY, titles)) == 4
    assert beside.ask(SECONDARY, titles) == beside.ask(PRIMARY, titles)


def test_its_role_has_no_right_of_ours(stores: Application, beside: World) -> None:
    """Neither on the schema, nor on a table, sequence or function in it, nor by a role; and it writes nevertheless."""
    rights = f"""
    SELECT has_schema_privilege('{ROLE}', 'twinstore', 'USAGE, CREATE'), pg_has_role('{ROLE}', '{APP}', 'MEMBER'),
           (SELECT count(*) FROM pg_class WHERE relnamespace = 'twinstore'::regnamespace AND CASE relkind
              WHEN 'r' THEN has_table_privilege('{ROLE}', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES')
              WHEN 'S' THEN has_sequence_privilege('{ROLE}', oid, 'USAGE, SELECT, UPDATE') END),
           (SELECT count(*) FROM pg_proc WHERE pronamespace = 'twinstore'::regnamespace
            AND has_function_privilege('{ROLE}', oid, 'EXECUTE'))"""
    assert beside.ask(PRIMARY, rights) == [(False, False, 0, 0)]
    stores.run(INSERT, KEYS[0], "mine")
    assert len(beside.lines(PRIMARY, KEYS[0])) == 1
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stores.run("DELETE FROM twinstore.change")


# Isolation and locks


def interleaved(stores: Application, level: str, between: Callable[[], object]) -> Counter[str]:
    """Have two transactions of the application write rows of their own in turns; count errors by SQLSTATE."""
    errors: Counter[str] = Counter()
    with stores.connect() as one, stores.connect() as two:
        for connection in (one, two):
            connection.execute(f"BEGIN ISOLATION LEVEL {level}".encode())
        for round_ in range(3):
            for connection, mine in ((one, KEYS[0:3]), (two, KEYS[3:6])):
                _tried(connection, errors, INSERT, mine[round_], "new")
                between()
        for connection in (one, two):
            _tried(connection, errors, "COMMIT")
            between()
    return errors


def _tried(connection: psycopg.Connection[Any], errors: Counter[str], statement: str, *values: object) -> None:
    try:
        connection.execute(statement.encode(), values)
    except psycopg.Error as error:
        errors[error.sqlstate or "none"] += 1


@levels
def test_transactions_that_do_not_meet_without_us_do_not_meet(stores: Application, beside: World, level: str) -> None:
    """Two that are open at once and write rows of their own both commit, as they do without capture."""
    with uncaptured(beside):
        assert interleaved(stores, level, lambda: None) == Counter()
    assert interleaved(stores, level, lambda: list(beside.relay.passing())) == Counter()
    beside.relay.drain()
    assert {beside.titles(key) for key in KEYS[:6]} == {("new", "new")}


@levels
def test_a_relay_that_stands_still_holds_nobody_up(stores: Application, beside: World, level: str) -> None:
    """While it settles and judges, in transactions that do not end, the rows that it settles can be written."""
    settled, judged = KEYS[:2]
    beside.insert(PRIMARY, settled, judged)
    beside.relay.drain()
    beside.titled(PRIMARY, settled, "changed")
    beside.titled(SECONDARY, judged, "theirs")
    acks = json.dumps([[settled, beside.lines(PRIMARY, settled)[-1]]])
    (item,) = beside.secondary.changes(at_most=9).items
    with stores.connect() as mine, psycopg.connect(beside.dsn(PRIMARY)) as relay:
        mine.execute(f"BEGIN ISOLATION LEVEL {level}".encode())
        mine.execute(b"SELECT count(*) FROM public.planning")
        relay.execute(b"SELECT twinstore.planning_settle(%s::jsonb)", [acks])
        asked = [{"key": judged, "parts": [judged], "base": item.rev, "lseq": item.change, "row": None}]
        relay.execute(b"SELECT twinstore.planning_judge(%s::jsonb)", [json.dumps(asked)])
        mine.execute(b"UPDATE public.planning SET title = 'mine' WHERE id = %s", [settled])
        mine.execute(INSERT.encode(), [KEYS[2], "mine"])
        mine.execute(b"COMMIT")
        relay.rollback()
    beside.relay.drain()
    assert [beside.titles(key) for key in KEYS[:3]] == [("mine", "mine"), ("theirs", "theirs"), ("mine", "mine")]


def load(stores: Application, level: str, writers: int) -> Counter[str]:
    """Have writers create, change and delete rows of their own, in transactions; count errors by SQLSTATE."""
    errors: Counter[str] = Counter()

    def write(mine: Sequence[str]) -> None:
        with stores.connect() as connection:
            for number in range(30):
                try:
                    with connection.transaction():
                        connection.execute(f"SET TRANSACTION ISOLATION LEVEL {level}".encode())
                        _steps(connection, mine, number)
                except psycopg.Error as error:
                    errors[error.sqlstate or "none"] += 1

    together([lambda mine=KEYS[at::writers]: write(mine) for at in range(writers)])  # type: ignore[misc]  # bound now
    return errors


def _steps(connection: psycopg.Connection[Any], mine: Sequence[str], number: int) -> None:
    upsert = f"{INSERT} ON CONFLICT (id) DO UPDATE SET title = excluded.title"
    for key in mine:
        connection.execute(upsert.encode(), [key, f"round {number}"])
    connection.execute(b"UPDATE public.planning SET version = version + 1 WHERE id = %s", [mine[0]])
    if number % 3 == 0:
        connection.execute(b"DELETE FROM public.planning WHERE id = %s", [mine[-1]])


@pytest.mark.parametrize(("level", "writers"), [("READ COMMITTED", 3), ("REPEATABLE READ", 3), ("SERIALIZABLE", 1)])
def test_a_load_meets_no_error_of_ours(stores: Application, beside: World, level: str, writers: int) -> None:
    """No deadlock, failed serialization or lock that is waited for, beside a relay that never rests.

    Serializable transactions disturb one another by themselves: there one writes, so that all that is met is ours.
    """
    with uncaptured(beside):
        assert load(stores, level, writers) == Counter()
        beside.run(PRIMARY, "DELETE FROM public.planning")
    over, passes = threading.Event(), Counter[str]()

    def relay() -> None:
        while not over.is_set():
            for part in beside.relay.passing():
                passes.update(part.outcomes)

    thread = threading.Thread(target=relay)
    thread.start()
    try:
        assert load(stores, level, writers) == Counter()
        while not passes["applied"] and thread.is_alive():
            time.sleep(0.01)  # so far it may have had no turn on a busy machine
    finally:
        over.set()
        thread.join()
    assert passes["applied"] > 0
    beside.relay.drain()
    rows = "SELECT id::text, title, version FROM public.planning ORDER BY id"
    assert beside.ask(SECONDARY, rows) == beside.ask(PRIMARY, rows) != []


def together(works: Sequence[Callable[[], None]]) -> None:
    """Run all at once."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# Its schema, as `prisma db pull` and `prisma migrate diff` read it


def test_its_schema_never_drifts(empty_pair: Pair) -> None:
    """It is the same, byte for byte, before us, with our functions, adopted, written to, and after `--uninstall`.

    On the secondary, where the table is ours, adoption adds two triggers to it, and nothing else.
    """
    made = application(empty_pair)
    before, dump = schema_of(made.url), schema_dump(empty_pair.primary_superuser, "public")
    assert [len(before[name]) for name in ("tables", "enums", "migrations")] == [14, 2, 1]
    migrate(empty_pair.primary, PRIMARY)
    migrate(empty_pair.secondary, SECONDARY)
    assert schema_of(made.url) == before
    there = schema_of(empty_pair.secondary, without=["migrations"])
    with world(empty_pair) as beside:
        made.run(INSERT, KEYS[0], "T")
        beside.relay.drain()
        assert beside.titles(KEYS[0]) == ("T", "T")
    assert schema_of(made.url) == before
    assert schema_of(empty_pair.secondary, without=["migrations"]) == there
    captured = schema_dump(empty_pair.primary_superuser, "public").splitlines()
    added = [line for line in captured if line[:1].isalpha() and line not in dump.splitlines()]
    assert [" ".join(line.split()[:2]) for line in added] == ["CREATE TRIGGER", "ALTER TABLE"] * 2
    assert all("TRIGGER twinstore_capture" in line for line in added)
    assert uninstall(empty_pair.primary, PRIMARY).objects
    assert schema_of(made.url) == before
    assert schema_dump(empty_pair.primary_superuser, "public") == dump


# Its migrations


def test_a_column_and_an_index_may_be_added_while_changes_are_captured(stores: Application, beside: World) -> None:
    """The relay goes on; the new column is the application's alone, and what is carried over leaves it as it is."""
    key = KEYS[0]
    beside.insert(PRIMARY, key)
    try:
        stores.run('ALTER TABLE public.planning ADD COLUMN "mood" public."Mood" NOT NULL DEFAULT \'calm\'')
        stores.run('CREATE INDEX "planning_mood_idx" ON public.planning (mood)')
        stores.run("UPDATE public.planning SET mood = 'tense', title = 'ours' WHERE id = %s", key)
        beside.relay.drain()
        assert beside.titles(key) == ("ours", "ours")
        beside.titled(SECONDARY, key, "theirs")
        beside.relay.drain()
        assert beside.ask(PRIMARY, "SELECT title, mood::text FROM public.planning") == [("theirs", "tense")]
    finally:
        stores.run("ALTER TABLE public.planning DROP COLUMN IF EXISTS mood")


def test_a_renamed_column_stops_the_relay_and_not_the_application(stores: Application, beside: World) -> None:
    """The relay says in one sentence which column it misses, loses nothing, and goes on when the column is back."""
    key = KEYS[0]
    beside.insert(PRIMARY, key)
    stores.run("ALTER TABLE public.planning RENAME COLUMN title TO headline")
    try:
        stores.run("UPDATE public.planning SET headline = 'meanwhile' WHERE id = %s", key)
        with pytest.raises(SchemaMismatch) as raised:
            beside.relay.drain()
        assert (raised.value.store, raised.value.what) == (PRIMARY.store, MISSED_BY_RELAY)
        assert len(beside.lines(PRIMARY, key)) == 2
        report = check(job_of(stores.pair), suite=())
        assert [reason.text for reason in report.reasons if "title" in reason.text] == [MISSED_BY_CHECK]
        assert report.verdict.rank >= Verdict.ERRORED.rank
    finally:
        stores.run("ALTER TABLE public.planning RENAME COLUMN headline TO title")
    beside.relay.drain()
    assert beside.titles(key) == ("meanwhile", "meanwhile")


MISSED_BY_RELAY = 'prisma is not what we expect: column "title" does not exist (SQLSTATE 42703).'
MISSED_BY_CHECK = (
    "prisma has no column title in public.planning."
    " Run `twinstore migrate`; on the Prisma side add the column to the Prisma schema"
)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("RENAME COLUMN id TO key", "RENAME COLUMN key TO id"),
        ("ALTER COLUMN id TYPE uuid USING id::uuid", "ALTER COLUMN id TYPE text"),
    ],
    ids=["renamed", "retyped"],
)
def test_a_key_of_another_form_is_not_written_past_capture(
    stores: Application, beside: World, there: str, back: str
) -> None:
    """Such a write could not be carried over, and fails; once capture is turned off it goes on."""
    write = "UPDATE public.planning SET title = 'other'"
    stores.run(INSERT, KEYS[0], "T")
    stores.run(f"ALTER TABLE public.planning {there}")
    try:
        with pytest.raises((psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedFunction)):
            stores.run(write)
        beside.primary.capture(wanted=False)
        stores.run(write)
    finally:
        stores.run(f"ALTER TABLE public.planning {back}")
        beside.adopt()
    assert beside.title(PRIMARY, KEYS[0]) == "other"


# The writers of the secondary

OWNER, SOMEBODY = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"


def written(client: httpx.Client, key: str, user: str | None) -> int:
    """Insert a row over REST, change its title, and return the last status."""
    row = {"id": key, "type": "story", "title": "new", "content": {"id": "x", "type": "story"}, "user_id": user}
    client.post("planning", json=row)
    return client.patch(f"planning?id=eq.{key}", json={"title": "by REST"}).status_code


def test_the_writers_of_the_secondary_need_no_right_of_ours(stores: Application, beside: World) -> None:
    """The dashboard, a signed-in user and the service write, each as its own role, and all of it is carried over.

    Nobody of them but the dashboard, whose role owns it, may touch what we keep; a row that policies hide has no line.
    """
    mine, theirs, service, dashboard = KEYS[:4]
    with serve(stores.pair.secondary_gate) as rest:
        token = sign({"role": "authenticated", "sub": OWNER, "exp": 2**33}, rest.jwt_secret)
        with _client(rest.url, rest.anon_key, token) as client:
            assert written(client, mine, OWNER) == 204
            assert written(client, theirs, SOMEBODY) == 204
        with _client(rest.url, rest.service_key, rest.service_key) as client:
            assert written(client, service, None) == 204
            assert written(client, theirs, SOMEBODY) == 204
        lines = len(beside.lines(SECONDARY, theirs))
        with _client(rest.url, rest.anon_key, token) as client:
            assert client.delete(f"planning?id=eq.{theirs}").status_code == 204
            assert client.patch(f"planning?id=eq.{theirs}", json={"title": "stolen"}).status_code == 204
    assert len(beside.lines(SECONDARY, theirs)) == lines == 2
    beside.insert(SECONDARY, dashboard, title="by the dashboard")
    beside.relay.drain()
    assert {beside.titles(key) for key in (mine, theirs, service)} == {("by REST", "by REST")}
    assert beside.titles(dashboard) == ("by the dashboard", "by the dashboard")
    rights = """SELECT has_table_privilege(role, 'twinstore.change', 'SELECT, INSERT, UPDATE, DELETE'),
                       has_function_privilege(role, 'twinstore.planning_captured()', 'EXECUTE')
                FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS role"""
    assert beside.ask(SECONDARY, rights) == [(False, False)] * 3


def _client(url: str, key: str, token: str) -> httpx.Client:
    headers = {"apikey": key, "Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"{url}/rest/v1/", headers=headers, trust_env=False, timeout=60)
