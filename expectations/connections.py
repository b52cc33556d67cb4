"""Read-only connections to the table of a suite: on a PostgreSQL server, or in a SQLite file that it was spooled to."""

from __future__ import annotations

import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from expectations.dialect import POSTGRESQL, SQLITE, Dialect
from expectations.moments import compare

if TYPE_CHECKING:
    import sqlalchemy

PINNED = {
    "search_path": "pg_catalog, pg_temp",  # no function of a user's schema stands in for a built-in one
    "row_security": "off",  # rows that a policy would hide are an error, never absent
    "TimeZone": "'UTC'",
    "DateStyle": "'ISO, MDY'",
    "quote_all_identifiers": "off",
}
"""What a role or a database could preset otherwise."""
LOCK_TIMEOUT_MS = 10_000  # as long as a comparison waits
_STEPS = 100_000  # of SQLite's machine between two looks at the clock: about a millisecond


class Connections(ABC):
    """Connections to one store, each statement with a time limit; all are closed at the end.

    Great Expectations keeps the URL that it is given in its configuration, replaces `$` in it and quotes it in errors,
    so it is given none: it gets connections.

    Args:
        url: SQLAlchemy URL of the store.
        timeout_s: Limit per statement, in seconds.

    Attributes:
        dialect: The SQL that is spoken there.
        standin: A URL that names nothing but the kind of store.
        engine: An engine of these connections.
    """

    dialect: ClassVar[Dialect]
    standin: ClassVar[str]

    def __init__(self, url: sqlalchemy.URL, timeout_s: float) -> None:
        import sqlalchemy as sa

        self._target = url
        self._timeout_s = timeout_s
        self._opened: list[Any] = []
        self.engine = sa.create_engine(self.standin, creator=self.connect)
        self.limit(self.engine)

    def connect(self) -> Any:
        """Open a connection."""
        connection = self._open()
        self._opened.append(connection)
        return connection

    @abstractmethod
    def _open(self) -> Any: ...

    @abstractmethod
    def limit(self, engine: sqlalchemy.Engine) -> None:
        """Give every statement of an engine its limits and settings."""

    def close(self) -> None:
        """Close every connection that was opened."""
        self.engine.dispose()
        for connection in self._opened:
            connection.close()


class ServerConnections(Connections):
    """Connections to a PostgreSQL server."""

    dialect = POSTGRESQL
    standin = "postgresql+psycopg://twinstore@localhost/twinstore"

    def _open(self) -> Any:
        """Open a connection. Prepared statements are off, since a pooler in transaction mode cannot keep them."""
        args, options = self.engine.dialect.create_connect_args(self._target)
        connection: Any = self.engine.dialect.connect(
            *args, **{**options, "prepare_threshold": None, "client_encoding": "utf8"}
        )
        connection.read_only = True
        return connection

    def limit(self, engine: sqlalchemy.Engine) -> None:
        """Set what is needed in every transaction; for the transaction only, as poolers need it."""
        import sqlalchemy as sa

        limits = {"statement_timeout": str(int(self._timeout_s * 1000)), "lock_timeout": str(LOCK_TIMEOUT_MS)}

        def prepare(connection: sqlalchemy.Connection) -> None:
            for name, value in {**PINNED, **limits}.items():
                connection.exec_driver_sql(f"SET LOCAL {name} = {value}")

        sa.event.listen(engine, "begin", prepare)


class FileConnections(Connections):
    """Connections to a SQLite file, in which instants and dates are compared by time."""

    dialect = SQLITE
    standin = "sqlite:///twinstore"

    def __init__(self, url: sqlalchemy.URL, timeout_s: float) -> None:
        self._deadline = time.monotonic() + timeout_s
        super().__init__(url, timeout_s)

    def _open(self) -> Any:
        """Open a connection; the file must be there."""
        file = Path(self._target.database or "").absolute().as_uri()
        connection = sqlite3.connect(f"{file}?mode=ro", uri=True, check_same_thread=False)
        connection.create_collation("moments", compare)
        connection.set_progress_handler(self._is_late, _STEPS)
        return connection

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def limit(self, engine: sqlalchemy.Engine) -> None:
        """Start the clock with every statement."""
        import sqlalchemy as sa

        def start(*_: object) -> None:
            self._deadline = time.monotonic() + self._timeout_s

        sa.event.listen(engine, "before_cursor_execute", start)


@contextmanager
def connections(url: str, timeout_s: float) -> Iterator[Connections]:
    """Open connections to a store for as long as the context lasts.

    Args:
        url: SQLAlchemy URL: `sqlite:////path/of/a/file`, or one of PostgreSQL.
        timeout_s: Limit per statement, in seconds.
    """
    import sqlalchemy as sa

    target = sa.make_url(url)
    found: Connections
    if target.get_backend_name() == SQLITE.name:
        found = FileConnections(target, timeout_s)
    else:
        found = ServerConnections(target, timeout_s)
    try:
        yield found
    finally:
        found.close()
