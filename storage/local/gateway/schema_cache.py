"""The schema cache: read once, and anew whenever the database says so by `NOTIFY pgrst`."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

from storage.local.gateway.catalog import Catalog, fetch_catalog
from storage.local.gateway.connections import Connections
from storage.local.gateway.refusals import Refusal

if TYPE_CHECKING:
    from psycopg import Connection

_RETRY_S = 1.0
_RELOADS = frozenset({"reload schema", "reload config", ""})


class SchemaCache:
    """What the gateway knows of the database. Like PostgREST's it is stale until it is told.

    Args:
        connections: The way to the database.
        schemas: The exposed ones.
    """

    def __init__(self, connections: Connections, schemas: Collection[str]) -> None:
        self._connections = connections
        self._schemas = schemas
        self._catalog: Catalog | None = None
        self._loading = threading.Lock()
        self._ended, self._end = socket.socketpair()
        self._listener = threading.Thread(target=self._listen, name="schema-cache", daemon=True)

    def catalog(self) -> Catalog:
        """Return what is known; it is read if nothing is known yet.

        Raises:
            Refusal: The database cannot be reached.
        """
        return self._catalog or self._load()

    def listen(self) -> None:
        """Begin to listen, in a thread of its own; what happened before is read as well."""
        self._listener.start()

    def close(self) -> None:
        """Stop listening, and wait until that is done."""
        self._end.close()
        if self._listener.is_alive():
            self._listener.join()
        self._ended.close()

    def _load(self) -> Catalog:
        import psycopg

        with self._loading:
            try:
                with self._connections.connect() as connection:
                    self._catalog = fetch_catalog(connection, self._schemas)
                    return self._catalog
            except (Refusal, psycopg.Error) as exc:
                message = "Could not query the database for the schema cache. Retrying."
                raise Refusal(status=503, code="PGRST002", message=message, headers=(("Retry-After", "1"),)) from exc

    def _listen(self) -> None:
        import psycopg

        ended = False
        while not ended:
            try:
                with self._connections.connect() as connection:
                    connection.execute("LISTEN pgrst")
                    self._load()
                    ended = self._follow(connection)
            except (Refusal, psycopg.Error):  # until it is back, what was known is served
                ended = self._waits(_RETRY_S)

    def _follow(self, connection: Connection) -> bool:
        """Reload at each notification until we are closed; then return True."""
        while not self._waits(None, connection):
            if any(notice.payload in _RELOADS for notice in connection.notifies(timeout=0)):
                self._load()
        return True

    def _waits(self, timeout_s: float | None, connection: Connection | None = None) -> bool:
        """Wait for the connection to say something, for our end or for the time; tell whether the end came."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._ended, selectors.EVENT_READ, data=True)
            if connection is not None:
                selector.register(connection.fileno(), selectors.EVENT_READ, data=False)
            return any(key.data for key, _ in selector.select(timeout_s))
