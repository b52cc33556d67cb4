"""What the secondary does when a planning record is written: times, the owner, the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.support.stores_of_old import ALICE, ALICES_ROW, BOB, BOBS_ROW, Secondary, acting

CREATED = datetime(2025, 9, 18, 1, 2, 3, 456000, tzinfo=UTC)
UPDATED = datetime(2025, 9, 18, 2, 0, 0, 123456, tzinfo=UTC)
LATER = datetime(2026, 1, 1, tzinfo=UTC)
Conn = psycopg.Connection[dict[str, Any]]


@pytest.fixture
def migrated(migrated_secondary: Secondary) -> Secondary:
    """A migrated database with one row each of Alice and Bob."""
    with psycopg.connect(migrated_secondary.dsn) as conn:
        for key, owner in ((ALICES_ROW, ALICE), (BOBS_ROW, BOB)):
            conn.execute(
                "INSERT INTO public.planning (id, type, title, content, user_id, created_at, updated_at)"
                " VALUES (%s, 'story', 'T', '{}', %s, %s, %s)",
                [key, owner, CREATED, UPDATED],
            )
    return migrated_secondary


@pytest.fixture
def conn(migrated: Secondary) -> Iterator[Conn]:
    """A connection of the role that owns the table."""
    with psycopg.connect(migrated.dsn, row_factory=dict_row) as conn:
        yield conn


def _row(conn: Conn, key: str = ALICES_ROW) -> dict[str, Any]:
    row = conn.execute("SELECT * FROM public.planning WHERE id = %s", [key]).fetchone()
    assert row is not None
    return row


def _log(conn: Conn) -> list[dict[str, Any]]:
    return conn.execute("SELECT * FROM public.planning_audit_log ORDER BY created_at").fetchall()


@pytest.mark.parametrize(
    ("assignments", "expected"),
    [
        ("title = 'N'", "touched"),
        ("title = title", "touched"),
        ("title = 'N', updated_at = '2026-01-01+00'", LATER),
        ("title = 'N', updated_at = '2025-01-01+00'", datetime(2025, 1, 1, tzinfo=UTC)),
        ("title = 'N', updated_at = updated_at", UPDATED),
        ("title = 'N', updated_at = '2025-09-18 02:00:00.123456+00'", UPDATED),
        ("updated_at = updated_at", UPDATED),
    ],
)
def test_updated_at_is_touched_unless_the_writer_set_it(conn: Conn, assignments: str, expected: object) -> None:
    """A statement that does not name updated_at touches it; one that names it has its way, the same value included."""
    conn.execute(f"UPDATE public.planning SET {assignments} WHERE id = %s".encode(), [ALICES_ROW])
    found = _row(conn)["updated_at"]
    now = conn.execute("SELECT now()").fetchone()
    assert now is not None
    assert found == (now["now"] if expected == "touched" else expected)


def test_naming_it_counts_for_one_statement(conn: Conn) -> None:
    """A statement that kept updated_at leaves nothing behind for the next one of the same transaction."""
    conn.execute("UPDATE public.planning SET updated_at = updated_at")
    assert _row(conn)["updated_at"] == UPDATED
    conn.execute("UPDATE public.planning SET title = 'N'")
    assert _row(conn)["updated_at"] > LATER
    assert _row(conn, BOBS_ROW)["updated_at"] > LATER


def test_naming_it_under_the_mark_leaves_nothing_behind(conn: Conn) -> None:
    """Neither does a statement under the mark."""
    conn.execute("SET LOCAL twinstore.applying = 'on'")
    conn.execute("UPDATE public.planning SET updated_at = updated_at")
    conn.execute("SET LOCAL twinstore.applying = ''")
    conn.execute("UPDATE public.planning SET title = 'N'")
    assert _row(conn)["updated_at"] > LATER


def test_row_that_another_trigger_skips_leaves_nothing_behind(conn: Conn) -> None:
    """A row that somebody's trigger drops between our two triggers does not speak for another row."""
    conn.execute(
        "CREATE FUNCTION public.skip() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN IF new.id = '{ALICES_ROW}' THEN RETURN NULL; END IF; RETURN new; END $$".encode()
    )
    conn.execute(
        "CREATE TRIGGER twinstore_1b BEFORE UPDATE ON public.planning FOR EACH ROW EXECUTE FUNCTION public.skip()"
    )
    conn.execute("UPDATE public.planning SET updated_at = updated_at WHERE id = %s", [ALICES_ROW])
    conn.execute("UPDATE public.planning SET title = 'N' WHERE id = %s", [BOBS_ROW])
    assert _row(conn, BOBS_ROW)["updated_at"] > LATER


def test_time_does_not_run_backwards(conn: Conn) -> None:
    """A touch is never older than what was there, even if a client's clock was ahead."""
    ahead = datetime(2999, 1, 1, tzinfo=UTC)
    conn.execute("UPDATE public.planning SET updated_at = %s", [ahead])
    conn.execute("UPDATE public.planning SET title = 'N'")
    assert _row(conn)["updated_at"] == ahead


@pytest.mark.parametrize("mark", ["off", "on"])
def test_upsert_keeps_created_at(conn: Conn, mark: str) -> None:
    """An upsert of the whole row keeps created_at and takes updated_at; under the mark the row is written as given."""
    conn.execute("SELECT set_config('twinstore.applying', %s, true)", [mark])
    conn.execute(
        "INSERT INTO public.planning (id, type, title, content, user_id, created_at, updated_at)"
        " VALUES (%s, 'story', 'N', '{}', %s, %s, %s) ON CONFLICT (id) DO UPDATE SET"
        " title = excluded.title, created_at = excluded.created_at, updated_at = excluded.updated_at",
        [ALICES_ROW, ALICE, LATER, UPDATED],
    )
    row = _row(conn)
    assert row["title"] == "N"
    assert row["created_at"] == (LATER if mark == "on" else CREATED)
    assert row["updated_at"] == UPDATED


