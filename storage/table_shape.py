"""What a live table is made of, as far as a contract can be written from it; reads the catalogue and one statistic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

from contracts.dataset import Dataset
from contracts.errors import SchemaMismatch
from contracts.vocabulary import StoreName
from storage.canonical_sql import TableSql
from storage.pg_errors import translate
from storage.session import CLIENT_ENCODING, Limits, begin

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnShape:
    """One column of a table.

    Attributes:
        name: Its name in this store.
        type: Its type as `format_type` spells it, that below the domain where it has one.
        readable: False for a type of a user that is neither an enum nor `citext`.
        required: True where it is NOT NULL.
        labels: The words of an enum, in order.
    """

    name: str
    type: str
    readable: bool = True
    required: bool = False
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """One table.

    Attributes:
        schema: Its schema.
        table: Its name.
        columns: Its columns, in order.
        key: Names of the columns of its primary key, else of its shortest unique index without NULLs; may be none.
        checks: Its CHECK constraints, as the server writes them.
    """

    schema: str
    table: str
    columns: tuple[ColumnShape, ...]
    key: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the rows of a table are like today.

    Attributes:
        null_shares: Share of rows in which a column is NULL, by canonical name; empty for a table without rows.
        newest_age_days: Age in days of the newest change; None where nothing tells.
    """

    null_shares: Mapping[str, float]
    newest_age_days: float | None = None


def read_shape(dsn: str, store: StoreName, schema: str, table: str, *, limits: Limits | None = None) -> TableShape:
    """Read what a table is made of from the catalogue of its store.

    Raises:
        SchemaMismatch: There is no such table.
        TwinstoreError: The store cannot be asked.
    """
    query = sql.SQL((files("storage") / "table_shape.sql").read_text(encoding="utf-8")).format(
        schema=sql.Literal(schema), relation=sql.Literal(table)
    )
    with _session(dsn, store, limits) as connection:
        found = connection.execute(query).fetchone()
    if found is None:
        raise SchemaMismatch(f"{store} has no table {schema}.{table}.", "Name it as the store does.", store=store)
    shape: Mapping[str, Any] = found[0]
    columns = tuple(ColumnShape(**{**column, "labels": tuple(column["labels"])}) for column in shape["columns"] or ())
    return TableShape(
        schema=schema, table=table, columns=columns, key=tuple(shape["key"]), checks=tuple(shape["checks"])
    )


def measure(dsn: str, store: StoreName, dataset: Dataset, *, limits: Limits | None = None) -> Measured:
    """Count the NULLs of every column but the key's, and look for the newest change: one scan of the table.

    Raises:
        TwinstoreError: The store cannot be asked.
    """
    changed = dataset.updated or dataset.created
    with _session(dsn, store, limits) as connection:
        table = TableSql(dataset, store, connection.info.server_version)
        columns = [column for column in dataset.columns if column.name not in dataset.key]
        counts = [sql.SQL("count({})").format(table.column(column)) for column in columns]
        newest: sql.Composable = sql.SQL("NULL")
        if changed:
            newest = sql.SQL("max({0}) FILTER (WHERE isfinite({0}))").format(table.instant(dataset.column(changed)))
        query = sql.SQL(
            "SELECT extract(epoch FROM (now() AT TIME ZONE 'UTC') - {newest})::float8, count(*) {counts} FROM {table}"
        ).format(newest=newest, counts=sql.SQL("").join(sql.SQL(", {}").format(c) for c in counts), table=table.table)
        age_s, rows, *held = connection.execute(query).fetchone() or (None, 0)
    shares = {c.name: 1 - known / rows for c, known in zip(columns, held, strict=True) if rows}
    return Measured(null_shares=shares, newest_age_days=None if age_s is None else age_s / _DAY_S)


@contextmanager
def _session(dsn: str, store: StoreName, limits: Limits | None) -> Iterator[psycopg.Connection[Any]]:
    """Open one read-only transaction, everything fixed that a role or a database could bend."""
    limits = limits or Limits()
    with (
        translate(store),
        psycopg.connect(
            dsn,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=max(2, round(limits.connect_s)),
            client_encoding=CLIENT_ENCODING,
            application_name="twinstore dataset",
        ) as connection,
    ):
        connection.execute(begin("READ COMMITTED", limits, server_version=connection.info.server_version))
        yield connection
        connection.execute("COMMIT")
