"""The secondary side over every form that the table had: rows stay, new writes are held, what was broken is mended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from contracts.planning import PLANNING, ContentType, Status
from contracts.vocabulary import StoreName
from storage.migrations import MigrationReport, Side, migrate
from tests.integration.storage.migrations.conftest import AnyVersion
from tests.support.stores_of_old import ALICES_ROW, BOBS_ROW, FORMS, GUESTS_ROW, rows, run_scripts

TABLES = ("planning", "planning_audit_log")
NEW_COLUMNS: dict[str, dict[str, Any]] = {
    "planning": {"project_id": None, "storage": None, "source": None, "storage_status": "pending"},
    "planning_audit_log": {"actor": None, "actor_role": None, "login_role": None, "transaction_id": None},
}
HELD: dict[str, list[dict[str, Any]]] = {
    "planning_version_positive": [{"version": None}],
    "planning_version_check": [{"version": 0}],
    "planning_created_at_known": [{"created_at": None}],
    "planning_updated_at_known": [{"updated_at": None}],
    "planning_title_not_blank": [{"title": " \t"}, {"title": "\n"}],
    "planning_status_known": [{"status": "in-progress"}, {"status": ""}, {"status": "Draft"}],
    "planning_type_check": [{"type": "text"}, {"type": ""}, {"type": "Story"}],
}
GIVEN: dict[str, Any] = {
    "type": "story",
    "title": "T",
    "content": '{"id": "x", "type": "x"}',
    "status": "draft",
    "version": 1,
    "created_at": "2026-01-01",
    "updated_at": "2026-01-01",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """A database that had one of the older forms, with its rows from before and the report of its migration."""

    dsn: str
    form: str
    before: dict[str, list[dict[str, Any]]]
    report: MigrationReport


@pytest.fixture(scope="module", params=FORMS)
def older(any_version: AnyVersion, request: pytest.FixtureRequest) -> Iterator[Older]:
    """Each older form on each version, migrated. Never committed to."""
    form: str = request.param
    with any_version() as database:
        run_scripts(database.dsn, FORMS[form])
        found = TABLES if form.startswith("m1") else TABLES[:1]
        before = {table: [json.loads(row) for row in rows(database.dsn, table)] for table in found}
        report = migrate(database.dsn, Side.SECONDARY)
        yield Older(dsn=database.dsn, form=form, before=before, report=report)


@pytest.mark.parametrize("table", TABLES)
def test_rows_stay(older: Older, table: str) -> None:
    """Every row keeps every value that it had, in the older audit log too; a second run changes nothing."""
    once = rows(older.dsn, table)
    assert [json.loads(row) for row in once] == [{**NEW_COLUMNS[table], **row} for row in older.before.get(table, [])]
    assert migrate(older.dsn, Side.SECONDARY).migrations == ()
    assert rows(older.dsn, table) == once


def test_columns_are_what_the_dataset_declares(older: Older) -> None:
    """The table has all columns of the dataset in the types that it declares."""
    with psycopg.connect(older.dsn) as conn:
        found: dict[str, str] = dict(
            conn.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = 'public.planning'::regclass AND attnum > 0 AND NOT attisdropped"
            ).fetchall()
        )
    assert set(found) == {column.name for column in PLANNING.columns}
    for column in PLANNING.columns:
        assert found[column.name] in column.sql_types[StoreName.SUPABASE]


def test_every_word_can_be_written(older: Older) -> None:
    """Every status and every type of the contract can be written, whatever the older checks allowed."""
    with psycopg.connect(older.dsn) as conn:
        for status in Status:
            _insert(conn, {"status": status})
        for kind in ContentType:
            _insert(conn, {"type": kind})
        conn.rollback()


@pytest.mark.parametrize("rule", HELD)
def test_new_writes_are_held(older: Older, rule: str) -> None:
    """What no new row may hold is refused rather than replaced."""
    for wrong in HELD[rule]:
        with psycopg.connect(older.dsn) as conn:
            with pytest.raises(psycopg.errors.CheckViolation) as caught:
                _insert(conn, wrong)
            assert caught.value.diag.constraint_name in {rule, "planning_title_not_empty"}


def test_old_rows_are_counted_and_can_be_mended(older: Older) -> None:
    """The report names each rule that old rows do not keep, with their number; one update mends such a row."""
    unkept = {"status_known", "version_positive", "created_at_known", "updated_at_known"}
    unkept |= set() if older.form.startswith("m1") else {"title_not_blank"}
    assert {said for said in older.report.notices if said[0].isdigit()} == {
        f"1 rows of public.planning do not keep planning_{rule}: they stay, and every new write is held to it."
        for rule in unkept
    }
    with psycopg.connect(older.dsn) as conn:
        conn.execute("UPDATE public.planning SET status = 'processing' WHERE id = %s", [BOBS_ROW])
        conn.execute(
            "UPDATE public.planning SET version = 1, created_at = now(), updated_at = now() WHERE id = %s", [GUESTS_ROW]
        )
        with pytest.raises(psycopg.errors.CheckViolation):
            conn.execute("UPDATE public.planning SET status = 'in-progress' WHERE id = %s", [ALICES_ROW])


def test_older_triggers_are_gone(older: Older) -> None:
    """The triggers that invented titles, overwrote every time and lost the audit are replaced; the report says so."""
    with psycopg.connect(older.dsn) as conn:
        triggers = conn.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'public.planning'::regclass AND NOT tgisinternal ORDER BY 1"
        ).fetchall()
    assert [name for (name,) in triggers] == [
        "twinstore_1_updated_at_named",
        "twinstore_2_before_update",
        "twinstore_audit",
        "twinstore_audit_truncate",
    ]
    replaced = {"update_planning_updated_at"}
    replaced |= {"validate_planning_data_trigger", "planning_audit"} if older.form.startswith("m1") else set()
    assert {s for s in older.report.notices if s.startswith("Trigger")} == {
        f"Trigger {name} of public.planning is replaced." for name in replaced
    }


def test_older_policies_are_gone(older: Older) -> None:
    """No policy of before is left beside ours: permissive ones would add up."""
    with psycopg.connect(older.dsn) as conn:
        names = {str(name) for (name,) in conn.execute("SELECT polname FROM pg_policy")}
    shared = {f"twinstore_project_{verb}" for verb in ("select", "update", "delete")}
    own = {f"twinstore_own_{verb}" for verb in ("select", "insert", "update", "delete")}
    assert names == own | {"twinstore_service"} | (shared if older.form in {"c2", "m1+sync"} else set())


def test_backup_of_before_stays(older: Older) -> None:
    """The copy that an older script made of the table is not touched."""
    if older.form == "m1+sync":
        assert len(rows(older.dsn, "planning_backup_20250918")) == 4


def _insert(conn: psycopg.Connection, values: dict[str, Any]) -> None:
    conn.execute(
        "INSERT INTO public.planning (type, title, content, status, version, created_at, updated_at) VALUES (%(type)s,"
        " %(title)s, %(content)s, %(status)s, %(version)s, %(created_at)s, %(updated_at)s)",
        {**GIVEN, **values},
    )
