"""INSERT, UPDATE and DELETE: their statements, what they report, and the body that they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.local.gateway.bodies import read_json
from storage.local.gateway.catalog import Column, Table
from storage.local.gateway.connections import Transaction
from storage.local.gateway.fragments import name_sql, selection_sql, text_sql, where_sql
from storage.local.gateway.media import Media
from storage.local.gateway.parameters import Parameters
from storage.local.gateway.preferences import Preferences
from storage.local.gateway.reading import json_sql
from storage.local.gateway.refusals import Refusal
from storage.local.gateway.terms import Field, Selected

if TYPE_CHECKING:
    from psycopg.sql import Composable


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The body of a write.

    Attributes:
        text: The JSON itself, which the database reads.
        columns: The columns that are written.
        single: Whether it is one object rather than an array of them.
    """

    text: str
    columns: tuple[Column, ...]
    single: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a write did.

    Attributes:
        rows: How many rows it changed.
        inserted: How many of them are new, where that is known.
        body: The rows as JSON, as far as they were wanted.
    """

    rows: int
    inserted: int | None
    body: bytes


def read_payload(table: Table, body: str, parameters: Parameters) -> Payload:
    """Read the body of an insert or update.

    Args:
        table: What is written.
        body: The body.
        parameters: `columns` among them, which makes the database read the body unseen.

    Raises:
        Refusal: It is no JSON, its objects differ in their keys, or the schema cache knows no such column.
    """
    keys, text = _keys(body) if parameters.columns is None else (parameters.columns, body)
    unknown = next((key for key in keys if key not in table.columns), None)
    if unknown is not None:
        message = f"Could not find the '{unknown}' column of '{table.name}' in the schema cache"
        raise Refusal(status=400, code="PGRST204", message=message)
    columns = tuple(table.columns[key] for key in keys)
    return Payload(text=text, columns=columns, single=text.lstrip(" \t\r\n").startswith("{"))


def insert_sql(table: Table, payload: Payload, parameters: Parameters, preferences: Preferences) -> Composable:
    """Return the INSERT without its RETURNING clause."""
    from psycopg.sql import SQL

    relation = name_sql(table.schema, table.name)
    if not payload.columns:
        # Rows without columns take every default; INSERT has no other way to say that of several rows.
        rows = SQL("SELECT FROM {}").format(_rows(payload, preferences))
        return SQL("INSERT INTO {} {}").format(relation, rows)
    names = SQL(", ").join(name_sql(column.name) for column in payload.columns)
    rows = SQL("SELECT {} FROM {}").format(names, _rows(payload, preferences))
    return SQL("INSERT INTO {} ({}) {}{}").format(
        relation, names, rows, _on_conflict(table, payload, parameters, preferences)
    )


def update_sql(table: Table, payload: Payload, parameters: Parameters, preferences: Preferences) -> Composable:
    """Return the UPDATE without its RETURNING clause."""
    from psycopg.sql import SQL

    relation = name_sql(table.schema, table.name)
    names = SQL(", ").join(name_sql(column.name) for column in payload.columns)
    values = SQL(", ").join(
        SQL("{} = {}").format(name_sql(column.name), name_sql("twinstore_body", column.name))
        for column in payload.columns
    )
    return SQL("UPDATE {} SET {} FROM (SELECT {} FROM {} LIMIT 1) AS twinstore_body{}").format(
        relation, values, names, _rows(payload, preferences), where_sql(parameters.where, relation)
    )


def delete_sql(table: Table, parameters: Parameters) -> Composable:
    """Return the DELETE without its RETURNING clause."""
    from psycopg.sql import SQL

    relation = name_sql(table.schema, table.name)
    return SQL("DELETE FROM {}{}").format(relation, where_sql(parameters.where, relation))


def apply_change(
    transaction: Transaction,
    table: Table,
    statement: Composable,
    *,
    select: Sequence[Selected],
    media: Media,
    counts_inserted: bool = False,
) -> Change:
    """Run a write and return what it did.

    Args:
        transaction: In which it runs.
        table: What is written.
        statement: Without its RETURNING clause.
        select: What of the changed rows is returned; nothing reads no column, hence needs no grant to read.
        media: Form of the returned rows.
        counts_inserted: Whether to tell new rows from updated ones.
    """
    from psycopg.sql import SQL

    relation = name_sql(table.schema, table.name)
    # The row is built in a subquery of RETURNING, so that no helper column mixes with the columns of the table.
    row = SQL("(SELECT row_to_json(item) FROM (SELECT {}) AS item)").format(selection_sql(select, relation))
    new = SQL("{}.xmax = 0").format(relation) if counts_inserted else SQL("NULL::boolean")
    rows, inserted, body = transaction.run(
        SQL(
            "WITH twinstore_row AS ({} RETURNING {} AS body, {} AS is_new) "
            "SELECT count(*), count(*) FILTER (WHERE is_new), {} FROM twinstore_row"
        ).format(statement, row if select else SQL("NULL::json"), new, json_sql(media, scalar="body"))
    )
    return Change(
        rows=int(rows or 0),
        inserted=int(inserted or 0) if counts_inserted else None,
        body=(body or b"") if select else b"",
    )


def key_columns(table: Table) -> tuple[Selected, ...]:
    """Return the primary key as a selection of texts."""
    return tuple(Selected(field=Field(name=name), cast="text") for name in table.primary_key)


def _keys(text: str) -> tuple[tuple[str, ...], str]:
    """Return the keys that all objects of a body have, and the body."""
    found = read_json(text)
    if isinstance(found, dict):
        return tuple(found), text
    if not isinstance(found, list) or not found:
        return (), "[]"  # as PostgREST takes a bare value
    first = found[0]
    if not isinstance(first, dict) or any(not isinstance(row, dict) or row.keys() != first.keys() for row in found):
        raise Refusal(status=400, code="PGRST102", message="All object keys must match")
    return tuple(first), text


def _rows(payload: Payload, preferences: Preferences) -> Composable:
    """Return the body as a relation of its columns, with their types."""
    from psycopg.sql import SQL

    kind = SQL("jsonb" if preferences.missing == "default" else "json")
    rows = SQL("CAST({} AS {})").format(text_sql(payload.text), kind)
    if payload.single:
        rows = SQL("{}_build_array({})").format(kind, rows)
    if preferences.missing == "default":
        rows = SQL("(SELECT jsonb_agg({} || element) FROM jsonb_array_elements({}) AS element)").format(
            _defaults(payload.columns), rows
        )
    if not payload.columns:
        return SQL("{}_array_elements({})").format(kind, rows)
    typed = SQL(", ").join(SQL("{} {}").format(name_sql(item.name), SQL(item.type)) for item in payload.columns)
    return SQL("{}_to_recordset({}) AS twinstore_item ({})").format(kind, rows, typed)


def _defaults(columns: Sequence[Column]) -> Composable:
    """Return an object of the columns' defaults, evaluated anew for each row."""
    from psycopg.sql import SQL, Literal

    members = [
        # The expression is the catalog's own.
        SQL("{}, {}").format(Literal(item.name), SQL(item.default))
        for item in columns
        if item.default is not None
    ]
    return SQL("jsonb_build_object({})").format(SQL(", ").join(members))


def _on_conflict(table: Table, payload: Payload, parameters: Parameters, preferences: Preferences) -> Composable:
    from psycopg.sql import SQL

    target = parameters.on_conflict or table.primary_key
    if preferences.resolution is None or not target:
        return SQL("")
    key = SQL(", ").join(name_sql(name) for name in target)
    if preferences.resolution == "ignore-duplicates":
        return SQL(" ON CONFLICT ({}) DO NOTHING").format(key)
    values = SQL(", ").join(
        SQL("{} = {}").format(name_sql(item.name), name_sql("excluded", item.name)) for item in payload.columns
    )
    return SQL(" ON CONFLICT ({}) DO UPDATE SET {}").format(key, values)
