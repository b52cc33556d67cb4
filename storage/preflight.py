"""Prove, before anything is concluded, that a table can be read as its dataset declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.dataset import Dataset
from contracts.errors import Refused, SchemaMismatch
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel, StoreName

if TYPE_CHECKING:
    import psycopg

TABLES = "rp"  # kinds of relations that hold rows of their own: tables, and partitioned tables

TABLE = """
SELECT c.oid, c.relkind, has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
       current_user::text, current_setting('server_version'), row_security_active(c.oid), c.reltuples::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""

KEY = """
WITH key AS (SELECT attnum, attnotnull, attcollation FROM pg_catalog.pg_attribute
             WHERE attrelid = %(table)s AND attname = ANY(%(columns)s))
SELECT EXISTS (
           SELECT FROM pg_catalog.pg_index
           WHERE indrelid = %(table)s AND indisunique AND indisvalid AND indimmediate
             AND indpred IS NULL AND indexprs IS NULL
             AND (indkey::int2[])[0:indnkeyatts - 1] <@ (SELECT array_agg(attnum) FROM key)
       ),
       (SELECT bool_and(attnotnull) FROM key),
       NOT EXISTS (SELECT FROM key JOIN pg_catalog.pg_collation c ON c.oid = attcollation AND NOT collisdeterministic),
       NOT EXISTS (SELECT FROM pg_catalog.pg_class JOIN pg_catalog.pg_inherits ON inhparent = pg_class.oid
                   WHERE pg_class.oid = %(table)s AND relkind = 'r')
"""

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod)
FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped
"""

IDENTITY = """
SELECT CASE WHEN to_regclass('twinstore.identity') IS NOT NULL
             AND has_schema_privilege('twinstore', 'USAGE')
             AND has_table_privilege(to_regclass('twinstore.identity'), 'SELECT') THEN 1 END
"""


def examine(connection: psycopg.Connection[Any], store: StoreName, dataset: Dataset) -> StoreFacts:
    """Look the table, its columns, their types and our grants up in the catalogue; reads no row of it.

    Raises:
        SchemaMismatch: The table or a column is missing, or a column has another type.
        Refused: A grant is missing.
    """
    schema, name = dataset.tables[store]
    found = connection.execute(TABLE, (schema, name)).fetchone()
    if found is None:
        raise SchemaMismatch(
            f"{store} has no table {schema}.{name}.",
            "Run `twinstore migrate`, or name the database that holds it.",
            store=store,
        )
    oid, kind, usable, user, version, row_security, rows = found
    _require_columns(store, dataset, dict(connection.execute(COLUMNS, (oid,)).fetchall()))
    if not usable:
        where, whom = _quoted(schema), _quoted(user)
        grant = f"GRANT USAGE ON SCHEMA {where} TO {whom}; GRANT SELECT ON {where}.{_quoted(name)} TO {whom};"
        raise Refused(f"{store} does not let {user} read {schema}.{name}.", f"Run there: {grant}", store=store)
    if kind in TABLES:
        _require_key(connection, store, dataset, oid)
    return StoreFacts(
        store=store,
        channel=Channel.SQL,
        reachable=True,
        server_version=version.split(" ")[0],
        table=f"{schema}.{name}",
        estimated_rows=rows if rows >= 0 else None,
        identity=_identity(connection),
        sees_all_rows=kind in TABLES and not row_security,
        note=f"row level security may hide rows from {user}" if row_security else "",
    )


def _quoted(name: str) -> str:
    """Write a name as SQL takes it."""
    plain = name.replace("_", "a").isalnum() and name.isascii() and name == name.lower() and not name[0].isdigit()
    return name if plain else '"' + name.replace('"', '""') + '"'


def _require_key(connection: psycopg.Connection[Any], store: StoreName, dataset: Dataset, oid: int) -> None:
    """Refuse a table in which one key could stand for two rows."""
    table = ".".join(dataset.tables[store])
    names = [column.name_in(store) for column in dataset.key_columns]
    found = connection.execute(KEY, {"table": oid, "columns": names}).fetchone()
    unique, present, deterministic, childless = found or (False, False, False, False)
    key = ", ".join(names)
    requirements = {
        f"has no unique index on {key} alone": unique,
        f"takes NULL in {key}": present,
        f"takes different texts for equal in {key}, by its collation": deterministic,
        "has child tables, whose rows may repeat its keys": childless,
    }
    for trouble, met in requirements.items():
        if not met:
            raise SchemaMismatch(f"{table} on {store} {trouble}.", "One key must stand for one row.", store=store)


def _require_columns(store: StoreName, dataset: Dataset, types: dict[str, str]) -> None:
    for column in dataset.columns:
        allowed = column.sql_types[store]
        name = column.name_in(store)
        actual = types.get(name)
        if actual is None:
            raise SchemaMismatch(
                f"{store} has no column {name} in {'.'.join(dataset.tables[store])}.",
                "Run `twinstore migrate`; on the Prisma side add the column to the Prisma schema.",
                store=store,
            )
        if actual not in allowed:
            raise SchemaMismatch(
                f"Column {name} of {'.'.join(dataset.tables[store])} on {store} is {actual}, "
                f"not {' or '.join(sorted(allowed))}.",
                "Bring the column to that type, or correct the dataset.",
                store=store,
            )


def _identity(connection: psycopg.Connection[Any]) -> str:
    if connection.execute(IDENTITY).fetchone() == (1,):
        row = connection.execute("SELECT id::text FROM twinstore.identity").fetchone()
        return str(row[0]) if row else ""
    return ""
