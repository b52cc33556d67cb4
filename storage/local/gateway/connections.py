"""Connections to the database as `authenticator`, and one transaction for each request."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage.local.gateway.fragments import text_sql
from storage.local.gateway.refusals import Refusal

if TYPE_CHECKING:
    from psycopg import Connection, Cursor
    from psycopg.sql import Composed

_ISOLATION = {"read uncommitted", "read committed", "repeatable read", "serializable"}


class Transaction:
    """The one transaction of a request.

    Args:
        connection: On which it runs; its role and settings are made already.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, statement: Composed) -> tuple[bytes | None, ...]:
        """Run a statement that returns one row, and return its values as the server wrote them, undecoded."""
        result = self.execute(statement).pgresult
        if result is None or result.ntuples != 1:
            raise AssertionError("a statement of the gateway returns one row")
        return tuple(result.get_value(0, column) for column in range(result.nfields))

    def execute(self, statement: Composed) -> Cursor:
        """Run a statement and return its cursor."""
        # The text holds its values as quoted literals: no parameters, hence one round trip and text results.
        return self._connection.execute(statement)


class Connections:
    """A fixed number of connections, made when they are first needed and made anew when they break.

    Args:
        dsn: URL as the role that may become the others.
        size: How many requests may be in the database at a time.
        wait_s: Time in seconds that a request waits for its turn.
    """

    def __init__(self, dsn: str, *, size: int = 10, wait_s: float = 10.0) -> None:
        self._dsn = dsn
        self._wait_s = wait_s
        self._size = size
        self._idle: queue.LifoQueue[Connection | None] = queue.LifoQueue()
        for _ in range(size):
            self._idle.put(None)

    @contextmanager
    def transaction(
        self, settings: Mapping[str, str], *, read_only: bool, isolation: str | None = None
    ) -> Iterator[Transaction]:
        """Run a transaction with settings of its own; an exception rolls it back.

        Args:
            settings: Values of server parameters, `role` among them, in the order in which they are set.
            read_only: Whether it may change nothing.
            isolation: Its isolation level; the server's default unless given.

        Raises:
            Refusal: The database cannot be reached, or no connection was free in time.
            psycopg.Error: A statement failed.
        """
        from psycopg.sql import SQL

        values = SQL(", ").join(
            SQL("pg_catalog.set_config({}, {}, TRUE)").format(text_sql(name), text_sql(value))
            for name, value in settings.items()
        )
        level = isolation if isolation in _ISOLATION else None
        begin = f"BEGIN {f'ISOLATION LEVEL {level}' if level else ''} {'READ ONLY' if read_only else 'READ WRITE'}"
        with self._connection() as connection:
            try:
                connection.execute(begin.encode())
                connection.execute(SQL("SELECT {}").format(values))
                yield Transaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                if not connection.broken:
                    connection.execute("ROLLBACK")
                raise

    def connect(self, *, name: str = "gateway") -> Connection:
        """Open a further connection, outside of the fixed number.

        Raises:
            Refusal: The database cannot be reached.
        """
        import psycopg

        try:
            return psycopg.connect(
                self._dsn, autocommit=True, prepare_threshold=None, connect_timeout=5, application_name=name
            )
        except psycopg.OperationalError as exc:
            # The text of the error may hold parts of the URL: it stays here.
            message = "Database connection error. Retrying the connection."
            raise Refusal(status=503, code="PGRST000", message=message, headers=(("Retry-After", "1"),)) from exc

    def close(self) -> None:
        """Close what is idle; to be called when no request is under way."""
        for _ in range(self._size):
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                return
            if connection is not None:
                connection.close()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = self._idle.get(timeout=self._wait_s)
        except queue.Empty:
            message = "Timed out acquiring connection from connection pool."
            raise Refusal(status=504, code="PGRST003", message=message) from None
        try:
            if connection is None or connection.closed:
                connection = self.connect()
            yield connection
        finally:
            if connection is not None and connection.broken:
                connection.close()
                connection = None
            self._idle.put(connection)
