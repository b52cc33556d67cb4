"""Functions under `/rpc/`: GET and HEAD in a read-only transaction, POST according to their volatility."""

from __future__ import annotations

from storage.local.gateway.bodies import json_text
from storage.local.gateway.calling import arguments_of_body, arguments_of_query, call_source, choose_function
from storage.local.gateway.catalog import Function
from storage.local.gateway.context import Context
from storage.local.gateway.exchange import Response
from storage.local.gateway.media import Media, check_single
from storage.local.gateway.parameters import read_parameters
from storage.local.gateway.reading import Page, fetch_page
from storage.local.gateway.refusals import Refusal
from storage.local.gateway.tables import too_many_affected
from storage.local.gateway.window import Window, content_range, status_of, wanted_window

_NO_CONTENT, _READS = 204, frozenset({"GET", "HEAD"})


def call_function(context: Context, name: str) -> Response:
    """Answer GET, HEAD and POST.

    Raises:
        Refusal: The request cannot be served.
        psycopg.Error: The database refuses it, or the function raised.
    """
    reads = context.request.method in _READS
    parameters = read_parameters(context.request.parameters(), call=reads)
    window = wanted_window(parameters, context.range_header)
    arguments = arguments_of_query(parameters.arguments) if reads else arguments_of_body(json_text(context.request))
    overloads = context.catalog.functions.get((context.schema, name), ())
    function = choose_function(context.schema, name, overloads, arguments)
    _check_limit(context, function)
    with context.transaction(read_only=reads or not function.volatile, hoisted=function.settings) as transaction:
        page = fetch_page(
            transaction,
            call_source(function, arguments),
            parameters,
            window,
            media=_shape(context.media, function),
            count=context.preferences.count,
            cap=context.options.cap,
            with_body=context.with_body,  # of a function without a value too: unread, it might not be called at all
        )
        _check_page(context, function, page)
    return _answer(context, function, window, page)


def allowed_methods(context: Context, name: str) -> Response:
    """Answer OPTIONS.

    Raises:
        Refusal: There is no such function.
    """
    overloads = context.catalog.functions.get((context.schema, name), ())
    methods = "OPTIONS,POST" if all(item.volatile for item in overloads) else "OPTIONS,GET,HEAD,POST"
    return Response(status=200, headers=(("Allow", methods), ("Access-Control-Allow-Origin", "*")))


def _answer(context: Context, function: Function, window: Window, page: Page) -> Response:
    status = status_of(window, page.rows, page.total)
    headers = (content_range(window.offset, page.rows, page.total), *context.preferences.applied("call"))
    if function.returns_void:
        return Response(status=_NO_CONTENT, headers=headers)
    return Response(status=status, headers=(*headers, ("Content-Type", context.media.content_type)), body=page.body)


def _shape(media: Media, function: Function) -> Media:
    """Return the form of the body: a function that returns one value answers with the bare value."""
    return Media(
        content_type=media.content_type, single=media.single or not function.returns_set, stripped=media.stripped
    )


def _check_limit(context: Context, function: Function) -> None:
    if context.preferences.limit_of_changes is not None and not function.returns_set:
        message = "Function must return SETOF or TABLE when max-affected preference is used with handling=strict"
        raise Refusal(status=400, code="PGRST128", message=message)


def _check_page(context: Context, function: Function, page: Page) -> None:
    most = context.preferences.limit_of_changes
    if most is not None and page.rows > most:
        raise too_many_affected(page.rows)
    if function.returns_set or function.returns_rows:
        check_single(context.media, page.rows)
