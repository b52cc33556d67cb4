"""Who may do what on the secondary: the privileges by role, and row level security by role, owner and statement."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contracts.errors import TwinstoreError
from storage.migrations import Side, migrate
from tests.integration.storage.migrations.conftest import AnyVersion, newer_at_least
from tests.support.stores_of_old import (
    ALICE,
    ALICES_PROJECT,
    ALICES_ROW,
    BOB,
    BOBS_ROW,
    FORMS,
    GUESTS_ROW,
    Secondary,
    acting,
    run_scripts,
)

PRIVILEGES = Path(__file__).parent / "expected_privileges.txt"

ROWS = {"own": ALICES_ROW, "other": BOBS_ROW, "guest": GUESTS_ROW}
OWNERS = {"own": ALICE, "other": BOB, "guest": None}

DENIED = "denied"  # the role lacks the privilege, or the row would not be its own
EXPECTED: dict[str, dict[str, dict[str, object]]] = {
    # rows seen, changed, deleted, or added, by whose row it is; the actor is Alice
    "anon": {
        "SELECT": {"own": 0, "other": 0, "guest": 0},
        "INSERT": {"own": DENIED, "other": DENIED, "guest": DENIED},
        "UPDATE": {"own": DENIED, "other": DENIED, "guest": DENIED},
        "DELETE": {"own": DENIED, "other": DENIED, "guest": DENIED},
    },
    "authenticated": {
        "SELECT": {"own": 1, "other": 0, "guest": 0},
        "INSERT": {"own": 1, "other": DENIED, "guest": DENIED},
        "UPDATE": {"own": 1, "other": 0, "guest": 0},
        "DELETE": {"own": 1, "other": 0, "guest": 0},
    },
    "service_role": {
        "SELECT": {"own": 1, "other": 1, "guest": 1},
        "INSERT": {"own": 1, "other": 1, "guest": 1},
        "UPDATE": {"own": 1, "other": 1, "guest": 1},
        "DELETE": {"own": 1, "other": 1, "guest": 1},
    },
}


@pytest.fixture(scope="module", params=["empty", pytest.param("m1", marks=pytest.mark.soak), "c2"])
def migrated(any_version: AnyVersion, request: pytest.FixtureRequest) -> Iterator[Secondary]:
    """A migrated database with a row each of Alice, Bob and a guest, on top of some form. Never committed to."""
    with any_version() as database:
        run_scripts(database.dsn, FORMS.get(request.param, ()))
        migrate(database.dsn, Side.SECONDARY)
        with psycopg.connect(database.dsn) as conn:
            conn.execute("DELETE FROM public.planning")
            for whose, key in ROWS.items():
                conn.execute(
                    "INSERT INTO public.planning (id, type, title, content, user_id)"
                    """ VALUES (%s, 'story', 'T', '{"id": "x", "type": "x"}', %s)""",
                    [key, OWNERS[whose]],
                )
        yield database


@pytest.fixture(scope="module")
def shared(any_version: AnyVersion) -> Iterator[Secondary]:
    """A migrated database with projects, where Bob has a record in Alice's project. Never committed to."""
    with any_version() as database:
        run_scripts(database.dsn, FORMS["c2"])
        migrate(database.dsn, Side.SECONDARY)
        with psycopg.connect(database.dsn) as conn:
            conn.execute(
                "UPDATE public.planning SET status = 'draft', project_id = %s WHERE id = %s", [ALICES_PROJECT, BOBS_ROW]
            )
        yield database


@pytest.fixture(scope="module")
def with_projects(any_version: AnyVersion) -> Iterator[Secondary]:
    """A migrated database with projects and without rows. Never committed to."""
    with any_version() as database:
        run_scripts(database.dsn, ("projects",))
        migrate(database.dsn, Side.SECONDARY)
        yield database


