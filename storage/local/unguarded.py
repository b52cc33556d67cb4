"""Writing to a store as its owner can, past its triggers and its checks: for seed data and for planted faults.

Everything happens in one transaction, which takes the table for itself, and is as it was when the block ends. Only the
embedded pair and tests use this; no other part writes past a guard.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from contracts.vocabulary import StoreName
from storage.pg_errors import translate

if TYPE_CHECKING:
    import psycopg

TABLE = "public.planning"

_TRIGGERS = """
    SELECT quote_ident(tgname), tgenabled::text FROM pg_trigger
    WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgname
"""
_CHECKS = """
    SELECT quote_ident(conname), pg_get_constraintdef(oid), convalidated FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype = 'c' ORDER BY conname
"""
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i
    WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
    ORDER BY 1
"""
_ENABLE = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}


@contextmanager
def transaction(store: StoreName, dsn: str) -> Iterator[psycopg.Connection]:
    """Open one transaction on a store, in UTC; it is committed unless the block raises.

    Errors of the block's own statements are for the block to translate: it may talk to both stores.

    Raises:
        Unavailable: The store cannot be reached.
        Refused: It refuses us.
    """
    import psycopg

    with translate(store):
        connection = psycopg.connect(dsn, options="-c TimeZone=UTC -c lock_timeout=10s")
    with closing(connection):
        yield connection
        with translate(store):
            connection.commit()


@contextmanager
def triggers_off(connection: psycopg.Connection) -> Iterator[None]:
    """Keep the planning table's own triggers from firing; afterwards each is enabled as it was."""
    triggers = connection.execute(_TRIGGERS, [TABLE]).fetchall()
    for name, _ in triggers:
        _run(connection, f"ALTER TABLE {TABLE} DISABLE TRIGGER {name}")
    yield
    for name, enabled in triggers:
        _run(connection, f"ALTER TABLE {TABLE} {_ENABLE[enabled]} TRIGGER {name}")


@contextmanager
def checks_off(connection: psycopg.Connection) -> Iterator[None]:
    """Let the planning table take what its CHECK constraints would refuse; the rows stay.

    Afterwards each constraint is there again and holds new writes. One that the rows now violate is back without being
    validated, as an older table might have it.
    """
    checks = connection.execute(_CHECKS, [TABLE]).fetchall()
    for name, _, _ in checks:
        _run(connection, f"ALTER TABLE {TABLE} DROP CONSTRAINT {name}")
    yield
    for name, definition, validated in checks:
        words = definition.removesuffix(" NOT VALID")
        _run(connection, f"ALTER TABLE {TABLE} ADD CONSTRAINT {name} {words} NOT VALID")
        if validated:
            _validate(connection, name)


@contextmanager
def indexes_off(connection: psycopg.Connection) -> Iterator[None]:
    """Take the planning table's indexes away, those of constraints excepted, and build the same ones anew afterwards.

    On a large load this saves the servers about a third of their work.
    """
    indexes = connection.execute(_INDEXES, [TABLE]).fetchall()
    for name, _ in indexes:
        _run(connection, f"DROP INDEX {name}")
    yield
    _run(connection, "SET LOCAL maintenance_work_mem = '256MB'")
    for _, definition in indexes:
        _run(connection, definition)


def _validate(connection: psycopg.Connection, name: str) -> None:
    import psycopg

    try:
        with connection.transaction():
            _run(connection, f"ALTER TABLE {TABLE} VALIDATE CONSTRAINT {name}")
    except psycopg.errors.CheckViolation:
        return  # the rows that were just planted: the constraint stays NOT VALID


def _run(connection: psycopg.Connection, statement: str) -> None:
    connection.execute(statement.encode())  # names come quoted from the catalogue
