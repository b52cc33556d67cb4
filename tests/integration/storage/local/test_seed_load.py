"""Seed records arrive in both stores, equal and untouched by triggers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from contracts.errors import Conflict, SchemaMismatch, Unavailable
from contracts.vocabulary import StoreName
from storage.local import seed
from tests.support.servers import Pair

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ROWS = """
    SELECT id::text, type, title, content, status, user_id::text, project_id::text, version, metadata, storage, source,
        storage_status, extract(epoch FROM created_at)::text, extract(epoch FROM updated_at)::text
    FROM public.planning ORDER BY id::text COLLATE "C"
"""
GUARDS = """
    SELECT tgname::text, tgenabled::text FROM pg_trigger WHERE tgrelid = 'public.planning'::regclass
    UNION ALL SELECT conname::text, convalidated::text FROM pg_constraint WHERE conrelid = 'public.planning'::regclass
    UNION ALL SELECT indexname::text, indexdef FROM pg_indexes WHERE tablename = 'planning'
    ORDER BY 1, 2
"""


def query(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    """Return the rows of a statement, run in UTC."""
    with psycopg.connect(dsn, options="-c TimeZone=UTC") as connection:
        return connection.execute(statement.encode()).fetchall()


def run(dsn: str, statement: str) -> None:
    """Run a statement that returns nothing."""
    with psycopg.connect(dsn) as connection:
        connection.execute(statement.encode())


def test_both_stores_hold_the_records(pair: Pair) -> None:
    """Every column of every record is in both stores as it was made."""
    assert seed.load(pair.primary, pair.secondary, 500, seed=4, now=NOW) == 500
    made = sorted(seed.records(500, seed=4, now=NOW), key=lambda record: record.id)
    rows = query(pair.primary, ROWS)
    assert rows == query(pair.secondary, ROWS)
    for record, row in zip(made, rows, strict=True):
        assert row[:5] == (record.id, record.type, record.title, record.content, record.status)
        assert row[5:10] == (record.user_id, record.project_id, record.version, record.metadata, record.storage)
        assert row[10:12] == (record.source, record.storage_status)
        assert [float(value) for value in row[12:]] == [record.created_at.timestamp(), record.updated_at.timestamp()]


def test_the_secondary_is_guarded_as_before(pair: Pair) -> None:
    """A load leaves triggers, constraints and indexes as they were, and writes no audit log."""
    before = query(pair.secondary, GUARDS)
    seed.load(pair.primary, pair.secondary, 100, now=NOW)
    assert query(pair.secondary, GUARDS) == before
    assert query(pair.secondary, "SELECT count(*) FROM public.planning_audit_log") == [(0,)]


def test_many_rows_leave_the_same_indexes(pair: Pair) -> None:
    """A load that is large enough to build the indexes afterwards leaves both tables with the ones they had."""
    before = [query(dsn, GUARDS) for dsn in (pair.primary, pair.secondary)]
    seed.load(pair.primary, pair.secondary, 20_000, now=NOW)
    assert [query(dsn, GUARDS) for dsn in (pair.primary, pair.secondary)] == before
    assert query(pair.secondary, "SELECT count(*) FROM public.planning") == [(20_000,)]


def test_records_that_are_there_are_refused(pair: Pair) -> None:
    """Loading the same records twice changes nothing and says why."""
    seed.load(pair.primary, pair.secondary, 10, now=NOW)
    with pytest.raises(Conflict, match="already"):
        seed.load(pair.primary, pair.secondary, 20, now=NOW)
    seed.load(pair.primary, pair.secondary, 5, seed=2, now=NOW)
    assert query(pair.primary, ROWS) == query(pair.secondary, ROWS)
    assert query(pair.primary, "SELECT count(*) FROM public.planning") == [(15,)]


def test_a_conflict_on_one_store_leaves_the_other_alone(pair: Pair) -> None:
    """When only the secondary holds some of the records, the primary gets none."""
    seed.load(pair.primary, pair.secondary, 10, now=NOW)
    run(pair.primary, "DELETE FROM public.planning")
    with pytest.raises(Conflict, match="supabase"):
        seed.load(pair.primary, pair.secondary, 10, now=NOW)
    assert query(pair.primary, "SELECT count(*) FROM public.planning") == [(0,)]


def test_clear_empties_both_stores(seeded_pair: Pair) -> None:
    """After clear both tables are there, empty, and guarded as before."""
    before = query(seeded_pair.secondary, GUARDS)
    seed.clear(seeded_pair.primary, seeded_pair.secondary)
    assert query(seeded_pair.primary, ROWS) == query(seeded_pair.secondary, ROWS) == []
    assert query(seeded_pair.secondary, GUARDS) == before


def test_a_missing_table_names_its_store(pair: Pair) -> None:
    """A primary without the table is named, not the secondary."""
    run(pair.primary, "DROP TABLE public.planning")
    with pytest.raises(SchemaMismatch) as caught:
        seed.load(pair.primary, pair.secondary, 10, now=NOW)
    assert caught.value.store == StoreName.PRISMA
    assert query(pair.secondary, "SELECT count(*) FROM public.planning") == [(0,)]


def test_a_store_that_is_down_is_named(pair: Pair) -> None:
    """A secondary that cannot be reached is named."""
    with pytest.raises(Unavailable) as caught:
        seed.load(pair.primary, "postgresql://nobody@127.0.0.1:1/none", 10, now=NOW)
    assert caught.value.store == StoreName.SUPABASE