@pytest.mark.parametrize("statement", ["SELECT", "INSERT", "UPDATE", "DELETE"])
@pytest.mark.parametrize("role", EXPECTED)
def test_rows_by_role(migrated: Secondary, role: str, statement: str) -> None:
    """Each role sees and writes exactly the rows that it should: its own, others' and guests'."""
    found: dict[str, object] = {}
    with acting(migrated.gate, role, None if role == "anon" else ALICE) as conn:
        for whose in ROWS:
            try:
                with conn.transaction():
                    found[whose] = _run(conn, statement, whose)
            except psycopg.errors.InsufficientPrivilege:
                found[whose] = DENIED
    assert found == EXPECTED[role][statement]


@pytest.mark.parametrize("claims", ["", "{}", '{"role": "service_role"}', '{"user_metadata": {"is_admin": true}}'])
def test_odd_claims_open_nothing(migrated: Secondary, claims: str) -> None:
    """Claims without a subject, or with a role that the session does not have, show no row and write none."""
    with psycopg.connect(migrated.gate) as conn:
        conn.execute("SET LOCAL ROLE authenticated")
        conn.execute("SELECT set_config('request.jwt.claims', %s, true)", [claims])
        assert conn.execute("SELECT count(*) FROM public.planning").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("INSERT INTO public.planning (type, title, content) VALUES ('story', 'T', '{}')")


@pytest.mark.parametrize("value", [f"'{BOB}'", "NULL"])
def test_owner_cannot_be_changed(migrated: Secondary, value: str) -> None:
    """A user cannot give a record away or take one over; the service role can."""
    statement = f"UPDATE public.planning SET user_id = {value} WHERE id = '{ALICES_ROW}'".encode()
    with (
        acting(migrated.gate, "authenticated", ALICE) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="owner of a planning record"),
    ):
        conn.execute(statement)
    with acting(migrated.gate, "service_role") as conn:
        assert conn.execute(statement).rowcount == 1


def test_service_role_without_bypass_changes_the_owner(migrated: Secondary) -> None:
    """Nor does the service role need the attribute BYPASSRLS for it, which a plain server may not give."""
    with psycopg.connect(migrated.superuser) as conn:
        conn.execute("ALTER ROLE service_role NOBYPASSRLS")
        conn.execute("SET LOCAL ROLE service_role")
        changed = conn.execute("UPDATE public.planning SET user_id = %s WHERE id = %s", [BOB, ALICES_ROW])
        assert changed.rowcount == 1
        conn.rollback()


