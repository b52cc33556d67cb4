"""What stands in the place of a table in a query: some of its rows with faults planted, or rows that are not its own.

The queries around it are those of a comparison (`storage.table_queries`), unchanged. So what is found or missed here is
found or missed there. Plants and rows are data, never part of a statement.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from psycopg import sql

from contracts.dataset import Column, ColumnType, Dataset
from storage.canonical_sql import TableSql
from storage.ports import Plant, Row

PLACE = sql.Identifier("twinstore place")
"""In which column a plant lies, and where a row of ours stands; no name of a user's column."""
LEFT_OUT = -1  # the place of a plant that takes the whole row away

_KEY = sql.Identifier("twinstore key")
_VALUE = sql.Identifier("twinstore value")


def planted(table: TableSql, dataset: Dataset, chosen: sql.Composable, plants: sql.Composable) -> sql.Composed:
    """Return some rows of a table with faults planted.

    Args:
        table: The table.
        dataset: The dataset that it holds.
        chosen: The condition that a row is one of those that are meant.
        plants: A `jsonb`, made of `plants_as_data`.
    """
    columns = sql.SQL(", ").join(
        sql.SQL("CASE WHEN {place} = {number} THEN {value}::{type} ELSE {column}::{type} END AS {column}").format(
            place=PLACE,
            number=sql.Literal(number),
            value=_VALUE,
            type=type_here(table, column),
            column=table.column(column),
        )
        for number, column in enumerate(dataset.columns)
    )
    return sql.SQL(
        "(SELECT {columns} FROM {table} LEFT JOIN "
        "(SELECT plant ->> 0 AS {key}, (plant ->> 1)::int AS {place}, plant ->> 2 AS {value} "
        "FROM jsonb_array_elements({plants}) AS plant) AS plants ON {key} = {own_key} "
        "WHERE {chosen} AND {place} IS DISTINCT FROM {left_out}) AS planted"
    ).format(
        columns=columns,
        table=table.table,
        key=_KEY,
        place=PLACE,
        value=_VALUE,
        plants=plants,
        own_key=table.key,
        chosen=chosen,
        left_out=sql.Literal(LEFT_OUT),
    )


def given(table: TableSql, dataset: Dataset, rows: sql.Composable) -> sql.Composed:
    """Return rows that are given as text, read by the types of a table's columns; `PLACE` counts them from 1.

    Args:
        table: The table.
        dataset: The dataset that it holds.
        rows: A `jsonb`, made of `rows_as_data`.
    """
    columns = sql.SQL(", ").join(
        sql.SQL("(given.row ->> {})::{} AS {}").format(
            sql.Literal(number), type_here(table, column), table.column(column)
        )
        for number, column in enumerate(dataset.columns)
    )
    return sql.SQL(
        "(SELECT {place}, {columns} FROM jsonb_array_elements({rows}) WITH ORDINALITY AS given(row, {place})) AS given"
    ).format(place=PLACE, columns=columns, rows=rows)


def plants_as_data(dataset: Dataset, plants: Collection[Plant]) -> list[list[object]]:
    """Return plants as what `planted` reads, once it is JSON: key, place and value of each."""
    places = {column.name: number for number, column in enumerate(dataset.columns)}
    return [[key, LEFT_OUT if column is None else places[column], value] for key, column, value in plants]


def rows_as_data(dataset: Dataset, rows: Sequence[Row]) -> list[list[str | None]]:
    """Return rows as what `given` reads, once it is JSON: the texts of each in the order of the dataset's columns."""
    return [[row[column.name] for column in dataset.columns] for row in rows]


def type_here(table: TableSql, column: Column, *, own: bool = False) -> sql.SQL:
    """Return the type of a column here: one that holds any value of its form and is written alike.

    Args:
        table: The table.
        column: One of its columns.
        own: Whether it must be one that can be assigned to the column, which then refuses what is too long for it.
    """
    base = table.base_type(column)
    if own:
        return sql.SQL(_UNLIMITED.get(base, base) + ("[]" if column.array else ""))  # a type of the catalogue
    kind = _WIDEST.get(column.type, base)
    if column.type is ColumnType.UUID and base != "uuid":
        kind = "text"
    if column.array and base in _PADDED:
        kind = "bpchar"  # inside arrays, unlike outside, the blanks at the end are written
    return sql.SQL(kind + ("[]" if column.array else ""))  # a type of the catalogue


_PADDED = ("character", "bpchar")
_UNLIMITED = {"character": "bpchar", "bit": "bit varying"}
"""Types that mean one character or bit where no length is given."""
_WIDEST = {ColumnType.TEXT: "text", ColumnType.INTEGER: "bigint", ColumnType.NUMERIC: "numeric"}
