"""Great Expectations as we use it: loaded quietly, connected read-only, and never told where or as whom."""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy
    from great_expectations.datasource.fluent.interfaces import Batch

PINNED = {
    "search_path": "pg_catalog, pg_temp",  # no function of a user's schema stands in for a built-in one
    "row_security": "off",  # rows that a policy would hide are an error, never absent
    "TimeZone": "'UTC'",
    "DateStyle": "'ISO, MDY'",
    "quote_all_identifiers": "off",
}
"""What a role or a database could preset otherwise."""
LOCK_TIMEOUT_MS = 10_000  # as long as a comparison waits
_QUIET = threading.Lock()  # warnings are switched off for the process, by one thread at a time
_STANDIN = "postgresql+psycopg://twinstore@localhost/twinstore"  # asked for by its validation, connected to by nobody


def load_gx() -> Any:
    """Import Great Expectations, which takes some seconds, without telemetry, warnings of its own or log lines."""
    with _QUIET, warnings.catch_warnings():
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports modules that Python deprecates
        import great_expectations as gx
        import great_expectations.expectations

        logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # it logs what it also returns
        return gx


class Connections:
    """Read-only connections to one store, each statement with a time limit; all are closed at the end.

    Great Expectations keeps the URL that it is given in its configuration, replaces `$` in it and quotes it in errors,
    so it is given none: it gets connections.

    Args:
        url: SQLAlchemy URL of the store.
        timeout_s: Limit per statement, in seconds.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        import sqlalchemy as sa

        self._timeout_ms = int(timeout_s * 1000)
        self._opened: list[Any] = []
        self._target = sa.make_url(url)
        if self._target.drivername in {"postgres", "postgresql"}:
            self._target = self._target.set(drivername="postgresql+psycopg")
        self.engine = sa.create_engine("postgresql+psycopg://", creator=self.connect)
        self.limit(self.engine)

    def connect(self) -> Any:
        """Open a connection. Prepared statements are off, since a pooler in transaction mode cannot keep them."""
        args, options = self.engine.dialect.create_connect_args(self._target)
        connection: Any = self.engine.dialect.connect(
            *args, **{**options, "prepare_threshold": None, "client_encoding": "utf8"}
        )
        connection.read_only = True
        self._opened.append(connection)
        return connection

    def limit(self, engine: sqlalchemy.Engine) -> None:
        """Give every transaction of an engine its limits and settings; for the transaction only, as poolers need it."""
        import sqlalchemy as sa

        def prepare(connection: sqlalchemy.Connection) -> None:
            limits = {"statement_timeout": str(self._timeout_ms), "lock_timeout": str(LOCK_TIMEOUT_MS)}
            for name, value in {**PINNED, **limits}.items():
                connection.exec_driver_sql(f"SET LOCAL {name} = {value}")

        sa.event.listen(engine, "begin", prepare)

    def close(self) -> None:
        """Close every connection that was opened."""
        for connection in self._opened:
            connection.close()


@contextmanager
def connections(url: str, timeout_s: float) -> Iterator[Connections]:
    """Open connections to a store for as long as the context lasts."""
    found = Connections(url, timeout_s)
    try:
        yield found
    finally:
        found.close()


def open_batch(gx: Any, source: Connections, schema: str, table: str) -> Batch:
    """Hand a table to Great Expectations: in memory, without files, progress bars or temporary tables."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    datasource = context.data_sources.add_postgres(
        "twinstore", connection_string=_STANDIN, create_temp_table=False, kwargs={"creator": source.connect}
    )
    with _QUIET, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*schema_name. is deprecated", DeprecationWarning)
        asset = datasource.add_table_asset(table, table_name=table, schema_name=schema)
        batch: Batch = asset.get_batch(asset.build_batch_request())
    source.limit(datasource.get_execution_engine().engine)
    return batch


_DRIVER_ERROR = re.compile(r"psycopg\.errors\.(\w+)")
_REFUSED = re.compile(r"(?i)authentication failed|no password supplied|no pg_hba\.conf entry|role .* does not exist")
_NO_DATABASE = re.compile(r"(?i)database .* does not exist")
_HIDDEN = "affected by row-level security policy"  # what the server says under row_security = off
_WHY = {
    "QueryCanceled": "a statement took longer than its limit",
    "LockNotAvailable": "a statement took longer than its limit",
    "InsufficientPrivilege": "a grant on the table is missing",
    "UndefinedColumn": "a column of the table is missing",
    "UndefinedTable": "the table is missing",
    "InvalidSchemaName": "the schema is missing",
    "DatatypeMismatch": "a column has another type",
    "UndefinedFunction": "a column has another type",
    "AdminShutdown": "the store went away",
    "CannotConnectNow": "the store is starting or stopping",
    "TooManyConnections": "the store has no connection left",
}


def why(trouble: BaseException | str) -> str:
    """Say what went wrong, by the kind of error only: its text may hold values, hosts and users.

    Args:
        trouble: An exception, or the text of one.
    """
    if isinstance(trouble, BaseException):
        cause = getattr(trouble, "orig", None) or trouble
        kind = type(cause).__name__
        if kind == "OperationalError":
            return _at_the_door(str(cause))
        if _HIDDEN in str(cause):
            return "row level security may hide rows"
        return _WHY.get(kind, f"{kind} was raised")
    if _HIDDEN in trouble:
        return "row level security may hide rows"
    found = _DRIVER_ERROR.search(trouble)
    if found:
        return _WHY.get(found[1], f"{found[1]} was raised")
    return "the store went away" if "OperationalError" in trouble else "Great Expectations raised an exception"


def _at_the_door(text: str) -> str:
    if _REFUSED.search(text):
        return "the store refuses user or password"
    return "there is no such database" if _NO_DATABASE.search(text) else "the store cannot be reached"
