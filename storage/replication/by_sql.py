"""The doors of a store that is reached by SQL: functions called in transactions of their own, on pooled connections.

A COMMIT whose acknowledgement is lost is not a failure: the transaction's number is asked for afterwards, since the
server knows what became of it. A server that crashed meanwhile gives the numbers once more that it had given to what
never reached its disk: then `committed` may be said of somebody else's transaction, and counts for nothing.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from contracts.dataset import Dataset
from contracts.errors import Exhausted, OutcomeUnknown, TwinstoreError
from contracts.vocabulary import StoreName
from storage.meter import Meter
from storage.migrations.replication_doors import REPLICATION_DOORS
from storage.migrations.values import Side
from storage.pg_errors import translate
from storage.replication.bounded import Bounded
from storage.session import CLIENT_ENCODING, Limits

CONNECTIONS = 10  # at a time
KEPT = 5  # connections that are kept for the next call
RESOLVE_S = 5.0  # for how long the fate of a transaction is asked for; less where the call has less
IDLE_S = 30.0  # then the server gives up a client that went away in the middle, and its locks
_RESOLVE_EVERY_S = 0.1
_NUMBER = "SELECT pg_current_xact_id()::text, pg_postmaster_start_time(), now()"
# A number that is still to be given was lost in a crash. Statistics begin anew after a crash, also after one that the
# postmaster survives, so that `committed` is about our transaction where both are as they were when it began.
_FATE = """
SELECT CASE WHEN pg_current_xact_id() <= given.number THEN 'aborted'
            WHEN server.as_it_was OR pg_xact_status(given.number) <> 'committed' THEN pg_xact_status(given.number)
            ELSE 'unclear' END
FROM (SELECT %s::xid8 AS number) AS given,
     (SELECT pg_postmaster_start_time() = %s AND coalesce(stats_reset, '-infinity') <= %s AS as_it_was
      FROM pg_stat_bgwriter) AS server
