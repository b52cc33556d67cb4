"""From a request to its response: who asks, what for, and which part answers."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable

from storage.local.gateway import functions, tables
from storage.local.gateway.connections import Connections
from storage.local.gateway.context import Context
from storage.local.gateway.exchange import JSON, Request, Response
from storage.local.gateway.keys import Caller, ProjectKeys, Unidentified, identify
from storage.local.gateway.media import accepted_media
from storage.local.gateway.options import Options
from storage.local.gateway.preferences import read_preferences
from storage.local.gateway.refusals import Refusal, from_database, not_covered
from storage.local.gateway.schema_cache import SchemaCache

PREFIX = "/rest/v1/"
_log = logging.getLogger(__name__)
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_Endpoint = Callable[[Context, str], Response]
_TABLE: dict[str, _Endpoint] = {
    "GET": tables.read_table,
    "HEAD": tables.read_table,
    "POST": tables.insert_rows,
    "PATCH": tables.update_rows,
    "DELETE": tables.delete_rows,
    "OPTIONS": tables.allowed_methods,
}
_FUNCTION: dict[str, _Endpoint] = {
    "GET": functions.call_function,
    "HEAD": functions.call_function,
    "POST": functions.call_function,
    "OPTIONS": functions.allowed_methods,
}


class Gateway:
    """The REST interface of one database.

    Args:
        dsn: URL of the database as the role that may become `anon`, `authenticated` and `service_role`.
        keys: Of the project.
        options: Settings.
    """

    def __init__(self, dsn: str, keys: ProjectKeys, options: Options) -> None:
        self._keys = keys
        self._options = options
        self._connections = Connections(dsn, size=options.connections)
        self._cache = SchemaCache(self._connections, options.schemas)

    @property
    def options(self) -> Options:
        """Its settings."""
        return self._options

    def start(self) -> None:
        """Begin to listen for changes of the schema."""
        self._cache.listen()

    def close(self) -> None:
        """Stop listening and close all connections; no request may be under way."""
        self._cache.close()
        self._connections.close()

    def answer(self, request: Request) -> Response:
        """Answer a request; whatever is wrong with it becomes a response as well."""
        import psycopg

        caller: Caller | None = None
        try:
            if not request.path.startswith(PREFIX):
                return Response(status=404, headers=(("Content-Type", JSON),), body=_NO_ROUTE)
            caller = identify(request.headers, self._keys, now=time.time(), audience=self._options.audience)
            return self._dispatch(request, caller)
        except Unidentified as exc:
            return Response(status=401, headers=(("Content-Type", JSON),), body=exc.body)
        except Refusal as exc:
            return exc.response(body=request.method != "HEAD")
        except psycopg.Error as exc:
            refusal = from_database(exc, authenticated=caller is not None and caller.authenticated)
            return refusal.response(body=request.method != "HEAD")
        except Exception as exc:  # noqa: BLE001 - a fault of ours becomes an answer, and its place is logged
            # Not its text, which may hold a value.
            _log.error("%s\n%s", type(exc).__name__, "".join(traceback.format_tb(exc.__traceback__)))
            return Refusal(status=500, code="PGRSTX00", message="Internal error").response()

    def _dispatch(self, request: Request, caller: Caller) -> Response:
        parts = request.path.removeprefix(PREFIX).split("/")
        if parts == [""]:
            raise Refusal(status=404, code="PGRST126", message="Root endpoint metadata is disabled")
        context = Context(
            request=request,
            caller=caller,
            schema=self._schema(request),
            catalog=self._cache.catalog(),
            preferences=read_preferences(request.headers.get("prefer", "")),
            media=accepted_media(request.headers.get("accept")),
            options=self._options,
            connections=self._connections,
        )
        if len(parts) == 1:
            endpoint = _TABLE.get(request.method)
        elif len(parts) == 2 and parts[0] == "rpc":  # noqa: PLR2004 - `rpc` and a name
            endpoint = _FUNCTION.get(request.method)
        else:
            raise Refusal(status=404, code="PGRST125", message="Invalid path specified in request URL")
        if endpoint is None:
            raise _no_method(request.method, call=len(parts) > 1)
        return self._with_profile(request, endpoint(context, parts[-1]))

    def _schema(self, request: Request) -> str:
        header = "accept-profile" if request.method in _READS else "content-profile"
        name = request.headers.get(header, self._options.schemas[0])
        if name not in self._options.schemas:
            exposed = ", ".join(self._options.schemas)
            raise Refusal(
                status=406,
                code="PGRST106",
                message=f"Invalid schema: {name}",
                hint=f"Only the following schemas are exposed: {exposed}",
            )
        return name

    def _with_profile(self, request: Request, response: Response) -> Response:
        """Name the schema beside the content, where there is a choice."""
        names = {name for name, _ in response.headers}
        chosen = {"accept-profile", "content-profile"} & request.headers.keys() or len(self._options.schemas) > 1
        if not chosen or "Content-Type" not in names:
            return response
        headers = (*response.headers, ("Content-Profile", self._schema(request)))
        return Response(status=response.status, headers=headers, body=response.body)


_NO_ROUTE = b'{"message":"no Route matched with those values"}'


def _no_method(method: str, *, call: bool) -> Refusal:
    if call:
        return Refusal(status=405, code="PGRST101", message=f"Cannot use the {method} method on RPC")
    if method == "PUT":
        return not_covered("Upsert of a single row by PUT")
    return Refusal(status=405, code="PGRST117", message=f"Unsupported HTTP method: {method}")
