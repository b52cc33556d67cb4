"""Prove, before anything is concluded, that a table can be read as its dataset declares it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from contracts.dataset import Dataset
from contracts.errors import Refused, SchemaMismatch
from contracts.verdicts import StoreFacts
from contracts.vocabulary import Channel, StoreName

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

TABLES = "rp"  # kinds of relations that hold rows of their own: tables, and partitioned tables

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
    ((seen,),) = connection.execute(look(store, dataset)).fetchall()
    return conclude(seen, store, dataset, channel=Channel.SQL, identity=_identity(connection))


def look(store: StoreName, dataset: Dataset) -> sql.Composed:
    """Return the SELECT of what `conclude` judges: one JSON value."""
    from psycopg import sql

    schema, relation = dataset.tables[store]
    template = (files("storage") / "preflight.sql").read_text(encoding="utf-8").strip()
    return sql.SQL(template).format(
        schema=sql.Literal(schema),
        relation=sql.Literal(relation),
        key_columns=sql.Literal([column.name_in(store) for column in dataset.key_columns]),
    )


def conclude(
    seen: Mapping[str, Any], store: StoreName, dataset: Dataset, *, channel: Channel, identity: str
) -> StoreFacts:
    """Judge what `look` saw.

    Args:
        seen: The JSON value that its SELECT gave.
        store: The store.
        dataset: The dataset.
        channel: How the store is reached.
        identity: Id of the database, empty where it has none.

    Raises:
        SchemaMismatch: The table or a column is missing, or a column has another type.
        Refused: A grant is missing.
    """
    schema, name = dataset.tables[store]
    table, role = seen["table"], seen["role"]
    if table is None:
        raise SchemaMismatch(
            f"{store} has no table {schema}.{name}.",
            "Run `twinstore migrate`, or name the database that holds it.",
            store=store,
        )
    _require_columns(store, dataset, table)
    if not table["usable"]:
        where, whom = _quoted(schema), _quoted(role)
        grant = f"GRANT USAGE ON SCHEMA {where} TO {whom}; GRANT SELECT ON {where}.{_quoted(name)} TO {whom};"
        raise Refused(f"{store} does not let {role} read {schema}.{name}.", f"Run there: {grant}", store=store)
    if table["kind"] in TABLES:
        _require_key(store, dataset, table)
    rows, row_security = table["estimated_rows"], table["row_security"]
    return StoreFacts(
        store=store,
        channel=channel,
        reachable=True,
        server_version=seen["server_version"].split(" ")[0],
        table=f"{schema}.{name}",
        estimated_rows=rows if rows >= 0 else None,
        identity=identity,
        sees_all_rows=table["kind"] in TABLES and not row_security,
        note=f"row level security may hide rows from {role}" if row_security else "",
    )


def _quoted(name: str) -> str:
    """Write a name as SQL takes it."""
    plain = name.replace("_", "a").isalnum() and name.isascii() and name == name.lower() and not name[0].isdigit()
    return name if plain else '"' + name.replace('"', '""') + '"'


def _require_key(store: StoreName, dataset: Dataset, seen: Mapping[str, Any]) -> None:
    """Refuse a table in which one key could stand for two rows."""
    table = ".".join(dataset.tables[store])
    key = ", ".join(column.name_in(store) for column in dataset.key_columns)
    requirements = {
        f"has no unique index on {key} alone": seen["key_unique"],
        f"takes NULL in {key}": seen["key_present"],
        f"takes different texts for equal in {key}, by its collation": seen["key_deterministic"],
        "has child tables, whose rows may repeat its keys": seen["childless"],
    }
    for trouble, met in requirements.items():
        if not met:
            raise SchemaMismatch(f"{table} on {store} {trouble}.", "One key must stand for one row.", store=store)


def _require_columns(store: StoreName, dataset: Dataset, seen: Mapping[str, Any]) -> None:
    table, types = ".".join(dataset.tables[store]), seen["columns"] or {}  # a table may have none
    for column in dataset.columns:
        allowed, name = column.sql_types[store], column.name_in(store)
        if name not in types:
            raise SchemaMismatch(
                f"{store} has no column {name} in {table}.",
                "Run `twinstore migrate`; on the Prisma side add the column to the Prisma schema.",
                store=store,
            )
        if types[name] not in allowed:
            raise SchemaMismatch(
                f"Column {name} of {table} on {store} is {types[name]}, not {' or '.join(sorted(allowed))}.",
                "Bring the column to that type, or correct the dataset.",
                store=store,
            )
        if name in seen["unreadable"]:
            raise SchemaMismatch(
                f"Column {name} of {table} on {store} is {types[name]}, which is neither an enum nor citext.",
                "Leave the column out of the dataset: values of such a type cannot be compared.",
                store=store,
            )


def _identity(connection: psycopg.Connection[Any]) -> str:
    if connection.execute(IDENTITY).fetchone() == (1,):
        row = connection.execute("SELECT id::text FROM twinstore.identity").fetchone()
        return str(row[0]) if row else ""
    return ""
