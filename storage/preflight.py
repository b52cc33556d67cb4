"""Prove, before anything is concluded, that a table can be read as its dataset declares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contracts.dataset import Dataset
from contracts.errors import Refused, SchemaMismatch
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel, StoreName

if TYPE_CHECKING:
    import psycopg

TABLE = """
SELECT c.oid, c.relkind, has_schema_privilege(n.oid, 'USAGE'), current_user::text,
       current_setting('server_version'), row_security_active(c.oid), c.reltuples::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s
"""

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), has_column_privilege(attrelid, attnum, 'SELECT')
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
    columns = {c: (t, granted) for c, t, granted in connection.execute(COLUMNS, (oid,)).fetchall()}
    _require_columns(store, dataset, {c: t for c, (t, _) in columns.items()})
    refused = [c.name for c in dataset.columns if not columns[c.name][1]]
    if refused or not usable:
        grant = f"GRANT USAGE ON SCHEMA {schema} TO {user}; GRANT SELECT ON {schema}.{name} TO {user};"
        raise Refused(f"{store} does not let {user} read {schema}.{name}.", f"Run there: {grant}", store=store)
    return StoreFacts(
        store=store,
        channel=Channel.SQL,
        reachable=True,
        server_version=version.split(" ")[0],
        table=f"{schema}.{name}",
        estimated_rows=rows if rows >= 0 else None,
        identity=_identity(connection),
        sees_all_rows=kind in "rp" and not row_security,
        note=f"row level security may hide rows from {user}" if row_security else "",
    )


def _require_columns(store: StoreName, dataset: Dataset, types: dict[str, str]) -> None:
    for column in dataset.columns:
        allowed = column.sql_types[store]
        actual = types.get(column.name)
        if actual is None:
            raise SchemaMismatch(
                f"{store} has no column {column.name} in {'.'.join(dataset.tables[store])}.",
                "Run `twinstore migrate`; on the Prisma side add the column to the Prisma schema.",
                store=store,
            )
        if actual not in allowed:
            raise SchemaMismatch(
                f"Column {column.name} of {'.'.join(dataset.tables[store])} on {store} is {actual}, "
                f"not {' or '.join(sorted(allowed))}.",
                "Bring the column to that type, or correct the dataset.",
                store=store,
            )


def _identity(connection: psycopg.Connection[Any]) -> str:
    if connection.execute(IDENTITY).fetchone() == (1,):
        row = connection.execute("SELECT id::text FROM twinstore.identity").fetchone()
        return str(row[0]) if row else ""
    return ""