def test_upsert_over_a_hidden_row_is_denied(migrated: Secondary) -> None:
    """An upsert that meets somebody else's row is denied, and the row stays."""
    with (
        acting(migrated.gate, "authenticated", ALICE) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute(
            "INSERT INTO public.planning (id, type, title, content, user_id)"
            """ VALUES (%s, 'story', 'Mine', '{"id": "x", "type": "x"}', %s)"""
            " ON CONFLICT (id) DO UPDATE SET title = excluded.title, user_id = excluded.user_id",
            [BOBS_ROW, ALICE],
        )


def test_project_owner_shares(shared: Secondary) -> None:
    """Who owns a project sees, changes and deletes the records in it, without a grant on the projects."""
    with acting(shared.gate, "authenticated", ALICE) as conn:
        assert _run(conn, "SELECT", "other") == 1
        assert _run(conn, "UPDATE", "other") == 1
        assert _run(conn, "DELETE", "other") == 1


def test_project_owner_takes_nothing_over(shared: Secondary) -> None:
    """Who owns a project cannot become the owner of its records, move them elsewhere or add some for others."""
    attempts = [
        f"UPDATE public.planning SET user_id = '{ALICE}' WHERE id = '{BOBS_ROW}'",
        f"UPDATE public.planning SET project_id = NULL WHERE id = '{BOBS_ROW}'",
        f"INSERT INTO public.planning (type, title, content, project_id) VALUES ('story', '', '0', '{ALICES_PROJECT}')",
    ]
    for attempt in attempts:
        with acting(shared.gate, "authenticated", ALICE) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(attempt.encode())


@newer_at_least
def test_new_table_is_never_seen_without_its_rules(secondary: Secondary) -> None:
    """A migration that stops half-way leaves no table that users can read, whatever the platform grants by default."""
    with psycopg.connect(secondary.dsn) as conn:
        conn.execute("CREATE TABLE public.planning_audit_log (wrong text)")
    with pytest.raises(TwinstoreError, match="0005_planning_audit was not applied"):
        migrate(secondary.dsn, Side.SECONDARY)
    with psycopg.connect(secondary.dsn) as conn:
        conn.execute("INSERT INTO public.planning (type, title, content) VALUES ('story', 'T', '{}')")
        conn.execute("GRANT SELECT ON public.planning TO anon, authenticated")
    for role in ("anon", "authenticated"):
        with acting(secondary.gate, role, ALICE) as conn:
            assert conn.execute("SELECT count(*) FROM public.planning").fetchone() == (0,)


def test_privileges_are_as_committed(with_projects: Secondary) -> None:
    """All privileges of all roles on what we make equal the committed list."""
    with psycopg.connect(with_projects.superuser) as conn:
        lines = [str(line) for (line,) in conn.execute(_MATRIX.encode())]
    assert lines == PRIVILEGES.read_text(encoding="utf-8").splitlines()


def test_functions_have_a_fixed_search_path(with_projects: Secondary) -> None:
    """No function of ours looks names up in a path that its caller sets, and none can be called by everybody."""
    with psycopg.connect(with_projects.dsn) as conn:
        found = conn.execute(
            "SELECT proname, proconfig, has_function_privilege('anon', oid, 'EXECUTE') FROM pg_proc"
            " WHERE pronamespace = 'twinstore'::regnamespace"
        ).fetchall()
    assert len(found) == 6
    for name, config, anybody in found:
        assert config[0] in {'search_path=""', "search_path=pg_catalog, pg_temp"}, name
        assert not anybody, name


def _run(conn: psycopg.Connection, statement: str, whose: str) -> int:
    key = ROWS[whose]
    match statement:
        case "SELECT":
            return len(conn.execute("SELECT id FROM public.planning WHERE id = %s", [key]).fetchall())
        case "INSERT":
            return conn.execute(
                "INSERT INTO public.planning (type, title, content, user_id)"
                """ VALUES ('story', 'T', '{"id": "x", "type": "x"}', %s)""",
                [OWNERS[whose]],
            ).rowcount
        case "UPDATE":
            return conn.execute("UPDATE public.planning SET title = 'N' WHERE id = %s", [key]).rowcount
        case _:
            return conn.execute("DELETE FROM public.planning WHERE id = %s", [key]).rowcount


_MATRIX = """
WITH roles AS (
  SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role', 'authenticator')
), privileges AS (
  SELECT rolname, 'table ' || oid::regclass AS object, privilege
  FROM roles,
       (SELECT oid FROM pg_class WHERE relkind = 'r' AND (relnamespace = 'twinstore'::regnamespace
         OR oid IN ('public.planning'::regclass, 'public.planning_audit_log'::regclass))) AS tables,
       unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
  WHERE has_table_privilege(rolname, oid, privilege)
  UNION ALL
  SELECT rolname, 'function ' || oid::regprocedure, 'EXECUTE'
  FROM roles, pg_proc WHERE pronamespace = 'twinstore'::regnamespace AND has_function_privilege(rolname, oid, 'EXECUTE')
  UNION ALL
  SELECT rolname, 'schema twinstore', privilege
  FROM roles, unnest(ARRAY['USAGE', 'CREATE']) AS privilege
  WHERE has_schema_privilege(rolname, 'twinstore', privilege)
)
SELECT format('%s: %s on %s', rolname, string_agg(privilege, ', ' ORDER BY privilege), object)
FROM privileges GROUP BY rolname, object ORDER BY rolname, object
"""
