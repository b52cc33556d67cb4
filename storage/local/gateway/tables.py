"""Tables and views: GET, HEAD, POST, PATCH, DELETE."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from storage.local.gateway.bodies import json_text
from storage.local.gateway.catalog import Table
from storage.local.gateway.context import Context
from storage.local.gateway.exchange import Response
from storage.local.gateway.fragments import name_sql
from storage.local.gateway.media import accepted_media, check_single
from storage.local.gateway.parameters import Parameters, read_parameters
from storage.local.gateway.preferences import Kind
from storage.local.gateway.reading import Source, fetch_page
from storage.local.gateway.refusals import Refusal
from storage.local.gateway.terms import Field, Selected
from storage.local.gateway.window import content_range, status_of, wanted_window
from storage.local.gateway.writing import (
    Change,
    apply_change,
    delete_sql,
    insert_sql,
    key_columns,
    read_payload,
    update_sql,
)

if TYPE_CHECKING:
    from psycopg.sql import Composable

_OK, _CREATED, _NO_CONTENT = 200, 201, 204


def read_table(context: Context, name: str) -> Response:
    """Answer GET and HEAD.

    Raises:
        Refusal: The request cannot be served.
        psycopg.Error: The database refuses it.
    """
    pairs = context.request.parameters()
    parameters = read_parameters(pairs)
    window = wanted_window(parameters, context.range_header)
    table = context.table(name)
    relation = name_sql(table.schema, table.name)
    with context.transaction(read_only=True) as transaction:
        page = fetch_page(
            transaction,
            Source(relation=relation, alias=relation),
            parameters,
            window,
            media=context.media,
            count=context.preferences.count,
            cap=context.options.cap,
            with_body=context.with_body,
        )
        check_single(context.media, page.rows)
    query = f"?{urlencode(sorted(pairs))}" if pairs else ""
    return Response(
        status=status_of(window, page.rows, page.total),
        headers=(
            content_range(window.offset, page.rows, page.total),
            ("Content-Location", f"/{name}{query}"),
            ("Content-Type", context.media.content_type),
            *context.preferences.applied("read"),
        ),
        body=page.body,
    )


def insert_rows(context: Context, name: str) -> Response:
    """Answer POST.

    Raises:
        Refusal: The request cannot be served.
        psycopg.Error: The database refuses it.
    """
    parameters = read_parameters(context.request.parameters())
    table, preferences = context.table(name), context.preferences
    payload = read_payload(table, json_text(context.request), parameters)
    has_target = bool(parameters.on_conflict or table.primary_key)
    merges = preferences.resolution == "merge-duplicates" and has_target
    wants_location = preferences.returns == "headers-only" and bool(table.primary_key)
    change = _apply(
        context,
        table,
        insert_sql(table, payload, parameters, preferences),
        key_columns(table) if wants_location else _returned(context, parameters),
        counts_inserted=merges and not table.is_view,
    )
    location = _location(name, change.body) if wants_location and change.rows else ()
    return Response(
        status=_OK if merges and change.inserted == 0 else _CREATED,
        headers=(
            content_range(0, 0, _total(context, change)),
            *preferences.applied("insert", without=() if has_target else ("resolution",)),
            *location,
            *_content_type(context),
        ),
        body=b"" if wants_location else change.body,
    )


def update_rows(context: Context, name: str) -> Response:
    """Answer PATCH.

    Raises:
        Refusal: The request cannot be served.
        psycopg.Error: The database refuses it.
    """
    parameters = read_parameters(context.request.parameters())
    table = context.table(name)
    payload = read_payload(table, json_text(context.request), parameters)
    if payload.columns:
        statement = update_sql(table, payload, parameters, context.preferences)
        change = _apply(context, table, statement, _returned(context, parameters))
    else:  # nothing to set: no row is touched
        check_single(context.media, 0)
        change = Change(rows=0, inserted=None, body=b"[]" if _represents(context) else b"")
    return _changed(context, change, "update", content_range(0, change.rows, _total(context, change)))


def delete_rows(context: Context, name: str) -> Response:
    """Answer DELETE.

    Raises:
        Refusal: The request cannot be served.
        psycopg.Error: The database refuses it.
    """
    parameters = read_parameters(context.request.parameters())
    table = context.table(name)
    change = _apply(context, table, delete_sql(table, parameters), _returned(context, parameters))
    return _changed(context, change, "delete", content_range(0, 0, _total(context, change)))


def allowed_methods(context: Context, name: str) -> Response:
    """Answer OPTIONS.

    Raises:
        Refusal: There is no such table.
    """
    table = context.table(name)
    methods = ["OPTIONS", "GET", "HEAD", *(method for method in ("POST", "PATCH", "DELETE") if method in table.methods)]
    return Response(status=_OK, headers=(("Allow", ",".join(methods)), ("Access-Control-Allow-Origin", "*")))


def _apply(
    context: Context,
    table: Table,
    statement: Composable,
    select: Sequence[Selected],
    *,
    counts_inserted: bool = False,
) -> Change:
    """Run a write, and roll it back if it changed more or other than the client allows."""
    media = context.media if _represents(context) else accepted_media(None)
    most = context.preferences.limit_of_changes
    with context.transaction(read_only=False) as transaction:
        change = apply_change(
            transaction, table, statement, select=select, media=media, counts_inserted=counts_inserted
        )
        if context.request.method != "POST" and most is not None and change.rows > most:
            raise too_many_affected(change.rows)
        check_single(context.media, change.rows)
    return change


def too_many_affected(rows: int) -> Refusal:
    """Return the refusal of a request that would change more rows than the client allows."""
    message = "Query result exceeds max-affected preference constraint"
    return Refusal(status=400, code="PGRST124", message=message, details=f"The query affects {rows} rows")


def _changed(context: Context, change: Change, kind: Kind, span: tuple[str, str]) -> Response:
    return Response(
        status=_OK if _represents(context) else _NO_CONTENT,
        headers=(span, *context.preferences.applied(kind), *_content_type(context)),
        body=change.body,
    )


def _represents(context: Context) -> bool:
    return context.preferences.returns == "representation"


def _returned(context: Context, parameters: Parameters) -> tuple[Selected, ...]:
    if not _represents(context):
        return ()
    return parameters.select or (Selected(field=Field(name="*")),)


def _content_type(context: Context) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", context.media.content_type),) if _represents(context) else ()


def _total(context: Context, change: Change) -> int | None:
    return change.rows if context.preferences.count in {"exact", "estimated"} else None


def _location(name: str, body: bytes) -> tuple[tuple[str, str], ...]:
    row = json.loads(body)[0]
    key = [(column, "is.null" if value is None else f"eq.{value}") for column, value in row.items()]
    return (("Location", f"/{name}?{urlencode(key)}"),)