def test_mark_ends_with_the_transaction(conn: Conn) -> None:
    """The mark is local to its transaction: the next one touches and keeps again."""
    conn.execute("SET LOCAL twinstore.applying = 'on'")
    conn.execute("UPDATE public.planning SET title = 'N'")
    assert _row(conn)["updated_at"] == UPDATED
    conn.commit()
    conn.execute("UPDATE public.planning SET title = 'M', created_at = %s", [LATER])
    assert _row(conn)["created_at"] == CREATED
    assert _row(conn)["updated_at"] > LATER


def test_audit_counts_every_write_of_every_writer(migrated: Secondary) -> None:
    """As many records as rows written, whoever wrote them, the owner of the table and a signed-in user alike."""
    writers = [
        (migrated.dsn, "", ""),
        (migrated.superuser, "", ""),
        (migrated.gate, "authenticated", ALICE),
        (migrated.gate, "service_role", ""),
    ]
    seen = 2  # the rows of the fixture
    for dsn, role, user in writers:
        with psycopg.connect(dsn) as conn:
            if role:
                conn.execute(f"SET LOCAL ROLE {role}".encode())
                claims = f'{{"role": "{role}", "sub": "{user}"}}' if user else f'{{"role": "{role}"}}'
                conn.execute("SELECT set_config('request.jwt.claims', %s, true)", [claims])
            conn.execute(
                "INSERT INTO public.planning (id, type, title, content, user_id)"
                " SELECT gen_random_uuid(), 'image', 'Mine', '{}', %s FROM generate_series(1, 3)",
                [ALICE],
            )
            conn.execute("UPDATE public.planning SET title = 'Ours' WHERE title = 'Mine'")
            conn.execute("DELETE FROM public.planning WHERE title = 'Ours'")
        seen += 9
        with psycopg.connect(migrated.dsn) as reader:
            assert reader.execute("SELECT count(*) FROM public.planning_audit_log").fetchone() == (seen,)


def test_audit_names_actor_and_owner(migrated: Secondary) -> None:
    """A record tells the actor by the token's subject and role apart from the owner of the row."""
    with acting(migrated.gate, "authenticated", ALICE) as conn:
        conn.execute("UPDATE public.planning SET title = 'N'")
        conn.commit()
    with psycopg.connect(migrated.dsn, row_factory=dict_row) as conn:
        conn.execute("UPDATE public.planning SET title = 'M' WHERE id = %s", [ALICES_ROW])
        by_alice, by_us = _log(conn)[-2:]
    assert str(by_alice["planning_id"]) == ALICES_ROW
    assert str(by_alice["user_id"]) == ALICE
    assert (by_alice["actor"], by_alice["actor_role"], by_alice["login_role"]) == (
        ALICE,
        "authenticated",
        "authenticator",
    )
    assert (by_alice["operation"], by_alice["old_data"]["title"], by_alice["new_data"]["title"]) == ("UPDATE", "T", "N")
    assert (by_us["actor"], by_us["actor_role"], by_us["login_role"]) == (None, "postgres", "postgres")
    assert by_us["transaction_id"] != by_alice["transaction_id"]


def test_audit_records_under_the_mark_and_while_replicating(migrated: Secondary) -> None:
    """Neither the mark nor a session that replicates escapes the log."""
    with psycopg.connect(migrated.superuser, row_factory=dict_row) as conn:
        before = len(_log(conn))
        conn.execute("SET LOCAL twinstore.applying = 'on'")
        conn.execute("UPDATE public.planning SET title = 'N'")
        conn.execute("SET LOCAL session_replication_role = 'replica'")
        conn.execute("DELETE FROM public.planning")
        assert len(_log(conn)) == before + 4


def test_audit_records_a_truncate(conn: Conn) -> None:
    """A TRUNCATE is one record, of no single row."""
    conn.execute("TRUNCATE public.planning")
    last = _log(conn)[-1]
    assert (last["operation"], last["planning_id"], last["old_data"]) == ("TRUNCATE", None, None)


def test_write_that_cannot_be_recorded_does_not_happen(conn: Conn) -> None:
    """The log never swallows: with the log refusing, the write is refused."""
    conn.execute("ALTER TABLE public.planning_audit_log ADD CHECK (old_data ->> 'title' <> 'T') NOT VALID")
    conn.commit()
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute("UPDATE public.planning SET title = 'N'")
    conn.rollback()
    assert _row(conn)["title"] == "T"


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_nobody_can_change_the_log(migrated: Secondary, role: str) -> None:
    """No role of the REST service can write, change or empty the log, and only the service role reads it."""
    statements = [
        "INSERT INTO public.planning_audit_log (operation) VALUES ('INSERT')",
        "UPDATE public.planning_audit_log SET operation = 'DELETE'",
        "DELETE FROM public.planning_audit_log",
        "TRUNCATE public.planning_audit_log",
    ]
    for statement in statements if role == "service_role" else [*statements, "SELECT FROM public.planning_audit_log"]:
        with acting(migrated.gate, role, ALICE) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement.encode())
    if role == "service_role":
        with acting(migrated.gate, role) as conn:
            assert conn.execute("SELECT count(*) FROM public.planning_audit_log").fetchone() == (2,)
