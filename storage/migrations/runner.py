"""Bring a database to the state that twinstore needs, say how far it is, or take everything of ours out again.

Each migration is one transaction that also records it, so a runner that dies between two of them leaves a database from
which the next one goes on. Two runners wait for each other. Nothing needs a session that outlives a transaction, so a
transaction pooler will do.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from typing import TYPE_CHECKING

from contracts.errors import ConfigurationError, InternalFault, SchemaMismatch, TwinstoreError
from storage.migrations import doors, replication_doors
from storage.migrations.scripts import migrations, script
from storage.migrations.texts import text
from storage.migrations.values import Applied, Migration, MigrationReport, MigrationState, Side, UninstallReport
from storage.pg_errors import translate

if TYPE_CHECKING:
    import psycopg

_OF_DATASETS = (doors.RECORDED_AS, replication_doors.RECORDED_AS)
"""What the names of migrations begin with that are made of datasets: one may be gone."""

_LOOKING = """
    SET LOCAL lock_timeout = '10s';  -- whoever only looks does not wait for long
    SET LOCAL search_path = pg_catalog, pg_temp;
    SET LOCAL DateStyle = 'ISO, MDY';
    SET LOCAL TimeZone = 'UTC'
"""
_LOCK = """
    SET LOCAL lock_timeout = '60s';
    SELECT pg_advisory_xact_lock(hashtextextended('twinstore.migrations', 0))
"""

# Not to_regclass: it may answer from what this session knew before it waited for the lock.
_HELD = {
    "conflicts": ("table twinstore.conflict", "SELECT count(*) FROM twinstore.conflict WHERE resolved_at IS NULL"),
    "waiting": ("table twinstore.change", "SELECT count(DISTINCT (dataset, key)) FROM twinstore.change"),
}
"""What is lost with a table of ours, and nowhere else."""

_INSTALLED = "SELECT true FROM pg_catalog.pg_tables WHERE schemaname = 'twinstore' AND tablename = 'migration_log'"


def state(dsn: str, side: Side) -> MigrationState:
    """Say how far a database is. Reads only.

    Args:
        dsn: URL or connection string of PostgreSQL.
        side: The side that it is meant to be.

    Raises:
        ConfigurationError: It is the other side's database.
        Unavailable: It cannot be reached.
        Refused: It refuses us.
        TimedOut: Our own tables are locked.
    """
    with _connected(dsn, side) as conn, conn.transaction():
        conn.execute(_LOOKING.encode())
        return _state(conn, side)


def migrate(dsn: str, side: Side, *, dry_run: bool = False) -> MigrationReport:
    """Apply what is pending, each migration in its own transaction. Rows are never dropped.

    Args:
        dsn: URL or connection string of PostgreSQL, for the role that shall own what is made.
        side: The side to install.
        dry_run: Check everything that can be checked by reading, and change nothing.

    Raises:
        ConfigurationError: It is the other side's database, a file changed after it was applied, or a newer twinstore
            was here.
        Unavailable: It cannot be reached or went away; what is recorded is done, the rest is not.
        Refused: The role may not do it.
        TimedOut: A lock could not be had; nothing of that migration was done.
    """
    notices: list[str] = []
    with _connected(dsn, side) as conn:
        conn.add_notice_handler(lambda said: notices.extend(_ours(said)))
        plan = _state(conn, side)
        _refuse(plan)
        if dry_run:
            return MigrationReport(side=side, dry_run=True, migrations=tuple(m.name for m in plan.pending))
        done = tuple(m.name for m in plan.pending if _apply(conn, side, m))
    return MigrationReport(side=side, dry_run=False, migrations=done, notices=tuple(notices))


def uninstall(dsn: str, side: Side, *, dry_run: bool = False) -> UninstallReport:
    """Remove schema `twinstore`, its triggers and its functions; tables outside of it keep their rows and their checks.

    Args:
        dsn: URL or connection string of PostgreSQL, for the role that owns them.
        side: The side to remove.
        dry_run: List what would be removed, and change nothing.

    Raises:
        ConfigurationError: It is the other side's database.
        SchemaMismatch: Something that is not ours depends on it; nothing was removed.
        Unavailable: It cannot be reached.
        Refused: The role may not do it.
    """
    with _connected(dsn, side) as conn:
        objects = _objects(conn)
        held = {name: _count(conn, query) for name, (table, query) in _HELD.items() if table in objects}
        if dry_run:
            return UninstallReport(side=side, dry_run=True, objects=objects, **held)
        try:
            with translate(side.store), conn.transaction():
                _remove(conn, side)
        except SchemaMismatch as error:
            raise SchemaMismatch(
                f"Nothing was removed: something in or outside of schema twinstore is not ours. {error.what}",
                "Drop what was built on it, or use the version of twinstore that made it.",
                store=side.store,
            ) from None
        return UninstallReport(side=side, dry_run=False, objects=objects, **held)


@contextmanager
def _connected(dsn: str, side: Side) -> Iterator[psycopg.Connection]:
    """Open a connection to a database that is not the other side's."""
    import psycopg

    with (
        translate(side.store),
        psycopg.connect(
            dsn,
            autocommit=True,
            prepare_threshold=None,
            client_encoding="utf8",
            fallback_application_name="twinstore migrate",
        ) as conn,
    ):
        with conn.transaction():
            conn.execute(_LOOKING.encode())
            conn.execute(text(f"{side}/guard.sql").encode())
        yield conn


