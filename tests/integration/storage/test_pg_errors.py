"""What real servers and real drivers raise, in our words."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

import psycopg
import pytest
import sqlalchemy
from psycopg.conninfo import make_conninfo

from contracts.errors import (
    ConfigurationError,
    ProtocolError,
    Refused,
    SchemaMismatch,
    TimedOut,
    TwinstoreError,
    Unavailable,
)
from contracts.planning import PLANNING
from contracts.vocabulary import StoreName
from storage.pg_errors import translate
from storage.ports import HashKind
from storage.postgres import PostgresReader
from storage.session import Limits
from tests.support.servers import Pair

STATEMENTS: dict[str, tuple[type[TwinstoreError], str]] = {
    "SELECT * FROM public.nowhere": (SchemaMismatch, 'relation "public.nowhere" does not exist'),
    "SELECT nothing FROM pg_class": (SchemaMismatch, 'column "nothing" does not exist'),
    "SELECT nothing(1)": (SchemaMismatch, "function nothing(integer) does not exist"),
    "SELECT * FROM pg_authid": (Refused, "permission denied for table pg_authid"),
    "SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)": (TimedOut, "57014"),
    "SELECT 'canary'::uuid": (ProtocolError, "22P02"),
    "DO $$ BEGIN RAISE EXCEPTION 'canary' USING ERRCODE = '42501'; END $$": (Refused, "42501"),
    "CREATE TEMP TABLE t (a text UNIQUE); INSERT INTO t VALUES ('canary'), ('canary')": (ProtocolError, "23505"),
    "SELECT pg_terminate_backend(pg_backend_pid())": (Unavailable, ""),
}


@pytest.mark.parametrize(("statement", "expected"), STATEMENTS.items())
def test_server_errors(still_empty_pair: Pair, statement: str, expected: tuple[type[TwinstoreError], str]) -> None:
    """Errors of a real server are classified, name what is missing, and show no value."""
    kind, words = expected
    with psycopg.connect(still_empty_pair.primary) as conn, pytest.raises(kind) as caught, translate(StoreName.PRISMA):
        conn.execute(statement.encode())
    assert words in caught.value.what
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


def test_lock_that_cannot_be_had(still_empty_pair: Pair) -> None:
    """Waiting too long for a lock counts as taking too long."""
    with psycopg.connect(still_empty_pair.primary) as holder, psycopg.connect(still_empty_pair.primary) as conn:
        holder.execute("SELECT pg_advisory_xact_lock(1)")
        conn.execute("SET LOCAL lock_timeout = 20")
        with pytest.raises(TimedOut), translate(StoreName.PRISMA):
            conn.execute("SELECT pg_advisory_xact_lock(1)")


def test_a_lock_has_a_limit_of_its_own(still_pair: Pair) -> None:
    """A reader gives up on a lock long before a statement's limit is over: by default within ten seconds."""
    assert Limits().lock_s <= 10 < Limits().statement_s
    reader = PostgresReader(still_pair.secondary, StoreName.SUPABASE, PLANNING, limits=Limits(lock_s=0.1))
    with psycopg.connect(still_pair.secondary) as holder:
        holder.execute("LOCK TABLE public.planning IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(TimedOut), reader.snapshot(HashKind.RECORD) as snapshot:
            snapshot.count()
        assert time.monotonic() - began < 60


def _with_psycopg(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("SELECT 1")


def _with_sqlalchemy(dsn: str) -> None:
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
    with engine.connect() as conn:
        conn.execute(sqlalchemy.text("SELECT 1"))


@pytest.mark.parametrize("connect", [_with_psycopg, _with_sqlalchemy])
@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"password": "canary"}, Refused),
        ({"user": "canary"}, Refused),
        ({"dbname": "canary"}, ConfigurationError),
        ({"port": "1"}, Unavailable),
    ],
)
def test_connections_that_fail(
    still_empty_pair: Pair, connect: Callable[[str], None], change: dict[str, str], kind: type[TwinstoreError]
) -> None:
    """Whichever driver connects, a refusal differs from an outage, and no name and no password is shown."""
    with pytest.raises(kind) as caught, translate(StoreName.PRISMA):
        connect(make_conninfo(still_empty_pair.primary, **change))
    assert "canary" not in "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__context__ is None
