"""Stores as the migrations may find them, and ways to look at them: older tables, schema dumps, acting as a role."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from storage.local.binaries import bin_folder

FORMS = {
    "m1": ("common", "own_policies", "m1_extras", "rows"),
    "c1": ("common", "own_policies", "rows", "blank_title"),
    "c2": ("common", "projects", "c2_extras", "rows", "blank_title"),
    "m1+sync": ("common", "own_policies", "m1_extras", "rows", "projects", "sync"),
}
"""The forms that the Supabase table had, as scripts of `origin_ddl/`."""

PRISMA_FORMS = {"first": ("prisma_first",), "second": ("prisma_first", "prisma_second")}

ALICE = "11111111-0000-4000-8000-000000000001"
BOB = "22222222-0000-4000-8000-000000000002"
ALICES_ROW = "0a000000-0000-4000-8000-000000000001"
BOBS_ROW = "0a000000-0000-4000-8000-000000000002"
GUESTS_ROW = "0a000000-0000-4000-8000-000000000003"
ALICES_PROJECT = "aaaaaaaa-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secondary:
    """One empty database dressed as Supabase.

    Attributes:
        dsn: As `postgres`, who is no superuser.
        superuser: As its superuser.
        gate: As `authenticator`.
    """

    dsn: str
    superuser: str
    gate: str


def run_scripts(dsn: str, names: tuple[str, ...]) -> None:
    """Run scripts of `origin_ddl/`, each in a transaction of its own."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        for name in names:
            conn.execute((Path(__file__).parent / "origin_ddl" / f"{name}.sql").read_bytes())


def schema_dump(dsn: str, *schemas: str) -> str:
    """Dump the definitions of some schemas with pg_dump, owners and grants included."""
    command = [str(bin_folder(18) / "pg_dump"), "--schema-only", "--restrict-key=same", f"--dbname={dsn}"]
    command += [f"--schema={name}" for name in schemas]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run_psql(dsn: str, script: Path) -> subprocess.CompletedProcess[str]:
    """Run a file with psql, as its first lines say."""
    command = [str(bin_folder(18) / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script), dsn]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def rows(dsn: str, table: str) -> list[str]:
    """Read all rows of a table of schema public, each as text of a JSON object, sorted."""
    query = sql.SQL("SELECT to_jsonb(t)::text FROM public.{} AS t ORDER BY 1").format(sql.Identifier(table))
    with psycopg.connect(dsn) as conn:
        return [str(row) for (row,) in conn.execute(query)]


@contextmanager
def acting(gate: str, role: str, user: str | None = None) -> Iterator[psycopg.Connection]:
    """Open one transaction as the REST service does it for a request: role and claims of the token; roll back."""
    claims = {"role": role, **({"sub": user} if user else {})}
    with psycopg.connect(gate) as conn:
        conn.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        conn.execute("SELECT set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        yield conn
        conn.rollback()
