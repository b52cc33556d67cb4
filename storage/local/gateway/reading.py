"""SELECT: one page of the rows of a table or of a function's result, with the total where it is asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.local.gateway.connections import Transaction
from storage.local.gateway.fragments import order_sql, selection_sql, where_sql, window_sql
from storage.local.gateway.media import Media
from storage.local.gateway.parameters import Parameters
from storage.local.gateway.window import Window

if TYPE_CHECKING:
    from psycopg.sql import Composable


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page.

    Attributes:
        rows: How many rows it has.
        total: How many there are in all, or are estimated to be; None if that was not asked.
        body: The rows as JSON; empty if only their number was wanted.
    """

    rows: int
    total: int | None
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where rows come from.

    Attributes:
        relation: The FROM clause.
        alias: How columns are qualified.
        scalar: Name of the only column, if the rows are bare values.
    """

    relation: Composable
    alias: Composable
    scalar: str | None = None


def fetch_page(
    transaction: Transaction,
    source: Source,
    parameters: Parameters,
    window: Window,
    *,
    media: Media,
    count: str | None,
    cap: int | None,
    with_body: bool = True,
) -> Page:
    """Read one page; page and exact total are one statement, hence of one moment.

    Args:
        transaction: In which it is read.
        source: Where the rows come from.
        parameters: Columns, filters and order.
        window: Which rows are wanted.
        media: Form of the body.
        count: `exact`, `planned`, `estimated` or None.
        cap: At most so many rows are returned, whatever was asked for; None for any number.
        with_body: Whether the rows are wanted, not only how many they are.
    """
    from psycopg.sql import SQL, Literal

    where = where_sql(parameters.where, source.alias)
    rows = SQL("SELECT {} FROM {}{}{}{}").format(
        selection_sql(parameters.select, source.alias),
        source.relation,
        where,
        order_sql(parameters.order, source.alias),
        window_sql(window.capped(cap)),
    )
    everything = SQL("SELECT 1 FROM {}{}").format(source.relation, where)
    total: Composable = SQL("NULL")
    if count == "exact" or (count == "estimated" and cap is None):
        total = SQL("(SELECT count(*) FROM ({}) AS twinstore_all)").format(everything)
    elif count == "estimated":
        total = SQL("(SELECT count(*) FROM ({} LIMIT {}) AS twinstore_all)").format(everything, Literal((cap or 0) + 1))
    body = json_sql(media, scalar=source.scalar) if with_body else SQL("''")
    counted, totalled, found = transaction.run(
        SQL("SELECT count(*), {}, {} FROM ({}) AS twinstore_row").format(total, body, rows)
    )
    known = None if totalled is None else int(totalled)
    if count == "planned" or (count == "estimated" and cap is not None and (known or 0) > cap):
        known = max(known or 0, _planned(transaction, everything))
    return Page(rows=int(counted or 0), total=known, body=found or b"")


def json_sql(media: Media, *, scalar: str | None = None) -> Composable:
    """Return the aggregate of the rows `twinstore_row` in the wanted form.

    Args:
        media: The form.
        scalar: Name of the only column, if the rows are bare values.
    """
    from psycopg.sql import SQL, Identifier

    value = SQL("twinstore_row.{}").format(Identifier(scalar)) if scalar else SQL("twinstore_row.*")
    if media.single:  # as text: one value, however large, is neither parsed again nor copied into an array
        found = SQL("json_strip_nulls(to_json({}))" if media.stripped else "to_json({})").format(value)
        return SQL("coalesce(string_agg({}::text, ''), 'null')").format(found)
    rows = SQL("json_strip_nulls(json_agg({}))" if media.stripped else "json_agg({})").format(value)
    return SQL("coalesce({}, '[]')").format(rows)


def _planned(transaction: Transaction, statement: Composable) -> int:
    from psycopg.sql import SQL

    (plan,) = transaction.run(SQL("EXPLAIN (FORMAT JSON) {}").format(statement))
    return int(json.loads(plan or b"[]")[0]["Plan"]["Plan Rows"])