"""
_BEGIN = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ {access}; SET LOCAL statement_timeout = {statement}; "
    "SET LOCAL lock_timeout = {lock}; SET LOCAL idle_in_transaction_session_timeout = {idle}; "
    "SET LOCAL synchronous_commit = 'on'; SET LOCAL row_security = off; SET LOCAL search_path = pg_catalog, pg_temp"
)


class SqlCall:
    """Calls the functions of one dataset in one PostgreSQL server. Threads may share it.

    Args:
        dsn: Connection string; never shown.
        dataset: The dataset.
        side: The side that the server is.
        limits: Time limits.
        meter: Counts a statement for each call, and for each transaction of plain statements.
        wait: Waits for seconds.
    """

    def __init__(
        self,
        dsn: str,
        dataset: Dataset,
        side: Side,
        *,
        limits: Limits | None = None,
        meter: Meter | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.store: StoreName = side.store
        self._dsn = dsn
        self._dataset = dataset
        self._side = side
        self._limits = limits or Limits(statement_s=30.0, lock_s=3.0)
        self._meter = meter or Meter()
        self._wait = wait
        self._of_thread = threading.local()
        self._pool = QueuePool(
            self._connect,  # type: ignore[arg-type]  # a connection of psycopg is one of DBAPI
            pool_size=KEPT,
            max_overflow=-1,
        )
        self._free = threading.BoundedSemaphore(CONNECTIONS)

    def __call__(
        self, door: str, arguments: Mapping[str, Any], *, deadline_s: float | None = None, once: bool = False
    ) -> object:
        """Call one function, in a transaction of its own; see `storage.replication.doors.Call`."""
        known = REPLICATION_DOORS[door]
        query = sql.SQL("SELECT {}({})").format(
            sql.Identifier(*known.function(self._dataset, self._side)),
            sql.SQL(", ").join(sql.SQL("%s::{}").format(sql.SQL(kind)) for _, kind in known.parameters),
        )
        values = [_as_sent(arguments[name], kind) for name, kind in known.parameters]
        limit_s = self._limits.statement_s if deadline_s is None else min(deadline_s, self._limits.statement_s)
        with self._borrowed(reads=known.reads, limit_s=limit_s) as connection:
            return self._run(connection, query, values, once=once)

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Any]]:
        """Borrow a connection for one transaction of plain statements; it is committed at the end of the block.

        Raises:
            TwinstoreError: The server cannot be reached, or a statement fails.
        """
        with self._borrowed(reads=False, limit_s=self._limits.statement_s) as connection, translate(self.store):
            yield connection
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close the connections, those in use as soon as they are not."""
        pool, self._pool = self._pool, self._pool.recreate()
        pool.dispose()

    def _run(self, connection: Bounded, query: sql.Composed, values: list[object], *, once: bool) -> object:
        transaction: tuple[Any, ...] | None = None
        with translate(self.store):
            if once:
                (transaction,) = connection.execute(_NUMBER).fetchall()
            ((answer,),) = connection.execute(query, values).fetchall()
        try:
            with translate(self.store):
                connection.execute("COMMIT")
        except TwinstoreError:
            connection.close()  # nobody knows what it would answer next
            if transaction is None or not self._was_committed(transaction, connection.limit_s):
                raise
        return answer

    def _was_committed(self, transaction: tuple[Any, ...], limit_s: float) -> bool:
        """Ask what became of a transaction whose COMMIT was not acknowledged.

        Args:
            transaction: Its number, when the server started that gave it, and when it began.
            limit_s: Seconds that each of its statements had.

        Raises:
            OutcomeUnknown: Nobody could be asked in time, or the server cannot tell.
        """
        deadline = time.monotonic() + min(RESOLVE_S, limit_s)
        while time.monotonic() < deadline:
            left_s = deadline - time.monotonic()
            with suppress(TwinstoreError), translate(self.store), self._connect(left_s) as connection:
                ((fate,),) = connection.execute(_FATE, transaction).fetchall()
                if fate in ("committed", "aborted"):
                    return bool(fate == "committed")
                if fate == "unclear":
                    break
            self._wait(_RESOLVE_EVERY_S)
        raise OutcomeUnknown(
            f"{self.store} went away while it was writing, and nobody can say whether it wrote.",
            "Ask for the record before the same is written again, or repeat it with the same idempotency key.",
            store=self.store,
        )

    @contextmanager
    def _borrowed(self, *, reads: bool, limit_s: float) -> Iterator[Bounded]:
        """Borrow a connection with a transaction that has begun, as soon as fewer are in use than may be."""
        if not self._free.acquire(timeout=limit_s):
            raise Exhausted(
                f"This process makes {CONNECTIONS} calls to {self.store} already, and none of them ended in time.",
                "Make fewer calls at a time, or try again later.",
                store=self.store,
            )
        try:
            with self._begun(reads=reads, limit_s=limit_s) as connection:
                yield connection
        finally:
            self._free.release()

    @contextmanager
    def _begun(self, *, reads: bool, limit_s: float) -> Iterator[Bounded]:
        """Borrow a connection with a transaction that has begun; one that fails is not given to anybody else."""
        begin = sql.SQL(_BEGIN).format(
            access=sql.SQL("ONLY" if reads else "WRITE"),
            statement=_milliseconds(limit_s),
            lock=_milliseconds(self._limits.lock_s),
            idle=_milliseconds(IDLE_S),
        )
        with translate(self.store):
            pool, borrowed = self._began(begin, limit_s)
        self._meter.statements += 1
        connection: Bounded = borrowed.dbapi_connection  # type: ignore[assignment]  # it is one of DBAPI, too
        try:
            yield connection
        except BaseException:
            borrowed.invalidate()
            raise
        else:
            if connection.closed or pool is not self._pool:  # nobody would close what goes back to an older one
                borrowed.invalidate()
        finally:
            borrowed.close()

    def _began(self, begin: sql.Composed, limit_s: float) -> tuple[QueuePool, PoolProxiedConnection]:
        """Begin a transaction; a connection that broke while nobody used it tells nothing about the server."""
        self._of_thread.limit_s = limit_s  # the pool connects in this thread
        pool = self._pool
        borrowed = pool.connect()
        fresh = borrowed.record_info is not None and not borrowed.record_info.setdefault("used", False)
        if borrowed.record_info is not None:
            borrowed.record_info["used"] = True
        connection: Bounded = borrowed.dbapi_connection  # type: ignore[assignment]  # see above
        connection.limit_s = limit_s
        try:
            connection.execute(begin)
        except BaseException as exc:
            borrowed.invalidate()
            borrowed.close()
            if fresh or not isinstance(exc, psycopg.OperationalError):
                raise
            if pool is self._pool:
                self._pool = pool.recreate()
                pool.dispose()
            return self._began(begin, limit_s)
        return pool, borrowed

    def _connect(self, limit_s: float | None = None) -> Bounded:
        if limit_s is None:
            limit_s = self._of_thread.limit_s
        connection = Bounded.connect(
            self._dsn,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=max(2, math.ceil(min(limit_s, self._limits.connect_s))),
            client_encoding=CLIENT_ENCODING,
            application_name="twinstore sync",
            tcp_user_timeout=round(self._limits.statement_s * 1000),
        )
        connection.store, connection.limit_s = self.store, limit_s
        return connection


def _milliseconds(seconds: float) -> sql.Literal:
    return sql.Literal(f"{max(1, round(seconds * 1000))}ms")


def _as_sent(value: object, kind: str) -> object:
    return json.dumps(value) if kind == "jsonb" and value is not None else value
