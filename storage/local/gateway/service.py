"""From a request to its response: who asks, what for, and which part answers."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from storage.local.gateway import functions, tables
from storage.local.gateway.catalog import Catalog, fetch_catalog
from storage.local.gateway.connections import Connections
from storage.local.gateway.context import Context
from storage.local.gateway.exchange import JSON, Request, Response
from storage.local.gateway.keys import Caller, ProjectKeys, Unidentified, identify
from storage.local.gateway.media import accepted_media
from storage.local.gateway.options import Options
from storage.local.gateway.preferences import read_preferences
from storage.local.gateway.refusals import Refusal, from_database, not_covered

if TYPE_CHECKING:
    from psycopg import Connection

PREFIX = "/rest/v1/"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_RETRY_S = 1.0
_RELOADS = frozenset({"reload schema", "reload config", ""})
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
        self._catalog: Catalog | None = None
        self._loading = threading.Lock()
        self._stopped, self._stop = socket.socketpair()
        self._listener = threading.Thread(target=self._listen, name="schema-cache", daemon=True)

    @property
    def options(self) -> Options:
        """Its settings."""
        return self._options

    def start(self) -> None:
        """Begin to listen for `NOTIFY pgrst`."""
        self._listener.start()

    def close(self) -> None:
        """Stop listening and close all connections; no request may be under way."""
        self._stop.close()
        if self._listener.is_alive():
            self._listener.join()
        self._stopped.close()
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

    def _dispatch(self, request: Request, caller: Caller) -> Response:
        parts = request.path.removeprefix(PREFIX).split("/")
        if parts == [""]:
            raise Refusal(status=404, code="PGRST126", message="Root endpoint metadata is disabled")
        context = Context(
            request=request,
            caller=caller,
            schema=self._schema(request),
            catalog=self._catalog or self._reload(),
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

    def _reload(self) -> Catalog:
        """Read the schema cache anew, on a connection of its own, and return it.

        Raises:
            Refusal: The database cannot be reached.
        """
        import psycopg

        with self._loading:
            try:
                with self._connections.connect() as connection:
                    self._catalog = fetch_catalog(connection, self._options.schemas)
                    return self._catalog
            except (Refusal, psycopg.Error) as exc:
                message = "Could not query the database for the schema cache. Retrying."
                raise Refusal(status=503, code="PGRST002", message=message, headers=(("Retry-After", "1"),)) from exc

    def _listen(self) -> None:
        """Reload whenever the database says so, until the gateway is closed."""
        import psycopg

        while True:
            try:
                with self._connections.connect() as connection:
                    connection.execute("LISTEN pgrst")
                    self._reload()
                    if self._reload_until_closed(connection):
                        return
            except (Refusal, psycopg.Error):
                if select.select([self._stopped], [], [], _RETRY_S)[0]:
                    return

    def _reload_until_closed(self, connection: Connection) -> bool:
        while True:
            select.select([connection.fileno(), self._stopped.fileno()], [], [])
            if select.select([self._stopped], [], [], 0)[0]:
                return True
            if any(notice.payload in _RELOADS for notice in connection.notifies(timeout=0)):
                self._reload()


_NO_ROUTE = b'{"message":"no Route matched with those values"}'


def _no_method(method: str, *, call: bool) -> Refusal:
    if call:
        return Refusal(status=405, code="PGRST101", message=f"Cannot use the {method} method on RPC")
    if method == "PUT":
        return not_covered("Upsert of a single row by PUT")
    return Refusal(status=405, code="PGRST117", message=f"Unsupported HTTP method: {method}")