def _state(conn: psycopg.Connection, side: Side) -> MigrationState:
    installed = conn.execute(_INSTALLED).fetchone()
    rows = conn.execute(text("read_state.sql").encode()).fetchall() if installed else []
    recorded = [
        Applied(name=name, checksum=sum_, applied_at=at, execution_ms=ms, version=by, succeeded=ok)
        for _, name, sum_, at, ms, by, ok in rows
        if name is not None
    ]
    files = {m.name: m for m in migrations(side)}
    applied = tuple(a for a in recorded if a.succeeded)
    done = {a.name: a.checksum for a in applied}
    fixed = {name: m.checksum for name, m in files.items() if not m.repeatable}
    return MigrationState(
        side=side,
        identity=rows[0][0] if rows else None,
        applied=applied,
        pending=tuple(
            m for m in files.values() if done.get(m.name) != m.checksum and (m.repeatable or m.name not in done)
        ),
        changed=tuple(a for a in applied if fixed.get(a.name, a.checksum) != a.checksum),
        unknown=tuple(a.name for a in applied if a.name not in files and not a.name.startswith(_OF_DATASETS)),
        failed=tuple(a.name for a in recorded if not a.succeeded),
    )


def _refuse(plan: MigrationState) -> None:
    """Raise unless the plan can be carried out."""
    files = {m.name: m.checksum for m in migrations(plan.side)}
    for old in plan.changed:
        raise ConfigurationError(
            f"Migration {old.name} was applied with checksum {old.checksum[:12]} and has {files[old.name][:12]} now.",
            "Put the file back as it was; what must change goes into a new migration.",
            store=plan.side.store,
        )
    if plan.unknown:
        raise ConfigurationError(
            f"The {plan.side} store has migrations that this version does not know: {', '.join(plan.unknown)}.",
            "Use the version of twinstore that applied them, or a newer one.",
            store=plan.side.store,
        )


def _apply(conn: psycopg.Connection, side: Side, migration: Migration) -> bool:
    """Apply one migration unless another runner was faster; say whether this one did."""
    started = time.monotonic()
    try:
        with translate(side.store), conn.transaction():
            conn.execute(_LOCK.encode())
            if migration not in _state(conn, side).pending:
                return False
            conn.execute(script(side, migration).encode())
    except TwinstoreError as error:
        _record_failure(conn, migration, execution_ms=round((time.monotonic() - started) * 1000))
        raise type(error)(
            f"Migration {migration.name} was not applied: {error.what}",
            f"{error.todo} Nothing of it was kept; `twinstore migrate` goes on from there.",
            store=side.store,
        ) from None
    return True


def _remove(conn: psycopg.Connection, side: Side) -> None:
    conn.execute(_LOCK.encode())
    conn.execute("SET LOCAL lock_timeout = '5s'")
    conn.execute("SET LOCAL client_min_messages = warning")
    conn.execute(text(f"{side}/uninstall.sql").encode())
    if left := _objects(conn):
        raise InternalFault(
            f"Nothing was removed, since this would have stayed: {', '.join(left)}.", "Please report it."
        )


def _record_failure(conn: psycopg.Connection, migration: Migration, *, execution_ms: int) -> None:
    """Leave a note in the database, where that is possible at all."""
    import psycopg

    with suppress(psycopg.Error):
        conn.execute(
            text("record_failure.sql").encode(),
            {
                "name": migration.name,
                "checksum": migration.checksum,
                "execution_ms": execution_ms,
                "version": version("twinstore"),
            },
        )


def _objects(conn: psycopg.Connection) -> tuple[str, ...]:
    return tuple(str(name) for (name,) in conn.execute(text("read_objects.sql").encode()))


def _count(conn: psycopg.Connection, query: str) -> int:
    ((number,),) = conn.execute(query.encode()).fetchall()
    return int(number)


def _ours(said: psycopg.errors.Diagnostic) -> Iterator[str]:
    """Keep what our SQL says; drop what the server says by itself."""
    if said.source_function == "exec_stmt_raise" and said.message_primary:
        yield said.message_primary
