"""An application that uses Prisma: its role and tables, what its client sends, and its schema as Prisma reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from storage.local.stores import APP, create_prisma_table
from tests.support.accounts import PASSWORD, changed
from tests.support.replication import AT, keys
from tests.support.servers import Pair

ROLE = "prisma_application"
KEYS = keys(9)
COLUMNS = "id, type, title, content, status, version, created_at, updated_at"
ROW = """(%s, 'story', %s, '{"id": "x", "type": "story"}', 'draft', 1, '2026-03-01', '2026-03-01')"""
INSERT = f"INSERT INTO public.planning ({COLUMNS}) VALUES {ROW}"

TAKEN_OVER = f"""
GRANT {ROLE} TO {APP};
GRANT USAGE, CREATE ON SCHEMA public TO {ROLE};
ALTER TABLE public.planning OWNER TO {ROLE};
CREATE TABLE public._prisma_migrations (
  id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
  migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);
INSERT INTO public._prisma_migrations (id, checksum, migration_name) VALUES ('1', 'c', '20260101000000_init');
CREATE TYPE public."Mood" AS ENUM ('calm', 'tense');
CREATE TABLE public.author (id serial PRIMARY KEY, mood public."Mood" NOT NULL DEFAULT 'calm');
ALTER TABLE public._prisma_migrations OWNER TO {ROLE};
ALTER TABLE public.author OWNER TO {ROLE};
ALTER TYPE public."Mood" OWNER TO {ROLE}
"""
"""A schema of the application: planning as it is, migrations of Prisma, and what else a schema may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The application on the primary.

    Attributes:
        pair: The stores.
        url: Its database, as its own role.
    """

    pair: Pair
    url: str

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection as its client does: statements are prepared at once; who waits for a lock fails soon."""
        return psycopg.connect(self.url, prepare_threshold=0, autocommit=True, options="-c lock_timeout=3s")

    def run(self, statement: str, *values: object) -> None:
        """Run one statement."""
        with self.connect() as connection:
            connection.execute(statement.encode(), values)


def application(pair: Pair) -> Application:
    """Give the tables of the primary to a role of the application, beside others of its own."""
    create_prisma_table(pair.primary)
    with psycopg.connect(pair.primary_superuser, autocommit=True) as admin:
        if not admin.execute("SELECT FROM pg_roles WHERE rolname = %s", [ROLE]).fetchall():
            admin.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'".encode())
        admin.execute(TAKEN_OVER.encode())
    return Application(pair=pair, url=changed(pair.primary, user=ROLE, password=PASSWORD))


def program(connection: psycopg.Connection[Any], between: Callable[[], object]) -> list[object]:
    """Do what an application does, and return all that it sees of it."""
    seen: list[object] = []

    def run(statement: str, *values: object) -> None:
        cursor = connection.execute(statement.encode(), values)
        seen.append((cursor.statusmessage, cursor.fetchall() if cursor.description else None))
        between()

    one, two, three, four, five = KEYS[:5]
    run(f"{INSERT} RETURNING id, title, storage_status", one, "create")
    many = f"{INSERT}, {ROW} ON CONFLICT DO NOTHING"
    run(many, one, "createMany", two, "createMany")
    run("SELECT id, title, version FROM public.planning WHERE id = %s AND 1 = 1 LIMIT 1 OFFSET 0", one)
    run("UPDATE public.planning SET title = %s WHERE id = %s AND 1 = 1 RETURNING id, title", "update", one)
    run("UPDATE public.planning SET version = version + 1 WHERE id IN (%s, %s) AND 1 = 1", one, two)
    upsert = f"""{INSERT} ON CONFLICT (id) DO UPDATE
    SET title = excluded.title || ' again', version = planning.version + 1 RETURNING id, title, version"""
    run(upsert, three, "upsert")
    run(upsert, three, "upsert")
    run(many, four, "to be deleted", five, "to be deleted")
    run("DELETE FROM public.planning WHERE id = %s AND 1 = 1 RETURNING id, title", four)
    run("DELETE FROM public.planning WHERE title = %s", "to be deleted")
    with connection.cursor().copy(f"COPY public.planning ({COLUMNS}) FROM STDIN".encode()) as copy:
        copy.write_row((five, "story", "copied", '{"id": "x", "type": "story"}', "draft", 1, AT, AT))
    run("WITH moved AS (UPDATE public.planning SET title = 'cte' WHERE id = %s RETURNING id) SELECT * FROM moved", five)
    run("SAVEPOINT s")
    with pytest.raises(psycopg.errors.UniqueViolation) as raised:
        connection.execute(INSERT.encode(), [one, "twice"])
    seen.append((raised.value.diag.constraint_name, raised.value.diag.message_primary))
    run("ROLLBACK TO SAVEPOINT s")
    run("SELECT id, title, version FROM public.planning ORDER BY id")
    return seen


SEEN: dict[str, str] = {
    "tables": """
        SELECT c.relname, c.relkind, c.relpersistence, c.relispartition, c.relhassubclass, c.relrowsecurity,
               c.relreplident, c.reloptions, obj_description(c.oid, 'pg_class'), pg_get_userbyid(c.relowner), c.relacl
        FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace""",
    "columns": """
        SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               a.attgenerated, a.attcollation, pg_get_expr(d.adbin, d.adrelid), a.attacl,
               col_description(c.oid, a.attnum)
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef AS d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0""",
    "columns by the standard": "SELECT * FROM information_schema.columns WHERE table_schema = 'public'",
    "indexes": """
        SELECT pg_get_indexdef(i.indexrelid), i.indisunique, i.indisprimary, i.indisvalid
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
        WHERE c.relnamespace = 'public'::regnamespace""",
    "constraints": """
        SELECT conrelid::regclass, conname, contype, pg_get_constraintdef(oid), condeferrable, convalidated
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "enums": """
        SELECT t.typname, e.enumlabel, e.enumsortorder FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid
        WHERE t.typnamespace = 'public'::regnamespace""",
    "sequences": "SELECT * FROM pg_sequences WHERE schemaname = 'public'",
    "functions": "SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'",
    "policies": "SELECT * FROM pg_policies WHERE schemaname = 'public'",
    "schema": "SELECT nspname, nspowner, nspacl FROM pg_namespace WHERE nspname = 'public'",
    "extensions": "SELECT extname, extversion, extnamespace FROM pg_extension",
    "migrations": "SELECT * FROM public._prisma_migrations",
}
"""What Prisma reads of a schema, and more; triggers it does not read."""


def schema_of(dsn: str, *, without: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return what a role sees of schema public, each row as text, sorted."""
    with psycopg.connect(dsn) as connection:
        return {
            name: sorted(text for (text,) in connection.execute(f"SELECT t::text FROM ({query}) AS t".encode()))
            for name, query in SEEN.items()
            if name not in without
        }
