"""The files of the migrations: numbered, checksummed, one vocabulary, and nothing that drops data."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys

import pytest

from contracts.planning import ContentType, Status
from storage.migrations import Migration, Side, migrations, render
from storage.migrations.scripts import numbered, script
from storage.migrations.texts import text

EVERY = [(side, migration) for side in Side for migration in migrations(side)]
IDS = [f"{side}-{migration.name}" for side, migration in EVERY]


def _code(sql: str) -> str:
    return re.sub(r"--[^\n]*", "", sql)


def _run_at_once(sql: str) -> str:
    """Return what a migration does itself, without the bodies of the functions that it makes."""
    return re.sub(r"AS \$door\$.*?\$door\$", "", _code(sql), flags=re.DOTALL)


@pytest.mark.parametrize("side", Side)
def test_names_are_numbered_without_a_gap(side: Side) -> None:
    """Files are numbered from one on, in the order of application, and come before what is repeatable."""
    assert [m.name[:5] for m in numbered(side)] == [f"{i:04}_" for i in range(1, len(numbered(side)) + 1)]
    assert migrations(side)[: len(numbered(side))] == numbered(side)
    assert all(m.repeatable for m in migrations(side)[len(numbered(side)) :])


@pytest.mark.parametrize(("side", "migration"), EVERY, ids=IDS)
def test_checksum_is_of_the_text(side: Side, migration: Migration) -> None:
    """The checksum is the SHA-256 of the text, whatever the line endings of the checkout."""
    if not migration.repeatable:
        assert migration.checksum == hashlib.sha256(migration.sql.encode()).hexdigest()
    assert "\r" not in migration.sql


@pytest.mark.parametrize(("side", "migration"), EVERY, ids=IDS)
def test_no_migration_drops_data(side: Side, migration: Migration) -> None:
    """No migration drops a table, a column or a schema, deletes or empties anything, or cascades."""
    forbidden = (
        r"DROP\s+(TABLE|COLUMN|SCHEMA|TYPE)|\bDELETE\s+FROM|\bTRUNCATE\s+(TABLE\s+)?\w+\.|CASCADE|\bUPDATE\s+\w+\."
    )
    assert not re.search(forbidden, _run_at_once(migration.sql), re.IGNORECASE)


@pytest.mark.parametrize(("side", "migration"), EVERY, ids=IDS)
def test_every_script_is_one_transaction_with_limits(side: Side, migration: Migration) -> None:
    """A script limits its waits, takes the lock, records itself, and leaves the transaction to its caller."""
    whole = _code(script(side, migration))
    assert "SET LOCAL lock_timeout" in whole
    assert "pg_advisory_xact_lock" in whole
    assert f"VALUES ('{migration.name}', '{migration.checksum}'" in whole
    assert "{{" not in whole
    assert not re.search(r"^\s*(BEGIN|COMMIT|ROLLBACK|START TRANSACTION)\s*;", whole, re.MULTILINE)
    assert "CONCURRENTLY" not in whole


def test_primary_stays_out_of_the_schema_of_prisma() -> None:
    """No statement of the primary side creates, alters or drops anything outside of schema twinstore."""
    for migration in migrations(Side.PRIMARY):
        for statement in re.findall(
            r"\b(?:CREATE|ALTER|DROP|COMMENT|INSERT|GRANT)\s[^;(]*", _run_at_once(migration.sql)
        ):
            assert "twinstore" in statement


def test_one_vocabulary() -> None:
    """The words that the table accepts are those of the contract, in every place where the files name them."""
    rules = next(m.sql for m in migrations(Side.SECONDARY) if m.name == "0003_planning_rules")
    lists = {
        tuple(re.findall(r"'([\w-]+)'", found))
        for found in re.findall(r"(?:IN \(|ARRAY\[)((?:'[\w-]+'(?:, )?){3,})", rules)
    }
    assert lists == {tuple(Status), tuple(ContentType)}


@pytest.mark.parametrize("side", Side)
def test_printed_sql_is_complete(side: Side) -> None:
    """The printed SQL holds every migration, each in a transaction of its own, and nothing that only psql knows."""
    printed = render(side)
    assert not re.search(r"^\\", printed, re.MULTILINE)
    assert printed.count("\nBEGIN;\n") == printed.count("\nCOMMIT;\n") == len(migrations(side))
    assert [m.name for m in migrations(side)] == re.findall(
        r"^-- (\d{4}_\w+|(?:doors|replication)_\w+)$", printed, re.MULTILINE
    )


@pytest.mark.parametrize("side", Side)
def test_uninstall_drags_nothing_along(side: Side) -> None:
    """Uninstalling touches no table outside of schema twinstore and never cascades."""
    sql = _code(text(f"{side}/uninstall.sql"))
    assert "CASCADE" not in sql
    dropped = ",".join(re.findall(r"DROP TABLE IF EXISTS ([^;]*) RESTRICT", sql)).split(",")
    assert {name.strip().partition(".")[0] for name in dropped} == {"twinstore"}


def test_door_loads_no_driver() -> None:
    """Importing the migrations loads no driver."""
    code = "import sys, storage.migrations; sys.exit('psycopg' in sys.modules or 'sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
